//! `oam check` of gateways with a fault in them, and of their sound twins.

use serde_json::Value;

use super::planting::{Case, planted};
use super::{file, oam, text};

#[test]
fn every_planted_fault_is_found_and_no_twin_is_called_faulty() {
    let bootstrap: Value = yaml(include_str!("gateways/production.yaml"));
    let cases: Vec<Case> = yaml(include_str!("gateways/envoy.yaml"));
    let mut wrong = Vec::new();
    for case in &cases {
        let faulty = errors(
            &format!("faulty {}", case.name),
            &planted(&bootstrap, &case.faulty),
        );
        let unexpected = |code: &String| *code != case.finds && !case.also.contains(code);
        if !faulty.contains(&case.finds) || faulty.iter().any(unexpected) {
            wrong.push(format!(
                "{}: found {faulty:?}, not {}",
                case.name, case.finds
            ));
        }
        let sound = errors(
            &format!("sound {}", case.name),
            &planted(&bootstrap, &case.sound),
        );
        if !sound.is_empty() {
            wrong.push(format!("{}: the twin: {sound:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 50);
}

/// The codes of all errors that `oam check --strict` finds, each once.
fn errors(name: &str, bootstrap: &Value) -> Vec<String> {
    let path = file(
        &format!("planted-{}.json", name.replace(' ', "-")),
        &bootstrap.to_string(),
    );
    let ran = oam(&["check", "--strict", "--json", text(&path)]);
    let findings: Vec<Value> = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    let is_error = |finding: &&Value| finding["severity"] == "error";
    let codes = findings.iter().filter(is_error);
    let mut codes: Vec<String> = codes
        .map(|finding| finding["code"].as_str().unwrap().to_owned())
        .collect();
    codes.sort();
    codes.dedup();
    assert_eq!(ran.code, Some(i32::from(!codes.is_empty())), "{name}");
    codes
}

fn yaml<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}
