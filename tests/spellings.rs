//! Every spelling of every operation gets the same verdict, whatever the rules and whoever asks.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use databricks_oam_filter::audit::record::words;
use databricks_oam_filter::authorize::Verification;
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::databricks::{Catalogue, Operation};
use databricks_oam_filter::key_store::KeyStore;
use databricks_oam_filter::request::Headers;
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::algorithm::Algorithm;
use databricks_oam_filter::token::jwk::Jwk;
use databricks_oam_filter::token::signature::Verifier;
use serde_json::{Value, json};

#[test]
fn every_spelling_of_an_operation_gets_the_same_verdict() {
    let now = UnixTime::from_seconds(NOW).unwrap();
    let callers = callers();
    let mut reasons = BTreeSet::new();
    for (number, operation) in Catalogue::shared().operations().iter().enumerate() {
        let spellings = spellings(operation);
        // Each operation meets some of the rules, and each of the rules hundreds of operations.
        for rules in rules(operation)
            .into_iter()
            .skip(number % STEP)
            .step_by(STEP)
        {
            let text = configuration(&rules);
            let configuration = Configuration::parse(text.as_bytes());
            let configuration = configuration.unwrap_or_else(|error| panic!("{error}\n{text}"));
            let keys = KeyStore::new(configuration.key_sources, 0);
            for authorization in &callers {
                let verdicts = spellings.iter().map(|path| {
                    let headers = headers(operation, path, authorization.as_deref());
                    let by = Verification::afresh(&keys, &Any);
                    let decision = configuration.authorizer.authorize(&headers, &by, now);
                    let (word, reason) = words(&decision.verdict);
                    (path, word, reason)
                });
                let verdicts: Vec<_> = verdicts.collect();
                let (_, word, reason) = verdicts[0];
                reasons.insert(format!("{word}, {reason}"));
                assert!(
                    verdicts
                        .iter()
                        .all(|found| (found.1, found.2) == (word, reason)),
                    "{} by {authorization:?} with {rules}: {verdicts:#?}",
                    operation.name
                );
            }
        }
    }
    // A policy that only ever says one thing says the same of every spelling.
    for reason in REASONS {
        assert!(reasons.contains(reason), "{reason}: {reasons:?}");
    }
}

/// One in so many rules is tried with an operation; the number of rules is no multiple of it.
const STEP: usize = 7;

const REASONS: [&str; 7] = [
    "allow, permitted",
    "allow, personal_access_token_observed",
    "allow, public",
    "deny, denied_by_rule",
    "deny, insufficient_scope",
    "deny, missing_credentials",
    "deny, mcp_headers_required",
];

/// The paths that reach an operation, the documented one first.
fn spellings(operation: &Operation) -> Vec<String> {
    let filled = |template: &str, text: &str| {
        let parts = template.split('/').map(|part| match part.split_once('}') {
            Some((_, verb)) => format!("{text}{verb}"),
            None => part.to_owned(),
        });
        parts.collect::<Vec<_>>().join("/")
    };
    let others = Catalogue::shared().operations().iter();
    let others =
        others.filter(|other| other.name == operation.name && other.method == operation.method);
    let mut paths = vec![filled(operation.template, "zz")];
    paths.extend(others.map(|other| filled(other.template, "zz")));
    if operation.ignores_case() {
        paths.push(filled(operation.template, "ZZ"));
    }
    for path in paths.clone() {
        for version in ["1.2", "2.1"] {
            let versioned = path
                .strip_prefix("/api/")
                .and_then(|path| path.split_once('/'));
            if let Some((known, rest)) = versioned.filter(|(known, _)| known.contains('.'))
                && known != version
            {
                paths.push(format!("/api/{version}/{rest}"));
            }
        }
    }
    for path in paths.clone() {
        let other = match path.strip_suffix('/') {
            Some(path) => path.to_owned(),
            None => format!("{path}/"),
        };
        paths.push(other);
    }
    paths
}

/// A rule for one path.
fn one(effect: &str, path: &str, more: Value) -> Value {
    let mut rule = json!({"name": "one", "effect": effect, "paths": [path]});
    if let (Some(rule), Value::Object(more)) = (rule.as_object_mut(), more) {
        if effect == "require" {
            rule.insert("scopes".to_owned(), json!(["special"]));
        }
        rule.extend(more);
    }
    rule
}

/// Rules about an operation, of every kind: for its path and around it, for other spellings of it,
/// narrowed and in shadow mode.
fn rules(operation: &Operation) -> Vec<Value> {
    let template = operation.template;
    let older = template.replacen("/api/2.", "/api/1.", 1);
    let above = |path: &'static str| path.rsplit_once('/').map_or("", |(above, _)| above);
    let parent = match above(template) {
        name if template.ends_with("=**}") => above(name),
        name => name,
    };
    let parent = match parent {
        "" if template.ends_with("=**}") => template.to_owned(),
        "" => format!("{template}/{{path=**}}"),
        parent => format!("{parent}/{{path=**}}"),
    };
    let older_parent = parent.replacen("/api/2.", "/api/1.", 1);
    let mut twins = Catalogue::shared().operations().iter();
    let twin = twins.rfind(|other| other.name == operation.name);
    let twin = twin.map_or(template, |twin| twin.template);
    let broad =
        json!({"name": "broad", "effect": "require", "paths": ["/{path=**}"], "scopes": ["staff"]});
    let open = json!({"name": "open", "effect": "public", "paths": ["/{path=**}"]});
    let method = if operation.method == "*" {
        "POST"
    } else {
        operation.method
    };
    vec![
        json!([one("deny", template, json!({}))]),
        json!([one("deny", &older, json!({}))]),
        json!([one("deny", twin, json!({}))]),
        json!([one("deny", &parent, json!({}))]),
        json!([one("deny", &older_parent, json!({"mode": "shadow"}))]),
        json!([one("deny", template, json!({"methods": [method]}))]),
        json!([one("deny", &older, json!({"issuers": [ISSUER]}))]),
        json!([one(
            "deny",
            template,
            json!({"mcp": {"methods": ["tools/call"]}})
        )]),
        json!([broad, one("require", template, json!({}))]),
        json!([broad, one("require", &older, json!({}))]),
        json!([broad, one("require", twin, json!({"issuers": [ISSUER]}))]),
        json!([open, one("require", template, json!({}))]),
        json!([open, one("require", &older, json!({}))]),
        json!([open, one("require", &parent, json!({}))]),
        json!([one("require", template, json!({"mode": "shadow"}))]),
        json!([one("require", &older_parent, json!({})), {"name": "two", "effect": "require", "paths": [template], "any_scope": ["other", "staff"]}]),
        json!([one(
            "require",
            template,
            json!({"mcp": {"names": ["tool"]}})
        )]),
        json!([]),
    ]
}

fn configuration(rules: &Value) -> String {
    json!({
        "issuers": [{
            "issuer": ISSUER, "audiences": ["db"], "algorithms": ["EdDSA"],
            "jwks": {"keys": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}
        }],
        "policy": {"unmatched": "all-apis", "rules": rules},
        "credentials": {"personal_access_token": "observe"}
    })
    .to_string()
}

/// What callers of every kind show.
fn callers() -> Vec<Option<String>> {
    let token = |scope: &str| {
        let claims = json!({"iss": ISSUER, "aud": "db", "exp": NOW + 60, "scope": scope});
        let parts = [
            br#"{"alg":"EdDSA"}"#.to_vec(),
            claims.to_string().into_bytes(),
            vec![0; 64],
        ];
        let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        Some(format!("Bearer {token}"))
    };
    vec![
        token("none"),
        token("all-apis"),
        token("all-apis staff"),
        token("special"),
        token("special staff"),
        Some("Bearer dapi0123456789abcdef0123456789abcdef".to_owned()),
        None,
    ]
}

fn headers(operation: &Operation, path: &str, authorization: Option<&str>) -> Headers {
    let method = if operation.method == "*" {
        "POST"
    } else {
        operation.method
    };
    let mut pairs = vec![
        (":method".to_owned(), method.into()),
        (":path".to_owned(), path.into()),
        (":authority".to_owned(), "db.example".into()),
    ];
    if let Some(authorization) = authorization {
        pairs.push(("authorization".to_owned(), authorization.into()));
    }
    Headers::new(pairs)
}

/// Takes every signature: here only the policy is of interest.
struct Any;

impl Verifier for Any {
    fn verify(&self, _: Algorithm, _: &Jwk, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

const ISSUER: &str = "https://i.example";
const NOW: u64 = 1_800_000_000;
