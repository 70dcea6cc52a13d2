//! How many records went which way.

/// What became of records since the last call of this. Those that still wait are in none of these.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// The collector has them.
    pub arrived: u64,
    /// The queue had no room for them.
    pub dropped: u64,
    /// The collector refused them.
    pub rejected: u64,
}

impl Tally {
    pub(super) const NONE: Self = Self {
        arrived: 0,
        dropped: 0,
        rejected: 0,
    };

    /// A batch arrived of which so many records were rejected.
    pub(super) const fn arrived(&mut self, records: u64, rejected: u64) {
        self.arrived = self
            .arrived
            .saturating_add(records.saturating_sub(rejected));
        self.rejected = self.rejected.saturating_add(rejected);
    }

    /// The queue had no room for a record.
    pub(super) const fn dropped(&mut self) {
        self.dropped = self.dropped.saturating_add(1);
    }
}
