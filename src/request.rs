//! A request's head: everything in it that bears on who may do what, read in the one way it can be
//! read.
//!
//! [`Headers`] is what a host hands over. [`Envelope`] names the request for people, whatever is
//! wrong with it. [`RequestHead`] is the proof that nothing in the head is ambiguous: one method,
//! one path, one credential, one workspace. What a caller may send twice without harm is not looked
//! at; what bears on security and comes twice is refused (RFC 9110 §5.3 lets a recipient join
//! repeats, and the next hop may not).

pub mod authority;
mod cookies;
pub mod credential;
pub mod dpop;
pub mod envelope;
mod error;
pub mod fingerprint;
pub mod form;
mod headers;
mod known;
pub mod mcp;
mod name;
mod secret;
mod stray;
pub mod target;
pub mod token_reader;
mod upgrade;
pub mod workspace;

use crate::bytes::{self, is_alphanumeric, is_one_of, is_within};
use crate::path::Path;

use authority::{Authority, AuthorityError};
use credential::Credential;
use target::Target;
use token_reader::{KnownTokens, NoTokens, TokenReader};
use workspace::WorkspaceId;

pub(crate) use cookies::COOKIE;
pub use cookies::Cookies;
pub use error::{AuthorizationError, RequestError};
pub use headers::{Headers, Kept};
pub use stray::SecondTokens;

use known::Known;

/// A request head that says one thing only.
pub struct RequestHead<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The path, without its query.
    pub path: Path<'a>,
    /// The requested host; absent when the client named none.
    pub authority: Option<Authority<'a>>,
    /// What the caller proves its identity with.
    pub credential: Credential<'a>,
    /// Its cookies, which some paths need.
    pub cookies: Cookies<'a>,
    /// Whose JWTs stand beside the credential.
    pub second_tokens: SecondTokens,
    /// The workspace that the request selects by header, query or path.
    pub selector: Option<WorkspaceId>,
    /// The workspace that the call is about by its path, whichever answers it.
    pub about: Option<WorkspaceId>,
    /// Whether it requests an upgrade to a web socket.
    pub is_to_web_socket: bool,
}

impl<'a> RequestHead<'a> {
    /// Reads a head, `max_token_bytes` being the most that a bearer token may have.
    pub fn read(headers: &'a Headers, max_token_bytes: usize) -> Result<Self, RequestError> {
        Self::read_with(headers, max_token_bytes, &NoTokens)
    }

    /// The same, where some tokens were read before, within the same limit: those are not read
    /// again.
    pub fn read_with(
        headers: &'a Headers,
        max_bytes: usize,
        known: &dyn KnownTokens,
    ) -> Result<Self, RequestError> {
        let method = one(headers, Known::METHOD)?.ok_or(RequestError::NoMethod)?;
        let method = std::str::from_utf8(method)
            .ok()
            .filter(|method| {
                // Methods are case-sensitive and all of ours are in capitals; an upstream that
                // folds case would read another one.
                let is_capital = |byte| is_tchar(byte) & !is_within(byte, b'a', b'z');
                !method.is_empty() && bytes::has_only(method.as_bytes(), is_capital)
            })
            .ok_or(RequestError::Method)?;
        let is_to_web_socket = upgrade::is_to_web_socket(headers, method)?;
        let target = one(headers, Known::PATH)?.ok_or(RequestError::NoPath)?;
        let Target { path, query } = Target::parse(target)?;
        if let Some(credential) = query.credential() {
            return Err(RequestError::QueryCredential(credential));
        }
        if !query.selects_at_most() && form::goes_to_token_endpoint(headers) {
            return Err(RequestError::Form(form::FormError::Query));
        }
        let second_tokens = stray::beside(headers, query)?;
        for known in SECOND_CREDENTIALS {
            if headers.spelled(known).0.is_some() {
                return Err(RequestError::SecondCredential(known.name()));
            }
        }
        let authority = read_authority(headers)?;
        let credential = Credential::read(headers, TokenReader { max_bytes, known })?;
        let credential = credential.sent_to(path.as_str());
        let named = workspace::named(headers, &path, query)?;
        Ok(Self {
            method,
            path,
            authority,
            credential,
            cookies: Cookies::of(headers),
            second_tokens,
            selector: named.selector,
            about: named.object,
            is_to_web_socket,
        })
    }
}

/// Reads the trailers of a request: the names that do not go upstream, or why the request goes no
/// further.
pub fn read_trailers(trailers: &Headers) -> Result<Vec<&str>, RequestError> {
    let mut pairs = trailers.pairs();
    if let Some(kind) = pairs.find_map(|(name, value)| secret::in_header(name, value)) {
        return Err(RequestError::StrayCredential(kind));
    }
    let removed = trailers.to_remove_from_trailers();
    let is_removed = |name| removed.iter().any(|removed| removed.as_bytes() == name);
    let mut pairs = trailers.pairs();
    if pairs.any(|(name, value)| stray::in_trailer(name, value) && !is_removed(name)) {
        return Err(RequestError::SecondToken);
    }
    Ok(removed)
}

/// The value of a header that may come once, whichever of `_` and `-` spells it.
fn one(headers: &Headers, known: Known) -> Result<Option<&[u8]>, RequestError> {
    match headers.spelled(known) {
        (_, true) => Err(RequestError::Repeated(known.name())),
        (value, false) => Ok(value),
    }
}

/// The authority, held against a `host` header where a host hands over both.
fn read_authority(headers: &Headers) -> Result<Option<Authority<'_>>, RequestError> {
    let authority = one(headers, Known::AUTHORITY)?
        .map(Authority::parse)
        .transpose()?;
    let host = one(headers, Known::HOST)?
        .map(Authority::parse)
        .transpose()?;
    match (authority, host) {
        (Some(authority), Some(host)) if authority != host => Err(AuthorityError::Conflict.into()),
        (authority, host) => Ok(authority.or(host)),
    }
}

/// `tchar`, RFC 9110 §5.6.2.
#[inline]
fn is_tchar(byte: u8) -> bool {
    is_alphanumeric(byte) | is_one_of(byte, b"!#$%&'*+-.^_`|~")
}

/// Headers by which Databricks takes a second bearer token (Azure's management token, Google's
/// service account token), so that a caller could be one person to us and another to the workspace.
const SECOND_CREDENTIALS: [Known; 2] = [Known::AZURE_MANAGEMENT_TOKEN, Known::GCP_ACCESS_TOKEN];

#[cfg(test)]
mod tests;
