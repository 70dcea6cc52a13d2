//! From a bearer token to an access token: which keys to try, whose they are, and what it means when there are none.

use crate::denial::Denial;
use crate::issuer::Issuer;
use crate::issuer::access_token::AccessToken;
use crate::issuer::invalid_token::InvalidToken;
use crate::key_store::{IssuerIndex, KeyStore};
use crate::time::UnixTime;
use crate::token::bearer::BearerToken;
use crate::token::claims::Claims;
use crate::token::jwk::Jwk;
use crate::token::jws::{Jws, SignedPayload};
use crate::token::signature::{SignatureError, Verifier};

use super::Awaited;

/// Why a bearer token proves nothing.
pub(super) enum Unauthenticated {
    /// It is not sound.
    Invalid(InvalidToken),
    /// It may become sound with keys that can be had; until then it is refused for this reason.
    Unknown(InvalidToken, IssuerIndex),
    /// It cannot be judged: its issuer's keys are not there.
    NoKeys(IssuerIndex),
}

impl Unauthenticated {
    pub(super) const fn awaited(&self) -> Option<Awaited> {
        match self {
            Self::Invalid(_) => None,
            Self::Unknown(_, issuer) => Some(Awaited::Newer(*issuer)),
            Self::NoKeys(issuer) => Some(Awaited::First(*issuer)),
        }
    }
}

impl From<Unauthenticated> for Denial {
    fn from(unauthenticated: Unauthenticated) -> Self {
        match unauthenticated {
            Unauthenticated::Invalid(reason) | Unauthenticated::Unknown(reason, _) => reason.into(),
            Unauthenticated::NoKeys(_) => Self::KeysUnavailable,
        }
    }
}

impl<E: Into<InvalidToken>> From<E> for Unauthenticated {
    fn from(error: E) -> Self {
        Self::Invalid(error.into())
    }
}

/// Verifies the token's signature with the keys of every issuer that could have made it, and validates it as that issuer's.
///
/// No claim is read before a signature holds. Which issuer's it is then follows from the key and `iss` together: two issuers may well
/// have one key (Entra's tenants do), but a key never speaks for an issuer that did not publish it.
pub(super) fn authenticate(
    issuers: &[Issuer],
    keys: &KeyStore,
    verifier: &dyn Verifier,
    token: BearerToken<'_>,
    now: UnixTime,
) -> Result<AccessToken, Unauthenticated> {
    let jws = Jws::parse(&token).map_err(InvalidToken::from)?;
    let candidates = candidates(issuers, keys, &jws, now);
    let (payload, signer) = match verify(&jws, verifier, &candidates) {
        Ok(found) => found,
        Err(error) => return Err(without_key(issuers, keys, &jws, &candidates, error, now)),
    };
    let claims = Claims::parse(payload).map_err(InvalidToken::from)?;
    let signed_for = candidates
        .iter()
        .filter(|candidate| candidate.key.thumbprint() == signer.thumbprint())
        .find(|candidate| *candidate.issuer.identifier == *claims.issuer())
        .ok_or(InvalidToken::Issuer)?;
    let access_token = signed_for.issuer.validate(jws.token_type(), &claims, now)?;
    // The key's own name first: a token need not say by which key it was signed.
    Ok(access_token.signed_by(signed_for.key.key_id().or(jws.key_id())))
}

/// A key that may have signed the token, and whose it is.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    issuer: &'a Issuer,
    key: &'a Jwk,
}

/// The keys that may have signed the token. Where they are several, those of the issuer that it names come first, since many a server
/// calls its key `1`; that is a matter of order only.
fn candidates<'a>(
    issuers: &'a [Issuer],
    keys: &'a KeyStore,
    jws: &'a Jws<'_>,
    now: UnixTime,
) -> Vec<Candidate<'a>> {
    let mut candidates: Vec<Candidate<'a>> = issuers
        .iter()
        .enumerate()
        .filter(|(_, issuer)| issuer.algorithms.contains(jws.algorithm()))
        .filter_map(|(index, issuer)| Some((issuer, keys.keys(IssuerIndex(index), now)?)))
        .flat_map(|(issuer, set)| {
            set.candidates(jws.key_id(), jws.algorithm())
                .map(move |key| Candidate { issuer, key })
        })
        .collect();
    let differ = |pair: &[Candidate<'_>]| matches!(pair, [one, other] if one.key.thumbprint() != other.key.thumbprint());
    if candidates.windows(2).any(differ)
        && issuers.len() > 1
        && let Some(hint) = jws.issuer_hint()
    {
        candidates.sort_by_key(|candidate| *candidate.issuer.identifier != *hint.issuer);
    }
    candidates
}

/// Tries the candidates, each key once, and not many of them.
fn verify<'a>(
    jws: &Jws<'_>,
    verifier: &dyn Verifier,
    candidates: &[Candidate<'a>],
) -> Result<(SignedPayload, &'a Jwk), Option<SignatureError>> {
    let mut tried: Vec<&Jwk> = Vec::new();
    let mut failure = None;
    for candidate in candidates {
        if tried
            .iter()
            .any(|key| key.thumbprint() == candidate.key.thumbprint())
        {
            continue;
        }
        if tried.len() == MAX_SIGNATURE_CHECKS {
            break;
        }
        match jws.verify(candidate.key, verifier) {
            Ok(payload) => return Ok((payload, candidate.key)),
            Err(error) => failure = Some(error),
        }
        tried.push(candidate.key);
    }
    Err(failure)
}

/// What it means that no key verified the token: `failure` is what the last one said, absent where there was none.
///
/// Here alone an unverified claim is looked at, to tell a forged token from one whose issuer's keys are not there yet. It can turn a 401
/// into a 503 or a wait, and never anything into a yes.
fn without_key(
    issuers: &[Issuer],
    keys: &KeyStore,
    jws: &Jws<'_>,
    candidates: &[Candidate<'_>],
    failure: Option<SignatureError>,
    now: UnixTime,
) -> Unauthenticated {
    let reason = failure.map_or(InvalidToken::UnknownKey, InvalidToken::Signature);
    let hint = jws.issuer_hint();
    let position = hint.as_ref().and_then(|hint| {
        issuers
            .iter()
            .position(|issuer| *issuer.identifier == *hint.issuer)
    });
    let (Some(hint), Some(position)) = (hint, position) else {
        return if failure.is_none() {
            InvalidToken::Issuer.into()
        } else {
            reason.into()
        };
    };
    let index = IssuerIndex(position);
    let Some(issuer) = issuers.get(position) else {
        return reason.into();
    };
    if !issuer.algorithms.contains(jws.algorithm()) {
        return InvalidToken::Algorithm.into();
    }
    // A token that is dead already is worth no fetch.
    let dead = hint
        .expires_at
        .is_none_or(|expires_at| now >= expires_at.after(issuer.clock_skew));
    if dead {
        return reason.into();
    }
    if keys.keys(index, now).is_none() {
        return Unauthenticated::NoKeys(index);
    }
    // The issuer's key of the token's own ID was tried, so no other will come under it.
    let named = candidates.iter().any(|candidate| {
        std::ptr::eq(candidate.issuer, issuer)
            && jws.key_id().is_some()
            && candidate.key.key_id() == jws.key_id()
    });
    if named {
        return reason.into();
    }
    Unauthenticated::Unknown(reason, index)
}

/// Signature checks that one request may cost: a caller who leaves out `kid` chooses how many keys are tried, and one check of RS256 in
/// wasm takes a millisecond.
const MAX_SIGNATURE_CHECKS: usize = 4;
