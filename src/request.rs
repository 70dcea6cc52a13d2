//! A request's head: everything in it that bears on who may do what, read in the one way it can be read.
//!
//! [`Headers`] is what a host hands over. [`Envelope`] names the request for people, whatever is wrong with it. [`RequestHead`] is the
//! proof that nothing in the head is ambiguous: one method, one path, one credential, one workspace. What a caller may send twice without
//! harm is not looked at; what bears on security and comes twice is refused (RFC 9110 §5.3 lets a recipient join repeats, and the next
//! hop may not).

pub mod authority;
pub mod credential;
pub mod envelope;
mod error;
pub mod fingerprint;
pub mod mcp;
mod secret;
pub mod target;
pub mod workspace;

use crate::path::Path;

use authority::{Authority, AuthorityError};
use credential::Credential;
use target::Target;
use workspace::WorkspaceId;

pub use error::{AuthorizationError, RequestError};

/// The head of a request as the host gives it: lower-case names, repeats in order, values as bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Takes every pair of the head, pseudo-headers (`:method`, `:path`, `:authority`) included.
    pub fn new(pairs: Vec<(String, Vec<u8>)>) -> Self {
        Self(pairs)
    }

    /// The values of a name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The first value of a name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The names that a permitted request loses before it goes upstream, each once.
    ///
    /// Ours (`x-oam-*`), so that nobody but the filter speaks through them; other gateways' statements of identity; and headers by which
    /// an upstream could read another method, path, host or caller than the one judged. Names are compared with `_` and `.` as `-`: some
    /// servers take one for the other.
    pub fn to_remove(&self, kept: Kept) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.0 {
            let removed = is_ours(name)
                || REMOVED_PREFIXES
                    .iter()
                    .any(|prefix| has_prefix(name, prefix))
                || REMOVED.iter().any(|removed| same_name(name, removed))
                || (kept == Kept::Token && same_name(name, "cookie"))
                || (kept == Kept::Cookies && same_name(name, "authorization"));
            if removed && !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The names of ours among these headers or trailers.
    pub fn ours(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| is_ours(name))
    }

    /// How many bytes these headers hold.
    pub fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len().saturating_add(value.len()))
            .fold(0, usize::saturating_add)
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

/// Which of the caller's own credentials go upstream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// All: the call is how clients sign in, by Basic or by cookie.
    All,
    /// Cookies, which a sign-in page needs, and no `Authorization`: nobody judged it, so a public path must not be a way in for it.
    Cookies,
    /// The access token that was judged. A browser's session would be a second credential beside it, which no policy judged.
    Token,
}

/// A request head that says one thing only.
pub struct RequestHead<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path, without its query.
    pub path: Path<'a>,
    /// The host asked for; absent when the client named none.
    pub authority: Option<Authority>,
    /// What the caller proves its identity with.
    pub credential: Credential<'a>,
    /// The workspace that the request selects by header, query or path.
    pub selector: Option<WorkspaceId>,
}

impl<'a> RequestHead<'a> {
    /// Reads a head, `max_token_bytes` being the most that a bearer token may have.
    pub fn read(headers: &'a Headers, max_token_bytes: usize) -> Result<Self, RequestError> {
        let method = one(headers, ":method")?.ok_or(RequestError::NoMethod)?;
        let method = std::str::from_utf8(method)
            .ok()
            .filter(|method| {
                // Methods are case-sensitive and all of ours are in capitals; an upstream that folds case would read another one.
                !method.is_empty()
                    && method.bytes().all(is_token_byte)
                    && !method.bytes().any(|byte| byte.is_ascii_lowercase())
            })
            .ok_or(RequestError::Method)?;
        let target = one(headers, ":path")?.ok_or(RequestError::NoPath)?;
        let Target { path, query } = Target::parse(target)?;
        if let Some(credential) = query.credential() {
            return Err(RequestError::QueryCredential(credential));
        }
        refuse_second_credential(headers)?;
        let authority = read_authority(headers)?;
        let credential = Credential::read(headers, max_token_bytes)?.sent_to(path.as_str());
        let selector = workspace::selected(headers, &path, query)?;
        Ok(Self {
            method,
            path,
            authority,
            credential,
            selector,
        })
    }
}

/// The value of a header that may come once, whichever of `_` and `-` spells it.
fn one<'a>(headers: &'a Headers, name: &'static str) -> Result<Option<&'a [u8]>, RequestError> {
    let mut values = headers
        .pairs()
        .filter(|(candidate, _)| same_name(candidate, name))
        .map(|(_, value)| value);
    let first = values.next();
    match values.next() {
        Some(_) => Err(RequestError::Repeated(name)),
        None => Ok(first),
    }
}

/// The authority, held against a `host` header where a host hands over both.
fn read_authority(headers: &Headers) -> Result<Option<Authority>, RequestError> {
    let authority = one(headers, ":authority")?
        .map(Authority::parse)
        .transpose()?;
    let host = one(headers, "host")?.map(Authority::parse).transpose()?;
    match (authority, host) {
        (Some(authority), Some(host)) if authority != host => Err(AuthorityError::Conflict.into()),
        (authority, host) => Ok(authority.or(host)),
    }
}

fn refuse_second_credential(headers: &Headers) -> Result<(), RequestError> {
    for (name, value) in headers.pairs() {
        if let Some(known) = SECOND_CREDENTIALS
            .iter()
            .find(|known| same_name(name, known))
        {
            return Err(RequestError::SecondCredential(known));
        }
        // Two letters sort out nearly all that is none.
        let stray = (value.starts_with(b"da") || value.starts_with(b"do"))
            .then(|| {
                std::str::from_utf8(value)
                    .ok()
                    .and_then(secret::static_token)
            })
            .flatten();
        if let Some(kind) = stray {
            return Err(RequestError::StrayCredential(kind));
        }
    }
    Ok(())
}

/// Whether a header name is the lower-case `known` one, whichever case it has and with `_` as `-`.
fn same_name(name: &str, known: &str) -> bool {
    name.len() == known.len() && has_prefix(name, known)
}

fn has_prefix(name: &str, known: &str) -> bool {
    name.len() >= known.len()
        && name.bytes().zip(known.bytes()).all(|(byte, known)| {
            let byte = byte.to_ascii_lowercase();
            byte == known || (matches!(byte, b'_' | b'.') && known == b'-')
        })
}

/// `tchar`, RFC 9110 §5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Headers by which Databricks takes a second bearer token (Azure's management token, Google's service account token), so that a caller
/// could be one person to us and another to the workspace.
const SECOND_CREDENTIALS: [&str; 2] = [
    "x-databricks-azure-sp-management-token",
    "x-databricks-gcp-sa-access-token",
];

/// Whether a name is one that only the filter sets.
fn is_ours(name: &str) -> bool {
    has_prefix(name, "x-oam-")
}

/// Statements that no caller may make: another gateway's identity headers, method, path and host overrides that frameworks honour,
/// Databricks' internal routing, a proxy's own credential, and Azure's way of picking a workspace by its resource, which goes with a
/// credential that is refused.
const REMOVED: [&str; 23] = [
    "forwarded",
    "proxy-authorization",
    "remote-user",
    "x-api-key",
    "x-databricks-azure-workspace-resource-id",
    "x-databricks-traffic-id",
    "x-forwarded-access-token",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-host",
    "x-forwarded-prefix",
    "x-forwarded-preferred-username",
    "x-forwarded-uri",
    "x-forwarded-user",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-remote-user",
    "x-rewrite-url",
];

/// What other gateways' sign-in proxies set.
const REMOVED_PREFIXES: [&str; 1] = ["x-auth-request-"];

#[cfg(test)]
mod tests;
