//! A stand-in for a Databricks workspace: it tells what reached it, and answers everything with
//! that unless told otherwise.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http_body_util::{BodyExt, Collected};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::serve::Server;
use crate::token_endpoint;

/// A running workspace.
pub struct Workspace {
    server: Server,
    desk: Arc<Mutex<Desk>>,
}

/// What arrived, and what is to be answered.
#[derive(Default)]
struct Desk {
    seen: Vec<Seen>,
    answers: BTreeMap<String, Value>,
}

/// One request, as it arrived.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub query: Option<String>,
    /// Every header in order, bytes beyond printable ASCII written as `\xNN`.
    pub headers: Vec<(String, String)>,
    /// The body's length in bytes.
    pub body_length: usize,
    /// What stood behind the body.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub trailers: Vec<(String, String)>,
}

impl Workspace {
    /// Starts one.
    pub fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port")
    }

    /// Starts one on this address.
    pub fn start_at(address: SocketAddr) -> std::io::Result<Self> {
        Self::serve(address, Router::new())
    }

    /// Starts one on this address that exchanges tokens, as Databricks' workspaces do.
    pub fn exchanging_at(address: SocketAddr) -> std::io::Result<Self> {
        Self::serve(address, token_endpoint::router(&Arc::default()))
    }

    fn serve(address: SocketAddr, besides: Router) -> std::io::Result<Self> {
        let desk = Arc::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&desk));
        Ok(Self {
            server: Server::start_at(address, router.merge(besides))?,
            desk,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many connections came. Envoy opens one only to forward something, so zero means that not
    /// one byte arrived.
    pub fn connections(&self) -> u64 {
        self.server.door().accepted()
    }

    /// From now on, what it answers to requests for this path.
    pub fn answers(&self, path: &str, body: Value) {
        open(&self.desk).answers.insert(path.to_owned(), body);
    }

    /// What arrived so far, oldest first.
    pub fn seen(&self) -> Vec<Seen> {
        open(&self.desk).seen.clone()
    }

    /// Forgets what arrived so far, and yields it.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut open(&self.desk).seen)
    }
}

fn open(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes as text, each byte beyond printable ASCII as `\xNN`.
pub fn escaped(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => write!(text, "\\x{byte:02x}").expect("a String takes everything"),
        }
        text
    })
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| (name.to_string(), escaped(value.as_bytes())))
        .collect()
}

async fn answer(State(desk): State<Arc<Mutex<Desk>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let headers = pairs(&head.headers);
    let number = {
        let seen = &mut open(&desk).seen;
        seen.push(Seen {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(ToOwned::to_owned),
            headers,
            body_length: 0,
            trailers: Vec::new(),
        });
        seen.len() - 1
    };
    let body = body.collect().await.ok();
    let trailers = body.as_ref().and_then(Collected::trailers);
    let trailers = trailers.map(pairs).unwrap_or_default();
    let body_length = body.map_or(0, |body| body.to_bytes().len());
    let mut desk = open(&desk);
    let Some(entry) = desk.seen.get_mut(number) else {
        return "forgotten".into_response();
    };
    entry.body_length = body_length;
    entry.trailers = trailers;
    let echo = entry.clone();
    match desk.answers.get(&echo.path) {
        Some(answer) => Json(answer).into_response(),
        None => Json(echo).into_response(),
    }
}
