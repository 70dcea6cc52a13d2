//! What can come of an exchange but a token.

use std::fmt;

use crate::callout::flight;

use super::{OauthError, Unusable};

/// Why an exchange brought nothing, for the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// It was given up before, or never sent.
    GivenUp,
    /// Nobody answered, or the host could not send the request.
    NoAnswer,
    /// The token endpoint refused, with this status and reason.
    Refused(u16, Option<OauthError>),
    /// The answer's status is neither a yes nor a no.
    Status(u16),
    /// A yes without a token that could be used.
    Unusable(Unusable),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GivenUp => f.write_str(flight::GIVEN_UP),
            Self::NoAnswer => f.write_str("no answer in time, or the connection was reset"),
            Self::Refused(status, Some(error)) => {
                write!(f, "refused with {status}, `{}`", error.as_str())
            }
            Self::Refused(status, None) => write!(f, "refused with {status}"),
            Self::Status(status) => write!(f, "answered {status} in place of 200"),
            Self::Unusable(error) => write!(f, "{error}"),
        }
    }
}
