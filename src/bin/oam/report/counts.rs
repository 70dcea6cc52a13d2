//! What is counted of records: how many, from when until when, and what came of them.

use std::collections::BTreeMap;

use databricks_oam_filter::time::UnixTime;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::super::records::{Decided, Enforcement, Record, beginning, shown};

/// What came of a request.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Outcome {
    Allowed,
    /// Let through unverified, because its class of credentials is observed.
    Observed,
    Refused,
    /// Let through, and refused once the rule or the policy is enforced.
    Shadowed,
}

impl Outcome {
    pub(super) fn of(record: &Record<'_>) -> Self {
        match (record.decision, record.mode) {
            (Decided::Allow, _) if record.reason.as_str().ends_with(OBSERVED) => Self::Observed,
            (Decided::Allow, _) => Self::Allowed,
            (Decided::Deny, Enforcement::Enforce) => Self::Refused,
            (Decided::Deny, Enforcement::Shadow) => Self::Shadowed,
        }
    }

    /// Whether the request went upstream.
    pub(super) const fn went_upstream(self) -> bool {
        !matches!(self, Self::Refused)
    }
}

/// How many records of each outcome.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Outcomes {
    /// Allowed by the policy.
    pub(super) allowed: u64,
    /// Let through unverified, because static tokens of that class are observed.
    pub(super) observed: u64,
    /// Refused.
    pub(super) refused: u64,
    /// Let through in shadow mode; enforcement refuses them.
    pub(super) shadowed: u64,
}

impl Outcomes {
    pub(super) const fn add(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Allowed => &mut self.allowed,
            Outcome::Observed => &mut self.observed,
            Outcome::Refused => &mut self.refused,
            Outcome::Shadowed => &mut self.shadowed,
        };
        *count = count.saturating_add(1);
    }

    /// All that went upstream.
    pub(super) const fn went_upstream(&self) -> u64 {
        self.allowed
            .saturating_add(self.observed)
            .saturating_add(self.shadowed)
    }
}

/// How many records, the first and the last of them.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Occurrences {
    /// How many.
    pub(super) records: u64,
    /// When the first of them was decided; absent where no record has a time.
    #[serde(serialize_with = "moment", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) first: Option<UnixTime>,
    /// When the last was.
    #[serde(serialize_with = "moment", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub(super) last: Option<UnixTime>,
}

impl Occurrences {
    pub(super) fn add(&mut self, time: Option<UnixTime>) {
        self.records = self.records.saturating_add(1);
        let earliest = |first: UnixTime| time.map_or(first, |time| first.min(time));
        self.first = self.first.map(earliest).or(time);
        self.last = self.last.max(time);
    }

    /// Adds what another row counted.
    pub(super) fn merge(&mut self, other: &Self) {
        self.records = self.records.saturating_add(other.records);
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
    }
}

/// A moment as records write it.
#[expect(clippy::ref_option, reason = "serde passes references")]
pub(super) fn moment<S: Serializer>(
    moment: &Option<UnixTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    moment
        .map(|moment| moment.to_string())
        .serialize(serializer)
}

/// Texts that callers choose: the first so many that occur, and how often each did.
#[derive(Clone, Debug, Default)]
pub(super) struct FewTexts {
    texts: BTreeMap<Box<str>, u64>,
    /// Records with another one.
    others: u64,
}

/// A text, and in how many records it occurs.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Frequent {
    /// The text, its beginning where it is long; `(others)` for those that no room was kept for.
    pub(super) text: String,
    pub(super) records: u64,
}

impl FewTexts {
    /// Counts a text among no more than so many.
    pub(super) fn add(&mut self, text: &str, most: usize) {
        let text = beginning(text);
        if let Some(count) = self.texts.get_mut(text) {
            *count = count.saturating_add(1);
        } else if self.texts.len() < most {
            self.texts.insert(text.into(), 1);
        } else {
            self.others = self.others.saturating_add(1);
        }
    }

    /// The most frequent first, the others last.
    pub(super) fn finish(&self) -> Vec<Frequent> {
        let frequent = |(text, records): (&str, u64)| Frequent {
            text: shown(text).into(),
            records,
        };
        let texts = self.texts.iter().map(|(text, records)| (&**text, *records));
        let mut all: Vec<Frequent> = texts.map(frequent).collect();
        all.sort_by_key(|frequent| std::cmp::Reverse(frequent.records));
        if self.others > 0 {
            all.push(Frequent {
                text: "(others)".to_owned(),
                records: self.others,
            });
        }
        all
    }
}

/// How reasons end of what was let through unverified.
const OBSERVED: &str = "_observed";
