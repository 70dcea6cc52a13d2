//! Nothing reaches the upstream before the verdict, and callers of gRPC are refused in their own
//! way.

use std::time::Duration;

use serde_json::json;
use wasm_tests::capabilities;
use wasm_tests::client::{self, Connection};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::issuer::{Behaviour, Issuer};
use wasm_tests::scene::{Scene, fetched, token, token_with};
use wasm_tests::workspace::Workspace;

#[test]
fn a_refused_body_never_reaches_the_upstream() {
    let scene = Scene::start();
    let mut connection = Connection::open(scene.envoy.address());
    connection.send(b"POST /api/2.2/jobs/run-now HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
    assert_eq!(connection.answer(false).status, 401);
    connection.send(b"5\r\nworld\r\n0\r\n\r\n");
    let answer = client::exchange(
        scene.envoy.address(),
        "POST",
        "/api/2.2/jobs/run-now",
        &[],
        &vec![b'x'; 1 << 20],
    );
    assert_eq!(answer.status, 401);
    assert_eq!(scene.workspace.connections(), 0, "not even a connection");
}

#[test]
fn a_body_is_held_while_the_keys_are_on_their_way() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().behaviour = Behaviour::Slow(Duration::from_millis(1500));
    let scene = Scene::with(fetched(&json!({ "timeout": "5s" })), issuer);
    let mut connection = Connection::open(scene.envoy.address());
    let head = format!(
        "POST /api/2.2/jobs/run-now HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        token("acme-rsa")
    );
    connection.send(head.as_bytes());
    assert!(
        !connection.answers_within(Duration::from_millis(500)),
        "it waits"
    );
    assert_eq!(
        scene.workspace.connections(),
        0,
        "and nothing is sent ahead"
    );
    connection.send(b"5\r\nworld\r\n0\r\n\r\n");
    assert_eq!(connection.answer(false).status, 200);
    let seen = scene.workspace.seen();
    assert_eq!(
        seen.iter().map(|seen| seen.body_length).collect::<Vec<_>>(),
        [10],
        "then the body arrives whole"
    );
}

/// With this setting Envoy brings bodies to heads that it holds, and answers one that is too long
/// for its buffers with 413 by itself.
#[test]
fn a_long_body_is_held_too_while_the_keys_are_on_their_way() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().behaviour = Behaviour::Slow(Duration::from_millis(1500));
    let workspace = Workspace::start();
    let mut bootstrap = Setup::new(fetched(&json!({ "timeout": "5s" })))
        .cluster("issuer", issuer.address())
        .cluster("workspace", workspace.address())
        .bootstrap();
    *capabilities::restriction(&mut bootstrap, "allow_on_headers_stop_iteration") = json!(true);
    let envoy = Envoy::launch(&bootstrap, 1, None).expect("Envoy starts");
    let body = vec![b'x'; 3 << 20];
    let ask = |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_bytes())];
        client::exchange(envoy.address(), "POST", RUN, &headers, &body).status
    };
    let mark = envoy.log().mark();
    assert_eq!(ask(&token("acme-rsa")), 200);
    assert_eq!(envoy.log().wait_for_audit(mark, 1).len(), 1);
    let arrived: Vec<_> = workspace
        .take()
        .iter()
        .map(|seen| seen.body_length)
        .collect();
    assert_eq!(arrived, [body.len()]);
    assert!(envoy.stats("waits_total").values().sum::<u64>() > 0);
}

#[test]
fn a_client_that_goes_away_while_it_waits() {
    let issuer = Issuer::start(["acme-rsa"]);
    issuer.script().behaviour = Behaviour::Slow(Duration::from_secs(1));
    let scene = Scene::with(fetched(&json!({ "timeout": "5s" })), issuer);
    for _ in 0..20 {
        let mut connection = Connection::open(scene.envoy.address());
        let head = format!(
            "GET /api/2.2/jobs/get HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
            token("acme-rsa")
        );
        connection.send(head.as_bytes());
        drop(connection);
    }
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
}

#[test]
fn grpc_callers_are_refused_in_trailers() {
    let scene = Scene::start();
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    scene.workspace.take();
    let call = |authorization: Option<String>| {
        let uri = format!(
            "http://{}/spark.connect.SparkConnectService/ExecutePlan",
            scene.envoy.address()
        );
        let mut request = http::Request::post(uri)
            .version(http::Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        client::http2(
            scene.envoy.address(),
            request.body(()).expect("a request"),
            vec![0; 5],
        )
    };
    let valid = token_with("acme-rsa", &json!({ "scope": "sql" }));
    let expired = token_with("acme-rsa", &json!({ "exp": "now-600" }));
    let cases = [
        ("no token", None, "16"),
        ("an expired token", Some(format!("Bearer {expired}")), "16"),
        (
            "a forged token",
            Some(format!("Bearer {}", token("stranger-rsa"))),
            "16",
        ),
        ("a scope too little", Some(format!("Bearer {valid}")), "7"),
    ];
    for (name, authorization, status) in cases {
        let answer = call(authorization);
        assert_eq!(
            (answer.status, answer.header("grpc-status").as_deref()),
            (200, Some(status)),
            "{name}: {answer:?}"
        );
        assert!(
            answer
                .header("content-type")
                .is_some_and(|kind| kind.starts_with("application/grpc")),
            "{name}: {answer:?}"
        );
    }
    assert!(
        scene.workspace.seen().is_empty(),
        "nothing reached the upstream"
    );
}

#[test]
fn many_streams_on_one_http2_connection_and_many_workers() {
    let scene = Scene::with_workers(fetched(&json!({})), Issuer::start(["acme-rsa"]), 4);
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let status = scene.get(&token("acme-p256")).status;
                    assert!(matches!(status, 401), "{status}");
                }
            });
        }
    });
}

const RUN: &str = "/api/2.2/jobs/run-now";
