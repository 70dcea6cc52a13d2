//! The `code` of each problem of a configuration, in `oam check --json`.

use std::collections::BTreeSet;

use databricks_oam_filter::config::code::ProblemCode;
use serde_json::{Value, json};

use super::{file, oam, text};

/// A configuration with nothing to say of.
fn valid() -> Value {
    json!({
        "issuers": [{
            "issuer": "https://i.example/a", "audiences": ["api"], "jwks": { "cluster": "i", "uri": "https://i.example/keys" },
        }],
        "roles": [{ "name": "r", "members": [{ "group": "g" }], "grants": ["jobs"] }],
        "policy": { "rules": [] },
    })
}

/// The valid one with values at these places, which are JSON pointers; `-` adds to a list.
fn with(changes: &[(&str, Value)]) -> String {
    let mut all = valid();
    for (pointer, value) in changes {
        let (object, key) = pointer.rsplit_once('/').unwrap();
        let object = all.pointer_mut(object).unwrap();
        if let Some(items) = object.as_array_mut() {
            items.push(value.clone());
        } else {
            object[key] = value.clone();
        }
    }
    all.to_string()
}

/// What is found in a configuration, and what comes of its not being in a bootstrap left out.
fn codes(name: &str, configuration: &str) -> BTreeSet<String> {
    let ran = oam(&[
        "check",
        "--json",
        text(&file(&format!("code-{name}.json"), configuration)),
    ]);
    let found: Vec<Value> = serde_json::from_str(&ran.out).unwrap_or_else(|error| {
        panic!("{name}: {error}: {} {}", ran.out, ran.err);
    });
    let codes = found
        .iter()
        .map(|finding| finding["code"].as_str().unwrap().to_owned());
    codes.filter(|code| code != "gateway_not_seen").collect()
}

/// A rule that is the usual one but for these keys, at its place.
fn rule(more: &Value) -> (&'static str, Value) {
    let mut rule =
        json!({ "name": "n", "effect": "require", "paths": ["/apps/{id}"], "scopes": ["s"] });
    for (key, value) in more.as_object().unwrap() {
        rule[key] = value.clone();
    }
    ("/policy/rules/-", rule)
}

fn issuer(name: &str) -> Value {
    json!({ "issuer": name, "audiences": ["api"], "jwks": { "cluster": "i", "uri": "https://i.example/keys" } })
}

type Cases = Vec<(&'static str, String)>;

fn refused() -> Cases {
    let exchange = |issuers: Value| json!({ "cluster": "c", "token_endpoint": "https://d.example/t", "issuers": issuers });
    #[rustfmt::skip]
    let cases = vec![
        // code                  what brings it
        ("key_unknown",          with(&[("/role", json!([]))])),
        ("key_missing",          with(&[("/exchange", json!({ "cluster": "c" }))])),
        ("key_without_value",    with(&[("/exchange", Value::Null)])),
        ("type_wrong",           with(&[("/roles/0/grants", json!("jobs"))])),
        ("value_unknown",        with(&[("/policy/mode", json!("enforced"))])),
        ("value_malformed",      with(&[("/issuers/0/jwks/uri", json!("htp://k"))])),
        ("out_of_bounds",        with(&[("/limits", json!({ "token_bytes": 1 }))])),
        ("empty",                with(&[rule(&json!({ "paths": [] }))])),
        ("named_twice",          with(&[("/issuers/-", issuer("https://i.example/a")), ("/roles/0/members/0/issuer", json!("https://i.example/a"))])),
        ("name_invalid",         with(&[rule(&json!({ "name": "a b" }))])),
        ("secret_short",         with(&[("/audit", json!({ "fingerprint_key": "short" }))])),
        ("issuer_unknown",       with(&[("/exchange", exchange(json!(["https://x.example"])))])),
        ("issuer_unsuitable",    with(&[("/issuers/0/issuer", json!("https://acme.okta.com")), ("/issuers/0/preset", json!("okta"))])),
        ("audiences_missing",    with(&[("/issuers/0/audiences", json!([]))])),
        ("keys_missing",         with(&[("/issuers/0/jwks", json!({ "uri": "https://i.example/keys" }))])),
        ("keys_twice",           with(&[("/issuers/0/jwks/keys", KEYS.parse().unwrap())])),
        ("keys_unusable",        with(&[("/issuers/0/jwks", json!({ "keys": { "keys": [] } }))])),
        ("scopes_missing",       with(&[("/issuers/0/preset", json!("aws_iam")), ("/issuers/0/scopes", json!({ "source": "token" }))])),
        ("workspace_unknown",    with(&[("/roles/0/workspaces", json!(["7"]))])),
        ("condition_missing",    with(&[("/roles/0/members/0", json!({}))])),
        ("rules_overlap",        with(&[rule(&json!({})), rule(&json!({ "name": "o", "paths": ["/apps/{name}"] }))])),
        ("rule_contradicts",     with(&[rule(&json!({ "effect": "deny" }))])),
        ("rule_without_scopes",  with(&[rule(&json!({ "scopes": [] }))])),
        ("records_nowhere",      with(&[("/audit", json!({ "log": false, "required": true }))])),
        ("nothing_exchanged",    with(&[("/issuers/0/preset", json!("databricks")), ("/exchange", json!({ "cluster": "c", "token_endpoint": "https://d.example/t" }))])),
    ];
    cases
}

fn carried_out() -> Cases {
    #[rustfmt::skip]
    let cases = vec![
        // code                  what brings it
        ("role_without_members", with(&[("/roles/0/members", json!([]))])),
        ("role_without_grants",  with(&[("/roles/0/grants", json!([]))])),
        ("role_of_any_issuer",   with(&[("/issuers/-", issuer("https://j.example"))])),
        ("grant_unknown",        with(&[("/roles/0/grants", json!(["jbos"]))])),
        ("roles_missing",        with(&[("/roles", json!([]))])),
        ("unmatched_open",       with(&[("/policy/unmatched", json!("all-apis"))])),
        ("rule_never_applies",   with(&[rule(&json!({})), ("/policy/rules/-", json!({ "name": "d", "effect": "deny", "paths": ["/apps/{path=**}"] }))])),
        ("rule_exact",           with(&[rule(&json!({ "exact": true }))])),
        ("rule_above",           with(&[rule(&json!({ "paths": ["/apps/x/{path=**}"] })), ("/policy/rules/-", json!({ "name": "p", "effect": "public", "paths": ["/apps/x"] }))])),
        ("rule_leaves_issuers",  with(&[("/issuers/-", issuer("https://j.example")), ("/roles/0/members/0/issuer", json!("https://j.example")), rule(&json!({ "paths": ["/api/2.2/jobs/list"], "issuers": ["https://i.example/a"] }))])),
        ("records_off",          with(&[("/audit", json!({ "log": false }))])),
        ("public_api",           with(&[("/policy/rules/-", json!({ "name": "p", "effect": "public", "paths": ["/api/2.2/jobs/list"] }))])),
        // Only `oam` says these.
        ("entra_any_tenant",     with(&[("/issuers/0/issuer", json!("https://login.microsoftonline.com/common/v2.0")), ("/issuers/0/preset", json!("entra"))])),
        ("entra_version",        with(&[("/issuers/0/issuer", json!("https://sts.windows.net/0-1/")), ("/issuers/0/preset", json!("entra"))])),
        ("path_unknown",         with(&[rule(&json!({ "paths": ["/api/2.2/jobs/run-nwo"] }))])),
    ];
    cases
}

#[test]
fn each_kind_of_problem_has_its_own() {
    let cases = [refused(), carried_out()].concat();
    assert_eq!(codes("valid", &valid().to_string()), BTreeSet::new());
    for (code, configuration) in &cases {
        let want = BTreeSet::from([(*code).to_owned()]);
        assert_eq!(codes(code, configuration), want, "{code}: {configuration}");
    }
    let seen = |code: &&ProblemCode| cases.iter().any(|(name, _)| *name == code.as_str());
    let unseen: Vec<&ProblemCode> = ProblemCode::ALL.iter().filter(|code| !seen(code)).collect();
    // The first two come in a text alone; the last is for a fault of our own.
    let others = [
        &ProblemCode::NotJson,
        &ProblemCode::KeyRepeated,
        &ProblemCode::Unusable,
    ];
    assert_eq!(unseen, others);
}

/// In a file of its own neither of these is read at all: exit status 2.
#[test]
fn a_text_that_is_no_configuration_has_a_code_too() {
    for (code, inner) in [
        ("not_json", "{"),
        ("key_repeated", r#"{"roles":[],"roles":[]}"#),
    ] {
        let carrier = json!({ "name": "f", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": { "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": inner } },
        } });
        let found = codes(code, &carrier.to_string());
        assert!(found.contains(code), "{code}: {found:?}");
    }
}

/// A JWK Set that can verify.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
