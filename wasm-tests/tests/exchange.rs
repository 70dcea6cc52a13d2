//! Callers' tokens are exchanged for Databricks' own: the upstream sees those alone, and a token endpoint that fails lets nobody through.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_tests::client::{self, Answer, Connection};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{ISSUER, token, token_with};
use wasm_tests::token_endpoint::{Reply, TokenEndpoint};
use wasm_tests::workspace::{Seen, Workspace};

/// A gateway that exchanges, with what stands around it.
struct Stage {
    envoy: Envoy,
    endpoint: TokenEndpoint,
    workspace: Workspace,
}

impl Stage {
    /// One whose `exchange` section has these members besides.
    fn with(members: &Value) -> Self {
        Self::of(configuration(members))
    }

    fn of(configuration: Value) -> Self {
        let endpoint = TokenEndpoint::start();
        let workspace = Workspace::start();
        let envoy = Setup::new(configuration)
            .cluster("databricks", endpoint.address())
            .cluster("workspace", workspace.address())
            .start();
        Self {
            envoy,
            endpoint,
            workspace,
        }
    }

    fn send(&self, method: &str, target: &str, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers: [(&str, &[u8]); 1] = [("authorization", bearer.as_bytes())];
        client::exchange(self.envoy.address(), method, target, &headers, b"")
    }

    fn get(&self, token: &str) -> Answer {
        self.send("GET", JOB, token)
    }

    /// The answer, and the record of its decision.
    fn recorded(&self, request: impl FnOnce(&Self) -> Answer) -> (Answer, Value) {
        let mark = self.envoy.log().mark();
        let answer = request(self);
        let records = self.envoy.log().wait_for_audit(mark, 1);
        (answer, records.last().cloned().unwrap_or_default())
    }

    /// Asks until the answer is this status.
    fn until(&self, token: &str, status: u16) -> Answer {
        let started = Instant::now();
        loop {
            let answer = self.get(token);
            if answer.status == status {
                return answer;
            }
            assert!(
                started.elapsed() < Duration::from_mins(1),
                "want {status}, got {}; the log ends:\n{}",
                answer.status,
                self.envoy.log().tail(30)
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// One issuer whose keys need no fetch, and an exchange.
fn configuration(members: &Value) -> Value {
    let mut exchange = json!({
        "cluster": "databricks",
        "token_endpoint": "https://dbc-1.cloud.databricks.com/oidc/v1/token",
    });
    for (name, value) in members.as_object().into_iter().flatten() {
        exchange[name] = value.clone();
    }
    json!({
        "issuers": [{ "issuer": ISSUER, "audiences": ["databricks"], "jwks": { "keys": jwk_set(["acme-rsa"]) } }],
        "exchange": exchange,
    })
}

fn authorization(seen: &Seen) -> Vec<&str> {
    seen.headers
        .iter()
        .filter(|(name, _)| name == "authorization")
        .map(|(_, value)| value.as_str())
        .collect()
}

/// What the upstream was sent, as it says itself.
fn forwarded(answer: &Answer) -> String {
    let seen: Seen = serde_json::from_value(answer.json()).expect("the workspace's answer");
    authorization(&seen).join(" and ")
}

const JOB: &str = "/api/2.2/jobs/get?job_id=1";

#[test]
fn the_upstream_sees_the_exchanged_token_alone() {
    let stage = Stage::with(&json!({}));
    let token = token("acme-rsa");
    let bearer = format!("Bearer {token}");
    let (answer, record) = stage.recorded(|stage| {
        let headers: [(&str, &[u8]); 6] = [
            ("authorization", bearer.as_bytes()),
            ("x-forwarded-access-token", token.as_bytes()),
            ("x-auth-request-access-token", token.as_bytes()),
            ("x-oam-token", token.as_bytes()),
            ("cookie", bearer.as_bytes()),
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
fn a_herd_shares_one_exchange() {
    let stage = Stage::with(&json!({}));
    stage.endpoint.script().reply = Reply::Slow(Duration::from_millis(1500));
    let token = token("acme-rsa");
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..20).map(|_| scope.spawn(|| stage.get(&token))).collect();
        for call in calls {
            let answer = call.join().expect("a call");
            assert_eq!(forwarded(&answer), "Bearer databricks-1");
        }
    });
    assert_eq!(stage.endpoint.exchanges(), 1);
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
fn a_client_that_leaves_does_not_take_the_exchange_with_it() {
    let stage = Stage::with(&json!({}));
    stage.endpoint.script().reply = Reply::Slow(Duration::from_secs(2));
    let token = token("acme-rsa");
    let bearer = format!("Bearer {token}");
    let headers: [(&str, &[u8]); 1] = [("authorization", bearer.as_bytes())];
    let mut connection = Connection::open(stage.envoy.address());
    connection.send(&client::request("GET", JOB.as_bytes(), &headers, b""));
    let started = Instant::now();
    while stage.endpoint.exchanges() == 0 {
        assert!(started.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(connection);
    assert_eq!(forwarded(&stage.get(&token)), "Bearer databricks-1");
    assert_eq!(stage.endpoint.exchanges(), 1);
}

#[test]
fn a_refused_exchange_is_a_refused_call() {
    #[rustfmt::skip]
    let cases = [
        // name            status  body                                                           error
        ("a policy's no",  400,    r#"{"error":"invalid_grant","error_description":"s3cr3t"}"#,   json!("invalid_grant")),
        ("an unknown one", 401,    r#"{"error":"s3cr3t"}"#,                                       Value::Null),
        ("no JSON",        403,    "s3cr3t",                                                      Value::Null),
    ];
    for (name, status, body, error) in cases {
        let stage = Stage::with(&json!({}));
        stage.endpoint.script().reply = Reply::Other(status, body.to_owned());
        let (answer, record) = stage.recorded(|stage| stage.get(&token("acme-rsa")));
        assert_eq!(answer.status, 403, "{name}");
        let said = answer.json();
        assert_eq!(said["error_code"], "PERMISSION_DENIED", "{name}");
        assert_eq!(said["details"][0]["reason"], "exchange_refused", "{name}");
        assert_eq!(answer.header("www-authenticate"), None, "{name}");
        assert_eq!(record["decision"], "deny", "{name}");
        assert_eq!(record["reason"], "exchange_refused", "{name}");
        assert_eq!(record["subject"], "ada@example.com", "{name}");
        assert_eq!(record["exchange_error"], error, "{name}");
        assert_eq!(stage.get(&token("acme-rsa")).status, 403, "{name}");
        let log = stage.envoy.log().text();
        assert!(!log.contains("s3cr3t"), "{name}: {log}");
        assert_eq!(stage.workspace.connections(), 0, "{name}");
    }
}

#[test]
fn a_refusal_is_remembered_for_a_moment_only() {
    let stage = Stage::with(&json!({}));
    stage.endpoint.script().reply = Reply::Other(400, r#"{"error":"invalid_grant"}"#.to_owned());
    let token = token("acme-rsa");
    for _ in 0..20 {
        assert_eq!(stage.get(&token).status, 403);
    }
    assert!(
        stage.endpoint.exchanges() <= 2,
        "20 calls within a moment are one exchange"
    );
    stage.endpoint.script().reply = Reply::Grant;
    stage.until(&token, 200);
}

#[test]
fn without_a_token_endpoint_the_answer_is_503_with_retry_after() {
    let html = || "<html>\u{0}".to_owned();
    #[rustfmt::skip]
    let cases = [
        ("broken",             Reply::Other(500, html())),
        ("overloaded",         Reply::Other(503, html())),
        ("busy",               Reply::Other(429, html())),
        ("a redirect",         Reply::Other(302, String::new())),
        ("garbage",            Reply::Other(200, html())),
        ("nothing",            Reply::Other(200, String::new())),
        ("no end",             Reply::Other(200, r#"{"access_token":"x","token_type":"Bearer"}"#.to_owned())),
        ("the caller's own",   Reply::GiveBack),
        ("an answer too late", Reply::Slow(Duration::from_secs(30))),
    ];
    for (name, reply) in cases {
        let stage = Stage::with(&json!({ "timeout": "1s" }));
        stage.endpoint.script().reply = reply;
        assert_unavailable(name, &stage);
        stage.endpoint.script().reply = Reply::Grant;
        stage.until(&token("acme-rsa"), 200);
    }
    let stage = Stage::with(&json!({ "timeout": "1s" }));
    stage.endpoint.door().shut(true);
    assert_unavailable("reset", &stage);
    stage.endpoint.door().shut(false);
    stage.until(&token("acme-rsa"), 200);
}

#[test]
fn a_token_endpoint_that_is_not_there() {
    let stage = Stage::with(&json!({ "cluster": "nowhere" }));
    assert_unavailable("no such cluster", &stage);

    let nobody = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .and_then(|socket| socket.local_addr())
        .expect("an address");
    let endpoint = TokenEndpoint::start();
    let workspace = Workspace::start();
    let envoy = Setup::new(configuration(&json!({ "timeout": "1s" })))
        .cluster("databricks", nobody)
        .cluster("workspace", workspace.address())
        .start();
    let stage = Stage {
        envoy,
        endpoint,
        workspace,
    };
    assert_unavailable("nobody listens", &stage);
}

fn assert_unavailable(name: &str, stage: &Stage) {
    let (answer, record) = stage.recorded(|stage| stage.get(&token("acme-rsa")));
    assert_eq!(answer.status, 503, "{name}");
    assert_eq!(answer.header("retry-after").as_deref(), Some("5"), "{name}");
    assert_eq!(answer.json()["error_code"], "TEMPORARILY_UNAVAILABLE");
    assert_eq!(record["reason"], "exchange_unavailable", "{name}");
    assert_eq!(stage.workspace.connections(), 0, "{name}");
}

#[test]
fn those_who_wait_are_bounded_in_number_and_time() {
    let mut configuration = configuration(&json!({ "timeout": "30s" }));
    configuration["limits"] = json!({ "waiting_requests": 4, "waiting_time": "3s" });
    let stage = Stage::of(configuration);
    stage.endpoint.script().reply = Reply::Slow(Duration::from_mins(1));
    let token = token("acme-rsa");
    let started = Instant::now();
    let answers: Vec<(u16, bool)> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| {
                    let status = stage.get(&token).status;
                    (status, started.elapsed() >= Duration::from_secs(3))
                })
            })
            .collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("a call"))
            .collect()
    });
    assert!(
        answers.iter().all(|(status, _)| *status == 503),
        "{answers:?}"
    );
    assert!(
        answers.iter().any(|(_, waited)| *waited),
        "some waited: {answers:?}"
    );
    let records = stage.envoy.log().wait_for_audit(0, 10);
    let at_once = records
        .iter()
        .filter(|record| record["reason"] == "exchange_unavailable")
        .count();
    assert_eq!(at_once, 10);
    assert_eq!(stage.endpoint.exchanges(), 1);
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
    assert_eq!(sent, [["Bearer databricks-1"], ["Bearer databricks-1"], ["Bearer databricks-2"], ["Bearer databricks-3"]]);
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

/// Each refusal is carried out inside the one before, so hundreds at once would exhaust the VM's stack.
#[test]
fn hundreds_who_wait_are_answered_each() {
    let stage = Stage::with(&json!({ "timeout": "10s" }));
    stage.endpoint.script().reply = Reply::Slow(Duration::from_secs(2));
    let bearer = format!("Bearer {}", token("acme-rsa"));
    let headers: [(&str, &[u8]); 1] = [("authorization", bearer.as_bytes())];
    let request = client::request("GET", JOB.as_bytes(), &headers, b"");
    let mut connections: Vec<Connection> = (0..400)
        .map(|_| Connection::open(stage.envoy.address()))
        .collect();
    for connection in &mut connections {
        connection.send(&request);
    }
    for connection in &mut connections {
        assert_eq!(connection.answer(false).status, 200);
    }
    assert_eq!(stage.endpoint.exchanges(), 1);
}

/// The Python and JDBC drivers post this to whatever host they connect to, when that is not the host in their token's `iss`.
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

    // What is not theirs to be given back is between the client and Databricks.
    let forged = wasm_tests::scene::token("stranger-rsa");
    let over = token_with("acme-rsa", &json!({ "exp": "now-3600" }));
    let long = format!("{}&x={}", form(&token, true), "x".repeat(200_000));
    let bodies = [
        form(&forged, true),
        form(&over, true),
        form(&token, false),
        long,
    ];
    for body in bodies {
        let answer = post(&body);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["body_length"], body.len());
    }
}
