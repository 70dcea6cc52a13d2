use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::authorize::{Verdict, Verification};
use crate::config::Configuration;
use crate::key_store::KeyStore;
use crate::request::Headers;
use crate::token::algorithm::Algorithm;
use crate::token::jwk::Jwk;
use crate::token::signature::Verifier;

/// Takes every signature.
struct Any;

impl Verifier for Any {
    fn verify(&self, _: Algorithm, _: &Jwk, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

const CONFIGURATION: &str = r#"{
    "resource": {"identifier": "https://db.example", "access_request_url": "https://idp.example/ask?scope={scopes}"},
    "issuers": [{
        "issuer": "https://i.example", "audiences": ["db"], "algorithms": ["EdDSA"],
        "jwks": {"keys": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}},
        "scopes": {"prefix": "dbx:"}
    }],
    "roles": [{"name": "analyst", "members": [{"group": "a&b", "issuer": "https://i.example"}], "grants": ["sql", "jobs:read"]}],
    "self_service": {"path": "/.oam"}
}"#;

/// The answer to a caller with these scopes who accepts this.
fn answer(scope: &str, accept: &str) -> Answer {
    let configuration = Configuration::parse(CONFIGURATION.as_bytes()).unwrap();
    let keys = KeyStore::new(configuration.key_sources, 0);
    let claims = json!({
        "iss": "https://i.example", "aud": "db", "sub": "<ada>", "client_id": "etl",
        "iat": 1_800_000_000, "exp": 1_800_003_600, "groups": ["a&b"], "scope": scope,
    });
    let header = json!({ "alg": "EdDSA", "kid": "a" });
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signature = URL_SAFE_NO_PAD.encode([0; 64]);
    let bearer = format!("Bearer {header}.{claims}.{signature}");
    let headers = [
        (":method", "GET"),
        (":path", "/.oam/me"),
        ("accept", accept),
        ("authorization", &bearer),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let headers = Headers::new(headers.to_vec());
    let by = Verification::afresh(&keys, &Any);
    let now = UnixTime::from_seconds(1_800_000_060).unwrap();
    let decision = configuration.authorizer.authorize(&headers, &by, now);
    let Verdict::Introduce(introduction) = &decision.verdict else {
        panic!("{:?}", decision.verdict);
    };
    Answer::introducing(introduction, &configuration.resource, "d")
}

#[test]
fn a_caller_is_told_who_it_is_and_what_is_missing() {
    let answer = answer("dbx:sql dbx:jobs", "application/json");
    assert_eq!(answer.status, 200);
    let mut me: Value = serde_json::from_str(&answer.body).unwrap();
    let areas = me["areas"].take();
    let want = json!({
        "subject": "<ada>",
        "client": "etl",
        "issuer": "https://i.example",
        "token_expires_at": "2027-01-15T09:00:00.000Z",
        "workspace": null,
        "roles": [{"name": "analyst", "because": "group `a&b`, issuer `https://i.example`"}],
        "token_scopes": ["jobs", "sql"],
        "effective_scopes": ["jobs:read", "sql"],
        "areas": null,
        "decision_id": "d",
    });
    assert_eq!(me, want);
    let area = |name: &str| {
        let all = areas.as_array().unwrap();
        let found = all.iter().find(|area| area["area"] == name).unwrap();
        let told = ["access", "missing", "request"];
        told.map(|member| found[member].clone())
    };
    let ask = |area: &str| json!(format!("https://idp.example/ask?scope=dbx%3A{area}"));
    assert_eq!(area("sql"), [json!("all"), Value::Null, Value::Null]);
    assert_eq!(area("jobs"), [json!("some"), json!("role"), ask("jobs")]);
    assert_eq!(
        area("secrets"),
        [json!("none"), json!("scope"), ask("secrets")]
    );
}

#[test]
fn a_page_shows_the_same_and_nothing_that_a_claim_could_slip_in() {
    let answer = answer("dbx:sql", "text/html");
    assert!(answer.body.contains("&#60;ada&#62;"), "{}", answer.body);
    assert!(!answer.body.contains("<ada>"), "{}", answer.body);
    assert!(
        answer
            .body
            .contains(r#"<a href="https://idp.example/ask?scope=dbx%3Ajobs" rel="noreferrer">"#)
    );
    let header = |name: &str| {
        let found = answer.headers.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_ref())
    };
    assert_eq!(header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("content-security-policy"), Some(PAGE_POLICY));
}
