//! `oam explain`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use proptest::prelude::*;

use super::{Ran, file, oam, oam_with, text};

const AT: [&str; 2] = ["--at", "2026-11-23T12:00:00Z"];
const NOW: u64 = 1_795_435_200;

/// A key set with the one key that signs here.
fn key_set(key: &SigningKey) -> String {
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes());
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}}"#)
}

fn token(key: &SigningKey, claims: &str) -> String {
    let parts = [r#"{"alg":"EdDSA","kid":"k"}"#, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let signed = parts.join(".");
    let signature = key.sign(signed.as_bytes()).to_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn configuration(jwks: &str) -> String {
    format!(
        r#"{{"issuers":[{{"issuer":"https://i.example","audiences":["db"],"algorithms":["EdDSA"],"jwks":{jwks}}}],
            "roles":[{{"name":"analyst","members":[{{"group":"ana"}}],"grants":["jobs:read","own"]}},
                     {{"name":"engineer","members":[{{"group":"eng","client":"etl"}},{{"claim":["team"],"value":"data"}}],"grants":["jobs"]}}],
            "policy":{{"rules":[{{"name":"no-tokens","effect":"deny","paths":["/api/2.0/token/{{path=**}}"]}},
                               {{"name":"trial","effect":"require","paths":["/own"],"scopes":["own"],"mode":"shadow"}}]}}}}"#
    )
}

/// Explains a request of these claims.
fn explain(claims: &str, arguments: &[&str]) -> Ran {
    let config = file(
        "explain.json",
        &configuration(r#"{"cluster":"c","uri":"https://i.example/k"}"#),
    );
    let fixed = ["explain", "--config", text(&config), "--claims", "-"];
    oam_with(&[&fixed, &AT[..], arguments].concat(), claims.as_bytes())
}

#[test]
fn machines_get_the_fields_of_the_contract() {
    let ran = explain(
        r#"{"sub":"s","groups":["ana"],"scope":"jobs sql"}"#,
        &[
            "--json",
            "POST",
            "https://db.example/api/2.1/jobs/run-now?x=1",
        ],
    );
    let found: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let want = serde_json::json!({
        "decision": "deny", "status": 403, "reason": "role_lacks_scope",
        "operation": {"name": "jobs.run-now", "area": "jobs", "access": "write", "method": "POST", "template": "/api/2.2/jobs/run-now"},
        "required_scopes": ["jobs"], "token_scopes": ["jobs", "sql"], "role_grants": ["jobs:read", "own"],
        "effective_scopes": ["jobs:read"], "roles": ["analyst"], "rule": null, "readings": [], "mode": "enforce",
        "message": "The access token grants what this call needs, and your roles do not. jobs.run-now needs `jobs`. You hold the role `analyst`. Ask whoever runs this gateway for a role that does: `engineer`.",
        "advice": ["a role that grants jobs here: engineer"],
        "facts": {
            "at": "2026-11-23T12:00:00.000Z", "credential": "jwt", "filled_in": "iss aud iat exp", "groups": "ana", "issuer": "https://i.example",
            "method": "POST", "path": "/api/2.1/jobs/run-now", "signature": "not checked: claims alone", "subject": "s"
        },
        "roles_not_held": {"engineer": "needs client `etl` and group `eng`, or claim team `data`"}
    });
    assert_eq!(found, want);
    assert_eq!(ran.code, Some(1));
    assert_eq!(
        ran.err,
        "oam: claims alone were given, so no signature was checked\n"
    );
}

#[test]
fn people_get_the_way_to_the_decision() {
    let ran = explain(
        r#"{"sub":"s","groups":["ana"],"scope":"sql"}"#,
        &["POST", "/api/2.2/jobs/run-now"],
    );
    let want = "\
DENY 403 insufficient_scope: POST /api/2.2/jobs/run-now
The access token does not grant what this call needs. jobs.run-now needs `jobs`.

credential      jwt: claims alone, no signature was checked; filled in: iss, aud, iat, exp
issuer          https://i.example
subject         s
groups          ana
roles           analyst
                not engineer: needs client `etl` and group `eng`, or claim team `data`
token scopes    sql
role grants     jobs:read own
effective       nothing
operation       jobs.run-now (write, workspace, runs-code)
                POST /api/2.2/jobs/run-now
needs           jobs
mode            enforce
at              2026-11-23T12:00:00.000Z
allowed by      a token with the scope jobs, asked of the issuer
allowed by      a role that grants jobs here: engineer
";
    assert_eq!(ran.out, want);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
}

#[test]
fn the_exit_status_is_whether_the_request_goes_upstream() {
    #[rustfmt::skip]
    let cases = [
        // name               claims                                                    method
        // url                        code, first line
        ("allowed",           r#"{"groups":["ana"],"scope":"all-apis"}"#,               "GET",    "/api/2.2/jobs/list",      0, "ALLOW permitted: GET /api/2.2/jobs/list"),
        ("denied by a rule",  r#"{"groups":["ana"],"scope":"all-apis"}"#,               "POST",   "/api/2.0/token/create",   1, "DENY 403 denied_by_rule: POST /api/2.0/token/create"),
        ("unmatched",         r#"{"groups":["ana"],"scope":"all-apis"}"#,               "GET",    "/nothing",                1, "DENY 403 unmatched: GET /nothing"),
        ("in shadow mode",    r#"{"groups":["ana"],"scope":"jobs"}"#,                   "GET",    "/own",                    0, "DENY (shadow mode: it goes upstream) insufficient_scope: GET /own"),
        ("another audience",  r#"{"aud":"x","groups":["ana"],"scope":"jobs"}"#,         "GET",    "/api/2.2/jobs/list",      1, "DENY 401 wrong_audience: GET /api/2.2/jobs/list"),
        ("expired",           r#"{"exp":1795435100,"groups":["ana"]}"#,                 "GET",    "/api/2.2/jobs/list",      1, "DENY 401 token_expired: GET /api/2.2/jobs/list"),
        ("ambiguous",         r#"{"groups":["ana"],"scope":"jobs"}"#,                   "GET",    "/api/2.2/jobs/..;/list",  1, "DENY 400 ambiguous_path: GET /api/2.2/jobs/..;/list"),
    ];
    for (name, claims, method, url, code, first) in cases {
        let ran = explain(claims, &[method, url]);
        assert_eq!(
            (ran.code, ran.out.lines().next()),
            (Some(code), Some(first)),
            "{name}"
        );
    }
}

#[test]
fn a_refusal_in_trailers_is_a_no() {
    let ran = explain(
        r#"{"groups":["ana"],"scope":"jobs"}"#,
        &[
            "--header",
            "content-type: application/grpc",
            "POST",
            "/spark.connect.SparkConnectService/ExecutePlan",
        ],
    );
    assert_eq!(
        (ran.code, ran.out.lines().next()),
        (
            Some(1),
            Some(
                "DENY 200 insufficient_scope: POST /spark.connect.SparkConnectService/ExecutePlan"
            )
        )
    );
}

#[test]
fn tokens_are_verified_and_never_printed() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let inline = file(
        "inline.json",
        &configuration(&format!(r#"{{"keys":{}}}"#, key_set(&key))),
    );
    let fetched = file(
        "fetched.json",
        &configuration(r#"{"cluster":"c","uri":"https://i.example/k"}"#),
    );
    let keys = file("keys.json", &key_set(&key));
    let other = file("other.json", &key_set(&SigningKey::from_bytes(&[8; 32])));
    let named = format!("https://i.example={}", text(&keys));
    let claims = format!(
        r#"{{"iss":"https://i.example","aud":"db","exp":{},"groups":["ana"],"scope":"jobs"}}"#,
        NOW + 60
    );
    let token = token(&key, &claims);
    let (inline, fetched) = (text(&inline), text(&fetched));
    #[rustfmt::skip]
    let cases = [
        // name                       configuration  more                                   code,
        // reason
        ("inline keys",               inline,        vec![],                                Some(0), "permitted"),
        ("keys for every issuer",     fetched,       vec!["--jwks", text(&keys)],           Some(0), "permitted"),
        ("keys for this issuer",      fetched,       vec!["--jwks", &named],                Some(0), "permitted"),
        ("no keys",                   fetched,       vec![],                                Some(1), "keys_unavailable"),
        ("another's keys",            fetched,       vec!["--jwks", text(&other)],          Some(1), "invalid_signature"),
        ("a second credential",       inline,        vec!["--header", "Authorization: x y"], Some(1), "repeated_authorization"),
        ("usage, the token unquoted", inline,        vec![&token],                          Some(2), "--"),
    ];
    for (name, config, more, code, reason) in cases {
        for shown in [token.as_str(), "-"] {
            let fixed = [
                "explain",
                "--config",
                config,
                "--token",
                shown,
                "GET",
                "/api/2.2/jobs/list",
            ];
            let ran = oam_with(&[&fixed, &AT[..], &more].concat(), token.as_bytes());
            let said = format!("{}{}", ran.out, ran.err);
            assert_eq!(ran.code, code, "{name}: {said}");
            assert!(said.contains(reason), "{name}: {said}");
            assert!(
                token.split('.').all(|part| !said.contains(part)),
                "{name}: {said}"
            );
        }
    }
}

#[test]
fn what_cannot_be_read_is_said() {
    #[rustfmt::skip]
    let cases = [
        // arguments                                                     said
        (vec!["--at", "2027-02-30T00:00:00Z", "GET", "/x"],              "oam: not a moment: write it as `2026-11-23T12:00:00Z`, or a date as `2026-11-23`: `2027-02-30T00:00:00Z`\n"),
        (vec!["GET", "ftp://x/y"],                                       "oam: the URL begins neither with `https://` nor with `/`\n"),
        (vec!["GET", "https://u@x/y"],                                   "oam: the URL names no host, or a user besides\n"),
        (vec!["--header", "x", "GET", "/y"],                             "oam: a header is written as `name: value`\n"),
        (vec!["--jwks", "/no/such/file", "GET", "/y"],                   "oam: cannot read `/no/such/file`: No such file or directory (os error 2)\n"),
    ];
    let config = file(
        "unreadable.json",
        &configuration(r#"{"cluster":"c","uri":"https://i.example/k"}"#),
    );
    for (arguments, said) in cases {
        let ran = oam(&[
            &["explain", "--config", text(&config), "--anonymous"],
            &arguments[..],
        ]
        .concat());
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (Some(2), said),
            "{arguments:?}"
        );
    }
    assert_eq!(
        explain("[]", &["GET", "/x"]).err,
        "oam: the claims are not a JSON object\n"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_claims_and_no_url_panic(claims in proptest::collection::vec(any::<u8>(), 0..128), url in "/[ -~]{0,40}") {
        let claims = [b"{\"scope\":".as_slice(), &claims, b"}"].concat();
        let config = file("property.json", &configuration(r#"{"cluster":"c","uri":"https://i.example/k"}"#));
        let ran = oam_with(&["explain", "--config", text(&config), "--claims", "-", "GET", &url], &claims);
        prop_assert!(matches!(ran.code, Some(0..=2)), "{ran:?}");
    }
}

#[test]
fn an_exchange_is_told_with_its_scope() {
    let with_exchange = configuration(r#"{"cluster":"c","uri":"https://i.example/k"}"#).replacen(
        '{',
        r#"{"exchange":{"cluster":"c","token_endpoint":"https://d.example/t","scope":"operation"},"#,
        1,
    );
    let config = file("exchange.json", &with_exchange);
    let claims = r#"{"sub":"s","groups":["ana"],"scope":"jobs sql"}"#;
    let explain = |arguments: &[&str]| {
        let fixed = ["explain", "--config", text(&config), "--claims", "-"];
        oam_with(&[&fixed, &AT[..], arguments].concat(), claims.as_bytes()).out
    };
    let said = explain(&["GET", "/api/2.2/jobs/get"]);
    let line = said.lines().find(|line| line.starts_with("exchanged"));
    let want = "exchanged       for a token of Databricks' with `jobs`, if Databricks agrees";
    assert_eq!(line, Some(want), "{said}");
    let scope = |path: &str| {
        let found: serde_json::Value =
            serde_json::from_str(&explain(&["--json", "GET", path])).unwrap();
        found["exchanged_scope"].clone()
    };
    assert_eq!(scope("/api/2.2/jobs/get"), "jobs");
    assert_eq!(
        scope("/api/2.0/sql/warehouses"),
        serde_json::Value::Null,
        "refused"
    );
}

#[test]
fn a_proof_is_judged_but_for_having_been_seen() {
    use sha2::{Digest, Sha256};
    let key = SigningKey::from_bytes(&[7; 32]);
    let jwks = format!(r#"{{"keys":{}}}"#, key_set(&key));
    let config = file("proof.json", &configuration(&jwks));
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes());
    let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    let jkt = URL_SAFE_NO_PAD.encode(Sha256::digest(&jwk));
    let expires_at = NOW + 60;
    let claims = format!(
        r#"{{"iss":"https://i.example","aud":"db","exp":{expires_at},"groups":["ana"],"scope":"jobs","cnf":{{"jkt":"{jkt}"}}}}"#
    );
    let token = token(&key, &claims);
    let proof = |method: &str| {
        let header = format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{jwk}}}"#);
        let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(&token));
        let uri = "https://db.example/api/2.2/jobs/list";
        let claims =
            format!(r#"{{"jti":"p","iat":{NOW},"htm":"{method}","htu":"{uri}","ath":"{ath}"}}"#);
        let signed = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".");
        let signature = key.sign(signed.as_bytes()).to_bytes();
        format!("DPoP: {signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let explain = |headers: &[&str]| {
        let fixed = ["explain", "--config", text(&config), "--token", &token];
        let url = ["GET", "https://db.example/api/2.2/jobs/list"];
        oam(&[&fixed, &AT[..], headers, &url].concat())
    };
    let (good, bad) = (proof("GET"), proof("POST"));
    #[rustfmt::skip]
    let cases = [
        // name          headers                   code, first line
        // a line besides
        ("a good one",   vec!["--header", &good],  0, "ALLOW permitted: GET /api/2.2/jobs/list",                      "DPoP proof      taken for new: a gateway refuses one that it has seen"),
        ("another's",    vec!["--header", &bad],   1, "DENY 401 dpop_proof_for_another_method: GET /api/2.2/jobs/list", "DPoP proof      taken for new: a gateway refuses one that it has seen"),
        ("none",         vec![],                   1, "DENY 401 sender_constrained: GET /api/2.2/jobs/list",          "allowed by      a DPoP proof for this request and this very token: give it by `--header 'DPoP: …'`, and the token by `--token`"),
    ];
    for (name, headers, code, first, besides) in cases {
        let ran = explain(&headers);
        assert_eq!(
            (ran.code, ran.out.lines().next()),
            (Some(code), Some(first)),
            "{name}"
        );
        assert!(ran.out.lines().any(|line| line == besides), "{}", ran.out);
    }
}

#[test]
fn who_runs_the_gateway_is_told_what_a_token_has_and_what_is_configured() {
    #[rustfmt::skip]
    let cases = [
        // claims                                                   what is told
        (r#"{"aud":["other","else"]}"#,                             "allowed by      a token whose `aud` is one of the configured `db`: this one has `other, else`\n"),
        (r#"{"aud":["other"],"sub":"s"}"#,                          "token           by its own word, which nobody verified: issuer `https://i.example`, subject `s`, audiences `other`\n"),
        (r#"{"iss":"https://i.example/","sub":"s"}"#,               "allowed by      the configured `https://i.example` is not the token's `https://i.example/`, to the letter\n"),
        (r#"{"iss":"https://elsewhere.test","sub":"s"}"#,           "allowed by      a token of a configured issuer: https://i.example\n"),
    ];
    for (claims, want) in cases {
        let ran = explain(claims, &["GET", "/api/2.2/jobs/list"]);
        assert_eq!(ran.code, Some(1), "{claims}");
        assert!(ran.out.contains(want), "{claims}: {}", ran.out);
    }
    let meant = explain(
        r#"{"scope":"jobs","groups":["ana"]}"#,
        &["POST", "/api/2.2/jobs/run-nwo"],
    );
    assert!(
        meant.out.contains(
            "allowed by      the path that was perhaps meant: POST /api/2.2/jobs/run-now\n"
        ),
        "{}",
        meant.out
    );
}
