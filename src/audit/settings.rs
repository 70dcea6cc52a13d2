//! How records are written, and where to.

use super::host_log::HostLog;

/// What the configuration says of records.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RecordSettings {
    /// The shape of a record.
    pub format: RecordFormat,
    /// The host's log, where records are wanted in it.
    pub log: Option<HostLog>,
    /// Whether records say what the policy judged by.
    pub inputs: bool,
}

/// The shape of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecordFormat {
    /// Our own, one flat object.
    Compact,
    /// An event of OCSF.
    Ocsf,
}
