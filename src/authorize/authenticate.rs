//! From a bearer token to an access token: which keys to try, whose they are, and what it means
//! when there are none.

use std::rc::Rc;

use crate::denial::Denial;
use crate::issuer::access_token::AccessToken;
use crate::issuer::invalid_token::InvalidToken;
use crate::issuer::{Issuer, IssuerIndex};
use crate::key_store::KeyStore;
use crate::time::UnixTime;
use crate::token::bearer::BearerToken;
use crate::token::claims::{Claims, Times};
use crate::token::jwk::{Jwk, Thumbprint};
use crate::token::jws::{Jws, SignedPayload};
use crate::token::signature::{SignatureError, Verifier};

use super::verified::{Fact, Presented, Recall, VerifiedProof};
use super::{AwaitedKeys, Verification};

/// Why a bearer token proves nothing.
pub(super) enum Unauthenticated {
    /// It is not valid.
    Invalid(InvalidToken),
    /// It may become valid with keys that can be had; until then it is refused for this reason.
    Unknown(InvalidToken, IssuerIndex),
    /// It cannot be judged: its issuer's keys are not there.
    NoKeys(IssuerIndex),
    /// It cannot be judged: it names a key that is not among its issuer's, and those could not be
    /// refreshed of late.
    OldKeys(IssuerIndex),
}

impl Unauthenticated {
    pub(super) const fn awaited(&self) -> Option<AwaitedKeys> {
        match self {
            Self::Invalid(_) => None,
            Self::OldKeys(issuer) | Self::Unknown(_, issuer) => Some(AwaitedKeys::Newer(*issuer)),
            Self::NoKeys(issuer) => Some(AwaitedKeys::First(*issuer)),
        }
    }
}

impl From<Unauthenticated> for Denial {
    fn from(unauthenticated: Unauthenticated) -> Self {
        match unauthenticated {
            Unauthenticated::Invalid(reason) | Unauthenticated::Unknown(reason, _) => reason.into(),
            Unauthenticated::NoKeys(_) | Unauthenticated::OldKeys(_) => Self::KeysUnavailable,
        }
    }
}

impl<E: Into<InvalidToken>> From<E> for Unauthenticated {
    fn from(error: E) -> Self {
        Self::Invalid(error.into())
    }
}

/// Verifies the token's signature with the keys of every issuer that could have made it, and
/// validates it as that issuer's.
///
/// No claim is read before a signature holds. Which issuer's it is then follows from the key and
/// `iss` together: two issuers may well have one key (Entra's tenants do), but a key never speaks
/// for an issuer that did not publish it.
///
/// A token that was verified before is not verified again; the answer is the same.
pub(super) fn authenticate(
    issuers: &[Issuer],
    by: &Verification<'_>,
    presented: Presented<'_>,
    now: UnixTime,
) -> Result<Rc<AccessToken>, Unauthenticated> {
    let token = presented.text;
    let Some(verified) = by.verified else {
        let (_, validated) = verify_and_validate(issuers, by, token, now)?;
        return Ok(validated.map(Rc::new)?);
    };
    let recalled = verified.borrow_mut().recall(presented, |proof| {
        recall(issuers, by.keys, token, proof, now)
    });
    if let Some(answer) = recalled {
        return Ok(answer?);
    }
    let (signature, validated) = verify_and_validate(issuers, by, token, now)?;
    let validated = validated.map(Rc::new);
    let times = signature.times;
    let is_untimely = |issuer: &Issuer| issuer.check_times(times, now).is_err();
    let proof = VerifiedProof {
        issuer: signature.issuer,
        key: signature.key,
        generation: by.keys.generation(signature.issuer),
        fact: match &validated {
            Ok(token) => Fact::Valid(Rc::clone(token)),
            Err(_) if issuers.get(signature.issuer.0).is_some_and(is_untimely) => {
                Fact::Untimely(times)
            }
            Err(reason) => Fact::Refused(times, reason.clone()),
        },
    };
    verified.borrow_mut().remember(token, proof);
    Ok(validated?)
}

/// Whether what a token turned out to be still stands: by the issuer's keys of today, and by the
/// clock.
fn recall(
    issuers: &[Issuer],
    keys: &KeyStore,
    token: BearerToken<'_>,
    proof: &mut VerifiedProof,
    now: UnixTime,
) -> Recall<Result<Rc<AccessToken>, InvalidToken>> {
    let (Some(issuer), Some(set)) = (issuers.get(proof.issuer.0), keys.keys(proof.issuer, now))
    else {
        return Recall::Unsure;
    };
    let generation = keys.generation(proof.issuer);
    if proof.generation != generation {
        // The keys have changed since, though perhaps not the one that signed this.
        let Ok(jws) = Jws::parse(&token) else {
            return Recall::Gone;
        };
        let signer = set
            .candidates(jws.key_id(), jws.algorithm())
            .find(|key| key.thumbprint() == proof.key);
        if !signer.is_some_and(|key| proof.fact.is_under(name_of(key, &jws))) {
            return Recall::Gone;
        }
        proof.generation = generation;
    }
    if let Err(reason) = issuer.check_times(proof.fact.times(), now) {
        return Recall::Holds(Err(reason));
    }
    match &proof.fact {
        Fact::Refused(_, reason) => Recall::Holds(Err(reason.clone())),
        Fact::Valid(token) => Recall::Holds(Ok(Rc::clone(token))),
        // Its time has come, so what else is wrong with the token counts.
        Fact::Untimely(_) => Recall::Unsure,
    }
}

/// Under what a token's signature holds.
struct Signature {
    issuer: IssuerIndex,
    key: Thumbprint,
    times: Times,
}

/// The long way: signature, claims, and whether they are what the issuer's must be.
fn verify_and_validate(
    issuers: &[Issuer],
    by: &Verification<'_>,
    token: BearerToken<'_>,
    now: UnixTime,
) -> Result<(Signature, Result<AccessToken, InvalidToken>), Unauthenticated> {
    let keys = by.keys;
    let jws = Jws::parse(&token).map_err(InvalidToken::from)?;
    let candidates = candidates(issuers, keys, &jws, now);
    let (payload, signer) = match verify(&jws, by.verifier, &candidates) {
        Ok(found) => found,
        Err(error) => return Err(without_key(issuers, keys, &jws, &candidates, error, now)),
    };
    let claims = Claims::parse(payload).map_err(InvalidToken::from)?;
    let signed_for = candidates
        .iter()
        .filter(|candidate| candidate.key.thumbprint() == signer.thumbprint())
        .find(|candidate| *candidate.issuer.identifier == *claims.issuer())
        .ok_or(InvalidToken::Issuer)?;
    let signature = Signature {
        issuer: signed_for.index,
        key: signer.thumbprint(),
        times: claims.times(),
    };
    let validated = signed_for.issuer.validate(jws.token_type(), &claims, now);
    let key_id = name_of(signed_for.key, &jws);
    Ok((signature, validated.map(|token| token.signed_by(key_id))))
}

/// The name under which a key signed: its own first, since a token need not say by which key it was
/// signed.
fn name_of<'a>(key: &'a Jwk, jws: &'a Jws<'_>) -> Option<&'a str> {
    key.key_id().or(jws.key_id())
}

/// A key that may have signed the token, and whose it is.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    index: IssuerIndex,
    issuer: &'a Issuer,
    key: &'a Jwk,
}

/// The keys that may have signed the token. Where they are several, those of the issuer that it
/// names come first, since many a server calls its key `1`; that is a matter of order only.
fn candidates<'a>(
    issuers: &'a [Issuer],
    keys: &'a KeyStore,
    jws: &'a Jws<'_>,
    now: UnixTime,
) -> Vec<Candidate<'a>> {
    let candidates: Vec<Candidate<'a>> = issuers
        .iter()
        .enumerate()
        .filter(|(_, issuer)| issuer.algorithms.contains(jws.algorithm()))
        .filter_map(|(index, issuer)| {
            let index = IssuerIndex(index);
            Some((index, issuer, keys.keys(index, now)?))
        })
        .flat_map(|(index, issuer, set)| {
            set.candidates(jws.key_id(), jws.algorithm())
                .map(move |key| Candidate { index, issuer, key })
        })
        .collect();
    let differ = |pair: &[Candidate<'_>]| matches!(pair, [one, other] if one.key.thumbprint() != other.key.thumbprint());
    if candidates.windows(2).any(differ)
        && issuers.len() > 1
        && let Some(hint) = jws.issuer_hint()
    {
        let named = |candidate: &Candidate<'_>| *candidate.issuer.identifier == *hint.issuer;
        let (mut ordered, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(named);
        ordered.extend(others);
        return ordered;
    }
    candidates
}

/// Tries the candidates, each key once, and not many of them.
fn verify<'a>(
    jws: &'a Jws<'_>,
    verifier: &dyn Verifier,
    candidates: &[Candidate<'a>],
) -> Result<(SignedPayload<'a>, &'a Jwk), Option<SignatureError>> {
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

/// What it means that no key verified the token: `failure` is what the last one said, absent where
/// there was none.
///
/// Here alone an unverified claim is looked at, to tell a forged token from one whose issuer's keys
/// are not there yet. It can turn a 401 into a 503, a wait or another 401, and never anything into
/// a yes.
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
    let is_expired = hint
        .expires_at
        .map(|expires_at| issuer.is_expired(expires_at, now));
    match (keys.keys(index, now), is_expired) {
        (Some(_), Some(false)) => {}
        (None, Some(false)) => return Unauthenticated::NoKeys(index),
        // Whoever has signed it, a new token is what its bearer needs.
        (None, Some(true)) => return InvalidToken::Expired.into(),
        (Some(_), Some(true)) | (_, None) => return reason.into(),
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
    if keys.is_failing(index) {
        return Unauthenticated::OldKeys(index);
    }
    Unauthenticated::Unknown(reason, index)
}

/// Signature checks that one request may cost: a caller who leaves out `kid` chooses how many keys
/// are tried, and one check of RS256 in wasm takes a millisecond.
const MAX_SIGNATURE_CHECKS: usize = 4;
