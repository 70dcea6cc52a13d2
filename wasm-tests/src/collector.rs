//! An OpenTelemetry collector of logs, and the ways in which it can fail.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::python::Python;
use crate::serve::{Door, Scripted};

/// A running collector.
pub struct Collector(Scripted<Seen>);

/// How it answers a request.
#[derive(Clone, Copy, Debug, Default)]
pub enum Receipt {
    /// It takes everything.
    #[default]
    All,
    /// It takes all but so many records.
    AllBut(u8),
    /// The same, and says so in an answer that is compressed by gzip.
    AllButCompressed(u8),
    /// With this status, and to come back after so many seconds.
    Later(u16, u64),
    /// It takes everything, after this time.
    Slow(Duration),
}

/// What it is told to do, and what it took.
#[derive(Default)]
struct Seen {
    receipt: Receipt,
    /// The bodies that it took, in order.
    taken: Vec<Bytes>,
    /// Those that it sent away.
    refused: usize,
    /// The headers of the last request.
    headers: HeaderMap,
}

impl Collector {
    /// Starts one that takes everything.
    pub fn start() -> Self {
        Self(Scripted::start(Seen::default(), answer))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Its connections: a shut door is a connection reset.
    pub fn door(&self) -> &Door {
        self.0.door()
    }

    /// How it answers from now on.
    pub fn answers(&self, receipt: Receipt) {
        self.0.script().receipt = receipt;
    }

    /// How many requests it sent away.
    pub fn refused(&self) -> usize {
        self.0.script().refused
    }

    /// A header of the last request.
    pub fn header(&self, name: &str) -> Option<String> {
        let state = self.0.script();
        Some(state.headers.get(name)?.to_str().ok()?.to_owned())
    }

    /// What the log records say that it took, as the protocol's own package reads them.
    pub fn records(&self) -> Vec<Value> {
        let taken = self.0.script().taken.clone();
        let line = |body: &Bytes| format!("{body:x}\n");
        let input: String = taken.iter().map(line).collect();
        let said = Python::with("otlp").run("otlp.py", &[], &input);
        let read = |line: &str| serde_json::from_str(line).expect("JSON");
        said.lines().map(read).collect()
    }
}

async fn answer(
    State(state): State<Arc<Mutex<Seen>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding == "gzip")
    {
        let mut plain = Vec::new();
        let read = GzDecoder::new(&*body).read_to_end(&mut plain);
        read.expect("what says that it is gzip");
        plain.into()
    } else {
        body
    };
    let receipt = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let receipt = state.receipt;
        state.headers = headers;
        match receipt {
            Receipt::All | Receipt::AllBut(_) | Receipt::AllButCompressed(_) | Receipt::Slow(_) => {
                state.taken.push(body);
            }
            Receipt::Later(..) => state.refused += 1,
        }
        receipt
    };
    if let Receipt::Slow(time) = receipt {
        tokio::time::sleep(time).await;
    }
    let mut response = match receipt {
        Receipt::All | Receipt::Slow(_) => Vec::new().into_response(),
        Receipt::AllBut(count) => partial(count).into_response(),
        Receipt::AllButCompressed(count) => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&partial(count)).expect("a buffer");
            let body = encoder.finish().expect("a buffer");
            ([(CONTENT_ENCODING, "gzip")], body).into_response()
        }
        Receipt::Later(status, seconds) => (
            StatusCode::from_u16(status).expect("a status"),
            [(RETRY_AFTER, seconds.to_string())],
        )
            .into_response(),
    };
    let protobuf = HeaderValue::from_static("application/x-protobuf");
    response.headers_mut().insert(CONTENT_TYPE, protobuf);
    response
}

/// `partial_success { rejected_log_records: COUNT, error_message: "full" }`
fn partial(count: u8) -> Vec<u8> {
    [b"\x0a\x08\x08", [count].as_slice(), b"\x12\x04full"].concat()
}
