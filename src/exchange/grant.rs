//! What a token endpoint answers (RFC 6749 §5, RFC 8693 §2.2), read strictly.

use std::fmt;
use std::time::Duration;

use crate::token::bearer::BearerToken;
use crate::token::fingerprint::Fingerprint;
use crate::token::json::Json;

/// A token that was granted. Holds a secret, so it is not `Debug`.
pub(super) struct Grant {
    /// The whole value of `Authorization`.
    pub(super) authorization: String,
    /// How long the token lives, from when it was made.
    pub(super) lifetime: Duration,
}

impl Grant {
    /// Reads the answer to the exchange of a token, `subject` being the fingerprint of what was
    /// signed of that.
    pub(super) fn parse(body: &[u8], subject: Fingerprint) -> Result<Self, Unusable> {
        if body.len() > MAX_BYTES {
            return Err(Unusable::TooLarge);
        }
        let json = Json::parse(body).map_err(|_| Unusable::NotJson)?;
        let text = |name| json.get(name).and_then(Json::as_str);
        let token = text("access_token")
            .and_then(|token| BearerToken::parse(token.as_bytes(), MAX_TOKEN_BYTES).ok())
            .ok_or(Unusable::AccessToken)?;
        // RFC 6749 §7.1: a client must not use a token of a type that it does not know.
        if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(Unusable::TokenType);
        }
        let lifetime = json
            .get("expires_in")
            .and_then(Json::as_u64)
            .filter(|&seconds| seconds > 0)
            .ok_or(Unusable::ExpiresIn)?;
        if Fingerprint::of_signed(token) == subject {
            return Err(Unusable::SubjectToken);
        }
        Ok(Self {
            authorization: format!("Bearer {}", token.as_str()),
            lifetime: Duration::from_secs(lifetime).min(LONGEST_LIFETIME),
        })
    }
}

/// Why a token endpoint's yes is of no use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unusable {
    /// `access_token` is not a bearer token.
    AccessToken,
    /// `expires_in` is not a number of seconds.
    ExpiresIn,
    /// Not JSON.
    NotJson,
    /// The token is the caller's own, which must not go on.
    SubjectToken,
    /// `token_type` is not Bearer.
    TokenType,
    /// Larger than such an answer is.
    TooLarge,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessToken => "the answer has no `access_token` that could be sent",
            Self::ExpiresIn => "the answer does not say in `expires_in` how long the token lives",
            Self::NotJson => "the answer is not JSON",
            Self::SubjectToken => "the answer is the token that was to be exchanged",
            Self::TokenType => "the answer's `token_type` is not `Bearer`",
            Self::TooLarge => "the answer is too large",
        })
    }
}

/// The reasons that token endpoints give, as far as OAuth names them. Whatever else an answer says
/// is its author's text, and stays out of records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OauthError {
    /// RFC 6749 §5.2.
    InvalidClient,
    /// RFC 6749 §5.2.
    InvalidGrant,
    /// RFC 6749 §5.2.
    InvalidRequest,
    /// RFC 6749 §5.2.
    InvalidScope,
    /// RFC 8693 §2.2.2.
    InvalidTarget,
    /// RFC 6749 §5.2.
    UnauthorizedClient,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
}

impl OauthError {
    const ALL: [Self; 7] = [
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::InvalidRequest,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
    ];

    /// The reason that an answer gives.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let body = (body.len() <= MAX_BYTES).then_some(body)?;
        let json = Json::parse(body).ok()?;
        let name = json.get("error")?.as_str()?;
        Self::ALL.into_iter().find(|error| error.as_str() == name)
    }

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

/// Room for a token of any size that servers take in a header, and as much again.
pub(super) const MAX_BYTES: usize = 32 * 1024;

const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// What is held is requested again within the day, whatever the answer promises.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str = "e30.e30.c2ln";

    fn parse(body: &[u8]) -> Result<(String, u64), Unusable> {
        let subject = BearerToken::parse(SUBJECT.as_bytes(), usize::MAX).unwrap();
        let grant = Grant::parse(body, Fingerprint::of_signed(subject))?;
        Ok((grant.authorization, grant.lifetime.as_secs()))
    }

    #[test]
    fn a_grant_is_a_bearer_token_with_an_end() {
        use Unusable::{AccessToken, ExpiresIn, NotJson, SubjectToken, TokenType, TooLarge};
        let good = Ok(("Bearer dbx".to_owned(), 3600));
        let large = format!(
            r#"{{"access_token":"dbx","token_type":"Bearer","expires_in":3600,"x":"{}"}}"#,
            "a".repeat(MAX_BYTES)
        );
        let long = format!(
            r#"{{"access_token":"{}","token_type":"Bearer","expires_in":3600}}"#,
            "a".repeat(MAX_TOKEN_BYTES + 1)
        );
        #[rustfmt::skip]
        let cases = [
            // name                    body
            // want
            ("as it should be",        r#"{"access_token":"dbx","token_type":"Bearer","expires_in":3600,"scope":"sql"}"#, good.clone()),
            ("in another case",        r#"{"access_token":"dbx","token_type":"bearer","expires_in":3600}"#,               good),
            ("a year",                 r#"{"access_token":"dbx","token_type":"Bearer","expires_in":31536000}"#,           Ok(("Bearer dbx".to_owned(), 86_400))),
            ("no token",               r#"{"token_type":"Bearer","expires_in":3600}"#,                                    Err(AccessToken)),
            ("a header in the token",  r#"{"access_token":"dbx\r\nx: y","token_type":"Bearer","expires_in":3600}"#,       Err(AccessToken)),
            ("an empty token",         r#"{"access_token":"","token_type":"Bearer","expires_in":3600}"#,                  Err(AccessToken)),
            ("a token too long",       long.as_str(),                                                                     Err(AccessToken)),
            ("the caller's own",       r#"{"access_token":"e30.e30.c2ln","token_type":"Bearer","expires_in":3600}"#,      Err(SubjectToken)),
            ("the same, respelled",    r#"{"access_token":"e30.e30.c2lo","token_type":"Bearer","expires_in":3600}"#,      Err(SubjectToken)),
            ("another type",           r#"{"access_token":"dbx","token_type":"DPoP","expires_in":3600}"#,                 Err(TokenType)),
            ("no type",                r#"{"access_token":"dbx","expires_in":3600}"#,                                     Err(TokenType)),
            ("no end",                 r#"{"access_token":"dbx","token_type":"Bearer"}"#,                                 Err(ExpiresIn)),
            ("an end in a text",       r#"{"access_token":"dbx","token_type":"Bearer","expires_in":"3600"}"#,             Err(ExpiresIn)),
            ("over already",           r#"{"access_token":"dbx","token_type":"Bearer","expires_in":0}"#,                  Err(ExpiresIn)),
            ("two tokens",             r#"{"access_token":"dbx","access_token":"e","token_type":"Bearer","expires_in":1}"#, Err(NotJson)),
            ("not JSON",               "<html>",                                                                          Err(NotJson)),
            ("too large",              large.as_str(),                                                                    Err(TooLarge)),
        ];
        for (name, body, want) in cases {
            assert_eq!(parse(body.as_bytes()), want, "{name}");
        }
    }

    #[test]
    fn only_reasons_that_oauth_names_are_taken_over() {
        #[rustfmt::skip]
        let cases = [
            // body                                                             want
            (r#"{"error":"invalid_grant","error_description":"for ada"}"#,      Some(OauthError::InvalidGrant)),
            (r#"{"error":"invalid_target"}"#,                                   Some(OauthError::InvalidTarget)),
            (r#"{"error":"Invalid_Grant"}"#,                                    None),
            (r#"{"error":"eyJhbGciOiJSUzI1NiJ9.e30.c2ln"}"#,                    None),
            (r#"{"error_code":"PERMISSION_DENIED","message":"no"}"#,            None),
            ("no",                                                              None),
        ];
        for (body, want) in cases {
            assert_eq!(OauthError::of(body.as_bytes()), want, "{body}");
        }
        for error in OauthError::ALL {
            let body = format!(r#"{{"error":"{}"}}"#, error.as_str());
            assert_eq!(OauthError::of(body.as_bytes()), Some(error));
        }
    }
}
