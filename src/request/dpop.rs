//! A DPoP proof beside the request that it came with: RFC 9449 §4.3, points 1, 8 and 9.

use crate::path::escape::octet;
use crate::token::dpop::{Proof, ProofError};

use super::authority::Authority;
use super::known::Known;
use super::{Headers, one};

/// The text of the one proof that a request brings.
pub fn sent(headers: &Headers) -> Result<&[u8], InvalidProof> {
    match one(headers, Known::DPOP) {
        Ok(None) => Err(InvalidProof::Missing),
        // As some servers join two headers.
        Ok(Some(value)) if value.contains(&b',') => Err(InvalidProof::Repeated),
        Ok(Some(value)) => Ok(value),
        Err(_) => Err(InvalidProof::Repeated),
    }
}

/// Holds a proof against the request: its method and its URI, query and fragment left out.
///
/// `is_encrypted` tells whether the client's connection to this very host is TLS.
pub fn check(
    proof: &Proof,
    headers: &Headers,
    is_encrypted: &dyn Fn() -> bool,
) -> Result<(), InvalidProof> {
    let header = |name| headers.first(name).unwrap_or_default();
    if proof.method.as_bytes() != header(":method") {
        return Err(InvalidProof::Method);
    }
    let (scheme, rest) = proof.uri.split_once("://").ok_or(InvalidProof::Uri)?;
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let rest = rest.split_at_checked(end).map_or(rest, |(rest, _)| rest);
    let (authority, path) = rest
        .split_at_checked(rest.find('/').unwrap_or(rest.len()))
        .unwrap_or((rest, ""));
    let default_port: &[u8] = if scheme.eq_ignore_ascii_case("https") {
        b"443"
    } else if scheme.eq_ignore_ascii_case("http") && came_in_clear(headers, is_encrypted) {
        b"80"
    } else {
        return Err(InvalidProof::Uri);
    };
    let own = headers
        .first(":authority")
        .unwrap_or_else(|| header("host"));
    let target = header(":path").split(|&byte| byte == b'?').next();
    // RFC 3986 §6.2.3.
    let path = if path.is_empty() { "/" } else { path };
    let same = same_authority(authority.as_bytes(), own, default_port)
        && normalised(path.as_bytes()).eq(normalised(target.unwrap_or_default()));
    if same { Ok(()) } else { Err(InvalidProof::Uri) }
}

/// Why a proof does not show that whoever sends the request holds the key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InvalidProof {
    /// It is for another access token.
    AnotherToken,
    /// It is dead, or too old to tell whether it was seen before.
    Expired,
    /// It was made at a time that is still to come.
    InFuture,
    /// It is for another method.
    Method,
    /// There is none.
    Missing,
    /// There are several.
    Repeated,
    /// It was seen before.
    Replayed,
    /// It is no proof by the token's key.
    Invalid(ProofError),
    /// It is for another URI.
    Uri,
}

impl InvalidProof {
    /// The stable name of this reason in audit records.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AnotherToken => "dpop_proof_for_another_token",
            Self::Expired => "dpop_proof_expired",
            Self::InFuture => "dpop_proof_issued_in_future",
            Self::Method => "dpop_proof_for_another_method",
            Self::Missing => "dpop_proof_missing",
            Self::Repeated => "dpop_proof_repeated",
            Self::Replayed => "dpop_proof_replayed",
            Self::Invalid(error) => error.code(),
            Self::Uri => "dpop_proof_for_another_uri",
        }
    }
}

impl From<ProofError> for InvalidProof {
    fn from(error: ProofError) -> Self {
        Self::Invalid(error)
    }
}

/// Whether nothing says that the client used TLS. What it sent in the clear somebody may have read,
/// and must not take where it is taken for secret. A header that says so proves nothing, so each of
/// the three can only say no.
fn came_in_clear(headers: &Headers, is_encrypted: &dyn Fn() -> bool) -> bool {
    let mut said = headers
        .all(":scheme")
        .chain(headers.all("x-forwarded-proto"));
    said.all(|scheme| scheme == b"http") && !is_encrypted()
}

fn same_authority(one: &[u8], other: &[u8], default_port: &[u8]) -> bool {
    match (Authority::parse(one), Authority::parse(other)) {
        (Ok(host), Ok(other_host)) => {
            host == other_host && port(one, default_port) == port(other, default_port)
        }
        (Ok(_) | Err(_), _) => false,
    }
}

/// The digits of an authority's port. What stands behind the last colon of an address in brackets
/// has none alone.
fn port<'a>(authority: &'a [u8], default: &'a [u8]) -> &'a [u8] {
    let mut parts = authority.rsplit(|&byte| byte == b':');
    match (parts.next(), parts.next()) {
        (Some(port), Some(_)) if !port.is_empty() && port.iter().all(u8::is_ascii_digit) => port,
        (Some(_) | None, _) => default,
    }
}

/// The bytes of a path, those that stand escaped past all others. RFC 3986 §6.2.2: the case of an
/// escape's digits means nothing, and an unreserved character is the same with and without one.
fn normalised(path: &[u8]) -> impl Iterator<Item = u16> {
    let mut rest = path;
    std::iter::from_fn(move || {
        let (&first, behind) = rest.split_first()?;
        if first == b'%'
            && let Some((byte, after)) = octet(behind)
        {
            rest = after;
            let unreserved =
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
            return Some(u16::from(byte) | if unreserved { 0 } else { ESCAPED });
        }
        rest = behind;
        Some(u16::from(first))
    })
}

const ESCAPED: u16 = 0x100;

#[cfg(test)]
mod tests;
