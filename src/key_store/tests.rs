use std::time::Duration;

use super::source::{Remote, Schedule};
use super::*;
use crate::callout::uri::HttpsUri;
use crate::token::jwk_set::JwkSetError;

const ISSUER: IssuerIndex = IssuerIndex(0);

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

const METADATA: &str = r#"{"issuer":"https://a.example","jwks_uri":"https://b.example/keys"}"#;

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(seconds).unwrap()
}

fn remote(uri: Option<&str>) -> KeySource {
    let schedule = Schedule {
        timeout: Duration::from_secs(5),
        refresh: Duration::from_mins(10),
        max_stale: Duration::from_hours(1),
    };
    let uri = uri.map(|uri| HttpsUri::parse(uri).unwrap());
    KeySource::Remote(Remote::new("idp", "https://a.example", uri, &schedule).unwrap())
}

fn store() -> KeyStore {
    KeyStore::new(vec![remote(Some("https://a.example/keys"))], 7)
}

fn ok(body: &str) -> KeyAnswer<'_> {
    KeyAnswer {
        status: 200,
        body: body.as_bytes(),
        ..KeyAnswer::default()
    }
}

/// A store that fetched its keys at 1,000 s.
fn warm() -> KeyStore {
    let mut store = store();
    let fetch = store.due(at(1000)).unwrap();
    store.on_answer(&fetch, &ok(KEYS), at(1000)).unwrap();
    store
}

/// The second at which the next fetch falls due.
fn next(store: &KeyStore) -> u64 {
    store.next_due().unwrap().seconds()
}

#[test]
fn the_first_fetch_is_due_at_once_and_alone() {
    let mut store = store();
    let fetch = store.due(at(1000)).unwrap();
    assert_eq!(
        (&*fetch.call.cluster, fetch.call.uri.to_string().as_str()),
        ("idp", "https://a.example/keys")
    );
    assert_eq!(store.due(at(1000)), None);
    assert!(store.keys(ISSUER, at(1000)).is_none());
    assert!(store.expects(ISSUER, at(1000)));
    let fetched = store.on_answer(&fetch, &ok(KEYS), at(1001));
    assert_eq!(
        fetched,
        Ok(Fetched::Keys {
            admitted: 1,
            ignored: Vec::new()
        })
    );
    assert!(store.keys(ISSUER, at(1001)).is_some());
}

#[test]
fn keys_are_fetched_again_before_they_expire() {
    #[rustfmt::skip]
    let cases: [(&str, Option<&[u8]>, std::ops::RangeInclusive<u64>); 4] = [
        // name                         Cache-Control              seconds until the next fetch
        ("nothing said: `refresh`",     None,                      450..=600),
        ("max-age",                     Some(b"max-age=1200"),     900..=1200),
        ("less than is sensible",       Some(b"no-store"),         45..=60),
        ("more than is sensible",       Some(b"max-age=31536000"), 64_800..=86_400),
    ];
    for (name, cache_control, want) in cases {
        let mut store = store();
        let fetch = store.due(at(1000)).unwrap();
        store
            .on_answer(
                &fetch,
                &KeyAnswer {
                    cache_control,
                    ..ok(KEYS)
                },
                at(1000),
            )
            .unwrap();
        let due = next(&store);
        assert!(want.contains(&(due - 1000)), "{name}: {due}");
        assert_eq!(store.due(at(due - 1)), None, "{name}");
        assert!(store.due(at(due + 1)).is_some(), "{name}");
    }
}

#[test]
fn last_known_good_keys_serve_until_max_stale() {
    let mut store = warm();
    let mut now = at(1000);
    while now < at(4600) {
        assert!(store.keys(ISSUER, now).is_some());
        if let Some(fetch) = store.due(now) {
            let failure = store.on_answer(
                &fetch,
                &KeyAnswer {
                    status: 503,
                    body: b"no healthy upstream",
                    ..KeyAnswer::default()
                },
                now,
            );
            assert_eq!(failure, Err(FetchFailure::Status(503)));
        }
        now = now.after(Duration::from_secs(1));
    }
    assert!(store.keys(ISSUER, at(4600)).is_none());
}

#[test]
fn failures_are_tried_again_later_and_later() {
    let mut store = store();
    let mut now = at(1000);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let fetch = store.due(now).unwrap();
        store.on_failure(&fetch, now);
        let due = store.next_due().unwrap();
        waits.push(due.since(now).as_millis());
        now = due;
    }
    let bounds = [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000];
    for (wait, bound) in waits.iter().zip(bounds) {
        assert!((bound / 4 * 3..=bound).contains(wait), "{waits:?}");
    }
    assert!(
        waits.windows(2).skip(4).any(|pair| pair[0] != pair[1]),
        "no jitter: {waits:?}"
    );
}

#[test]
fn answers_that_are_no_keys_keep_the_old_ones() {
    let too_large = format!("{{\"keys\":[]{}}}", " ".repeat(2 * 1024 * 1024));
    #[rustfmt::skip]
    let cases: [(&str, KeyAnswer<'_>); 7] = [
        // name               answer
        ("a 503 with a body", KeyAnswer { status: 503, ..ok(KEYS) }),
        ("a redirect",        KeyAnswer { status: 302, ..ok("") }),
        ("empty",             ok("")),
        ("garbage",           ok("<html>")),
        ("half a document",   ok(KEYS.get(..60).unwrap())),
        ("no keys",           ok(r#"{"keys":[]}"#)),
        ("too large",         ok(&too_large)),
    ];
    for (name, answer) in cases {
        let mut store = warm();
        let fetch = store.due(at(2000)).unwrap();
        assert!(
            store.on_answer(&fetch, &answer, at(2000)).is_err(),
            "{name}"
        );
        assert!(store.keys(ISSUER, at(2001)).is_some(), "{name}");
    }
}

#[test]
fn one_bad_issuer_never_sinks_another() {
    let mut store = KeyStore::new(
        vec![remote(None), remote(Some("https://b.example/keys"))],
        7,
    );
    let first = store.due(at(1000)).unwrap();
    let second = store.due(at(1000)).unwrap();
    assert_eq!(
        (first.issuer, second.issuer),
        (IssuerIndex(0), IssuerIndex(1))
    );
    store.on_failure(&first, at(1000));
    store.on_answer(&second, &ok(KEYS), at(1000)).unwrap();
    assert!(store.keys(IssuerIndex(0), at(1000)).is_none());
    assert!(store.keys(IssuerIndex(1), at(1000)).is_some());
}

#[test]
fn an_unknown_key_id_refreshes_once_per_cool_down() {
    let mut store = warm();
    assert!(store.refresh_early(ISSUER, at(1010)));
    let fetch = store.due(at(1010)).unwrap();
    assert!(
        store.refresh_early(ISSUER, at(1010)),
        "one under way may be waited for"
    );
    store.on_answer(&fetch, &ok(KEYS), at(1011)).unwrap();
    assert!(!store.refresh_early(ISSUER, at(1012)));
    assert!(!store.refresh_early(ISSUER, at(1039)));
    assert!(store.refresh_early(ISSUER, at(1040)));
}

#[test]
fn an_early_refresh_never_outruns_a_back_off() {
    let mut store = warm();
    assert!(store.refresh_early(ISSUER, at(1010)));
    let fetch = store.due(at(1010)).unwrap();
    store.on_failure(&fetch, at(1010));
    assert!(!store.refresh_early(ISSUER, at(1010)));
}

#[test]
fn discovery_asks_both_addresses_and_then_for_the_keys() {
    let mut store = KeyStore::new(vec![remote(None)], 7);
    let openid = store.due(at(1000)).unwrap();
    assert_eq!(
        openid.call.uri.to_string(),
        "https://a.example/.well-known/openid-configuration"
    );
    let not_found = KeyAnswer {
        status: 404,
        ..KeyAnswer::default()
    };
    assert_eq!(
        store.on_answer(&openid, &not_found, at(1000)),
        Err(FetchFailure::Status(404))
    );
    let oauth = store.due(at(1001)).unwrap();
    assert_eq!(
        oauth.call.uri.to_string(),
        "https://a.example/.well-known/oauth-authorization-server"
    );
    assert_eq!(
        store.on_answer(&oauth, &ok(METADATA), at(1001)),
        Ok(Fetched::Address)
    );
    let keys = store.due(at(1001)).unwrap();
    assert_eq!(keys.call.uri.to_string(), "https://b.example/keys");
    store.on_answer(&keys, &ok(KEYS), at(1002)).unwrap();
    assert!(store.keys(ISSUER, at(1002)).is_some());
    let again = store.due(at(1700)).unwrap();
    assert_eq!(again.call.uri, oauth.call.uri, "the keys may have moved");
}

#[test]
fn an_answer_out_of_its_time_is_ignored() {
    let mut store = store();
    let lost = store.due(at(1000)).unwrap();
    for second in 1001..=1006 {
        assert_eq!(store.due(at(second)), None);
    }
    let second = store.due(at(1007)).unwrap();
    assert_eq!(
        store.on_answer(&lost, &ok(KEYS), at(1008)),
        Err(FetchFailure::GivenUp)
    );
    store.on_failure(&lost, at(1008));
    store.on_answer(&second, &ok(KEYS), at(1008)).unwrap();
    assert!(store.keys(ISSUER, at(1008)).is_some());
}

#[test]
fn inline_keys_are_never_fetched() {
    let mut store = KeyStore::new(
        vec![KeySource::Inline(JwkSet::parse(KEYS.as_bytes()).unwrap())],
        7,
    );
    assert_eq!(store.due(UnixTime::MAX), None);
    assert_eq!(store.next_due(), None);
    assert!(!store.refresh_early(ISSUER, at(1000)));
    assert!(store.keys(ISSUER, UnixTime::MAX).is_some());
}

#[test]
fn a_set_without_a_usable_key_is_a_failure() {
    let mut store = store();
    let fetch = store.due(at(1000)).unwrap();
    let symmetric = r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#;
    let failure = store
        .on_answer(&fetch, &ok(symmetric), at(1000))
        .unwrap_err();
    assert!(
        matches!(failure, FetchFailure::Keys(JwkSetError::NoUsableKey(_))),
        "{failure}"
    );
}

/// A store whose worker ticks each second, and an issuer that answers at once, or not at all.
struct Ticking {
    store: KeyStore,
    /// Seconds, by the clock.
    clock: i64,
    /// Seconds, by its own life.
    lived: u32,
    is_up: bool,
    fetches: usize,
    /// When the last keys came.
    fetched: u32,
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "what a test counts is small"
)]
impl Ticking {
    fn now(&self) -> UnixTime {
        at(u64::try_from(1_800_000_000 + self.clock).unwrap())
    }

    fn live(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.clock += 1;
            self.lived += 1;
            while let Some(fetch) = self.store.due(self.now()) {
                self.fetches += 1;
                if self.is_up {
                    self.fetched = self.lived;
                    self.store.on_answer(&fetch, &ok(KEYS), self.now()).unwrap();
                } else {
                    self.store.on_failure(&fetch, self.now());
                }
            }
        }
    }

    fn has_keys(&self) -> bool {
        self.store.keys(ISSUER, self.now()).is_some()
    }
}

#[test]
fn however_the_clock_is_set_keys_are_fetched_in_time_and_not_used_for_longer() {
    let years = 5 * 365 * 24 * 3600;
    for step in [4, 60, 3600, years, -4, -60, -3600, -years] {
        for and_back in [false, true] {
            let name = format!("{step} s, {and_back}");
            let mut world = Ticking {
                store: store(),
                clock: 0,
                lived: 0,
                is_up: true,
                fetches: 0,
                fetched: 0,
            };
            world.live(300);
            assert_eq!(world.fetches, 1, "{name}");
            world.clock += step;
            assert!(
                world.has_keys(),
                "{name}: one look at the clock makes none too old"
            );
            if and_back {
                world.live(1);
                world.clock -= step;
            }
            world.live(301);
            let fetches = world.fetches;
            assert!(
                (2..=3).contains(&fetches),
                "{name}: {fetches}, in the time of a refresh"
            );
            world.is_up = false;
            world.clock += step;
            world.live(3590 - (world.lived - world.fetched));
            assert!(world.has_keys(), "{name}: an hour is not over");
            world.live(20);
            assert!(!world.has_keys(), "{name}: an hour after the last fetch");
            let tries = world.fetches;
            world.live(300);
            assert!(world.fetches > tries, "{name}: and tried again");
            world.clock += step;
            world.is_up = true;
            world.live(16);
            assert!(world.has_keys(), "{name}: until the issuer is back");
        }
    }
}
