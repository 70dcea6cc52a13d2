use std::time::Duration;

use proptest::prelude::*;

use process::{ISSUER, LEASE, Process};

use super::super::super::slot::LONGEST_LEASE;

mod process;

#[test]
fn a_start_costs_one_fetch_and_a_refresh_another() {
    for discovers in [false, true] {
        let requests = if discovers { 2 } else { 1 };
        let mut process = Process::new(9, discovers);
        process.run(Duration::from_millis(20), true);
        assert_eq!(process.versions(), [1; 9]);
        assert_eq!(process.fetches.len(), requests);
        process.version = 2;
        process.run(Duration::from_mins(11), true);
        assert_eq!(process.versions(), [2; 9]);
        assert_eq!(process.fetches.len(), requests * 2);
    }
}

#[test]
fn an_outage_costs_as_many_fetches_as_one_worker_makes() {
    let mut process = Process::new(9, false);
    process.run(Duration::from_mins(1), false);
    // 1, 2, 4, 8 s, then every 15 s, each less a quarter at most.
    assert!(
        (6..=9).contains(&process.fetches.len()),
        "{:?}",
        process.fetches
    );
    process.run(Duration::from_secs(16), true);
    assert_eq!(process.versions(), [1; 9]);
}

#[test]
fn an_unknown_key_id_on_every_worker_is_one_early_refresh_per_cool_down() {
    let mut process = Process::new(8, false);
    process.run(Duration::from_secs(1), true);
    process.version = 2;
    for second in 0..29 {
        for place in 0..8 {
            let now = process.now;
            let waits = process.workers[place].keys.refresh_early(ISSUER, now);
            assert!(second > 0 || waits, "{place}: a fetch is coming");
        }
        process.run(Duration::from_secs(1), true);
        assert_eq!(process.versions(), [2; 8], "after {second} s");
        assert_eq!(process.fetches.len(), 2, "after {second} s");
        for worker in &process.workers {
            assert!(
                !worker.keys.expects(ISSUER, process.now),
                "after {second} s"
            );
        }
    }
    process.version = 3;
    process.run(Duration::from_secs(2), true);
    let now = process.now;
    assert!(process.workers[5].keys.refresh_early(ISSUER, now));
    process.run(Duration::from_millis(1500), true);
    assert_eq!((process.versions(), process.fetches.len()), (vec![3; 8], 3));
}

#[test]
fn a_lease_is_taken_over_when_its_time_is_past() {
    let mut process = Process::new(2, false);
    process.look(0);
    process.write(0);
    process.send(0);
    process.replace(0);
    process.run(LEASE.saturating_sub(Duration::from_millis(10)), true);
    assert_eq!((process.versions(), process.fetches.len()), (vec![0; 2], 1));
    assert!(process.workers[1].keys.expects(ISSUER, process.now));
    process.run(Duration::from_millis(30), true);
    assert_eq!((process.versions(), process.fetches.len()), (vec![1; 2], 2));
}

#[test]
fn a_worker_that_cannot_send_leaves_it_to_another() {
    let mut process = Process::new(2, false);
    process.look(0);
    process.write(0);
    let now = process.now;
    let fetch = process.workers[0].keys.due(now).unwrap();
    process.workers[0].keys.on_unsent(&fetch, now);
    process.look(0);
    process.write(0);
    process.tick(1, true);
    process.wait(Duration::from_millis(10));
    assert_eq!(process.workers[0].keys.due(process.now), None);
    process.wait(Duration::from_secs(1));
    process.tick(0, true);
    assert_eq!((process.versions(), process.fetches.len()), (vec![1; 2], 1));
}

#[test]
fn a_worker_that_can_never_send_tries_later_and_later() {
    let mut process = Process::new(1, false);
    let end = process.now.after(Duration::from_mins(1));
    let mut tries = 0;
    while process.now < end {
        process.look(0);
        process.write(0);
        let now = process.now;
        if let Some(fetch) = process.workers[0].keys.due(now) {
            process.workers[0].keys.on_unsent(&fetch, now);
            tries += 1;
        }
        process.wait(Duration::from_millis(10));
    }
    assert!((6..=9).contains(&tries), "{tries}");
}

#[test]
fn a_clock_that_was_set_back_keeps_nobody_from_newer_keys() {
    let mut process = Process::new(3, false);
    process.run(Duration::from_millis(20), true);
    process.now = process.now.before(Duration::from_hours(1));
    process.rotate();
    process.replace(0);
    process.run(Duration::from_secs(2), true);
    assert_eq!(process.versions(), [2; 3]);
}

#[test]
fn however_the_clock_is_set_keys_come_within_a_refresh_and_for_few_fetches() {
    let hour = Duration::from_hours(1);
    for step in [Duration::from_secs(4), hour / 60, hour, hour * 24 * 365 * 5] {
        for is_ahead in [true, false] {
            let set = |process: &mut Process, is_ahead: bool| {
                process.now = if is_ahead {
                    process.now.after(step)
                } else {
                    process.now.before(step)
                };
            };
            let (second, name) = (Duration::from_secs(1), format!("{step:?}, {is_ahead}"));
            let mut process = Process::new(3, false);
            process.run_ticking(second, 60 * second, true);
            // One that holds the lease is lost, and the clock is set while it does.
            process.wait(Duration::from_mins(11));
            process.look(0);
            process.write(0);
            process.send(0);
            process.replace(0);
            set(&mut process, is_ahead);
            process.rotate();
            process.run_ticking(second, LONGEST_LEASE + 20 * second, true);
            assert_eq!(process.versions(), [2; 3], "{name}");
            // Two for those above, and one for each time that the clock is set.
            set(&mut process, !is_ahead);
            process.rotate();
            process.run_ticking(second, Duration::from_mins(11), true);
            assert_eq!(process.versions(), [3; 3], "{name}: set right again");
            let fetches = process.fetches.len();
            assert!((4..=6).contains(&fetches), "{name}: {fetches}");
        }
    }
}

#[test]
fn a_clock_that_was_set_back_prolongs_no_outage() {
    for seconds in [20, 60, 280, 3600] {
        let mut process = Process::new(3, false);
        process.run_ticking(Duration::from_secs(1), Duration::from_mins(1), false);
        assert_eq!(process.versions(), [0; 3]);
        process.now = process.now.before(Duration::from_secs(seconds));
        process.run_ticking(Duration::from_secs(1), Duration::from_secs(17), true);
        assert_eq!(process.versions(), [1; 3], "{seconds} s");
    }
}

#[test]
fn a_clock_that_was_set_back_by_seconds_brings_no_older_keys_back() {
    for seconds in 2..=6 {
        let mut process = Process::new(2, false);
        process.run(Duration::from_secs(1), true);
        process.now = process.now.before(Duration::from_secs(seconds));
        process.rotate();
        process.run(Duration::from_secs(3), true);
        assert_eq!(process.versions(), [2; 2], "{seconds} s");
    }
}

#[test]
fn what_cannot_be_is_nobodys_word() {
    let mut real = Process::new(1, false);
    real.run(Duration::from_millis(20), true);
    let (good, _) = real.shared.clone().unwrap();
    let word = |place: usize, value: u64| {
        let mut bytes = good.clone();
        bytes[place * 8..place * 8 + 8].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    let far = real.now.after(LONGEST_LEASE * 2).millis();
    let mut no_keys = good.clone();
    no_keys.truncate(64);
    #[rustfmt::skip]
    let cases = [
        // name                               what is there
        ("nothing",                           Vec::new()),
        ("not of ours",                       b"x".repeat(1000)),
        ("a head cut short",                  good[..63].to_vec()),
        ("no key set",                        no_keys),
        ("half a key set",                    good[..100].to_vec()),
        ("a lease that never ends",           word(1, far)),
        ("an early refresh yet to come",      word(5, far)),
        ("keys of tomorrow",                  word(6, far)),
    ];
    for (name, value) in cases {
        let mut process = Process::new(2, false);
        process.now = real.now;
        process.shared = Some((value, 7));
        process.run(Duration::from_millis(20), true);
        assert_eq!(
            (process.versions(), process.fetches.len()),
            (vec![1; 2], 1),
            "{name}"
        );
    }
    let mut process = Process::new(2, false);
    process.now = real.now;
    process.shared = Some((good, 7));
    process.run(Duration::from_millis(20), true);
    assert_eq!(
        (process.versions(), process.fetches.len()),
        (vec![1; 2], 0),
        "as it was"
    );
}

#[test]
fn alone_a_worker_fetches_for_itself() {
    let mut process = Process::new(2, false);
    process.look(0);
    process.write(0);
    process.workers[1].keys.stop_sharing(ISSUER);
    assert!(process.workers[1].keys.due(process.now).is_some());
    // A host that never lets a value be written.
    let mut process = Process::new(1, false);
    for _ in 0..2000 {
        process.look(0);
        process.shared = Some((
            Vec::new(),
            process.shared.map_or(1, |(_, version)| version + 1),
        ));
        process.write(0);
    }
    assert!(!process.workers[0].keys.is_sharing(ISSUER));
    assert!(process.workers[0].keys.due(process.now).is_some());
}

#[test]
fn a_lease_is_over_with_its_fetch() {
    let mut process = Process::new(2, true);
    process.look(0);
    process.write(0);
    process.send(0);
    process.answer(0, false);
    // Its own next try is due, and the lease would last; but it was given back with the failure,
    // though nobody was told so far.
    process.wait(Duration::from_secs(2));
    process.send(0);
    assert_eq!(process.fetches.len(), 1);
    process.run(Duration::from_millis(20), true);
    assert_eq!((process.versions(), process.fetches.len()), (vec![1; 2], 3));
}

/// What may happen next, and to which worker.
#[derive(Clone, Copy, Debug)]
enum Step {
    Answer(usize, bool),
    Early(usize),
    Look(usize),
    Replace(usize),
    Rotate,
    Send(usize),
    Wait(u64),
    Write(usize),
}

const WORKERS: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let place = 0..WORKERS;
    prop_oneof![
        8 => place.clone().prop_map(Step::Look),
        8 => place.clone().prop_map(Step::Write),
        8 => place.clone().prop_map(Step::Send),
        4 => (place.clone(), prop::bool::weighted(0.7)).prop_map(|(place, ok)| Step::Answer(place, ok)),
        2 => place.clone().prop_map(Step::Early),
        1 => place.prop_map(Step::Replace),
        1 => Just(Step::Rotate),
        3 => prop_oneof![0..20_u64, 500..3000_u64, 6000..9000_u64, 30_000..700_000_u64].prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// In whatever order workers look, write, send, hear, and die: one fetch to a lease, no key
    /// lost, and in the end all have the newest.
    #[test]
    fn any_order_of_steps_ends_well(steps in prop::collection::vec(step(), 1..120), discovers: bool) {
        let mut process = Process::new(u64::try_from(WORKERS).unwrap(), discovers);
        let mut newest = [0; WORKERS];
        for step in steps {
            match step {
                Step::Answer(place, succeeds) => process.answer(place, succeeds),
                Step::Early(place) => {
                    let now = process.now;
                    process.workers[place].keys.refresh_early(ISSUER, now);
                }
                Step::Look(place) => process.look(place),
                Step::Replace(place) => {
                    process.replace(place);
                    newest[place] = 0;
                }
                Step::Rotate => process.rotate(),
                Step::Send(place) => process.send(place),
                Step::Wait(millis) => process.wait(Duration::from_millis(millis)),
                Step::Write(place) => process.write(place),
            }
            for (before, after) in newest.iter_mut().zip(process.versions()) {
                prop_assert!(after >= *before, "keys {after} after {before}");
                *before = after;
            }
        }
        // Whatever was under way is lost; the longest back-off and the lease pass.
        for worker in &mut process.workers {
            worker.seen = None;
        }
        process.run_ticking(Duration::from_millis(250), Duration::from_secs(25), true);
        let held = process.versions();
        prop_assert!(held.iter().all(|&version| version > 0 && version == held[0]), "{held:?}");
        process.fetches.clear();
        process.rotate();
        process.wait(Duration::from_mins(10));
        process.run_ticking(Duration::from_millis(250), Duration::from_secs(25), true);
        prop_assert_eq!(process.versions(), vec![process.version; WORKERS]);
        let requests = if discovers { 2 } else { 1 };
        prop_assert_eq!(process.fetches.len(), requests);
    }
}
