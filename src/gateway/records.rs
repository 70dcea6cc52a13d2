//! The records of decisions: in which shape and where to they are written, and what follows where
//! nobody takes them.

use crate::audit::host_log::LogLevel;
use crate::audit::otlp::{Exported, Exporter};
use crate::audit::record::{Record, words};
use crate::audit::settings::{RecordFormat, RecordSettings};
use crate::audit::{compact, ocsf};

use super::host::Host;

/// Writes one worker's records.
pub(super) struct Records {
    format: RecordFormat,
    /// Whether a request is refused whose decision would leave no record.
    required: bool,
    /// Absent where the host's log gets no records.
    log: Option<LogLevel>,
    /// Whether the host's log took lines of the records' level when that was last looked up.
    is_open: bool,
    /// Absent where no collector gets records.
    pub(super) exporter: Option<Exporter>,
    /// How many records there were.
    sequence: u64,
    /// Records are written one after the other, so one buffer is enough for all.
    buffer: String,
}

impl Records {
    pub(super) fn new(settings: &RecordSettings, host: &dyn Host) -> Self {
        let collector = settings.collector.clone();
        let mut records = Self {
            format: settings.format,
            required: settings.required,
            log: settings.log,
            is_open: true,
            exporter: collector.map(|collector| Exporter::new(collector, host.seed())),
            sequence: 0,
            buffer: String::new(),
        };
        records.look(host);
        records
    }

    /// Asks the host which lines its log takes. An operator may change that at any time, so where
    /// records are required and go nowhere else it is asked with each of them.
    pub(super) fn look(&mut self, host: &dyn Host) {
        let Some(level) = self.log else {
            return;
        };
        // A host that does not say takes none: nothing proves that a record would be kept.
        let taken = host.log_takes(level);
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
        let consequence = match (&self.exporter, self.required) {
            (Some(_), _) => "decisions leave their record with the collector alone",
            (None, true) => "every request is refused, because its decision would leave no record",
            (None, false) => "decisions leave no record",
        };
        let level = level.as_str();
        host.log_critical(&format!("audit: {consequence}: {why} (`{level}`)"));
    }

    /// Whether decisions have to leave a record, and would leave none.
    pub(super) fn are_impossible(&self) -> bool {
        let is_logged = self.log.is_some() && self.is_open;
        let is_queued = self.exporter.as_ref().is_some_and(Exporter::has_room);
        self.are_wanted() && self.required && !is_logged && !is_queued
    }

    const fn are_wanted(&self) -> bool {
        self.log.is_some() || self.exporter.is_some()
    }

    /// The number of the next record. It counts also where that is dropped, so that its absence
    /// shows.
    pub(super) const fn next_sequence(&mut self) -> u64 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Writes a record, if records are wanted.
    pub(super) fn write(&mut self, record: &Record<'_>, host: &dyn Host) -> Written {
        if !self.are_wanted() {
            return Written::Unwanted;
        }
        if self.required && self.exporter.is_none() {
            // A host takes a line that its log drops, so nothing else shows in time that it would.
            self.look(host);
        }
        let buffer = std::mem::take(&mut self.buffer);
        let line = match self.format {
            RecordFormat::Compact => compact::line(record, buffer),
            RecordFormat::Ocsf => ocsf::line(record),
        };
        let logs = |level| host.write_record(level, record, &line) && self.is_open;
        let is_logged = self.log.is_some_and(logs);
        let queue = |exporter: &mut Exporter| exporter.push(exported(record, &line));
        let is_queued = self.exporter.as_mut().is_some_and(queue);
        self.buffer = line;
        match (is_logged || is_queued, self.required) {
            (true, _) => Written::Kept,
            (false, false) => Written::Dropped,
            (false, true) => Written::Missing,
        }
    }
}

fn exported(record: &Record<'_>, line: &str) -> Exported {
    let (decision, _) = words(&record.decision.verdict);
    Exported {
        time: record.stamp.time,
        is_allowed: decision == "allow",
        trace_id: record.envelope.trace_id().map(Into::into),
        line: line.into(),
    }
}

/// What became of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Written {
    /// The host's log has it, or it is on its way to the collector.
    Kept,
    /// Nobody has it, and the configuration does not mind.
    Dropped,
    /// Nobody has it, and nothing may pass without one.
    Missing,
    /// None is wanted.
    Unwanted,
}
