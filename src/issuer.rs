//! What one issuer's tokens must satisfy, once their signature holds.
//!
//! An [`Issuer`] turns [`Claims`] into an [`AccessToken`], which nothing else can make: so whoever
//! holds one knows that issuer, audience, times, type and client were checked (RFC 7519 §4.1, RFC
//! 8725 §3.8–3.12, RFC 9068 §4). How each identity provider spells its claims is [`preset`]'s
//! business, where its keys are [`key_store`](crate::key_store)'s.

pub mod access_token;
pub mod dialect;
pub mod invalid_token;
pub mod issued_for;
pub mod preset;

use std::rc::Rc;
use std::time::Duration;

use crate::by_name::ByName;
use crate::time::UnixTime;
use crate::token::algorithm::AlgorithmSet;
use crate::token::claims::{Claims, Times};
use crate::token::jws::is_same_media_type;
use crate::token::scope::Scope;

use access_token::AccessToken;
use dialect::Dialect;
use invalid_token::InvalidToken;

/// The place of an issuer in the configuration, which is also that of its keys in the store.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IssuerIndex(pub usize);

/// One configured issuer.
pub struct Issuer {
    /// The exact `iss`.
    pub identifier: Rc<str>,
    /// The signature algorithms it may use.
    pub algorithms: AlgorithmSet,
    /// Any of these must stand in `aud`.
    pub audiences: Vec<Box<str>>,
    /// The clients whose tokens are taken; any, when empty.
    pub clients: Vec<Box<str>>,
    /// How far its clock and ours may be apart.
    pub clock_skew: Duration,
    /// The longest time from `iat` to `exp`; any, when absent.
    pub max_token_lifetime: Option<Duration>,
    /// The `typ` its tokens must have, media type prefix left out; any that an access token has,
    /// when absent.
    pub token_type: Option<Box<str>>,
    /// How it spells its claims.
    pub dialect: Dialect,
    /// How its scopes are read.
    pub scopes: ScopeReading,
    /// The claims that its tokens keep for roles to match; the rest is read once and forgotten.
    pub kept_claims: Vec<Box<str>>,
}

/// From where an issuer's scopes come, and in what spelling.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScopeReading {
    /// The issuer grants no scopes of its own: the roles alone grant.
    pub from_roles: bool,
    /// Removed from each scope; a scope without it is none of ours.
    pub prefix: Option<Box<str>>,
    /// What a scope of the issuer's stands for.
    pub aliases: ByName<Vec<Scope>>,
}

impl Issuer {
    /// Validates verified claims, `token_type` being the `typ` of their JOSE header.
    pub fn validate(
        &self,
        token_type: Option<&str>,
        claims: &Claims,
        now: UnixTime,
    ) -> Result<AccessToken, InvalidToken> {
        if claims.issuer() != &*self.identifier {
            return Err(InvalidToken::Issuer);
        }
        // First, so that every other reason stands for as long as the token is in its time.
        self.check_times(claims.times(), now)?;
        self.check_type(token_type)?;
        let is_typed = token_type.is_some_and(|found| is_same_media_type(found, ACCESS_TOKEN));
        self.dialect.check_access_token(is_typed, claims)?;
        let client = self.dialect.client(claims)?;
        self.check_audience(claims, client.as_deref())?;
        self.check_client(client.as_deref())?;
        self.dialect.check_required(claims, client.as_deref())?;
        AccessToken::read(self, claims, client)
    }

    /// RFC 8725 §3.11, RFC 9068 §2.1: the header's `typ`, a media type whose `application/` may be
    /// left out, in any case.
    fn check_type(&self, token_type: Option<&str>) -> Result<(), InvalidToken> {
        let holds = match (token_type, &self.token_type) {
            (Some(found), Some(wanted)) => is_same_media_type(found, wanted),
            (None, Some(_)) => false,
            (Some(found), None) => {
                is_same_media_type(found, ACCESS_TOKEN) || is_same_media_type(found, PLAIN)
            }
            (None, None) => true,
        };
        if holds {
            Ok(())
        } else {
            Err(InvalidToken::TokenType)
        }
    }

    /// Whether a token of these times is in its time: the one judgement of a valid token that time
    /// can change.
    pub fn check_times(&self, times: Times, now: UnixTime) -> Result<(), InvalidToken> {
        if self.is_expired(times.expires_at, now) {
            return Err(InvalidToken::Expired);
        }
        let latest = now.after(self.clock_skew);
        if times
            .not_before
            .is_some_and(|not_before| latest < not_before)
        {
            return Err(InvalidToken::NotYetValid);
        }
        if times.issued_at.is_some_and(|issued_at| latest < issued_at) {
            return Err(InvalidToken::IssuedInFuture);
        }
        let Some(longest) = self.max_token_lifetime else {
            return Ok(());
        };
        let issued_at = times.issued_at.ok_or(InvalidToken::MissingClaim("iat"))?;
        if times.expires_at.since(issued_at) > longest {
            return Err(InvalidToken::Lifetime);
        }
        Ok(())
    }

    /// RFC 7519 §4.1.4: on or after `exp` the token is dead, so equality refuses.
    pub fn is_expired(&self, expires_at: UnixTime, now: UnixTime) -> bool {
        now >= expires_at.after(self.clock_skew)
    }

    fn check_audience(&self, claims: &Claims, client: Option<&str>) -> Result<(), InvalidToken> {
        let found = claims.audiences();
        let ours = |name: &str| self.audiences.iter().any(|audience| &**audience == name);
        if found.is_empty() && self.dialect.audience_is_client {
            // The client stands in for the audience, so it must be one that was named.
            let named = client.is_some_and(|client| {
                ours(client) || self.clients.iter().any(|known| &**known == client)
            });
            return if named {
                Ok(())
            } else {
                Err(InvalidToken::Audience)
            };
        }
        if found.iter().any(|audience| ours(audience)) {
            Ok(())
        } else {
            Err(InvalidToken::Audience)
        }
    }

    fn check_client(&self, client: Option<&str>) -> Result<(), InvalidToken> {
        let allowed = self.clients.is_empty()
            || client.is_some_and(|client| self.clients.iter().any(|known| &**known == client));
        if allowed {
            Ok(())
        } else {
            Err(InvalidToken::Client)
        }
    }
}

impl ScopeReading {
    /// What one scope of the issuer's means here: nothing, itself, or what it stands for.
    pub fn read(&self, scope: Scope, into: &mut Vec<Scope>) {
        if let Some(meaning) = self.aliases.get(scope.as_str()) {
            into.extend(meaning.iter().cloned());
            return;
        }
        let Some(prefix) = &self.prefix else {
            into.push(scope);
            return;
        };
        let Some(bare) = scope.as_str().strip_prefix(&**prefix) else {
            return;
        };
        match self.aliases.get(bare) {
            Some(meaning) => into.extend(meaning.iter().cloned()),
            None => into.extend(Scope::parse(bare)),
        }
    }
}

impl ScopeReading {
    /// How a scope of ours is requested from the issuer: the way back from [`Self::read`], and the
    /// one place that spells scopes outward.
    ///
    /// By the alias that stands for the least besides it, else with the prefix. `None` where the
    /// issuer grants no scopes.
    pub fn spell(&self, scope: &str) -> Option<String> {
        if self.from_roles {
            return None;
        }
        let named = self
            .aliases
            .iter()
            .filter(|(_, meaning)| meaning.iter().any(|meant| meant.as_str() == scope))
            .min_by_key(|(alias, meaning)| (meaning.len(), *alias))
            .map(|(alias, _)| alias.to_owned());
        let prefix = self.prefix.as_deref().unwrap_or_default();
        Some(named.unwrap_or_else(|| [prefix, scope].concat()))
    }
}

/// Whether JWTs of this type are something else than access tokens: their signer may well use the
/// same key for them.
pub fn is_other_token_type(text: &str) -> bool {
    OTHER_TOKEN_TYPES
        .iter()
        .any(|other| is_same_media_type(text, other))
}

/// What access tokens call themselves: RFC 9068 §2.1. Nothing else does, so it settles the matter.
const ACCESS_TOKEN: &str = "at+jwt";

/// What they call themselves elsewhere, and ID tokens too.
const PLAIN: &str = "jwt";

/// Grants, answers, requests, events, lists and proofs, as far as they are registered or on their
/// way.
const OTHER_TOKEN_TYPES: [&str; 14] = [
    "authorization-grant+jwt",
    "client-authentication+jwt",
    "dpop+jwt",
    "entity-statement+jwt",
    "kb+jwt",
    "logout+jwt",
    "oauth-authz-req+jwt",
    "oauth-client-attestation+jwt",
    "oauth-client-attestation-pop+jwt",
    "oauth-id-jag+jwt",
    "openid4vci-proof+jwt",
    "secevent+jwt",
    "statuslist+jwt",
    "token-introspection+jwt",
];

#[cfg(test)]
mod tests;
