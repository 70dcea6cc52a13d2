//! The gateways that `oam check` is tested with are gateways: Envoy takes each, faulty or not.

#[path = "../../tests/oam/planting.rs"]
mod planting;

use planting::{Case, planted};
use serde_json::Value;
use wasm_tests::{envoy, paths};

#[test]
fn envoy_takes_every_planted_gateway() {
    let bootstrap: Value = read("production.yaml");
    let cases: Vec<Case> = read("envoy.yaml");
    let mut refused = Vec::new();
    for Case {
        name,
        of,
        finds,
        also,
        faulty,
        valid,
    } in &cases
    {
        assert!(of.is_empty(), "{name}: for the bootstrap");
        for (edits, what) in [(faulty, finds.as_str()), (valid, "valid")] {
            if let Err(log) = envoy::validate(&planted(&bootstrap, edits)) {
                refused.push(format!("{name} ({what}, {also:?}): {log}"));
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let file = paths::root().join("tests/oam/gateways").join(name);
    let text = std::fs::read_to_string(&file).expect("a file of the checkout");
    serde_norway::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
