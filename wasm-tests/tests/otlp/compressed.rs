//! Records that Envoy compresses on their way, as `envoy/collectors/opentelemetry.yaml` has it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use wasm_tests::collector::Receipt;
use wasm_tests::{envoy, paths};

use crate::{Gateway, Losses, sequences};

#[test]
fn the_way_is_valid_as_it_is_shipped() {
    envoy::validate(&sample()).unwrap();
}

#[test]
fn every_record_arrives_compressed() {
    const DECISIONS: usize = 100;
    let gateway = Gateway::start_with(2, &json!({}), &json!({}), compress);
    gateway.ask(DECISIONS);
    let (records, losses) = gateway.accounted(DECISIONS as u64);
    assert_eq!((records.len(), losses), (DECISIONS, Losses::default()));
    for numbers in sequences(&records).values() {
        let want: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(*numbers, want);
    }
    let header = |name| gateway.collector.header(name);
    assert_eq!(
        ["content-encoding", "content-type", "x-api-key"].map(header),
        ["gzip", "application/x-protobuf", "collectors-own"].map(|value| Some(value.to_owned()))
    );
    assert_eq!(gateway.counted(), [DECISIONS as u64, 0, 0]);
}

/// The answer is decompressed before the module reads it.
#[test]
fn a_compressed_answer_says_what_was_rejected() {
    let gateway = Gateway::start_with(1, &json!({}), &json!({}), compress);
    gateway.collector.answers(Receipt::AllButCompressed(1));
    gateway.ask(1);
    let _ = gateway.accounted(1);
    assert_eq!(gateway.counted(), [0, 0, 1]);
    gateway.collector.answers(Receipt::All);
    gateway.ask(2);
    let (records, losses) = gateway.accounted(3);
    let want = Losses {
        dropped: 0,
        rejected: 1,
    };
    assert_eq!((records.len(), losses), (3, want));
}

/// Nobody asked for such an answer, and what it says nobody can read: its status counts.
#[test]
fn an_answer_that_nobody_decompresses_is_not_taken_for_another() {
    let gateway = Gateway::start(1, &json!({}), &json!({}));
    gateway.collector.answers(Receipt::AllButCompressed(1));
    gateway.ask(4);
    let (records, losses) = gateway.accounted(4);
    assert_eq!((records.len(), losses), (4, Losses::default()));
    assert_eq!(gateway.counted(), [4, 0, 0]);
}

/// Leads the cluster `collector` through what is shipped.
fn compress(bootstrap: &mut Value, collector: SocketAddr) {
    let sample = sample();
    bootstrap["bootstrap_extensions"] = sample["bootstrap_extensions"].clone();
    let resources = &sample["static_resources"];
    let own = &mut bootstrap["static_resources"];
    let listeners = own["listeners"].as_array_mut().expect("listeners");
    listeners.push(resources["listeners"][0].clone());
    let clusters = own["clusters"].as_array_mut().expect("clusters");
    clusters.retain(|cluster| cluster["name"] != "collector");
    clusters.push(resources["clusters"][0].clone());
    let outside = resources["clusters"][1]["name"].as_str().expect("a name");
    clusters.push(envoy::cluster(outside, collector));
}

fn sample() -> Value {
    let file = paths::root().join("envoy/collectors/opentelemetry.yaml");
    let text = std::fs::read_to_string(&file).expect("the sample");
    serde_norway::from_str(&text).expect("YAML")
}
