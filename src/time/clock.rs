//! What has passed between looks at a clock that somebody may set.
//!
//! Hosts tell the time of day, and nothing that only counts up. Tokens name times of day and are
//! held against that. Waits, intervals and ages must not follow it when it is set: so a [`Clock`]
//! counts what has passed from one look to the next, and a [`Timer`] is over by that count. A clock
//! that was set leaves doubt about how much has passed, which is why there are two counts: what
//! *may* have passed is for what must not come late, as a refresh; what *surely* has passed is for
//! what one wrong reading must not bring about, as keys that are too old.

use std::time::Duration;

use super::{MAX_DURATION_MILLIS, UnixTime, millis};

/// A clock of the host's, as it was read so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    last: Option<Reading>,
}

/// One look at the clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The time of day.
    pub wall: UnixTime,
    /// The most milliseconds that may have passed since the first look.
    most: u64,
    /// Those that surely have.
    least: u64,
}

/// A span that began with a reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timer {
    most: u64,
    least: u64,
    span: u64,
}

impl Clock {
    /// One that was not read yet.
    pub const fn new() -> Self {
        Self { last: None }
    }

    /// Takes what the clock says now.
    pub fn read(&mut self, now: UnixTime) -> Reading {
        let reading = self.peek(now);
        self.last = Some(reading);
        reading
    }

    /// What [`Clock::read`] would make of `now`.
    pub fn peek(&self, now: UnixTime) -> Reading {
        let (most, least) = self.last.map_or((0, 0), |last| {
            let passed = millis(now.since(last.wall));
            let back = millis(last.wall.since(now));
            // How much has passed where the clock was set back is anybody's guess.
            let passed_at_most = if back >= LEAST_STEP { A_STEP } else { passed };
            (
                last.most.saturating_add(passed_at_most),
                last.least.saturating_add(passed.min(LONGEST_GAP)),
            )
        });
        Reading {
            wall: now,
            most,
            least,
        }
    }

    /// The last reading; before the first one, the epoch.
    pub fn last(&self) -> Reading {
        self.last.unwrap_or(Reading {
            wall: UnixTime::EPOCH,
            most: 0,
            least: 0,
        })
    }
}

impl Timer {
    /// Over from the start.
    pub const OVER: Self = Self {
        most: 0,
        least: 0,
        span: 0,
    };

    /// A span from this reading on.
    pub fn new(since: Reading, span: Duration) -> Self {
        Self {
            most: since.most,
            least: since.least,
            span: millis(span),
        }
    }

    /// Whether the span may have passed. A clock that was set back ends every span: nothing is due
    /// later than an interval after it was set.
    pub const fn may_be_over(self, now: Reading) -> bool {
        now.most.saturating_sub(self.most) >= self.span
    }

    /// Whether the span has surely passed: seen in small steps, and not read off one look.
    pub const fn is_over(self, now: Reading) -> bool {
        now.least.saturating_sub(self.least) >= self.span
    }

    /// How long until it [may be over](Self::may_be_over).
    pub const fn left(self, now: Reading) -> Duration {
        let passed = now.most.saturating_sub(self.most);
        Duration::from_millis(self.span.saturating_sub(passed))
    }

    /// How long until it surely [is](Self::is_over).
    pub const fn left_at_most(self, now: Reading) -> Duration {
        let passed = now.least.saturating_sub(self.least);
        Duration::from_millis(self.span.saturating_sub(passed))
    }
}

/// Three times what lies between two looks, since workers tick each second. A clock that is further
/// ahead was set, or the worker was stopped.
const LONGEST_GAP: u64 = 3000;

/// A clock that is further back was set. Below this it may be two looks that change places.
const LEAST_STEP: u64 = 1000;

/// Longer than any span of the configuration's.
const A_STEP: u64 = MAX_DURATION_MILLIS;

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000_000;
    const HOUR: i64 = 3_600_000;
    const YEARS: i64 = 5 * 365 * 24 * HOUR;

    fn at(offset: i64) -> UnixTime {
        UnixTime::from_millis(START.checked_add_signed(offset).unwrap()).unwrap()
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_timer_goes_by_what_has_passed_however_the_clock_is_set() {
        // Of a timer of ten seconds: whether it may be over, and whether it is.
        #[rustfmt::skip]
        let cases: [(&str, &[i64], bool, bool); 17] = [
            // name                                    readings, from the start in ms
            // may    is
            ("nothing has passed",                     &[0],                                                      false, false),
            ("seconds",                                &[2000, 4000, 6000, 8000, 9999],                           false, false),
            ("to the millisecond",                     &[2000, 4000, 6000, 8000, 10_000],                         true,  true),
            ("two looks that change places",           &[2000, 1001, 3000, 5000, 7000, 9000],                     false, false),
            ("the same, and the rest",                 &[2000, 1001, 3000, 5000, 7000, 9001],                     true,  true),
            ("set back by a second",                   &[2000, 1000],                                             true,  false),
            ("a second back, watched",                 &[2000, 1000, 3000, 5000, 7000, 8999],                     true,  false),
            ("the same, and the rest",                 &[2000, 1000, 3000, 5000, 7000, 9000],                     true,  true),
            ("set back by an hour",                    &[1000, 1000 - HOUR],                                      true,  false),
            ("an hour back, watched",                  &[-HOUR, 3000 - HOUR, 6000 - HOUR, 9000 - HOUR, 10_000 - HOUR], true, true),
            ("set back by years",                      &[-YEARS],                                                 true,  false),
            ("set ahead by seconds",                   &[9000],                                                   false, false),
            ("set ahead by an hour",                   &[HOUR],                                                   true,  false),
            ("set ahead by years, and back",           &[YEARS, 1000],                                            true,  false),
            ("years ahead, watched",                   &[YEARS, YEARS + 3000, YEARS + 6000, YEARS + 9000],        true,  true),
            ("to and fro",                             &[HOUR, 0, HOUR],                                          true,  false),
            ("a clock that stands still",              &[0, 0, 0, 0, 0],                                          false, false),
        ];
        for (name, readings, may, is) in cases {
            let mut clock = Clock::new();
            let timer = Timer::new(clock.read(at(0)), secs(10));
            let mut now = clock.last();
            for offset in readings {
                assert_eq!(clock.peek(at(*offset)).wall, at(*offset), "{name}");
                now = clock.read(at(*offset));
            }
            assert_eq!(
                (timer.may_be_over(now), timer.is_over(now)),
                (may, is),
                "{name}"
            );
            assert_eq!(timer.left(now).is_zero(), may, "{name}");
            assert_eq!(timer.left_at_most(now).is_zero(), is, "{name}");
        }
    }

    #[test]
    fn what_is_set_after_a_step_goes_by_its_own_span() {
        for step in [4000, HOUR, YEARS, -4000, -HOUR, -YEARS] {
            let mut clock = Clock::new();
            clock.read(at(0));
            let timer = Timer::new(clock.read(at(step)), secs(2));
            let before = clock.read(at(step + 1999));
            assert!(
                !timer.may_be_over(before) && !timer.is_over(before),
                "{step}"
            );
            assert_eq!(timer.left(before), Duration::from_millis(1), "{step}");
            let then = clock.read(at(step + 2000));
            assert!(timer.may_be_over(then) && timer.is_over(then), "{step}");
        }
    }

    #[test]
    fn a_timer_that_is_over_needs_no_clock() {
        let unread = Clock::new().last();
        assert!(Timer::OVER.may_be_over(unread) && Timer::OVER.is_over(unread));
        let first = Clock::new().read(UnixTime::MAX);
        assert!(!Timer::new(first, Duration::MAX).may_be_over(first));
    }
}
