//! What a request carries to prove who is calling, classified by shape alone.
//!
//! Nothing here is verified: a [`Credential::Jwt`] has three parts and no more is known of it.

use crate::bytes;
use crate::token::bearer::{BearerError, BearerToken};

use super::known::Known;
use super::secret::Strictest;
use super::token_reader::TokenReader;
use super::{AuthorizationError, Headers, RequestError, secret};

/// The one credential of a request. Holds secrets, so it is not `Debug`.
pub enum Credential<'a> {
    /// A token in three parts, and the scheme that it came in.
    Jwt(BearerToken<'a>, Scheme),
    /// A bearer token longer than any that is looked at.
    Oversized,
    /// Nothing at all.
    None,
    /// Something that nothing here can verify.
    Unverifiable(Unverifiable),
}

/// A credential that only Databricks, or nobody, can verify.
pub struct Unverifiable {
    /// What it is.
    pub kind: CredentialKind,
    /// In which form it came.
    pub form: CredentialForm,
    /// Its text, where that is a static token, long enough to be named by a fingerprint.
    pub token: Option<String>,
}

/// How a token is shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scheme {
    /// `Bearer` (RFC 6750 §2.1): whoever has it may show it.
    #[default]
    Bearer,
    /// `DPoP` (RFC 9449 §7.1): with a proof beside it.
    Dpop,
}

/// In which form a credential came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CredentialForm {
    /// `Basic`, readable.
    Basic,
    /// Behind `Bearer`.
    Bearer,
    /// In a scheme, or in a spelling of one, that is not read; what is no JWT in `DPoP`; and what
    /// holds several tokens.
    Other,
}

/// The kinds of credential, as audit records and the `credentials` setting name them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CredentialKind {
    /// `Basic`: a user name and a password.
    Basic,
    /// A bearer token of no known shape where Delta Sharing's recipients send theirs.
    DeltaSharingRecipient,
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
    /// An authentication scheme other than Basic, Bearer and DPoP.
    UnknownScheme,
}

impl<'a> Credential<'a> {
    /// Reads `Authorization`: absent or empty, or once, one scheme, one credential.
    pub(super) fn read(headers: &'a Headers, by: TokenReader<'_>) -> Result<Self, RequestError> {
        let (value, is_repeated) = headers.spelled(Known::AUTHORIZATION);
        let Some(value) = value.filter(|value| is_repeated || !value.is_empty()) else {
            return Ok(Self::None);
        };
        let credential = Self::read_one(value, by);
        // Envoy joins repeats with a comma before we see them. A token cannot have one, and no
        // other credential of ours does.
        let is_joined = !matches!(credential, Ok(Self::Jwt(..))) && value.contains(&b',');
        if is_repeated || is_joined {
            return Err(RequestError::Authorization(AuthorizationError::Repeated));
        }
        credential
    }

    fn read_one(value: &'a [u8], by: TokenReader<'_>) -> Result<Self, RequestError> {
        let malformed = RequestError::Authorization(AuthorizationError::Malformed);
        let Some(space) = value.iter().position(|&byte| byte == b' ') else {
            return Err(malformed);
        };
        let (scheme, rest) = value.split_at_checked(space).unwrap_or((value, &[]));
        // RFC 9110 §11.4: one space or more, and no other white space.
        let spaces = bytes::length_of_run(rest, |byte| byte == b' ');
        let text = rest.get(spaces..).unwrap_or_default();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return Self::bearer(text, by);
        }
        if scheme.eq_ignore_ascii_case(b"dpop") {
            return Self::bearer(text, by).map(Self::with_proof);
        }
        if text.is_empty() || scheme.is_empty() || !bytes::has_only(scheme, super::is_tchar) {
            return Err(malformed);
        }
        Ok(Self::Unverifiable(
            if scheme.eq_ignore_ascii_case(b"basic") {
                Unverifiable::basic(text)
            } else {
                Unverifiable::of(CredentialKind::UnknownScheme, CredentialForm::Other)
            },
        ))
    }

    /// The same credential, named for the path that it was sent to.
    pub(super) fn sent_to(mut self, path: &str) -> Self {
        if let Self::Unverifiable(found) = &mut self
            && found.kind == CredentialKind::Opaque
            && path.starts_with(DELTA_SHARING)
        {
            found.kind = CredentialKind::DeltaSharingRecipient;
        }
        self
    }

    /// The kind of this credential.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Jwt(..) => CredentialKind::Jwt,
            Self::None => CredentialKind::None,
            Self::Oversized => CredentialKind::Opaque,
            Self::Unverifiable(found) => found.kind,
        }
    }

    /// The same token in the scheme of those that are bound to a key. Nothing else can be.
    fn with_proof(self) -> Self {
        match self {
            Self::Jwt(token, _) => Self::Jwt(token, Scheme::Dpop),
            Self::Unverifiable(found) => Self::Unverifiable(Unverifiable {
                form: CredentialForm::Other,
                ..found
            }),
            Self::Oversized | Self::None => self,
        }
    }

    fn bearer(text: &'a [u8], by: TokenReader<'_>) -> Result<Self, RequestError> {
        // Read before the same bytes again: one comparison in place of three passes.
        if let Some(token) = by.known.recognize(text) {
            return Ok(Self::Jwt(token, Scheme::Bearer));
        }
        let token = match BearerToken::parse(text, by.max_bytes) {
            Ok(token) => token,
            Err(BearerError::TooLong(_)) => return Ok(Self::Oversized),
            Err(error) => return Err(error.into()),
        };
        // No static token has a dot.
        if bytes::count(text, b'.') == JWS_DOTS {
            return Ok(Self::Jwt(token, Scheme::Bearer));
        }
        let Some(found) = secret::strictest(token.as_str()) else {
            return Ok(Self::Unverifiable(Unverifiable::of(
                CredentialKind::Opaque,
                CredentialForm::Bearer,
            )));
        };
        if found.kind == CredentialKind::Jwt {
            // Something stands around it. Some server might take the JWT out, so it is malformed,
            // and not opaque.
            return Ok(Self::Jwt(token, Scheme::Bearer));
        }
        Ok(Self::Unverifiable(Unverifiable::by(
            found,
            CredentialForm::Bearer,
        )))
    }
}

impl Unverifiable {
    const fn of(kind: CredentialKind, form: CredentialForm) -> Self {
        Self {
            kind,
            form,
            token: None,
        }
    }

    /// A credential with a token in it. One with several proves nothing to anybody: some server
    /// would go by the one of them, and some by the other.
    fn by(found: Strictest, form: CredentialForm) -> Self {
        Self {
            kind: found.kind,
            form: if found.is_alone {
                form
            } else {
                CredentialForm::Other
            },
            token: found.token,
        }
    }

    /// Reads `user:password` in base64: a token in either is what the credential is, whatever
    /// stands beside it.
    ///
    /// In every spelling that a server might read, since a token that we overlooked would count as
    /// a password; token endpoints take both halves for form-encoded (RFC 6749 §2.3.1).
    fn basic(text: &[u8]) -> Self {
        let Some(decoded) = secret::base64(text) else {
            return Self::of(CredentialKind::Basic, CredentialForm::Other);
        };
        match secret::strictest(&String::from_utf8_lossy(&decoded)) {
            Some(found) => Self::by(found, CredentialForm::Basic),
            None => Self::of(CredentialKind::Basic, CredentialForm::Basic),
        }
    }
}

/// The JWT of a head that was read and judged, to be exchanged for another.
#[inline]
pub fn bearer_token(headers: &Headers) -> Option<BearerToken<'_>> {
    match Credential::read(headers, TokenReader::afresh(usize::MAX)) {
        Ok(Credential::Jwt(token, _)) => Some(token),
        Ok(Credential::None | Credential::Oversized | Credential::Unverifiable(_)) | Err(_) => None,
    }
}

/// Whether more spaces than one stand behind the scheme `Bearer`.
pub fn has_spaces(headers: &Headers) -> bool {
    let value = headers.spelled(Known::AUTHORIZATION).0;
    value.and_then(|value| value.get("Bearer ".len())) == Some(&b' ')
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Basic,
        Self::DeltaSharingRecipient,
        Self::Jwt,
        Self::None,
        Self::OauthSecret,
        Self::Opaque,
        Self::PersonalAccessToken,
        Self::RefreshToken,
        Self::UnknownScheme,
    ];

    /// Its place in [`Self::ALL`].
    pub const fn place(self) -> usize {
        match self {
            Self::Basic => 0,
            Self::DeltaSharingRecipient => 1,
            Self::Jwt => 2,
            Self::None => 3,
            Self::OauthSecret => 4,
            Self::Opaque => 5,
            Self::PersonalAccessToken => 6,
            Self::RefreshToken => 7,
            Self::UnknownScheme => 8,
        }
    }

    /// The name in audit records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::DeltaSharingRecipient => "delta_sharing_recipient",
            Self::Jwt => "jwt",
            Self::None => "none",
            Self::OauthSecret => "oauth_secret",
            Self::Opaque => "opaque",
            Self::PersonalAccessToken => "personal_access_token",
            Self::RefreshToken => "refresh_token",
            Self::UnknownScheme => "unknown_scheme",
        }
    }

    /// The reason in records where a credential of this kind is only observed.
    pub const fn observed(self) -> &'static str {
        match self {
            Self::Basic => "basic_observed",
            Self::DeltaSharingRecipient => "delta_sharing_recipient_observed",
            Self::PersonalAccessToken => "personal_access_token_observed",
            Self::Jwt
            | Self::None
            | Self::OauthSecret
            | Self::Opaque
            | Self::RefreshToken
            | Self::UnknownScheme => "credential_observed",
        }
    }

    /// Whether it is shown to a token endpoint and to nobody else, so that anywhere else it has
    /// leaked.
    pub const fn is_for_token_endpoints(self) -> bool {
        matches!(self, Self::OauthSecret | Self::RefreshToken)
    }
}

/// Where Databricks serves the Delta Sharing protocol.
const DELTA_SHARING: &str = "/api/2.0/delta-sharing/";

const JWS_DOTS: usize = 2;

#[cfg(test)]
mod tests;
