//! A callout under way: which answer is its own, and until when one may come.

use std::time::Duration;

use crate::time::clock::{Reading, Timer};

/// A callout under way.
pub(crate) struct Flight {
    number: u64,
    sent_at: Reading,
    lost: Timer,
}

impl Flight {
    /// One that was sent now, under a number that no other of its purpose has.
    pub(crate) fn new(number: u64, sent_at: Reading, timeout: Duration) -> Self {
        Self {
            number,
            sent_at,
            lost: Timer::new(sent_at, longest(timeout)),
        }
    }

    /// Whether an answer under this number is its own.
    pub(crate) const fn is(&self, number: u64) -> bool {
        self.number == number
    }

    /// When it was sent.
    pub(crate) const fn sent_at(&self) -> Reading {
        self.sent_at
    }

    /// Until when an answer may come.
    pub(crate) const fn lost(&self) -> Timer {
        self.lost
    }

    /// Whether no answer will come any more.
    pub(crate) const fn is_lost(&self, now: Reading) -> bool {
        self.lost.is_over(now)
    }
}

/// How long a callout of this timeout may take until its answer is reported.
pub(crate) const fn longest(timeout: Duration) -> Duration {
    timeout.saturating_add(ANSWER_GRACE)
}

/// What is said of an answer to a callout that was given up.
pub(crate) const GIVEN_UP: &str = "the answer came after the request was given up";

/// How long after its timeout a callout may still report.
const ANSWER_GRACE: Duration = Duration::from_secs(2);
