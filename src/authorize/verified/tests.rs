use std::cell::RefCell;

use super::*;
use crate::config::Configuration;
use crate::issuer::IssuerIndex;
use crate::path::Path;
use crate::request::mcp::Call;
use crate::request::token_reader::KnownTokens as _;
use crate::time::UnixTime;
use crate::token::claims::Times;
use crate::token::jwk::Jwk;

const TOKENS: MemoryLimits = MemoryLimits {
    tokens: 3,
    bytes: 100_000,
};

fn empty(limits: MemoryLimits) -> VerifiedTokens {
    VerifiedTokens::new(limits, &RandomState::new())
}

fn bearer(text: &str) -> BearerToken<'_> {
    BearerToken::parse(text.as_bytes(), 100_000).unwrap()
}

/// An entry that is told from others by the moment in it.
fn proof(second: u64) -> VerifiedProof {
    let key = br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    VerifiedProof {
        issuer: IssuerIndex(0),
        key: Jwk::parse(key).unwrap().thumbprint(),
        generation: 0,
        fact: Fact::Untimely(Times {
            expires_at: UnixTime::from_seconds(second).unwrap(),
            not_before: None,
            issued_at: None,
        }),
    }
}

fn second(verified: &mut VerifiedTokens, text: &str) -> Option<u64> {
    verified.recall(bearer(text).into(), |proof| match &proof.fact {
        Fact::Untimely(times) => Recall::Holds(times.expires_at.seconds()),
        Fact::Refused(..) | Fact::Valid(_) => Recall::Unsure,
    })
}

/// The first of `texts` that are still there, told in one word.
fn left<'a>(verified: &mut VerifiedTokens, texts: &[&'a str]) -> Vec<&'a str> {
    texts
        .iter()
        .copied()
        .filter(|text| second(verified, text).is_some())
        .collect()
}

#[test]
fn the_whole_token_is_compared() {
    let tail = "s".repeat(16);
    let (one, other) = (format!("a.b.{tail}"), format!("a.c.{tail}"));
    let mut verified = empty(TOKENS);
    verified.remember(bearer(&one), proof(1));
    assert_eq!(second(&mut verified, &other), None);
    verified.remember(bearer(&other), proof(2));
    assert_eq!(second(&mut verified, &one), Some(1));
    assert_eq!(second(&mut verified, &other), Some(2));
    assert_eq!(second(&mut verified, &tail), None);
}

#[test]
fn what_is_learnt_later_replaces_what_was_known() {
    let mut verified = empty(TOKENS);
    verified.remember(bearer("a"), proof(1));
    let bytes = verified.bytes();
    verified.remember(bearer("a"), proof(2));
    assert_eq!(second(&mut verified, "a"), Some(2));
    assert_eq!((verified.len(), verified.bytes()), (1, bytes));
}

#[test]
fn what_is_gone_is_forgotten_at_once() {
    let mut verified = empty(TOKENS);
    for (number, text) in (0..).zip(["a", "b", "c"]) {
        verified.remember(bearer(text), proof(number));
    }
    let gone: Option<()> = verified.recall(bearer("a").into(), |_| Recall::Gone);
    assert_eq!(gone, None);
    assert_eq!(left(&mut verified, &["a", "b", "c"]), ["b", "c"]);
    let unsure: Option<()> = verified.recall(bearer("b").into(), |_| Recall::Unsure);
    assert_eq!(unsure, None);
    assert_eq!(left(&mut verified, &["a", "b", "c"]), ["b", "c"]);
    for text in ["b", "c"] {
        let _: Option<()> = verified.recall(bearer(text).into(), |_| Recall::Gone);
    }
    assert_eq!((verified.len(), verified.bytes()), (0, 0));
}

#[test]
fn both_bounds_hold() {
    let entry = {
        let mut verified = empty(TOKENS);
        verified.remember(bearer("a"), proof(0));
        verified.bytes()
    };
    let long = "x".repeat(entry * 2);
    #[rustfmt::skip]
    let cases = [
        // name                     tokens  bytes          texts                        left
        ("nothing",                 0,      100_000,       vec!["a"],                   vec![]),
        ("no bytes",                3,      entry - 1,     vec!["a"],                   vec![]),
        ("one token",               1,      100_000,       vec!["a", "b"],              vec!["b"]),
        ("as many as there may be", 3,      100_000,       vec!["a", "b", "c"],         vec!["a", "b", "c"]),
        ("one more",                3,      100_000,       vec!["a", "b", "c", "d"],    vec!["b", "c", "d"]),
        ("as many bytes",           9,      entry * 2,     vec!["a", "b"],              vec!["a", "b"]),
        ("one byte less",           9,      entry * 2 - 1, vec!["a", "b"],              vec!["b"]),
        ("one as long as many",     9,      entry * 4,     vec!["a", "b", &long],       vec!["b", &long]),
        ("one that is too long",    9,      entry * 2,     vec!["a", "b", &long],       vec!["a", "b"]),
    ];
    for (name, tokens, bytes, texts, want) in cases {
        let mut verified = empty(MemoryLimits { tokens, bytes });
        for (number, text) in (0..).zip(&texts) {
            verified.remember(bearer(text), proof(number));
            assert!(
                verified.len() <= tokens && verified.bytes() <= bytes,
                "{name}"
            );
        }
        assert_eq!(left(&mut verified, &texts), want, "{name}");
    }
}

/// Each eviction looks at a few entries only, however many there are and however much all of them
/// are used.
#[test]
fn what_is_used_is_spared() {
    let used: Vec<String> = (0..20).map(|number| format!("used-{number}")).collect();
    let mut verified = empty(MemoryLimits {
        tokens: 24,
        bytes: 1_000_000,
    });
    for text in &used {
        verified.remember(bearer(text), proof(0));
    }
    for round in 0..200 {
        for text in &used {
            assert_eq!(
                second(&mut verified, text),
                Some(0),
                "{text} in round {round}"
            );
        }
        verified.remember(bearer(&format!("once-{round}")), proof(round));
    }
    let want = Counts {
        hits: 200 * 20,
        misses: 0,
        evictions: 200 + 20 - 24,
    };
    assert_eq!((verified.len(), verified.counts()), (24, want));
}

#[test]
fn what_was_recognized_is_that_token_and_no_other() {
    let memory = RefCell::new(empty(TOKENS));
    for (number, text) in (0..).zip(["a", "b", "c"]) {
        memory.borrow_mut().remember(bearer(text), proof(number));
    }
    let lookup = TokenLookup::new(Some(&memory));
    assert!(lookup.recognize(b"d").is_none());
    let c = lookup.presented(lookup.recognize(b"c").unwrap());
    let second = |presented| {
        memory.borrow_mut().recall(presented, |proof| {
            Recall::Holds(proof.fact.times().expires_at.seconds())
        })
    };
    assert_eq!(second(c), Some(2));
    let gone = |text| {
        memory
            .borrow_mut()
            .recall(bearer(text).into(), |_| Recall::<()>::Gone)
    };
    // The last entry moves into the place of the first.
    gone("a");
    assert_eq!(second(c), Some(2));
    gone("c");
    assert_eq!(second(c), None);
    memory.borrow_mut().remember(bearer("e"), proof(4));
    assert_eq!((second(c), second(bearer("e").into())), (None, Some(4)));
}

/// One for each path, and the paths that were noted as often as they are listed.
fn noted(paths: &[String]) -> Rulings {
    let configuration = br#"{"issuers":[{"issuer":"https://i.example","audiences":["db"],"jwks":{"cluster":"c","uri":"https://i.example/k"}}]}"#;
    let policy = Configuration::parse(configuration)
        .unwrap()
        .authorizer
        .policy;
    let issuer = Rc::from("https://i.example");
    let mut rulings = Rulings::new(7);
    for path in paths {
        let readings = policy.readings(Call::of("GET"), Path::parse(path.as_bytes()).unwrap());
        let applied = policy.apply(&readings, None);
        rulings.note("GET", path, Some(&issuer), || {
            (policy.ruling(&readings, &applied), None)
        });
    }
    rulings
}

#[test]
fn a_request_is_remembered_from_its_second_time_on() {
    let (jobs, long) = (
        "/api/2.2/jobs/get".to_owned(),
        format!("/{}", "x".repeat(200)),
    );
    let once = (0..5_000).map(|number| format!("/once/{number}"));
    #[rustfmt::skip]
    let cases = [
        // name                 noted                                   method  path
        // found
        ("nothing",             vec![],                                 "GET",  &*jobs,                 false),
        ("once",                vec![jobs.clone()],                     "GET",  &*jobs,                 false),
        ("twice",               vec![jobs.clone(); 2],                  "GET",  &*jobs,                 true),
        ("another method",      vec![jobs.clone(); 2],                  "POST", &*jobs,                 false),
        ("another path",        vec![jobs.clone(); 2],                  "GET",  "/api/2.2/jobs/gex",    false),
        ("less of the path",    vec![jobs.clone(); 2],                  "GET",  "/api/2.2/jobs/ge",     false),
        ("split otherwise",     vec![jobs.clone(); 2],                  "GET/", "api/2.2/jobs/get",     false),
        ("too long",            vec![long.clone(); 2],                  "GET",  &*long,                 false),
        ("many others since",   [jobs.clone(), jobs.clone()].into_iter().chain(once).collect(), "GET", &*jobs, true),
    ];
    for (name, paths, method, path, found) in cases {
        let rulings = noted(&paths);
        let is_found = |issuer: Option<&str>| {
            let issuer = issuer.map(Rc::from);
            rulings.find(method, path, issuer.as_ref()).is_some()
        };
        assert_eq!(is_found(Some("https://i.example")), found, "{name}");
        assert!(
            !is_found(Some("https://j.example")) && !is_found(None),
            "{name}"
        );
    }
}
