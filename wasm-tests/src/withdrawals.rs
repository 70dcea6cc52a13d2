//! A server of a list of what is withdrawn, and every way in which it can fail.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header::{CONNECTION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::serve::{Door, Scripted};

/// A running server of a list.
pub struct Withdrawals(Scripted<Script>);

/// How it answers.
#[derive(Clone, Debug, Default)]
pub enum Behaviour {
    /// With this text, and 200.
    Body(&'static str),
    /// With the list, or 304 to who has it.
    #[default]
    Ok,
    /// Not at all before so much time has passed.
    Slow(Duration),
    /// With this status.
    Status(u16),
}

/// What it is told to do, and what it saw.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// How it answers.
    pub behaviour: Behaviour,
    /// The list's text, and how often it changed.
    list: (String, u64),
    /// Every poll, in order.
    pub polls: Vec<Seen>,
}

/// One poll.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it came.
    pub at: Instant,
    /// The tag that it brought: that of the answer which the poller had before.
    pub brought: Option<String>,
    /// The tag that it left with, which no other answer has; with a 304, the one that it brought.
    pub left_with: Option<String>,
    /// How often the list had changed, where it left with the list.
    pub version: Option<u64>,
}

impl Withdrawals {
    /// Starts one whose list is empty.
    pub fn start() -> Self {
        let script = Script {
            list: ("{}".to_owned(), 0),
            ..Script::default()
        };
        Self(Scripted::start(script, answer))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Its connections: a shut door is a connection reset.
    pub fn door(&self) -> &Door {
        self.0.door()
    }

    /// What it is told to do.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.0.script()
    }

    /// Publishes another list. The moment from which every poll gets it, and its version.
    pub fn publish(&self, list: &Value) -> (Instant, u64) {
        let mut script = self.script();
        script.list = (list.to_string(), script.list.1 + 1);
        (Instant::now(), script.list.1)
    }

    /// The polls until now.
    pub fn polls(&self) -> Vec<Seen> {
        self.script().polls.clone()
    }
}

async fn answer(State(state): State<Arc<Mutex<Script>>>, headers: HeaderMap) -> Response {
    let brought = headers
        .get(IF_NONE_MATCH)
        .and_then(|tag| tag.to_str().ok())
        .map(str::to_owned);
    let (mut response, slow) = {
        let mut script = state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = Seen {
            at: Instant::now(),
            left_with: brought.clone(),
            brought,
            version: None,
        };
        let mut slow = Duration::ZERO;
        let response = match script.behaviour.clone() {
            Behaviour::Body(text) => text.into_response(),
            Behaviour::Status(code) => (
                StatusCode::from_u16(code).expect("a status"),
                json!({ "token_ids": [] }).to_string(),
            )
                .into_response(),
            Behaviour::Ok => list(&script, &mut seen),
            Behaviour::Slow(time) => {
                slow = time;
                list(&script, &mut seen)
            }
        };
        script.polls.push(seen);
        (response, slow)
    };
    tokio::time::sleep(slow).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // No connection is kept, so that a shut door meets the very next poll.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The list under a tag of its own, by which its poller is known again; 304 to who brings a tag of
/// the list as it is.
fn list(script: &Script, seen: &mut Seen) -> Response {
    let (text, version) = &script.list;
    seen.version = Some(*version);
    let current = format!("\"v{version}-");
    if seen
        .brought
        .as_ref()
        .is_some_and(|tag| tag.starts_with(&current))
    {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let tag = format!("{current}{}\"", script.polls.len());
    seen.left_with = Some(tag.clone());
    ([(ETAG, tag)], text.clone()).into_response()
}
