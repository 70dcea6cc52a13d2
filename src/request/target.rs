//! The request target: a path and a query, split at the first `?` and nowhere else.
//!
//! The query never takes part in finding the operation. It is read for two things only:
//! credentials, which do not belong there, and the workspace selectors of Databricks' hosts.

use std::borrow::Cow;
use std::fmt;

use crate::bytes::{self, is_within};
use crate::path::escape::octet;
use crate::path::{Path, PathError};

use super::credential::CredentialKind;
use super::{secret, workspace};

/// A `:path` pseudo-header, taken apart.
pub struct Target<'a> {
    /// The path, in its one reading.
    pub path: Path<'a>,
    /// What follows the first `?`.
    pub query: Query<'a>,
}

impl<'a> Target<'a> {
    /// Parses the bytes of `:path`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, TargetError> {
        let (path, query) = match bytes.iter().position(|&byte| byte == b'?') {
            Some(mark) => {
                let (path, query) = bytes.split_at_checked(mark).unwrap_or((bytes, &[]));
                (path, query.strip_prefix(b"?").unwrap_or(query))
            }
            None => (bytes, [].as_slice()),
        };
        let path = Path::parse(path).map_err(TargetError::Path)?;
        let query = Query::parse(query)?;
        Ok(Self { path, query })
    }
}

/// A query string of printable ASCII.
#[derive(Clone, Copy)]
pub struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, TargetError> {
        std::str::from_utf8(bytes)
            .ok()
            .filter(|_| bytes::has_only(bytes, is_plain))
            .map(Self)
            .ok_or(TargetError::Query)
    }

    /// What stands between one `&` and the next, undecoded.
    pub fn parts(self) -> impl Iterator<Item = &'a str> {
        let text = (!self.0.is_empty()).then_some(self.0);
        text.into_iter().flat_map(|text| text.split('&'))
    }

    /// Whether there is nothing in it but workspace selectors.
    pub(super) fn selects_at_most(self) -> bool {
        self.0.is_empty()
            || self
                .parameters()
                .all(|(name, _)| workspace::PARAMETERS.contains(&&*name))
    }

    /// The first parameter that is a credential by its name or by its value's shape.
    pub fn credential(self) -> Option<QueryCredential> {
        if self.0.is_empty() {
            return None;
        }
        // Few queries are worth a look at the shape of each name and value. An escape may hide a
        // token, and every JWT has dots.
        let may_hold_token = self.0.bytes().any(|byte| matches!(byte, b'%' | b'.'))
            || bytes::has_triple(self.0.as_bytes(), secret::begins_static_token);
        self.parameters().find_map(|(name, value)| {
            let named = CREDENTIALS
                .iter()
                .find(|known| name.eq_ignore_ascii_case(known))
                .map(|known| QueryCredential::Named(known));
            named.or_else(|| {
                if !may_hold_token {
                    return None;
                }
                let kind = shape(&value).or_else(|| shape(&name))?;
                let belongs = kind == CredentialKind::Jwt && SIGN_IN.contains(&&*name);
                (!belongs).then_some(QueryCredential::Shaped(kind))
            })
        })
    }

    /// The names and values, where they are long enough for a JWT, and whether they are of those in
    /// which one may stand on its way to a sign-in page or back from there.
    pub(super) fn decoded(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>, bool)> {
        // Nearly no query is worth decoding once more.
        let may_hold_jwt = self.0.len() >= secret::SHORTEST_TOKEN
            && (self.0.contains('%') || bytes::has_triple(self.0.as_bytes(), secret::begins_jwt));
        let query = may_hold_jwt.then_some(self);
        let parameters = query.into_iter().flat_map(Self::parameters);
        parameters.map(|(name, value)| {
            let signs_in = SIGN_IN.contains(&&*name);
            (name, value, signs_in)
        })
    }

    /// Parameters end at `&` and also at `;`, where some servers end them: a credential that either
    /// reading would find is found.
    fn parameters(self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.0.split(ends_parameter).map(field)
    }
}

/// Asked of each letter of a query, for which a list of two letters would be a call.
const fn ends_parameter(letter: char) -> bool {
    matches!(letter, '&' | ';')
}

/// Why a target is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TargetError {
    /// The path is.
    Path(PathError),
    /// The query holds a byte that may not stand in it.
    Query,
}

/// A credential found in a query.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueryCredential {
    /// By the parameter's name.
    Named(&'static str),
    /// By the value: a static Databricks token, or a JWT.
    Shaped(CredentialKind),
}

impl fmt::Display for QueryCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "a credential in the query parameter `{name}`")?,
            Self::Shaped(_) => f.write_str("a token in the query")?,
        }
        f.write_str(
            ": send the access token in the Authorization header, and renew the one that was sent",
        )
    }
}

/// What stands in a name or in a value: a static token anywhere, or a JWT and nothing else.
#[inline]
fn shape(text: &str) -> Option<CredentialKind> {
    let found = secret::static_token_within(text).map(|(kind, _)| kind);
    found.or_else(|| secret::kind(text))
}

/// Takes `name=value` apart, both decoded.
#[inline(never)]
pub(crate) fn field(text: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    (decode(name), decode(value))
}

/// Decodes `%XX` and `+` as form parsers do; what is not an escape stays as it is.
#[inline(never)]
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escape = match (byte, tail) {
            (b'%', digits) => octet(digits),
            (b'+', after) => Some((b' ', after)),
            _ => None,
        };
        let (byte, after) = escape.unwrap_or((byte, tail));
        decoded.push(byte);
        rest = after;
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

/// What a query may hold: all printable ASCII but `#`.
const fn is_plain(byte: u8) -> bool {
    is_within(byte, b'!', b'~') & (byte != b'#')
}

/// Parameters that carry a token: RFC 6750 §2.3, and what clients and frameworks send in its place.
const CREDENTIALS: [&str; 7] = [
    "access_token",
    "authorization",
    "bearer_token",
    "id_token",
    "jwt",
    "refresh_token",
    "token",
];

/// Parameters of sign-in pages that may hold a JWT and prove nothing to an API: RFC 6749 §4.1, RFC
/// 9101 §5, OpenID Connect Core §3.1.2.1.
const SIGN_IN: [&str; 4] = ["code", "id_token_hint", "request", "state"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_starts_at_the_first_question_mark() {
        let target = Target::parse(b"/api/2.2/jobs/get?job_id=1?&o=2")
            .ok()
            .unwrap();
        assert_eq!(target.path.as_str(), "/api/2.2/jobs/get");
        assert_eq!(target.query.0, "job_id=1?&o=2");
    }

    #[test]
    fn queries_hold_printable_ascii() {
        #[rustfmt::skip]
        let cases: [(&str, &[u8], bool); 6] = [
            // name             target             accepted
            ("none",            b"/a",             true),
            ("empty",           b"/a?",            true),
            ("a space",         b"/a?b=c d",       false),
            ("a fragment",      b"/a?b#c",         false),
            ("a high byte",     b"/a?b=\xc3\xa9",  false),
            ("a control byte",  b"/a?b=\x01",      false),
        ];
        for (name, target, accepted) in cases {
            assert_eq!(Target::parse(target).is_ok(), accepted, "{name}");
        }
    }

    #[test]
    fn credentials_in_the_query_are_seen() {
        use CredentialKind::{Jwt, PersonalAccessToken};
        use QueryCredential::{Named, Shaped};
        #[rustfmt::skip]
        let cases = [
            // name                    query                                           want
            ("nothing of the kind",    "job_id=1&page_token=abc",                      None),
            ("an access token",        "access_token=x",                               Some(Named("access_token"))),
            ("in another case",        "Access_Token=x",                               Some(Named("access_token"))),
            ("escaped",                "access%5Ftoken=x",                             Some(Named("access_token"))),
            ("behind a semicolon",     "a=b;access_token=x",                           Some(Named("access_token"))),
            ("without a value",        "access_token",                                 Some(Named("access_token"))),
            ("a static token",         "x=dapi0123456789abcdef0123456789abcdef",       Some(Shaped(PersonalAccessToken))),
            ("a static token, spelt",  "x=%64api0123456789abcdef0123456789abcdef-2",   Some(Shaped(PersonalAccessToken))),
            ("behind its scheme",      "x=Bearer+dapi0123456789abcdef0123456789abcdef", Some(Shaped(PersonalAccessToken))),
            ("a JWT",                  "x=eyJhbGciOiJSUzI1NiJ9.e30.c2ln",              Some(Shaped(Jwt))),
            ("a JWT, its dots spelt",  "x=eyJhbGciOiJSUzI1NiJ9%2Ee30%2Ec2ln",          Some(Shaped(Jwt))),
            ("a sign-in's state",      "state=eyJhbGciOiJSUzI1NiJ9.e30.c2ln",          None),
            ("a static token there",   "state=dapi0123456789abcdef0123456789abcdef",   Some(Shaped(PersonalAccessToken))),
            ("a cursor of JSON",       "page_token=eyJpZCI6MX0",                       None),
            ("its header in lines",    "x=ew0KImFsZyI6IkVTMjU2In0.e30.c2ln",           Some(Shaped(Jwt))),
            ("behind white space",     "x=+eyJhbGciOiJSUzI1NiJ9.e30.c2ln+",            Some(Shaped(Jwt))),
            ("behind two spaces",      "x=Bearer++eyJhbGciOiJSUzI1NiJ9.e30.c2ln",      Some(Shaped(Jwt))),
            ("behind another scheme",  "x=DPoP%20eyJhbGciOiJSUzI1NiJ9.e30.c2ln",       Some(Shaped(Jwt))),
            ("white space before it",  "x=CnsiYWxnIjoiUlMyNTYifQ.e30.c2ln",            Some(Shaped(Jwt))),
            ("padded",                 "x=eyJhbGciOiJFUzI1NiJ9==.e30=.c2ln",                    Some(Shaped(Jwt))),
            ("in place of a name",     "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",                Some(Shaped(Jwt))),
            ("a static token, within", "x=token:dapi0123456789abcdef0123456789abcdef", Some(Shaped(PersonalAccessToken))),
            ("a name with dots",       "table=main.sales.orders",                      None),
            ("words that begin so",    "x=eyJar.of.eyes&y=ewe.x.y&z=e30.5",            None),
        ];
        for (name, query, want) in cases {
            assert_eq!(Query(query).credential(), want, "{name}");
        }
        // However long its header is.
        let long = format!(
            "x=eyJhbGciOiJSUzI1NiIsIng1YyI6Ii{}In0.e30.c2ln",
            "IA".repeat(9000)
        );
        assert_eq!(Query(&long).credential(), Some(Shaped(Jwt)));
    }

    #[test]
    fn parameters_are_decoded_as_forms_are() {
        let query = Query("o=1&%6f=2;w=%33&O=4&o=a+b&o=%zz");
        let parameters: Vec<_> = query.parameters().collect();
        #[rustfmt::skip]
        let want = [("o", "1"), ("o", "2"), ("w", "3"), ("O", "4"), ("o", "a b"), ("o", "%zz")];
        assert_eq!(
            parameters,
            want.map(|(name, value)| (name.into(), value.into()))
        );
    }
}
