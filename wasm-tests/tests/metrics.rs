//! What the gateway's statistics tell of the filter.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use wasm_tests::issuer::{Behaviour, Issuer};
use wasm_tests::paths;
use wasm_tests::scene::{Scene, fetched, token, token_with};

#[test]
fn decisions_keys_and_verified_tokens_are_counted() {
    let scene = Scene::with(fetched(&json!({})), Issuer::start(["acme-rsa"]));
    let sound = token("acme-rsa");
    assert_eq!(scene.get(&sound).status, 200);
    // A token whose keys are still awaited counts as unknown more than once, so what follows is counted from here.
    let before = until(&scene, |stats| count(stats, "verified_tokens.misses") > 0);
    for _ in 0..3 {
        assert_eq!(scene.get(&sound).status, 200);
    }
    let poor = token_with("acme-rsa", &json!({ "scope": "sql" }));
    assert_eq!(scene.get(&poor).status, 403);
    assert_eq!(scene.get_with(&[]).status, 401);
    assert_eq!(scene.get("e30.e30.e30").status, 401);
    #[rustfmt::skip]
    let want = [
        // name                                   more
        ("decisions.allowed",                     3),
        ("decisions.shadowed",                    0),
        ("decisions.denied.insufficient_scope",   1),
        ("decisions.denied.invalid_token",        1),
        ("decisions.denied.missing_credentials",  1),
        ("decisions.denied.unavailable",          0),
        ("verified_tokens.hits",                  3),
        ("verified_tokens.misses",                2),
        ("verified_tokens.evictions",             0),
        ("keys.0.failures",                       0),
    ];
    let more =
        |stats: &BTreeMap<String, u64>, name: &str| count(stats, name) - count(&before, name);
    let stats = until(&scene, |stats| {
        want.iter().all(|(name, count)| more(stats, name) >= *count)
    });
    for (name, count) in want {
        assert_eq!(more(&stats, name), count, "{name}: {before:?} {stats:?}");
    }
    // The worker's, or that of the machine which Envoy keeps on its main thread.
    assert_eq!(stats["keys.0.fetches"], 1, "{stats:?}");
    let now = u64::try_from(paths::now()).expect("a clock after 1970");
    assert!(
        (now - 300..=now).contains(&stats["keys.0.fetched_at"]),
        "{stats:?}"
    );
}

#[test]
fn fetches_that_fail_and_requests_that_wait_are_counted() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().behaviour = Behaviour::Status(503);
    let mut configuration = fetched(&json!({ "timeout": "1s" }));
    configuration["limits"] = json!({ "waiting_time": "2s" });
    let scene = Scene::with(configuration, issuer);
    assert_eq!(scene.get(&token("acme-rsa")).status, 503);
    until(&scene, |stats| {
        ["keys.0.failures", "decisions.denied.unavailable"]
            .iter()
            .all(|name| count(stats, name) > 0)
    });
}

/// The filter's statistics, without what Envoy puts before their names.
fn stats(scene: &Scene) -> BTreeMap<String, u64> {
    let stats = scene.envoy.stats("oam_filter");
    stats
        .into_iter()
        .filter_map(|(name, count)| {
            let (_, name) = name.split_once("oam_filter.")?;
            Some((name.to_owned(), count))
        })
        .collect()
}

fn count(stats: &BTreeMap<String, u64>, name: &str) -> u64 {
    stats.get(name).copied().unwrap_or_default()
}

/// The statistics as soon as they are as wanted.
fn until(scene: &Scene, holds: impl Fn(&BTreeMap<String, u64>) -> bool) -> BTreeMap<String, u64> {
    let started = Instant::now();
    loop {
        let stats = stats(scene);
        if holds(&stats) {
            return stats;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{stats:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
