//! Tokens beside the credential of a request: in another header, in the query, in a trailer.
//!
//! A gateway that judged one token while the workspace took another would be none. So what calls
//! itself a bearer token anywhere but in `Authorization` refuses the request, and so does a JWT of
//! a configured issuer, be it in the midst of a text. JWTs of others pass: load balancers and
//! sign-in proxies assert in them who is calling ([`ASSERTIONS`]), and nothing behind this gateway
//! takes them for a token of an issuer that it trusts. Headers that no request keeps
//! ([`Headers::is_removed`]) may hold what they like, and so may cookies: their tokens stay behind
//! ([`Cookies`](super::cookies::Cookies)).

use crate::bytes;
use crate::token::json::Json;

use super::cookies::COOKIE;
use super::name::same_name;
use super::target::Query;
use super::{Headers, RequestError, secret};

/// Whose JWTs stand beside the credential of a request, each by its `iss`, which nobody verified.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct SecondTokens {
    /// Those that belong nowhere.
    pub anywhere: Vec<Box<str>>,
    /// Those in a parameter of sign-in pages.
    pub signing_in: Vec<Box<str>>,
}

/// Looks for what stands beside `Authorization` in a head.
pub(super) fn beside(headers: &Headers, query: Query<'_>) -> Result<SecondTokens, RequestError> {
    let mut issuers = Vec::new();
    let mut refusal = None;
    for (name, value) in of_others(headers) {
        // One look at each value: nearly none is worth a closer one.
        let may_hold_token = secret::may_stand_in(name, value);
        if may_hold_token && let Some(kind) = secret::in_header(name, value) {
            // What has leaked goes before any other refusal, since its record says so.
            return Err(RequestError::StrayCredential(kind));
        }
        if is_bearer(name, value) && !Headers::is_removed(name) {
            refusal = Some(RequestError::SecondToken);
        } else if may_hold_token && !holds_assertions(name) && !Headers::is_removed(name) {
            refusal = refusal.or(in_value(name, value, &mut issuers).err());
        }
    }
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    let mut found = SecondTokens {
        anywhere: issuers,
        signing_in: Vec::new(),
    };
    for (name, value, signs_in) in query.decoded() {
        let issuers = if signs_in {
            &mut found.signing_in
        } else {
            &mut found.anywhere
        };
        in_text(&name, issuers);
        in_text(&value, issuers);
    }
    Ok(found)
}

/// Whose JWTs stand in a text, each by its `iss`, which nobody verified.
pub(super) fn issuers_in(text: &str) -> Vec<Box<str>> {
    let mut issuers = Vec::new();
    in_text(text, &mut issuers);
    issuers
}

/// Whether a trailer, by a name that reaches the upstream, holds a token of any issuer's: nobody
/// sends one there for an honest reason.
pub(super) fn in_trailer(name: &[u8], value: &[u8]) -> bool {
    let mut issuers = Vec::new();
    is_bearer(name, value)
        || (secret::may_stand_in(name, value)
            && (in_value(name, value, &mut issuers).is_err() || !issuers.is_empty()))
}

/// The headers that have no rules of their own, as path and credential do.
fn of_others(headers: &Headers) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers
        .pairs()
        .filter(|(name, _)| !name.starts_with(b":") && !same_name(name, "authorization"))
}

/// Whether a header is one for credentials by its name, or by the scheme before its value (RFC 6750
/// §2.1).
fn is_bearer(name: &[u8], value: &[u8]) -> bool {
    let named = || {
        let start = name.len().checked_sub(AUTHORIZATION.len());
        let end = start.and_then(|start| name.get(start..));
        end.is_some_and(|end| same_name(end, AUTHORIZATION))
    };
    let is_last = |byte: &u8| byte.eq_ignore_ascii_case(&b'n');
    is_announced(value) || (name.last().is_some_and(is_last) && named())
}

/// Whether a text is a bearer token behind its scheme.
fn is_announced(text: &[u8]) -> bool {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some((scheme, rest)) = text.trim_ascii_start().split_at_checked(BEARER.len()) else {
        return false;
    };
    scheme.eq_ignore_ascii_case(BEARER)
        && rest.first().is_some_and(is_space)
        && !rest.trim_ascii().is_empty()
}

/// The issuers of the JWTs in a header; of binary metadata, which is base64 on the wire, in what
/// that stands for.
#[inline(never)]
fn in_value(name: &[u8], value: &[u8], issuers: &mut Vec<Box<str>>) -> Result<(), RequestError> {
    in_text(&String::from_utf8_lossy(value), issuers);
    if !name.ends_with(BINARY) {
        return Ok(());
    }
    let parts = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    for decoded in parts.filter_map(secret::base64) {
        if is_announced(&decoded) {
            return Err(RequestError::SecondToken);
        }
        in_text(&String::from_utf8_lossy(&decoded), issuers);
    }
    Ok(())
}

/// The issuers of the JWTs that stand anywhere in a text, in whichever spelling of base64: by each
/// payload that a JOSE header stands before and a signature behind. The work is linear in the
/// length of the text.
#[inline(never)]
fn in_text(text: &str, issuers: &mut Vec<Box<str>>) {
    if text.len() < secret::SHORTEST_TOKEN
        || !bytes::has_triple(text.as_bytes(), secret::begins_jwt)
    {
        return;
    }
    for run in text.split(|letter: char| !secret::is_jwt_letter(letter)) {
        let segments: Vec<&str> = run.split('.').collect();
        for triple in segments.array_windows::<3>() {
            let [header, payload, _] = triple;
            if secret::ends_in_header(header.as_bytes())
                && let Some(issuer) = issuer(payload)
            {
                issuers.push(issuer);
            }
        }
    }
}

fn issuer(payload: &str) -> Option<Box<str>> {
    let payload = secret::base64(payload.as_bytes())?;
    let claims = Json::parse(&payload).ok()?;
    claims.get("iss")?.as_str().map(Into::into)
}

/// Whether a header is one in which a proxy before this gateway asserts, in a JWT that it signed
/// itself, who is calling: AWS' load balancers, Google's Identity-Aware Proxy, Cloudflare Access.
/// AWS names the identity provider as issuer. Whoever reads such a header has to verify it by the
/// proxy's own key, with which no access token is signed.
fn holds_assertions(name: &[u8]) -> bool {
    ASSERTIONS.iter().any(|known| same_name(name, known))
}

const ASSERTIONS: [&str; 4] = [
    "cf-access-jwt-assertion",
    // Their tokens never go upstream.
    COOKIE,
    "x-amzn-oidc-data",
    "x-goog-iap-jwt-assertion",
];

const AUTHORIZATION: &str = "authorization";

const BEARER: &[u8] = b"bearer";

/// How the names of gRPC's binary metadata end.
const BINARY: &[u8] = b"-bin";

#[cfg(test)]
mod tests;
