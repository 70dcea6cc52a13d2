//! How many records there are of each day.

use std::collections::BTreeMap;

use databricks_oam_filter::time::UnixTime;
use schemars::JsonSchema;
use serde::Serialize;

use super::counts::Outcomes;
use super::seen::Seen;

/// Counts days.
#[derive(Default)]
pub(super) struct Days {
    days: BTreeMap<u64, DayCounts>,
    /// Records without a time, or of days for which there was no room.
    pub(super) left_out: u64,
}

#[derive(Clone, Copy, Default)]
struct DayCounts {
    outcomes: Outcomes,
    static_tokens: u64,
}

/// One day, in UTC.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Day {
    /// Days since 1970.
    #[serde(skip)]
    pub(super) number: u64,
    /// As `2026-11-23`.
    #[serde(rename = "day")]
    pub(super) date: String,
    #[serde(flatten)]
    pub(super) outcomes: Outcomes,
    /// Records with a static token, whatever came of them.
    pub(super) static_tokens: u64,
}

impl Days {
    pub(super) fn add(&mut self, seen: &Seen<'_>) {
        let day = seen.time.map(|time| time.seconds() / SECONDS_PER_DAY);
        let has_room = |day: &u64| self.days.len() < MOST_DAYS || self.days.contains_key(day);
        let Some(day) = day.filter(has_room) else {
            self.left_out = self.left_out.saturating_add(1);
            return;
        };
        let counts = self.days.entry(day).or_default();
        counts.outcomes.add(seen.outcome);
        if seen.record.credential_fingerprint.is_some() {
            counts.static_tokens = counts.static_tokens.saturating_add(1);
        }
    }

    /// The days that have records, in order.
    pub(super) fn finish(self) -> Vec<Day> {
        let day = |(number, counts): (u64, DayCounts)| Day {
            number,
            date: date(number),
            outcomes: counts.outcomes,
            static_tokens: counts.static_tokens,
        };
        self.days.into_iter().map(day).collect()
    }
}

/// The date so many days after 1970-01-01.
pub(super) fn date(number: u64) -> String {
    let moment = UnixTime::from_seconds(number.saturating_mul(SECONDS_PER_DAY));
    let moment = moment.unwrap_or(UnixTime::EPOCH).to_string();
    moment.chars().take(DATE).collect()
}

/// Ten years.
const MOST_DAYS: usize = 3660;

const SECONDS_PER_DAY: u64 = 86_400;

/// `2026-11-23`.
const DATE: usize = 10;
