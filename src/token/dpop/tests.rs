use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::token::algorithm::Algorithm;
use crate::token::jws::JwsSegment;

/// Takes every signature that is all zeros, so that tests need no private key.
struct Zeros;

impl Verifier for Zeros {
    fn verify(&self, _: Algorithm, _: &Jwk, _: &[u8], signature: &[u8]) -> bool {
        signature.iter().all(|&byte| byte == 0)
    }
}

/// RFC 8037 appendix A.2, and its thumbprint of appendix A.3.
fn key() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

fn thumbprint() -> Thumbprint {
    Thumbprint::from_base64url("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k").unwrap()
}

/// Lays members over an object; `null` removes one.
fn with(mut base: Value, over: &Value) -> Value {
    let members = base.as_object_mut().unwrap();
    members.extend(over.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    base
}

fn proof(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let header = with(
        json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": key() }),
        header,
    );
    let claims = with(
        json!({ "jti": "p-1", "htm": "GET", "htu": "https://db.example/a", "iat": 1_800_000_000,
                "ath": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" }),
        claims,
    );
    let parts = [
        header.to_string().into_bytes(),
        claims.to_string().into_bytes(),
        signature.to_vec(),
    ];
    parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

#[test]
fn a_proof_says_what_it_is_for() {
    let text = proof(&json!({}), &json!({ "exp": 1_800_000_060 }), &[0; 64]);
    let moment = |seconds| UnixTime::from_seconds(seconds).unwrap();
    let want = Proof {
        method: "GET".into(),
        uri: "https://db.example/a".into(),
        token: Fingerprint::from_base64url("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0").unwrap(),
        issued_at: moment(1_800_000_000),
        expires_at: Some(moment(1_800_000_060)),
        id: "p-1".into(),
    };
    assert_eq!(
        Proof::verify(text.as_bytes(), thumbprint(), &Zeros),
        Ok(want)
    );
}

#[test]
fn a_proof_brings_the_public_key_that_is_expected() {
    use ProofError::{AnotherKey, Key, Malformed, Signature, Type};
    let other = json!({ "kty": "OKP", "crv": "Ed25519", "x": "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" });
    let jwk = |over: &Value| json!({ "jwk": with(key(), over) });
    let oct = json!({ "jwk": { "kty": "oct", "k": "AAAA" } });
    let does_not_fit = Signature(SignatureError::KeyDoesNotFit);
    let unsupported = Malformed(JwsError::UnsupportedAlgorithm);
    #[rustfmt::skip]
    let cases: [(&str, Value, Option<ProofError>); 18] = [
        // name                    header                                      want
        ("as it should be",        json!({}),                                  None),
        ("the media type",         json!({ "typ": "application/DPoP+jwt" }),   None),
        ("as browsers export it",  jwk(&json!({ "ext": true, "key_ops": ["verify"] })), None),
        ("its algorithm named",    jwk(&json!({ "alg": "EdDSA", "use": "sig" })), None),
        ("an access token",        json!({ "typ": "at+jwt" }),                 Some(Type)),
        ("no type",                json!({ "typ": null }),                     Some(Type)),
        ("no algorithm",           json!({ "alg": null }),                     Some(Malformed(JwsError::AlgorithmMissing))),
        ("unsigned",               json!({ "alg": "none" }),                   Some(unsupported)),
        ("by a shared secret",     json!({ "alg": "HS256" }),                  Some(unsupported)),
        ("extensions",             json!({ "crit": ["exp"] }),                 Some(Malformed(JwsError::Critical))),
        ("no key",                 json!({ "jwk": null }),                     Some(Key(JwkError::NotObject))),
        ("a key as text",          json!({ "jwk": key().to_string() }),        Some(Key(JwkError::NotObject))),
        ("a private key",          jwk(&json!({ "d": "AA" })),                 Some(Key(JwkError::Private))),
        ("a symmetric key",        oct,                                        Some(Key(JwkError::Private))),
        ("a key to encrypt with",  jwk(&json!({ "use": "enc" })),              Some(Key(JwkError::NotForSignatures))),
        ("a point of small order", jwk(&json!({ "x": URL_SAFE_NO_PAD.encode([0; 32]) })), Some(Key(JwkError::SmallOrder))),
        ("another key",            json!({ "jwk": other }),                    Some(AnotherKey)),
        ("another algorithm",      json!({ "alg": "ES256" }),                  Some(does_not_fit)),
    ];
    for (name, header, want) in cases {
        let text = proof(&header, &json!({}), &[0; 64]);
        let got = Proof::verify(text.as_bytes(), thumbprint(), &Zeros);
        assert_eq!(got.err(), want, "{name}");
    }
}

#[test]
fn a_proof_has_all_its_claims() {
    use ProofError::Claim;
    let long = "a".repeat(MAX_ID_BYTES + 1);
    let longest = long.get(1..).unwrap();
    #[rustfmt::skip]
    let cases: [(&str, Value, Option<ProofError>); 18] = [
        // name                  claims                       want
        ("others beside",        json!({ "nonce": "n" }),     None),
        ("the longest ID",       json!({ "jti": longest }),   None),
        ("a longer one",         json!({ "jti": long }),      Some(Claim("jti"))),
        ("an empty ID",          json!({ "jti": "" }),        Some(Claim("jti"))),
        ("a number as ID",       json!({ "jti": 1 }),         Some(Claim("jti"))),
        ("no ID",                json!({ "jti": null }),      Some(Claim("jti"))),
        ("no method",            json!({ "htm": null }),      Some(Claim("htm"))),
        ("methods",              json!({ "htm": ["GET"] }),   Some(Claim("htm"))),
        ("no URI",               json!({ "htu": null }),      Some(Claim("htu"))),
        ("a URI in pieces",      json!({ "htu": {} }),        Some(Claim("htu"))),
        ("no token",             json!({ "ath": null }),      Some(Claim("ath"))),
        ("a short digest",       json!({ "ath": "ungW" }),    Some(Claim("ath"))),
        ("padding",              json!({ "ath": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=" }), Some(Claim("ath"))),
        ("no time",              json!({ "iat": null }),      Some(Claim("iat"))),
        ("a time as text",       json!({ "iat": "1800000000" }), Some(Claim("iat"))),
        ("milliseconds",         json!({ "iat": 1_800_000_000_000_u64 }), Some(Claim("iat"))),
        ("a negative time",      json!({ "iat": -1 }),        Some(Claim("iat"))),
        ("an end as text",       json!({ "exp": "never" }),   Some(Claim("exp"))),
    ];
    for (name, claims, want) in cases {
        let text = proof(&json!({}), &claims, &[0; 64]);
        let got = Proof::verify(text.as_bytes(), thumbprint(), &Zeros);
        assert_eq!(got.err(), want, "{name}");
    }
}

#[test]
fn what_is_no_signed_jwt_is_no_proof() {
    use ProofError::{Json as BadJson, Malformed, Signature, Text};
    let valid = proof(&json!({}), &json!({}), &[0; 64]);
    let (signed, _) = valid.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let raw = |payload: &str| {
        let parts = [payload.as_bytes(), &[0; 64]].map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("{header}.{}", parts.join("."))
    };
    let forged = proof(&json!({}), &json!({}), &[1; 64]);
    let short = proof(&json!({}), &json!({}), &[0; 63]);
    let twice = raw(r#"{"jti":"a","jti":"b"}"#);
    let long = "a".repeat(MAX_BYTES + 1);
    #[rustfmt::skip]
    let cases: [(&str, &[u8], ProofError); 10] = [
        // name                text                              want
        ("nothing",            b"",                              Text(BearerError::Empty)),
        ("a space",            b"a b",                           Text(BearerError::IllegalByte(1))),
        ("no text",            b"\xff\x00",                      Text(BearerError::IllegalByte(0))),
        ("too long",           long.as_bytes(),                  Text(BearerError::TooLong(MAX_BYTES + 1))),
        ("two parts",          signed.as_bytes(),                Malformed(JwsError::SegmentCount(2))),
        ("no signature",       &[signed.as_bytes(), b"."].concat(), Malformed(JwsError::EmptySegment(JwsSegment::Signature))),
        ("another signature",  forged.as_bytes(),                Signature(SignatureError::Mismatch)),
        ("a short one",        short.as_bytes(),                 Signature(SignatureError::Length(63))),
        ("a claim twice",      twice.as_bytes(),                 BadJson(JsonError::DuplicateMember)),
        ("no claims",          &raw("[]").into_bytes(),          ProofError::Claim("jti")),
    ];
    for (name, text, want) in cases {
        let got = Proof::verify(text, thumbprint(), &Zeros);
        assert_eq!(got.err(), Some(want), "{name}");
    }
}

#[test]
fn codes_are_stable() {
    let signature = ProofError::Signature(SignatureError::Mismatch);
    let type_ = ProofError::Type;
    for (error, code) in [
        (ProofError::AnotherKey, "dpop_proof_by_another_key"),
        (ProofError::Claim("jti"), "dpop_proof_malformed"),
        (ProofError::Key(JwkError::Private), "dpop_proof_key_refused"),
        (signature, "dpop_proof_signature"),
        (type_, "dpop_proof_wrong_type"),
    ] {
        assert_eq!(error.code(), code);
    }
}
