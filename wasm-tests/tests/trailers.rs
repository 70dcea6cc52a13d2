//! What stands behind a request's body: nothing of it reaches the upstream by which a head is
//! judged.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use wasm_tests::client::{self, Answer};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{ISSUER, token};
use wasm_tests::workspace::Workspace;

#[test]
fn nothing_that_a_head_is_judged_by_stands_behind_a_body() {
    let stand = Stand::start();
    let valid = token("acme-rsa");
    let second = format!("Bearer {valid}");
    let trailers = [
        ("authorization", second.as_str()),
        ("cookie", "session=1"),
        ("dpop", "a.b.c"),
        ("x-api-key", "k-1"),
        ("x-databricks-org-id", "7"),
        ("x_databricks_workspace_id", "8"),
        ("x-databricks-azure-sp-management-token", "t"),
        ("x-databricks-azure-workspace-resource-id", "/s"),
        ("x-oam-subject", "root"),
        ("x-forwarded-user", "root"),
        ("x-http-method-override", "DELETE"),
        ("mcp-name", "drop_schema"),
        ("x-checksum", "0a1b"),
    ];
    for (path, credential) in [
        ("/api/2.2/jobs/run-now", Some(second.as_str())),
        ("/healthz", None),
        ("/telemetry-unauth", None),
    ] {
        let (answer, records) = stand.send(path, credential, &trailers);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let seen = stand.workspace.take();
        let names: Vec<&str> = seen[0].trailers.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["x-checksum"], "{path}");
        assert_eq!(records.len(), 1, "{path}");
        assert_eq!(records[0]["decision"], "allow", "{path}");
    }
}

#[test]
fn a_static_token_behind_a_body_refuses_the_request() {
    let stand = Stand::start();
    let valid = format!("Bearer {}", token("acme-rsa"));
    for (name, value) in [
        ("x-anything", PERSONAL.to_owned()),
        ("authorization", format!("Bearer {PERSONAL}")),
        ("cookie", format!("a=b; t={PERSONAL}")),
    ] {
        let trailers = [(name, value.as_str()), ("x-checksum", "0a1b")];
        let path = "/api/2.2/jobs/run-now";
        let (answer, records) = stand.send(path, Some(&valid), &trailers);
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        assert_eq!(answer.json()["error_code"], "BAD_REQUEST", "{name}");
        let [permitted, refused] = records.as_slice() else {
            panic!("{name}: {records:?}");
        };
        assert_eq!(permitted["reason"], "permitted", "{name}");
        let want = json!({
            "decision": "deny", "mode": "enforce", "reason": "second_credential", "credential": "personal_access_token",
            "credential_leaked": true, "method": "POST", "path": path,
        });
        for (member, want) in want.as_object().expect("an object") {
            assert_eq!(refused[member], *want, "{name}: {member}");
        }
        assert_eq!(refused["request_id"], permitted["request_id"], "{name}");
        assert!(!refused.to_string().contains(PERSONAL), "{name}");
        for seen in stand.workspace.take() {
            assert_eq!(seen.trailers, [], "{name}");
        }
    }
    // Of a token request nothing has gone on by then, and one record says it all.
    let (answer, records) = stand.send("/oidc/v1/token", None, &[("x-anything", PERSONAL)]);
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["reason"], "second_credential");
    assert_eq!(stand.workspace.take(), []);
}

/// An Envoy that lets trailers through to its workspace.
struct Stand {
    envoy: Envoy,
    workspace: Workspace,
}

impl Stand {
    fn start() -> Self {
        let workspace = Workspace::start();
        let keys = json!({ "keys": jwk_set(["acme-rsa"]) });
        let configuration = json!({
            "issuers": [{ "issuer": ISSUER, "audiences": ["databricks"], "jwks": keys }],
            "policy": { "rules": [{ "name": "health", "effect": "public", "paths": ["/healthz"] }] },
        });
        let setup = Setup::new(configuration).cluster("workspace", workspace.address());
        let mut bootstrap = setup.bootstrap();
        let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
        for cluster in clusters.expect("clusters") {
            cluster["typed_extension_protocol_options"] = json!({
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } },
                },
            });
        }
        let envoy = Envoy::launch(&bootstrap, 1, None);
        let envoy = envoy.unwrap_or_else(|log| panic!("Envoy did not start:\n{log}"));
        Self { envoy, workspace }
    }

    /// The answer, and every record that came of it.
    fn send(
        &self,
        path: &str,
        credential: Option<&str>,
        trailers: &[(&str, &str)],
    ) -> (Answer, Vec<Value>) {
        let mark = self.envoy.log().mark();
        let address: SocketAddr = self.envoy.address();
        let mut head = http::Request::post(format!("http://{address}{path}"))
            .version(http::Version::HTTP_2)
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(credential) = credential {
            head = head.header("authorization", credential);
        }
        let pairs = trailers.iter().map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            (name, HeaderValue::from_str(value).expect("a value"))
        });
        let pieces = vec![b"grant_type=client_credentials".to_vec()];
        let answer = client::http2_in_pieces(
            address,
            head.body(()).expect("a request"),
            pieces,
            Some(pairs.collect::<HeaderMap>()),
        );
        self.envoy.log().wait_for_audit(mark, 1);
        // A second one would be there within milliseconds.
        std::thread::sleep(Duration::from_millis(50));
        (answer, self.envoy.log().wait_for_audit(mark, 1))
    }
}

const PERSONAL: &str = "dapi0123456789abcdef0123456789abcdef";
