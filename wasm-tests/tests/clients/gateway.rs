//! The gateway as programs meet it: in TLS, with the sample's policy, and roles for those that the
//! sample does not know.

use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use wasm_tests::certificate::Certificate;
use wasm_tests::envoy::{Envoy, Setup, sample};
use wasm_tests::issuer::Issuer;
use wasm_tests::paths;
use wasm_tests::python::Python;
use wasm_tests::token::Token;
use wasm_tests::token_endpoint::TokenEndpoint;

/// A running gateway, with all that it needs beside a workspace.
pub(crate) struct Gateway {
    pub(crate) envoy: Envoy,
    pub(crate) endpoint: TokenEndpoint,
    certificate: Certificate,
    _issuer: Issuer,
}

impl Gateway {
    /// Starts one before this workspace.
    pub(crate) fn before(workspace: SocketAddr) -> Self {
        let (issuer, endpoint) = (Issuer::start(["acme-rsa"]), TokenEndpoint::start());
        let certificate = Certificate::issue();
        let address = free();
        let mut setup = Setup::sample()
            .certificate(&certificate)
            .cluster("issuer", issuer.address())
            .cluster("databricks", endpoint.address())
            .cluster("workspace", workspace);
        setup.listen = Some(address);
        setup.configuration = Some(configuration(address));
        Self {
            envoy: setup.start(),
            endpoint,
            certificate,
            _issuer: issuer,
        }
    }

    /// Host and port, as clients are told.
    pub(crate) fn authority(&self) -> String {
        self.envoy.address().to_string()
    }

    /// What a script says that is told where the gateway is, whom to trust for it, and the token of
    /// this caller.
    pub(crate) fn run(&self, python: &Python, script: &str, caller: &str) -> Value {
        let input = json!({ "gateway": self.authority(), "authority": self.certificate.authority(), "token": token(caller) });
        let said = python.run(script, &[], &input.to_string());
        // Some clients print notices before.
        let last = without_decisions(said.lines().last().unwrap_or_default());
        serde_json::from_str(&last).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// Checks that a request's `Authorization` is one of Databricks' own tokens, and no other.
    pub(crate) fn assert_exchanged(&self, authorization: &[&str]) {
        let exchanged: Vec<String> = (1..=self.endpoint.exchanges())
            .map(|number| format!("Bearer databricks-{number}"))
            .collect();
        assert!(
            matches!(authorization, [one] if exchanged.iter().any(|own| own == one)),
            "{authorization:?} is none of {exchanged:?}"
        );
    }
}

/// The sample's configuration, named as a protected resource.
fn configuration(address: SocketAddr) -> Value {
    let sample = sample();
    let plugin = &sample["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        ["http_filters"][0];
    let mut configuration = plugin["typed_config"]["config"]["configuration"]["value"].clone();
    configuration["resource"] = json!({ "identifier": format!("https://{address}") });
    configuration["exchange"]["cluster"] = json!("databricks");
    let roles = configuration["roles"]
        .as_array_mut()
        .expect("the sample has roles");
    for (name, group, area) in [
        ("scientist", "science", "mlflow"),
        ("agent", "agents", "unity-catalog"),
    ] {
        roles.push(json!({ "name": name, "members": [{ "group": group }], "grants": [area] }));
    }
    roles.push(
        json!({ "name": "admin", "members": [{ "group": "admins" }], "grants": ["all-apis"] }),
    );
    configuration
}

/// What a caller sends: an access token that says so, or a personal one.
fn token(caller: &str) -> String {
    let scope = if caller == "guest" {
        "jobs"
    } else {
        "all-apis"
    };
    let (group, issued_at, expires_at) = match caller {
        "engineer" | "unknown" => ("data-eng", "now", "now+3600"),
        "analyst" => ("analysts", "now", "now+3600"),
        "scientist" => ("science", "now", "now+3600"),
        "agent" | "guest" => ("agents", "now", "now+3600"),
        "admin" => ("admins", "now", "now+3600"),
        "expired" => ("data-eng", "now-7200", "now-3600"),
        "static" => return "dapi0123456789abcdef0123456789abcdef".to_owned(),
        _ => panic!("who is {caller}?"),
    };
    let claims = json!({
        "iss": "https://issuer.example.com", "aud": "databricks", "sub": format!("{caller}@example.com"), "scope": scope,
        "groups": [group], "iat": issued_at, "exp": expires_at,
    });
    Token::new("acme-rsa", &claims).mint(paths::now())
}

/// What people are told who send a personal access token to a gateway that exchanges, and takes
/// none of Databricks' own.
pub(crate) const PERSONAL: &str = "Personal access tokens are not accepted here. Send an OAuth access token of your identity provider as `Authorization: Bearer <token>`. Workloads exchange their identity provider's token (workload identity federation).";

/// What people are told who hold a role that lacks what a call needs, and which roles would do.
pub(crate) fn lacking(role: &str, needs: &str, granting: &str) -> String {
    format!(
        "The access token grants what this call needs, and your roles do not. {needs} You hold the role `{role}`. Ask whoever runs this gateway for a role that does: {granting}."
    )
}

/// A text without the decisions that messages end with.
fn without_decisions(text: &str) -> String {
    let mut pieces = text.split(" (decision ");
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.split_once(')').expect("a decision has an end").1;
        // MLflow ends a message with a full stop where it has none.
        let added = rest.strip_prefix('.').filter(|_| kept.ends_with('.'));
        kept.push_str(added.unwrap_or(rest));
    }
    kept
}

/// An address that nobody listens at: what the gateway is called has to be known before it starts.
fn free() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound port")
}
