//! What a host shows of a request before its body.

use crate::request::Headers;

/// The headers of a request, as its host shows them.
pub struct Head {
    /// All of them, pseudo-headers first.
    pub headers: Headers,
    /// The address of the client as the host understands it, without its port.
    pub source_ip: Option<String>,
    /// Whether a body or trailers may follow.
    pub has_body: bool,
}
