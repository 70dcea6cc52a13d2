//! A token endpoint that is slow, wrong, or down lets nobody through, and those who wait for it are
//! bounded.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_tests::client::{self, Connection};
use wasm_tests::envoy::Setup;
use wasm_tests::exchange::{JOB, Stage, configuration, forwarded};
use wasm_tests::scene::token;
use wasm_tests::token_endpoint::{Reply, TokenEndpoint};
use wasm_tests::workspace::Workspace;

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
        // name            status  body
        // error
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
