//! `oam schema`, held to the committed file and to the parser.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use databricks_oam_filter::audit::compact;
use databricks_oam_filter::audit::record::{Record, Stamp};
use databricks_oam_filter::authorize::{Decision, Verification};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::key_store::KeyStore;
use databricks_oam_filter::request::Headers;
use databricks_oam_filter::request::envelope::Envelope;
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::algorithm::Algorithm;
use databricks_oam_filter::token::jwk::Jwk;
use databricks_oam_filter::token::signature::Verifier;
use serde_json::{Value, json};

use super::oam;

fn example(name: &str) -> Value {
    let path = format!("{}/envoy/policies/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn is_read(document: &Value) -> bool {
    Configuration::parse(document.to_string().as_bytes()).is_ok()
}

/// Every object in a value, by its JSON pointer.
fn objects(value: &Value, pointer: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            into.push(pointer.to_owned());
            for (key, member) in members {
                objects(member, &format!("{pointer}/{key}"), into);
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                objects(item, &format!("{pointer}/{position}"), into);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A configuration in which every section stands.
fn everything() -> Value {
    let mut all = example("agents");
    all["resource"] = json!({"identifier": "https://db.example", "access_request_url": "https://idp.example/{scopes}"});
    all["issuers"][0]["claims"] =
        json!({"scopes": ["scp"], "groups": [["a", "b"]], "roles": ["r"], "client": ["c"]});
    all["issuers"][0]["scopes"] =
        json!({"source": "token", "prefix": "p:", "aliases": {"x": ["jobs"]}});
    all["issuers"][0]["clock_skew"] = json!("30s");
    all["issuers"][0]["algorithms"] = json!(["RS256"]);
    all["workspaces"] = json!([{"id": "7", "hosts": ["db.example"]}]);
    all["policy"]["mode"] = json!("shadow");
    all["policy"]["unmatched"] = json!("all-apis");
    all["credentials"] = json!({"basic": "deny", "opaque": "observe", "personal_access_token": {"until": "2027-01-31"}});
    all["limits"] = json!({"token_bytes": 16384, "waiting_requests": 10, "waiting_time": "5s"});
    all["audit"] = json!({"format": "compact", "log": true, "access_log": true});
    all["exchange"] = json!({"cluster": "c", "token_endpoint": "https://d.example/t", "scope": "operation", "client_id": "sp", "assume_group": "1", "issuers": [all["issuers"][0]["issuer"]], "timeout": "5s"});
    all["forward_identity"] = json!(true);
    all
}

#[test]
fn the_committed_schema_is_what_is_printed() {
    let committed = include_str!("../../envoy/schema.json");
    assert_eq!(
        oam(&["schema"]).out,
        committed,
        "run `cargo run --bin oam -- schema > envoy/schema.json`"
    );
}

#[test]
fn schema_and_parser_take_the_same_documents() {
    let schema: Value = serde_json::from_str(&oam(&["schema"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut documents: Vec<Value> = ["agents", "aws-iam", "entra", "github-actions", "okta"]
        .map(example)
        .to_vec();
    documents.push(everything());
    for document in &documents {
        assert!(
            validator.is_valid(document),
            "{:?}",
            validator
                .iter_errors(document)
                .map(|error| error.to_string())
                .collect::<Vec<_>>()
        );
        assert!(is_read(document), "{document}");
        let mut pointers = Vec::new();
        objects(document, "", &mut pointers);
        // Aliases have names of the operator's choice.
        for pointer in pointers
            .iter()
            .filter(|pointer| !pointer.ends_with("/aliases"))
        {
            let mut odd = document.clone();
            odd.pointer_mut(pointer).unwrap()["no-such-key"] = json!(1);
            assert!(
                !validator.is_valid(&odd),
                "the schema takes an unknown key at `{pointer}`"
            );
            assert!(
                !is_read(&odd),
                "the parser takes an unknown key at `{pointer}`"
            );
        }
    }
}

/// In YAML, a key whose value was forgotten.
#[test]
fn no_key_may_be_left_without_its_value() {
    let schema: Value = serde_json::from_str(&oam(&["schema"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let everything = everything();
    let mut pointers = Vec::new();
    values(&everything, "", &mut pointers);
    // An inline JWK Set is nothing that the schema describes.
    for pointer in pointers
        .iter()
        .filter(|pointer| !pointer.contains("/jwks/keys/"))
    {
        let mut odd = everything.clone();
        *odd.pointer_mut(pointer).unwrap() = Value::Null;
        assert!(!validator.is_valid(&odd), "the schema takes `{pointer}`");
        assert!(!is_read(&odd), "the parser takes `{pointer}`");
    }
}

/// Every value below a value, by its JSON pointer.
fn values(value: &Value, pointer: &str, into: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (format!("{pointer}/{key}"), member))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(position, item)| (format!("{pointer}/{position}"), item))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
    };
    for (pointer, below) in below {
        values(below, &pointer, into);
        into.push(pointer);
    }
}

#[test]
fn values_that_one_refuses_the_other_does() {
    let schema: Value = serde_json::from_str(&oam(&["schema"]).out).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    #[rustfmt::skip]
    let cases = [
        // pointer                     value
        ("/issuers/0/preset",          json!("oktaa")),
        ("/issuers/0/clock_skew",      json!("30")),
        ("/issuers/0/clock_skew",      json!(30)),
        ("/issuers/0/algorithms",      json!(["HS256"])),
        ("/issuers/0/audiences",       json!("a")),
        ("/issuers/0/claims/scopes",   json!([[]])),
        ("/issuers/0/scopes/source",   json!("both")),
        ("/policy/mode",               json!("Shadow")),
        ("/policy/unmatched",          json!("allow")),
        ("/policy/rules/0/effect",     json!("allow")),
        ("/policy/rules/0/paths",      json!("/a")),
        ("/limits/token_bytes",        json!("16K")),
        ("/audit/format",              json!("xml")),
        ("/credentials/basic",         json!("allow")),
        ("/credentials/basic",         json!({"until": "soon"})),
        ("/forward_identity",          json!("yes")),
        ("/roles/0/grants",            json!("jobs")),
    ];
    for (pointer, value) in cases {
        let mut document = everything();
        *document.pointer_mut(pointer).unwrap() = value.clone();
        assert!(
            !validator.is_valid(&document),
            "the schema takes {pointer}: {value}"
        );
        assert!(!is_read(&document), "the parser takes {pointer}: {value}");
    }
    for pointer in [
        "/issuers",
        "/issuers/0/issuer",
        "/issuers/0/jwks",
        "/roles/0/name",
        "/roles/0/members",
        "/roles/0/grants",
        "/workspaces/0/id",
        "/workspaces/0/hosts",
        "/policy/rules/0/name",
        "/policy/rules/0/effect",
        "/policy/rules/0/paths",
    ] {
        let mut document = everything();
        let (object, key) = pointer.rsplit_once('/').unwrap();
        document
            .pointer_mut(object)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(key)
            .unwrap();
        assert!(
            !validator.is_valid(&document),
            "the schema does without {pointer}"
        );
        assert!(!is_read(&document), "the parser does without {pointer}");
    }
}

/// The records of a few decisions, as the module would write them.
fn records() -> Vec<Value> {
    let configuration = json!({
        "issuers": [{
            "issuer": "https://i.example", "audiences": ["db"],
            "jwks": {"keys": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}},
            "algorithms": ["EdDSA"]
        }],
        "policy": {"rules": [{"name": "no", "effect": "deny", "paths": ["/healthz"]}]}
    });
    let configuration = Configuration::parse(configuration.to_string().as_bytes()).unwrap();
    let keys = KeyStore::new(configuration.key_sources, 0);
    let now = UnixTime::from_seconds(1_795_432_800).unwrap();
    let bearer = |claims: Value| {
        let parts = [
            json!({"alg": "EdDSA", "kid": "a"}).to_string(),
            claims.to_string(),
        ];
        let parts = parts.map(|part| URL_SAFE_NO_PAD.encode(part));
        format!(
            "Bearer {}.{}.{}",
            parts[0],
            parts[1],
            URL_SAFE_NO_PAD.encode([0; 64])
        )
    };
    let claims = |audience: &str| json!({"iss": "https://i.example", "aud": audience, "sub": "s", "iat": 1_795_432_700, "exp": 1_795_436_400, "jti": "t", "scope": "jobs offline_access", "act": {"sub": "a", "act": {"sub": "b"}}});
    [
        ("/api/2.2/jobs/list", bearer(claims("db"))),
        ("/api/2.2/jobs/list", bearer(claims("other"))),
        ("/api/2.2/jobs/list", bearer(json!({"iss": 7}))),
        ("/api/2.0/sql/warehouses", bearer(claims("db"))),
        ("/healthz", bearer(claims("db"))),
        (
            "/nothing",
            "Bearer dapi0123456789abcdef0123456789abcdef".to_owned(),
        ),
        ("/nothing", "Basic YTpi".to_owned()),
        ("/a//b", String::new()),
    ]
    .map(|(path, authorization)| {
        let pairs = [
            (":method", "GET"),
            (":path", path),
            (":authority", "db.example"),
            ("authorization", &authorization),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let headers = Headers::new(pairs.to_vec());
        let by = Verification::afresh(&keys, &Any);
        let decision = configuration.authorizer.authorize(&headers, &by, now);
        record(&decision, &headers, now)
    })
    .to_vec()
}

/// The record of a decision, as a value.
fn record(decision: &Decision<'_>, headers: &Headers, now: UnixTime) -> Value {
    let record = Record {
        decision,
        envelope: &Envelope::of(headers, Some("127.0.0.1")),
        stamp: Stamp {
            time: Some(now),
            decision_id: "d",
            worker: "w",
            sequence: 1,
            config: "c",
            inputs: true,
        },
    };
    serde_json::from_str(&compact::line(&record, String::new())).unwrap()
}

/// Takes every signature.
struct Any;

impl Verifier for Any {
    fn verify(&self, _: Algorithm, _: &Jwk, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

#[test]
fn every_record_is_one_of_the_printed_schema() {
    let schema: Value = serde_json::from_str(&oam(&["schema", "--record"]).out).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let records = records();
    let reasons: Vec<&str> = records
        .iter()
        .map(|record| record["reason"].as_str().unwrap())
        .collect();
    #[rustfmt::skip]
    let want = [
        "permitted", "wrong_audience", "malformed_claims", "insufficient_scope", "denied_by_rule", "personal_access_token_refused", "basic_refused", "ambiguous_path",
    ];
    assert_eq!(reasons, want);
    for record in records {
        let faults: Vec<String> = schema
            .iter_errors(&record)
            .map(|fault| fault.to_string())
            .collect();
        assert_eq!(faults, [""; 0], "{record}");
    }
    let mut more = json!({"decision": "allow"});
    assert!(!schema.is_valid(&more), "members are missing");
    more["secret"] = json!("x");
    assert!(!schema.is_valid(&more));
}
