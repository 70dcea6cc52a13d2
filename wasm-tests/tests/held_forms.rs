//! The built module in this process, and token requests whose forms are late: what is held for
//! whom, and for how long.

use serde_json::{Value, json};
use wasm_tests::envoy::log;
use wasm_tests::host::{Answers, CalloutAnswer, Headers, Host, Verdict};
use wasm_tests::keys::jwk_set;
use wasm_tests::paths;
use wasm_tests::scene::{fetched, token, token_with};

#[test]
fn one_client_leaves_room_for_the_others() {
    let mut host = start(&keys_at_hand());
    let heads = |host: &mut Host, address: &str, padding: usize| {
        host.set_property("source.address", address);
        let head = head(padding);
        let taken = (0..10_000).take_while(|_| {
            let context = host.begin(&head);
            matches!(host.verdict(context), Verdict::Forward(_))
        });
        taken.count()
    };
    let small = heads(&mut host, "192.0.2.1:1234", 0);
    assert!((64..=128).contains(&small), "{small} small heads");
    assert_eq!(reasons(&mut host), ["no_room_for_form"]);
    let large = heads(&mut host, "192.0.2.2:1234", 60_000);
    assert!((4..=8).contains(&large), "{large} large heads");
    let networks = heads(&mut host, "[2001:db8::1]:1", 60_000);
    assert_eq!(networks, large, "another client");
    assert_eq!(heads(&mut host, "[2001:db8::2]:1", 60_000), 0, "the same");
    host.set_property("source.address", "192.0.2.3:1");
    assert!(passes(&mut host), "whoever is not among them");
}

#[test]
fn a_form_takes_room_as_it_comes() {
    let mut host = start(&keys_at_hand());
    let most = vec![b'x'; 120_000];
    let mut held = Vec::new();
    let refused = (0..100).find(|_| {
        let context = host.begin(&head(0));
        host.bring(context, &most, false);
        held.push(context);
        matches!(host.verdict(context), Verdict::Reply(_))
    });
    assert!((4..=9).contains(&refused.expect("one without room")));
    assert_eq!(reasons(&mut host), ["no_room_for_form"]);
    for context in held {
        host.finish(context);
    }
    assert!(passes(&mut host));
}

#[test]
fn a_whole_form_has_a_deadline_of_its_own() {
    let mut host = start(&keys_at_hand());
    let start = u64::try_from(paths::now()).expect("a clock") * 1000;
    host.set_clock(start);
    let contexts: Vec<u32> = (0..50).map(|_| host.begin(&head(0))).collect();
    for second in 1..15 {
        host.set_clock(start + second * 1000);
        for (byte, context) in contexts.iter().enumerate() {
            host.bring(*context, &vec![b'x'; byte + 1], false);
        }
        host.tick();
    }
    assert!(reasons(&mut host).is_empty(), "all are in time");
    host.set_clock(start + 15_000);
    host.tick();
    host.tick();
    for context in &contexts {
        let Verdict::Reply(reply) = host.verdict(*context) else {
            panic!("{:?}", host.verdict(*context));
        };
        assert_eq!(reply.status, 408);
    }
    assert_eq!(reasons(&mut host), ["form_timeout"; 50]);
    for context in contexts {
        host.bring(context, b"grant_type=client_credentials", true);
        assert!(matches!(host.finish(context), Verdict::Reply(_)));
    }
    assert!(reasons(&mut host).is_empty(), "one record for each");
    assert!(passes(&mut host));
}

#[test]
fn a_clock_set_back_holds_no_form() {
    let mut host = start(&keys_at_hand());
    let start = u64::try_from(paths::now()).expect("a clock") * 1000;
    host.set_clock(start);
    let context = host.begin(&head(0));
    host.set_clock(start - 3_600_000);
    host.tick();
    assert!(matches!(host.verdict(context), Verdict::Reply(_)));
    assert_eq!(reasons(&mut host), ["form_timeout"]);
}

/// The form waits at its end, as a head would, for it will not come a second time.
#[test]
fn a_form_waits_for_the_keys_of_its_token() {
    let elsewhere = token_with("acme-rsa", &json!({ "aud": "another" }));
    #[rustfmt::skip]
    let cases = [
        // name          token                  reply
        ("a good one",   token("acme-rsa"),     None),
        ("for another",  elsewhere,             Some((401, "wrong_audience"))),
        ("of a stranger", token("partner-rsa"), Some((401, "unknown_key"))),
    ];
    for (name, token, reply) in cases {
        let mut host = start(&fetched(&json!({})));
        let form =
            format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={token}");
        match (host.request(&head(0), form.as_bytes()), reply) {
            (Verdict::Forward(_), None) => assert_eq!(reasons(&mut host), ["public"], "{name}"),
            (Verdict::Reply(got), Some((status, reason))) => {
                assert_eq!(got.status, status, "{name}");
                assert_eq!(reasons(&mut host), [reason], "{name}");
            }
            (verdict, _) => panic!("{name}: {verdict:?}"),
        }
    }
}

#[test]
fn a_client_that_goes_while_its_form_waits_leaves_nothing() {
    let mut host = start(&fetched(&json!({})));
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={}",
        token("acme-rsa")
    );
    for _ in 0..200 {
        let context = host.begin(&head(0));
        host.bring(context, form.as_bytes(), true);
        assert_eq!(host.verdict(context), Verdict::Waiting);
        host.delete_context(context);
    }
    host.tick();
    assert!(passes(&mut host), "no room is lost");
}

fn start(configuration: &Value) -> Host {
    let answers: Answers = Box::new(|_| CalloutAnswer::Answer {
        status: 200,
        headers: Vec::new(),
        body: jwk_set(["acme-rsa"]).to_string().into(),
    });
    let host = Host::start(&configuration.to_string(), &["issuer"], answers);
    assert!(host.configured());
    host
}

fn keys_at_hand() -> Value {
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["jwks"] = json!({ "keys": jwk_set(["acme-rsa"]) });
    configuration
}

/// Whether a good token request passes.
fn passes(host: &mut Host) -> bool {
    let form = b"grant_type=authorization_code&code=x";
    let verdict = host.request(&head(0), form);
    host.take_log();
    matches!(verdict, Verdict::Forward(_))
}

/// The reasons of the records since this was asked for last.
fn reasons(host: &mut Host) -> Vec<String> {
    let lines = host.take_log();
    let records = lines.iter().filter_map(|(_, line)| log::record(line));
    let reasons = records.map(|record| record["reason"].as_str().unwrap_or_default().to_owned());
    reasons.collect()
}

fn head(padding: usize) -> Headers {
    let padding = "x".repeat(padding);
    let pairs = [
        (":method", "POST"),
        (":path", "/oidc/v1/token"),
        (":authority", "databricks.example.com"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("transfer-encoding", "chunked"),
        ("x-padding", &padding),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .into()
}
