//! An Envoy that grants the module less than it asks for, and what `oam check` says of that.

use std::process::Command;

use serde_json::{Value, json};
use wasm_tests::capabilities::{self, ANNOTATION, SHARED_DATA};
use wasm_tests::client;
use wasm_tests::corpus::oam;
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::keys::jwk_set;
use wasm_tests::paths;
use wasm_tests::scene::{fetched, token};
use wasm_tests::workspace::Workspace;

#[test]
fn what_is_asked_for_is_enough() {
    let workspace = Workspace::start();
    let envoy = launch(&workspace, &[]);
    let authorization = format!("Bearer {}", token("acme-rsa"));
    let ask = |headers: &[(&str, &[u8])]| client::get(envoy.address(), PATH, headers).status;
    assert_eq!(ask(&[]), 401);
    assert_eq!(ask(&[("authorization", authorization.as_bytes())]), 200);
}

/// Why `oam check` calls it an error: the module has no part in it, and cannot say anything either.
#[test]
fn a_callback_that_is_not_granted_lets_requests_pass() {
    let workspace = Workspace::start();
    let envoy = launch(&workspace, &["proxy_on_request_headers"]);
    assert_eq!(client::get(envoy.address(), PATH, &[]).status, 200);
}

#[test]
fn whatever_is_missing_is_an_error_but_what_the_module_does_without() {
    assert_eq!(check("all", &[]), (true, String::new()));
    assert_eq!(check("unshared", &SHARED_DATA), (true, String::new()));
    assert_eq!(check("unannotated", &[ANNOTATION]), (true, String::new()));
    let names = capabilities::of_the_module().into_iter();
    let is_needed = |name: &String| !SHARED_DATA.contains(&name.as_str()) && name != ANNOTATION;
    for name in names.filter(is_needed) {
        let (holds, said) = check(&name, &[&name]);
        assert!(
            !holds && said.ends_with(&format!("; grant `{name}`")),
            "{name}: {said}"
        );
    }
}

/// Envoy takes both.
#[test]
fn the_other_spelling_counts_as_well() {
    let restriction = [
        "capability_restriction_config",
        "capabilityRestrictionConfig",
    ];
    let list = ["allowed_capabilities", "allowedCapabilities"];
    for (restriction, list) in [
        (restriction[0], list[1]),
        (restriction[1], list[0]),
        (restriction[1], list[1]),
    ] {
        let mut bootstrap = Setup::sample().bootstrap();
        *capabilities::restriction(&mut bootstrap, restriction) =
            json!({ list: { "proxy_log": {} } });
        let (holds, said) = check_bootstrap("other-spelling", &bootstrap);
        assert!(
            !holds && said.contains("proxy_on_request_headers"),
            "{restriction}.{list}: {said}"
        );
    }
}

/// Whether `oam check` finds nothing wrong where this is not granted, and what it says of the
/// grants.
fn check(name: &str, refused: &[&str]) -> (bool, String) {
    let mut bootstrap = Setup::sample().bootstrap();
    capabilities::grant_all_but(&mut bootstrap, refused);
    check_bootstrap(name, &bootstrap)
}

fn check_bootstrap(name: &str, bootstrap: &Value) -> (bool, String) {
    let folder = paths::root().join("target/oam-runs/capabilities");
    std::fs::create_dir_all(&folder).expect("a folder under target");
    let file = folder.join(format!("{name}.json"));
    std::fs::write(&file, bootstrap.to_string()).expect("a file under target");
    let mut oam = Command::new(oam::binary());
    let output = oam.arg("check").arg(file).output().expect("oam runs");
    let said = String::from_utf8(output.stdout).expect("text");
    let mut lines = said.lines().filter(|line| {
        line.contains("allowed_capabilities") || line.contains("allowedCapabilities")
    });
    let of_grants = lines.next().unwrap_or_default().trim().to_owned();
    (output.status.success(), of_grants)
}

fn launch(workspace: &Workspace, refused: &[&str]) -> Envoy {
    let mut bootstrap = Setup::new(configuration())
        .cluster("workspace", workspace.address())
        .bootstrap();
    capabilities::grant_all_but(&mut bootstrap, refused);
    Envoy::launch(&bootstrap, 1, None).expect("Envoy starts")
}

fn configuration() -> Value {
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["jwks"] = json!({ "keys": jwk_set(["acme-rsa"]) });
    configuration
}

const PATH: &str = "/api/2.2/jobs/get";
