use super::*;
use crate::time::UnixTime;
use crate::token::bearer::DEFAULT_MAX_BYTES;
use crate::token::jwk::MAX_KEY_ID_BYTES;

#[test]
fn a_jws_has_three_segments_of_canonical_base64url() {
    use JwsError::{EmptySegment, Header, NotBase64Url, SegmentCount};
    use JwsSegment::{Header as InHeader, Payload, Signature};
    let good = encode(br#"{"alg":"RS256"}"#);
    let json_serialisation = encode(br#"{"payload":"","signatures":[]}"#);
    let dots = ".".repeat(DEFAULT_MAX_BYTES);
    #[rustfmt::skip]
    let cases: [(&str, String, Option<JwsError>); 19] = [
        // name                         token                              want
        ("a JWS",                       format!("{good}.Zm9v.Zm9v"),       None),
        ("one segment",                 good.clone(),                      Some(SegmentCount(1))),
        ("two segments",                format!("{good}.Zm9v"),            Some(SegmentCount(2))),
        ("four segments",               format!("{good}.Zm9v.Zm9v.Zm9v"),  Some(SegmentCount(4))),
        ("five, as a JWE has",          format!("{good}.a.b.c.d"),         Some(SegmentCount(5))),
        ("dots alone",                  dots,                              Some(SegmentCount(DEFAULT_MAX_BYTES + 1))),
        ("two dots alone",              "..".into(),                       Some(EmptySegment(InHeader))),
        ("no header",                   ".Zm9v.Zm9v".into(),               Some(EmptySegment(InHeader))),
        ("no payload",                  format!("{good}..Zm9v"),           Some(EmptySegment(Payload))),
        ("no signature",                format!("{good}.Zm9v."),           Some(EmptySegment(Signature))),
        ("a padded signature",          format!("{good}.Zm9v.Zg=="),       Some(NotBase64Url(Signature))),
        ("the other alphabet, header",  format!("+{good}.Zm9v.Zm9v"),      Some(NotBase64Url(InHeader))),
        ("the other alphabet, payload", format!("{good}.Zm/v.Zm9v"),       Some(NotBase64Url(Payload))),
        ("a tilde",                     format!("{good}.Zm9v.Zm~v"),       Some(NotBase64Url(Signature))),
        ("trailing bits, payload",      format!("{good}.Zm9.Zm9v"),        Some(NotBase64Url(Payload))),
        ("trailing bits, signature",    format!("{good}.Zm9v.Zh"),         Some(NotBase64Url(Signature))),
        ("an impossible length",        format!("{good}.Zm9vZ.Zm9v"),      Some(NotBase64Url(Payload))),
        ("a header that is not JSON",   "Zm9v.Zm9v.Zm9v".into(),           Some(Header(JsonError::Malformed))),
        ("JSON serialisation inside",   format!("{json_serialisation}.Zm9v.Zm9v"), Some(JwsError::AlgorithmMissing)),
    ];
    for (name, token, want) in cases {
        assert_eq!(parse(&token).err(), want, "{name}");
    }
}

#[test]
fn a_header_asks_for_nothing_we_do_not_do() {
    use HeaderMember::Algorithm as Alg;
    use JwsError::{
        AlgorithmMissing, Compressed, Critical, Encrypted, Header, HeaderNotObject, Nested,
        Unencoded, UnsupportedAlgorithm, WrongType,
    };
    let deep = format!(
        r#"{{"alg":"RS256","x":{}1{}}}"#,
        "[".repeat(5000),
        "]".repeat(5000)
    );
    #[rustfmt::skip]
    let cases: [(&str, &str, Option<JwsError>); 38] = [
        // name                           header
        // want
        ("an algorithm alone",            r#"{"alg":"RS256"}"#,                                   None),
        ("spaces",                        " { \"alg\" : \"RS256\" } ",                            None),
        ("own key material, passed over", r#"{"alg":"RS256","jku":"https://a","x5u":1,"jwk":{"kty":"oct"},"x5c":[1],"x5t":null}"#, None),
        ("members of any type",           r#"{"alg":"RS256","ver":1,"nonce":null,"a":{"b":[]}}"#, None),
        ("another content",               r#"{"alg":"RS256","cty":"json"}"#,                      None),
        ("no algorithm",                  "{}",                                                   Some(AlgorithmMissing)),
        ("none",                          r#"{"alg":"none"}"#,                                    Some(UnsupportedAlgorithm)),
        ("none, otherwise",               r#"{"alg":"nOnE"}"#,                                    Some(UnsupportedAlgorithm)),
        ("an empty algorithm",            r#"{"alg":""}"#,                                        Some(UnsupportedAlgorithm)),
        ("HMAC",                          r#"{"alg":"HS256"}"#,                                   Some(UnsupportedAlgorithm)),
        ("another case",                  r#"{"alg":"rs256"}"#,                                   Some(UnsupportedAlgorithm)),
        ("a NUL behind",                  r#"{"alg":"RS256\u0000"}"#,                             Some(UnsupportedAlgorithm)),
        ("an array of algorithms",        r#"{"alg":["RS256"]}"#,                                 Some(WrongType(Alg))),
        ("a number as algorithm",         r#"{"alg":256}"#,                                       Some(WrongType(Alg))),
        ("null as algorithm",             r#"{"alg":null}"#,                                      Some(WrongType(Alg))),
        ("not an object",                 r#"["RS256"]"#,                                         Some(HeaderNotObject)),
        ("a string",                      r#""RS256""#,                                           Some(HeaderNotObject)),
        ("two values",                    r#"{"alg":"RS256"}{}"#,                                 Some(Header(JsonError::Malformed))),
        ("a byte order mark",             "\u{feff}{\"alg\":\"RS256\"}",                          Some(Header(JsonError::Malformed))),
        ("a lone surrogate",              r#"{"alg":"RS256","kid":"\ud800"}"#,                    Some(Header(JsonError::Malformed))),
        ("two algorithms",                r#"{"alg":"RS256","alg":"RS256"}"#,                     Some(Header(JsonError::DuplicateMember))),
        ("two, one of them escaped",      r#"{"alg":"RS256","\u0061lg":"none"}"#,                 Some(Header(JsonError::DuplicateMember))),
        ("two of something passed over",  r#"{"alg":"RS256","x":{"a":1,"a":2}}"#,                 Some(Header(JsonError::DuplicateMember))),
        ("nested 5,000 deep",             deep.as_str(),                                          Some(Header(JsonError::TooDeep))),
        ("crit",                          r#"{"alg":"RS256","crit":["exp"],"exp":1}"#,            Some(Critical)),
        ("crit, empty",                   r#"{"alg":"RS256","crit":[]}"#,                         Some(Critical)),
        ("crit, null",                    r#"{"alg":"RS256","crit":null}"#,                       Some(Critical)),
        ("crit of a registered name",     r#"{"alg":"RS256","crit":["alg"]}"#,                    Some(Critical)),
        ("b64 false",                     r#"{"alg":"RS256","b64":false}"#,                       Some(Unencoded)),
        ("b64 true",                      r#"{"alg":"RS256","b64":true}"#,                        Some(Unencoded)),
        ("b64 and crit",                  r#"{"alg":"RS256","b64":false,"crit":["b64"]}"#,        Some(Unencoded)),
        ("zip",                           r#"{"alg":"RS256","zip":"DEF"}"#,                       Some(Compressed)),
        ("zip, null",                     r#"{"alg":"RS256","zip":null}"#,                        Some(Compressed)),
        ("a JWE's header",                r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#,                Some(Encrypted)),
        ("a JWE with our algorithm",      r#"{"alg":"RS256","enc":"A256GCM"}"#,                   Some(Encrypted)),
        ("a nested token",                r#"{"alg":"RS256","cty":"JWT"}"#,                       Some(Nested)),
        ("a nested token, otherwise",     r#"{"alg":"RS256","cty":"application/jwt"}"#,           Some(Nested)),
        ("a nested token, shouting",      r#"{"alg":"RS256","cty":"Application/JwT"}"#,           Some(Nested)),
    ];
    check_headers(&cases);
}

#[test]
fn texts_of_a_header_are_strings_within_limits() {
    use HeaderMember::{ContentType, KeyId, TokenType};
    use JwsError::{Text, WrongType};
    let text = |member, fault| Some(Text { member, fault });
    let control = TextError::ControlCharacter;
    let (longest, long) = (
        "a".repeat(MAX_KEY_ID_BYTES),
        "a".repeat(MAX_KEY_ID_BYTES + 1),
    );
    let longest = format!(r#"{{"alg":"RS256","kid":"{longest}"}}"#);
    let long = format!(r#"{{"alg":"RS256","kid":"{long}"}}"#);
    let long_type = format!(r#"{{"alg":"RS256","typ":"{}"}}"#, "a".repeat(256));
    #[rustfmt::skip]
    let cases: [(&str, &str, Option<JwsError>); 14] = [
        // name                           header
        // want
        ("key ID and type",               r#"{"alg":"ES256","kid":"a/../b","typ":"at+jwt"}"#,     None),
        ("the longest key ID",            longest.as_str(),                                       None),
        ("content of wrong type",         r#"{"alg":"RS256","cty":["JWT"]}"#,                     Some(WrongType(ContentType))),
        ("a number as key ID",            r#"{"alg":"RS256","kid":1}"#,                           Some(WrongType(KeyId))),
        ("an object as key ID",           r#"{"alg":"RS256","kid":{}}"#,                          Some(WrongType(KeyId))),
        ("null as key ID",                r#"{"alg":"RS256","kid":null}"#,                        Some(WrongType(KeyId))),
        ("a line break in the key ID",    r#"{"alg":"RS256","kid":"a\r\nb"}"#,                    text(KeyId, control)),
        ("a NUL in the key ID",           r#"{"alg":"RS256","kid":"a\u0000"}"#,                   text(KeyId, control)),
        ("an empty key ID",               r#"{"alg":"RS256","kid":""}"#,                          text(KeyId, TextError::Empty)),
        ("a key ID too long",             long.as_str(),                                          text(KeyId, TextError::TooLong(MAX_KEY_ID_BYTES + 1))),
        ("a number as type",              r#"{"alg":"RS256","typ":1}"#,                           Some(WrongType(TokenType))),
        ("an array as type",              r#"{"alg":"RS256","typ":["at+jwt"]}"#,                  Some(WrongType(TokenType))),
        ("a tab in the type",             r#"{"alg":"RS256","typ":"a\tb"}"#,                      text(TokenType, control)),
        ("a type too long",               long_type.as_str(),                                     text(TokenType, TextError::TooLong(256))),
    ];
    check_headers(&cases);
}

#[test]
fn the_header_is_read_out() {
    let token = format!(
        "{}.Zm9v.Zm9v",
        encode(br#"{"typ":"AT+jwt","kid":"a","alg":"ES384"}"#)
    );
    let jws = parse(&token).ok().unwrap();
    assert_eq!(jws.algorithm(), Algorithm::Es384);
    assert_eq!(jws.key_id(), Some("a"));
    assert_eq!(jws.token_type(), Some("AT+jwt"));
    assert!(jws.has_token_type("at+jwt") && jws.has_token_type("application/AT+JWT"));
    assert!(!jws.has_token_type("jwt") && !jws.has_token_type("text/at+jwt"));
}

#[test]
fn a_hint_is_only_what_could_be_accepted() {
    let hint = |seconds: Option<u64>| {
        let expires_at = seconds.and_then(UnixTime::from_seconds);
        Some(IssuerHint {
            issuer: "https://a".into(),
            expires_at,
        })
    };
    #[rustfmt::skip]
    let cases = [
        // name                    payload                                 want
        ("issuer and expiry",      r#"{"iss":"https://a","exp":10}"#,      hint(Some(10))),
        ("no expiry",              r#"{"iss":"https://a"}"#,               hint(None)),
        ("an expiry of no use",    r#"{"iss":"https://a","exp":"10"}"#,    None),
        ("no issuer",              r#"{"exp":10}"#,                        None),
        ("an issuer of no use",    r#"{"iss":["https://a"]}"#,             None),
        ("an issuer with a break", r#"{"iss":"https://a\n"}"#,             None),
        ("two issuers",            r#"{"iss":"a","iss":"https://a"}"#,     None),
        ("not an object",          r#"["https://a"]"#,                     None),
        ("not JSON",               "foo",                                  None),
    ];
    for (name, payload, want) in cases {
        let token = format!(
            "{}.{}.Zm9v",
            encode(br#"{"alg":"RS256"}"#),
            encode(payload.as_bytes())
        );
        assert_eq!(parse(&token).ok().unwrap().issuer_hint(), want, "{name}");
    }
}

#[test]
fn codes_are_stable() {
    #[rustfmt::skip]
    let cases = [
        (JwsError::AlgorithmMissing,                     "unsupported_algorithm"),
        (JwsError::UnsupportedAlgorithm,                 "unsupported_algorithm"),
        (JwsError::Compressed,                           "unsupported_token"),
        (JwsError::Critical,                             "unsupported_token"),
        (JwsError::Encrypted,                            "unsupported_token"),
        (JwsError::Nested,                               "unsupported_token"),
        (JwsError::Unencoded,                            "unsupported_token"),
        (JwsError::EmptySegment(JwsSegment::Header),        "malformed_token"),
        (JwsError::Header(JsonError::TooDeep),           "malformed_token"),
        (JwsError::HeaderNotObject,                      "malformed_token"),
        (JwsError::NotBase64Url(JwsSegment::Payload),       "malformed_token"),
        (JwsError::SegmentCount(2),                      "malformed_token"),
        (JwsError::WrongType(HeaderMember::KeyId),       "malformed_token"),
    ];
    for (error, want) in cases {
        assert_eq!(error.code(), want, "{error}");
    }
}

fn check_headers(cases: &[(&str, &str, Option<JwsError>)]) {
    for (name, header, want) in cases {
        let token = format!("{}.Zm9v.Zm9v", encode(header.as_bytes()));
        assert_eq!(parse(&token).err(), *want, "{name}");
    }
}

fn parse(token: &str) -> Result<Jws<'_>, JwsError> {
    Jws::parse(
        &BearerToken::parse(token.as_bytes(), usize::MAX).unwrap_or_else(|error| panic!("{error}")),
    )
}

fn encode(bytes: &[u8]) -> String {
    base64url::encode(bytes)
}
