//! One issuer, one workspace, one Envoy with the module between them: what the tests of bad input
//! and of keys start from.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{self, Answer};
use crate::envoy::{Envoy, Setup};
use crate::issuer::Issuer;
use crate::paths;
use crate::token::Token;
use crate::workspace::Workspace;

/// The three of them.
pub struct Scene {
    /// The gateway. First, so that it goes first.
    pub envoy: Envoy,
    /// The issuer, which publishes `acme-rsa` at first.
    pub issuer: Issuer,
    /// The workspace.
    pub workspace: Workspace,
}

impl Scene {
    /// Starts them with one issuer whose keys are fetched.
    pub fn start() -> Self {
        Self::with(
            fetched(&json!({ "refresh": "10m", "timeout": "1s" })),
            Issuer::start(["acme-rsa"]),
        )
    }

    /// Starts them with this configuration and this issuer.
    pub fn with(configuration: Value, issuer: Issuer) -> Self {
        Self::with_workers(configuration, issuer, 1)
    }

    /// The same, with so many workers.
    pub fn with_workers(configuration: Value, issuer: Issuer, workers: u32) -> Self {
        let workspace = Workspace::start();
        let envoy = Setup::new(configuration)
            .cluster("issuer", issuer.address())
            .cluster("workspace", workspace.address())
            .concurrency(workers)
            .start();
        Self {
            envoy,
            issuer,
            workspace,
        }
    }

    /// `GET /api/2.2/jobs/get` with this token.
    pub fn get(&self, token: &str) -> Answer {
        self.get_with(&[("authorization", format!("Bearer {token}").as_bytes())])
    }

    /// `GET /api/2.2/jobs/get` with these headers.
    pub fn get_with(&self, headers: &[(&str, &[u8])]) -> Answer {
        client::get(self.envoy.address(), "/api/2.2/jobs/get", headers)
    }

    /// The reason in the newest audit record, once there are more than before.
    pub fn reason_of(&self, request: impl FnOnce(&Self) -> Answer) -> (u16, String) {
        let mark = self.envoy.log().mark();
        let answer = request(self);
        let records = self.envoy.log().wait_for_audit(mark, 1);
        let reason = records
            .last()
            .map(|record| record["reason"].as_str().unwrap_or_default().to_owned());
        (answer.status, reason.unwrap_or_default())
    }

    /// Asks again and again until the status is this one.
    pub fn until(&self, token: &str, status: u16, patience: Duration) -> Answer {
        let started = Instant::now();
        loop {
            let answer = self.get(token);
            if answer.status == status {
                return answer;
            }
            assert!(
                started.elapsed() < patience,
                "want {status}, got {} for {patience:?}; the log ends:\n{}",
                answer.status,
                self.envoy.log().tail(30)
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A configuration with one issuer whose keys are fetched; `jwks` is laid over how.
pub fn fetched(jwks: &Value) -> Value {
    let mut issuer = json!({
        "issuer": ISSUER,
        "preset": "generic",
        "audiences": ["databricks"],
        "jwks": { "cluster": "issuer", "uri": "https://acme.example.com/keys" },
    });
    for (name, value) in jwks.as_object().into_iter().flatten() {
        issuer["jwks"][name] = value.clone();
    }
    json!({ "issuers": [issuer] })
}

/// A valid token for this scene, of this key.
pub fn token(key: &str) -> String {
    token_with(key, &json!({}))
}

/// A valid token with further claims.
pub fn token_with(key: &str, claims: &Value) -> String {
    let valid = json!({
        "iss": ISSUER, "aud": "databricks", "sub": "ada@example.com", "client_id": "etl",
        "iat": "now-60", "exp": "now+3600", "jti": "t-1", "scope": "jobs",
    });
    Token::new(key, &valid)
        .with(&Token::new(key, claims))
        .mint(paths::now())
}

/// The issuer of the scene.
pub const ISSUER: &str = "https://acme.example.com";
