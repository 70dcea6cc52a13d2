//! A collector that keeps of each record who wrote it and its number, and fails as it is told to.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use prost::Message;
use wasm_tests::serve::{Door, Scripted};

use crate::log::Numbered;

/// A running collector.
pub(crate) struct Collector(Scripted<Desk>);

/// How it answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Mood {
    /// It takes everything.
    #[default]
    Well,
    /// It takes all but the last record of each batch.
    Picky,
    /// It asks to come back after a second.
    Busy,
    /// It takes everything, after longer than it is given.
    Slow,
}

/// What it was told to do, and what it took.
#[derive(Default)]
pub(crate) struct Desk {
    mood: Mood,
    /// The numbers by worker.
    numbers: HashMap<String, HashSet<u64>>,
    /// Records that came more than once.
    repeated: u64,
    /// What the module said of those that are lost, by the ID of what it said.
    reported: HashMap<String, u64>,
    /// IDs under which it said something else later.
    changed: u64,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self(Scripted::start(Desk::default(), answer))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address()
    }

    pub(crate) fn door(&self) -> &Door {
        self.0.door()
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.0.script().mood = mood;
    }

    /// Whether it has this record.
    pub(crate) fn has(&self, worker: &str, number: u64) -> bool {
        let desk = self.0.script();
        desk.numbers
            .get(worker)
            .is_some_and(|numbers| numbers.contains(&number))
    }

    /// How many records it has, and how many of them came again.
    pub(crate) fn counts(&self) -> [u64; 2] {
        let desk = self.0.script();
        let had: usize = desk.numbers.values().map(HashSet::len).sum();
        [u64::try_from(had).expect("a count"), desk.repeated]
    }

    /// How many records were reported as lost, and how many notices changed when they came again.
    pub(crate) fn reported(&self) -> [u64; 2] {
        let desk = self.0.script();
        [desk.reported.values().sum(), desk.changed]
    }
}

impl Desk {
    fn take(&mut self, record: &LogRecord) {
        let line = record.body.as_ref().and_then(|body| body.text.as_deref());
        if let Some(Numbered { worker, sequence }) = line.and_then(Numbered::read) {
            let is_new = self.numbers.entry(worker).or_default().insert(sequence);
            self.repeated += u64::from(!is_new);
            return;
        }
        let mut id = String::new();
        let mut lost = 0;
        for attribute in &record.attributes {
            let value = attribute.value.clone().unwrap_or_default();
            match (attribute.key.as_str(), value.text, value.number) {
                ("log.record.uid", Some(text), _) => id = text,
                (_, _, Some(number)) => lost += u64::try_from(number).expect("a count"),
                _ => {}
            }
        }
        let former = self.reported.insert(id, lost);
        self.changed += u64::from(former.is_some_and(|former| former != lost));
    }
}

async fn answer(State(desk): State<Arc<Mutex<Desk>>>, body: Bytes) -> Response {
    let mood = desk.lock().unwrap_or_else(PoisonError::into_inner).mood;
    if matches!(mood, Mood::Busy) {
        return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response();
    }
    let request = Request::decode(body).expect("what the module sends");
    let logs = request.resources.into_iter().flat_map(|one| one.scopes);
    let mut records: Vec<LogRecord> = logs.flat_map(|one| one.records).collect();
    let mut said = Vec::new();
    let is_decision = |record: &LogRecord| record.event == DECISION;
    if matches!(mood, Mood::Picky)
        && let Some(last) = records.iter().rposition(is_decision)
    {
        records.remove(last);
        // `partial_success { rejected_log_records: 1 }`
        said = b"\x0a\x02\x08\x01".to_vec();
    }
    {
        let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        for record in &records {
            desk.take(record);
        }
    }
    if matches!(mood, Mood::Slow) {
        tokio::time::sleep(TOO_LONG).await;
    }
    ([(CONTENT_TYPE, "application/x-protobuf")], said).into_response()
}

/// `ExportLogsServiceRequest`, as far as it matters here; so are the others.
#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<ResourceLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceLogs {
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<ScopeLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeLogs {
    #[prost(message, repeated, tag = "2")]
    records: Vec<LogRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct LogRecord {
    #[prost(message, optional, tag = "5")]
    body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    attributes: Vec<KeyValue>,
    #[prost(string, tag = "12")]
    event: String,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(int64, optional, tag = "3")]
    number: Option<i64>,
}

const DECISION: &str = "databricks_oam_filter.decision";

/// Beyond `audit.otlp.timeout` of the gateway.
const TOO_LONG: Duration = Duration::from_millis(1500);
