//! How records are written, and where to.

use super::host_log::LogLevel;
use super::otlp::Collector;

/// What the configuration says of records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordSettings {
    /// The shape of a record.
    pub format: RecordFormat,
    /// The level of the host's log at which they are written there; not at all, when absent.
    pub log: Option<LogLevel>,
    /// The collector to which they go besides; none, when absent.
    pub collector: Option<Collector>,
    /// Whether a request is refused whose decision would leave no record.
    pub required: bool,
    /// Whether records say what the policy judged by.
    pub inputs: bool,
    /// Whether each decision's ID and reason go to the host's own log.
    pub access_log: bool,
}

/// The shape of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordFormat {
    /// Our own, one flat object.
    Compact,
    /// An event of OCSF.
    Ocsf,
}
