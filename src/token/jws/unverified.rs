//! What a token says of itself while nobody has vouched for it.

use serde::Serialize;

use crate::time::UnixTime;
use crate::token::json::Json;
use crate::token::numeric_date::numeric_date;
use crate::token::text;

use super::Jws;

impl Jws<'_> {
    /// What the token says of its issuer, **unverified**: anybody can write it.
    ///
    /// Only for the order in which keys are tried, and for deciding which issuer's keys are worth
    /// waiting for or fetching. Never for a decision to admit, never recorded. `None` where the
    /// claims could not be accepted anyway. The work is linear in the length of the token.
    pub fn issuer_hint(&self) -> Option<IssuerHint> {
        let payload = Json::parse(&self.payload).ok()?;
        let issuer = text::checked(payload.get("iss")?.as_str()?, text::MAX_CLAIM_BYTES).ok()?;
        let expires_at = match payload.get("exp") {
            Some(value) => Some(numeric_date(value)?),
            None => None,
        };
        Some(IssuerHint {
            issuer: issuer.into(),
            expires_at,
        })
    }

    /// Whose token it says it is, **unverified**: to tell whose business it is where a token
    /// endpoint takes tokens of many issuers, and for a part of the record that says so. Never to
    /// admit a token of a configured issuer. `None` where the issuer is unknown.
    pub fn unverified(&self) -> Option<UnverifiedClaims> {
        let payload = Json::parse(&self.payload).ok()?;
        let text = |value: &Json| {
            let text = text::checked(value.as_str()?, text::MAX_CLAIM_BYTES).ok()?;
            Some(Box::from(text))
        };
        let audiences = match payload.get("aud") {
            Some(Json::Array(items)) => items.iter().take(MAX_AUDIENCES).filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        };
        Some(UnverifiedClaims {
            issuer: text(payload.get("iss")?)?,
            subject: payload.get("sub").and_then(text),
            audiences,
        })
    }
}

/// Whose token it says it is, which nobody has vouched for; see [`Jws::unverified`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct UnverifiedClaims {
    /// The `iss` claim.
    pub issuer: Box<str>,
    /// The `sub` claim, where it is a text that a record can quote.
    pub subject: Option<Box<str>>,
    /// The `aud` claim, as far as its texts can be quoted.
    pub audiences: Vec<Box<str>>,
}

impl UnverifiedClaims {
    /// The bytes that they take.
    pub(crate) fn bytes(&self) -> usize {
        let subject = self.subject.as_ref().map_or(0, |subject| subject.len());
        let audiences = self.audiences.iter();
        let audiences = audiences.map(|text| text.len().saturating_add(size_of_val(text)));
        size_of::<Self>()
            .saturating_add(self.issuer.len())
            .saturating_add(subject)
            .saturating_add(audiences.sum())
    }
}

/// Claims that nobody has vouched for; see [`Jws::issuer_hint`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuerHint {
    /// The `iss` claim.
    pub issuer: String,
    /// The `exp` claim.
    pub expires_at: Option<UnixTime>,
}

/// Audiences of an unverified token that a record quotes.
const MAX_AUDIENCES: usize = 8;
