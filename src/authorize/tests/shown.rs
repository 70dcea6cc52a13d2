//! Tokens as clients really show them: behind more spaces than one, and when their time is over.

use super::*;
use crate::issuer::IssuerIndex;

#[test]
fn what_was_judged_goes_upstream_behind_one_space() {
    let key = issuer(
        "https://a.example",
        &format!(r#"{{"keys":{}}}"#, jwks("a", X)),
    );
    let (authorizer, keys) = configured(&format!(r#"{{"issuers":[{key}]}}"#));
    let scope = r#","scope":"jobs""#;
    let token = token("a", "https://a.example", scope, [0; 64]);
    let plain = Some(format!("Bearer {token}"));
    #[rustfmt::skip]
    let cases = [
        // name                  Authorization                     want
        ("as it should be",      format!("Bearer {token}"),        None),
        ("in another case",      format!("bearer {token}"),        None),
        ("two spaces",           format!("Bearer  {token}"),       plain.clone()),
        ("many, another case",   format!("bEARER      {token}"),   plain),
    ];
    for (name, authorization, want) in cases {
        let headers = Headers::new(vec![
            (":method".to_owned(), b"GET".to_vec()),
            (":path".to_owned(), b"/api/2.2/jobs/get".to_vec()),
            ("authorization".to_owned(), authorization.into_bytes()),
        ]);
        let decision = authorizer.authorize(&headers, &Verification::afresh(&keys, &Zeros), now());
        assert_eq!(word(&decision.verdict), "allow", "{name}");
        let authorization = decision
            .permit()
            .and_then(|permit| permit.authorization(&headers));
        assert_eq!(authorization, want, "{name}");
    }
}

#[test]
fn a_token_that_has_expired_says_so_without_its_keys() {
    let text = format!(
        r#"{{"issuers":[{}]}}"#,
        issuer(
            "https://a.example",
            r#"{"cluster":"c","uri":"https://a.example/keys","max_stale":"1m","refresh":"1m"}"#
        )
    );
    let (authorizer, mut keys) = configured(&text);
    let fetch = keys.due(now()).unwrap();
    let answer = KeyAnswer {
        status: 200,
        body: jwks("a", X).into_bytes().leak(),
        ..KeyAnswer::default()
    };
    keys.on_answer(&fetch, &answer, now()).unwrap();
    let judge = |keys: &KeyStore, token: &str, seconds| {
        let headers = headers("GET", "/api/2.2/jobs/get", Some(token));
        let now = now().after(Duration::from_secs(seconds));
        let decision = authorizer.authorize(&headers, &Verification::afresh(keys, &Zeros), now);
        (word(&decision.verdict), decision.awaited)
    };
    let valid = token("a", "https://a.example", r#","scope":"jobs""#, [0; 64]);
    let forged = token("x", "https://a.example", "", [1; 64]);
    let endless = endless_token();
    let first = Some(AwaitedKeys::First(IssuerIndex(0)));
    assert_eq!(judge(&keys, &valid, 0), ("allow".to_owned(), None));
    assert_eq!(
        judge(&keys, &valid, 700),
        ("token_expired".to_owned(), None)
    );
    assert_eq!(judge(&keys, &forged, 700), ("unknown_key".to_owned(), None));
    for second in 1..=61 {
        drop(keys.due(now().after(Duration::from_secs(second))));
    }
    #[rustfmt::skip]
    let cases = [
        // name                        token     at     want                  awaited
        ("in its time",                &valid,   61,    "keys_unavailable",   first),
        ("within the skew",            &valid,   629,   "keys_unavailable",   first),
        ("past its end",               &valid,   630,   "token_expired",      None),
        ("forged, and in its time",    &forged,  61,    "keys_unavailable",   first),
        ("forged, and past its end",   &forged,  630,   "token_expired",      None),
        ("without an end",             &endless, 61,    "unknown_key",        None),
    ];
    for (name, token, at, want, awaited) in cases {
        assert_eq!(
            judge(&keys, token, at),
            (want.to_owned(), awaited),
            "{name}"
        );
    }
}

/// A token that does not say when it ends.
fn endless_token() -> String {
    let payload = br#"{"iss":"https://a.example","aud":"db"}"#;
    [&br#"{"alg":"EdDSA","kid":"a"}"#[..], payload, &[0; 64]]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}
