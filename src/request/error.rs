//! Why a head is refused before authentication: its stable names, and its message.

use std::fmt;

use crate::path::PathError;
use crate::token::bearer::BearerError;

use super::authority::AuthorityError;
use super::credential::CredentialKind;
use super::form::FormError;
use super::target::{QueryCredential, TargetError};
use super::workspace::SelectorError;

/// Why a head is refused before authentication.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RequestError {
    /// The `:authority` cannot be read in one way.
    Authority(AuthorityError),
    /// The `Authorization` header is not one scheme and one credential.
    Authorization(AuthorizationError),
    /// The body of a token request cannot be judged.
    Form(FormError),
    /// The method is not a token (RFC 9110 §9.1).
    Method,
    /// The host handed over no `:method`: it was called at the wrong moment, so nothing in the
    /// head can be trusted.
    NoMethod,
    /// There is no `:path`.
    NoPath,
    /// The path can be read in two ways, or not at all.
    Path(PathError),
    /// A byte outside printable ASCII, or a `#`, in the query.
    Query,
    /// A credential in the query, where logs and referrers keep it (RFC 6750 §2.3, RFC 9700
    /// §4.3.2).
    QueryCredential(QueryCredential),
    /// A header that may come once came more often.
    Repeated(&'static str),
    /// A header that carries a second credential.
    SecondCredential(&'static str),
    /// A token of a configured issuer, or what calls itself a bearer token, beside the credential
    /// of the request.
    SecondToken,
    /// A token in a header that is not for credentials, as gRPC metadata of any name.
    StrayCredential(CredentialKind),
    /// It asks to leave HTTP, by `Upgrade` or `CONNECT`, for something that this gateway lets
    /// nobody have here.
    Upgrade,
    /// The workspace is unknown.
    Workspace(SelectorError),
}

/// Why an `Authorization` header is refused as malformed (RFC 6750 §2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuthorizationError {
    /// Not a scheme, spaces, and a credential of the permitted characters.
    Malformed,
    /// Several values, or one with a comma in it: some server reads the first, some the last.
    Repeated,
}

impl RequestError {
    /// The stable name of this reason in audit records.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Authority(_) => "malformed_authority",
            Self::Authorization(AuthorizationError::Malformed) => "malformed_authorization",
            Self::Authorization(AuthorizationError::Repeated) => "repeated_authorization",
            Self::Form(FormError::Incomplete) => "incomplete_form",
            Self::Form(FormError::Late) => "form_timeout",
            Self::Form(FormError::NoRoom) => "no_room_for_form",
            Self::Form(FormError::Query) => "form_in_query",
            Self::Form(FormError::Repeated) => "repeated_parameter",
            Self::Form(FormError::Kind | FormError::Malformed | FormError::TooLong) => {
                "unreadable_form"
            }
            Self::Method => "malformed_method",
            Self::NoMethod => "internal_error",
            Self::NoPath => "missing_path",
            Self::Path(_) => "ambiguous_path",
            Self::Query => "malformed_query",
            Self::QueryCredential(_) => "credential_in_query",
            Self::Repeated(_) => "repeated_header",
            Self::SecondCredential(_) | Self::SecondToken | Self::StrayCredential(_) => {
                "second_credential"
            }
            Self::Upgrade => "upgrade_refused",
            Self::Workspace(SelectorError::Conflict) => "conflicting_workspace",
            Self::Workspace(SelectorError::Malformed) => "malformed_workspace",
        }
    }
}

impl RequestError {
    /// The kind of the credential for which the head is refused, where its shape tells.
    pub const fn credential(&self) -> Option<CredentialKind> {
        match self {
            Self::QueryCredential(QueryCredential::Shaped(kind)) | Self::StrayCredential(kind) => {
                Some(*kind)
            }
            Self::Authority(_)
            | Self::Authorization(_)
            | Self::Form(_)
            | Self::Method
            | Self::NoMethod
            | Self::NoPath
            | Self::Path(_)
            | Self::Query
            | Self::QueryCredential(QueryCredential::Named(_))
            | Self::Repeated(_)
            | Self::SecondCredential(_)
            | Self::SecondToken
            | Self::Upgrade
            | Self::Workspace(_) => None,
        }
    }
}

impl RequestError {
    /// Whether a credential stands where logs and other servers keep it.
    pub const fn is_leak(&self) -> bool {
        matches!(self, Self::QueryCredential(_) | Self::StrayCredential(_))
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authority(error) => write!(f, "{error}"),
            Self::Authorization(AuthorizationError::Malformed) => {
                f.write_str("the Authorization header is malformed: send `Bearer`, one space, and the access token")
            }
            Self::Authorization(AuthorizationError::Repeated) => {
                f.write_str("more than one credential in Authorization: send the header once, with one access token")
            }
            Self::Form(error) => write!(f, "{error}"),
            Self::Method => f.write_str("the method is not an HTTP method"),
            Self::NoMethod => f.write_str("the request could not be read"),
            Self::NoPath => f.write_str("the request names no path"),
            Self::Path(error) => write!(f, "{error}"),
            Self::Query => f.write_str("the query holds a byte that must be percent-encoded"),
            Self::QueryCredential(error) => write!(f, "{error}"),
            Self::Repeated(name) => write!(f, "the header `{name}` may be sent only once"),
            Self::SecondCredential(name) => write!(
                f,
                "the header `{name}` carries a second credential: send the access token in Authorization alone"
            ),
            Self::SecondToken => f.write_str(
                "a second token stands beside the credential of the request, in another header, in the query or in a trailer: send one access token, in Authorization"
            ),
            Self::StrayCredential(_) => f.write_str(
                "a token stands in a header beside Authorization: send an OAuth access token in Authorization alone, and renew the one that was sent"
            ),
            Self::Upgrade => f.write_str(
                "the request asks to leave HTTP (`Upgrade`, `CONNECT`), which only a web socket may, and only where the operation has one"
            ),
            Self::Workspace(error) => write!(f, "{error}"),
        }
    }
}

impl From<AuthorityError> for RequestError {
    fn from(error: AuthorityError) -> Self {
        Self::Authority(error)
    }
}

impl From<BearerError> for RequestError {
    fn from(_: BearerError) -> Self {
        Self::Authorization(AuthorizationError::Malformed)
    }
}

impl From<SelectorError> for RequestError {
    fn from(error: SelectorError) -> Self {
        Self::Workspace(error)
    }
}

impl From<TargetError> for RequestError {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Path(error) => Self::Path(error),
            TargetError::Query => Self::Query,
        }
    }
}
