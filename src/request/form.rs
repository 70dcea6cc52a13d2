//! The form of a token request: `application/x-www-form-urlencoded`, as OAuth's token endpoints
//! read it (RFC 6749 appendix B).
//!
//! A token endpoint turns credentials into tokens, so its form is one more place where they are
//! shown. What two parsers could read differently is refused, as it is in a head; what the form
//! shows then is classified by name and shape alone.

pub mod grant;
mod jwt;

use std::borrow::Cow;
use std::fmt;

use crate::bytes::{self, is_alphanumeric, is_one_of};
use crate::path::escape::octet;

use super::credential::CredentialKind;
use super::{Headers, secret, target};

use jwt::HeldJwt;

/// A form that can be read in one way only. Holds secrets, so it is not `Debug`.
pub struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// Parses the body of a request with this head. Without a body it is a form without fields.
    #[inline(never)]
    pub fn parse(headers: &Headers, body: &'a [u8]) -> Result<Self, FormError> {
        let mut form = Self(Vec::new());
        if body.is_empty() {
            return Ok(form);
        }
        if body.len() > MAX_BYTES {
            return Err(FormError::TooLong);
        }
        if !is_form(headers) {
            return Err(FormError::Kind);
        }
        let text = plain(body).ok_or(FormError::Malformed)?;
        for part in text.split('&').filter(|part| !part.is_empty()) {
            form.add(part)?;
        }
        if form.tokens().count() > MAX_TOKENS {
            return Err(FormError::Malformed);
        }
        Ok(form)
    }

    fn add(&mut self, part: &'a str) -> Result<(), FormError> {
        let (name, value) = target::field(part);
        let is_plain = is_name(&name)
            && is_text(&value)
            && !holds_two_tokens(&name)
            && !holds_two_tokens(&value)
            && HeldJwt::by(&name) == HeldJwt::Nothing
            && HeldJwt::by(&value) != HeldJwt::Amid;
        if !is_plain || self.0.len() == MAX_FIELDS {
            return Err(FormError::Malformed);
        }
        // A parser that takes the first and one that takes the last would see two forms (RFC 6749
        // §3.2).
        let mut names = self.0.iter().map(|(known, _)| known);
        if names.any(|known| same(known.as_bytes(), name.as_bytes()))
            && !REPEATABLE.contains(&&*name)
        {
            return Err(FormError::Repeated);
        }
        self.0.push((name, value));
        Ok(())
    }

    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| &**value)
    }

    /// Every JWT that the form shows, in whichever field.
    pub fn tokens(&self) -> impl Iterator<Item = ShownJwt<'_>> {
        self.0
            .iter()
            .filter_map(|(name, value)| match HeldJwt::by(value) {
                HeldJwt::Whole(text) => Some(ShownJwt {
                    field: name,
                    text,
                    is_plain: text.len() == value.len(),
                }),
                HeldJwt::Amid | HeldJwt::Nothing => None,
            })
    }

    /// Every other credential that the form shows, for a field's name too.
    pub fn credentials(&self) -> impl Iterator<Item = Shown<'_>> {
        self.0.iter().flat_map(|(name, value)| {
            let named = secret::static_token_within(name).map(|(kind, token)| Shown {
                kind,
                token: Some(token),
                belongs: false,
            });
            named.into_iter().chain(self.shown(name, value))
        })
    }

    fn shown<'f>(&'f self, name: &str, value: &'f str) -> Option<Shown<'f>> {
        // A server may take a name in any case.
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let (kind, token) = if let Some((kind, token)) = secret::static_token_within(value) {
            (kind, Some(token))
        } else if DECLARED
            .iter()
            .any(|known| is(known) && self.declares_personal(known))
        {
            (CredentialKind::PersonalAccessToken, Some(value))
        } else if is("password") {
            (CredentialKind::Basic, None)
        } else if TOKENS.iter().copied().any(is)
            && !value.trim().is_empty()
            && HeldJwt::by(value) == HeldJwt::Nothing
        {
            (CredentialKind::Opaque, None)
        } else {
            return None;
        };
        let belongs = match kind {
            CredentialKind::OauthSecret => name == "client_secret" && token == Some(value),
            CredentialKind::RefreshToken => name == "refresh_token" && token == Some(value),
            CredentialKind::Basic
            | CredentialKind::DeltaSharingRecipient
            | CredentialKind::Jwt
            | CredentialKind::None
            | CredentialKind::Opaque
            | CredentialKind::PersonalAccessToken
            | CredentialKind::UnknownScheme => false,
        };
        Some(Shown {
            kind,
            token,
            belongs,
        })
    }

    /// Whether a personal access token is said to stand in a field.
    fn declares_personal(&self, field: &str) -> bool {
        self.0.iter().any(|(name, value)| {
            let declared = name
                .split_at_checked(field.len())
                .is_some_and(|(start, end)| {
                    start.eq_ignore_ascii_case(field) && end.eq_ignore_ascii_case("_type")
                });
            declared && value.trim().eq_ignore_ascii_case(PERSONAL_ACCESS_TOKEN)
        })
    }
}

/// A JWT that a form shows to the token endpoint.
#[derive(Clone, Copy)]
pub struct ShownJwt<'f> {
    /// The name of the field.
    pub field: &'f str,
    /// The token.
    pub text: &'f str,
    /// Whether the field holds the token alone, without a scheme before it or white space around
    /// it.
    pub is_plain: bool,
}

/// A credential other than a JWT that a form shows to the token endpoint.
#[derive(Clone, Copy)]
pub struct Shown<'f> {
    /// What it is.
    pub kind: CredentialKind,
    /// Its text, where that is a static token.
    pub token: Option<&'f str>,
    /// Whether it is where it belongs.
    pub belongs: bool,
}

/// Why the body of a token request is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FormError {
    /// It has not come as a whole.
    Incomplete,
    /// It is announced as something else than a form, or as compressed.
    Kind,
    /// It holds what parsers read in different ways, or too many fields.
    Malformed,
    /// It has not come as a whole within the time that a form has.
    Late,
    /// Too many others are still to come, or too many of the same client.
    NoRoom,
    /// Fields stand in the query, where some servers look for them and others do not.
    Query,
    /// It has a field twice.
    Repeated,
    /// It is longer than [`MAX_BYTES`].
    TooLong,
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Incomplete => "the form of the token request did not come",
            Self::Kind => {
                "a token request is a form: send it as `application/x-www-form-urlencoded`, in UTF-8 and uncompressed"
            }
            Self::Malformed => {
                "the form of the token request could be read in two ways: percent-encode its names and values"
            }
            Self::Late => "the form of the token request did not come in time: send it again",
            Self::NoRoom => "too many token requests are under way at this gateway: send it again",
            Self::Query => {
                "a token request has its parameters in its form: send none in the query"
            }
            Self::Repeated => "the form of the token request has a field twice: send each once",
            Self::TooLong => "the form of the token request is longer than 128 KiB",
        })
    }
}

/// Whether a body behind this head goes to a token endpoint: in any version, on the account or a
/// workspace, Entra's by way of Databricks.
///
/// In every spelling that some server might take for the path.
pub fn goes_to_token_endpoint(headers: &Headers) -> bool {
    let target = headers.first(":path").unwrap_or_default();
    if !begins(target, SIGN_IN) {
        return false;
    }
    let end = target.iter().position(|&byte| byte == b'?');
    let mut path = end.and_then(|end| target.get(..end)).unwrap_or(target);
    while let Some(rest) = path.strip_suffix(b"/") {
        path = rest;
    }
    let last = path.len().checked_sub(TOKEN.len());
    last.and_then(|last| path.get(last..))
        .is_some_and(|last| same(last, TOKEN))
}

/// One media type, with no parameter but the one character set, and no coding on top. A header
/// whose name some server takes for one of these counts as well.
fn is_form(headers: &Headers) -> bool {
    let mut kinds = headers.all_spelled(CONTENT_TYPE);
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return false;
    };
    let parameter = kind.get(MEDIA_TYPE.len()..).unwrap_or_default();
    let parameter = parameter.trim_ascii();
    let is_known = parameter.is_empty()
        || parameter
            .strip_prefix(b";")
            .map(<[u8]>::trim_ascii_start)
            .is_some_and(|it| same(it, b"charset=utf-8") || same(it, b"charset=\"utf-8\""));
    begins(kind, MEDIA_TYPE)
        && is_known
        && headers.first(CONTENT_TYPE).is_some()
        && headers.all_spelled(CONTENT_ENCODING).next().is_none()
}

fn begins(text: &[u8], with: &[u8]) -> bool {
    text.get(..with.len())
        .is_some_and(|beginning| same(beginning, with))
}

/// Whether two texts differ in case at most.
#[inline(never)]
fn same(text: &[u8], other: &[u8]) -> bool {
    text.eq_ignore_ascii_case(other)
}

/// A text of printable ASCII with every escape whole, and no `;`, where some parsers end a field.
/// Spaces pass: people write them, and all parsers read them alike.
fn plain(body: &[u8]) -> Option<&str> {
    let mut rest = body;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'%' => octet(after)?.1,
            b' '..=b':' | b'<'..=b'~' => after,
            _ => return None,
        };
    }
    std::str::from_utf8(body).ok()
}

/// Whether a decoded text has nothing that ends a text, or is left out of it, for some.
#[inline(never)]
fn is_text(text: &str) -> bool {
    !text.chars().any(|character| {
        character == char::REPLACEMENT_CHARACTER
            || (character.is_ascii_control() && !matches!(character, '\t' | '\n' | '\r'))
    })
}

/// Whether a text is a parameter's name: RFC 6749 §8.2. A body of another kind, JSON say, has none.
fn is_name(text: &str) -> bool {
    let is_letter = |byte| is_alphanumeric(byte) | is_one_of(byte, b"-._");
    !text.is_empty() && bytes::has_only(text.as_bytes(), is_letter)
}

/// Whether a static token stands behind another: which of them would count, nobody can tell.
fn holds_two_tokens(value: &str) -> bool {
    secret::static_token_within(value)
        .and_then(|(_, token)| value.split_once(token))
        .is_some_and(|(_, rest)| secret::static_token_within(rest).is_some())
}

/// Longer forms are not read: no token request with a token that is taken here comes near it.
pub const MAX_BYTES: usize = 128 * 1024;

/// More than any grant has; each is held against all others.
const MAX_FIELDS: usize = 64;

/// More than any grant shows: a subject's, an actor's and a client's. Each of them may cost a few
/// signature checks.
const MAX_TOKENS: usize = 4;

/// RFC 8693 §2.1 lets these two be sent more than once.
const REPEATABLE: [&str; 2] = ["audience", "resource"];

/// The fields of tokens that say what they are: RFC 8693 §2.1.
const DECLARED: [&str; 2] = ["actor_token", "subject_token"];

/// The fields in which a token proves who somebody is: RFC 8693 §2.1, RFC 7521 §4.
const TOKENS: [&str; 4] = [
    "actor_token",
    "assertion",
    "client_assertion",
    "subject_token",
];

const CONTENT_ENCODING: &str = "content-encoding";

const CONTENT_TYPE: &str = "content-type";

const MEDIA_TYPE: &[u8] = b"application/x-www-form-urlencoded";

const SIGN_IN: &[u8] = b"/oidc/";

const TOKEN: &[u8] = b"/token";

/// By which Databricks' SDKs say that a personal access token is to be exchanged.
const PERSONAL_ACCESS_TOKEN: &str = "urn:databricks:params:oauth:token-type:personal-access-token";

#[cfg(test)]
mod tests;
