//! Records on their way to an OpenTelemetry collector: every one once, no request in their way, and
//! what is lost counted to the last one.

mod compressed;
mod zerobus;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_tests::client;
use wasm_tests::collector::{Collector, Receipt};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{ISSUER, token};
use wasm_tests::workspace::Workspace;

/// An Envoy whose module sends its records to a collector.
struct Gateway {
    envoy: Envoy,
    collector: Collector,
    _workspace: Workspace,
    token: String,
}

impl Gateway {
    /// `otlp` is laid over the section of that name.
    fn start(workers: u32, audit: &Value, otlp: &Value) -> Self {
        Self::start_with(workers, audit, otlp, |_, _| {})
    }

    /// The same, with the bootstrap edited; the collector's address besides.
    fn start_with(
        workers: u32,
        audit: &Value,
        otlp: &Value,
        edit: impl FnOnce(&mut Value, SocketAddr),
    ) -> Self {
        let collector = Collector::start();
        let mut section = json!({
            "cluster": "collector",
            "uri": "https://collector.example.com/v1/logs",
            "headers": { "x-api-key": "collectors-own" },
            "timeout": "1s",
        });
        merge(&mut section, otlp);
        let mut audit_section = json!({ "otlp": section });
        merge(&mut audit_section, audit);
        let configuration = json!({
            "issuers": [{ "issuer": ISSUER, "preset": "generic", "audiences": ["databricks"], "jwks": { "keys": jwk_set(["acme-rsa"]) } }],
            "audit": audit_section,
        });
        let workspace = Workspace::start();
        let mut bootstrap = Setup::new(configuration)
            .cluster("collector", collector.address())
            .cluster("workspace", workspace.address())
            .bootstrap();
        edit(&mut bootstrap, collector.address());
        let envoy = Envoy::launch(&bootstrap, workers, None).unwrap_or_else(|log| panic!("{log}"));
        Self {
            envoy,
            collector,
            _workspace: workspace,
            token: token("acme-rsa"),
        }
    }

    /// Sends so many requests, every second one without a token.
    fn ask(&self, count: usize) {
        let bearer = format!("Bearer {}", self.token);
        for number in 0..count {
            let trace = format!("00-{:032x}-00f067aa0ba902b7-01", number + 1);
            let mut headers = vec![("traceparent", trace.as_bytes())];
            let want = if number % 2 == 0 {
                headers.push(("authorization", bearer.as_bytes()));
                200
            } else {
                401
            };
            let answer = client::get(self.envoy.address(), "/api/2.2/jobs/list", &headers);
            assert_eq!(answer.status, want, "{answer:?}");
        }
    }

    /// The log records that the collector has, as soon as they account for so many decisions and
    /// for all that the metrics count as lost.
    fn accounted(&self, decisions: u64) -> (Vec<Value>, Losses) {
        let started = Instant::now();
        loop {
            let (records, losses) = told(self.collector.records());
            let count = records.len() as u64 + losses.dropped;
            let [_, dropped, rejected] = self.counted();
            if count >= decisions && losses == (Losses { dropped, rejected }) {
                // One too many would come now.
                std::thread::sleep(Duration::from_secs(2));
                return told(self.collector.records());
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{count} of {decisions}; the log ends:\n{}",
                self.envoy.log().tail(30)
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Gateway {
    /// Records for the collector as the metrics count them: arrived, dropped, rejected.
    fn counted(&self) -> [u64; 3] {
        let metrics = self.envoy.metrics();
        ["arrived", "dropped", "rejected"].map(|outcome| {
            let name = format!("oam_filter_collector_records_total{{outcome=\"{outcome}\"}}");
            metrics.get(&name).copied().unwrap_or_default()
        })
    }
}

/// What is said of records that did not arrive.
#[derive(Debug, Default, Eq, PartialEq)]
struct Losses {
    dropped: u64,
    rejected: u64,
}

/// The decisions among log records, and the losses that others tell of, each under an ID of its
/// own.
fn told(records: Vec<Value>) -> (Vec<Value>, Losses) {
    let is_decision = |record: &Value| record["event"] == "databricks_oam_filter.decision";
    let (decisions, others): (Vec<_>, Vec<_>) = records.into_iter().partition(is_decision);
    let mut notices: BTreeMap<&str, &Value> = BTreeMap::new();
    for record in &others {
        assert_eq!(record["event"], "databricks_oam_filter.records_lost");
        let attributes = &record["attributes"];
        let id = attributes["log.record.uid"].as_str().unwrap();
        let former = notices.insert(id, attributes);
        assert!(former.is_none_or(|former| former == attributes), "{record}");
    }
    let sum = |name: &str| {
        let name = format!("databricks_oam_filter.records.{name}");
        let counts = notices.values().map(|counts| counts[&name].as_u64());
        counts.map(Option::unwrap).sum()
    };
    let losses = Losses {
        dropped: sum("dropped"),
        rejected: sum("rejected"),
    };
    (decisions, losses)
}

/// The numbers of the records, for each worker, in order.
fn sequences(records: &[Value]) -> BTreeMap<String, Vec<u64>> {
    let mut found: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in records {
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
        let worker = body["worker"].as_str().unwrap().to_owned();
        let sequence = body["sequence"].as_u64().unwrap();
        found.entry(worker).or_default().push(sequence);
    }
    for numbers in found.values_mut() {
        numbers.sort_unstable();
    }
    found
}

fn merge(section: &mut Value, with: &Value) {
    for (name, value) in with.as_object().into_iter().flatten() {
        section[name] = value.clone();
    }
}

#[test]
fn every_record_arrives_as_the_log_has_it() {
    const DECISIONS: usize = 40;
    let gateway = Gateway::start(4, &json!({}), &json!({}));
    gateway.ask(DECISIONS);
    let (records, losses) = gateway.accounted(DECISIONS as u64);
    assert_eq!(losses, Losses::default());
    let mut logged: Vec<String> = gateway
        .envoy
        .log()
        .wait_for_audit(0, DECISIONS)
        .iter()
        .map(ToString::to_string)
        .collect();
    let body = |record: &Value| {
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
        body.to_string()
    };
    let mut exported: Vec<String> = records.iter().map(body).collect();
    logged.sort();
    exported.sort();
    assert_eq!(exported, logged);
    for numbers in sequences(&records).values() {
        let want: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(*numbers, want);
    }
    for record in &records {
        let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
        let (severity, number) = if body["decision"] == "allow" {
            ("INFO", 9)
        } else {
            ("WARN", 13)
        };
        let told = [
            "service",
            "scope",
            "severity",
            "severity_number",
            "trace_id",
        ];
        let found = told.map(|name| record[name].clone());
        let name = json!("databricks-oam-filter");
        let trace = body["trace_id"].clone();
        let want = [name.clone(), name, json!(severity), json!(number), trace];
        assert_eq!(found, want);
        let times = [&record["time"], &record["observed"]].map(|time| time.as_u64().unwrap());
        assert!(times[0] > 0 && times[0] <= times[1], "{times:?}");
    }
    let header = |name| gateway.collector.header(name);
    assert_eq!(header("x-api-key").as_deref(), Some("collectors-own"));
    let protobuf = Some("application/x-protobuf".to_owned());
    assert_eq!(
        [header("content-type"), header("accept")],
        [protobuf.clone(), protobuf]
    );
    assert!(!gateway.envoy.log().text().contains("collectors-own"));
}

#[test]
fn a_collector_that_is_down_fails_no_request_and_what_is_lost_is_counted() {
    const DECISIONS: usize = 1200;
    // The least that a queue may have.
    let gateway = Gateway::start(1, &json!({}), &json!({ "queue_bytes": 524_288 }));
    gateway.collector.door().shut(true);
    gateway.ask(DECISIONS);
    gateway.collector.door().shut(false);
    let (records, losses) = gateway.accounted(DECISIONS as u64);
    let kept = records.len() as u64;
    assert!(losses.dropped > 0 && kept > 0, "{losses:?} {kept}");
    assert_eq!((kept + losses.dropped, losses.rejected), (1200, 0));
    assert_eq!(gateway.counted(), [kept, losses.dropped, 0]);
    // What was kept is the beginning, and each of it once.
    let numbers: Vec<_> = sequences(&records).into_values().collect();
    assert_eq!(numbers, [(1..=kept).collect::<Vec<u64>>()]);
}

#[test]
fn a_collector_that_asks_for_patience_gets_every_record_once() {
    for receipt in [Receipt::Later(429, 1), Receipt::Later(503, 1)] {
        let gateway = Gateway::start(1, &json!({ "log": false }), &json!({}));
        gateway.collector.answers(receipt);
        gateway.ask(10);
        std::thread::sleep(Duration::from_secs(3));
        assert!(gateway.collector.refused() > 0, "{receipt:?}");
        gateway.collector.answers(Receipt::All);
        let (records, losses) = gateway.accounted(10);
        assert_eq!(losses, Losses::default(), "{receipt:?}");
        let numbers: Vec<_> = sequences(&records).into_values().collect();
        assert_eq!(numbers, [(1..=10).collect::<Vec<u64>>()], "{receipt:?}");
    }
}

#[test]
fn a_slow_collector_gets_every_record_once() {
    let gateway = Gateway::start(1, &json!({}), &json!({ "timeout": "10s" }));
    let slow = Receipt::Slow(Duration::from_secs(3));
    gateway.collector.answers(slow);
    gateway.ask(20);
    let (records, losses) = gateway.accounted(20);
    assert_eq!(losses, Losses::default());
    let numbers: Vec<_> = sequences(&records).into_values().collect();
    assert_eq!(numbers, [(1..=20).collect::<Vec<u64>>()]);
}

#[test]
fn what_a_collector_rejects_is_told_with_the_next_batch() {
    let gateway = Gateway::start(1, &json!({}), &json!({}));
    gateway.collector.answers(Receipt::AllBut(2));
    gateway.ask(10);
    let _ = gateway.accounted(10);
    gateway.collector.answers(Receipt::All);
    gateway.ask(2);
    let (records, losses) = gateway.accounted(12);
    assert_eq!(records.len(), 12);
    // The first batches may have been several, each of which it took but two.
    assert!(
        losses.rejected >= 2 && losses.rejected % 2 == 0,
        "{losses:?}"
    );
    let counted = [12 - losses.rejected, 0, losses.rejected];
    assert_eq!(gateway.counted(), counted);
    let said = gateway.envoy.log().text();
    assert!(said.contains("audit.otlp: `https://collector.example.com/v1/logs`: the collector rejected 2 records: `full`"), "{said}");
}

/// Beyond every retry.
const PATIENCE: Duration = Duration::from_secs(90);
