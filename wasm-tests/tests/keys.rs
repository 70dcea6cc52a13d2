//! Where keys come from, what happens until they come, and what when they do not.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_tests::client::{self, Connection};
use wasm_tests::envoy::Setup;
use wasm_tests::issuer::{Behaviour, Issuer};
use wasm_tests::keys::{jwk_set, key, rsa_jwk_of};
use wasm_tests::scene::{Scene, fetched, token};
use wasm_tests::workspace::Workspace;

#[test]
fn requests_wait_for_the_first_keys() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().behaviour = Behaviour::Slow(Duration::from_millis(1500));
    let scene = Scene::with(fetched(&json!({ "timeout": "5s" })), issuer);
    let started = Instant::now();
    assert_eq!(scene.get(&token("acme-rsa")).status, 200);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "it waited {:?}",
        started.elapsed()
    );
    assert!(
        scene.issuer.requests("/keys") <= FETCHERS,
        "one fetch for all who wait"
    );
}

#[test]
fn a_herd_of_waiting_requests_shares_one_fetch() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().behaviour = Behaviour::Slow(Duration::from_millis(1500));
    let scene = Scene::with(fetched(&json!({ "timeout": "5s" })), issuer);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..40)
            .map(|_| scope.spawn(|| scene.get(&token("acme-rsa")).status))
            .collect();
        for call in calls {
            assert_eq!(call.join().expect("a call"), 200);
        }
    });
    assert!(scene.issuer.requests("/keys") <= FETCHERS);
}

/// Each refusal of a waiting request is carried out inside the one before, so hundreds at once
/// would exhaust the VM's stack.
#[test]
fn hundreds_of_waiting_requests_are_refused_each() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().behaviour = Behaviour::Slow(Duration::from_secs(3));
    let scene = Scene::with(fetched(&json!({ "timeout": "10s" })), issuer);
    let bearer = format!("Bearer {}", token("stranger-rsa"));
    let request = client::request(
        "GET",
        b"/api/2.2/jobs/get",
        &[("authorization", bearer.as_bytes())],
        b"",
    );
    let mut connections: Vec<Connection> = (0..700)
        .map(|_| Connection::open(scene.envoy.address()))
        .collect();
    for connection in &mut connections {
        connection.send(&request);
    }
    for connection in &mut connections {
        assert_eq!(connection.answer(false).status, 401);
    }
}

/// Envoy starts its timer anew when it is asked for another period, so asking with each request
/// would put the fetch off for ever.
#[test]
fn requests_that_wait_do_not_put_the_fetch_off() {
    let scene = Scene::with(fetched(&json!({})), Issuer::start(["acme-rsa"]));
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    let bearer = format!("Bearer {}", token("stranger-rsa"));
    let request = client::request(
        "GET",
        b"/api/2.2/jobs/get",
        &[("authorization", bearer.as_bytes())],
        b"",
    );
    let mut connections = Vec::new();
    for _ in 0..500 {
        let mut connection = Connection::open(scene.envoy.address());
        connection.send(&request);
        connections.push(connection);
        std::thread::sleep(Duration::from_millis(2));
    }
    let first = connections.first_mut().expect("a connection");
    assert!(
        first.answers_within(Duration::from_millis(1)),
        "still waiting after a second"
    );
    assert_eq!(first.answer(false).status, 401);
}

#[test]
fn without_first_keys_the_answer_is_503_with_retry_after() {
    let failures: [(&str, Behaviour); 7] = [
        ("503 with a body", Behaviour::Status(503)),
        ("404", Behaviour::Status(404)),
        ("a redirect", Behaviour::Status(302)),
        ("garbage", Behaviour::Garbage),
        ("half a document", Behaviour::Half),
        (
            "a set of no keys",
            Behaviour::Body(r#"{"keys":[]}"#.to_owned()),
        ),
        (
            "an answer too late",
            Behaviour::Slow(Duration::from_secs(30)),
        ),
    ];
    for (name, behaviour) in failures {
        let issuer = Issuer::start(["acme-rsa"]);
        issuer.script().behaviour = behaviour;
        let mut configuration = fetched(&json!({ "timeout": "1s" }));
        configuration["limits"] = json!({ "waiting_time": "2s" });
        let scene = Scene::with(configuration, issuer);
        assert_unavailable(name, &scene);
        // The moment keys can be had, they are.
        scene.issuer.script().behaviour = Behaviour::Ok;
        scene.until(&token("acme-rsa"), 200, Duration::from_secs(30));
    }
}

#[test]
fn a_connection_that_is_reset_or_refused() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.door().shut(true);
    let mut configuration = fetched(&json!({ "timeout": "1s" }));
    configuration["limits"] = json!({ "waiting_time": "2s" });
    let scene = Scene::with(configuration.clone(), issuer);
    assert_unavailable("reset", &scene);
    scene.issuer.door().shut(false);
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(30));

    let nobody = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .and_then(|socket| socket.local_addr());
    let workspace = Workspace::start();
    let setup = Setup::new(configuration).cluster("workspace", workspace.address());
    let envoy = setup.cluster("issuer", nobody.expect("an address")).start();
    let answer = client::get(
        envoy.address(),
        "/api/2.2/jobs/get",
        &[(
            "authorization",
            format!("Bearer {}", token("acme-rsa")).as_bytes(),
        )],
    );
    assert_eq!(answer.status, 503, "nobody listens: {answer:?}");
    assert_eq!(workspace.connections(), 0);
}

#[test]
fn a_cluster_that_does_not_exist() {
    let mut configuration = fetched(&json!({ "cluster": "nowhere" }));
    configuration["limits"] = json!({ "waiting_time": "1s" });
    let scene = Scene::with(configuration, Issuer::start(["acme-rsa"]));
    assert_unavailable("no such cluster", &scene);
}

#[test]
fn one_issuer_without_keys_does_not_harm_another() {
    let mut configuration = fetched(&json!({ "cluster": "nowhere" }));
    configuration["limits"] = json!({ "waiting_time": "1s" });
    let other = json!({ "issuer": "https://other.example.com", "preset": "generic", "audiences": ["databricks"], "jwks": { "keys": jwk_set(["partner-rsa"]) } });
    configuration["issuers"]
        .as_array_mut()
        .expect("issuers")
        .push(other);
    let scene = Scene::with(configuration, Issuer::start(["acme-rsa"]));
    let other = wasm_tests::scene::token_with(
        "partner-rsa",
        &json!({ "iss": "https://other.example.com" }),
    );
    assert_eq!(scene.get(&other).status, 200);
    scene.workspace.take();
    assert_unavailable("the one without", &scene);
}

#[test]
fn strange_key_sets_leave_the_good_key_usable() {
    let good = key("acme-rsa").jwk.clone();
    let many: Vec<Value> = (0..1000)
        .map(|number| rsa_jwk_of(2048, &format!("k{number}")))
        .collect();
    let strange = [
        (
            "keys of 512 and 16,384 bits",
            vec![
                rsa_jwk_of(512, "small"),
                key("weak-512").jwk.clone(),
                rsa_jwk_of(16_384, "huge"),
            ],
        ),
        (
            "a symmetric key",
            vec![json!({ "kty": "oct", "kid": "oct", "k": "c2VjcmV0" })],
        ),
        (
            "entries that are no keys",
            vec![
                json!(null),
                json!(1),
                json!("x"),
                json!([]),
                json!({}),
                json!({ "kty": 7 }),
            ],
        ),
        (
            "a key ID that is a number",
            vec![json!({ "kty": "RSA", "kid": 7, "n": "AQAB", "e": "AQAB" })],
        ),
        ("sixty keys", many[..60].to_vec()),
    ];
    for (name, mut keys) in strange {
        keys.push(good.clone());
        let issuer = Issuer::start(["acme-rsa"]);
        issuer.script().keys = json!({ "keys": keys });
        let scene = Scene::with(fetched(&json!({})), issuer);
        assert_eq!(scene.get(&token("acme-rsa")).status, 200, "{name}");
        for stranger in ["weak-512", "stranger-rsa"] {
            assert_eq!(
                scene.get(&token_of(stranger)).status,
                401,
                "{name}: {stranger}"
            );
        }
    }
}

#[test]
fn a_key_set_of_ten_mebibytes() {
    let issuer = Issuer::start(["acme-rsa"]);
    let padding = "x".repeat(10 << 20);
    issuer.script().behaviour =
        Behaviour::Body(json!({ "keys": [key("acme-rsa").jwk], "padding": padding }).to_string());
    let mut configuration = fetched(&json!({ "timeout": "3s" }));
    configuration["limits"] = json!({ "waiting_time": "3s" });
    let scene = Scene::with(configuration, issuer);
    assert_unavailable("10 MiB", &scene);
    scene.issuer.script().behaviour = Behaviour::Ok;
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(30));
}

#[test]
fn keys_found_through_the_issuers_metadata() {
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["jwks"] = json!({ "cluster": "issuer" });
    configuration["limits"] = json!({ "waiting_time": "2s" });
    let scene = Scene::with(configuration.clone(), Issuer::start(["acme-rsa"]));
    assert_eq!(scene.get(&token("acme-rsa")).status, 200);

    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().metadata_issuer = Some("https://evil.example.com".to_owned());
    let scene = Scene::with(configuration, issuer);
    assert_unavailable("metadata of another issuer", &scene);
    assert_eq!(
        scene.issuer.requests("/keys"),
        0,
        "its keys are not even asked for"
    );
}

#[test]
fn an_unknown_key_id_refreshes_early_but_not_often() {
    let scene = Scene::start();
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    scene.issuer.script().keys = jwk_set(["acme-rsa", "partner-rsa"]);
    // Fetched when the key set is known to lack it; the cool-down may have to pass first.
    scene.until(&token_of("partner-rsa"), 200, Duration::from_secs(45));
    let before = scene.issuer.requests("/keys");
    for _ in 0..50 {
        assert_eq!(scene.get(&token_of("stranger-rsa")).status, 401);
    }
    let fetches = scene.issuer.requests("/keys") - before;
    assert!(
        fetches <= 1,
        "{fetches} fetches for a flood of unknown key IDs"
    );
    assert_eq!(
        scene.get(&token("acme-rsa")).status,
        200,
        "known ones never wait"
    );
}

#[test]
fn a_key_that_is_withdrawn_stops_to_verify_and_failures_keep_the_last_good_keys() {
    let issuer = Issuer::start(["acme-rsa", "partner-rsa"]);
    let scene = Scene::with(
        fetched(&json!({ "refresh": "1s", "timeout": "1s" })),
        issuer,
    );
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    for behaviour in [
        Behaviour::Status(503),
        Behaviour::Garbage,
        Behaviour::Half,
        Behaviour::Body(r#"{"keys":[]}"#.to_owned()),
    ] {
        scene.issuer.script().behaviour = behaviour.clone();
        std::thread::sleep(Duration::from_millis(2500));
        assert_eq!(
            scene.get(&token("acme-rsa")).status,
            200,
            "after {behaviour:?}"
        );
    }
}

#[test]
fn a_token_that_was_accepted_is_refused_once_its_key_is_withdrawn() {
    let issuer = Issuer::start(["acme-rsa", "partner-rsa"]);
    let scene = Scene::with(fetched(&json!({ "refresh": "1s" })), issuer);
    let (stays, goes) = (token("acme-rsa"), token("partner-rsa"));
    for token in [&stays, &goes, &stays, &goes] {
        assert_eq!(scene.get(token).status, 200);
    }
    scene.issuer.script().keys = jwk_set(["acme-rsa"]);
    scene.until(&goes, 401, Duration::from_secs(30));
    assert_eq!(scene.get(&stays).status, 200);
}

#[test]
fn a_token_that_was_accepted_is_refused_once_it_has_expired() {
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["clock_skew"] = json!("0s");
    let scene = Scene::with(configuration, Issuer::start(["acme-rsa"]));
    assert_eq!(scene.get(&token("acme-rsa")).status, 200);
    let short = wasm_tests::scene::token_with("acme-rsa", &json!({ "exp": "now+12" }));
    assert_eq!(scene.get(&short).status, 200);
    scene.until(&short, 401, Duration::from_secs(30));
    let (_, reason) = scene.reason_of(|scene| scene.get(&short));
    assert_eq!(reason, "token_expired");
}

#[test]
fn an_unknown_issuer_triggers_no_fetch() {
    let scene = Scene::start();
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    let before = scene.issuer.script().requests.clone();
    for issuer in ["https://evil.example.com", "https://acme.example.com/", ""] {
        let token = wasm_tests::scene::token_with("stranger-rsa", &json!({ "iss": issuer }));
        assert_eq!(scene.get(&token).status, 401, "{issuer}");
    }
    assert_eq!(scene.issuer.script().requests, before);
}

fn token_of(key: &str) -> String {
    token(key)
}

/// However many workers.
const FETCHERS: u64 = 1;

/// Contract §3: 503 with `Retry-After`, no challenge, nothing upstream.
fn assert_unavailable(name: &str, scene: &Scene) {
    let answer = scene.get(&token("acme-rsa"));
    assert_eq!(answer.status, 503, "{name}: {answer:?}");
    let seconds: Option<u64> = answer
        .header("retry-after")
        .and_then(|text| text.parse().ok());
    assert!(
        seconds.is_some_and(|seconds| seconds > 0),
        "{name}: {answer:?}"
    );
    assert_eq!(answer.header("www-authenticate"), None, "{name}");
    assert_eq!(
        answer.json()["error_code"],
        "TEMPORARILY_UNAVAILABLE",
        "{name}"
    );
    assert!(
        scene.workspace.seen().is_empty(),
        "{name}: something reached the upstream"
    );
}
