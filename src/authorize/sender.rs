//! Whether a valid token is in the hands that it was given into: RFC 8705 §3 and RFC 9449 §7.

use crate::denial::Denial;
use crate::issuer::access_token::AccessToken;
use crate::issuer::invalid_token::InvalidToken;
use crate::request::Headers;
use crate::request::credential::Scheme;
use crate::request::dpop::{self, InvalidProof};
use crate::time::UnixTime;
use crate::token::bearer::BearerToken;
use crate::token::dpop::Proof;
use crate::token::jwk::Thumbprint;

use super::Verification;
use super::gate::TokenPlace;
use super::replay::{MAX_AGE, MAX_AHEAD};

/// Refuses a token that is bound to something which the request does not show, all of it.
///
/// A proof beside a plain bearer token is not looked at: it would add nothing to a token that
/// anybody may bear.
pub(super) fn check(
    token: &AccessToken,
    bearer: BearerToken<'_>,
    place: TokenPlace<'_>,
    by: &Verification<'_>,
    now: UnixTime,
) -> Result<(), Denial> {
    let TokenPlace::Header(scheme, headers) = place else {
        // Whoever gets such a form could exchange the token for one that is bound to nothing.
        return match (token.certificate, token.key) {
            (None, None) => Ok(()),
            _ => Err(InvalidToken::SenderConstrained.into()),
        };
    };
    if token.certificate.is_some() && token.certificate != (by.certificate)() {
        return Err(InvalidToken::SenderConstrained.into());
    }
    match (token.key, scheme) {
        (None, Scheme::Bearer) => Ok(()),
        (Some(_), Scheme::Bearer) => Err(InvalidToken::SenderConstrained.into()),
        // RFC 9449 §7.1: under this scheme a token is bound, or it is none.
        (None, Scheme::Dpop) => Err(InvalidToken::Unbound.into()),
        (Some(key), Scheme::Dpop) => proven(token, key, (bearer, headers), by, now),
    }
}

/// Verifies the proof, each time anew: it is for one request.
fn proven(
    token: &AccessToken,
    key: Thumbprint,
    (bearer, headers): (BearerToken<'_>, &Headers),
    by: &Verification<'_>,
    now: UnixTime,
) -> Result<(), Denial> {
    let text = dpop::sent(headers)?;
    let proof = Proof::verify(text, key, by.verifier).map_err(InvalidProof::from)?;
    dpop::check(&proof, headers, by.encrypted)?;
    // RFC 9449 §4.2: of the token as it was sent, in this very spelling.
    if proof.token != token.prints(bearer).sent {
        return Err(InvalidProof::AnotherToken.into());
    }
    let dead = |moment| now >= moment;
    if now > proof.issued_at.after(MAX_AGE) || proof.expires_at.is_some_and(dead) {
        return Err(InvalidProof::Expired.into());
    }
    if proof.issued_at > now.after(MAX_AHEAD) {
        return Err(InvalidProof::InFuture.into());
    }
    // Last, so that nothing but a good proof takes up room.
    match by.replays {
        Some(replays) => replays.take(&proof, key, now),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
