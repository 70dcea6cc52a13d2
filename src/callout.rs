//! A callout: what to request, and from which cluster.
//!
//! Modules that want something from outside make a [`CalloutRequest`] and understand its answer.
//! What is common to all of them is here: which answer belongs to which call, and when one that
//! failed is tried again.

pub(crate) mod flight;
pub mod form;
pub(crate) mod retry;
pub mod uri;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use uri::HttpsUri;

/// One HTTP request to one of the gateway's clusters. Its headers and body may hold credentials, so
/// `Debug` shows neither.
#[derive(Clone, Eq, PartialEq)]
pub struct CalloutRequest {
    /// The gateway's cluster that it goes to.
    pub cluster: Box<str>,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path and query requested.
    pub uri: HttpsUri,
    /// The media type of the answer that it understands.
    pub accept: &'static str,
    /// Headers besides those that every call has.
    pub headers: Vec<(Cow<'static, str>, Box<str>)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long to wait for the whole answer. Never zero: Envoy takes zero for "for ever".
    pub timeout: Duration,
}

impl CalloutRequest {
    /// Asks for a document.
    pub fn get(cluster: &str, uri: HttpsUri, timeout: Duration) -> Self {
        Self {
            cluster: cluster.into(),
            method: "GET",
            uri,
            accept: JSON,
            headers: Vec::new(),
            body: Vec::new(),
            timeout,
        }
    }
}

/// Keys, tokens and lists come as JSON.
pub const JSON: &str = "application/json";

impl fmt::Debug for CalloutRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.method, self.uri, self.cluster)
    }
}
