//! Scope tokens, as RFC 6749 §3.3 spells them, and the lists of them that tokens carry.
//!
//! A scope names a permission that the authorization server granted. This module knows the grammar
//! and nothing of meaning: which scope a request needs is the policy's business.

use std::fmt;
use std::rc::Rc;

use crate::bytes::{self, is_within};
use crate::token::json::Json;

/// One scope token, e.g. `sql` or `all-apis`.
///
/// Invariant: every byte is an `NQCHAR`, so a scope can be written into a quoted `WWW-Authenticate`
/// parameter without escaping.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Scope(Rc<str>);

impl Scope {
    /// Parses a single scope token.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        if text.is_empty() {
            return Err(ScopeError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(ScopeError::TooLong(text.len()));
        }
        match bytes::length_of_run(text.as_bytes(), is_nqchar) {
            all if all == text.len() => Ok(Self(text.into())),
            offset => Err(ScopeError::IllegalByte(offset)),
        }
    }

    /// Parses the scopes of a claim: a string of scope tokens between spaces (RFC 8693 §4.2) or an
    /// array of them (Okta's `scp`).
    ///
    /// Spaces beyond one between two tokens are passed over: they name no scope, so nothing is
    /// granted by reading them leniently. An array's item is a single scope token, spaces included
    /// or not at all. A scope that is named twice stays twice.
    pub fn parse_list(claim: &Json) -> Result<Vec<Self>, ScopeListError> {
        match claim {
            Json::String(text) => {
                collect(text.split(' ').filter(|token| !token.is_empty()).map(Some))
            }
            Json::Array(items) => collect(items.iter().map(Json::as_str)),
            Json::Null
            | Json::Bool(_)
            | Json::Unsigned(_)
            | Json::Negative(_)
            | Json::Decimal(_)
            | Json::Float(_)
            | Json::Object(_) => Err(ScopeListError::WrongType),
        }
    }

    /// The scope's characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a string is not a scope token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScopeError {
    /// No characters.
    Empty,
    /// A byte outside `NQCHAR`, at this offset.
    IllegalByte(usize),
    /// Too many bytes, this many.
    TooLong(usize),
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an empty scope"),
            Self::IllegalByte(offset) => write!(f, "byte {offset} cannot stand in a scope"),
            Self::TooLong(length) => write!(
                f,
                "a scope of {length} bytes is over the limit of {MAX_BYTES}"
            ),
        }
    }
}

/// Why a claim is not a list of scopes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScopeListError {
    /// Something in the list is not a scope token.
    Scope(ScopeError),
    /// More than [`MAX_SCOPES`].
    TooMany,
    /// Neither a string nor an array of strings.
    WrongType,
}

impl fmt::Display for ScopeListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(error) => error.fmt(f),
            Self::TooMany => write!(f, "more than {MAX_SCOPES} scopes"),
            Self::WrongType => f.write_str("neither a string nor an array of strings"),
        }
    }
}

/// `None` stands for an item that is not a string.
fn collect<'a>(
    tokens: impl Iterator<Item = Option<&'a str>>,
) -> Result<Vec<Scope>, ScopeListError> {
    let mut scopes = Vec::new();
    for token in tokens {
        if scopes.len() == MAX_SCOPES {
            return Err(ScopeListError::TooMany);
        }
        let token = token.ok_or(ScopeListError::WrongType)?;
        scopes.push(Scope::parse(token).map_err(ScopeListError::Scope)?);
    }
    Ok(scopes)
}

/// RFC 6749 §3.3: `%x21 / %x23-5B / %x5D-7E`, which leaves out the space, `"`, `\` and all that is
/// not printable ASCII.
const fn is_nqchar(byte: u8) -> bool {
    is_within(byte, 0x21, 0x7e) & (byte != b'"') & (byte != b'\\')
}

/// Bytes of one scope: the longest in use are URIs of about a hundred.
pub const MAX_BYTES: usize = 256;

/// Scopes of one token: several times what Databricks documents, so that no real token meets it.
pub const MAX_SCOPES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    type Listed<'a> = Result<Vec<&'a str>, ScopeListError>;

    #[test]
    fn a_scope_is_one_token() {
        use ScopeError::{Empty, IllegalByte, TooLong};
        let (longest, long) = ("a".repeat(MAX_BYTES), "a".repeat(MAX_BYTES + 1));
        #[rustfmt::skip]
        let cases = [
            // name                 text               want
            ("a word",              "sql",             Ok("sql")),
            ("with a suffix",       "jobs:read",       Ok("jobs:read")),
            ("a comma is legal",    "a,b",             Ok("a,b")),
            ("the first and last",  "!#[]~",           Ok("!#[]~")),
            ("empty",               "",                Err(Empty)),
            ("two scopes",          "sql files",       Err(IllegalByte(3))),
            ("would need escaping", "a\"b",            Err(IllegalByte(1))),
            ("a backslash",         "a\\b",            Err(IllegalByte(1))),
            ("a tab",               "sql\tfiles",      Err(IllegalByte(3))),
            ("a NUL",               "sql\0",           Err(IllegalByte(3))),
            ("a no-break space",    "sql\u{a0}files",  Err(IllegalByte(3))),
            ("DEL",                 "\u{7f}",          Err(IllegalByte(0))),
            ("exactly the limit",   longest.as_str(),  Ok(longest.as_str())),
            ("one byte too many",   long.as_str(),     Err(TooLong(MAX_BYTES + 1))),
        ];
        for (name, text, want) in cases {
            let want = want.map(|text| Scope(text.into()));
            assert_eq!(Scope::parse(text), want, "{name}");
        }
    }

    #[test]
    fn a_claim_lists_scopes_as_a_string_or_an_array() {
        use ScopeListError::{Scope as Illegal, TooMany, WrongType};
        let many = |count| format!("\"{}\"", vec!["a"; count].join(" "));
        let (most, too_many) = (many(MAX_SCOPES), many(MAX_SCOPES + 1));
        #[rustfmt::skip]
        let cases: [(&str, &str, Listed<'_>); 17] = [
            // name                        claim                    want
            ("a string",                   r#""sql files""#,        Ok(vec!["sql", "files"])),
            ("an array",                   r#"["sql","files"]"#,    Ok(vec!["sql", "files"])),
            ("spaces around",              r#""  sql  files ""#,    Ok(vec!["sql", "files"])),
            ("an empty string",            r#""""#,                 Ok(vec![])),
            ("an empty array",             "[]",                    Ok(vec![])),
            ("a comma separates nothing",  r#""sql,files""#,        Ok(vec!["sql,files"])),
            ("a tab",                      r#""sql\tfiles""#,       Err(Illegal(ScopeError::IllegalByte(3)))),
            ("a no-break space",           r#""sql\u00a0files""#,   Err(Illegal(ScopeError::IllegalByte(3)))),
            ("a space in an item",         r#"["sql files"]"#,      Err(Illegal(ScopeError::IllegalByte(3)))),
            ("an empty item",              r#"["sql",""]"#,         Err(Illegal(ScopeError::Empty))),
            ("a number in an array",       r#"["sql",1]"#,          Err(WrongType)),
            ("a list in an array",         r#"[["sql"]]"#,          Err(WrongType)),
            ("null",                       "null",                  Err(WrongType)),
            ("a number",                   "1",                     Err(WrongType)),
            ("an object",                  r#"{"sql":true}"#,       Err(WrongType)),
            ("as many as allowed",         most.as_str(),           Ok(vec!["a"; MAX_SCOPES])),
            ("one too many",               too_many.as_str(),       Err(TooMany)),
        ];
        for (name, claim, want) in cases {
            let claim = Json::parse(claim.as_bytes()).unwrap();
            let want =
                want.map(|scopes| scopes.into_iter().map(|text| Scope(text.into())).collect());
            assert_eq!(Scope::parse_list(&claim), want, "{name}");
        }
    }
}
