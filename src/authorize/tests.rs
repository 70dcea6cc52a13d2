use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use std::cell::RefCell;
use std::hash::RandomState;
use std::time::Duration;

use super::*;
use crate::config::Configuration;
use crate::issuer::IssuerIndex;
use crate::key_store::KeyStore;
use crate::key_store::fetch::KeyAnswer;
use crate::token::algorithm::Algorithm;
use crate::token::jwk::Jwk;
use crate::token::signature::Verifier;
use crate::withdrawn::list::{self, List};

mod shown;

const NOW: u64 = 1_800_000_000;
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const OTHER_X: &str = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw";

/// Takes every signature that is all zeros, so that tests need no private key.
struct Zeros;

impl Verifier for Zeros {
    fn verify(&self, _: Algorithm, _: &Jwk, _: &[u8], signature: &[u8]) -> bool {
        signature.iter().all(|&byte| byte == 0)
    }
}

/// Takes the signature whose first byte is the key's.
struct FirstByte;

impl Verifier for FirstByte {
    fn verify(&self, _: Algorithm, key: &Jwk, _: &[u8], signature: &[u8]) -> bool {
        signature.first() == key.thumbprint().as_bytes().first()
    }
}

fn jwks(kid: &str, x: &str) -> String {
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}]}}"#)
}

fn issuer(name: &str, keys: &str) -> String {
    format!(r#"{{"issuer":"{name}","audiences":["db"],"algorithms":["EdDSA"],"jwks":{keys}}}"#)
}

fn configured(text: &str) -> (Authorizer, KeyStore) {
    let configuration = Configuration::parse(text.as_bytes()).unwrap();
    (
        configuration.authorizer,
        KeyStore::new(configuration.key_sources, 1),
    )
}

fn token(kid: &str, iss: &str, more: &str, signature: [u8; 64]) -> String {
    let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#);
    let payload = format!(r#"{{"iss":"{iss}","aud":"db","exp":{}{more}}}"#, NOW + 600);
    [header.as_bytes(), payload.as_bytes(), &signature]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

fn now() -> UnixTime {
    UnixTime::from_seconds(NOW).unwrap()
}

fn headers(method: &str, path: &str, token: Option<&str>) -> Headers {
    let mut pairs = vec![
        (":method".to_owned(), method.into()),
        (":path".to_owned(), path.into()),
        (":authority".to_owned(), b"db.example".to_vec()),
    ];
    pairs.extend(token.map(|token| {
        (
            "authorization".to_owned(),
            format!("Bearer {token}").into_bytes(),
        )
    }));
    Headers::new(pairs)
}

/// The decision in one word: `allow`, `shadow: code`, or the code of the refusal.
fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Allow(_) => "allow".to_owned(),
        Verdict::Deny(denial) => denial.code().to_owned(),
        Verdict::Describe(_) => "describe".to_owned(),
        Verdict::Introduce(_) => "introduce".to_owned(),
        Verdict::Return(_) => "return".to_owned(),
        Verdict::Shadow(denial, _) => format!("shadow: {}", denial.code()),
    }
}

#[test]
fn a_key_speaks_only_for_the_issuers_that_published_it() {
    let both = |first: &str, second: &str| {
        format!(
            r#"{{"issuers":[{},{}]}}"#,
            issuer("https://a.example", &format!(r#"{{"keys":{first}}}"#)),
            issuer("https://b.example", &format!(r#"{{"keys":{second}}}"#))
        )
    };
    let first_byte = |x: &str| {
        let key =
            Jwk::parse(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#).as_bytes()).unwrap();
        let mut signature = [1; 64];
        signature[0] = key.thumbprint().as_bytes()[0];
        signature
    };
    let (a, b) = (first_byte(X), first_byte(OTHER_X));
    let own_keys = both(&jwks("1", X), &jwks("1", OTHER_X));
    let one_key = both(&jwks("1", X), &jwks("1", X));
    #[rustfmt::skip]
    let cases = [
        // name                                 configuration  iss                   signature  want
        ("its own key",                         &own_keys,     "https://a.example",  a,         "insufficient_scope"),
        ("its own key, the second",             &own_keys,     "https://b.example",  b,         "insufficient_scope"),
        ("the other's key of the same ID",      &own_keys,     "https://a.example",  b,         "unknown_issuer"),
        ("nobody's issuer, a good key",         &own_keys,     "https://c.example",  a,         "unknown_issuer"),
        ("a key that both published",           &one_key,      "https://a.example",  a,         "insufficient_scope"),
        ("a key that both published, other",    &one_key,      "https://b.example",  a,         "insufficient_scope"),
        ("nobody's key",                        &own_keys,     "https://a.example",  [2; 64],   "invalid_signature"),
    ];
    for (name, text, iss, signature, want) in cases {
        let (authorizer, keys) = configured(text);
        let token = token("1", iss, "", signature);
        let headers = headers("GET", "/api/2.2/jobs/get", Some(&token));
        let decision =
            authorizer.authorize(&headers, &Verification::afresh(&keys, &FirstByte), now());
        assert_eq!(word(&decision.verdict), want, "{name}");
    }
}

/// A token's signature is remembered, and never that the token still holds.
#[test]
fn what_a_list_withdraws_is_refused_though_it_was_verified_before() {
    let keys = format!(r#"{{"keys":{}}}"#, jwks("1", X));
    let more =
        r#""withdrawn":{"list":{"cluster":"c","uri":"https://s.example/w","max_stale":"1m"}}"#;
    let text = format!(
        r#"{{"issuers":[{}],{more}}}"#,
        issuer("https://a.example", &keys)
    );
    let mut configuration = Configuration::parse(text.as_bytes()).unwrap();
    let mut list = List::new(configuration.withdrawal_list.take().unwrap(), 1);
    let keys = KeyStore::new(configuration.key_sources, 1);
    let limits = verified::MemoryLimits {
        tokens: 8,
        bytes: 65_536,
    };
    let verified = RefCell::new(VerifiedTokens::new(limits, &RandomState::new()));
    let token = token(
        "1",
        "https://a.example",
        r#","jti":"t","scope":"jobs""#,
        [0; 64],
    );
    let headers = headers("GET", "/api/2.2/jobs/get", Some(&token));
    let judge = |list: &List, seconds| {
        let by = Verification {
            verified: Some(&verified),
            withdrawals: Some(list),
            ..Verification::afresh(&keys, &Zeros)
        };
        let now = now().after(Duration::from_secs(seconds));
        let decision = configuration.authorizer.authorize(&headers, &by, now);
        (word(&decision.verdict), decision.evidence.token.is_some())
    };
    let poll = |list: &mut List, seconds, body: &[u8]| {
        let poll = list.due(now().after(Duration::from_secs(seconds))).unwrap();
        let answer = list::ListAnswer {
            status: 200,
            tag: None,
            body,
        };
        list.on_answer(&poll, &answer).unwrap();
    };
    assert_eq!(judge(&list, 0), ("allow".to_owned(), true), "no list yet");
    poll(&mut list, 0, b"{}");
    assert_eq!(judge(&list, 1), ("allow".to_owned(), true));
    poll(&mut list, 10, br#"{"token_ids":["t"]}"#);
    assert_eq!(judge(&list, 10), ("withdrawn_token".to_owned(), true));
    poll(&mut list, 20, b"{}");
    assert_eq!(judge(&list, 20), ("allow".to_owned(), true));
    for second in 21..=80 {
        drop(list.due(now().after(Duration::from_secs(second))));
    }
    assert_eq!(judge(&list, 80), ("withdrawal_list_stale".to_owned(), true));
    assert_eq!(verified.borrow().counts().misses, 1);
    let fresh = verified::Fresh {
        issuer: IssuerIndex(0),
        lifetime: None,
        offline_access: false,
    };
    assert_eq!(verified.borrow_mut().take_fresh(), [fresh], "told once");
}

#[test]
fn keys_that_are_not_there_are_told_from_tokens_that_are_not_valid() {
    let remote = r#"{"cluster":"c","uri":"https://a.example/keys"}"#;
    let text = format!(
        r#"{{"issuers":[{},{}]}}"#,
        issuer("https://a.example", remote),
        issuer(
            "https://b.example",
            &format!(r#"{{"keys":{}}}"#, jwks("b", X))
        )
    );
    let (a, b) = (IssuerIndex(0), IssuerIndex(1));
    let cold = |_: &mut KeyStore| {};
    let warm = |keys: &mut KeyStore| {
        let fetch = keys.due(now()).unwrap();
        let body = jwks("a", X);
        let answer = KeyAnswer {
            status: 200,
            body: body.as_bytes(),
            ..KeyAnswer::default()
        };
        keys.on_answer(&fetch, &answer, now()).unwrap();
    };
    #[rustfmt::skip]
    let cases: [(&str, fn(&mut KeyStore), &str, &str, &str, Option<AwaitedKeys>); 6] = [
        // name                          keys    kid   iss                   want
        // awaited
        ("before the first keys",        cold,  "a",  "https://a.example",  "keys_unavailable",   Some(AwaitedKeys::First(a))),
        ("the other issuer meanwhile",   cold,  "b",  "https://b.example",  "insufficient_scope", None),
        ("nobody's issuer",              cold,  "a",  "https://c.example",  "unknown_issuer",     None),
        ("with keys",                    warm,  "a",  "https://a.example",  "insufficient_scope", None),
        ("an unknown key",               warm,  "x",  "https://a.example",  "unknown_key",        Some(AwaitedKeys::Newer(a))),
        ("an unknown key, inline set",   warm,  "x",  "https://b.example",  "unknown_key",        Some(AwaitedKeys::Newer(b))),
    ];
    for (name, prepare, kid, iss, want, awaited) in cases {
        let (authorizer, mut keys) = configured(&text);
        prepare(&mut keys);
        let token = token(kid, iss, "", [0; 64]);
        let headers = headers("GET", "/api/2.2/jobs/get", Some(&token));
        let decision = authorizer.authorize(&headers, &Verification::afresh(&keys, &Zeros), now());
        assert_eq!(
            (word(&decision.verdict).as_str(), decision.awaited),
            (want, awaited),
            "{name}"
        );
    }
}

const POLICY: &str = r#""roles":[
    {"name":"engineer","members":[{"group":"eng"}],"grants":["jobs","own.scope","clusters:read","files"]},
    {"name":"analyst","members":[{"group":"ana"}],"grants":["jobs:read","sql"]},
    {"name":"elsewhere","members":[{"group":"far"}],"grants":["jobs"],"workspaces":["8"]}],
  "workspaces":[{"id":"7","hosts":["db.example"]},{"id":"8","hosts":["db8.example"]}],
  "policy":{"rules":[
    {"name":"no-tokens","effect":"deny","paths":["/api/2.0/token/{path=**}"]},
    {"name":"trial-deny","effect":"deny","paths":["/api/2.2/jobs/list"],"mode":"shadow"},
    {"name":"own","effect":"require","paths":["/own/{path=**}"],"scopes":["own.scope"]},
    {"name":"trial","effect":"require","paths":["/trial"],"scopes":["own.scope"],"mode":"shadow"},
    {"name":"trial-wide","effect":"require","paths":["/api/2.1/clusters/{path=**}"],"scopes":["own.scope"],"mode":"shadow"},
    {"name":"strict","effect":"require","paths":["/api/2.2/jobs/runs/submit"],"scopes":["own.scope"]},
    {"name":"no-runs","effect":"deny","paths":["/api/2.2/jobs/runs/delete","/api/2.0/sql/statements","/api/2.1/jobs/create"]},
    {"name":"no-alice","effect":"deny","paths":["/api/2.0/fs/files/Volumes/c/alice@example.com/{path=**}"]},
    {"name":"trial-oidc","effect":"deny","paths":["/oidc/{path=**}"],"mode":"shadow"},
    {"name":"health","effect":"public","paths":["/healthz"]},
    {"name":"not-so-public","effect":"public","paths":["/api/2.0/token/list"]}]}"#;

#[test]
fn roles_rules_and_the_catalogue_decide() {
    #[rustfmt::skip]
    let cases = [
        // name                             method  path                         claims
        // want
        ("covered by the area",             "POST", "/api/2.2/jobs/run-now",     r#","groups":["eng"],"scope":"jobs""#,      "allow"),
        ("a read, by the area",             "GET",  "/api/2.2/jobs/get",         r#","groups":["eng"],"scope":"jobs""#,      "allow"),
        ("a write, read-only role",         "POST", "/api/2.2/jobs/run-now",     r#","groups":["ana"],"scope":"jobs""#,      "role_lacks_scope"),
        ("a read, read-only role",          "GET",  "/api/2.2/jobs/get",         r#","groups":["ana"],"scope":"jobs""#,      "allow"),
        ("the role alone",                  "GET",  "/api/2.2/jobs/get",         r#","groups":["eng"]"#,                     "insufficient_scope"),
        ("the token alone",                 "GET",  "/api/2.2/jobs/get",         r#","scope":"jobs""#,                       "role_lacks_scope"),
        ("all-apis, narrowed",              "POST", "/api/2.2/jobs/run-now",     r#","groups":["eng"],"scope":"all-apis""#,  "allow"),
        ("all-apis, outside the role",      "GET", "/api/2.0/sql/warehouses",   r#","groups":["eng"],"scope":"all-apis""#,  "role_lacks_scope"),
        ("a role held elsewhere",           "GET",  "/api/2.2/jobs/get",         r#","groups":["far"],"scope":"jobs""#,      "workspace_not_granted"),
        ("another workspace selected",      "GET",  "/api/2.2/jobs/get?o=8",     r#","groups":["eng"],"scope":"jobs""#,      "conflicting_workspace"),
        ("groups that are not told",        "GET",  "/api/2.2/jobs/get",         r#","hasgroups":true,"scope":"jobs""#,      "role_lacks_scope"),
        ("denied",                          "POST", "/api/2.0/token/create",     r#","groups":["eng"],"scope":"all-apis""#,  "denied_by_rule"),
        ("denied before public",            "GET",  "/api/2.0/token/list",       r#","groups":["eng"],"scope":"all-apis""#,  "denied_by_rule"),
        ("a shadow denial",                 "GET",  "/api/2.2/jobs/list",        r#","groups":["eng"],"scope":"jobs""#,      "shadow: denied_by_rule"),
        ("a shadow denial hides nothing", "GET",  "/api/2.2/jobs/list",        r#","groups":["eng"]"#,                     "insufficient_scope"),
        ("an own scope",                    "GET",  "/own/x",                    r#","groups":["eng"],"scope":"own.scope""#, "allow"),
        ("an own scope, missing",           "GET",  "/own/x",                    r#","groups":["eng"],"scope":"jobs""#,      "insufficient_scope"),
        ("a shadow rule",                   "GET",  "/trial",                    r#","groups":["eng"],"scope":"jobs""#,      "shadow: insufficient_scope"),
        ("a trial opens nothing",           "GET",  "/api/2.1/clusters/list",     r#","groups":["eng"],"scope":"own.scope""#, "insufficient_scope"),
        ("a trial beside the catalogue",    "GET",  "/api/2.1/clusters/list",     r#","groups":["eng"],"scope":"clusters""#,  "shadow: insufficient_scope"),
        ("both are content",                "GET",  "/api/2.1/clusters/list",     r#","groups":["eng"],"scope":"clusters own.scope""#, "allow"),
        ("denied in another version",       "POST", "/api/2.1/jobs/runs/delete",  r#","groups":["eng"],"scope":"jobs""#,      "denied_by_rule"),
        ("denied in an old version",        "POST", "/api/2.2/jobs/create",       r#","groups":["eng"],"scope":"jobs""#,      "denied_by_rule"),
        ("narrowed in another version",     "POST", "/api/2.1/jobs/runs/submit",  r#","groups":["eng"],"scope":"jobs""#,      "insufficient_scope"),
        ("denied but for a slash",          "POST", "/api/2.0/sql/statements/",   r#","groups":["ana"],"scope":"sql""#,       "denied_by_rule"),
        ("a version with a zero before",    "POST", "/api/02.2/jobs/run-now",     r#","groups":["eng"],"scope":"jobs""#,      "unmatched"),
        ("denied but for an escape",        "GET",  "/api/2.0/fs/files/Volumes/c/alice%40example.com/f", r#","groups":["eng"],"scope":"files""#, "ambiguous_path"),
        ("another escape",                  "GET",  "/api/2.0/fs/files/Volumes/c/bob%40example.com/f", r#","groups":["eng"],"scope":"files""#, "allow"),
        ("the alias of the API",            "POST", "/ajax-api/2.2/jobs/run-now", r#","groups":["eng"],"scope":"jobs""#,      "ambiguous_path"),
        ("nothing known",                   "GET",  "/unknown",                  r#","groups":["eng"],"scope":"all-apis""#,  "unmatched"),
        ("an escape that nothing takes",    "GET",  "/own%20/x",                 r#","groups":["eng"],"scope":"all-apis""#,  "ambiguous_path"),
        ("for any valid token",             "GET",  "/api/2.0/preview/scim/v2/Me", "",                                        "allow"),
    ];
    let issuer = issuer(
        "https://a.example",
        &format!(r#"{{"keys":{}}}"#, jwks("a", X)),
    );
    let (authorizer, keys) = configured(&format!(r#"{{"issuers":[{issuer}],{POLICY}}}"#));
    let (shadowed, _) = configured(&format!(
        r#"{{"issuers":[{issuer}],{}}}"#,
        POLICY.replace(r#""policy":{"#, r#""policy":{"mode":"shadow","#)
    ));
    for (name, method, path, claims, want) in cases {
        let token = token("a", "https://a.example", claims, [0; 64]);
        let headers = headers(method, path, Some(&token));
        let decision = authorizer.authorize(&headers, &Verification::afresh(&keys, &Zeros), now());
        assert_eq!(word(&decision.verdict), want, "{name}");
        // In shadow mode a refusal of authorization lets the request through, and an ambiguous
        // request stays refused.
        let malformed = matches!(want, "conflicting_workspace" | "ambiguous_path");
        let want = match want {
            "allow" => want.to_owned(),
            _ if malformed || want.starts_with("shadow") => want.to_owned(),
            code => format!("shadow: {code}"),
        };
        let decision = shadowed.authorize(&headers, &Verification::afresh(&keys, &Zeros), now());
        assert_eq!(word(&decision.verdict), want, "{name}, in shadow mode");
    }
}

#[test]
fn authentication_comes_before_authorization() {
    let issuer = issuer(
        "https://a.example",
        &format!(r#"{{"keys":{}}}"#, jwks("a", X)),
    );
    let (authorizer, keys) = configured(&format!(r#"{{"issuers":[{issuer}],{POLICY}}}"#));
    #[rustfmt::skip]
    let cases = [
        // name                  path                       want
        ("an operation",         "/api/2.2/jobs/get",       "missing_credentials"),
        ("nothing known",        "/unknown",                "missing_credentials"),
        ("denied",               "/api/2.0/token/create",   "missing_credentials"),
        ("denied before public", "/api/2.0/token/list",     "missing_credentials"),
        ("in shadow mode",       "/trial",                  "missing_credentials"),
        ("public",               "/healthz",                "allow"),
        ("discovery",            "/.well-known/databricks-config", "allow"),
        ("a shadow denial",      "/oidc/v1/token",          "shadow: denied_by_rule"),
    ];
    for (name, path, want) in cases {
        let method = if path.starts_with("/oidc") {
            "POST"
        } else {
            "GET"
        };
        let decision = authorizer.authorize(
            &headers(method, path, None),
            &Verification::afresh(&keys, &Zeros),
            now(),
        );
        assert_eq!(word(&decision.verdict), want, "{name}");
    }
}
