//! The built module in this process, under a host that mixes its contexts up. A trap fails the test.

use serde_json::{Value, json};
use wasm_tests::host::{CalloutAnswer, Headers, Host, Verdict};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{fetched, token};

#[test]
fn a_context_of_which_nothing_is_known_passes_nothing() {
    let mut host = start();
    for context in [0, 77, u32::MAX] {
        assert_eq!(host.show(context), [Some(1); 3], "{context}");
        host.disturb(context);
    }
    assert!(passes(&mut host));
}

#[test]
fn a_request_of_an_unknown_root_is_refused() {
    let mut host = start();
    host.serve_by(66);
    assert_eq!(status(&host.request(&head(), b"")), 500);
    host.serve_by(ROOT);
    assert!(passes(&mut host));
}

#[test]
fn a_context_that_ends_twice_ends_once() {
    let mut host = start();
    let context = host.begin(&head());
    assert!(matches!(host.verdict(context), Verdict::Forward(_)));
    for _ in 0..3 {
        host.delete_context(context);
        assert_eq!(host.show(context), [Some(1); 3]);
    }
    host.delete_context(4711);
    assert!(passes(&mut host));
}

#[test]
fn a_number_that_comes_twice_is_judged_anew() {
    let mut host = start();
    let context = host.begin(&head());
    host.create_context(context, ROOT);
    let [_, body, trailers] = {
        host.create_context(context, OTHER_ROOT);
        host.show(context)
    };
    assert_eq!([body, trailers], [Some(1); 2], "nobody configured its root");
    host.finish(context);
    assert!(passes(&mut host));
}

#[test]
fn each_root_judges_by_its_own_configuration() {
    let mut host = start();
    host.create_context(OTHER_ROOT, 0);
    host.serve_by(OTHER_ROOT);
    assert_eq!(status(&host.request(&head(), b"")), 500, "not configured");
    assert!(!host.configure_context(OTHER_ROOT, "{}"));
    assert_eq!(status(&host.request(&head(), b"")), 500, "refused");
    let mut other = configuration();
    other["issuers"][0]["issuer"] = json!("https://other.example.com");
    assert!(host.configure_context(OTHER_ROOT, &other.to_string()));
    assert_eq!(status(&host.request(&head(), b"")), 401, "another issuer");
    host.serve_by(ROOT);
    assert!(passes(&mut host));
    assert!(!host.configure_context(ROOT, "{}"));
    assert!(!passes(&mut host), "the one before does not hold");
    assert!(host.configure_context(ROOT, &configuration().to_string()));
    assert!(passes(&mut host));
    host.delete_context(OTHER_ROOT);
    host.serve_by(OTHER_ROOT);
    assert_eq!(status(&host.request(&head(), b"")), 500, "gone");
}

#[test]
fn a_context_may_go_while_it_is_judged() {
    let mut host = start();
    let context = host.begin_and_go(&head());
    assert_eq!(host.verdict(context), Verdict::Waiting);
    assert_eq!(host.show(context), [Some(1); 3]);
    host.finish(context);
    assert!(passes(&mut host));
}

/// An operator may have granted the module less than it needs. What was judged is then not what the upstream would see.
#[test]
fn what_cannot_be_taken_from_a_request_is_not_passed_on() {
    let mut host = start();
    host.keep_headers();
    assert!(passes(&mut host), "there is nothing to take");
    let mut forged = head();
    forged.push(("x-oam-subject".to_owned(), b"root".to_vec()));
    assert_eq!(status(&host.request(&forged, b"")), 500);
}

/// The same. No decision without its record.
#[test]
fn what_cannot_be_recorded_does_not_pass() {
    let mut host = start();
    host.log_nothing();
    assert_eq!(status(&host.request(&head(), b"")), 500);
    let mut nobody = head();
    nobody.retain(|(name, _)| name != "authorization");
    assert_eq!(status(&host.request(&nobody, b"")), 401);
}

/// That none could be read does not mean that none of ours is there.
#[test]
fn trailers_that_are_not_handed_over_do_not_pass() {
    let mut host = start();
    let context = host.begin(&head());
    assert!(matches!(host.verdict(context), Verdict::Forward(_)));
    host.withhold();
    assert_eq!(host.claim_trailers(context), Some(1));
    assert_eq!(status(&host.verdict(context)), 500);
}

/// What the module did not see of a form, the token endpoint would.
#[test]
fn a_form_that_is_not_handed_over_whole_does_not_pass() {
    let mut host = start();
    let head: Headers = [
        (":method", "POST"),
        (":path", "/oidc/v1/token"),
        (":authority", "databricks.example.com"),
        ("content-type", "application/x-www-form-urlencoded"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
    .into();
    let form = b"grant_type=authorization_code&code=a&client_id=cli ";
    assert!(matches!(host.request(&head, form), Verdict::Forward(_)));
    host.withhold();
    assert_eq!(status(&host.request(&head, form)), 400);
}

/// The module with keys in its configuration.
fn start() -> Host {
    let host = Host::start(
        &configuration().to_string(),
        &[],
        Box::new(|_| CalloutAnswer::Never),
    );
    assert!(host.configured());
    host
}

fn configuration() -> Value {
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["jwks"] = json!({ "keys": jwk_set(["acme-rsa"]) });
    configuration
}

/// Whether a good request passes.
fn passes(host: &mut Host) -> bool {
    matches!(host.request(&head(), b""), Verdict::Forward(_))
}

fn head() -> Headers {
    let pairs = [
        (":method", "GET".to_owned()),
        (":path", "/api/2.2/jobs/get".to_owned()),
        (":authority", "databricks.example.com".to_owned()),
        (":scheme", "https".to_owned()),
        ("authorization", ["Bearer ", &token("acme-rsa")].concat()),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.into_bytes()))
        .into()
}

/// The status of a refusal.
fn status(verdict: &Verdict) -> u16 {
    match verdict {
        Verdict::Reply(reply) => reply.status,
        Verdict::Forward(_) | Verdict::Waiting => panic!("not answered: {verdict:?}"),
    }
}

const ROOT: u32 = 1;

/// Far from the numbers that requests get.
const OTHER_ROOT: u32 = 100_000;
