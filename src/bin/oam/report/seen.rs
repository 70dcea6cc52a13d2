//! One record on its way through the tables.

use databricks_oam_filter::time::UnixTime;

use super::super::records::{Record, Text};
use super::counts::Outcome;
use super::names::{Name, Names};
use super::who::Who;

/// A record, and what every table needs of it.
pub(super) struct Seen<'r> {
    pub(super) record: &'r Record<'r>,
    /// Absent where the gateway had no clock.
    pub(super) time: Option<UnixTime>,
    pub(super) outcome: Outcome,
    pub(super) who: Who,
    pub(super) operation: Name,
    pub(super) workspace: Name,
    pub(super) config: Name,
}

impl<'r> Seen<'r> {
    pub(super) fn new(record: &'r Record<'r>, time: Option<UnixTime>, names: &mut Names) -> Self {
        Self {
            record,
            time,
            outcome: Outcome::of(record),
            who: Who::of(record, names),
            operation: names.of_optional(record.operation.as_ref()),
            workspace: names.of_optional(record.workspace.as_ref()),
            config: names.of_optional(record.config.as_ref()),
        }
    }
}

/// What a text is taken for that may be absent.
pub(super) fn or_empty<'t>(text: Option<&'t Text<'_>>) -> &'t str {
    text.map_or("", Text::as_str)
}
