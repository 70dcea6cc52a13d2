use super::*;
use crate::token::fingerprint::Fingerprint;

const NOW: u64 = 1_800_000_000;

fn moment(seconds: u64) -> UnixTime {
    let now = UnixTime::from_seconds(NOW).unwrap();
    now.after(Duration::from_secs(seconds))
}

fn key(name: &str) -> Thumbprint {
    Thumbprint::from_base64url(name).unwrap()
}

fn proof(id: &str, issued_at: UnixTime) -> Proof {
    Proof {
        method: "GET".into(),
        uri: "https://db.example/a".into(),
        token: Fingerprint::parse(&"0".repeat(64)).unwrap(),
        issued_at,
        expires_at: None,
        id: id.into(),
    }
}

const ONE: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
const OTHER: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

#[test]
fn a_proof_is_taken_once() {
    let replayed: Result<(), Denial> = Err(InvalidProof::Replayed.into());
    let mut seen = SeenProofs::new(RandomState::new());
    #[rustfmt::skip]
    let steps = [
        // name                          key    ID   request  want
        ("the first time",               ONE,   "a", 1,       Ok(())),
        ("the same request again",       ONE,   "a", 1,       Ok(())),
        ("the second time",              ONE,   "a", 2,       replayed.clone()),
        ("another ID",                   ONE,   "b", 2,       Ok(())),
        ("the same ID by another key",   OTHER, "a", 3,       Ok(())),
        ("that again",                   OTHER, "a", 4,       replayed),
    ];
    for (name, by, id, request, want) in steps {
        let got = seen.take(&proof(id, moment(0)), key(by), request, moment(1));
        assert_eq!(got, want, "{name}");
    }
    assert_eq!(seen.young.proofs.len(), 3);
}

/// A second after the other.
fn wait(seen: &mut SeenProofs, seconds: std::ops::RangeInclusive<u64>) {
    for second in seconds {
        seen.clock.read(moment(second));
    }
}

#[test]
fn memory_is_bounded_and_ends_with_the_window() {
    let mut seen = SeenProofs::new(RandomState::new());
    let mut request = 0;
    let mut take = |seen: &mut SeenProofs, issued_at, now| {
        request += 1;
        let proof = proof(&request.to_string(), moment(issued_at));
        seen.take(&proof, key(ONE), request, moment(now))
    };
    let full = Err(Denial::ProofsUnremembered);
    for turn in [0, 70] {
        wait(&mut seen, turn..=turn);
        for _ in 0..MAX_PROOFS {
            assert_eq!(take(&mut seen, turn, turn), Ok(()));
        }
        assert_eq!(seen.young.proofs.len(), MAX_PROOFS);
        assert!(seen.young.proofs.allocation_size() <= 2_300_000);
        assert!(seen.old.proofs.len() <= MAX_PROOFS);
        assert_eq!(take(&mut seen, turn, turn), full);
        wait(&mut seen, turn..=turn + 69);
        assert_eq!(take(&mut seen, turn + 69, turn + 69), full);
    }
    assert_eq!(seen.old.proofs.len(), MAX_PROOFS);
    // Of the first ones none is fresh any more.
    wait(&mut seen, 139..=140);
    assert_eq!(take(&mut seen, 140, 140), Ok(()));
    assert_eq!(
        (seen.young.proofs.len(), seen.old.proofs.len()),
        (1, MAX_PROOFS)
    );
    // With the clock set back, what was forgotten does not come again.
    let forgotten = proof("1", moment(0));
    let expired = Err(InvalidProof::Expired.into());
    assert_eq!(seen.take(&forgotten, key(ONE), 0, moment(30)), expired);
}

#[test]
fn however_the_clock_is_set_no_proof_is_taken_twice_and_new_ones_are() {
    let replayed: Result<(), Denial> = Err(InvalidProof::Replayed.into());
    let years = 5 * 365 * 24 * 3600;
    for step in [4, 60, 3600, years] {
        let mut seen = SeenProofs::new(RandomState::new());
        let used = proof("a", moment(step));
        let ahead = moment(step);
        assert_eq!(seen.take(&used, key(ONE), 1, ahead), Ok(()));
        for second in 0..3 * SPAN.as_secs() {
            let other = proof(&format!("{second} before"), moment(step + second));
            let now = moment(step + second);
            assert_eq!(seen.take(&other, key(ONE), 2, now), Ok(()), "{step}");
        }
        assert_eq!(
            seen.take(&used, key(ONE), 3, ahead),
            replayed,
            "{step}: set back"
        );
        for second in 0..3 * SPAN.as_secs() {
            let other = proof(&format!("{second} after"), moment(second));
            let now = moment(second);
            assert_eq!(
                seen.take(&other, key(ONE), 4, now),
                Ok(()),
                "{step}: {second}"
            );
        }
        assert_eq!(
            seen.take(&used, key(ONE), 5, ahead),
            replayed,
            "{step}: and on"
        );
    }
}

#[test]
fn what_was_forgotten_under_pressure_is_refused_and_by_a_clock_of_another_year_is_not() {
    let years = 5 * 365 * 24 * 3600;
    for (step, want) in [(3600, Err(InvalidProof::Expired.into())), (years, Ok(()))] {
        let mut seen = SeenProofs::new(RandomState::new());
        seen.forgotten = Some(moment(step));
        let new = proof("a", moment(0));
        assert_eq!(seen.take(&new, key(ONE), 1, moment(0)), want, "{step}");
    }
}

#[test]
fn a_proof_is_known_to_the_end_of_its_time() {
    let replayed = Err(InvalidProof::Replayed.into());
    for ahead in [0, 9, 10] {
        for used_at in (0..140).step_by(7) {
            let mut seen = SeenProofs::new(RandomState::new());
            let mut used = 0;
            let mut take = |seen: &mut SeenProofs, id: &str, issued_at, now| {
                used += 1;
                seen.take(&proof(id, moment(issued_at)), key(ONE), used, moment(now))
            };
            for second in 0..=used_at {
                let id = second.to_string();
                assert_eq!(take(&mut seen, &id, second, second), Ok(()));
            }
            let issued_at = used_at + ahead;
            assert_eq!(take(&mut seen, "it", issued_at, used_at), Ok(()));
            for second in used_at..=issued_at + MAX_AGE.as_secs() {
                let id = format!("{second} again");
                assert_eq!(take(&mut seen, &id, second, second), Ok(()));
                let got = take(&mut seen, "it", issued_at, second);
                assert_eq!(got, replayed, "used at {used_at}, again at {second}");
            }
        }
    }
}
