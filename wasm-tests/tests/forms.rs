//! The form of a token request is judged before a byte of the request goes on, however it comes.

use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use wasm_tests::client::{self, Answer, Connection};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::exchange::Stage;
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{ISSUER, Scene, token, token_with};
use wasm_tests::workspace::Workspace;

#[test]
fn not_a_byte_of_a_refused_request_goes_on() {
    let stage = Stand::start(|_| {});
    for (name, send) in WAYS {
        let (answer, records) = stage.recorded(|address| send(address, PERSONAL));
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        let message = answer.json()["message"].clone();
        let message = message.as_str().unwrap_or_default();
        assert!(
            message.starts_with("Personal access tokens"),
            "{name}: {message}"
        );
        let reasons: Vec<&Value> = records.iter().map(|record| &record["reason"]).collect();
        assert_eq!(
            reasons,
            ["personal_access_token_refused"],
            "{name}: one record"
        );
        assert_eq!(
            stage.workspace.connections(),
            0,
            "{name}: not even a connection"
        );
    }
    let long = format!("x={}", "x".repeat(200_000));
    for (name, send) in WAYS {
        let (answer, records) = stage.recorded(|address| send(address, &long));
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        assert_eq!(records.len(), 1, "{name}");
        assert_eq!(records[0]["reason"], "unreadable_form", "{name}");
    }
    assert_eq!(stage.workspace.connections(), 0);
}

#[test]
fn a_form_that_may_pass_goes_on_whole() {
    let stage = Stand::start(|_| {});
    let long = format!("{SECRET}&x={}", "x".repeat(100_000));
    for (name, send) in WAYS {
        for form in [SECRET, &long] {
            let (answer, records) = stage.recorded(|address| send(address, form));
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            assert_eq!(answer.json()["body_length"], form.len(), "{name}");
            assert_eq!(records.len(), 1, "{name}");
            assert_eq!(records[0]["reason"], "public", "{name}");
            assert_eq!(records[0]["credential"], "oauth_secret", "{name}");
            let id = records[0]["decision_id"].as_str().unwrap_or_default();
            let seen = stage.workspace.take();
            let told = seen[0]
                .headers
                .iter()
                .find(|(name, _)| name == "x-oam-decision-id");
            assert_eq!(
                told.map(|(_, id)| id.as_str()),
                Some(id),
                "{name}: one decision, one name"
            );
        }
    }
}

#[test]
fn a_request_without_a_form_goes_on() {
    let stage = Stand::start(|_| {});
    let post = |body: &[u8]| {
        let head = b"POST /oidc/v1/token HTTP/1.1\r\nhost: x\r\n";
        let mut connection = Connection::open(stage.envoy.address());
        connection.send(&[head, body].concat());
        connection.answer(false)
    };
    for body in [
        &b"content-length: 0\r\n\r\n"[..],
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\r\n",
    ] {
        let (answer, records) = stage.recorded(|_| post(body));
        assert_eq!(answer.json()["body_length"], 0);
        assert_eq!(records.len(), 1);
        assert_eq!(records[0]["reason"], "public");
    }
    let (answer, records) = stage.recorded(|address| {
        client::http2_in_pieces(address, head(address), Vec::new(), Some(trailers()))
    });
    assert_eq!(answer.json()["body_length"], 0);
    assert_eq!(records.len(), 1);
}

#[test]
fn a_form_that_never_comes_is_waited_for_as_long_as_the_gateway_says() {
    let stage = Stand::start(|manager| manager["stream_idle_timeout"] = json!("1s"));
    let (answer, records) = stage.recorded(|address| {
        let mut connection = Connection::open(address);
        connection.send(format!("{HEAD}content-length: 100\r\n\r\ngrant_type=").as_bytes());
        connection.answer(false)
    });
    assert_eq!(answer.status, 408);
    assert_eq!(records.len(), 1);
    assert_eq!(
        (&records[0]["decision"], &records[0]["reason"]),
        (&json!("deny"), &json!("incomplete_form"))
    );

    let (_, records) = stage.recorded(|address| {
        let mut connection = Connection::open(address);
        connection.send(format!("{HEAD}content-length: 100\r\n\r\ngrant_type=").as_bytes());
        std::thread::sleep(Duration::from_millis(200));
        Answer::default()
    });
    assert_eq!(records.len(), 1, "of a client that went away");
    assert_eq!(records[0]["reason"], "incomplete_form");
    assert_eq!(stage.workspace.connections(), 0);
}

/// A byte each second keeps every idle timeout away.
#[test]
fn a_form_that_trickles_in_has_a_deadline_of_its_own() {
    let stage = Stand::start(|_| {});
    let started = Instant::now();
    let (answer, records) = stage.recorded(|address| {
        let mut connection = Connection::open(address);
        connection.send(format!("{HEAD}content-length: 100\r\n\r\n").as_bytes());
        while !connection.answers_within(Duration::from_secs(1)) {
            connection.send(b"x");
        }
        connection.answer(false)
    });
    assert_eq!(answer.status, 408, "{answer:?}");
    let took = started.elapsed().as_secs();
    assert!((14..=20).contains(&took), "after {took} s");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["reason"], "form_timeout");
    assert_eq!(stage.workspace.connections(), 0);
    let (name, send) = WAYS[0];
    let (answer, _) = stage.recorded(|address| send(address, SECRET));
    assert_eq!(answer.status, 200, "{name}: the next one passes");
}

/// It waits at its end, in the host's hands, and goes on from there.
#[test]
fn a_form_whose_token_needs_new_keys_waits_for_them() {
    for (name, send) in WAYS {
        let scene = Scene::start();
        let newer = token("partner-rsa");
        scene.until(&token("acme-rsa"), 200, Duration::from_secs(10));
        scene.workspace.take();
        scene.issuer.script().keys = jwk_set(["acme-rsa", "partner-rsa"]);
        let form =
            format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={newer}");
        let (status, reason) = scene.reason_of(|scene| {
            let answer = send(scene.envoy.address(), &form);
            assert_eq!(
                answer.json()["body_length"],
                form.len(),
                "{name}: {answer:?}"
            );
            answer
        });
        assert_eq!((status, &*reason), (200, "public"), "{name}");
    }
}

#[test]
fn a_refused_token_in_a_form_reaches_nobody() {
    let stage = Stand::start(|_| {});
    let over = token_with("acme-rsa", &json!({ "exp": "now-3600" }));
    for (name, send) in WAYS {
        let form =
            format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={over}");
        let (answer, records) = stage.recorded(|address| send(address, &form));
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert_eq!(records.len(), 1, "{name}");
        assert_eq!(records[0]["reason"], "token_expired", "{name}");
    }
    assert_eq!(stage.workspace.connections(), 0);
}

/// Nothing behind the filter waits for bodies there, so the head goes ahead. The form does not.
#[test]
fn without_a_buffer_behind_the_form_is_held_all_the_same() {
    let stage = Stand::start(|manager| {
        let filters = manager["http_filters"].as_array_mut().expect("filters");
        filters.retain(|filter| filter["name"] != "envoy.filters.http.buffer");
        let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut();
        routes
            .expect("routes")
            .retain(|route| route["match"]["prefix"] == "/");
    });
    for (name, send) in WAYS {
        let (answer, records) = stage.recorded(|address| send(address, PERSONAL));
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert_eq!(records.len(), 1, "{name}");
        let lengths: Vec<usize> = stage
            .workspace
            .take()
            .iter()
            .map(|seen| seen.body_length)
            .collect();
        assert!(
            lengths.iter().all(|length| *length == 0),
            "{name}: {lengths:?}"
        );
        let (answer, _) = stage.recorded(|address| send(address, SECRET));
        assert_eq!(answer.json()["body_length"], SECRET.len(), "{name}");
        stage.workspace.take();
    }
}

#[test]
fn sql_drivers_get_their_own_token_back_however_they_send_their_form() {
    let stage = Stage::with(&json!({}));
    let token = token("acme-rsa");
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token={token}\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&return_original_token_if_authenticated=true"
    );
    for (name, send) in WAYS {
        let (answer, record) = stage.recorded(|stage| send(stage.envoy.address(), &form));
        assert_eq!(answer.json()["access_token"], token, "{name}: {answer:?}");
        assert_eq!(
            (&record["reason"], &record["credential"]),
            (&json!("public"), &json!("jwt")),
            "{name}"
        );
        let (answer, _) = stage.recorded(|stage| send(stage.envoy.address(), PERSONAL));
        assert_eq!(answer.status, 401, "{name}");
    }
    assert_eq!(stage.workspace.connections(), 0);
}

/// A gateway and a workspace.
struct Stand {
    envoy: Envoy,
    workspace: Workspace,
}

impl Stand {
    /// Starts them, the connection manager edited.
    fn start(edit: impl FnOnce(&mut Value)) -> Self {
        let workspace = Workspace::start();
        let keys = json!({ "keys": jwk_set(["acme-rsa"]) });
        let configuration = json!({
            "issuers": [{ "issuer": ISSUER, "audiences": ["databricks"], "jwks": keys }],
            "forward_identity": true,
        });
        let setup = Setup::new(configuration).cluster("workspace", workspace.address());
        let mut bootstrap = setup.bootstrap();
        edit(
            &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"],
        );
        let envoy = Envoy::launch(&bootstrap, 1, None);
        let envoy = envoy.unwrap_or_else(|log| panic!("Envoy did not start:\n{log}"));
        Self { envoy, workspace }
    }

    /// The answer, and every record that came of it.
    fn recorded(
        &self,
        request: impl FnOnce(std::net::SocketAddr) -> Answer,
    ) -> (Answer, Vec<Value>) {
        let mark = self.envoy.log().mark();
        let answer = request(self.envoy.address());
        self.envoy.log().wait_for_audit(mark, 1);
        // A second one would be there within milliseconds.
        std::thread::sleep(Duration::from_millis(20));
        (answer, self.envoy.log().wait_for_audit(mark, 1))
    }
}

type Way = fn(std::net::SocketAddr, &str) -> Answer;

/// The ways in which a form can come.
const WAYS: [(&str, Way); 7] = [
    ("at once", |address, form| {
        let headers: [(&str, &[u8]); 1] = [("content-type", KIND)];
        client::exchange(address, "POST", PATH, &headers, form.as_bytes())
    }),
    ("behind its head", |address, form| {
        let mut connection = Connection::open(address);
        connection.send(format!("{HEAD}content-length: {}\r\n\r\n", form.len()).as_bytes());
        assert!(
            !connection.answers_within(Duration::from_millis(100)),
            "it waits"
        );
        let (one, other) = form.as_bytes().split_at(form.len() / 2);
        connection.send(one);
        std::thread::sleep(Duration::from_millis(20));
        connection.send(other);
        connection.answer(false)
    }),
    ("in chunks", |address, form| {
        let mut connection = Connection::open(address);
        connection.send(format!("{HEAD}transfer-encoding: chunked\r\n\r\n").as_bytes());
        let size = (form.len() / 40).max(1);
        for piece in form.as_bytes().chunks(size) {
            let text = String::from_utf8_lossy(piece);
            connection.send(format!("{:x}\r\n{text}\r\n", piece.len()).as_bytes());
        }
        connection.send(b"0\r\n\r\n");
        connection.answer(false)
    }),
    ("when it is told to go on", |address, form| {
        let mut connection = Connection::open(address);
        let length = form.len();
        connection.send(
            format!("{HEAD}content-length: {length}\r\nexpect: 100-continue\r\n\r\n").as_bytes(),
        );
        assert!(
            connection.answers_within(Duration::from_secs(5)),
            "100 (Continue)"
        );
        connection.send(form.as_bytes());
        connection.answer(false)
    }),
    ("over HTTP/2", |address, form| {
        client::http2(address, head(address), form.into())
    }),
    ("over HTTP/2, in frames", |address, form| {
        client::http2_in_pieces(address, head(address), pieces(form), None)
    }),
    ("over HTTP/2, with trailers", |address, form| {
        client::http2_in_pieces(address, head(address), pieces(form), Some(trailers()))
    }),
];

fn head(address: std::net::SocketAddr) -> http::Request<()> {
    http::Request::post(format!("http://{address}{PATH}"))
        .version(http::Version::HTTP_2)
        .header("content-type", KIND)
        .body(())
        .expect("a request")
}

fn pieces(form: &str) -> Vec<Vec<u8>> {
    let size = (form.len() / 20).max(1);
    form.as_bytes().chunks(size).map(<[u8]>::to_vec).collect()
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("x-end"),
        HeaderValue::from_static("1"),
    )])
}

const PATH: &str = "/oidc/v1/token";

const KIND: &[u8] = b"application/x-www-form-urlencoded";

const HEAD: &str = "POST /oidc/v1/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";

const PERSONAL: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=dapi0123456789abcdef0123456789abcdef";

const SECRET: &str =
    "grant_type=client_credentials&client_id=sp&client_secret=dose0123456789abcdef0123456789abcdef";
