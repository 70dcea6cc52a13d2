use super::*;

#[test]
fn a_registered_claim_is_right_or_an_error() {
    use ClaimFault::{Missing, Text, TooManyItems, WrongType};
    use TextError::{ControlCharacter, Empty, TooLong};
    let (longest, long) = ("a".repeat(MAX_CLAIM_BYTES), "a".repeat(MAX_CLAIM_BYTES + 1));
    let (longest, long) = (
        with("sub", &format!("{longest:?}")),
        with("sub", &format!("{long:?}")),
    );
    let audiences = |count| with("aud", &format!("{:?}", vec!["a"; count]));
    #[rustfmt::skip]
    let cases: [Case; 28] = [
        // name                        claims                                          want
        ("the least",                  GOOD.into(),                                    Ok(())),
        ("no issuer",                  r#"{"exp":1}"#.into(),                          Err(("iss", Missing))),
        ("an issuer list",             r#"{"iss":["a"],"exp":1}"#.into(),              Err(("iss", WrongType))),
        ("an issuer that is null",     r#"{"iss":null,"exp":1}"#.into(),               Err(("iss", WrongType))),
        ("an empty issuer",            r#"{"iss":"","exp":1}"#.into(),                 Err(("iss", Text(Empty)))),
        ("an issuer with a NUL",       r#"{"iss":"a\u0000","exp":1}"#.into(),          Err(("iss", Text(ControlCharacter)))),
        ("a subject that is a number", with("sub", "1"),                               Err(("sub", WrongType))),
        ("a subject that is null",     with("sub", "null"),                            Err(("sub", WrongType))),
        ("an empty subject",           with("sub", r#""""#),                           Err(("sub", Text(Empty)))),
        ("a subject with a break",     with("sub", r#""a\r\nx-oam-roles: b""#),        Err(("sub", Text(ControlCharacter)))),
        ("the longest subject",        longest,                                        Ok(())),
        ("a subject too long",         long,                                           Err(("sub", Text(TooLong(MAX_CLAIM_BYTES + 1))))),
        ("a token ID that is a number", with("jti", "1"),                              Err(("jti", WrongType))),
        ("a token ID with a tab",      with("jti", r#""a\tb""#),                       Err(("jti", Text(ControlCharacter)))),
        ("one audience",               with("aud", r#""a""#),                          Ok(())),
        ("two audiences",              with("aud", r#"["a","b"]"#),                    Ok(())),
        ("no audience in the array",   with("aud", "[]"),                              Err(("aud", Text(Empty)))),
        ("an empty audience",          with("aud", r#""""#),                           Err(("aud", Text(Empty)))),
        ("an empty one among others",  with("aud", r#"["a",""]"#),                     Err(("aud", Text(Empty)))),
        ("an audience that is null",   with("aud", "null"),                            Err(("aud", WrongType))),
        ("a number as audience",       with("aud", "1"),                               Err(("aud", WrongType))),
        ("a number among audiences",   with("aud", r#"["a",1]"#),                      Err(("aud", WrongType))),
        ("an object as audience",      with("aud", r#"{"a":"a"}"#),                    Err(("aud", WrongType))),
        ("an array in the array",      with("aud", r#"[["a"]]"#),                      Err(("aud", WrongType))),
        ("an audience with a NUL",     with("aud", r#""a\u0000""#),                    Err(("aud", Text(ControlCharacter)))),
        ("as many as allowed",         audiences(MAX_ITEMS),                           Ok(())),
        ("one audience too many",      audiences(MAX_ITEMS + 1),                       Err(("aud", TooManyItems))),
        ("other claims of any type",   with("act", r#"{"sub":1}"#),                    Ok(())),
    ];
    check(&cases);
}

#[test]
fn a_date_is_a_number_of_seconds() {
    use ClaimFault::{Missing, NotNumericDate};
    #[rustfmt::skip]
    let cases: [Case; 28] = [
        // name                        claims                                          want
        ("no expiry",                  r#"{"iss":"a"}"#.into(),                        Err(("exp", Missing))),
        ("expiry as string",           r#"{"iss":"a","exp":"1"}"#.into(),              Err(("exp", NotNumericDate))),
        ("expiry null",                r#"{"iss":"a","exp":null}"#.into(),             Err(("exp", NotNumericDate))),
        ("expiry true",                r#"{"iss":"a","exp":true}"#.into(),             Err(("exp", NotNumericDate))),
        ("expiry in an array",         r#"{"iss":"a","exp":[1]}"#.into(),              Err(("exp", NotNumericDate))),
        ("expiry in an object",        r#"{"iss":"a","exp":{"a":1}}"#.into(),          Err(("exp", NotNumericDate))),
        ("expiry negative",            r#"{"iss":"a","exp":-1}"#.into(),               Err(("exp", NotNumericDate))),
        ("expiry minus nothing",       r#"{"iss":"a","exp":-0}"#.into(),               Err(("exp", NotNumericDate))),
        ("expiry with a fraction",     r#"{"iss":"a","exp":1.5}"#.into(),              Ok(())),
        ("expiry as a whole double",   r#"{"iss":"a","exp":1795436400.0}"#.into(),     Ok(())),
        ("a fraction below 0",         r#"{"iss":"a","exp":-0.5}"#.into(),             Err(("exp", NotNumericDate))),
        ("nothing below 0",            r#"{"iss":"a","exp":-0.0}"#.into(),             Err(("exp", NotNumericDate))),
        ("an exponent",                r#"{"iss":"a","exp":1e9}"#.into(),              Err(("exp", NotNumericDate))),
        ("a fraction with one",        r#"{"iss":"a","exp":1.5e9}"#.into(),            Err(("exp", NotNumericDate))),
        ("milliseconds with one",      r#"{"iss":"a","exp":1795436400000.5}"#.into(),  Err(("exp", NotNumericDate))),
        ("digits without end",         format!(r#"{{"iss":"a","exp":1.{}}}"#, "9".repeat(5000)), Ok(())),
        ("past the year 9999",         r#"{"iss":"a","exp":253402300799.5}"#.into(),   Err(("exp", NotNumericDate))),
        ("expiry 1e300",               r#"{"iss":"a","exp":1e300}"#.into(),            Err(("exp", NotNumericDate))),
        ("expiry 2^63",                r#"{"iss":"a","exp":9223372036854775808}"#.into(),  Err(("exp", NotNumericDate))),
        ("expiry 2^64",                r#"{"iss":"a","exp":18446744073709551616}"#.into(), Err(("exp", NotNumericDate))),
        ("expiry in milliseconds",     r#"{"iss":"a","exp":1795436400000}"#.into(),    Err(("exp", NotNumericDate))),
        ("the end of the year 9999",   r#"{"iss":"a","exp":253402300799}"#.into(),     Ok(())),
        ("the year 10000",             r#"{"iss":"a","exp":253402300800}"#.into(),     Err(("exp", NotNumericDate))),
        ("not-before as string",       with("nbf", r#""1""#),                          Err(("nbf", NotNumericDate))),
        ("not-before null",            with("nbf", "null"),                            Err(("nbf", NotNumericDate))),
        ("issued-at as float",         with("iat", "1.0"),                             Ok(())),
        ("not-before as float",        with("nbf", "1.0"),                             Ok(())),
        ("issued-at negative",         with("iat", "-1"),                              Err(("iat", NotNumericDate))),
    ];
    check(&cases);
}

#[test]
fn fractions_of_seconds_are_rounded_against_the_token() {
    #[rustfmt::skip]
    let cases = [
        // name                    seconds           exp and iat, nbf in ms
        ("a whole number",         "1795436400",     1_795_436_400_000, 1_795_436_400_000),
        ("a fraction of nothing",  "1795436400.0",   1_795_436_400_000, 1_795_436_400_001),
        ("a half",                 "1795436400.5",   1_795_436_400_500, 1_795_436_400_501),
        ("less than we count",     "1795436400.0007", 1_795_436_400_000, 1_795_436_400_001),
        ("nearly one more",        "1795436400.9996", 1_795_436_400_999, 1_795_436_401_000),
    ];
    for (name, seconds, down, up) in cases {
        let claims = format!(r#"{{"iss":"a","exp":{seconds},"nbf":{seconds},"iat":{seconds}}}"#);
        let times = parse(&claims).unwrap().times();
        let at = |millis| UnixTime::from_millis(millis).unwrap();
        let want = Times {
            expires_at: at(down),
            not_before: Some(at(up)),
            issued_at: Some(at(down)),
        };
        assert_eq!(times, want, "{name}");
    }
}

#[test]
fn a_claims_set_is_one_strict_object() {
    use ClaimError::{Json, NotObject};
    let deep = with("a", &("[".repeat(10_000) + &"]".repeat(10_000)));
    #[rustfmt::skip]
    let cases = [
        // name                     claims                                      want
        ("text",                    "foo",                                      Json(JsonError::Malformed)),
        ("an array",                r#"["a",1]"#,                               NotObject),
        ("a string",                r#""a""#,                                   NotObject),
        ("a registered one twice",  r#"{"iss":"a","exp":1,"exp":2}"#,           Json(JsonError::DuplicateMember)),
        ("another one twice",       r#"{"iss":"a","exp":1,"x":1,"x":1}"#,       Json(JsonError::DuplicateMember)),
        ("twice, far inside",       r#"{"iss":"a","exp":1,"x":{"y":1,"y":1}}"#, Json(JsonError::DuplicateMember)),
        ("1e999",                   r#"{"iss":"a","exp":1e999}"#,               Json(JsonError::Malformed)),
        ("something behind",        r#"{"iss":"a","exp":1}x"#,                  Json(JsonError::Malformed)),
        ("nested 10,000 deep",      deep.as_str(),                              Json(JsonError::TooDeep)),
    ];
    for (name, claims, want) in cases {
        assert_eq!(parse(claims).map(drop), Err(want), "{name}");
    }
}

#[test]
fn what_was_signed_is_read_out() {
    let claims =
        parse(r#"{"iss":"i","sub":"s","aud":["a","b"],"exp":4,"nbf":3,"iat":2,"jti":"t"}"#)
            .unwrap();
    assert_eq!(claims.issuer(), "i");
    assert_eq!(claims.subject(), Some("s"));
    assert_eq!(
        claims
            .audiences()
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<&str>>(),
        ["a", "b"]
    );
    assert_eq!(claims.expires_at().seconds(), 4);
    assert_eq!(claims.not_before().map(UnixTime::seconds), Some(3));
    assert_eq!(claims.issued_at().map(UnixTime::seconds), Some(2));
    assert_eq!(claims.token_id(), Some("t"));
    let least = parse(GOOD).unwrap();
    assert_eq!((least.subject(), least.token_id()), (None, None));
    assert_eq!((least.not_before(), least.issued_at()), (None, None));
    assert!(least.audiences().is_empty());
}

#[test]
fn other_claims_are_found_by_path() {
    let claims = with(
        "realm_access",
        r#"{"roles":["a","b"],"name":"c","bad":["a",1],"break":"a\nb","a.b":"d"}"#,
    );
    let claims = parse(&claims).unwrap();
    let fault = |name, fault| Err::<Option<&str>, _>(error(name, fault));
    assert_eq!(
        claims.texts(&["realm_access", "roles"]),
        Ok(Some(vec!["a", "b"]))
    );
    assert_eq!(claims.texts(&["realm_access", "name"]), Ok(Some(vec!["c"])));
    assert_eq!(claims.text(&["realm_access", "name"]), Ok(Some("c")));
    assert_eq!(claims.text(&["realm_access", "a.b"]), Ok(Some("d")));
    assert_eq!(claims.text(&["realm_access", "absent"]), Ok(None));
    assert_eq!(claims.text(&["absent", "name"]), Ok(None));
    assert_eq!(claims.text(&["iss", "name"]), Ok(None));
    assert_eq!(claims.text::<&str>(&[]), Ok(None));
    assert_eq!(
        claims.text(&["realm_access"]),
        fault("realm_access", ClaimFault::WrongType)
    );
    assert_eq!(
        claims.texts(&["realm_access", "bad"]).map(|_| None),
        fault("realm_access.bad", ClaimFault::WrongType)
    );
    let break_fault = ClaimFault::Text(TextError::ControlCharacter);
    assert_eq!(
        claims.text(&["realm_access", "break"]),
        fault("realm_access.break", break_fault)
    );
}

#[test]
fn scopes_are_found_by_path() {
    let claims = parse(&with("scp", r#"["jobs","sql"]"#)).unwrap();
    let scopes = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| Scope::parse(text).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(claims.scopes(&["scp"]), Ok(Some(scopes(&["jobs", "sql"]))));
    assert_eq!(claims.scopes(&["scope"]), Ok(None));
    let wrong = ClaimFault::Scopes(ScopeListError::WrongType);
    assert_eq!(
        parse(&with("scp", "1")).unwrap().scopes(&["scp"]),
        Err(error("scp", wrong))
    );
}

#[test]
fn a_fault_names_its_claim() {
    use ClaimFault::{Missing, NotNumericDate, Scopes, Text, TooManyItems, WrongType};
    let scopes = Scopes(ScopeListError::WrongType);
    #[rustfmt::skip]
    let cases = [
        // error                                       claim         fault                text
        (error("exp", Missing),                        Some("exp"),  "missing",           "the claim `exp` is missing"),
        (error("exp", NotNumericDate),                 Some("exp"),  "not_a_date",        "the claim `exp` is not a number of seconds before the year 10000"),
        (error("a.b", WrongType),                      Some("a.b"),  "wrong_type",        "the claim `a.b` is of a wrong JSON type"),
        (error("aud", TooManyItems),                   Some("aud"),  "too_many_items",    "the claim `aud` has more than 4096 items"),
        (error("sub", Text(TextError::Empty)),         Some("sub"),  "empty",             "the claim `sub` is empty"),
        (error("sub", Text(TextError::TooLong(9999))), Some("sub"),  "too_long",          "the claim `sub` has 9999 bytes, over the limit"),
        (error("sub", Text(TextError::ControlCharacter)), Some("sub"), "control_character", "the claim `sub` holds a control character"),
        (ClaimError::Json(JsonError::Malformed),       None,         "not_json",          "the claims: not JSON"),
        (ClaimError::Json(JsonError::DuplicateMember), None,         "duplicate_member",  "the claims: a JSON object names a member twice"),
        (ClaimError::Json(JsonError::NotUtf8),         None,         "not_utf8",          "the claims: not UTF-8"),
        (ClaimError::Json(JsonError::TooDeep),         None,         "too_deep",          "the claims: JSON nested more than 64 deep"),
        (ClaimError::NotObject,                        None,         "not_an_object",     "the claims are not a JSON object"),
    ];
    for (error, claim, fault, text) in cases {
        assert_eq!((error.claim(), error.fault()), (claim, fault));
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(error("scp", scopes).fault(), "not_scopes");
}

type Case = (&'static str, String, Result<(), (&'static str, ClaimFault)>);

fn check(cases: &[Case]) {
    for (name, claims, want) in cases {
        let want = want.map_err(|(claim, fault)| error(claim, fault));
        assert_eq!(parse(claims).map(drop), want, "{name}");
    }
}

fn parse(claims: &str) -> Result<Claims, ClaimError> {
    Claims::parse(SignedPayload::unsigned(claims.as_bytes()))
}

fn with(name: &str, value: &str) -> String {
    format!(r#"{{"iss":"a","exp":1,"{name}":{value}}}"#)
}

const GOOD: &str = r#"{"iss":"a","exp":1}"#;
