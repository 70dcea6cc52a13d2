//! The records of decisions: whether the host's log takes them, and what follows where it does not.

use crate::audit::host_log::HostLog;
use crate::audit::record::Record;
use crate::audit::settings::{RecordFormat, RecordSettings};
use crate::audit::{compact, ocsf};

use super::host::Host;

/// Writes one worker's records.
pub(super) struct Records {
    /// Absent where no records are wanted.
    log: Option<HostLog>,
    format: RecordFormat,
    /// Whether the host's log took lines of the records' level when it was last asked.
    is_open: bool,
    /// How many records there were.
    sequence: u64,
    /// Records are written one after the other, so one buffer is enough for all.
    buffer: Vec<u8>,
}

impl Records {
    pub(super) fn new(settings: RecordSettings, host: &dyn Host) -> Self {
        let mut records = Self {
            log: settings.log,
            format: settings.format,
            is_open: true,
            sequence: 0,
            buffer: Vec::new(),
        };
        records.look(host);
        records
    }

    /// Asks the host which lines its log takes. An operator may change that at any time.
    pub(super) fn look(&mut self, host: &dyn Host) {
        let Some(log) = self.log else {
            return;
        };
        // A host that does not say takes none: nothing proves that a record would be kept.
        let taken = host.log_takes(log.level);
        let is_open = taken == Some(true);
        if self.is_open == is_open {
            return;
        }
        self.is_open = is_open;
        if is_open {
            log::warn!("audit: the gateway's log takes records again");
            return;
        }
        let why = if taken.is_none() {
            "the gateway does not say which lines its log takes: is `proxy_get_log_level` allowed by `capability_restriction_config`?"
        } else {
            "the gateway's log drops lines of `audit.level`: raise that level, or have the gateway log more of its wasm filters"
        };
        let consequence = if log.required {
            "every request is refused, because its decision would leave no record"
        } else {
            "decisions leave no record"
        };
        let level = log.level.as_str();
        host.log_critical(&format!("audit: {consequence}: {why} (`{level}`)"));
    }

    /// Whether decisions have to leave a record, and would leave none.
    pub(super) fn are_impossible(&self) -> bool {
        !self.is_open && self.log.is_some_and(|log| log.required)
    }

    /// The number of the next record. It counts also where that is dropped, so that its absence
    /// shows.
    pub(super) const fn next_sequence(&mut self) -> u64 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Writes a record, if records are wanted.
    pub(super) fn write(&mut self, record: &Record<'_>, host: &dyn Host) -> Written {
        let Some(log) = self.log else {
            return Written::Unwanted;
        };
        let buffer = std::mem::take(&mut self.buffer);
        let line = match self.format {
            RecordFormat::Compact => compact::line(record, buffer),
            RecordFormat::Ocsf => ocsf::line(record, buffer),
        };
        let is_written = host.write_record(log.level, record, &line);
        self.buffer = line;
        match (is_written && self.is_open, log.required) {
            (true, _) => Written::Kept,
            (false, false) => Written::Dropped,
            (false, true) => Written::Missing,
        }
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Written {
    /// The host's log has it.
    Kept,
    /// It has not, and the configuration does not mind.
    Dropped,
    /// It has not, and nothing may pass without one.
    Missing,
    /// None is wanted.
    Unwanted,
}
