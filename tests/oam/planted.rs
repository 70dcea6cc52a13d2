//! `oam check` of gateways with a fault in them, and of their valid twins.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::planting::{Case, plant, planted};
use super::{file, oam, text};

#[test]
fn every_fault_planted_into_an_envoy_is_found_and_no_twin_is_called_faulty() {
    let bootstrap: Value = yaml(include_str!("gateways/production.yaml"));
    let cases: Vec<Case> = yaml(include_str!("gateways/envoy.yaml"));
    assert!(cases.len() >= 50);
    check_all(&cases, |_, edits| planted(&bootstrap, edits));
}

#[test]
fn so_is_every_one_in_kubernetes() {
    let cases: Vec<Case> = yaml(include_str!("gateways/kubernetes.yaml"));
    assert!(cases.len() >= 30);
    check_all(&cases, |case, edits| {
        let files = case.of.iter().flat_map(|name| {
            let text = std::fs::read_to_string(gateways(name)).unwrap();
            serde_saphyr::from_multiple::<Value>(&text).unwrap()
        });
        let list =
            json!({ "apiVersion": "v1", "kind": "List", "items": files.collect::<Vec<_>>() });
        plant(&list, edits, |place| of_kind(&list, place), &Value::clone)
    });
}

#[test]
fn one_of_each_kind_passes() {
    let mesh = gateways("istio/mesh.yaml");
    for name in ["traffic-extension", "wasm-plugin", "envoy-filter"] {
        let extension = gateways(&format!("istio/{name}.yaml"));
        let ran = oam(&["check", "--strict", &extension, &mesh]);
        assert_eq!(ran.code, Some(0), "{}", ran.out);
        // By itself it shows neither the gateway nor the ways to its clusters.
        assert_eq!(oam(&["check", &extension]).code, Some(0), "{name}");
        assert_eq!(
            oam(&["check", "--strict", &extension]).code,
            Some(1),
            "{name}"
        );
    }
    for file in [
        &gateways("production.yaml"),
        &gateways("envoy-gateway.yaml"),
        "envoy/envoy.yaml",
    ] {
        let ran = oam(&["check", "--strict", file]);
        assert_eq!(ran.code, Some(0), "{}", ran.out);
    }
}

fn gateways(name: &str) -> String {
    format!("{}/tests/oam/gateways/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The place in a list of documents that begins with a kind, and the number of the document of this
/// kind where it is not the first.
fn of_kind(list: &Value, place: &str) -> String {
    let (first, rest) = place.split_once('/').unwrap();
    if first == "documents" {
        return format!("/items/{rest}");
    }
    let (kind, number) = first.split_once('#').unwrap_or((first, "1"));
    let number: usize = number.parse().unwrap();
    let documents = list["items"].as_array().unwrap().iter().enumerate();
    let mut of_kind = documents.filter(|(_, document)| document["kind"] == kind);
    let (position, _) = of_kind
        .nth(number.saturating_sub(1))
        .unwrap_or_else(|| panic!("{place}"));
    format!("/items/{position}/{rest}")
}

fn check_all(cases: &[Case], planted: impl Fn(&Case, &BTreeMap<String, Value>) -> Value) {
    let mut wrong = Vec::new();
    for case in cases {
        let faulty = errors(
            &format!("faulty {}", case.name),
            &planted(case, &case.faulty),
        );
        let unexpected = |code: &String| *code != case.finds && !case.also.contains(code);
        if !faulty.contains(&case.finds) || faulty.iter().any(unexpected) {
            wrong.push(format!(
                "{}: found {faulty:?}, not {}",
                case.name, case.finds
            ));
        }
        let valid = errors(&format!("valid {}", case.name), &planted(case, &case.valid));
        if !valid.is_empty() {
            wrong.push(format!("{}: the twin: {valid:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
