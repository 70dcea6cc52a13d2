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
    let valid = token("acme-rsa");
    assert_eq!(scene.get(&valid).status, 200);
    // A token whose keys are still awaited counts as unknown more than once, so what follows is
    // counted from here.
    until(&scene, |stats| {
        count(stats, ALLOWED) > 0 && count(stats, FETCHES) > 0 && count(stats, WRITTEN) > 0
    });
    // Counts are handed over one after the other.
    std::thread::sleep(Duration::from_millis(100));
    let before = stats(&scene);
    for _ in 0..3 {
        assert_eq!(scene.get(&valid).status, 200);
    }
    let poor = token_with("acme-rsa", &json!({ "scope": "sql" }));
    assert_eq!(scene.get(&poor).status, 403);
    assert_eq!(scene.get_with(&[]).status, 401);
    assert_eq!(scene.get("e30.e30.e30").status, 401);
    #[rustfmt::skip]
    let want = [
        // name                                                    more
        (ALLOWED,                                                  3),
        (r#"decisions_total{decision="deny",issuer="https://acme.example.com",mode="enforce",reason="insufficient_scope"}"#, 1),
        (r#"decisions_total{decision="deny",issuer="none",mode="enforce",reason="unsupported_algorithm"}"#, 1),
        (r#"decisions_total{decision="deny",issuer="none",mode="enforce",reason="missing_credentials"}"#, 1),
        (WRITTEN,                                                  6),
        (r#"records_total{outcome="dropped"}"#,                    0),
        (r#"verified_token_lookups_total{outcome="hit"}"#,         3),
        (r#"verified_token_lookups_total{outcome="miss"}"#,        2),
        ("verified_token_evictions_total",                         0),
        (FAILURES,                                                 0),
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
    assert_eq!(stats[FETCHES], 1, "{stats:?}");
    assert_eq!(stats[MAX_STALE], 86400, "{stats:?}");
    let now = u64::try_from(paths::now()).expect("a clock after 1970");
    assert!((now - 300..=now).contains(&stats[FETCHED_AT]), "{stats:?}");
}

#[test]
fn fetches_that_fail_and_requests_that_wait_are_counted() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().behaviour = Behaviour::Status(503);
    let mut configuration = fetched(&json!({ "timeout": "1s" }));
    configuration["limits"] = json!({ "waiting_time": "2s" });
    let scene = Scene::with(configuration, issuer);
    assert_eq!(scene.get(&token("acme-rsa")).status, 503);
    let refused = r#"decisions_total{decision="deny",issuer="none",mode="enforce",reason="keys_unavailable"}"#;
    let stats = until(&scene, |stats| {
        let names = [FAILURES, refused, WAITED];
        names.iter().all(|name| count(stats, name) > 0)
    });
    let millis = count(&stats, r#"wait_milliseconds_total{awaited="keys"}"#);
    assert!(millis <= 2000 * count(&stats, WAITED), "{stats:?}");
}

#[test]
fn credentials_are_counted_by_class_and_outcome() {
    let mut configuration = fetched(&json!({}));
    configuration["credentials"] = json!({ "opaque": "observe" });
    configuration["policy"] = json!({ "mode": "shadow" });
    let scene = Scene::with(configuration, Issuer::start(["acme-rsa"]));
    let poor = token_with("acme-rsa", &json!({ "scope": "sql" }));
    let valid = token("acme-rsa");
    let bearers = [
        (&*valid, 200),
        (&*valid, 200),
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
            let labels = format!(r#"{{credential="{class}",outcome="{outcome}"}}"#);
            stats.get(&format!("credentials_total{labels}")).copied()
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
    let classes = stats
        .keys()
        .filter(|name| name.starts_with("credentials_total"));
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
    let stats = until(&scene, |stats| count(stats, OFFLINE) > 0);
    #[rustfmt::skip]
    let want = [
        (OFFLINE,                                                        1),
        (r#"signature_engine{algorithm="RS256",engine="gateway"}"#, 1),
        (r#"signature_engine{algorithm="RS256",engine="module"}"#,  0),
        (r#"signature_engine{algorithm="EdDSA",engine="gateway"}"#, 0),
        (r#"signature_engine{algorithm="EdDSA",engine="module"}"#,  1),
    ];
    for (name, count) in want {
        assert_eq!(stats.get(name), Some(&count), "{name}: {stats:?}");
    }
    let engines = stats
        .keys()
        .filter(|name| name.starts_with("signature_engine"));
    assert_eq!(engines.count(), 4, "{stats:?}");
    // Envoy brings its histograms up to date every five seconds. The sample's steps.
    let lifetimes = |step| format!(r#"token_lifetime_seconds_bucket{{{ISSUER},le="{step}"}}"#);
    let stats = until(&scene, |stats| count(stats, &lifetimes("+Inf")) == 2);
    let steps = ["61", "310", "910", "1900", "3700", "610000"];
    let counts = steps.map(|step| stats.get(&lifetimes(step)).copied());
    assert_eq!(counts, [0, 1, 1, 1, 2, 2].map(Some), "{stats:?}");
}

#[test]
fn the_configuration_that_serves_is_told() {
    let scene = Scene::start();
    let info = |stats: &BTreeMap<String, u64>| -> Vec<(String, u64)> {
        let stats = stats.iter().filter(|(name, _)| name.starts_with("info{"));
        stats.map(|(name, value)| (name.clone(), *value)).collect()
    };
    let mark = scene.envoy.log().mark();
    scene.get(&token("acme-rsa"));
    let record = scene.envoy.log().wait_for_audit(mark, 1).remove(0);
    let digest = record["config"].as_str().expect("a digest");
    let version = env!("CARGO_PKG_VERSION");
    let want = format!(r#"info{{config="{digest}",version="{version}"}}"#);
    assert_eq!(info(&stats(&scene)), [(want, 1)]);
}

/// What Prometheus is told of the filter, without what all its names begin with.
fn stats(scene: &Scene) -> BTreeMap<String, u64> {
    let metrics = scene.envoy.metrics().into_iter();
    metrics
        .filter_map(|(name, count)| Some((name.strip_prefix("oam_filter_")?.to_owned(), count)))
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

const ISSUER: &str = r#"issuer="https://acme.example.com""#;
const ALLOWED: &str = r#"decisions_total{decision="allow",issuer="https://acme.example.com",mode="enforce",reason="permitted"}"#;
const FETCHES: &str = r#"key_fetches_total{issuer="https://acme.example.com",outcome="success"}"#;
const FAILURES: &str = r#"key_fetches_total{issuer="https://acme.example.com",outcome="failure"}"#;
const FETCHED_AT: &str = r#"keys_fetched_timestamp_seconds{issuer="https://acme.example.com"}"#;
const MAX_STALE: &str = r#"keys_max_stale_seconds{issuer="https://acme.example.com"}"#;
const OFFLINE: &str = r#"tokens_offline_access_total{issuer="https://acme.example.com"}"#;
const WAITED: &str = r#"waits_total{awaited="keys"}"#;
const WRITTEN: &str = r#"records_total{outcome="written"}"#;
