use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::request::target::Target;

fn jwt(issuer: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#);
    let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"{issuer}","sub":"a"}}"#));
    format!("{header}.{payload}.c2ln")
}

#[test]
fn tokens_beside_the_credential_are_found() {
    let token = jwt("i");
    let encoded = STANDARD.encode(&token);
    let second = || Err(RequestError::SecondToken);
    let of = |issuers: &[&str]| Ok(issuers.iter().map(|issuer| Box::from(*issuer)).collect());
    #[rustfmt::skip]
    let cases: [(&str, &str, String, Result<Vec<Box<str>>, RequestError>); 32] = [
        // name                       header                          value
        // want
        ("nothing of the kind",       "user-agent",                   "databricks-sdk-py/0.70.0 python/3.12.3 os/linux".to_owned(), of(&[])),
        ("its own place",             "Authorization",                format!("Bearer {token}"),               of(&[])),
        ("a bearer token",            "x-custom",                     "Bearer abc".to_owned(),                 second()),
        ("in another case",           "x-custom",                     "bEARER\tabc".to_owned(),               second()),
        ("a scheme alone",            "x-custom",                     "Bearer ".to_owned(),                    of(&[])),
        ("a word that begins so",     "x-custom",                     "bearers of news".to_owned(),            of(&[])),
        ("Google's second",           "x-serverless-authorization",   "opaque".to_owned(),                     second()),
        ("a proxy's copy",            "X_Forwarded_Authorization",    "Basic YTpi".to_owned(),                 second()),
        ("the original",              "x-original-authorization",     token.clone(),                           second()),
        ("for the proxy, removed",    "proxy-authorization",          format!("Bearer {token}"),               of(&[])),
        ("a sign-in proxy's, removed", "x-forwarded-access-token",    token.clone(),                           of(&[])),
        ("AWS' own, removed",         "x-amzn-oidc-accesstoken",      token.clone(),                           of(&[])),
        ("AWS' assertion",            "x-amzn-oidc-data",             token.clone(),                           of(&[])),
        ("Google's assertion",        "x-goog-iap-jwt-assertion",     token.clone(),                           of(&[])),
        ("Cloudflare's assertion",    "cf-access-jwt-assertion",      token.clone(),                           of(&[])),
        ("another's assertion",       "x-other-assertion",            token.clone(),                           of(&["i"])),
        ("a cookie",                  "cookie",                       format!("BearerToken={token}"),          of(&[])),
        ("a token alone",             "x-access-token",               token.clone(),                           of(&["i"])),
        ("in the midst of a text",    "x-context",                    format!("user=ada;token={token};a=b"),   of(&["i"])),
        ("behind another scheme",     "x-context",                    format!("Token {token}"),                of(&["i"])),
        ("in JSON",                   "x-context",                    format!(r#"{{"token":"{token}"}}"#),     of(&["i"])),
        ("behind letters",            "x-context",                    format!("abc{token}"),                   of(&["i"])),
        ("two",                       "x-context",                    format!("{token} {}", jwt("j")),         of(&["i", "j"])),
        ("without an issuer",         "x-context",                    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl".to_owned(), of(&[])),
        ("without a signature",       "x-context",                    token.trim_end_matches(".c2ln").to_owned(), of(&[])),
        ("a proof",                   "dpop",                         "eyJhbGciOiJFUzI1NiJ9.eyJodG0iOiJHRVQiLCJqdGkiOiJhIn0.c2ln".to_owned(), of(&[])),
        ("a proof with an issuer",    "dpop",                         jwt("client"),                           of(&["client"])),
        ("no proof",                  "DPoP",                         token.clone(),                           of(&["i"])),
        ("binary metadata",           "x-context-bin",                encoded.clone(),                         of(&["i"])),
        ("the second value of it",    "x-context-bin",                format!("YWJj, {encoded}"),              of(&["i"])),
        ("binary, with its scheme",   "x-context-bin",                STANDARD.encode(format!("Bearer {token}")), second()),
        ("binary, of another kind",   "grpc-trace-bin",               STANDARD.encode([7; 48]),                of(&[])),
    ];
    for (name, header, value, want) in cases {
        let headers = Headers::new(vec![(header.to_owned(), value.into_bytes())]);
        let target = Target::parse(b"/a").ok().unwrap();
        let found = beside(&headers, target.query).map(|found| found.anywhere);
        assert_eq!(found, want, "{name}");
    }
}

#[test]
fn tokens_in_the_query_are_found() {
    let token = jwt("i");
    let escaped = token.replace("ey", "%65y").replace('.', "%2E");
    #[rustfmt::skip]
    let cases: [(&str, String, &[&str], &[&str]); 10] = [
        // name                     query
        // anywhere, signing in
        ("none",                    "page_token=abcdefghijklmnopqrstuvwxyzabcdefghijkl".to_owned(), &[], &[]),
        ("in the midst of a value", format!("x=a:{token}:b"),                                 &["i"], &[]),
        ("escaped",                 format!("x=a:{escaped}:b"),                               &["i"], &[]),
        ("in a URL",                format!("next=https%3A%2F%2Fa%2F%23t%3D{token}"),         &["i"], &[]),
        ("behind a semicolon",      format!("x=a;y=b%20{token}"),                             &["i"], &[]),
        ("as a name",               format!("a%20{token}"),                                   &["i"], &[]),
        ("a sign-in's state",       format!("state=a.{token}"),                               &[], &["i"]),
        ("an ID token's hint",      format!("id_token_hint={token}"),                         &[], &["i"]),
        ("both",                    format!("code={token}&x=a%20{}", jwt("j")),               &["j"], &["i"]),
        ("another's",               format!("x=a%20{}", jwt("https://b.example")),            &["https://b.example"], &[]),
    ];
    for (name, query, anywhere, signing_in) in cases {
        let target = format!("/a?{query}");
        let target = Target::parse(target.as_bytes()).ok().unwrap();
        let got = beside(&Headers::default(), target.query).unwrap();
        let issuers = |issuers: &[&str]| issuers.iter().map(|issuer| (*issuer).into()).collect();
        let want = SecondTokens {
            anywhere: issuers(anywhere),
            signing_in: issuers(signing_in),
        };
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn no_trailer_holds_a_token() {
    let token = jwt("anybody");
    #[rustfmt::skip]
    let cases = [
        // name                header           value                     want
        ("a status",           "grpc-status",   "0".to_owned(),           false),
        ("a bearer token",     "x-a",           "Bearer abc".to_owned(),  true),
        ("a JWT",              "x-a",           token.clone(),            true),
        ("in binary",          "x-a-bin",       STANDARD.encode(&token),  true),
        ("binary",             "x-a-bin",       STANDARD.encode([7; 48]), false),
    ];
    for (name, header, value, want) in cases {
        assert_eq!(
            in_trailer(header.as_bytes(), value.as_bytes()),
            want,
            "{name}"
        );
    }
}
