//! Tokens that are bound to a key (RFC 9449) on a real Envoy: what the corpus, where each case is
//! one request, cannot show.

use http::Request;
use serde_json::{Value, json};

use wasm_tests::client::{self, Answer};
use wasm_tests::exchange::{Stage, authorization, configuration};
use wasm_tests::issuer::Issuer;
use wasm_tests::keys::jwk_set;
use wasm_tests::paths;
use wasm_tests::scene::{ISSUER, Scene, fetched, token_with};
use wasm_tests::token::{Token, proof};
use wasm_tests::workspace::Seen;

#[test]
fn a_proof_is_taken_once() {
    let scene = inline(1);
    let (token, other) = (bound(), token_with("acme-rsa", &cnf("t-2")));
    let first = proof_for(&token);
    let dpop = ["DPoP ", &token].concat();
    let headers: [(&str, &[u8]); 2] = [
        ("authorization", dpop.as_bytes()),
        ("dpop", first.as_bytes()),
    ];
    let ask = |scene: &Scene| scene.get_with(&headers);
    let answer = ask(&scene);
    assert_eq!(answer.status, 200);
    // Databricks reads no proofs, and this one was for the gateway.
    let seen: Seen = serde_json::from_value(answer.json()).expect("the workspace's answer");
    assert_eq!(authorization(&seen), [["Bearer ", &token].concat()]);
    assert!(!seen.headers.iter().any(|(name, _)| name == "dpop"));
    let replayed = (401, "dpop_proof_replayed".to_owned());
    assert_eq!(scene.reason_of(ask), replayed, "again");
    assert_eq!(scene.reason_of(ask), replayed, "and again");
    assert_eq!(show(&scene, &token, &proof_for(&token)).status, 200);
    // Taken for a request that was then refused, a proof is used up all the same.
    let create = "https://databricks.example.com/api/2.0/clusters/create";
    let create = proof::of("acme-p256", "POST", create, &other, paths::now());
    let scheme = ["DPoP ", &other].concat();
    for want in [
        (403, "insufficient_scope".to_owned()),
        (401, "dpop_proof_replayed".to_owned()),
    ] {
        let got = scene.reason_of(|scene| {
            let address = scene.envoy.address();
            let headers: [(&str, &[u8]); 2] = [
                ("authorization", scheme.as_bytes()),
                ("dpop", create.as_bytes()),
            ];
            client::exchange(address, "POST", "/api/2.0/clusters/create", &headers, b"")
        });
        assert_eq!(got, want);
    }
}

/// The same claims, signed anew: another proof to whoever compares texts.
#[test]
fn a_proof_is_known_by_its_id() {
    let scene = inline(1);
    let token = bound();
    let claims = json!({ "htm": "GET", "htu": JOB, "jti": "one" });
    let again = |key| proof::mint(&Token::new(key, &claims), &token, paths::now());
    let (first, second) = (again("acme-p256"), again("acme-p256"));
    assert_eq!(show(&scene, &token, &first).status, 200);
    assert_eq!(show(&scene, &token, &second).status, 401);
    // Under another key it is another one.
    let other = json!({ "cnf": { "jkt": "zvKLXlPsEsgrhsqxXATHPNLil3Ufiw3i74qTpXzL6jw" } });
    let other = token_with("acme-rsa", &other);
    let third = proof::mint(&Token::new("acme-ed25519", &claims), &other, paths::now());
    assert_eq!(show(&scene, &other, &third).status, 200);
}

/// No issuer here signs by any of these but RS256, so the gateway's engine is not asked about them
/// before the first proof comes.
#[test]
fn proofs_are_verified_in_every_algorithm() {
    let scene = inline(1);
    for (key, jkt, algorithms) in [
        ("acme-p256", P256, &["ES256"][..]),
        (
            "acme-p384",
            "FiGjcszR1iqMadtb7sJ7aiT8_wlQFsOAejQxz5uUHNk",
            &["ES384"],
        ),
        (
            "acme-ed25519",
            "zvKLXlPsEsgrhsqxXATHPNLil3Ufiw3i74qTpXzL6jw",
            &["EdDSA"],
        ),
        (
            "partner-rsa",
            "NKVdShHw7BUq9e7_1zo-SVkmwgs-ALp-Z47XtHweifc",
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        ),
    ] {
        let token = token_with("acme-rsa", &json!({ "cnf": { "jkt": jkt } }));
        for algorithm in algorithms {
            let claims = json!({ "htm": "GET", "htu": JOB });
            let valid = Token {
                algorithm: Some((*algorithm).to_owned()),
                ..Token::new(key, &claims)
            };
            let forged = Token {
                mangle: Some("flipped-last-bit".to_owned()),
                ..valid.clone()
            };
            for round in ["first", "second"] {
                let name = format!("{algorithm}, {round}");
                let (good, bad) = (
                    proof::mint(&valid, &token, paths::now()),
                    proof::mint(&forged, &token, paths::now()),
                );
                let got = scene.reason_of(|scene| show(scene, &token, &bad));
                assert_eq!(got, (401, "dpop_proof_signature".to_owned()), "{name}");
                assert_eq!(show(&scene, &token, &good).status, 200, "{name}");
            }
        }
    }
    for line in ["RS256 is verified by the gateway", "signatures: RS256"] {
        assert!(scene.envoy.log().text().contains(line), "{line}");
    }
}

#[test]
fn a_request_that_waited_is_no_replay_of_itself() {
    let token = bound();
    let mint = || proof::of("acme-p256", "GET", JOB, &token, paths::now());
    // For the exchange of its token.
    let stage = Stage::of(configuration(&json!({})));
    let ask = |proof: &str| {
        let authorization = ["DPoP ", &token].concat();
        let headers: [(&str, &[u8]); 2] = [
            ("authorization", authorization.as_bytes()),
            ("dpop", proof.as_bytes()),
        ];
        client::get(stage.envoy.address(), "/api/2.2/jobs/get", &headers)
    };
    for round in ["waits", "does not wait"] {
        let proof = mint();
        let answer = ask(&proof);
        assert_eq!(answer.status, 200, "{round}");
        let seen: Seen = serde_json::from_value(answer.json()).expect("the workspace's answer");
        let [sent] = authorization(&seen)[..] else {
            panic!("{seen:?}")
        };
        assert!(
            sent.starts_with("Bearer ") && !sent.contains(&token),
            "{round}"
        );
        assert!(!seen.headers.iter().any(|(name, _)| name == "dpop"));
        assert_eq!(ask(&proof).status, 401, "{round}, again");
    }
    // For its issuer's keys.
    let issuer = Issuer::start(["acme-rsa"]);
    let scene = Scene::with(
        fetched(&json!({ "refresh": "10m", "timeout": "5s" })),
        issuer,
    );
    let proof = mint();
    assert_eq!(show(&scene, &token, &proof).status, 200);
    assert_eq!(show(&scene, &token, &proof).status, 401);
}

/// What the documentation says of several workers: each takes a proof once.
#[test]
fn each_worker_remembers_for_itself() {
    const WORKERS: usize = 2;
    let scene = inline(2);
    let token = bound();
    let proof = proof_for(&token);
    let times = (0..40)
        .filter(|_| show(&scene, &token, &proof).status == 200)
        .count();
    assert!((1..=WORKERS).contains(&times), "{times}");
}

#[test]
fn a_proof_is_for_http_2_as_well() {
    let scene = inline(1);
    let token = bound();
    let proof = proof_for(&token);
    let send = || {
        let head = Request::builder()
            .method("GET")
            .uri("http://databricks.example.com/api/2.2/jobs/get?job_id=1")
            .header("authorization", ["DPoP ", &token].concat())
            .header("dpop", &proof)
            .body(())
            .expect("a head");
        client::http2(scene.envoy.address(), head, Vec::new())
    };
    assert_eq!(send().status, 200);
    let answer = send();
    assert_eq!(answer.status, 401);
    let challenges: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect();
    assert_eq!(
        challenges,
        [
            "Bearer error=\"invalid_token\"",
            "DPoP error=\"invalid_dpop_proof\", algs=\"RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA\"",
        ]
    );
}

/// One issuer whose keys need no fetch.
fn inline(workers: u32) -> Scene {
    let configuration = json!({
        "issuers": [{ "issuer": ISSUER, "audiences": ["databricks"], "jwks": { "keys": jwk_set(["acme-rsa"]) } }],
    });
    Scene::with_workers(configuration, Issuer::start(["acme-rsa"]), workers)
}

fn cnf(id: &str) -> Value {
    json!({ "jti": id, "cnf": { "jkt": P256 } })
}

/// A token that is bound to `acme-p256`.
fn bound() -> String {
    token_with("acme-rsa", &cnf("t-1"))
}

fn proof_for(token: &str) -> String {
    proof::of("acme-p256", "GET", JOB, token, paths::now())
}

fn show(scene: &Scene, token: &str, proof: &str) -> Answer {
    let authorization = ["DPoP ", token].concat();
    scene.get_with(&[
        ("authorization", authorization.as_bytes()),
        ("dpop", proof.as_bytes()),
    ])
}

/// What `Scene::get_with` asks for, as its client names it.
const JOB: &str = "https://databricks.example.com/api/2.2/jobs/get";

/// The thumbprint of `acme-p256`.
const P256: &str = "7qovgQBbsdKfDGwmEUbaSgwYtPJMRpTyzIwng2sxCT4";
