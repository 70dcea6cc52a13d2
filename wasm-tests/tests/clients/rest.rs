//! `databricks-sdk` and `mlflow-skinny`: plain REST.

use serde_json::{Value, json};
use wasm_tests::exchange::authorization;
use wasm_tests::python::Python;
use wasm_tests::token_endpoint::Reply;
use wasm_tests::workspace::Workspace;

use crate::gateway::{Gateway, PERSONAL, lacking};

#[test]
fn the_sdk_and_mlflow_understand_every_answer() {
    let workspace = workspace();
    let gateway = Gateway::before(workspace.address());
    let python = Python::with("rest");
    let (jobs, run) = (
        returned(&json!(["nightly", "weekly"])),
        returned(&json!(77)),
    );
    let (me, found) = (
        returned(&json!("ada@example.com")),
        returned(&json!(["churn"])),
    );
    let lacks = |role: &str, needs: &str, granting: &str| {
        Refusal::forbidden("role_lacks_scope", &lacking(role, needs, granting))
    };
    let list = lacks(
        "scientist",
        "jobs.list needs `jobs:read`.",
        "`data-engineer`, `analyst`, `admin`",
    );
    let run_by = |role| {
        lacks(
            role,
            "jobs.run-now needs `jobs`.",
            "`data-engineer`, `admin`",
        )
    };
    let search_by = |role| {
        let needs = "experiments.search-experiments needs `mlflow:read`.";
        lacks(role, needs, "`scientist`, `admin`")
    };
    let expired = Refusal::unauthenticated("token_expired", EXPIRED);
    let personal = Refusal::unauthenticated("personal_access_token_refused", PERSONAL);
    let unknown = Refusal::forbidden("exchange_refused", UNKNOWN);
    #[rustfmt::skip]
    let cases = [
        // caller       list jobs               run a job             who am I        search
        // experiments by MLflow's two HTTP clients
        ("engineer",    jobs.clone(),           run,                  me.clone(),     search_by("data-engineer").to_mlflow()),
        ("analyst",     jobs,                   run_by("analyst").to_sdk(), me.clone(), search_by("analyst").to_mlflow()),
        ("scientist",   list.to_sdk(),          run_by("scientist").to_sdk(), me,     [found.clone(), found]),
        ("expired",     expired.to_sdk(),       expired.to_sdk(),     expired.to_sdk(), expired.to_mlflow()),
        ("static",      personal.to_sdk(),      personal.to_sdk(),    personal.to_sdk(), personal.to_mlflow()),
        ("unknown",     unknown.to_sdk(),       unknown.to_sdk(), unknown.to_sdk(), search_by("data-engineer").to_mlflow()),
    ];
    for (caller, list, run, me, [with_sdk, alone]) in cases {
        if caller == "unknown" {
            let refusal = json!({ "error": "invalid_grant" }).to_string();
            gateway.endpoint.script().reply = Reply::Other(400, refusal);
        }
        let want = json!({
            "jobs.list": list, "jobs.run_now": run, "current_user.me": me,
            "mlflow with the SDK": with_sdk, "mlflow alone": alone,
        });
        assert_eq!(gateway.run(&python, "rest.py", caller), want, "{caller}");
    }
    let seen = workspace.take();
    // Two, three and three calls of those that were served.
    let calls = seen.iter().filter(|seen| seen.path.starts_with("/api/"));
    assert_eq!(calls.clone().count(), 8);
    for call in calls {
        gateway.assert_exchanged(&authorization(call));
    }
}

/// The SDK asks the workspace where to get tokens. One that names the gateway's own token endpoint
/// has the SDK stay with the gateway.
#[test]
fn the_sdk_signs_in_by_workload_identity_federation() {
    let workspace = workspace();
    let gateway = Gateway::before(workspace.address());
    let host = format!("https://{}", gateway.authority());
    let oidc = format!("{host}/oidc");
    let discovered = json!({ "host": host, "oidc_endpoint": oidc, "workspace_id": "1" });
    workspace.answers("/.well-known/databricks-config", discovered);
    let endpoints = json!({
        "issuer": oidc, "authorization_endpoint": format!("{oidc}/v1/authorize"),
        "token_endpoint": format!("{oidc}/v1/token"),
    });
    workspace.answers("/oidc/.well-known/oauth-authorization-server", endpoints);
    let python = Python::with("rest");
    let cases = [
        ("engineer", json!({ "returned": ["nightly", "weekly"] })),
        ("expired", json!({ "raised": "invalid_grant" })),
    ];
    for (caller, want) in cases {
        assert_eq!(
            gateway.run(&python, "federation.py", caller),
            want,
            "{caller}"
        );
    }
    for seen in workspace.take() {
        assert_ne!(seen.path, "/oidc/v1/token", "no form goes on");
        if seen.path.starts_with("/api/") {
            gateway.assert_exchanged(&authorization(&seen));
        }
    }
}

fn returned(value: &Value) -> Value {
    json!({ "returned": value })
}

/// A refusal: the class that the SDK has for it, and what the answer says.
struct Refusal {
    class: &'static str,
    error_code: &'static str,
    message: String,
    reason: &'static str,
}

impl Refusal {
    fn forbidden(reason: &'static str, message: &str) -> Self {
        Self {
            class: "PermissionDenied",
            error_code: "PERMISSION_DENIED",
            message: message.to_owned(),
            reason,
        }
    }

    fn unauthenticated(reason: &'static str, message: &str) -> Self {
        Self {
            class: "Unauthenticated",
            error_code: "UNAUTHENTICATED",
            message: message.to_owned(),
            reason,
        }
    }

    /// What the SDK raises.
    fn to_sdk(&self) -> Value {
        let class = format!("databricks.sdk.errors.platform.{}", self.class);
        json!({ "raised": class, "message": self.message, "error_code": self.error_code, "info": self.info() })
    }

    /// What `MLflow` raises: over the SDK, which leaves it code and message, and by itself.
    fn to_mlflow(&self) -> [Value; 2] {
        let message = format!("{}: {}", self.error_code, self.message);
        [Value::Null, self.info()].map(|info| {
            json!({ "raised": "mlflow.exceptions.RestException", "message": message, "error_code": self.error_code, "info": info })
        })
    }

    /// Domain and reason of the `ErrorInfo`, and whether it names the decision.
    fn info(&self) -> Value {
        json!(["databricks-oam-filter", self.reason, true])
    }
}

/// The workspace, with answers to the calls of the script.
fn workspace() -> Workspace {
    let workspace = Workspace::start();
    let jobs = json!([{ "settings": { "name": "nightly" } }, { "settings": { "name": "weekly" } }]);
    #[rustfmt::skip]
    let answers = [
        ("/api/2.2/jobs/list", json!({ "jobs": jobs })),
        ("/api/2.2/jobs/run-now", json!({ "run_id": 77 })),
        ("/api/2.0/preview/scim/v2/Me", json!({ "userName": "ada@example.com" })),
        ("/api/2.0/mlflow/experiments/search", json!({ "experiments": [{ "name": "churn" }] })),
    ];
    for (path, answer) in answers {
        workspace.answers(path, answer);
    }
    workspace
}

const EXPIRED: &str = "The access token has expired: get a new one from your identity provider.";
const UNKNOWN: &str = "Databricks does not take your identity provider's token: it must know you by that name, and a federation policy must accept the token's issuer and audience.";
