//! What can be wrong with a batch.

use std::fmt;

use crate::callout::flight;

/// Why records did not arrive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ExportFailure {
    /// The batch was given up before.
    GivenUp,
    /// It may take the batch later; it has this status.
    Later(u16),
    /// The collector took the batch but so many records, for the reason that it gave.
    Partial(u64, String),
    /// It refused the batch for good, with this status.
    Refused(u16),
}

impl fmt::Display for ExportFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GivenUp => f.write_str(flight::GIVEN_UP),
            Self::Partial(rejected, reason) if reason.is_empty() => {
                write!(f, "the collector rejected {rejected} records")
            }
            Self::Partial(rejected, reason) => {
                write!(f, "the collector rejected {rejected} records: `{reason}`")
            }
            Self::Refused(status) => write!(
                f,
                "the collector refused a batch with status {status}: check `audit.otlp.uri` and `audit.otlp.headers`"
            ),
            Self::Later(status) => write!(f, "the collector takes no records now: status {status}"),
        }
    }
}
