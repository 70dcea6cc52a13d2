//! The built module in this process, under a host that mixes its contexts up. A trap fails the
//! test.

use serde_json::{Value, json};
use wasm_tests::host::{CalloutAnswer, Headers, Host, Verdict};
use wasm_tests::keys::jwk_set;
use wasm_tests::paths;
use wasm_tests::scene::{fetched, token, token_with};
use wasm_tests::token::proof;

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

#[test]
fn a_form_may_go_while_keys_are_taken() {
    let mut host = fetching();
    let context = host.begin(&form_head());
    assert!(matches!(host.verdict(context), Verdict::Forward(_)));
    host.go_with_next_line(context);
    host.tick();
    assert!(passes(&mut host));
}

#[test]
fn a_verdict_is_for_the_request_that_was_judged() {
    let mut host = fetching();
    let mut strict = fetched(&json!({}));
    let deny = json!({ "name": "no-jobs", "effect": "deny", "paths": ["/api/2.2/jobs/{call}"] });
    strict["policy"]["rules"] = json!([deny]);
    host.create_context(OTHER_ROOT, 0);
    assert!(host.configure_context(OTHER_ROOT, &strict.to_string()));
    let context = host.begin(&head());
    assert_eq!(host.verdict(context), Verdict::Waiting);
    assert!(host.show_head(context, &nobody()));
    assert_eq!(status(&host.verdict(context)), 401);
    host.delete_context(context);
    host.create_context(context, OTHER_ROOT);
    assert!(host.show_head(context, &head()));
    host.tick();
    assert_eq!(
        host.verdict(context),
        Verdict::Waiting,
        "for the other's keys"
    );
}

/// What was revoked stays so while the next configuration has no list of its own yet, whichever of
/// its plugins had the list.
#[test]
fn another_configuration_goes_on_with_the_list_of_revoked_tokens() {
    let mut configuration = configuration();
    let list = json!({ "cluster": "security", "uri": "https://security.example.com/w.json" });
    configuration["withdrawn"] = json!({ "list": list });
    let mut lists = [json!({ "subjects": ["ada@example.com"] }), json!({})].into_iter();
    let answers = Box::new(move |_: &_| match lists.next() {
        None => CalloutAnswer::Never,
        Some(list) => CalloutAnswer::Answer {
            status: 200,
            headers: Vec::new(),
            body: list.to_string().into(),
        },
    });
    let mut host = Host::start(&configuration.to_string(), &["security"], answers);
    assert!(passes(&mut host), "before the first list");
    host.tick();
    assert_eq!(status(&host.request(&head(), b"")), 401);
    configuration["forward_identity"] = json!(true);
    assert!(host.configure_context(ROOT, &configuration.to_string()));
    assert_eq!(status(&host.request(&head(), b"")), 401, "the same plugin");
    host.create_context(OTHER_ROOT, 0);
    assert!(host.configure_context(OTHER_ROOT, &configuration.to_string()));
    host.serve_by(OTHER_ROOT);
    assert_eq!(status(&host.request(&head(), b"")), 401, "another plugin");
    assert!(host.configure_context(ROOT, &configuration.to_string()));
    host.tick();
    host.create_context(THIRD_ROOT, 0);
    assert!(host.configure_context(THIRD_ROOT, &configuration.to_string()));
    host.serve_by(THIRD_ROOT);
    assert!(passes(&mut host), "the newest of two lists, which let go");
    host.serve_by(OTHER_ROOT);
    configuration["withdrawn"]["list"]["uri"] = json!("https://security.example.com/other.json");
    assert!(host.configure_context(OTHER_ROOT, &configuration.to_string()));
    assert!(passes(&mut host), "another list");
}

/// The host's number of a context tells nothing of a request that had it before.
#[test]
fn a_proof_is_taken_once_whatever_the_number_of_its_request() {
    let mut host = start();
    let token = token_with("acme-rsa", &json!({ "cnf": { "jkt": ED25519 } }));
    let uri = "https://databricks.example.com/api/2.2/jobs/get";
    let proof = proof::of("acme-ed25519", "GET", uri, &token, paths::now());
    let mut bound = nobody();
    bound.push((
        "authorization".to_owned(),
        ["DPoP ", &token].concat().into(),
    ));
    bound.push(("dpop".to_owned(), proof.into()));
    let mut holds = || {
        host.create_context(SOME_CONTEXT, ROOT);
        let holds = host.show_head(SOME_CONTEXT, &bound);
        host.delete_context(SOME_CONTEXT);
        holds
    };
    assert_eq!([holds(), holds()], [false, true]);
}

/// An operator may have granted the module less than it needs. What was judged is then not what the
/// upstream would see.
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
    assert_eq!(status(&host.request(&head(), b"")), 503);
    assert_eq!(status(&host.request(&nobody(), b"")), 503);
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

/// Hosts that bring bodies to heads that they hold answer one that is too long for their buffers
/// themselves, unless its sender is made to wait.
#[test]
fn a_body_that_need_not_be_read_waits_with_its_head() {
    let mut host = fetching();
    let [good, bad] = [head(), stranger()].map(|head| host.begin(&head));
    for context in [good, bad] {
        assert_eq!(host.verdict(context), Verdict::Waiting);
        for size in [0, 1, u32::MAX] {
            assert_eq!(host.bring_body(context, size), Some(2), "{size}");
        }
    }
    host.tick();
    host.tick();
    assert_eq!(host.bring_body(good, 1), Some(0));
    assert_eq!(status(&host.verdict(bad)), 401);
    assert_eq!(host.bring_body(bad, 1), Some(1));
    host.finish(good);
    host.finish(bad);
}

/// What the module did not see of a form, the token endpoint would.
#[test]
fn a_form_that_is_not_handed_over_whole_does_not_pass() {
    let mut host = start();
    let head = form_head();
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

/// The module with keys that come with the first tick.
fn fetching() -> Host {
    let answers = Box::new(|_: &_| CalloutAnswer::Answer {
        status: 200,
        headers: Vec::new(),
        body: jwk_set(["acme-rsa"]).to_string().into(),
    });
    let host = Host::start(&fetched(&json!({})).to_string(), &["issuer"], answers);
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

/// The same without a token.
fn nobody() -> Headers {
    let mut headers = head();
    headers.retain(|(name, _)| name != "authorization");
    headers
}

/// The same with a token that nobody signed.
fn stranger() -> Headers {
    let mut headers = nobody();
    let bearer = ["Bearer ", &token("stranger-rsa")].concat();
    headers.push(("authorization".to_owned(), bearer.into_bytes()));
    headers
}

/// A token request, whose form is to come.
fn form_head() -> Headers {
    let pairs = [
        (":method", "POST"),
        (":path", "/oidc/v1/token"),
        (":authority", "databricks.example.com"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
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
const THIRD_ROOT: u32 = 100_001;
const SOME_CONTEXT: u32 = 50_000;

/// The thumbprint of `acme-ed25519`.
const ED25519: &str = "zvKLXlPsEsgrhsqxXATHPNLil3Ufiw3i74qTpXzL6jw";
