//! A sound access token: verified, from whom it says, for us, in its time.

use crate::time::UnixTime;
use crate::token::claims::{ClaimError, ClaimFault, Claims};
use crate::token::json::Json;
use crate::token::scope::Scope;

use super::Issuer;
use super::invalid_token::InvalidToken;

/// What a token says of its bearer. Only [`Issuer::validate`] makes one.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// `iss`, as configured.
    pub issuer: Box<str>,
    /// Who it is about.
    pub subject: Option<Box<str>>,
    /// To which client it was given.
    pub client: Option<Box<str>>,
    /// `jti`.
    pub token_id: Option<Box<str>>,
    /// `exp`.
    pub expires_at: UnixTime,
    /// `iat`.
    pub issued_at: Option<UnixTime>,
    /// The ID of the key that signed it.
    pub key_id: Option<Box<str>>,
    /// What was granted, in the policy's spelling; `None` where the issuer grants no scopes and roles alone do.
    pub scopes: Option<Vec<Scope>>,
    /// The groups of the subject.
    pub groups: Groups,
    /// The roles that the issuer itself assigns.
    pub roles: Vec<Box<str>>,
    /// The current actor (RFC 8693 §4.1): who acts for the subject.
    pub actor: Option<Box<str>>,
    claims: Claims,
}

/// Group memberships, which some issuers leave out when there are too many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Groups {
    /// All of them.
    Known(Vec<Box<str>>),
    /// The token says that it does not say: Entra's group overage. Not the same as none.
    Unknown,
}

impl AccessToken {
    /// Reads the claims that policy asks about, each strictly: one of the wrong type refuses the token.
    pub(super) fn read(
        issuer: &Issuer,
        claims: &Claims,
        client: Option<Box<str>>,
    ) -> Result<Self, InvalidToken> {
        let dialect = &issuer.dialect;
        let scopes = if issuer.scopes.from_roles {
            None
        } else {
            let mut scopes = Vec::new();
            for scope in dialect.scopes(claims)? {
                issuer.scopes.read(scope, &mut scopes);
            }
            Some(scopes)
        };
        Ok(Self {
            issuer: issuer.identifier.clone(),
            subject: dialect.subject(claims)?,
            client,
            token_id: claims.token_id().map(Into::into),
            expires_at: claims.expires_at(),
            issued_at: claims.issued_at(),
            key_id: None,
            scopes,
            groups: dialect.groups(claims)?,
            roles: dialect.roles(claims)?,
            actor: actor(claims)?,
            claims: claims.clone(),
        })
    }

    /// Notes the ID of the key that signed it.
    #[must_use]
    pub fn signed_by(self, key_id: Option<&str>) -> Self {
        Self {
            key_id: key_id.map(Into::into),
            ..self
        }
    }

    /// Whether the claim at `path` is `value`, or an array that has it.
    pub fn claims(&self, path: &[Box<str>], value: &str) -> bool {
        let is_value = |json: &Json| json.as_str() == Some(value);
        self.claims.at(path).is_some_and(|json| {
            is_value(json)
                || json
                    .as_array()
                    .is_some_and(|array| array.iter().any(is_value))
        })
    }
}

/// `act.sub`. Actors nested deeper are history and take part in no decision (RFC 8693 §4.1).
fn actor(claims: &Claims) -> Result<Option<Box<str>>, ClaimError> {
    let object = match claims.at(&["act"]) {
        Some(act) => act.as_object().is_some(),
        None => return Ok(None),
    };
    if !object {
        return Err(ClaimError::Claim {
            name: "act".into(),
            fault: ClaimFault::WrongType,
        });
    }
    Ok(claims.text(&["act", "sub"])?.map(Into::into))
}
