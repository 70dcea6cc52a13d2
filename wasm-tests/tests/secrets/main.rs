//! No secret that a run uses stands in anything that the product says: log lines, headers, bodies,
//! metrics, shared data.
//!
//! What a test sends is kept in [`secrets`] as it is made, and everything that came back is
//! searched for all of it. A client gets its own token back where SQL drivers ask for that, and the
//! workspace behind sees what is meant to go upstream; nothing else passes.

mod calls;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_tests::client::{self, Connection};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::exchange::configuration;
use wasm_tests::host::{CalloutAnswer, Host, Verdict};
use wasm_tests::issuer::{Behaviour, Issuer};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{fetched, token_with};
use wasm_tests::secrets;
use wasm_tests::token_endpoint::{Reply, TokenEndpoint};
use wasm_tests::withdrawals::Withdrawals;
use wasm_tests::workspace::Workspace;

use calls::{Call, calls, valid};

#[test]
fn a_gateway_that_exchanges_tells_no_secret() {
    let (endpoint, list, workspace) = (
        TokenEndpoint::start(),
        Withdrawals::start(),
        Workspace::start(),
    );
    let envoy = Setup::new(exchanging())
        .cluster("databricks", endpoint.address())
        .cluster("security", list.address())
        .cluster("workspace", workspace.address())
        .start();
    let mut said = Said::of(&envoy);
    let own = secrets::opaque();
    endpoint.script().reply = granted(&own);
    for call in calls() {
        let meant: Vec<&str> = call
            .meant
            .iter()
            .map(String::as_str)
            .chain([&*own])
            .collect();
        said.answer(&call, &meant);
    }
    // Whatever the token endpoint and the list's server say, it is not repeated.
    for (name, reply) in replies() {
        let token = token_with("acme-rsa", &json!({ "sub": name }));
        let reply = reply.replace("SUBJECT", &token);
        endpoint.script().reply = match name {
            "in vain" => Reply::Other(500, reply),
            "no JSON" | "no token" => Reply::Other(200, reply),
            _ => Reply::Other(400, reply),
        };
        said.answer(&Call::bearing(name, &token), &[]);
    }
    endpoint.script().reply = Reply::Slow(Duration::from_millis(700));
    said.answer(&Call::bearing("a slow exchange", &valid("slow")), &[]);
    let withdrawn = token_with("acme-rsa", &json!({ "jti": "withdrawn-1" }));
    list.publish(&json!({ "token_ids": ["withdrawn-1"], "subjects": [secrets::opaque()] }));
    let since = Instant::now();
    while said.answer(&Call::bearing("a withdrawn token", &withdrawn), &[&own]) != 401 {
        assert!(
            since.elapsed() < Duration::from_secs(20),
            "it is never withdrawn"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    said.nothing(&envoy);
}

#[test]
fn a_gateway_that_observes_tells_no_secret() {
    let (issuer, workspace) = (Issuer::start(["acme-rsa"]), Workspace::start());
    issuer.script().behaviour = Behaviour::Status(503);
    let mut configuration = fetched(&json!({ "timeout": "1s" }));
    configuration["credentials"] =
        json!({ "personal_access_token": "observe", "basic": "observe", "opaque": "observe" });
    configuration["policy"] = json!({ "mode": "shadow", "rules": [{ "name": "health", "effect": "public", "paths": ["/healthz"] }] });
    configuration["forward_identity"] = json!(true);
    let envoy = Setup::new(configuration)
        .cluster("issuer", issuer.address())
        .cluster("workspace", workspace.address())
        .concurrency(2)
        .start();
    let mut said = Said::of(&envoy);
    for behaviour in [Behaviour::Status(503), Behaviour::Garbage, Behaviour::Ok] {
        issuer.script().behaviour = behaviour;
        for call in calls() {
            // Nobody exchanges it here, so it goes upstream with the request that it was sent in.
            let sent = call.meant.iter().chain(&call.shown);
            let sent: Vec<&str> = sent.map(String::as_str).collect();
            said.answer(&call, &sent);
        }
    }
    said.nothing(&envoy);
}

#[test]
fn the_module_shares_no_secret_with_others_of_its_kind() {
    let own = secrets::opaque();
    let answer =
        json!({ "access_token": own, "token_type": "Bearer", "expires_in": 3600 }).to_string();
    let answers = move |callout: &wasm_tests::host::Callout| CalloutAnswer::Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
        body: if callout.cluster == "security" {
            b"{}".to_vec()
        } else {
            answer.clone().into_bytes()
        },
    };
    let clusters = ["databricks", "security"];
    let mut host = Host::start(&exchanging().to_string(), &clusters, Box::new(answers));
    assert!(host.configured(), "{:?}", host.take_log());
    host.tick();
    for call in calls() {
        let mut headers = vec![
            (":authority".to_owned(), b"databricks.example.com".to_vec()),
            (":path".to_owned(), call.target.clone().into_bytes()),
            (":method".to_owned(), call.method.as_bytes().to_vec()),
        ];
        headers.extend(
            call.headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes())),
        );
        if let Verdict::Reply(reply) = host.request(&headers, call.body.as_bytes()) {
            let text = format!(
                "{} {:?}",
                String::from_utf8_lossy(&reply.body),
                text_of(&reply.headers)
            );
            let meant: Vec<&str> = call.meant.iter().map(String::as_str).collect();
            assert_eq!(
                secrets::within(&text, &meant),
                [""; 0],
                "{}: {text}",
                call.name
            );
        }
        host.tick();
    }
    let log: Vec<String> = host.take_log().into_iter().map(|(_, line)| line).collect();
    assert!(log.len() > 30, "{log:?}");
    let shared = host.shared_data();
    let shared = shared.iter().flat_map(|(key, value)| [key, value]);
    let shared: Vec<_> = shared
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    for (name, text) in [
        ("log", log.join("\n")),
        ("shared data", shared.join("\n")),
        ("metrics", format!("{:?}", host.metrics())),
    ] {
        assert_eq!(secrets::within(&text, &[]), [""; 0], "{name}");
    }
}

/// The search finds what there is to find, also where a part of it is all that stands there.
#[test]
fn the_search_finds_parts_of_secrets() {
    let (personal, token) = (secrets::static_token("dapi"), valid("found"));
    let basic = secrets::basic("token", &personal);
    let signature = token.rsplit('.').next().expect("three parts");
    #[rustfmt::skip]
    let cases = [
        // text                                   found
        (personal.clone(),                        &personal),
        (format!("x{}x", &personal[4..]),         &personal),
        (format!("\"{signature}\""),              &token),
        (format!("{basic} "),                     &basic),
    ];
    for (text, want) in cases {
        let want = want.trim_start_matches("Basic ").to_owned();
        assert_eq!(
            secrets::within(&text, &[]),
            std::slice::from_ref(&want),
            "{text}"
        );
        assert_eq!(secrets::within(&text, &[&want]), [""; 0], "{text}");
    }
}

/// What was said of an Envoy's requests.
struct Said {
    address: SocketAddr,
    answers: usize,
}

impl Said {
    fn of(envoy: &Envoy) -> Self {
        // All that Envoy itself has to say of the module and its calls.
        let answer = client::exchange(envoy.admin(), "POST", "/logging?wasm=debug", &[], b"");
        assert_eq!(answer.status, 200);
        Self {
            address: envoy.address(),
            answers: 0,
        }
    }

    /// Sends a request and searches its answer; the status.
    fn answer(&mut self, call: &Call, meant: &[&str]) -> u16 {
        let headers: Vec<(&str, &[u8])> = call
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let mut connection = Connection::open(self.address);
        connection.send(&client::request(
            call.method,
            call.target.as_bytes(),
            &headers,
            call.body.as_bytes(),
        ));
        let answer = connection.answer(false);
        assert_ne!(answer.status, 0, "{}", call.name);
        let text = format!(
            "{} {:?}",
            String::from_utf8_lossy(&answer.body),
            text_of(&answer.headers)
        );
        assert_eq!(
            secrets::within(&text, meant),
            [""; 0],
            "{}: {text}",
            call.name
        );
        self.answers += 1;
        answer.status
    }

    /// Searches all that is left: the log and the statistics.
    fn nothing(&self, envoy: &Envoy) {
        // Counts are handed over with the tick.
        std::thread::sleep(Duration::from_millis(1200));
        let log = envoy.log();
        let records = log.audit_text(0, log.mark()).len();
        assert!(
            records >= self.answers,
            "{records} records of {} requests",
            self.answers
        );
        assert_eq!(secrets::within(&log.text(), &[]), [""; 0], "the log");
        for page in ["/stats", "/stats/prometheus", "/clusters", "/listeners"] {
            let text = client::get(envoy.admin(), page, &[]).body;
            assert_eq!(
                secrets::within(&String::from_utf8_lossy(&text), &[]),
                [""; 0],
                "{page}"
            );
        }
        assert!(secrets::count() > 30);
    }
}

fn text_of(headers: &[(String, Vec<u8>)]) -> Vec<(&str, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value).into_owned()))
        .collect()
}

fn granted(token: &str) -> Reply {
    let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 });
    Reply::Other(200, body.to_string())
}

/// What a token endpoint may answer that repeats what it was sent; `SUBJECT` stands for that.
fn replies() -> [(&'static str, &'static str); 5] {
    [
        (
            "refused",
            r#"{"error":"invalid_grant","error_description":"no policy for SUBJECT"}"#,
        ),
        (
            "refused in its own words",
            r#"{"error":"SUBJECT","error_description":"SUBJECT"}"#,
        ),
        ("in vain", "SUBJECT"),
        ("no JSON", "<html>SUBJECT</html>"),
        ("no token", r#"{"token":"SUBJECT","token_type":"SUBJECT"}"#),
    ]
}

/// An exchange, a list of what is withdrawn, a key for fingerprints, and identities for the
/// upstream.
fn exchanging() -> Value {
    let mut configuration = configuration(&json!({ "timeout": "500ms" }));
    configuration["issuers"][0]["jwks"] = json!({ "keys": jwk_set(["acme-rsa"]) });
    configuration["withdrawn"] = json!({ "list": { "cluster": "security", "uri": "https://security.example.com/withdrawn.json", "poll": "1s" } });
    configuration["audit"] = json!({ "fingerprint_key": secrets::opaque() });
    configuration["forward_identity"] = json!(true);
    configuration["resource"] = json!({ "identifier": "https://databricks.example.com", "access_request_url": "https://idp.example.com/?s={scopes}" });
    configuration["policy"] =
        json!({ "rules": [{ "name": "health", "effect": "public", "paths": ["/healthz"] }] });
    configuration
}
