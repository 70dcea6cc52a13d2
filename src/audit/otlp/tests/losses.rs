//! Losses are reported to collectors whole and once, whatever becomes of batches and answers.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "in a test that panic is a failure"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A collector that keeps what it gets.
#[derive(Default)]
struct Desk {
    records: BTreeSet<String>,
    /// The counts by ID.
    notices: BTreeMap<String, String>,
}

impl Desk {
    /// Takes what was sent. A notice that comes again must say the same again.
    fn take(&mut self, lines: Vec<String>) {
        for line in lines {
            let Some((id, counts)) = line.split_once(": ") else {
                self.records.insert(line);
                continue;
            };
            let former = self.notices.insert(id.to_owned(), counts.to_owned());
            assert!(former.is_none_or(|former| former == counts), "{line}");
        }
    }

    /// All that was reported to it: dropped, rejected.
    fn reported(&self) -> [u64; 2] {
        let counts = self.notices.values().map(|counts| {
            let mut words = counts.split(' ');
            [words.next(), words.nth(1)].map(|word| word.unwrap().parse::<u64>().unwrap())
        });
        counts.fold([0, 0], |[a, b], [c, d]| [a + c, b + d])
    }
}

#[test]
fn a_collector_that_confirms_too_late_gets_each_loss_once() {
    let (mut exporter, mut desk) = (exporter(bytes_of_one()), Desk::default());
    for line in ["a", "b", "c"] {
        exporter.push(record(line));
    }
    let mut now = 0;
    for _ in 0..6 {
        let sent = exporter.due(at(now)).unwrap();
        desk.take(lines(&sent));
        exporter.push(record("d"));
        exporter.on_failure(&sent, at(now + 1000));
        now += 60_000;
    }
    let want = BTreeMap::from([("notice 7-1".into(), "2 dropped, 0 rejected".into())]);
    assert_eq!(desk.notices, want);
    // It is well again, and gets the rest.
    for _ in 0..4 {
        let Some(sent) = exporter.due(at(now)) else {
            break;
        };
        desk.take(lines(&sent));
        assert_eq!(exporter.on_answer(&sent, &status(200), at(now)), Ok(()));
        now += 60_000;
    }
    assert_eq!(exporter.next_due(), None);
    assert_eq!(desk.reported(), [8, 0]);
    assert_eq!(desk.records, BTreeSet::from(["a".to_owned()]));
}

/// What becomes of a batch.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The collector takes it and says so.
    Confirmed,
    /// It takes it, and nobody hears of it.
    ConfirmedLate,
    /// It never gets it.
    Gone,
    /// It asks for patience.
    Later,
    /// It takes all but one record.
    Partial,
    /// It refuses all of it.
    Refused,
    /// The exporter ends while it is under way, and another one takes over.
    TakenOver,
}

fn fates() -> impl Strategy<Value = Vec<(u8, Fate)>> {
    use Fate::{Confirmed, ConfirmedLate, Gone, Later, Partial, Refused, TakenOver};
    let fate = prop::sample::select(vec![
        Confirmed,
        ConfirmedLate,
        Gone,
        Later,
        Partial,
        Refused,
        TakenOver,
    ]);
    vec((0..6_u8, fate), 0..40)
}

/// Plays the fates, then a collector that is well: what was reported to it, and what was counted.
fn play(fates: &[(u8, Fate)]) -> [[u64; 2]; 2] {
    let (mut seed, mut number, mut now) = (1, 0, 0);
    let new = |seed| Exporter::new(exporter(3 * bytes_of_one()).collector, seed);
    let (mut exporter, mut desk, mut counted) = (new(seed), Desk::default(), [0, 0]);
    let well = std::iter::repeat_n((0, Fate::Confirmed), 12);
    for (pushed, fate) in fates.iter().copied().chain(well) {
        for _ in 0..pushed {
            number += 1;
            exporter.push(record(&format!("{}", number % 10)));
        }
        now += 60_000;
        if let Some(sent) = exporter.due(at(now)) {
            let content = lines(&sent);
            match fate {
                Fate::Confirmed | Fate::ConfirmedLate | Fate::TakenOver => desk.take(content),
                Fate::Partial => desk.take(content.into_iter().skip(1).collect()),
                Fate::Gone | Fate::Later | Fate::Refused => {}
            }
            let answer = match fate {
                Fate::Confirmed => Some(status(200)),
                Fate::Partial => Some(partial()),
                Fate::Later => Some(status(503)),
                Fate::Refused => Some(status(400)),
                Fate::ConfirmedLate | Fate::Gone | Fate::TakenOver => None,
            };
            match answer {
                Some(answer) => drop(exporter.on_answer(&sent, &answer, at(now))),
                None if matches!(fate, Fate::TakenOver) => {}
                None => exporter.on_failure(&sent, at(now)),
            }
        }
        let tally = exporter.take_tally();
        counted = [counted[0] + tally.dropped, counted[1] + tally.rejected];
        if matches!(fate, Fate::TakenOver) {
            seed += 1;
            let former = std::mem::replace(&mut exporter, new(seed));
            exporter.adopt(former);
        }
    }
    assert_eq!(exporter.next_due(), None);
    [desk.reported(), counted]
}

proptest! {
    #[test]
    fn what_is_reported_is_what_was_lost(fates in fates()) {
        let [reported, counted] = play(&fates);
        prop_assert_eq!(reported, counted);
    }
}
