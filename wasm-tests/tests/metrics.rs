//! What the gateway's statistics tell of the filter.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;
use wasm_tests::client;
use wasm_tests::issuer::{Behaviour, Issuer};
use wasm_tests::paths;
use wasm_tests::scene::{Scene, fetched, token, token_with};

#[test]
fn decisions_keys_and_verified_tokens_are_counted() {
    let scene = Scene::with(fetched(&json!({})), Issuer::start(["acme-rsa"]));
    let sound = token("acme-rsa");
    assert_eq!(scene.get(&sound).status, 200);
    // A token whose keys are still awaited counts as unknown more than once, so what follows is
    // counted from here.
    until(&scene, |stats| count(stats, "decisions.allowed") > 0);
    // Counts are handed over one after the other.
    std::thread::sleep(Duration::from_millis(100));
    let before = stats(&scene);
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

#[test]
fn credentials_are_counted_by_class_and_outcome() {
    let mut configuration = fetched(&json!({}));
    configuration["credentials"] = json!({ "opaque": "observe" });
    configuration["policy"] = json!({ "mode": "shadow" });
    let scene = Scene::with(configuration, Issuer::start(["acme-rsa"]));
    let poor = token_with("acme-rsa", &json!({ "scope": "sql" }));
    let sound = token("acme-rsa");
    let bearers = [
        (&*sound, 200),
        (&*sound, 200),
        (&*poor, 200),
        ("e30.e30.e30", 401),
        ("dapi0123456789abcdef0123456789abcdef", 401),
        ("dose0123456789abcdef0123456789abcdef", 401),
        ("opaque", 200),
        ("opaque", 200),
    ];
    for (bearer, status) in bearers {
        assert_eq!(scene.get(bearer).status, status, "{bearer}");
    }
    for (value, status) in [("Basic YTpi", 401), ("Negotiate x", 401), ("", 401)] {
        let answer = scene.get_with(&[("authorization", value.as_bytes())]);
        assert_eq!(answer.status, status, "{value}");
    }
    assert_eq!(scene.get_with(&[]).status, 401);
    #[rustfmt::skip]
    let want = [
        // class                  allowed  denied  observed
        ("basic",                 [0,      1,      0]),
        ("delta_sharing_recipient", [0,    0,      0]),
        ("jwt",                   [3,      1,      0]),
        ("none",                  [0,      2,      0]),
        ("oauth_secret",          [0,      1,      0]),
        ("opaque",                [0,      0,      2]),
        ("personal_access_token", [0,      1,      0]),
        ("refresh_token",         [0,      0,      0]),
        ("unknown_scheme",        [0,      1,      0]),
    ];
    let of_class = |stats: &BTreeMap<String, u64>, class: &str| {
        ["allowed", "denied", "observed"].map(|outcome| {
            stats
                .get(&format!("credentials.{class}.{outcome}"))
                .copied()
        })
    };
    let arrived = |stats: &BTreeMap<String, u64>| {
        want.iter().all(|(class, counts)| {
            let found = of_class(stats, class).map(Option::unwrap_or_default);
            found.iter().sum::<u64>() >= counts.iter().sum()
        })
    };
    let stats = until(&scene, arrived);
    for (class, counts) in want {
        assert_eq!(of_class(&stats, class), counts.map(Some), "{class}");
    }
    let classes = stats.keys().filter(|name| name.starts_with("credentials."));
    assert_eq!(classes.count(), want.len() * 3, "{stats:?}");
}

#[test]
fn tokens_are_told_of_once_and_engines_always() {
    let algorithms = json!({ "algorithms": ["RS256", "EdDSA"] });
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["algorithms"] = algorithms["algorithms"].clone();
    let scene = Scene::with(configuration, Issuer::start(["acme-rsa"]));
    let hour = token_with(
        "acme-rsa",
        &json!({ "iat": "now", "exp": "now+3600", "scope": "jobs offline_access" }),
    );
    let minutes = token_with("acme-rsa", &json!({ "iat": "now", "exp": "now+300" }));
    let endless = token_with("acme-rsa", &json!({ "iat": null, "exp": "now+99999" }));
    let over = token_with("acme-rsa", &json!({ "iat": "now-9999", "exp": "now-999" }));
    for (bearer, status) in [
        (&hour, 200),
        (&hour, 200),
        (&minutes, 200),
        (&endless, 200),
        (&over, 401),
    ] {
        assert_eq!(scene.get(bearer).status, status);
    }
    let stats = until(&scene, |stats| count(stats, "tokens.0.offline_access") > 0);
    #[rustfmt::skip]
    let want = [
        ("tokens.0.offline_access",  1),
        ("signatures.RS256.gateway", 1),
        ("signatures.RS256.module",  0),
        ("signatures.EdDSA.gateway", 0),
        ("signatures.EdDSA.module",  1),
    ];
    for (name, count) in want {
        assert_eq!(stats.get(name), Some(&count), "{name}: {stats:?}");
    }
    let engines = stats.keys().filter(|name| name.starts_with("signatures."));
    assert_eq!(engines.count(), 4, "{stats:?}");
    // Envoy brings its histograms up to date every five seconds.
    let started = Instant::now();
    let text = loop {
        let text = prometheus(&scene, "tokens.0.lifetime");
        if text.contains("lifetime_count{} 2") {
            break text;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{text}");
        std::thread::sleep(Duration::from_millis(200));
    };
    // The sample's steps.
    for (seconds, count) in [
        (61, 0),
        (310, 1),
        (910, 1),
        (1900, 1),
        (3700, 2),
        (610_000, 2),
    ] {
        let line = format!("oam_filter_tokens_0_lifetime_bucket{{le=\"{seconds}\"}} {count}");
        assert!(text.contains(&line), "{line}: {text}");
    }
    let counters = prometheus(&scene, "decisions");
    assert!(
        counters.contains("oam_filter_decisions_allowed{} 4"),
        "{counters}"
    );
}

/// What Prometheus is told of the statistics whose names contain this text.
fn prometheus(scene: &Scene, filter: &str) -> String {
    let path = format!("/stats/prometheus?filter={filter}");
    let answer = client::get(scene.envoy.admin(), &path, &[]);
    String::from_utf8_lossy(&answer.body).into_owned()
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
