//! Whatever a client can send ends in a documented answer, never in a trap, a hang, or a byte to
//! the upstream before the verdict.
//!
//! Each test runs a real Envoy, which on its way out asserts that the module's machine was never
//! started anew.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use wasm_tests::client::{self, Connection};
use wasm_tests::scene::{Scene, token, token_with};

#[test]
fn any_byte_in_any_header_value() {
    let scene = Scene::start();
    let bearer = format!("Bearer {}", token("acme-rsa"));
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    for byte in 0..=255_u8 {
        let value = [b"a", &[byte][..], b"b"].concat();
        for name in [
            "x-anything",
            "user-agent",
            "x-request-id",
            "x-oam-subject",
            "content-type",
            "x-forwarded-for",
            "cookie",
        ] {
            let answer = scene.get_with(&[("authorization", bearer.as_bytes()), (name, &value)]);
            assert!(
                ANSWERS.contains(&answer.status),
                "{name}: {byte:#04x}: {}",
                answer.status
            );
        }
        for value in [
            [b"Bearer ", &value[..]].concat(),
            value.clone(),
            [bearer.as_bytes(), &[byte]].concat(),
        ] {
            let answer = scene.get_with(&[("authorization", &value)]);
            // White space at the end is not part of a value, and a bare LF ends a line.
            let trailing_space = value.starts_with(bearer.as_bytes())
                && matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            assert!(
                matches!(answer.status, 400 | 401) || trailing_space,
                "authorization: {byte:#04x}: {}",
                answer.status
            );
        }
        let path = [b"/api/2.2/jobs/", &[byte][..]].concat();
        let mut connection = Connection::open(scene.envoy.address());
        connection.send(&client::request(
            "GET",
            &path,
            &[("authorization", bearer.as_bytes())],
            b"",
        ));
        let answer = connection.answer(false);
        assert!(
            matches!(answer.status, 400 | 403 | 404 | 426 | 501),
            "path: {byte:#04x}: {}",
            answer.status
        );
    }
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(2));
}

#[test]
fn headers_and_tokens_of_every_length() {
    let scene = Scene::start();
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    let bearer = format!("Bearer {}", token("acme-rsa"));
    let long = vec![b'a'; 55 * 1024];
    let answer = scene.get_with(&[("x-long", &long), ("authorization", bearer.as_bytes())]);
    assert_eq!(answer.status, 200, "55 KiB of headers beside a valid token");
    for length in [0, 1, 16_383, 16_384, 16_385, 50_000, 58_000] {
        for unit in [b'a', b'.', b'=', b'/', b'"', 0xff] {
            let value = [b"Bearer ", &vec![unit; length][..]].concat();
            let answer = scene.get_with(&[("authorization", &value)]);
            assert!(
                matches!(answer.status, 400 | 401 | 431),
                "{length} times {unit:#04x}: {}",
                answer.status
            );
        }
    }
    // Envoy's own limit is 60 KiB.
    let answer = scene.get_with(&[("x-long", &vec![b'a'; 70 * 1024])]);
    assert_eq!(answer.status, 431, "70 KiB of headers");
    let padded = token_with("acme-rsa", &json!({ "padding": "x".repeat(14 * 1024) }));
    assert!(
        padded.len() > 16 * 1024,
        "a valid token of more than 16 KiB"
    );
    assert!(
        matches!(scene.get(&padded).status, 400 | 401),
        "a valid token of more than 16 KiB"
    );
    let padded = token_with("acme-rsa", &json!({ "padding": "x".repeat(10 * 1024) }));
    assert_eq!(
        scene.get(&padded).status,
        200,
        "a valid token of {} bytes",
        padded.len()
    );
}

#[test]
fn json_nested_deep() {
    let scene = Scene::start();
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    // As deep as a token may be long: three quarters of 16 KiB.
    for depth in [64, 128, 1000, 5_000, 10_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let header = encode(&format!(
                r#"{{"alg":"RS256","kid":"acme-rsa","x":{nested}}}"#
            ));
            let payload = encode(&format!(
                r#"{{"iss":"https://acme.example.com","x":{nested}}}"#
            ));
            let valid = encode(r#"{"alg":"RS256","kid":"acme-rsa"}"#);
            for text in [
                format!("{header}.e30.AAAA"),
                format!("{valid}.{payload}.AAAA"),
                format!("{}.e30.AAAA", encode(&nested)),
            ] {
                let status = scene.get(&text).status;
                // Envoy itself refuses more than 60 KiB.
                assert!(
                    matches!(status, 400 | 401) || (status == 431 && text.len() > 59_000),
                    "{depth} times `{open}`: {status}"
                );
            }
        }
    }
    // Signed, so that the payload is read.
    for depth in [40, 1000, 5_000] {
        let mut token = wasm_tests::token::Token::new("acme-rsa", &json!({}));
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        token.raw_payload = Some(format!(
            r#"{{"iss":"https://acme.example.com","x":{nested}}}"#
        ));
        let status = scene.get(&token.mint(wasm_tests::paths::now())).status;
        assert!(
            matches!(status, 400 | 401),
            "a signed payload {depth} deep: {status}"
        );
    }
}

#[test]
fn two_credentials_in_every_order() {
    let scene = Scene::start();
    let valid = format!("Bearer {}", token("acme-rsa"));
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    // An empty second one is not among them: Envoy drops it before any filter sees it.
    let others: [&[u8]; 6] = [
        valid.as_bytes(),
        b"Bearer x",
        b"Basic eDp5",
        b"Bearer",
        b"Bearer dapi0123456789abcdef0123456789abcdef",
        b"\xff",
    ];
    let before = scene.workspace.seen().len();
    for other in others {
        for (name, second) in [
            ("authorization", "authorization"),
            ("Authorization", "AUTHORIZATION"),
        ] {
            for headers in [
                [(name, valid.as_bytes()), (second, other)],
                [(name, other), (second, valid.as_bytes())],
            ] {
                let status = scene.get_with(&headers).status;
                assert!(
                    matches!(status, 400 | 401),
                    "beside {:?}: {status}",
                    String::from_utf8_lossy(other)
                );
            }
        }
    }
    assert_eq!(
        scene.workspace.seen().len(),
        before,
        "nothing reached the upstream"
    );
}

#[test]
fn lines_that_no_client_sends() {
    let scene = Scene::start();
    let bearer = format!("Bearer {}", token("acme-rsa"));
    scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
    let requests: [&str; 10] = [
        "CONNECT databricks.example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET api/2.2/jobs/get HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET http://databricks.example.com/api/2.2/jobs/get HTTP/1.1\r\nhost: other\r\n\r\n",
        "GET /api/2.2/jobs/get HTTP/1.0\r\n\r\n",
        "GET /api/2.2/jobs/get HTTP/1.1\r\n\r\n",
        "GET /api/2.2/jobs/get HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "GET /api/2.2/jobs/get HTTP/1.1\r\nhost: x\r\nauthorization: Bearer\r\n x\r\n\r\n",
        "POST /api/2.2/jobs/run-now HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /api/2.2/jobs/get HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ];
    let before = scene.workspace.seen().len();
    for request in requests {
        let mut connection = Connection::open(scene.envoy.address());
        connection.send(request.as_bytes());
        let status = connection.answer(false).status;
        assert!(
            matches!(status, 400 | 401 | 403 | 404 | 426 | 501),
            "{request:?}: {status}"
        );
    }
    assert_eq!(
        scene.workspace.seen().len(),
        before,
        "nothing reached the upstream"
    );
    let answer = scene.get_with(&[
        ("connection", b"authorization"),
        ("authorization", bearer.as_bytes()),
    ]);
    assert!(
        matches!(answer.status, 200 | 400 | 401),
        "a hop-by-hop credential: {}",
        answer.status
    );
}

/// What the gateway or Envoy may answer to a valid request with an odd header.
const ANSWERS: [u16; 4] = [200, 400, 401, 431];
