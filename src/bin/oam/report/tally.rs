//! All that is counted of the records, and the report that comes of it.

use databricks_oam_filter::time::UnixTime;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::records::{Broken, Reading, Record, RecordPlace};
use super::agents::{AgentCounts, AgentReport};
use super::counts::{Occurrences, Outcome, Outcomes, moment};
use super::days::{Day, Days};
use super::grants::{GrantReport, GrantUses};
use super::moments::Moments;
use super::names::{Name, Names};
use super::refusals::{RefusalCounts, Refusals};
use super::seen::Seen;
use super::sequence::{Numbered, SequenceReport, Sequences};
use super::table::{Counted, LeftOut, Table};
use super::tokens::{StaticTokens, TokenUses};
use super::workspaces::{Work, WorkspaceUse};

/// Counts records.
pub(super) struct Tally {
    period: Period,
    moments: Moments,
    names: Names,
    occurrences: Occurrences,
    outcomes: Outcomes,
    without_time: u64,
    outside: u64,
    configs: Table<Name, Occurrences>,
    days: Days,
    tokens: TokenUses,
    refused: RefusalCounts,
    shadowed: RefusalCounts,
    grants: GrantUses,
    agents: AgentCounts,
    work: Work,
    sequences: Sequences,
}

/// Which records are counted: from a moment on, and before another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Period {
    pub(super) since: Option<UnixTime>,
    pub(super) until: Option<UnixTime>,
}

/// What audit records show.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(title = "Report on audit records")]
pub(super) struct Report {
    pub(super) input: Input,
    /// What came of the requests.
    pub(super) outcomes: Outcomes,
    /// The configurations that decided, by the beginning of their SHA-256, the latest first.
    pub(super) configurations: Vec<ConfigUse>,
    /// The days that have records, in order.
    pub(super) days: Vec<Day>,
    /// Whether records are missing.
    pub(super) sequence: SequenceReport,
    /// Static tokens that are still used.
    pub(super) static_tokens: StaticTokens,
    /// What was refused.
    pub(super) refused: Refusals,
    /// What shadow mode let through and enforcement would refuse.
    pub(super) shadowed: Refusals,
    /// What is granted, and whether it was used.
    pub(super) grants: GrantReport,
    pub(super) agents: AgentReport,
    /// Who did what in which workspace, among requests that went upstream.
    pub(super) workspaces: Vec<WorkspaceUse>,
    pub(super) workspaces_left_out: LeftOut,
    /// Occurrences of names for which there was no room: they count as `(others)`.
    pub(super) names_left_out: u64,
}

/// What was read.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Input {
    /// The records that are counted.
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
    /// Only records from this moment on are counted.
    #[serde(serialize_with = "moment", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) since: Option<UnixTime>,
    /// Only records before this moment are counted.
    #[serde(serialize_with = "moment", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) until: Option<UnixTime>,
    /// Records that are not counted, because they are of another time.
    pub(super) outside: u64,
    /// Records without a time, of gateways without a clock: they are counted whatever the time.
    pub(super) without_time: u64,
    /// Lines, or records within lines, that cannot be read.
    pub(super) broken: u64,
    /// The first of them.
    pub(super) first_broken: Vec<Broken>,
    /// Lines of other programs, or of the gateway itself.
    pub(super) other_lines: u64,
    /// Lines in which the module says that the gateway's log drops records.
    pub(super) drop_notices: u64,
    /// Records that never arrived at a collector, by the module's own count.
    pub(super) lost: u64,
}

/// A configuration's time.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct ConfigUse {
    pub(super) config: String,
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
}

impl Tally {
    pub(super) fn new(period: Period) -> Self {
        Self {
            period,
            moments: Moments::default(),
            names: Names::new(),
            occurrences: Occurrences::default(),
            outcomes: Outcomes::default(),
            without_time: 0,
            outside: 0,
            configs: Table::of_at_most(MOST_CONFIGS),
            days: Days::default(),
            tokens: TokenUses::new(),
            refused: RefusalCounts::new(),
            shadowed: RefusalCounts::new(),
            grants: GrantUses::new(),
            agents: AgentCounts::new(),
            work: Work::new(),
            sequences: Sequences::new(),
        }
    }

    pub(super) fn add(&mut self, record: &Record<'_>, place: RecordPlace<'_>) {
        let time = record.time.as_ref();
        let time = time.and_then(|time| self.moments.read(time.as_str()));
        // Before the period: a number is not missing that is outside of it.
        let is_again = self.sequences.add(record, time, place) == Numbered::Again;
        if is_again || !self.period.has(time) {
            self.outside = self.outside.saturating_add(u64::from(!is_again));
            return;
        }
        let names = &mut self.names;
        let seen = Seen::new(record, time, names);
        if seen.time.is_none() {
            self.without_time = self.without_time.saturating_add(1);
        }
        self.occurrences.add(seen.time);
        self.outcomes.add(seen.outcome);
        self.configs.row(seen.config).add(seen.time);
        self.days.add(&seen);
        self.tokens.add(&seen);
        match seen.outcome {
            Outcome::Refused => self.refused.add(&seen, names),
            Outcome::Shadowed => self.shadowed.add(&seen, names),
            Outcome::Allowed | Outcome::Observed => {}
        }
        self.grants.add(&seen, names);
        self.agents.add(&seen, names);
        self.work.add(seen);
    }

    pub(super) fn finish(self, reading: Reading) -> Report {
        let names = &self.names;
        let (configs, _) = self.configs.finish();
        let config = |(config, occurrences): (Name, Occurrences)| ConfigUse {
            config: names.text(config).to_owned(),
            occurrences,
        };
        let mut configurations: Vec<ConfigUse> = configs.into_iter().map(config).collect();
        configurations.sort_by_key(|config| std::cmp::Reverse(config.occurrences.last));
        let (workspaces, workspaces_left_out) = self.work.finish(names);
        Report {
            input: Input {
                occurrences: self.occurrences,
                since: self.period.since,
                until: self.period.until,
                outside: self.outside,
                without_time: self.without_time,
                broken: reading.broken,
                first_broken: reading.first_broken,
                other_lines: reading.other_lines,
                drop_notices: reading.drop_notices,
                lost: reading.lost,
            },
            outcomes: self.outcomes,
            configurations,
            days: self.days.finish(),
            sequence: self.sequences.finish(),
            static_tokens: self.tokens.finish(),
            refused: self.refused.finish(names),
            shadowed: self.shadowed.finish(names),
            grants: self.grants.finish(names),
            agents: self.agents.finish(names),
            workspaces,
            workspaces_left_out,
            names_left_out: names.left_out,
        }
    }
}

impl Period {
    fn has(&self, time: Option<UnixTime>) -> bool {
        let Some(time) = time else {
            return true;
        };
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

impl Counted for Occurrences {
    fn records(&self) -> u64 {
        self.records
    }
}

/// A new one every few hours, for a year.
const MOST_CONFIGS: usize = 2_000;
