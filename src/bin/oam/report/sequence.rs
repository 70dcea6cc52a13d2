//! Whether records are missing: each worker numbers its records from 1, without gaps, under each
//! configuration.

use databricks_oam_filter::time::UnixTime;
use hashbrown::HashMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::records::{Record, RecordPlace, shown};
use super::counts::moment;
use super::names::{Name, Names};
use super::runs::{Added, Run, Runs};

/// Follows the numbers of all workers.
pub(super) struct Sequences {
    /// Its own: texts of records would fill the other.
    names: Names,
    workers: HashMap<(Name, Name), Runs>,
    runs: usize,
    duplicates: u64,
    first_duplicates: Vec<Duplicate>,
    numbered: u64,
    unnumbered: u64,
    unchecked: u64,
}

/// What the numbers show.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct SequenceReport {
    /// Workers, each under one configuration. A restart makes a new one.
    pub(super) workers: usize,
    /// Records with a number.
    pub(super) numbered: u64,
    /// Records without one, from versions that wrote none: nothing shows whether some are missing.
    pub(super) unnumbered: u64,
    /// Records whose numbers were not followed, because there was no room.
    pub(super) unchecked: u64,
    /// Records that are missing between others.
    pub(super) missing: u64,
    /// Where they are missing, in the order of time.
    pub(super) gaps: Vec<Gap>,
    /// Workers whose first record here has a higher number than 1. Either their beginning is in
    /// other files, or it is missing.
    pub(super) late_beginnings: Vec<Beginning>,
    /// Records whose number was there before, which are not counted again: a file given twice, or a
    /// record that somebody else wrote.
    pub(super) duplicates: u64,
    pub(super) first_duplicates: Vec<Duplicate>,
}

/// Records missing between two others.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Gap {
    pub(super) worker: String,
    pub(super) config: String,
    /// The first number that is missing.
    pub(super) first: u64,
    /// The last one.
    pub(super) last: u64,
    /// The time of the record before them.
    #[serde(serialize_with = "moment")]
    #[schemars(with = "Option<String>")]
    pub(super) after: Option<UnixTime>,
    /// The time of the record behind them.
    #[serde(serialize_with = "moment")]
    #[schemars(with = "Option<String>")]
    pub(super) before: Option<UnixTime>,
}

/// The first record of a worker that does not begin with 1.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Beginning {
    pub(super) worker: String,
    pub(super) config: String,
    /// The number of its first record here.
    pub(super) sequence: u64,
    #[serde(serialize_with = "moment")]
    #[schemars(with = "Option<String>")]
    pub(super) time: Option<UnixTime>,
}

/// A record whose number was there before.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Duplicate {
    pub(super) worker: String,
    pub(super) config: String,
    pub(super) sequence: u64,
    /// Where the second one is.
    pub(super) file: String,
    pub(super) line: u64,
}

/// Whether a record's number was there before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Numbered {
    Again,
    Once,
}

impl Gap {
    /// How many records.
    pub(super) const fn records(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

impl Sequences {
    pub(super) fn new() -> Self {
        Self {
            names: Names::new(),
            workers: HashMap::new(),
            runs: 0,
            duplicates: 0,
            first_duplicates: Vec::new(),
            numbered: 0,
            unnumbered: 0,
            unchecked: 0,
        }
    }

    pub(super) fn add(
        &mut self,
        record: &Record<'_>,
        time: Option<UnixTime>,
        place: RecordPlace<'_>,
    ) -> Numbered {
        let (Some(worker), Some(sequence)) = (&record.worker, record.sequence) else {
            self.unnumbered = self.unnumbered.saturating_add(1);
            return Numbered::Once;
        };
        self.numbered = self.numbered.saturating_add(1);
        let config = self.names.of_optional(record.config.as_ref());
        let key = (self.names.of(worker.as_str()), config);
        let may_grow = self.runs < MOST_RUNS && !key.0.is_other() && !key.1.is_other();
        let added = match self.workers.get_mut(&key) {
            Some(runs) => runs.add(sequence, time, may_grow),
            None if may_grow => (self.workers.entry(key).or_default()).add(sequence, time, true),
            None => Added::NoRoom,
        };
        match added {
            Added::Joined => {}
            Added::Apart => self.runs = self.runs.saturating_add(1),
            Added::NoRoom => self.unchecked = self.unchecked.saturating_add(1),
            Added::Duplicate => {
                self.duplicate(key, sequence, place);
                return Numbered::Again;
            }
        }
        Numbered::Once
    }

    fn duplicate(&mut self, (worker, config): (Name, Name), sequence: u64, place: RecordPlace<'_>) {
        self.duplicates = self.duplicates.saturating_add(1);
        if self.first_duplicates.len() < MOST_NAMED {
            self.first_duplicates.push(Duplicate {
                worker: self.names.text(worker).to_owned(),
                config: self.names.text(config).to_owned(),
                sequence,
                file: shown(&place.file.display().to_string()).into(),
                line: place.line,
            });
        }
    }

    pub(super) fn finish(self) -> SequenceReport {
        let (mut gaps, mut late_beginnings) = (Vec::new(), Vec::new());
        for ((worker, config), runs) in &self.workers {
            let [worker, config] = [worker, config].map(|name| self.names.text(*name).to_owned());
            if let Some(Run {
                first: sequence @ 2..,
                from: time,
                ..
            }) = runs.as_slice().first().copied()
            {
                let (worker, config) = (worker.clone(), config.clone());
                late_beginnings.push(Beginning {
                    worker,
                    config,
                    sequence,
                    time,
                });
            }
            for pair in runs.as_slice().windows(2) {
                if let [before, behind] = pair {
                    gaps.push(Gap {
                        worker: worker.clone(),
                        config: config.clone(),
                        first: before.last.saturating_add(1),
                        last: behind.first.saturating_sub(1),
                        after: before.until,
                        before: behind.from,
                    });
                }
            }
        }
        gaps.sort_by(|a, b| (a.after, &a.worker, a.first).cmp(&(b.after, &b.worker, b.first)));
        late_beginnings.sort_by(|a, b| (a.time, &a.worker).cmp(&(b.time, &b.worker)));
        SequenceReport {
            workers: self.workers.len(),
            numbered: self.numbered,
            unnumbered: self.unnumbered,
            unchecked: self.unchecked,
            missing: gaps.iter().map(Gap::records).fold(0, u64::saturating_add),
            gaps,
            late_beginnings,
            duplicates: self.duplicates,
            first_duplicates: self.first_duplicates,
        }
    }
}

/// A hundred gateways of eight workers that are restarted each day for a third of a year, or as
/// many gaps. Each has 150 bytes.
const MOST_RUNS: usize = 100_000;

/// Duplicates that are named one by one. The rest is counted.
const MOST_NAMED: usize = 20;
