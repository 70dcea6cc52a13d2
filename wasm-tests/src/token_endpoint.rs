//! A stand-in for Databricks' token endpoint: exchanges tokens (RFC 8693), keeps count, and fails
//! in every way that it is told to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Form, State};
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;

use crate::serve::{Door, Server};

/// A running token endpoint.
pub struct TokenEndpoint {
    server: Server,
    state: Arc<Mutex<Script>>,
}

/// How it answers.
#[derive(Clone, Debug, Default)]
pub enum Reply {
    /// With a token.
    #[default]
    Grant,
    /// With the token that it was given.
    GiveBack,
    /// With this status and body.
    Other(u16, String),
    /// With a token, and not before so much time has passed.
    Slow(Duration),
}

/// What it is told to do, and what it saw.
#[derive(Clone, Debug)]
pub struct Script {
    /// How it answers.
    pub reply: Reply,
    /// How many seconds its tokens live.
    pub expires_in: u64,
    /// The forms that came, oldest first.
    pub forms: Vec<BTreeMap<String, String>>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            reply: Reply::default(),
            expires_in: 3600,
            forms: Vec::new(),
        }
    }
}

impl TokenEndpoint {
    /// Starts one.
    pub fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port")
    }

    /// Starts one on this address.
    pub fn start_at(address: SocketAddr) -> std::io::Result<Self> {
        let state = Arc::default();
        Ok(Self {
            server: Server::start_at(address, router(&state))?,
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

    /// What it is told to do, and what it saw.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many exchanges it was asked for.
    pub fn exchanges(&self) -> usize {
        self.script().forms.len()
    }
}

/// The endpoint where Databricks' workspaces have it, for a server that does more.
pub(crate) fn router(state: &Arc<Mutex<Script>>) -> Router {
    Router::new()
        .route("/oidc/v1/token", post(token))
        .with_state(Arc::clone(state))
}

async fn token(
    State(state): State<Arc<Mutex<Script>>>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let (script, number) = {
        let mut script = state.lock().unwrap_or_else(PoisonError::into_inner);
        script.forms.push(form.clone());
        (script.clone(), script.forms.len())
    };
    let grant = |token: &str| {
        let body = json!({
            "access_token": token, "token_type": "Bearer", "expires_in": script.expires_in, "scope": form.get("scope"),
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        });
        Json(body).into_response()
    };
    let exchanged = format!("databricks-{number}");
    let mut response = match &script.reply {
        Reply::GiveBack => grant(form.get("subject_token").map_or("", |token| token)),
        Reply::Grant => grant(&exchanged),
        Reply::Other(status, body) => {
            let status = StatusCode::from_u16(*status).expect("a status");
            (status, body.clone()).into_response()
        }
        Reply::Slow(time) => {
            tokio::time::sleep(*time).await;
            grant(&exchanged)
        }
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // No connection is kept, so that a shut door meets the very next request.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
