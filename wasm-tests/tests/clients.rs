//! What people's programs are made of, in front of the gateway: the packages `databricks-sdk` and `mlflow-skinny` as they are published.

use serde_json::{Value, json};
use wasm_tests::envoy::{Envoy, Setup, sample};
use wasm_tests::issuer::Issuer;
use wasm_tests::paths;
use wasm_tests::python::Python;
use wasm_tests::token::Token;
use wasm_tests::workspace::Workspace;

#[test]
fn the_sdk_and_mlflow_understand_every_answer() {
    let gateway = Gateway::start();
    let python = Python::with("rest");
    let (jobs, run) = (
        returned(&json!(["nightly", "weekly"])),
        returned(&json!(77)),
    );
    let (me, found) = (
        returned(&json!("ada@example.com")),
        returned(&json!(["churn"])),
    );
    let [list_refused, run_refused, search_refused] = [
        "jobs.list needs `jobs:read`.",
        "jobs.run-now needs `jobs`.",
        "experiments.search-experiments needs `mlflow:read`.",
    ]
    .map(|needs| Refusal {
        class: "PermissionDenied",
        error_code: "PERMISSION_DENIED",
        message: format!("The access token does not grant what this call needs. {needs}"),
        reason: "insufficient_scope",
    });
    let expired = Refusal {
        class: "Unauthenticated",
        error_code: "UNAUTHENTICATED",
        message: "The access token has expired: get a new one from your identity provider."
            .to_owned(),
        reason: "token_expired",
    };
    #[rustfmt::skip]
    let cases = [
        // caller       list jobs               run a job             who am I        search experiments by MLflow's two HTTP clients
        ("engineer",    jobs.clone(),           run,                  me.clone(),     search_refused.to_mlflow()),
        ("analyst",     jobs,                   run_refused.to_sdk(), me.clone(),     search_refused.to_mlflow()),
        ("scientist",   list_refused.to_sdk(),  run_refused.to_sdk(), me,             [found.clone(), found]),
        ("expired",     expired.to_sdk(),       expired.to_sdk(),     expired.to_sdk(), expired.to_mlflow()),
    ];
    for (caller, list, run, me, [with_sdk, alone]) in cases {
        let want = json!({
            "jobs.list": list, "jobs.run_now": run, "current_user.me": me,
            "mlflow with the SDK": with_sdk, "mlflow alone": alone,
        });
        assert_eq!(gateway.call(&python, caller), want, "{caller}");
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

/// The demonstration's gateway, its policy extended by a role for `MLflow`.
struct Gateway {
    envoy: Envoy,
    _issuer: Issuer,
    _workspace: Workspace,
}

impl Gateway {
    fn start() -> Self {
        let (issuer, workspace) = (Issuer::start(["acme-rsa"]), Workspace::start());
        workspace.answers("/api/2.2/jobs/list", json!({ "jobs": [{ "settings": { "name": "nightly" } }, { "settings": { "name": "weekly" } }] }));
        workspace.answers("/api/2.2/jobs/run-now", json!({ "run_id": 77 }));
        workspace.answers(
            "/api/2.0/preview/scim/v2/Me",
            json!({ "userName": "ada@example.com" }),
        );
        workspace.answers(
            "/api/2.0/mlflow/experiments/search",
            json!({ "experiments": [{ "name": "churn" }] }),
        );
        let sample = sample();
        let plugin = &sample["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
            ["typed_config"]["http_filters"][0];
        let mut configuration = plugin["typed_config"]["config"]["configuration"]["value"].clone();
        let roles = configuration["roles"]
            .as_array_mut()
            .expect("the sample has roles");
        roles.push(json!({ "name": "scientist", "members": [{ "group": "science" }], "grants": ["mlflow"] }));
        let mut setup = Setup::sample()
            .cluster("issuer", issuer.address())
            .cluster("workspace", workspace.address());
        setup.configuration = Some(configuration);
        Self {
            envoy: setup.start(),
            _issuer: issuer,
            _workspace: workspace,
        }
    }

    /// What each call of the script comes to with this caller's token.
    fn call(&self, python: &Python, caller: &str) -> Value {
        let (group, issued_at, expires_at) = match caller {
            "engineer" => ("data-eng", "now", "now+3600"),
            "analyst" => ("analysts", "now", "now+3600"),
            "scientist" => ("science", "now", "now+3600"),
            _ => ("data-eng", "now-7200", "now-3600"),
        };
        let claims = json!({
            "iss": "https://issuer.example.com", "aud": "databricks", "sub": "ada@example.com", "scope": "all-apis",
            "groups": [group], "iat": issued_at, "exp": expires_at,
        });
        let gateway = format!("http://{}", self.envoy.address());
        let input = json!({ "gateway": gateway, "token": Token::new("acme-rsa", &claims).mint(paths::now()) });
        let said = python.run("rest.py", &[], &input.to_string());
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
    }
}
