//! The claims set: RFC 7519 §4, read strictly.
//!
//! A registered claim of the wrong type is an error and never taken for absent, which is how tokens
//! that never expire come about. What the claims mean, and whether they are the ones wanted, is
//! left to those who know the issuer and the time.

use std::fmt;
use std::time::Duration;

use crate::time::UnixTime;
use crate::token::json::{self, Json, JsonError, Object};
use crate::token::jws::SignedPayload;
use crate::token::numeric_date::numeric_date;
use crate::token::scope::{Scope, ScopeListError};
use crate::token::text::{self, MAX_CLAIM_BYTES, TextError};

/// The claims of a token whose signature was verified.
///
/// Invariant: the issuer, subject, audiences and token ID are texts within [`MAX_CLAIM_BYTES`] that
/// break no line.
#[derive(Clone, Debug)]
pub struct Claims {
    issuer: Box<str>,
    subject: Option<Box<str>>,
    audiences: Vec<Box<str>>,
    times: Times,
    token_id: Option<Box<str>>,
    all: Object,
}

/// The moments that a token names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Times {
    /// From when the token is dead, `exp`.
    pub expires_at: UnixTime,
    /// Before when it is not yet alive, `nbf`.
    pub not_before: Option<UnixTime>,
    /// When it was issued, `iat`.
    pub issued_at: Option<UnixTime>,
}

impl Claims {
    /// Parses the claims set.
    pub fn parse(payload: SignedPayload<'_>) -> Result<Self, ClaimError> {
        let Json::Object(all) = Json::parse(payload.as_bytes()).map_err(ClaimError::Json)? else {
            return Err(ClaimError::NotObject);
        };
        Ok(Self {
            issuer: registered_text(&all, "iss")?
                .ok_or_else(|| error("iss", ClaimFault::Missing))?,
            subject: registered_text(&all, "sub")?,
            audiences: audiences(&all)?,
            times: Times {
                expires_at: date(&all, "exp")?.ok_or_else(|| error("exp", ClaimFault::Missing))?,
                not_before: not_before(&all)?,
                issued_at: date(&all, "iat")?,
            },
            token_id: registered_text(&all, "jti")?,
            all,
        })
    }

    /// The issuer, `iss`.
    pub const fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The subject, `sub`.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The audiences, `aud`; none where the claim is absent.
    pub fn audiences(&self) -> &[Box<str>] {
        &self.audiences
    }

    /// The moments that the token names.
    pub const fn times(&self) -> Times {
        self.times
    }

    /// The moment from which the token is dead, `exp`.
    pub const fn expires_at(&self) -> UnixTime {
        self.times.expires_at
    }

    /// The moment before which the token is not yet alive, `nbf`.
    pub const fn not_before(&self) -> Option<UnixTime> {
        self.times.not_before
    }

    /// The moment the token was issued, `iat`.
    pub const fn issued_at(&self) -> Option<UnixTime> {
        self.times.issued_at
    }

    /// The token's ID, `jti`.
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_deref()
    }

    /// The claim at the end of a path: the first name is a claim, each further one a member of the
    /// object before it.
    pub fn at<S: AsRef<str>>(&self, path: &[S]) -> Option<&Json> {
        json::at(&self.all, path)
    }

    /// The claims of these names, those that there are.
    pub fn only(&self, names: &[Box<str>]) -> Object {
        let names = names.iter().map(|name| &**name);
        names
            .filter_map(|name| Some((name.into(), self.all.get(name)?.clone())))
            .collect()
    }

    /// The text at a path, within [`MAX_CLAIM_BYTES`] and without line breaks; `None` where there
    /// is no such claim.
    pub fn text<S: AsRef<str>>(&self, path: &[S]) -> Result<Option<&str>, ClaimError> {
        self.at(path)
            .map(checked_text)
            .transpose()
            .map_err(|fault| path_error(path, fault))
    }

    /// The name at a path: a text that reads the same in a header.
    pub fn name<S: AsRef<str>>(&self, path: &[S]) -> Result<Option<&str>, ClaimError> {
        let unpadded = |text| text::unpadded(text).map_err(ClaimFault::Text);
        self.text(path)?
            .map(unpadded)
            .transpose()
            .map_err(|fault| path_error(path, fault))
    }

    /// The texts at a path, from a string or an array of strings; `None` where there is no such
    /// claim.
    pub fn texts<S: AsRef<str>>(&self, path: &[S]) -> Result<Option<Vec<&str>>, ClaimError> {
        self.at(path)
            .map(checked_texts)
            .transpose()
            .map_err(|fault| path_error(path, fault))
    }

    /// The scopes at a path; `None` where there is no such claim.
    pub fn scopes<S: AsRef<str>>(&self, path: &[S]) -> Result<Option<Vec<Scope>>, ClaimError> {
        self.at(path)
            .map(Scope::parse_list)
            .transpose()
            .map_err(|fault| path_error(path, ClaimFault::Scopes(fault)))
    }
}

/// Why a payload is not a claims set that we read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClaimError {
    /// One claim is not as it has to be.
    Claim {
        /// Its name; a path is joined by dots.
        name: Box<str>,
        /// What is wrong with it.
        fault: ClaimFault,
    },
    /// Not JSON that we read.
    Json(JsonError),
    /// Not a JSON object.
    NotObject,
}

impl ClaimError {
    /// The name of the claim, where it is one.
    pub const fn claim(&self) -> Option<&str> {
        match self {
            Self::Claim { name, .. } => Some(name),
            Self::Json(_) | Self::NotObject => None,
        }
    }

    /// The stable name of what is wrong, for the audit record.
    pub const fn fault(&self) -> &'static str {
        match self {
            Self::Claim { fault, .. } => fault.code(),
            Self::Json(error) => error.code(),
            Self::NotObject => "not_an_object",
        }
    }
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim { name, fault } => write!(f, "the claim `{name}` {fault}"),
            Self::Json(error) => write!(f, "the claims: {error}"),
            Self::NotObject => f.write_str("the claims are not a JSON object"),
        }
    }
}

/// What is wrong with one claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClaimFault {
    /// Not there, and required.
    Missing,
    /// Not a number of seconds from 0 to the end of the year 9999, or one with an exponent.
    NotNumericDate,
    /// Not a list of scopes.
    Scopes(ScopeListError),
    /// Not a text we take.
    Text(TextError),
    /// An array of more than [`MAX_ITEMS`] items.
    TooManyItems,
    /// Not of its JSON type.
    WrongType,
}

impl ClaimFault {
    /// The stable name of this fault, for the audit record.
    const fn code(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotNumericDate => "not_a_date",
            Self::Scopes(_) => "not_scopes",
            Self::Text(TextError::ControlCharacter) => "control_character",
            Self::Text(TextError::Empty) => "empty",
            Self::Text(TextError::Padded) => "padded",
            Self::Text(TextError::TooLong(_)) => "too_long",
            Self::TooManyItems => "too_many_items",
            Self::WrongType => "wrong_type",
        }
    }
}

impl fmt::Display for ClaimFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::NotNumericDate => f.write_str("is not a number of seconds before the year 10000"),
            Self::Scopes(error) => write!(f, "is not a list of scopes: {error}"),
            Self::Text(fault) => fault.fmt(f),
            Self::TooManyItems => write!(f, "has more than {MAX_ITEMS} items"),
            Self::WrongType => f.write_str("is of a wrong JSON type"),
        }
    }
}

/// `nbf`. Of one with a fraction the millisecond above, so that it begins no sooner than it says.
fn not_before(claims: &Object) -> Result<Option<UnixTime>, ClaimError> {
    let has_fraction = matches!(claims.get("nbf"), Some(Json::Decimal(_)));
    let rounded = Duration::from_millis(has_fraction.into());
    Ok(date(claims, "nbf")?.map(|below| below.after(rounded)))
}

fn date(claims: &Object, name: &str) -> Result<Option<UnixTime>, ClaimError> {
    match claims.get(name) {
        Some(value) => numeric_date(value)
            .map(Some)
            .ok_or_else(|| error(name, ClaimFault::NotNumericDate)),
        None => Ok(None),
    }
}

fn registered_text(claims: &Object, name: &str) -> Result<Option<Box<str>>, ClaimError> {
    let text = claims.get(name).map(checked_text).transpose();
    Ok(text.map_err(|fault| error(name, fault))?.map(Into::into))
}

/// An empty array names no audience as an absent claim does, but nobody issues one by intent.
fn audiences(claims: &Object) -> Result<Vec<Box<str>>, ClaimError> {
    let Some(value) = claims.get("aud") else {
        return Ok(Vec::new());
    };
    let texts = checked_texts(value).map_err(|fault| error("aud", fault))?;
    if texts.is_empty() {
        return Err(error("aud", ClaimFault::Text(TextError::Empty)));
    }
    Ok(texts.into_iter().map(Into::into).collect())
}

fn checked_text(value: &Json) -> Result<&str, ClaimFault> {
    let text = value.as_str().ok_or(ClaimFault::WrongType)?;
    text::checked(text, MAX_CLAIM_BYTES).map_err(ClaimFault::Text)
}

fn checked_texts(value: &Json) -> Result<Vec<&str>, ClaimFault> {
    match value.as_array() {
        Some(items) if items.len() > MAX_ITEMS => Err(ClaimFault::TooManyItems),
        Some(items) => items.iter().map(checked_text).collect(),
        None => Ok(vec![checked_text(value)?]),
    }
}

fn error(name: &str, fault: ClaimFault) -> ClaimError {
    ClaimError::Claim {
        name: name.into(),
        fault,
    }
}

fn path_error<S: AsRef<str>>(path: &[S], fault: ClaimFault) -> ClaimError {
    let names: Vec<&str> = path.iter().map(AsRef::as_ref).collect();
    error(&names.join("."), fault)
}

/// Items of one array: groups, roles, audiences. Entra stops at 200 groups; more than this does not
/// fit the longest token by default.
pub const MAX_ITEMS: usize = 4096;

#[cfg(test)]
mod tests;
