use super::terms::ScopeWanted;
use super::*;
use crate::callout::uri::HttpsUri;
use crate::databricks::scope::ALL_APIS;
use crate::request::Headers;

const TOKEN: &str = "e30.e30.c2ln";

const OTHER: &str = "e30.e31.b3RoZXI";

/// Of what is signed in [`TOKEN`], with another signature.
const RESPELLED: &str = "e30.e30.c2lo";

const YES: &str = r#"{"access_token":"dbx-1","token_type":"Bearer","expires_in":3600}"#;

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(seconds).unwrap()
}

fn terms(scope: ScopeWanted) -> Terms {
    Terms {
        cluster: "databricks".into(),
        token_endpoint: HttpsUri::parse("https://dbc-1.cloud.databricks.com/oidc/v1/token")
            .unwrap(),
        scope,
        client_id: None,
        assume_group: None,
        issuers: vec!["https://a.example".into()],
        timeout: Duration::from_secs(5),
    }
}

fn exchanger() -> Exchanger {
    Exchanger::new(terms(ScopeWanted::AllApis))
}

fn subject(token: &str) -> Subject<'_> {
    let token = BearerToken::parse(token.as_bytes(), usize::MAX).unwrap();
    Subject {
        token,
        fingerprint: Fingerprint::of_signed(token),
        expires_at: at(10_000),
    }
}

/// What becomes of a request with this token, in words.
fn exchange(exchanger: &mut Exchanger, token: &str, now: u64) -> String {
    match exchanger.exchange(subject(token), ALL_APIS, at(now)) {
        Exchanged::Ended => "ended".to_owned(),
        Exchanged::Held(authorization) => authorization.to_string(),
        Exchanged::Refused(refusal) => format!("{refusal:?}"),
        Exchanged::Wait(_) => "wait".to_owned(),
    }
}

/// A second after the other, as a worker ticks.
fn wait(exchanger: &mut Exchanger, seconds: std::ops::RangeInclusive<u64>) {
    for second in seconds {
        exchanger.clock.read(at(second));
    }
}

/// Asks, sends and answers.
fn answered(status: u16, body: &str, now: u64) -> (Exchanger, Result<(), Failure>) {
    let mut exchanger = exchanger();
    assert_eq!(exchange(&mut exchanger, TOKEN, now), "wait");
    let callout = exchanger.due(at(now)).unwrap();
    let result = exchanger.on_answer(&callout, status, body.as_bytes(), at(now));
    (exchanger, result)
}

#[test]
fn a_call_is_the_form_of_rfc_8693() {
    let plain = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=e30.e30.c2ln\
                 &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&scope=sql";
    let federated = format!("{plain}&client_id=sp%261&assume_group=42");
    let call = terms(ScopeWanted::AllApis).call(TOKEN, "sql");
    assert_eq!(String::from_utf8(call.body).unwrap(), plain);
    assert_eq!((call.method, &*call.cluster), ("POST", "databricks"));
    assert_eq!(
        call.headers,
        [(
            "content-type".into(),
            "application/x-www-form-urlencoded".into()
        )]
    );
    let call = Terms {
        client_id: Some("sp&1".into()),
        assume_group: Some("42".into()),
        ..terms(ScopeWanted::AllApis)
    }
    .call(TOKEN, "sql");
    assert_eq!(String::from_utf8(call.body).unwrap(), federated);
}

#[test]
fn the_scope_is_what_databricks_will_ask_for() {
    use ScopeWanted::{AllApis, Operation};
    #[rustfmt::skip]
    let cases = [
        // name                       wanted     method  path                                  want
        ("always all",                AllApis,   "GET",  "/api/2.2/jobs/get",                  "all-apis"),
        ("a read",                    Operation, "GET",  "/api/2.2/jobs/get?job_id=1",         "jobs"),
        ("an older version",          Operation, "POST", "/api/2.1/jobs/run-now",              "jobs"),
        ("a trailing slash",          Operation, "GET",  "/api/2.2/jobs/list/",                "jobs"),
        ("one before a query",        Operation, "GET",  "/api/2.2/jobs/list/?limit=1",        "jobs"),
        ("a HEAD of what is read",    Operation, "HEAD", "/api/2.2/jobs/list",                 "jobs"),
        ("the SQL drivers",           Operation, "POST", "/sql/1.0/warehouses/a",              "sql"),
        ("any scope would do",        Operation, "GET",  "/api/2.0/preview/scim/v2/Me",        "all-apis"),
        ("no scope of Databricks'",   Operation, "GET",  "/api/2.0/sandboxes",                 "all-apis"),
        ("nothing that is known",     Operation, "GET",  "/apps/etl",                          "all-apis"),
        ("another method",            Operation, "DELETE", "/api/2.2/jobs/get",                "all-apis"),
    ];
    for (name, wanted, method, path, want) in cases {
        let headers = Headers::new(vec![
            (":method".to_owned(), method.into()),
            (":path".to_owned(), path.into()),
        ]);
        assert_eq!(terms(wanted).scope_for(&headers), want, "{name}");
    }
}

#[test]
fn one_exchange_serves_every_request_with_the_token() {
    let mut exchanger = exchanger();
    assert_eq!(exchange(&mut exchanger, TOKEN, 100), "wait");
    assert_eq!(exchange(&mut exchanger, TOKEN, 100), "wait");
    let callout = exchanger.due(at(100)).unwrap();
    assert!(exchanger.due(at(100)).is_none(), "one for all");
    assert_eq!(exchange(&mut exchanger, TOKEN, 101), "wait");
    assert!(exchanger.due(at(101)).is_none(), "one at a time");
    let key = callout.key;
    assert!(!exchanger.is_settled(key, at(101)));
    assert_eq!(
        exchanger.on_answer(&callout, 200, YES.as_bytes(), at(102)),
        Ok(())
    );
    assert!(exchanger.is_settled(key, at(102)));
    assert_eq!(exchange(&mut exchanger, TOKEN, 102), "Bearer dbx-1");
    assert!(!exchanger.is_due());
    assert_eq!(
        exchanger.on_answer(&callout, 200, YES.as_bytes(), at(103)),
        Err(Failure::GivenUp)
    );
}

#[test]
fn tokens_and_scopes_do_not_share() {
    let (mut exchanger, _) = answered(200, YES, 100);
    assert_eq!(
        exchange(&mut exchanger, RESPELLED, 100),
        "Bearer dbx-1",
        "one token, however it is written"
    );
    assert_eq!(exchange(&mut exchanger, OTHER, 100), "wait");
    let outcome = exchanger.exchange(subject(TOKEN), "jobs", at(100));
    assert!(matches!(outcome, Exchanged::Wait(_)));
    let bodies: Vec<Vec<u8>> = std::iter::from_fn(|| exchanger.due(at(100)))
        .map(|callout| callout.call.body)
        .collect();
    let terms = terms(ScopeWanted::AllApis);
    assert_eq!(
        bodies,
        [
            terms.call(TOKEN, "jobs").body,
            terms.call(OTHER, ALL_APIS).body
        ]
    );
}

#[test]
fn what_is_held_ends_before_either_token_does() {
    let lives = |seconds: u64| {
        format!(r#"{{"access_token":"dbx-1","token_type":"Bearer","expires_in":{seconds}}}"#)
    };
    #[rustfmt::skip]
    let cases = [
        // name                        expires_in  last second of use, from 100 on
        ("an hour",                    3600,       3669),
        ("two minutes",                120,        189),
        ("a short life",               40,         129),
        ("past the caller's own end",  50_000,     9969),
    ];
    for (name, expires_in, last) in cases {
        let (mut exchanger, result) = answered(200, &lives(expires_in), 100);
        assert_eq!(result, Ok(()), "{name}");
        assert_eq!(
            exchange(&mut exchanger, TOKEN, last),
            "Bearer dbx-1",
            "{name}"
        );
        assert_eq!(exchange(&mut exchanger, TOKEN, last + 1), "wait", "{name}");
    }
    assert_eq!(exchange(&mut exchanger(), TOKEN, 10_000), "ended");
}

#[test]
fn the_life_of_a_token_counts_from_the_question() {
    let mut exchanger = exchanger();
    exchange(&mut exchanger, TOKEN, 100);
    let callout = exchanger.due(at(100)).unwrap();
    let answer = br#"{"access_token":"dbx-1","token_type":"Bearer","expires_in":40}"#;
    assert_eq!(exchanger.on_answer(&callout, 200, answer, at(104)), Ok(()));
    assert_eq!(exchange(&mut exchanger, TOKEN, 129), "Bearer dbx-1");
    assert_eq!(exchange(&mut exchanger, TOKEN, 130), "wait");
}

#[test]
fn a_failure_is_remembered_for_a_moment() {
    let grant = OauthError::InvalidGrant;
    let refused = "Refused(Some(InvalidGrant))";
    #[rustfmt::skip]
    let cases = [
        // name               status  body                            failure
        // told                pause
        ("a policy's no",     400,    r#"{"error":"invalid_grant"}"#, Failure::Refused(400, Some(grant)),     refused,            10),
        ("no reason",         403,    "no",                           Failure::Refused(403, None),            "Refused(None)",    10),
        ("another address",   404,    "",                             Failure::Refused(404, None),            "Refused(None)",    10),
        ("busy",              429,    r#"{"error":"invalid_grant"}"#, Failure::Status(429),                   "Unavailable",      2),
        ("broken",            500,    r#"{"error":"invalid_grant"}"#, Failure::Status(500),                   "Unavailable",      2),
        ("nobody there",      503,    "no healthy upstream",          Failure::Status(503),                   "Unavailable",      2),
        ("somewhere else",    302,    "",                             Failure::Status(302),                   "Unavailable",      2),
        ("no status",         0,      "",                             Failure::Status(0),                     "Unavailable",      2),
        ("a page",            200,    "<html>",                       Failure::Unusable(Unusable::NotJson),   "Unavailable",      2),
    ];
    for (name, status, body, failure, told, pause) in cases {
        let (mut exchanger, result) = answered(status, body, 100);
        assert_eq!(result, Err(failure), "{name}");
        assert_eq!(exchange(&mut exchanger, TOKEN, 100), told, "{name}");
        assert_eq!(exchange(&mut exchanger, TOKEN, 99 + pause), told, "{name}");
        assert!(!exchanger.is_due(), "{name}");
        assert_eq!(
            exchange(&mut exchanger, TOKEN, 100 + pause),
            "wait",
            "{name}"
        );
        assert_eq!(
            exchange(&mut exchanger, OTHER, 100),
            "wait",
            "{name}: others are asked for"
        );
    }
}

#[test]
fn an_answer_that_never_comes_is_given_up() {
    let mut exchanger = exchanger();
    exchange(&mut exchanger, TOKEN, 100);
    let lost = exchanger.due(at(100)).unwrap();
    wait(&mut exchanger, 101..=106);
    assert!(!exchanger.is_settled(lost.key, at(106)));
    assert!(exchanger.is_settled(lost.key, at(107)));
    assert_eq!(exchange(&mut exchanger, TOKEN, 107), "wait");
    let second = exchanger.due(at(107)).unwrap();
    exchanger.on_failure(&lost, at(107));
    assert_eq!(
        exchanger.on_answer(&lost, 200, YES.as_bytes(), at(107)),
        Err(Failure::GivenUp)
    );
    exchanger.on_failure(&second, at(108));
    assert_eq!(exchange(&mut exchanger, TOKEN, 108), "Unavailable");
}

#[test]
fn what_was_not_sent_in_time_is_not_sent() {
    let mut exchanger = exchanger();
    exchange(&mut exchanger, TOKEN, 100);
    wait(&mut exchanger, 101..=110);
    assert!(exchanger.due(at(110)).is_none());
    // Asked for again before the first turn came.
    exchange(&mut exchanger, TOKEN, 200);
    wait(&mut exchanger, 201..=210);
    assert_eq!(exchange(&mut exchanger, TOKEN, 210), "wait");
    assert!(exchanger.due(at(210)).is_some());
    assert!(exchanger.due(at(210)).is_none());
    assert_eq!(exchange(&mut exchanger, TOKEN, 211), "wait");
}

#[test]
fn the_memory_is_bounded() {
    let mut exchanger = exchanger();
    let token = |number: usize| format!("e30.{number}.c2ln");
    for number in 0..MAX_ENTRIES {
        assert_eq!(exchange(&mut exchanger, &token(number), 100), "wait");
    }
    assert_eq!(
        exchange(&mut exchanger, TOKEN, 100),
        "Unavailable",
        "what is awaited stays"
    );
    let callouts: Vec<ExchangeCallout> = std::iter::from_fn(|| exchanger.due(at(100))).collect();
    assert_eq!(callouts.len(), MAX_ENTRIES);
    let first_to_end = terms(ScopeWanted::AllApis).call(&token(7), ALL_APIS);
    for callout in &callouts {
        let answer = format!(
            r#"{{"access_token":"dbx","token_type":"Bearer","expires_in":{}}}"#,
            if callout.call == first_to_end {
                1000
            } else {
                3600
            }
        );
        assert_eq!(
            exchanger.on_answer(callout, 200, answer.as_bytes(), at(100)),
            Ok(())
        );
    }
    assert_eq!(exchanger.bytes, MAX_ENTRIES * "Bearer dbx".len());
    assert_eq!(exchange(&mut exchanger, TOKEN, 200), "wait");
    assert_eq!(exchanger.entries.len(), MAX_ENTRIES);
    assert_eq!(exchange(&mut exchanger, &token(6), 200), "Bearer dbx");
    assert_eq!(
        exchange(&mut exchanger, &token(7), 200),
        "wait",
        "the one that ends first went"
    );
    wait(&mut exchanger, 201..=9000);
    exchange(&mut exchanger, OTHER, 9000);
    assert_eq!(exchanger.entries.len(), 1, "what is over goes first");
    let call = terms(ScopeWanted::AllApis).call(OTHER, ALL_APIS);
    assert_eq!(exchanger.bytes, call.body.len());
}

#[test]
fn however_the_clock_is_set_nothing_is_held_or_refused_for_longer() {
    const HOUR: i64 = 3600;
    const YEARS: i64 = 5 * 365 * 24 * HOUR;
    const NOW: u64 = 1_800_000_000;
    let subject = || Subject {
        expires_at: UnixTime::MAX,
        ..subject(TOKEN)
    };
    for step in [4, 60, HOUR, YEARS, -4, -60, -HOUR, -YEARS] {
        for (status, span) in [(200, 90), (400, 10), (503, 2)] {
            let mut exchanger = exchanger();
            let mut now = at(NOW);
            assert!(matches!(
                exchanger.exchange(subject(), ALL_APIS, now),
                Exchanged::Wait(_)
            ));
            let callout = exchanger.due(now).unwrap();
            // The answer comes by another clock than the question went out.
            now = at(NOW.checked_add_signed(step).unwrap());
            let body = r#"{"access_token":"dbx-1","token_type":"Bearer","expires_in":120}"#;
            let answered = exchanger.on_answer(&callout, status, body.as_bytes(), now);
            assert_eq!(answered.is_ok(), status == 200, "{step}");
            let mut over = None;
            for second in 0..=span {
                if matches!(
                    exchanger.exchange(subject(), ALL_APIS, now),
                    Exchanged::Wait(_)
                ) {
                    over = over.or(Some(second));
                }
                now = now.after(Duration::from_secs(1));
            }
            assert!(over.is_some(), "{step}, {status}: over within {span} s");
            assert!(
                exchanger.due(now).is_some(),
                "{step}, {status}: and asked for again"
            );
        }
    }
}
