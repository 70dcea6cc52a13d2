//! The sample that is shipped, `envoy/envoy.yaml`: Envoy takes it, and it says what every sample
//! must say.

use serde_json::json;
use wasm_tests::client;
use wasm_tests::envoy::{self, Setup, sample};
use wasm_tests::issuer::Issuer;
use wasm_tests::workspace::Workspace;

#[test]
fn envoy_takes_the_sample() {
    // As it stands: its paths count from the root of the checkout.
    envoy::validate(&sample()).expect("a sample that Envoy takes");
}

#[test]
fn the_sample_has_what_every_sample_must_have() {
    let sample = sample();
    let manager = &sample["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    assert_eq!(manager["normalize_path"], json!(true));
    assert_eq!(manager["merge_slashes"], json!(true));
    assert_eq!(
        manager["path_with_escaped_slashes_action"],
        "REJECT_REQUEST"
    );
    assert_eq!(manager["stream_idle_timeout"], "30s");
    let plugin = &manager["http_filters"][0]["typed_config"]["config"];
    assert_eq!(plugin["failure_policy"], "FAIL_RELOAD");
    assert_eq!(
        plugin["configuration"]["@type"],
        "type.googleapis.com/google.protobuf.Struct"
    );
    assert!(
        plugin.get("allow_on_headers_stop_iteration").is_none(),
        "Envoys before 1.35 refuse it"
    );
    assert_eq!(
        sample["admin"]["address"]["socket_address"]["address"],
        "127.0.0.1"
    );
}

#[test]
fn the_sample_works_as_shipped() {
    let (issuer, workspace) = (Issuer::start(["acme-rsa"]), Workspace::start());
    let setup = Setup::sample()
        .cluster("issuer", issuer.address())
        .cluster("workspace", workspace.address());
    let envoy = setup.start();
    assert_eq!(client::get(envoy.address(), "/healthz", &[]).status, 200);
    assert_eq!(
        client::get(envoy.address(), "/api/2.2/jobs/get", &[]).status,
        401
    );
    assert_eq!(
        client::get(envoy.address(), "/api%2f2.2/jobs/get", &[]).status,
        400
    );
}

#[test]
fn a_configuration_that_does_not_parse_stops_envoy() {
    for configuration in [
        json!({}),
        json!({ "issuers": [] }),
        json!({ "issuer": [] }),
        json!([]),
        json!("x"),
    ] {
        let log = Setup::new(configuration.clone()).try_start().err();
        let log = log.unwrap_or_else(|| panic!("Envoy started with {configuration}"));
        assert!(log.contains("nable to create Wasm"), "{log}");
    }
}
