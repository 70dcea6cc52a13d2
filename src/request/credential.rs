//! What a request carries to prove who is calling, told apart by shape alone.
//!
//! Nothing here is verified: a [`Credential::Jwt`] has three parts and no more is known of it. The shapes of Databricks' static tokens
//! are those that secret scanners know (`dapi…`, `dose…`, `doau…`).

use crate::token::bearer::{BearerError, BearerToken};

use super::{AuthorizationError, Headers, RequestError, same_name};

/// The one credential of a request. Holds secrets, so it is not `Debug`.
pub enum Credential<'a> {
    /// A bearer token in three parts.
    Jwt(BearerToken<'a>),
    /// A bearer token longer than any that is looked at.
    Oversized,
    /// Nothing at all.
    None,
    /// Something that no policy here can judge.
    Refused(CredentialKind),
}

/// The kinds of credential, as audit records and the `credentials` setting name them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CredentialKind {
    /// `Basic`: a user name and a password, or `token` and a personal access token.
    Basic,
    /// A bearer token of three parts, signed.
    Jwt,
    /// No credential.
    None,
    /// `dose…`: an OAuth secret. It is never a bearer token, so one in `Authorization` has leaked.
    OauthSecret,
    /// A bearer token of no known shape.
    Opaque,
    /// `dapi…`: a personal access token.
    PersonalAccessToken,
    /// `doau…`: a refresh token. It is never a bearer token either.
    RefreshToken,
    /// An authentication scheme other than Bearer and Basic.
    UnknownScheme,
}

impl<'a> Credential<'a> {
    /// Reads `Authorization`: absent, or once, one scheme, one credential.
    pub(super) fn read(headers: &'a Headers, max_token_bytes: usize) -> Result<Self, RequestError> {
        let mut values = headers
            .pairs()
            .filter(|(name, _)| same_name(name, "authorization"))
            .map(|(_, value)| value);
        let Some(value) = values.next() else {
            return Ok(Self::None);
        };
        // Envoy joins repeats with a comma before we see them; no credential of ours has one.
        if values.next().is_some() || value.contains(&b',') {
            return Err(RequestError::Authorization(AuthorizationError::Repeated));
        }
        let malformed = RequestError::Authorization(AuthorizationError::Malformed);
        let Some(space) = value.iter().position(|&byte| byte == b' ') else {
            return Err(malformed);
        };
        let (scheme, rest) = value.split_at_checked(space).unwrap_or((value, &[]));
        let text = rest.strip_prefix(b" ").unwrap_or(rest);
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return Self::bearer(text, max_token_bytes);
        }
        if text.is_empty() || scheme.is_empty() || !scheme.iter().copied().all(super::is_token_byte)
        {
            return Err(malformed);
        }
        Ok(Self::Refused(if scheme.eq_ignore_ascii_case(b"basic") {
            CredentialKind::Basic
        } else {
            CredentialKind::UnknownScheme
        }))
    }

    /// The kind of this credential.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Jwt(_) => CredentialKind::Jwt,
            Self::None => CredentialKind::None,
            Self::Oversized => CredentialKind::Opaque,
            Self::Refused(kind) => *kind,
        }
    }

    fn bearer(text: &'a [u8], max_bytes: usize) -> Result<Self, RequestError> {
        let token = match BearerToken::parse(text, max_bytes) {
            Ok(token) => token,
            Err(BearerError::TooLong(_)) => return Ok(Self::Oversized),
            Err(error) => return Err(error.into()),
        };
        let text = token.as_str();
        Ok(match static_secret(text) {
            Some(kind) => Self::Refused(kind),
            None if text.bytes().filter(|&byte| byte == b'.').count() == JWS_DOTS => {
                Self::Jwt(token)
            }
            None => Self::Refused(CredentialKind::Opaque),
        })
    }
}

impl CredentialKind {
    /// The name in audit records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Jwt => "jwt",
            Self::None => "none",
            Self::OauthSecret => "oauth_secret",
            Self::Opaque => "opaque",
            Self::PersonalAccessToken => "personal_access_token",
            Self::RefreshToken => "refresh_token",
            Self::UnknownScheme => "unknown_scheme",
        }
    }
}

/// Whether a text has the whole shape of a static Databricks token.
pub(crate) fn is_static_secret(text: &str) -> bool {
    static_secret(text).is_some()
}

/// The length of the static Databricks token that a text begins with, its suffix left out.
pub(super) fn static_secret_at_start(text: &str) -> Option<usize> {
    let (_, rest) = static_prefix(text)?;
    let (secret, _) = rest.split_at_checked(SECRET_DIGITS)?;
    let holds = secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    holds.then_some(PREFIX_LETTERS.saturating_add(SECRET_DIGITS))
}

/// A four-letter prefix, 32 hexadecimal digits, and for some a `-` and digits.
fn static_secret(text: &str) -> Option<CredentialKind> {
    let (kind, _) = static_prefix(text)?;
    let suffix = text.get(static_secret_at_start(text)?..)?;
    let suffix_holds = suffix
        .strip_prefix('-')
        .map_or(suffix.is_empty(), |digits| {
            digits.bytes().all(|byte| byte.is_ascii_digit())
        });
    suffix_holds.then_some(kind)
}

/// The kind that the prefix of a static token tells, and what follows the prefix.
fn static_prefix(text: &str) -> Option<(CredentialKind, &str)> {
    let (prefix, rest) = text.split_at_checked(PREFIX_LETTERS)?;
    let kind = match prefix {
        "dapi" => CredentialKind::PersonalAccessToken,
        "doau" => CredentialKind::RefreshToken,
        "dose" => CredentialKind::OauthSecret,
        _ => return None,
    };
    Some((kind, rest))
}

const PREFIX_LETTERS: usize = 4;

const JWS_DOTS: usize = 2;

const SECRET_DIGITS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_apart_by_shape() {
        use AuthorizationError::{Malformed, Repeated};
        use CredentialKind::{
            Basic, Jwt, None, OauthSecret, Opaque, PersonalAccessToken, RefreshToken, UnknownScheme,
        };
        let long = format!("Bearer {}", "a".repeat(41));
        #[rustfmt::skip]
        let cases: [(&str, &[&[u8]], Result<CredentialKind, AuthorizationError>); 24] = [
            // name                      Authorization                                               want
            ("absent",                   &[],                                                        Ok(None)),
            ("a JWT",                    &[b"Bearer a.b.c"],                                         Ok(Jwt)),
            ("in another case",          &[b"bEARER a.b.c"],                                         Ok(Jwt)),
            ("two parts",                &[b"Bearer a.b"],                                           Ok(Opaque)),
            ("five parts",               &[b"Bearer a.b.c.d.e"],                                     Ok(Opaque)),
            ("longer than the limit",    &[long.as_bytes()],                                         Ok(Opaque)),
            ("a static token",           &[b"Bearer dapi0123456789abcdef0123456789abcdef"],          Ok(PersonalAccessToken)),
            ("with a suffix",            &[b"Bearer dapi0123456789abcdef0123456789abcdef-3"],        Ok(PersonalAccessToken)),
            ("a static token, cut",      &[b"Bearer dapi0123"],                                      Ok(Opaque)),
            ("an OAuth secret",          &[b"Bearer dose0123456789abcdef0123456789abcdef"],          Ok(OauthSecret)),
            ("a refresh token",          &[b"Bearer doau0123456789abcdef0123456789abcdef"],          Ok(RefreshToken)),
            ("Basic",                    &[b"Basic dG9rZW46eA=="],                                   Ok(Basic)),
            ("another scheme",           &[b"DPoP a.b.c"],                                           Ok(UnknownScheme)),
            ("twice",                    &[b"Bearer a.b.c", b"Bearer a.b.c"],                        Err(Repeated)),
            ("joined by a comma",        &[b"Bearer a.b.c,Bearer a.b.c"],                            Err(Repeated)),
            ("an empty value",           &[b""],                                                     Err(Malformed)),
            ("a scheme alone",           &[b"Bearer"],                                               Err(Malformed)),
            ("no token",                 &[b"Bearer "],                                              Err(Malformed)),
            ("two spaces",               &[b"Bearer  a.b.c"],                                        Err(Malformed)),
            ("a tab",                    &[b"Bearer\ta.b.c"],                                        Err(Malformed)),
            ("a space behind",           &[b"Bearer a.b.c "],                                        Err(Malformed)),
            ("a byte past ASCII",        &[b"Bearer a.b.\xff"],                                      Err(Malformed)),
            ("no scheme",                &[b" a.b.c"],                                               Err(Malformed)),
            ("a token alone",            &[b"a.b.c"],                                                Err(Malformed)),
        ];
        for (name, values, want) in cases {
            let pairs = values
                .iter()
                .map(|value| ("authorization".to_owned(), value.to_vec()));
            let headers = Headers::new(pairs.collect());
            let got = Credential::read(&headers, 40).map(|credential| credential.kind());
            assert_eq!(got, want.map_err(RequestError::Authorization), "{name}");
        }
    }
}
