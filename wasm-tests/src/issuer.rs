//! A small token issuer: metadata, keys, tokens, and every way in which such a server can fail.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Form, Request, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http_body::{Frame, SizeHint};
use serde_json::{Value, json};

use crate::keys::jwk_set;
use crate::paths;
use crate::serve::{Door, Server};
use crate::token::Token;

/// A running issuer.
pub struct Issuer {
    server: Server,
    state: Arc<Mutex<Script>>,
}

/// How the issuer answers a request for its metadata or its keys.
#[derive(Clone, Debug, Default)]
pub enum Behaviour {
    /// With this text, and 200.
    Body(String),
    /// With bytes that are no JSON.
    Garbage,
    /// With a length and then only half of it.
    Half,
    /// As it should.
    #[default]
    Ok,
    /// Not at all before so much time has passed.
    Slow(Duration),
    /// With this status and a body that explains it.
    Status(u16),
}

/// What the issuer is told to do, and what it saw.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// How it answers.
    pub behaviour: Behaviour,
    /// The `Cache-Control` of its answers.
    pub cache_control: Option<String>,
    /// The JWK Set at `/keys`.
    pub keys: Value,
    /// The `issuer` of its metadata, when it is not the host that was asked.
    pub metadata_issuer: Option<String>,
    /// Requests by path.
    pub requests: BTreeMap<String, u64>,
    /// How `/token` makes a token for a client.
    pub clients: BTreeMap<String, Token>,
}

impl Issuer {
    /// Starts one that publishes these keys at `/keys`, and at `/keys/a,b` the test keys `a` and
    /// `b`.
    pub fn start<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), jwk_set(keys)).expect("a free port")
    }

    /// Starts one on this address that publishes this JWK Set.
    pub fn start_at(address: SocketAddr, keys: Value) -> std::io::Result<Self> {
        let state = Arc::new(Mutex::new(Script {
            keys,
            ..Script::default()
        }));
        let router = Router::new()
            .route("/token", post(token))
            .fallback(documents)
            .with_state(Arc::clone(&state));
        Ok(Self {
            server: Server::start_at(address, router)?,
            state,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its connections: a shut door is a connection reset.
    pub fn door(&self) -> &Door {
        self.server.door()
    }

    /// What it is told to do.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests came for a path.
    pub fn requests(&self, path: &str) -> u64 {
        self.script()
            .requests
            .get(path)
            .copied()
            .unwrap_or_default()
    }
}

async fn documents(State(state): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let script = {
        let mut script = state.lock().unwrap_or_else(PoisonError::into_inner);
        *script.requests.entry(path.clone()).or_default() += 1;
        script.clone()
    };
    let Some(document) = document(&script, &path, request.headers()) else {
        return (
            StatusCode::NOT_FOUND,
            Json(json!({ "error": "no such document" })),
        )
            .into_response();
    };
    let mut response = match script.behaviour {
        Behaviour::Body(text) => text.into_response(),
        Behaviour::Garbage => "\u{0}{\"keys\": [ {]} nonsense \u{feff}".into_response(),
        Behaviour::Half => half(&document.to_string()),
        Behaviour::Ok => Json(document).into_response(),
        Behaviour::Slow(time) => {
            tokio::time::sleep(time).await;
            Json(document).into_response()
        }
        Behaviour::Status(code) => {
            let code = StatusCode::from_u16(code).expect("a status");
            (
                code,
                Json(json!({ "error": "temporarily_unavailable", "keys": [] })),
            )
                .into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // No connection is kept, so that a shut door meets the very next request.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Some(value) = &script.cache_control {
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_str(value).expect("a header value"),
        );
    }
    response
}

/// The document at a path: `OpenID` Connect Discovery 1.0 §4, RFC 8414 §3, or keys.
fn document(script: &Script, path: &str, headers: &HeaderMap) -> Option<Value> {
    const OPENID: &str = "/.well-known/openid-configuration";
    const OAUTH: &str = "/.well-known/oauth-authorization-server";
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if let Some(tenant) = path
        .strip_suffix(OPENID)
        .or_else(|| path.strip_prefix(OAUTH))
    {
        let base = format!("https://{host}{tenant}");
        return Some(json!({
            "issuer": script.metadata_issuer.as_ref().unwrap_or(&base),
            "jwks_uri": format!("https://{host}/keys"),
            "token_endpoint": format!("https://{host}/token"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }));
    }
    match path.strip_prefix("/keys") {
        Some("") => Some(script.keys.clone()),
        Some(names) => Some(jwk_set(names.strip_prefix('/')?.split(','))),
        None => None,
    }
}

/// RFC 6749 §4.4 as far as a demonstration needs it: `client_id` names whose token to make, no
/// secret is asked.
async fn token(
    State(state): State<Arc<Mutex<Script>>>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let script = state.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(token) = form
        .get("client_id")
        .and_then(|client| script.clients.get(client))
    else {
        let known: Vec<&String> = script.clients.keys().collect();
        let body = json!({ "error": "invalid_client", "error_description": format!("client_id is one of {known:?}") });
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    };
    let body = json!({ "access_token": token.mint(paths::now()), "token_type": "Bearer", "expires_in": 3600 });
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// An answer that breaks off in the middle.
fn half(text: &str) -> Response {
    let bytes = text.as_bytes();
    let sent = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
    Response::new(Body::new(Broken {
        sent: Some(sent),
        promised: bytes.len(),
    }))
}

struct Broken {
    sent: Option<Bytes>,
    promised: usize,
}

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(self.sent.take().map_or_else(
            || Err(std::io::ErrorKind::BrokenPipe.into()),
            |sent| Ok(Frame::data(sent)),
        )))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.promised).unwrap_or(u64::MAX))
    }
}
