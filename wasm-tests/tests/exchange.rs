//! Callers' tokens are exchanged for Databricks' own, and the upstream sees those alone.

use std::time::{Duration, Instant};

use serde_json::json;
use wasm_tests::client;
use wasm_tests::exchange::{JOB, Stage, authorization, configuration, forwarded};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{token, token_with};
use wasm_tests::token_endpoint::Reply;

#[test]
fn the_upstream_sees_the_exchanged_token_alone() {
    let stage = Stage::with(&json!({}));
    let token = token("acme-rsa");
    let bearer = format!("Bearer {token}");
    let cookie = format!("token={token}");
    let (answer, record) = stage.recorded(|stage| {
        let headers: [(&str, &[u8]); 6] = [
            ("authorization", bearer.as_bytes()),
            ("x-forwarded-access-token", token.as_bytes()),
            ("x-auth-request-access-token", token.as_bytes()),
            ("x-oam-token", token.as_bytes()),
            ("cookie", cookie.as_bytes()),
            ("x-request-id", b"r-1"),
        ];
        client::get(stage.envoy.address(), JOB, &headers)
    });
    assert_eq!(answer.status, 200);
    assert_eq!(record["reason"], "permitted");
    assert_eq!(record["exchanged_scope"], "all-apis");
    assert_eq!(record.get("exchange_error"), None);
    let seen = stage.workspace.take();
    assert_eq!(seen.len(), 1);
    assert_eq!(authorization(&seen[0]), ["Bearer databricks-1"]);
    let signature = token.rsplit('.').next().expect("three parts");
    let text = serde_json::to_string(&seen).expect("JSON");
    assert!(!text.contains(signature), "{text}");
    assert!(!stage.envoy.log().text().contains(signature));
    assert!(!stage.envoy.log().text().contains("databricks-1"));
    let form = stage.endpoint.script().forms[0].clone();
    #[rustfmt::skip]
    let want = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("scope", "all-apis"),
        ("subject_token", &token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ];
    let form: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(form, want);

    assert_eq!(forwarded(&stage.get(&token)), "Bearer databricks-1");
    assert_eq!(stage.endpoint.exchanges(), 1, "once for each token");
    let other = token_with("acme-rsa", &json!({ "sub": "bob@example.com" }));
    assert_eq!(forwarded(&stage.get(&other)), "Bearer databricks-2");
}

#[test]
fn a_workload_says_as_whom() {
    let stage = Stage::with(&json!({ "client_id": "sp 1&x=y", "assume_group": "42" }));
    assert_eq!(stage.get(&token("acme-rsa")).status, 200);
    let form = stage.endpoint.script().forms[0].clone();
    assert_eq!(form["client_id"], "sp 1&x=y");
    assert_eq!(form["assume_group"], "42");
}

#[test]
fn a_body_waits_with_its_head() {
    let stage = Stage::with(&json!({}));
    stage.endpoint.script().reply = Reply::Slow(Duration::from_millis(500));
    let bearer = format!("Bearer {}", token("acme-rsa"));
    let headers: [(&str, &[u8]); 1] = [("authorization", bearer.as_bytes())];
    let body = vec![b'x'; 200_000];
    let answer = client::exchange(
        stage.envoy.address(),
        "POST",
        "/api/2.2/jobs/run-now",
        &headers,
        &body,
    );
    assert_eq!(answer.json()["body_length"], 200_000);
    assert_eq!(forwarded(&answer), "Bearer databricks-1");
}

#[test]
fn what_is_held_ends_before_its_token_does() {
    let stage = Stage::with(&json!({}));
    stage.endpoint.script().expires_in = 4;
    let token = token("acme-rsa");
    let asked = Instant::now();
    assert_eq!(forwarded(&stage.get(&token)), "Bearer databricks-1");
    loop {
        let elapsed = asked.elapsed();
        if forwarded(&stage.get(&token)) != "Bearer databricks-1" {
            break;
        }
        // The token was made after `asked`, and lives for four seconds.
        assert!(elapsed < Duration::from_secs(4), "used after {elapsed:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(stage.endpoint.exchanges() >= 2);
}

#[test]
fn a_token_past_its_end_is_not_exchanged() {
    let stage = Stage::with(&json!({}));
    let over = token_with("acme-rsa", &json!({ "exp": "now-2" }));
    let (answer, record) = stage.recorded(|stage| stage.get(&over));
    assert_eq!(answer.status, 401, "clock skew or not");
    assert_eq!(record["reason"], "token_expired");
    assert_eq!(stage.endpoint.exchanges(), 0);
}

#[test]
fn the_scope_is_narrowed_to_the_operation() {
    let stage = Stage::with(&json!({ "scope": "operation" }));
    let token = token_with("acme-rsa", &json!({ "scope": "all-apis" }));
    #[rustfmt::skip]
    let cases = [
        // target                              scope
        (JOB,                                  "jobs"),
        ("/api/2.1/jobs/list",                 "jobs"),
        ("/api/2.2/jobs/list/",                "jobs"),
        ("/api/2.0/sql/warehouses/",           "sql"),
        ("/api/2.0/sql/warehouses",            "sql"),
        ("/api/2.0/preview/scim/v2/Me",        "all-apis"),
    ];
    for (target, scope) in cases {
        let (answer, record) = stage.recorded(|stage| stage.send("GET", target, &token));
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(record["exchanged_scope"], scope, "{target}");
    }
    let scopes: Vec<String> = stage
        .endpoint
        .script()
        .forms
        .iter()
        .map(|form| form["scope"].clone())
        .collect();
    assert_eq!(scopes, ["jobs", "sql", "all-apis"]);
    let seen = stage.workspace.take();
    let sent: Vec<Vec<&str>> = seen.iter().map(authorization).collect();
    #[rustfmt::skip]
    assert_eq!(sent, [["Bearer databricks-1"], ["Bearer databricks-1"], ["Bearer databricks-1"], ["Bearer databricks-2"], ["Bearer databricks-2"], ["Bearer databricks-3"]]);
}

#[test]
fn what_is_not_permitted_is_not_exchanged() {
    let mut configuration = configuration(&json!({}));
    configuration["issuers"] = json!([
        configuration["issuers"][0],
        { "issuer": "https://dbc-1.cloud.databricks.com/oidc", "preset": "databricks", "audiences": ["databricks"],
          "jwks": { "keys": jwk_set(["partner-rsa"]) } },
    ]);
    configuration["policy"] = json!({ "rules": [
        { "name": "health", "effect": "public", "paths": ["/healthz"] },
    ] });
    let stage = Stage::of(configuration);
    let own = token_with(
        "partner-rsa",
        &json!({ "iss": "https://dbc-1.cloud.databricks.com/oidc" }),
    );
    let (ada, bearer) = (token("acme-rsa"), format!("Bearer {own}"));
    #[rustfmt::skip]
    let cases = [
        // name                        target                              token    status  sent
        ("too little",                 "/api/2.0/sql/warehouses",          &ada,    403,    None),
        ("nobody known",               JOB,                                &ada.replace("acme", "x")[..40].to_owned(), 401, None),
        ("public",                     "/healthz",                         &ada,    200,    Some("")),
        ("finding where to sign in",   "/.well-known/databricks-config",   &ada,    200,    None),
        ("Databricks' own",            JOB,                                &own,    200,    Some(&*bearer)),
    ];
    for (name, target, token, status, sent) in cases {
        let answer = stage.send("GET", target, token);
        assert_eq!(answer.status, status, "{name}");
        if let Some(sent) = sent {
            assert_eq!(forwarded(&answer), sent, "{name}");
        }
    }
    assert_eq!(stage.endpoint.exchanges(), 0);
}

#[test]
fn what_is_on_trial_goes_on_with_the_exchanged_token() {
    let mut configuration = configuration(&json!({}));
    configuration["policy"] = json!({ "mode": "shadow" });
    let stage = Stage::of(configuration);
    let (answer, record) =
        stage.recorded(|stage| stage.send("GET", "/api/2.0/sql/warehouses", &token("acme-rsa")));
    assert_eq!(forwarded(&answer), "Bearer databricks-1");
    assert_eq!(record["reason"], "insufficient_scope");
    assert_eq!(record["mode"], "shadow");
    assert_eq!(record["exchanged_scope"], "all-apis");
}

/// Each refusal is carried out inside the one before, so hundreds at once would exhaust the VM's
/// stack. The Python and JDBC drivers post this to whatever host they connect to, when that is not
/// the host in their token's `iss`.
#[test]
fn sql_drivers_get_their_own_token_back() {
    let stage = Stage::with(&json!({}));
    let form = |token: &str, back: bool| {
        format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token={token}\
             &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&scope=sql&return_original_token_if_authenticated={back}"
        )
    };
    let post = |body: &str| {
        let headers: [(&str, &[u8]); 1] = [("content-type", b"application/x-www-form-urlencoded")];
        let address = stage.envoy.address();
        client::exchange(address, "POST", "/oidc/v1/token", &headers, body.as_bytes())
    };
    let token = token("acme-rsa");
    let answer = post(&form(&token, true));
    assert_eq!(answer.status, 200);
    let given = answer.json();
    assert_eq!(given["access_token"], token);
    assert_eq!(given["token_type"], "Bearer");
    let expires_in = given["expires_in"].as_u64().unwrap_or_default();
    assert!((1..=3600).contains(&expires_in), "{expires_in}");
    let used = stage.send(
        "GET",
        JOB,
        given["access_token"].as_str().unwrap_or_default(),
    );
    assert_eq!(forwarded(&used), "Bearer databricks-1");

    let asked_otherwise = post(&form(&token, false));
    assert_eq!(asked_otherwise.json()["access_token"], token);

    stage.workspace.take();
    let forged = wasm_tests::scene::token("stranger-rsa");
    let over = token_with("acme-rsa", &json!({ "exp": "now-3600" }));
    for token in [forged, over] {
        let answer = post(&form(&token, true));
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"], "invalid_grant");
    }
    assert!(stage.workspace.take().is_empty(), "none of them goes on");
}
