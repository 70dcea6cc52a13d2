//! Keys shared between workers: one fetch for all of them, and what it brings on each.

use std::time::{Duration, Instant};

use serde_json::json;
use wasm_tests::capabilities;
use wasm_tests::client::Connection;
use wasm_tests::each_worker::{self, ask};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::host::{CalloutAnswer, Host};
use wasm_tests::issuer::{Behaviour, Issuer};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{Scene, fetched, token};
use wasm_tests::workspace::Workspace;

#[test]
fn eight_workers_fetch_once_when_they_start() {
    for discovers in [false, true] {
        let issuer = Issuer::start(["acme-rsa"]);
        issuer.script().behaviour = Behaviour::Slow(Duration::from_millis(300));
        let mut configuration = fetched(&json!({}));
        if discovers {
            configuration["issuers"][0]["jwks"] = json!({ "cluster": "issuer" });
        }
        let scene = Scene::with_workers(configuration, issuer, 8);
        let good = token("acme-rsa");
        for connection in &mut each_worker::connections(scene.envoy.address(), &good, WORKERS) {
            assert_eq!(ask(connection, &good, PATH).status, 200);
        }
        assert_eq!(scene.issuer.requests("/keys"), 1);
        if discovers {
            let metadata = "/.well-known/openid-configuration";
            assert_eq!(scene.issuer.requests(metadata), 1);
        }
        // All but the worker that fetched, among them the machine that Envoy keeps on its main
        // thread.
        until(&scene.envoy, SHARED, 8);
        until(&scene.envoy, FETCHES, 1);
        assert_eq!(stat(&scene.envoy, FETCHES), 1);
        assert_eq!(stat(&scene.envoy, UNSHARED), 0);
    }
}

#[test]
fn a_refresh_is_one_fetch_and_withdraws_a_key_on_every_worker() {
    let issuer = Issuer::start(["acme-rsa", "partner-rsa"]);
    let scene = Scene::with_workers(fetched(&json!({ "refresh": "2s" })), issuer, 8);
    let (stays, goes) = (token("acme-rsa"), token("partner-rsa"));
    let mut connections = each_worker::connections(scene.envoy.address(), &stays, WORKERS);
    let (before, started) = (scene.issuer.requests("/keys"), Instant::now());
    for connection in &mut connections {
        assert_eq!(ask(connection, &goes, PATH).status, 200);
    }
    scene.issuer.script().keys = jwk_set(["acme-rsa"]);
    until_each(&mut connections, &goes, 401);
    for connection in &mut connections {
        assert_eq!(ask(connection, &stays, PATH).status, 200);
    }
    std::thread::sleep(Duration::from_secs(6));
    let fetches = scene.issuer.requests("/keys") - before;
    // A refresh comes after three quarters of its time at the earliest, and a second and a lease
    // late at the latest.
    let periods = started.elapsed().as_millis();
    assert!(
        u128::from(fetches) <= periods / 1500 + 1,
        "{fetches} fetches in {periods} ms"
    );
    assert!(fetches >= 2, "{fetches} fetches in {periods} ms");
}

#[test]
fn unknown_key_ids_on_every_worker_are_one_fetch() {
    let scene = Scene::with_workers(fetched(&json!({})), Issuer::start(["acme-rsa"]), 8);
    let mut connections =
        each_worker::connections(scene.envoy.address(), &token("acme-rsa"), WORKERS);
    scene.issuer.script().keys = jwk_set(["acme-rsa", "partner-rsa"]);
    scene.issuer.script().behaviour = Behaviour::Slow(Duration::from_millis(300));
    at_once(&mut connections, &token("partner-rsa"), 200);
    assert_eq!(scene.issuer.requests("/keys"), 2);
    for _ in 0..5 {
        at_once(&mut connections, &token("stranger-rsa"), 401);
    }
    assert_eq!(scene.issuer.requests("/keys"), 2, "in the cool-down");
}

#[test]
fn an_issuer_that_is_down_is_asked_by_one_worker() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().behaviour = Behaviour::Status(503);
    let scene = Scene::with_workers(fetched(&json!({ "timeout": "1s" })), issuer, 8);
    std::thread::sleep(Duration::from_secs(6));
    let requests = scene.issuer.requests("/keys");
    // At the start, and after 1, 2, 4, … s, each less a quarter at most.
    assert!((2..=4).contains(&requests), "{requests} requests");
    scene.issuer.script().behaviour = Behaviour::Ok;
    let good = token("acme-rsa");
    scene.until(&good, 200, PATIENCE);
    let mut connections = each_worker::connections(scene.envoy.address(), &good, WORKERS);
    until_each(&mut connections, &good, 200);
}

/// Whoever runs Envoy may grant a module only what it is known to call.
#[test]
fn without_shared_data_each_worker_fetches_for_itself() {
    let issuer = Issuer::start(["acme-rsa"]);
    let workspace = Workspace::start();
    let mut bootstrap = Setup::new(fetched(&json!({})))
        .cluster("issuer", issuer.address())
        .cluster("workspace", workspace.address())
        .bootstrap();
    capabilities::grant_all_but(&mut bootstrap, &capabilities::SHARED_DATA);
    let envoy = Envoy::launch(&bootstrap, 8, None).expect("Envoy starts");
    let good = token("acme-rsa");
    for connection in &mut each_worker::connections(envoy.address(), &good, WORKERS) {
        assert_eq!(ask(connection, &good, PATH).status, 200);
    }
    until(&envoy, UNSHARED, 9);
    until(&envoy, FETCHES, 9);
    assert_eq!(issuer.requests("/keys"), 9);
    assert!(envoy.log().text().contains("fetches them for itself"));
}

/// Everybody without a `vm_id` shares one place, and whoever can write there could sign.
#[test]
fn keys_are_shared_only_with_ones_own() {
    #[rustfmt::skip]
    let cases = [
        // name                     vm_id                          share_keys    shared
        ("a host that says nothing", None,                         json!(true),  true),
        ("an ID of its own",         Some("databricks-oam-filter"), json!(true),  true),
        ("switched off",             Some("databricks-oam-filter"), json!(false), false),
        ("none",                     Some(""),                     json!(true),  false),
    ];
    for (name, id, share_keys, is_shared) in cases {
        let answers = Box::new(|_: &_| CalloutAnswer::Answer {
            status: 200,
            headers: Vec::new(),
            body: jwk_set(["acme-rsa"]).to_string().into(),
        });
        let mut configuration = fetched(&json!({}));
        configuration["share_keys"] = share_keys;
        let configuration = configuration.to_string();
        let mut host = Host::start(&configuration, &["issuer"], answers);
        if let Some(id) = id {
            host.set_property("plugin_vm_id", id);
            assert!(host.configure_context(1, &configuration));
        }
        host.tick();
        host.tick();
        assert_eq!(!host.shared_data().is_empty(), is_shared, "{name}");
        assert_eq!(host.callouts().len(), 1, "{name}");
        let log = host.take_log();
        let is_told = log.iter().any(|(_, line)| line.contains("no `vm_id`"));
        assert_eq!(is_told, id == Some(""), "{name}: {log:?}");
    }
}

/// As Istio has it: a `WasmPlugin` can set none.
#[test]
fn without_a_vm_id_each_worker_fetches_for_itself() {
    let issuer = Issuer::start(["acme-rsa"]);
    let workspace = Workspace::start();
    let mut bootstrap = Setup::new(fetched(&json!({})))
        .cluster("issuer", issuer.address())
        .cluster("workspace", workspace.address())
        .bootstrap();
    let machine = capabilities::restriction(&mut bootstrap, "vm_config");
    let machine = machine.as_object_mut().expect("a machine");
    machine.remove("vm_id").expect("the sample sets it");
    let envoy = Envoy::launch(&bootstrap, 2, None).expect("Envoy starts");
    let good = token("acme-rsa");
    for connection in &mut each_worker::connections(envoy.address(), &good, 2) {
        assert_eq!(ask(connection, &good, PATH).status, 200);
    }
    // With that on the main thread.
    until(&envoy, FETCHES, 3);
    assert_eq!(issuer.requests("/keys"), 3);
    assert_eq!(stat(&envoy, SHARED), 0);
}

/// Sends a request to every worker before it reads an answer.
fn at_once(connections: &mut [Connection], token: &str, status: u16) {
    std::thread::scope(|scope| {
        for connection in connections {
            scope.spawn(|| assert_eq!(ask(connection, token, PATH).status, status));
        }
    });
}

/// Asks every worker until it answers so.
fn until_each(connections: &mut [Connection], token: &str, status: u16) {
    let started = Instant::now();
    for connection in connections {
        while ask(connection, token, PATH).status != status {
            assert!(started.elapsed() < PATIENCE, "a worker never says {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Waits until one of the filter's counters has come to so much.
fn until(envoy: &Envoy, name: &str, count: u64) {
    let started = Instant::now();
    while stat(envoy, name) < count {
        let log = envoy.log();
        assert!(started.elapsed() < PATIENCE, "{name}:\n{}", log.tail(30));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn stat(envoy: &Envoy, name: &str) -> u64 {
    envoy.metrics().get(name).copied().unwrap_or_default()
}

const FETCHES: &str =
    r#"oam_filter_key_fetches_total{issuer="https://acme.example.com",outcome="success"}"#;
const SHARED: &str = r#"oam_filter_keys_shared_total{issuer="https://acme.example.com"}"#;
const UNSHARED: &str = r#"oam_filter_keys_unshared_total{issuer="https://acme.example.com"}"#;

const WORKERS: usize = 8;

const PATH: &str = "/api/2.2/jobs/get";

/// However slow the machine.
const PATIENCE: Duration = Duration::from_mins(1);
