//! Which numbers of one worker's sequence were seen, in whatever order they come.

use databricks_oam_filter::time::UnixTime;

/// The numbers, as runs without a gap, in order.
#[derive(Debug, Default)]
pub(super) struct Runs(Vec<Run>);

/// Numbers without a gap.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Run {
    pub(super) first: u64,
    pub(super) last: u64,
    /// When the first was recorded.
    pub(super) from: Option<UnixTime>,
    /// When the last was.
    pub(super) until: Option<UnixTime>,
}

/// What a number was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Added {
    /// Next to a run, or between two that it joins.
    Joined,
    /// The beginning of a run of its own.
    Apart,
    /// Seen before.
    Duplicate,
    /// No room for a run of its own.
    NoRoom,
}

impl Runs {
    /// Adds a number. `may_grow`: whether it may begin a run.
    pub(super) fn add(&mut self, number: u64, time: Option<UnixTime>, may_grow: bool) -> Added {
        let Self(runs) = self;
        // Nearly always the next number of the last run.
        let next = match runs.last() {
            Some(last) if last.first <= number => runs.len(),
            _ => runs.partition_point(|run| run.first <= number),
        };
        let before = next.checked_sub(1);
        let last_before = before
            .and_then(|before| runs.get(before))
            .map(|run| run.last);
        if last_before.is_some_and(|last| number <= last) {
            return Added::Duplicate;
        }
        let follows = last_before.is_some_and(|last| last.checked_add(1) == Some(number));
        let precedes = runs
            .get(next)
            .is_some_and(|run| number.checked_add(1) == Some(run.first));
        match (follows, precedes) {
            (true, true) => {
                let joined = runs.remove(next);
                self.extend(before, joined.last, joined.until);
            }
            (true, false) => self.extend(before, number, time),
            (false, true) => {
                if let Some(run) = runs.get_mut(next) {
                    (run.first, run.from) = (number, time);
                }
            }
            (false, false) if may_grow => {
                let run = Run {
                    first: number,
                    last: number,
                    from: time,
                    until: time,
                };
                runs.insert(next, run);
                return Added::Apart;
            }
            (false, false) => return Added::NoRoom,
        }
        Added::Joined
    }

    fn extend(&mut self, run: Option<usize>, last: u64, until: Option<UnixTime>) {
        if let Some(run) = run.and_then(|run| self.0.get_mut(run)) {
            (run.last, run.until) = (last, until);
        }
    }

    pub(super) fn as_slice(&self) -> &[Run] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_any_order_come_to_the_same_runs() {
        use Added::{Apart, Duplicate, Joined, NoRoom};
        #[rustfmt::skip]
        let cases = [
            // name                   numbers                 what the last one was   runs
            ("in order",              vec![1, 2, 3],          Joined,                 vec![(1, 3)]),
            ("backwards",             vec![3, 2, 1],          Joined,                 vec![(1, 3)]),
            ("a gap",                 vec![1, 2, 4],          Apart,                  vec![(1, 2), (4, 4)]),
            ("a gap that is closed",  vec![1, 2, 4, 3],       Joined,                 vec![(1, 4)]),
            ("twice",                 vec![1, 2, 3, 2],       Duplicate,              vec![(1, 3)]),
            ("twice, the last",       vec![1, 2, 2],          Duplicate,              vec![(1, 2)]),
            ("from the middle",       vec![7, 8, 5],          Apart,                  vec![(5, 5), (7, 8)]),
            ("before a run",          vec![7, 8, 6],          Joined,                 vec![(6, 8)]),
            ("no room for a fourth",  vec![1, 3, 5, 9],       NoRoom,                 vec![(1, 1), (3, 3), (5, 5)]),
            ("at both ends",          vec![u64::MAX, 0, u64::MAX], Duplicate,         vec![(0, 0), (u64::MAX, u64::MAX)]),
        ];
        for (name, numbers, want, want_runs) in cases {
            let (mut runs, mut last) = (Runs::default(), Joined);
            for number in numbers {
                let may_grow = runs.as_slice().len() < 3;
                last = runs.add(number, None, may_grow);
            }
            let found: Vec<_> = runs
                .as_slice()
                .iter()
                .map(|run| (run.first, run.last))
                .collect();
            assert_eq!((last, found), (want, want_runs), "{name}");
        }
    }
}
