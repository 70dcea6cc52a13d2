//! Records on the way to Zerobus Ingest, as `envoy/collectors/zerobus.yaml` has it: Envoy gets the
//! token and shows it, and nothing is lost while it has none.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use wasm_tests::envoy::{self, install};
use wasm_tests::paths;
use wasm_tests::serve::Scripted;

use crate::{Gateway, Losses};

#[test]
fn records_go_out_with_a_token_for_their_table() {
    let tokens = Scripted::start(Tokens::default(), token);
    tokens.script().refusals = 1;
    let secret = envoy::scratch().join("secret");
    std::fs::write(&secret, "s3cret").expect("a scratch file");
    let sample = sample(&secret.display().to_string());
    if install::version().starts_with("1.36") {
        let said = envoy::validate(&sample).unwrap_err();
        assert!(said.contains("endpoint_params"), "{said}");
        return;
    }
    envoy::validate(&sample).unwrap();
    let edit = |bootstrap: &mut Value, collector: SocketAddr| {
        lead(bootstrap, &sample, [collector, tokens.address()]);
    };
    let otlp = json!({
        "cluster": "zerobus",
        "uri": "https://1234567890123456.zerobus.us-west-2.cloud.databricks.com/v1/logs",
        "headers": { "x-databricks-zerobus-table-name": TABLE },
    });
    let gateway = Gateway::start_with(1, &json!({}), &otlp, edit);
    gateway.ask(10);
    let (records, losses) = gateway.accounted(10);
    assert_eq!((records.len(), losses), (10, Losses::default()));
    let header = |name| gateway.collector.header(name);
    assert_eq!(
        ["authorization", "x-databricks-zerobus-table-name"].map(header),
        ["Bearer for-the-table", TABLE].map(|value| Some(value.to_owned()))
    );
    // What Databricks needs, so that the token is one for this table.
    let asked = tokens.script().asked.clone().expect("a request");
    let one = |kind: &str, name: &str, privileges: Value| json!({ "type": "unity_catalog_privileges", "privileges": privileges, "object_type": kind, "object_full_path": name });
    let details = json!([
        one("CATALOG", "main", json!(["USE CATALOG"])),
        one("SCHEMA", "main.security", json!(["USE SCHEMA"])),
        one("TABLE", TABLE, json!(["SELECT", "MODIFY"])),
    ]);
    let want = json!({
        "client_id": "00000000-1111-2222-3333-444444444444",
        "client_secret": "s3cret",
        "grant_type": "client_credentials",
        "scope": "all-apis",
        "resource": "api://databricks/workspaces/1234567890123456/zerobusDirectWriteApi",
        "authorization_details": details,
    });
    assert_eq!(asked, want);
}

/// Databricks' token endpoint.
#[derive(Default)]
struct Tokens {
    /// How often it refuses at first.
    refusals: u32,
    /// What it was asked for last.
    asked: Option<Value>,
}

async fn token(
    State(tokens): State<Arc<Mutex<Tokens>>>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let mut asked = json!({});
    for (name, value) in form {
        asked[name] = serde_json::from_str(&value).unwrap_or(json!(value));
    }
    let mut tokens = tokens.lock().expect("no test has failed");
    tokens.asked = Some(asked);
    if tokens.refusals > 0 {
        tokens.refusals -= 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let token =
        json!({ "access_token": "for-the-table", "expires_in": 3600, "token_type": "Bearer" });
    ([(CONTENT_TYPE, "application/json")], token.to_string()).into_response()
}

/// Leads the cluster `zerobus` through what is shipped, to these servers.
fn lead(bootstrap: &mut Value, sample: &Value, [collector, tokens]: [SocketAddr; 2]) {
    bootstrap["bootstrap_extensions"] = sample["bootstrap_extensions"].clone();
    let resources = &sample["static_resources"];
    let own = &mut bootstrap["static_resources"];
    own["secrets"] = resources["secrets"].clone();
    let listeners = own["listeners"].as_array_mut().expect("listeners");
    listeners.push(resources["listeners"][0].clone());
    let clusters = own["clusters"].as_array_mut().expect("clusters");
    clusters.push(resources["clusters"][0].clone());
    clusters.push(envoy::cluster("zerobus-outside", collector));
    clusters.push(envoy::cluster("workspace-tokens", tokens));
}

fn sample(secret: &str) -> Value {
    let file = paths::root().join("envoy/collectors/zerobus.yaml");
    let text = std::fs::read_to_string(&file).expect("the sample");
    let text = text.replace("/etc/envoy/zerobus-client-secret", secret);
    serde_norway::from_str(&text).expect("YAML")
}

const TABLE: &str = "main.security.oam_otel_logs";
