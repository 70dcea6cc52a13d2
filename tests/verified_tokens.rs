//! Remembering verified tokens changes no answer: whatever the keys and the clock do between two
//! requests, an authorizer that remembers says what one that verifies each token anew says.

#![cfg(test)]

#[path = "stand_in/dice.rs"]
mod dice;
#[path = "stand_in/keys.rs"]
mod keys;
#[path = "verified_tokens/token.rs"]
mod token;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::RandomState;
use std::time::Duration;

use databricks_oam_filter::audit::record::words;
use databricks_oam_filter::authorize::verified::{MemoryLimits, VerifiedTokens};
use databricks_oam_filter::authorize::{Authorizer, Decision, Verification};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::key_store::KeyStore;
use databricks_oam_filter::key_store::fetch::KeyAnswer;
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::algorithm::Algorithm;
use databricks_oam_filter::token::jwk::Jwk;
use databricks_oam_filter::token::signature::Verifier;
use serde_json::{Value, json};

use dice::Dice;
use keys::{FirstByte, KEYS, x};
use token::{Flaw, Kid, Token};

const START: u64 = 1_800_000_000;

/// Histories, and what happens in each.
const HISTORIES: u64 = 150;
const EVENTS: usize = 250;

#[test]
fn remembering_changes_no_answer() {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let (mut hits, mut evictions) = (0, 0);
    for seed in 0..HISTORIES {
        let mut history = History::new(seed);
        for event in 0..EVENTS {
            history.pass_time();
            history.answer_fetches();
            let token = history.token();
            let (with, without) = history.judge(&token);
            assert_eq!(with, without, "history {seed}, event {event}: {token:?}");
            *seen.entry(with.reason).or_default() += 1;
        }
        let counts = history.verified.borrow().counts();
        hits += counts.hits;
        evictions += counts.evictions;
        let judged = counts.hits.saturating_add(counts.misses);
        assert_eq!(judged, u64::try_from(EVENTS).unwrap());
    }
    // Each time that the clock goes back keys are fetched anew, and the token's own may be gone
    // then.
    assert!(hits > 4000, "{hits} hits");
    assert!(evictions > 1000, "{evictions} evictions");
    for reason in REASONS {
        assert!(
            seen.get(reason).is_some_and(|count| *count > 100),
            "{reason}: {seen:?}"
        );
    }
}

#[test]
fn a_token_that_is_remembered_costs_no_signature() {
    let mut history = History::new(1);
    history.answer_fetches_with(|_| Some(vec![0, 1]));
    let valid = Token::new(0, 0);
    let audience = "another";
    let flawed = |flaw| Token { flaw, ..valid };
    let cases = [
        ("valid", valid),
        ("expired", Token { exp: -600, ..valid }),
        (
            "not yet valid",
            Token {
                nbf: Some(900),
                ..valid
            },
        ),
        ("for another audience", Token { audience, ..valid }),
        ("of another type", flawed(Flaw::Type)),
        ("scopes that are none", flawed(Flaw::Scope)),
    ];
    for (name, token) in cases {
        let engine = Counting::default();
        for _ in 0..3 {
            let by = Verification {
                verified: Some(&history.verified),
                ..Verification::afresh(&history.keys, &engine)
            };
            history
                .authorizer
                .authorize(&token.headers(), &by, history.now);
        }
        assert_eq!(engine.0.get(), 1, "{name}");
    }
}

const RECENT: usize = 16;

#[test]
fn only_a_change_of_the_signing_key_costs_another() {
    #[rustfmt::skip]
    let cases: [(&str, &[usize], u64, &str); 5] = [
        // name                     keys then     signatures  answer
        ("the same keys",           &[0, 1],      1,          "permitted"),
        ("one more",                &[0, 1, 2],   1,          "permitted"),
        ("the other one gone",      &[0],         1,          "permitted"),
        ("its own key gone",        &[1, 2],      1,          "unknown_key"),
        ("another without an ID",   &[1, 6],      2,          "invalid_signature"),
    ];
    for (name, keys, signatures, want) in cases {
        let mut history = History::new(1);
        let engine = Counting::default();
        let token = Token::new(0, 0).headers();
        let mut reason = "";
        for keys in [&[0, 1], keys] {
            history.now = history.now.after(Duration::from_mins(6));
            history.answer_fetches_with(|_| Some(keys.to_vec()));
            let by = Verification {
                verified: Some(&history.verified),
                ..Verification::afresh(&history.keys, &engine)
            };
            for _ in 0..2 {
                let decision = history.authorizer.authorize(&token, &by, history.now);
                reason = words(&decision.verdict).1;
            }
        }
        // What nothing signed is not remembered, so the last row's second request costs one more.
        let refused = u64::from(want == "invalid_signature");
        assert_eq!(
            (engine.0.get(), reason),
            (signatures + refused, want),
            "{name}"
        );
    }
}

/// What must come up often.
const REASONS: [&str; 11] = [
    "permitted",
    "token_expired",
    "token_not_yet_valid",
    "token_issued_in_future",
    "keys_unavailable",
    "unknown_key",
    "unknown_issuer",
    "wrong_audience",
    "token_lives_too_long",
    "wrong_token_type",
    "malformed_claims",
];

/// The same, and counts.
#[derive(Default)]
struct Counting(Cell<u64>);

impl Verifier for Counting {
    fn verify(&self, algorithm: Algorithm, key: &Jwk, message: &[u8], signature: &[u8]) -> bool {
        self.0.set(self.0.get().saturating_add(1));
        FirstByte.verify(algorithm, key, message, signature)
    }
}

/// A gateway through time, twice: with a memory and without.
struct History {
    dice: Dice,
    now: UnixTime,
    authorizer: Authorizer,
    keys: KeyStore,
    verified: RefCell<VerifiedTokens>,
    recent: Vec<Token>,
}

impl History {
    fn new(seed: u64) -> Self {
        let configuration = Configuration::parse(configuration().as_bytes()).unwrap();
        let limits = MemoryLimits {
            tokens: 12,
            bytes: 8_192,
        };
        Self {
            dice: Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)),
            now: UnixTime::from_seconds(START).unwrap(),
            authorizer: configuration.authorizer,
            keys: KeyStore::new(configuration.key_sources, seed),
            verified: RefCell::new(VerifiedTokens::new(limits, &RandomState::new())),
            recent: Vec::new(),
        }
    }

    /// Mostly forwards and by little; at times by more than keys and tokens live, and backwards.
    fn pass_time(&mut self) {
        let span = [1, 1, 7, 61, 601, 2000][self.dice.below(6)];
        let seconds = self.now.seconds();
        let next = if self.dice.below(4) == 0 {
            seconds.saturating_sub(span)
        } else {
            seconds.saturating_add(span)
        };
        // Not so far from where it began that no token lives.
        let next = if next.abs_diff(START) > 2500 {
            START
        } else {
            next
        };
        let next = UnixTime::from_seconds(next).unwrap();
        // The longest is an outage that the worker lives through, so that keys grow too old.
        let watched = next.since(self.now).as_secs();
        for _ in (0..watched).step_by(3).filter(|_| watched == 2000) {
            self.now = self.now.after(Duration::from_secs(3));
            self.answer_fetches_with(|_| None);
        }
        self.now = next;
    }

    fn answer_fetches(&mut self) {
        let mut dice = Dice(self.dice.below(1 << 30).try_into().unwrap());
        self.answer_fetches_with(|_| {
            // The first key goes by another name at times, and the last ones have none.
            let first = if dice.below(2) == 0 { KEYS } else { 0 };
            let mut published = vec![first];
            published.extend((1..NAMED).filter(|_| dice.below(5) > 0));
            published.extend((NAMED..KEYS).filter(|_| dice.below(4) == 0));
            (dice.below(3) > 0).then_some(published)
        });
    }

    /// Publishes keys, or fails.
    fn answer_fetches_with(&mut self, mut published: impl FnMut(usize) -> Option<Vec<usize>>) {
        while let Some(fetch) = self.keys.due(self.now) {
            if let Some(keys) = published(fetch.issuer.0) {
                let body = key_set(&keys).to_string();
                let answer = KeyAnswer {
                    status: 200,
                    body: body.as_bytes(),
                    ..KeyAnswer::default()
                };
                let _ = self.keys.on_answer(&fetch, &answer, self.now);
            } else {
                self.keys.on_failure(&fetch, self.now);
            }
        }
    }

    /// A new token, or one of those before it.
    fn token(&mut self) -> Token {
        let dice = &mut self.dice;
        if !self.recent.is_empty() && dice.below(4) > 0 {
            return self.recent[dice.below(self.recent.len())];
        }
        let mut token = Token::new(dice.below(10) / 3, dice.below(KEYS));
        match dice.below(12) {
            0 => token.exp = -40,
            1 => token.nbf = Some(90),
            2 => token.iat = Some(90),
            3 => token.kid = Kid::None,
            4 => token.audience = "another",
            5 => token.kid = Kid::Shared,
            6 => token.exp = 90_000,
            7 => token.flaw = Flaw::Type,
            8 => token.flaw = Flaw::Scope,
            9 => token.flaw = Flaw::NoExpiry,
            _ => {}
        }
        if self.recent.len() == RECENT {
            self.recent.remove(0);
        }
        self.recent.push(token);
        token
    }

    fn judge(&self, token: &Token) -> (Said, Said) {
        let headers = token.headers();
        let afresh = Verification::afresh(&self.keys, &FirstByte);
        let by = Verification {
            verified: Some(&self.verified),
            ..afresh
        };
        let say = |by| Said::from(&self.authorizer.authorize(&headers, by, self.now));
        (say(&by), say(&afresh))
    }
}

/// All that was decided, in a form that can be compared and read.
#[derive(Debug, PartialEq)]
struct Said {
    reason: String,
    rest: String,
}

impl From<&Decision<'_>> for Said {
    fn from(decision: &Decision<'_>) -> Self {
        let (_, code) = words(&decision.verdict);
        Self {
            reason: code.to_owned(),
            rest: format!(
                "{:?} {:?} {:?}",
                decision.verdict, decision.awaited, decision.evidence
            ),
        }
    }
}

/// Three issuers whose keys are fetched, and may be the same; a fourth that is not configured.
fn configuration() -> String {
    let issuers: Vec<Value> = (0..3)
        .map(|number| {
            json!({
                "issuer": issuer(number), "audiences": ["db"], "algorithms": ["EdDSA"], "max_token_lifetime": "2h",
                "jwks": { "cluster": "c", "uri": format!("{}/keys", issuer(number)), "refresh": "5m", "max_stale": "20m" }
            })
        })
        .collect();
    json!({ "issuers": issuers }).to_string()
}

fn issuer(number: usize) -> String {
    format!("https://{number}.example")
}

const NAMED: usize = 5;

/// Some keys have an ID of their own, the last ones none, so that a token may be by any of several.
fn key_set(numbers: &[usize]) -> Value {
    let keys: Vec<Value> = numbers
        .iter()
        .map(|&number| {
            let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x(number % KEYS) });
            if number < NAMED || number == KEYS {
                key["kid"] = json!(format!("k{number}"));
            }
            key
        })
        .collect();
    json!({ "keys": keys })
}
