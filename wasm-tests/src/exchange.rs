//! A gateway that exchanges tokens, a token endpoint and a workspace: what the tests of exchange
//! start from.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{self, Answer};
use crate::envoy::{Envoy, Setup};
use crate::keys::jwk_set;
use crate::scene::ISSUER;
use crate::token_endpoint::TokenEndpoint;
use crate::workspace::{Seen, Workspace};

/// A gateway that exchanges, with what stands around it.
pub struct Stage {
    /// The gateway. First, so that it goes first.
    pub envoy: Envoy,
    /// The token endpoint.
    pub endpoint: TokenEndpoint,
    /// The workspace.
    pub workspace: Workspace,
}

impl Stage {
    /// One whose `exchange` section has these members besides.
    pub fn with(members: &Value) -> Self {
        Self::of(configuration(members))
    }

    /// One of this configuration.
    pub fn of(configuration: Value) -> Self {
        let endpoint = TokenEndpoint::start();
        let workspace = Workspace::start();
        let envoy = Setup::new(configuration)
            .cluster("databricks", endpoint.address())
            .cluster("workspace", workspace.address())
            .start();
        Self {
            envoy,
            endpoint,
            workspace,
        }
    }

    /// A request with this token.
    pub fn send(&self, method: &str, target: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers: [(&str, &[u8]); 1] = [("authorization", bearer.as_bytes())];
        client::exchange(self.envoy.address(), method, target, &headers, b"")
    }

    /// `GET` of a job with this token.
    pub fn get(&self, token: &str) -> Answer {
        self.send("GET", JOB, token)
    }

    /// The answer, and the record of its decision.
    pub fn recorded(&self, request: impl FnOnce(&Self) -> Answer) -> (Answer, Value) {
        let mark = self.envoy.log().mark();
        let answer = request(self);
        let records = self.envoy.log().wait_for_audit(mark, 1);
        (answer, records.last().cloned().unwrap_or_default())
    }

    /// Asks until the answer is this status.
    pub fn until(&self, token: &str, status: u16) -> Answer {
        let started = Instant::now();
        loop {
            let answer = self.get(token);
            if answer.status == status {
                return answer;
            }
            assert!(
                started.elapsed() < Duration::from_mins(1),
                "want {status}, got {}; the log ends:\n{}",
                answer.status,
                self.envoy.log().tail(30)
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// One issuer whose keys need no fetch, and an exchange.
pub fn configuration(members: &Value) -> Value {
    let mut exchange = json!({
        "cluster": "databricks",
        "token_endpoint": "https://dbc-1.cloud.databricks.com/oidc/v1/token",
    });
    for (name, value) in members.as_object().into_iter().flatten() {
        exchange[name] = value.clone();
    }
    json!({
        "issuers": [{ "issuer": ISSUER, "audiences": ["databricks"], "jwks": { "keys": jwk_set(["acme-rsa"]) } }],
        "exchange": exchange,
    })
}

/// Every `authorization` that the upstream was sent.
pub fn authorization(seen: &Seen) -> Vec<&str> {
    seen.headers
        .iter()
        .filter(|(name, _)| name == "authorization")
        .map(|(_, value)| value.as_str())
        .collect()
}

/// What the upstream was sent, as it says itself.
pub fn forwarded(answer: &Answer) -> String {
    let seen: Seen = serde_json::from_value(answer.json()).expect("the workspace's answer");
    authorization(&seen).join(" and ")
}

/// A job that tokens of the scene may read.
pub const JOB: &str = "/api/2.2/jobs/get?job_id=1";
