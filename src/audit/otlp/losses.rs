//! Records that will not arrive, and the notices that report them to the collector.
//!
//! Each loss is in one notice. A notice gets its ID and its counts when it is first sent, and keeps
//! both until the collector confirms it: a collector that took it and confirmed too late gets the
//! same notice again and can drop it. What is lost meanwhile goes into the next one.

/// How many records will not arrive.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Losses {
    /// Those that the queue had no room for.
    pub(super) dropped: u64,
    /// Those that the collector refused.
    pub(super) rejected: u64,
}

/// A report of losses, which counts once however often it is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Notice {
    /// No other notice has it, of whichever worker.
    pub(super) id: Box<str>,
    pub(super) losses: Losses,
}

/// What the collector has not confirmed.
pub(super) struct Unreported {
    /// What no notice says yet.
    new: Losses,
    /// The oldest first. More than one where other exporters left theirs.
    notices: Vec<Notice>,
    seed: u64,
    number: u64,
}

impl Losses {
    pub(super) const NONE: Self = Self {
        dropped: 0,
        rejected: 0,
    };

    pub(super) const fn total(self) -> u64 {
        self.dropped.saturating_add(self.rejected)
    }

    const fn add(&mut self, other: Self) {
        self.dropped = self.dropped.saturating_add(other.dropped);
        self.rejected = self.rejected.saturating_add(other.rejected);
    }
}

impl Unreported {
    /// Nothing. `seed` is a number that no other worker has.
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            new: Losses::NONE,
            notices: Vec::new(),
            seed,
            number: 0,
        }
    }

    pub(super) const fn add(&mut self, losses: Losses) {
        self.new.add(losses);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.notices.is_empty() && self.new.total() == 0
    }

    /// How many records it is about.
    pub(super) fn total(&self) -> u64 {
        let sent = self.notices.iter().map(|notice| notice.losses.total());
        sent.fold(self.new.total(), u64::saturating_add)
    }

    /// The notices to send. Those that were sent before come alone: a new one beside them would be
    /// sent as often as they are.
    pub(super) fn notices(&mut self) -> &[Notice] {
        if self.notices.is_empty() && self.new.total() > 0 {
            self.number = self.number.wrapping_add(1);
            self.notices.push(Notice {
                id: format!("{:016x}-{}", self.seed, self.number).into(),
                losses: std::mem::take(&mut self.new),
            });
        }
        &self.notices
    }

    /// The collector has the first so many.
    pub(super) fn confirm(&mut self, notices: usize) {
        self.notices.drain(..notices.min(self.notices.len()));
    }

    /// Takes over what another has not reported. Its notices keep their IDs: one may be under way.
    pub(super) fn adopt(&mut self, former: Self) {
        self.new.add(former.new);
        for notice in former.notices {
            if self.notices.len() < MOST_NOTICES {
                self.notices.push(notice);
            } else {
                self.new.add(notice.losses);
            }
        }
    }
}

/// Each handing over may leave one more while the collector is away. These are 150 KiB in a
/// request; losses of further ones go into a new notice and may be reported twice.
const MOST_NOTICES: usize = 512;
