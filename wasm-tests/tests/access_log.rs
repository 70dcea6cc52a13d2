//! Envoy's own access log: which decision stood behind each of its lines.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_tests::client;
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::issuer::{Behaviour, Issuer};
use wasm_tests::paths;
use wasm_tests::scene::{fetched, token, token_with};
use wasm_tests::workspace::Workspace;

#[test]
fn every_line_has_the_decision_of_its_record() {
    let mut configuration = fetched(&json!({ "timeout": "10s" }));
    configuration["policy"] = json!({ "rules": [
        { "name": "trial", "effect": "deny", "paths": ["/api/2.2/jobs/get"], "mode": "shadow" },
        { "name": "health", "effect": "public", "paths": ["/healthz"] },
    ] });
    configuration["limits"] = json!({ "waiting_time": "10s" });
    configuration["resource"] = json!({ "identifier": "https://databricks.example.com" });
    configuration["audit"] = json!({ "access_log": true });
    // The first is held until the keys come, and is judged from the worker's root.
    let gateway = Gateway::start(configuration, SLOW);
    let bearer = |claims: &Value| format!("Bearer {}", token_with("acme-rsa", claims));
    let valid = bearer(&json!({}));
    let narrow = bearer(&json!({ "scope": "sql" }));
    let forged = format!("{valid}A");
    let metadata = "/.well-known/oauth-protected-resource";
    #[rustfmt::skip]
    let requests = [
        // target, its token,                          status, reason, and Envoy's details
        ("/api/2.2/jobs/list?x=1",  Some(&valid),       200, "permitted",            "via_upstream"),
        ("/api/2.2/jobs/list",      Some(&valid),       200, "permitted",            "via_upstream"),
        ("/api/2.2/jobs/get",       Some(&valid),       200, "denied_by_rule",       "via_upstream"),
        ("/healthz",                None,               200, "public",               "via_upstream"),
        (metadata,                  None,               200, "metadata",             "oam_metadata"),
        ("/api/2.2/jobs/list",      None,               401, "missing_credentials",  "oam_missing_credentials"),
        ("/api/2.2/jobs/list",      Some(&narrow),      403, "insufficient_scope",   "oam_insufficient_scope"),
        ("/api/2.2/jobs/list",      Some(&forged),      401, "invalid_signature",    "oam_invalid_token"),
    ];
    for (target, bearer, ..) in &requests {
        let header = bearer.map(|bearer| ("authorization", bearer.as_bytes()));
        client::get(gateway.envoy.address(), target, header.as_slice());
    }
    let found = gateway.lines(requests.len());
    let told =
        |line: &Value| ["path", "status", "oam_reason", "details"].map(|name| line[name].clone());
    let without_query = |target: &str| target.split('?').next().map(ToOwned::to_owned);
    let want = requests.map(|(target, _, status, reason, details)| {
        [
            json!(without_query(target)),
            json!(status),
            json!(reason),
            json!(details),
        ]
    });
    assert_eq!(found.iter().map(told).collect::<Vec<_>>(), want);
    let waits = "oam_filter_waits_total{awaited=\"keys\"}";
    assert_eq!(gateway.envoy.metrics()[waits], 1);
    let records = gateway.envoy.log().wait_for_audit(0, requests.len());
    let ids = |lines: &[Value], names: [&str; 3]| -> Vec<[Value; 3]> {
        let of = |line: &Value| names.map(|name| line[name].clone());
        lines.iter().map(of).collect()
    };
    assert_eq!(
        ids(&found, ["oam_decision_id", "oam_reason", "request_id"]),
        ids(&records, ["decision_id", "reason", "request_id"])
    );
}

/// Envoy writes the line as soon as the client is gone, and the decision comes after that.
#[test]
fn who_left_while_the_request_was_held_has_a_line_without_decision() {
    let mut configuration = fetched(&json!({ "timeout": "10s" }));
    configuration["audit"] = json!({ "access_log": true });
    configuration["limits"] = json!({ "waiting_time": "10s" });
    let gateway = Gateway::start(configuration, SLOW);
    let valid = format!("Bearer {}", token("acme-rsa"));
    let headers: [(&str, &[u8]); 1] = [("authorization", valid.as_bytes())];
    let mut connection = client::Connection::open(gateway.envoy.address());
    connection.send(&client::request(
        "GET",
        b"/api/2.2/jobs/list",
        &headers,
        b"",
    ));
    assert!(!connection.answers_within(Duration::from_millis(300)));
    drop(connection);
    let found = gateway.lines(1);
    assert_eq!(
        ["status", "flags", "oam_decision_id", "oam_reason"].map(|name| found[0][name].clone()),
        [json!(0), json!("DC"), Value::Null, Value::Null]
    );
    let records = gateway.envoy.log().wait_for_audit(0, 1);
    let ids = ["reason", "request_id"].map(|name| records[0][name].clone());
    assert_eq!(ids, [json!("abandoned"), found[0]["request_id"].clone()]);
}

/// A valid request costs no host call for it; a refusal says at least what its caller is told.
#[test]
fn nobody_pays_who_does_not_ask_for_it() {
    let gateway = Gateway::start(fetched(&json!({})), Behaviour::Ok);
    let valid = format!("Bearer {}", token("acme-rsa"));
    let ask = |headers: &[(&str, &[u8])]| {
        client::get(gateway.envoy.address(), "/api/2.2/jobs/list", headers)
    };
    ask(&[("authorization", valid.as_bytes())]);
    ask(&[]);
    let found = gateway.lines(2);
    let told =
        |line: &Value| ["oam_decision_id", "oam_reason", "details"].map(|name| line[name].clone());
    assert_eq!(
        [told(&found[0]), told(&found[1])],
        [
            [Value::Null, Value::Null, json!("via_upstream")],
            [Value::Null, Value::Null, json!("oam_missing_credentials")],
        ]
    );
}

/// An Envoy that writes the access log of the shipped sample into its own log.
struct Gateway {
    envoy: Envoy,
    _issuer: Issuer,
    _workspace: Workspace,
}

impl Gateway {
    fn start(configuration: Value, issuer_is: Behaviour) -> Self {
        let (issuer, workspace) = (Issuer::start(["acme-rsa"]), Workspace::start());
        // Keys are fetched as soon as there is a configuration.
        issuer.script().behaviour = issuer_is;
        let mut bootstrap = Setup::new(configuration)
            .cluster("issuer", issuer.address())
            .cluster("workspace", workspace.address())
            .bootstrap();
        let mut access_log = sample();
        access_log[0]["typed_config"]["@type"] = json!(STDERR);
        let chain = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0];
        chain["filters"][0]["typed_config"]["access_log"] = access_log;
        let envoy = Envoy::launch(&bootstrap, 1, None).unwrap_or_else(|log| panic!("{log}"));
        Self {
            envoy,
            _issuer: issuer,
            _workspace: workspace,
        }
    }

    /// So many lines of the access log.
    fn lines(&self, count: usize) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let text = self.envoy.log().text();
            let found: Vec<Value> = text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            if found.len() >= count {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "{text}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The access log of `envoy/production`.
fn sample() -> Value {
    let file = paths::root().join("envoy/production/listeners.yaml");
    let text = std::fs::read_to_string(&file).expect("the sample");
    let listeners: Value = serde_norway::from_str(&text).expect("YAML");
    let chain = &listeners["resources"][0]["filter_chains"][0];
    chain["filters"][0]["typed_config"]["access_log"].clone()
}

/// Time for a request to come before the keys do.
const SLOW: Behaviour = Behaviour::Slow(Duration::from_secs(8));

const STDERR: &str =
    "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog";

/// Envoy writes what fits into a buffer every ten seconds.
const PATIENCE: Duration = Duration::from_secs(40);
