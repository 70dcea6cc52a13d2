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
    assert_eq!(seen.young.taken, 3);
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
    let most = MOST_PLACES / 4 * 3;
    for turn in [0, 70] {
        for _ in 0..most {
            assert_eq!(take(&mut seen, turn, turn), Ok(()));
        }
        assert_eq!(seen.young.places.len(), MOST_PLACES);
        assert!(seen.old.places.len() <= MOST_PLACES);
        assert_eq!(take(&mut seen, turn, turn), full);
        assert_eq!(take(&mut seen, turn + 69, turn + 69), full);
    }
    assert_eq!(seen.old.taken, most);
    // Of the first ones none is fresh any more.
    assert_eq!(take(&mut seen, 140, 140), Ok(()));
    assert_eq!((seen.young.taken, seen.old.taken), (1, most));
    // With the clock set back, what was forgotten does not come again.
    let forgotten = proof("1", moment(0));
    let expired = Err(InvalidProof::Expired.into());
    assert_eq!(seen.take(&forgotten, key(ONE), 0, moment(30)), expired);
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
