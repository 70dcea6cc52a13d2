//! No decision without its record, and no record that says otherwise than what became of the
//! request.

use std::time::Duration;

use serde_json::{Value, json};
use wasm_tests::client;
use wasm_tests::envoy::log;
use wasm_tests::host::{CalloutAnswer, Headers, Host, Verdict};
use wasm_tests::issuer::Issuer;
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{Scene, fetched, token};

#[test]
fn a_decision_that_would_leave_no_record_is_refused() {
    #[rustfmt::skip]
    let cases = [
        // name                       audit                                       host's level
        // refused, records
        ("as it starts",              json!({}),                                  Some(2),       false,   3),
        ("every line",                json!({}),                                  Some(0),       false,   3),
        ("Istio's default",           json!({}),                                  WARN,          true,    0),
        ("a level that it takes",     json!({ "level": "warn" }),                 WARN,          false,   3),
        ("one that it does not",      json!({ "level": "warn" }),                 Some(4),       true,    0),
        ("an error",                  json!({ "level": "error" }),                Some(4),       false,   3),
        ("a fault",                   json!({ "level": "critical" }),             Some(5),       false,   3),
        ("a log that is off",         json!({ "level": "critical" }),             Some(6),       true,    0),
        ("a host that does not tell", json!({}),                                  None,          true,    3),
        ("nobody minds",              json!({ "required": false }),               WARN,          false,   0),
        ("nobody wants any",          json!({ "log": false }),                    WARN,          false,   0),
    ];
    for (name, audit, level, is_refused, records) in cases {
        let configuration = configuration(&audit);
        // Looked at with each tick, and when configured.
        for is_there_before in [false, true] {
            let mut host = start(&configuration);
            host.log_from(level);
            if is_there_before {
                assert!(host.configure_context(ROOT, &configuration.to_string()));
            }
            host.tick();
            let said = host.take_log();
            let requests = [
                (head(), 200),
                (nobody("/api/2.2/jobs/get"), 401),
                (nobody("/oidc/v1/authorize"), 200),
            ];
            for (request, otherwise) in requests {
                let want = if is_refused { 503 } else { otherwise };
                let verdict = host.request(&request, b"");
                assert_eq!(status(&verdict), want, "{name}: {request:?}");
                if is_refused {
                    is_said_to_be(&verdict, "record_unavailable");
                }
            }
            let found = records_in(&host.take_log());
            assert_eq!(found.len(), records, "{name}: {found:?}");
            let is_told = said.iter().any(|(level, _)| *level == CRITICAL);
            let can_be_told = level.is_none_or(|least| least <= CRITICAL);
            let lacks = audit["log"] != json!(false) && (is_refused || records == 0);
            assert_eq!(is_told, lacks && can_be_told, "{name}: {said:?}");
            host.tick();
            let dropped = if lacks { 3 } else { 0 };
            assert_eq!(
                host.metrics()["oam_filter.outcome=.=dropped;.;records_total"],
                dropped,
                "{name}"
            );
        }
    }
}

#[test]
fn a_log_that_takes_records_no_more_lets_no_further_request_pass() {
    let mut host = start(&configuration(&json!({})));
    host.tick();
    assert_eq!(status(&host.request(&head(), b"")), 200);
    drop(host.take_log());
    host.log_from(WARN);
    let verdict = host.request(&head(), b"");
    assert_eq!(status(&verdict), 503);
    is_said_to_be(&verdict, "record_unavailable");
    assert_eq!(records_in(&host.take_log()), [] as [Value; 0]);
}

#[test]
fn a_log_that_takes_records_again_is_enough() {
    let mut host = start(&configuration(&json!({})));
    for (level, want) in [(3, 503), (2, 200), (4, 503), (1, 200)] {
        host.log_from(Some(level));
        host.tick();
        assert_eq!(status(&host.request(&head(), b"")), want, "{level}");
    }
}

/// Nothing of a token request reaches the workspace, and no token is asked for on a caller's
/// behalf.
#[test]
fn a_decision_without_a_record_is_refused_before_anything_is_done() {
    let mut host = start(&configuration(&json!({})));
    host.log_from(Some(3));
    host.tick();
    let form = host.begin(&form_head());
    assert_eq!(status(&host.finish(form)), 503);
    let mut exchanging = fetched(&json!({}));
    exchanging["exchange"] = json!({ "cluster": "issuer", "token_endpoint": "https://dbc-1.cloud.databricks.com/oidc/v1/token" });
    exchanging["issuers"][0]["jwks"] = json!({ "keys": jwk_set(["acme-rsa"]) });
    let never = Box::new(|_: &_| CalloutAnswer::Never);
    let mut host = Host::start(&exchanging.to_string(), &["issuer"], never);
    host.log_from(Some(3));
    host.tick();
    assert_eq!(status(&host.request(&head(), b"")), 503);
    assert_eq!(host.callouts().len(), 0);
}

/// An operator may have granted the module less than it needs.
#[test]
fn a_request_that_cannot_be_prepared_has_one_record_and_that_says_so() {
    let forged = |mut headers: Headers| {
        headers.push(("x-oam-subject".to_owned(), b"root".to_vec()));
        headers
    };
    for (name, headers) in [
        ("a request", forged(head())),
        ("a token request", forged(form_head())),
        (
            "a call that needs no token",
            forged(nobody("/oidc/v1/authorize")),
        ),
    ] {
        let mut host = start(&configuration(&json!({})));
        host.keep_headers();
        let verdict = host.request(&headers, b"");
        assert_eq!(status(&verdict), 500, "{name}");
        let records = records_in(&host.take_log());
        let said: Vec<_> = records
            .iter()
            .map(|record| (&record["decision"], &record["reason"], &record["mode"]))
            .collect();
        let want = (
            &json!("deny"),
            &json!("request_not_prepared"),
            &json!("enforce"),
        );
        assert_eq!(said, [want], "{name}");
        let body = is_said_to_be(&verdict, "request_not_prepared");
        let metadata = &body["details"][0]["metadata"];
        assert_eq!(metadata["decision_id"], records[0]["decision_id"], "{name}");
        host.tick();
        let metrics = host.metrics();
        let decisions = metrics
            .iter()
            .filter(|(name, _)| name.ends_with(";.;decisions_total"));
        let refused = "decision=.=deny;.;mode=.=enforce;.;reason=.=request_not_prepared;.;";
        let counted: Vec<_> = decisions
            .map(|(name, count)| (name.contains(refused), *count))
            .collect();
        assert_eq!(counted, [(true, 1)], "{name}: {metrics:?}");
    }
}

/// The head has gone on by then, which its record says; how it ended, another one of the same name.
#[test]
fn trailers_that_cannot_be_prepared_are_recorded_as_what_became_of_the_request() {
    let mut host = start(&configuration(&json!({})));
    let context = host.begin(&head());
    host.withhold();
    assert_eq!(host.claim_trailers(context), Some(1));
    assert_eq!(status(&host.finish(context)), 500);
    let records = records_in(&host.take_log());
    let said: Vec<_> = records
        .iter()
        .map(|record| (&record["decision"], &record["reason"]))
        .collect();
    let want = [
        (&json!("allow"), &json!("permitted")),
        (&json!("deny"), &json!("request_not_prepared")),
    ];
    assert_eq!(said, want);
    assert_eq!(records[0]["decision_id"], records[1]["decision_id"]);
}

#[test]
fn trailers_that_cannot_be_prepared_end_a_request_that_waits() {
    for (name, headers) in [("for keys", head()), ("for its form", form_head())] {
        let never = Box::new(|_: &_| CalloutAnswer::Never);
        let mut host = Host::start(&fetched(&json!({})).to_string(), &["issuer"], never);
        let context = host.begin(&headers);
        host.withhold();
        assert_eq!(host.claim_trailers(context), Some(1), "{name}");
        assert_eq!(status(&host.verdict(context)), 500, "{name}");
        host.tick();
        host.finish(context);
        let records = records_in(&host.take_log());
        let reasons: Vec<_> = records.iter().map(|record| &record["reason"]).collect();
        assert_eq!(reasons, [&json!("request_not_prepared")], "{name}");
    }
}

/// As Istio and Envoy Gateway run it, and as an operator changes it at any time.
#[test]
fn an_envoy_that_logs_warnings_alone() {
    for (level, want) in [("info", 503), ("warn", 200)] {
        let mut configuration = fetched(&json!({}));
        configuration["audit"] = json!({ "level": level });
        let scene = Scene::with(configuration, Issuer::start(["acme-rsa"]));
        let valid = token("acme-rsa");
        scene.until(&valid, 200, PATIENCE);
        set_level(&scene, "warning");
        // The level is looked at each second.
        std::thread::sleep(Duration::from_secs(2));
        scene.workspace.take();
        let mark = scene.envoy.log().mark();
        assert_eq!(scene.get(&valid).status, want, "{level}");
        let is_recorded = want == 200;
        assert_eq!(scene.workspace.take().len(), usize::from(is_recorded));
        let records = scene
            .envoy
            .log()
            .wait_for_audit(mark, usize::from(is_recorded));
        assert_eq!(records.len(), usize::from(is_recorded), "{level}");
        let log = scene.envoy.log().text();
        assert_eq!(
            log.contains("every request is refused, because its decision would leave no record"),
            !is_recorded,
            "{level}"
        );
        set_level(&scene, "info");
        scene.until(&valid, 200, PATIENCE);
    }
}

fn set_level(scene: &Scene, level: &str) {
    let path = format!("/logging?wasm={level}");
    let answer = client::exchange(scene.envoy.admin(), "POST", &path, &[], b"");
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// The body of a refusal, whose reason is this one.
fn is_said_to_be(verdict: &Verdict, reason: &str) -> Value {
    let Verdict::Reply(reply) = verdict else {
        panic!("not answered: {verdict:?}");
    };
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(body["details"][0]["reason"], reason, "{body}");
    let retry = reply.headers.iter().any(|(name, _)| name == "retry-after");
    let unavailable = body["error_code"] == "TEMPORARILY_UNAVAILABLE";
    assert_eq!((reply.status == 503, retry), (unavailable, unavailable));
    body
}

fn records_in(lines: &[(u32, String)]) -> Vec<Value> {
    let records = lines.iter().filter_map(|(_, line)| log::record(line));
    records.collect()
}

fn status(verdict: &Verdict) -> u16 {
    match verdict {
        Verdict::Forward(_) => 200,
        Verdict::Reply(reply) => reply.status,
        Verdict::Waiting => panic!("not answered"),
    }
}

fn start(configuration: &Value) -> Host {
    let never = Box::new(|_: &_| CalloutAnswer::Never);
    let host = Host::start(&configuration.to_string(), &[], never);
    assert!(host.configured());
    host
}

/// Keys in the configuration, and this section.
fn configuration(audit: &Value) -> Value {
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["jwks"] = json!({ "keys": jwk_set(["acme-rsa"]) });
    configuration["audit"] = audit.clone();
    configuration
}

fn head() -> Headers {
    let mut headers = nobody("/api/2.2/jobs/get");
    let bearer = ["Bearer ", &token("acme-rsa")].concat();
    headers.push(("authorization".to_owned(), bearer.into_bytes()));
    headers
}

/// A request without a token.
fn nobody(path: &str) -> Headers {
    let pairs = [
        (":method", "GET"),
        (":path", path),
        (":authority", "databricks.example.com"),
        (":scheme", "https"),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .into()
}

/// A token request, whose form is to come.
fn form_head() -> Headers {
    let pairs = [
        (":method", "POST"),
        (":path", "/oidc/v1/token"),
        (":authority", "databricks.example.com"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "0"),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .into()
}

const ROOT: u32 = 1;

/// `LogLevel::Critical`.
const CRITICAL: u32 = 5;

/// However slow the machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Istio's default.
const WARN: Option<u32> = Some(3);
