//! The one gate for tokens: wherever one stands, it is admitted here, or refused.
//!
//! What verifies, withdraws and binds a token is the same in every place. A place only says what
//! can be shown beside the token.

use std::rc::Rc;

use crate::denial::Denial;
use crate::issuer::access_token::AccessToken;
use crate::issuer::invalid_token::InvalidToken;
use crate::request::Headers;
use crate::request::credential::Scheme;
use crate::time::UnixTime;
use crate::token::bearer::{BearerError, BearerToken};
use crate::token::jws::{Jws, UnverifiedClaims};

use super::authenticate::authenticate;
use super::verified::Presented;
use super::{Authorizer, AwaitedKeys, Verification};

/// Where a token stands.
#[derive(Clone, Copy)]
pub(super) enum TokenPlace<'a> {
    /// In the form of a token request. Nothing there proves that its sender holds a key.
    Form,
    /// In `Authorization`, in this scheme, beside these headers.
    Header(Scheme, &'a Headers),
}

/// A token that was admitted.
pub(super) enum Admitted {
    /// Of an issuer that is not configured, where such tokens are documented: only the upstream can
    /// verify it.
    Unverified(UnverifiedClaims),
    /// Of a configured issuer, valid and in the right hands.
    Verified(Rc<AccessToken>),
}

/// A token that was refused.
pub(super) struct Rejected {
    pub(super) denial: Denial,
    /// Keys that might change that if they came.
    pub(super) awaited: Option<AwaitedKeys>,
    /// The token, where its signature held.
    pub(super) token: Option<Rc<AccessToken>>,
}

impl Authorizer {
    /// Verifies a token where it stands. Nothing but this makes a token one that the policy is
    /// asked about.
    pub(super) fn verify(
        &self,
        presented: Presented<'_>,
        place: TokenPlace<'_>,
        by: &Verification<'_>,
        now: UnixTime,
    ) -> Result<Rc<AccessToken>, Rejected> {
        let token = authenticate(&self.issuers, by, presented, now).map_err(|error| Rejected {
            awaited: error.awaited(),
            denial: error.into(),
            token: None,
        })?;
        // Here and not where tokens are verified: what was verified before may have been withdrawn
        // since, or somebody else may bear it.
        match self.still_holds(&token, presented.text, place, by, now) {
            Ok(()) => Ok(token),
            Err(denial) => Err(Rejected {
                denial,
                awaited: None,
                token: Some(token),
            }),
        }
    }

    /// Admits a token in a form, where tokens may also be between their sender and the token
    /// endpoint: those of issuers that are not configured, where the endpoint documents that it
    /// takes them.
    pub(super) fn admit(
        &self,
        text: &str,
        is_documented: bool,
        by: &Verification<'_>,
        now: UnixTime,
    ) -> Result<Admitted, Rejected> {
        let bearer =
            BearerToken::parse(text.as_bytes(), self.max_token_bytes).map_err(|error| {
                Rejected::of(match error {
                    BearerError::TooLong(_) => InvalidToken::Oversized.into(),
                    BearerError::Empty | BearerError::IllegalByte(_) => InvalidToken::Issuer.into(),
                })
            })?;
        let jws =
            Jws::parse(&bearer).map_err(|error| Rejected::of(InvalidToken::from(error).into()))?;
        // An unknown issuer may be a configured one to some server.
        let claims = jws
            .unverified()
            .ok_or_else(|| Rejected::of(InvalidToken::Issuer.into()))?;
        if self.trusts(&claims.issuer) {
            let verified = self.verify(bearer.into(), TokenPlace::Form, by, now);
            return verified.map(Admitted::Verified);
        }
        if is_documented {
            Ok(Admitted::Unverified(claims))
        } else {
            Err(Rejected::of(InvalidToken::Issuer.into()))
        }
    }
}

impl Rejected {
    const fn of(denial: Denial) -> Self {
        Self {
            denial,
            awaited: None,
            token: None,
        }
    }
}
