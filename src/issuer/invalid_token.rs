//! Every reason to refuse a token.

use std::fmt;

use crate::request::dpop::InvalidProof;
use crate::token::claims::ClaimError;
use crate::token::jws::JwsError;
use crate::token::signature::SignatureError;

/// Why a bearer token is not a valid access token. The record names the reason; the caller gets
/// [`InvalidToken::hint`] at most.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InvalidToken {
    /// Signed with an algorithm that the issuer may not use.
    Algorithm,
    /// Meant for somebody else.
    Audience,
    /// The claims set cannot be read.
    Claims(ClaimError),
    /// Given to a client that is not on the list.
    Client,
    /// Past its `exp`.
    Expired,
    /// An ID token: it says who signed in, not what they may do.
    IdToken,
    /// Its `iat` is still to come.
    IssuedInFuture,
    /// From nobody that the configuration names, or not from whom its key belongs to.
    Issuer,
    /// Longer from `iat` to `exp` than the issuer is allowed.
    Lifetime,
    /// Not a signed JWT.
    Malformed(JwsError),
    /// Without a claim that the issuer's profile requires.
    MissingClaim(&'static str),
    /// Before its `nbf`.
    NotYetValid,
    /// Longer than any token that is looked at.
    Oversized,
    /// Bound to a key that the caller did not prove to hold.
    Proof(InvalidProof),
    /// Bound to a certificate or a key of which the caller showed nothing, or to something that
    /// cannot be shown here (`cnf`).
    SenderConstrained,
    /// The signature does not hold.
    Signature(SignatureError),
    /// Its `typ` is not that of an access token.
    TokenType,
    /// Shown as one that is bound to a key, which it is not.
    Unbound,
    /// Signed with a key that no issuer published.
    UnknownKey,
    /// Valid, and withdrawn since.
    Withdrawn,
    /// Issued by Databricks for another workspace.
    Workspace,
}

impl InvalidToken {
    /// The stable name of this reason in audit records.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Algorithm => "algorithm_not_allowed",
            Self::Audience => "wrong_audience",
            Self::Claims(_) => "malformed_claims",
            Self::Client => "client_not_allowed",
            Self::Expired => "token_expired",
            Self::IdToken => "id_token",
            Self::IssuedInFuture => "token_issued_in_future",
            Self::Issuer => "unknown_issuer",
            Self::Lifetime => "token_lives_too_long",
            Self::Malformed(error) => error.code(),
            Self::MissingClaim(_) => "missing_claim",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Oversized => "token_too_long",
            Self::Proof(fault) => fault.code(),
            Self::SenderConstrained => "sender_constrained",
            Self::Signature(_) => "invalid_signature",
            Self::TokenType => "wrong_token_type",
            Self::Unbound => "token_not_bound",
            Self::UnknownKey => "unknown_key",
            Self::Withdrawn => "withdrawn_token",
            Self::Workspace => "token_for_another_workspace",
        }
    }

    /// The claim that is not as it has to be, where it is one, and what is wrong with it, for the
    /// audit record.
    pub const fn fault(&self) -> (Option<&str>, Option<&'static str>) {
        match self {
            Self::Claims(error) => (error.claim(), Some(error.fault())),
            Self::MissingClaim(name) => (Some(name), Some("missing")),
            Self::Algorithm
            | Self::Audience
            | Self::Client
            | Self::Expired
            | Self::IdToken
            | Self::IssuedInFuture
            | Self::Issuer
            | Self::Lifetime
            | Self::Malformed(_)
            | Self::NotYetValid
            | Self::Oversized
            | Self::Proof(_)
            | Self::SenderConstrained
            | Self::Signature(_)
            | Self::TokenType
            | Self::Unbound
            | Self::UnknownKey
            | Self::Withdrawn
            | Self::Workspace => (None, None),
        }
    }

    /// What the caller may know: nothing of a token whose signature did not hold, since each answer
    /// would teach a forger.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Expired => {
                "The access token has expired: get a new one from your identity provider."
            }
            Self::IdToken => {
                "An ID token was sent: send the access token that your identity provider issues for Databricks."
            }
            Self::Audience => {
                "The access token was issued for another service: ask your identity provider for one for Databricks."
            }
            Self::Workspace => {
                "The access token was issued for another workspace: sign in to this one, or use the host of the other."
            }
            Self::SenderConstrained => {
                "The access token is bound to a key and cannot be used as a plain bearer token."
            }
            Self::Proof(_) => {
                "The DPoP proof was refused: make one for each request, with the key that the access token is bound to."
            }
            Self::Unbound => {
                "The access token is bound to no key: send it as `Authorization: Bearer <token>`."
            }
            Self::Algorithm
            | Self::Claims(_)
            | Self::Client
            | Self::IssuedInFuture
            | Self::Issuer
            | Self::Lifetime
            | Self::Malformed(_)
            | Self::MissingClaim(_)
            | Self::NotYetValid
            | Self::Oversized
            | Self::Signature(_)
            | Self::TokenType
            | Self::UnknownKey
            | Self::Withdrawn => {
                "The access token was refused: sign in again to get a new one from your identity provider."
            }
        }
    }
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claims(error) => write!(f, "{error}"),
            Self::Malformed(error) => write!(f, "{error}"),
            Self::Signature(error) => write!(f, "{error}"),
            Self::MissingClaim(name) => write!(f, "the claim `{name}` is missing"),
            Self::Proof(InvalidProof::Invalid(error)) => write!(f, "{error}"),
            Self::Algorithm
            | Self::Audience
            | Self::Client
            | Self::Expired
            | Self::IdToken
            | Self::IssuedInFuture
            | Self::Issuer
            | Self::Lifetime
            | Self::NotYetValid
            | Self::Oversized
            | Self::Proof(_)
            | Self::SenderConstrained
            | Self::TokenType
            | Self::Unbound
            | Self::UnknownKey
            | Self::Withdrawn
            | Self::Workspace => f.write_str(self.code()),
        }
    }
}

impl From<ClaimError> for InvalidToken {
    fn from(error: ClaimError) -> Self {
        Self::Claims(error)
    }
}

impl From<JwsError> for InvalidToken {
    fn from(error: JwsError) -> Self {
        Self::Malformed(error)
    }
}

impl From<SignatureError> for InvalidToken {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}
