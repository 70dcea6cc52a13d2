use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::token::json::MAX_DEPTH;

#[test]
fn a_key_is_for_verifying_signatures() {
    #[rustfmt::skip]
    let cases: [(&str, Value, Option<JwkError>); 29] = [
        // name                      changes                                    want
        ("the key itself",           json!({}),                                 None),
        ("for signatures",           json!({"use": "sig"}),                     None),
        ("for verifying",            json!({"key_ops": ["sign", "verify"]}),    None),
        ("its own algorithm",        json!({"alg": "ES256"}),                   None),
        ("certificates, unread",     json!({"x5c": "x", "x5t": 1, "x5u": {}}),  None),
        ("for encryption",           json!({"use": "enc"}),                     Some(JwkError::NotForSignatures)),
        ("another case",             json!({"use": "Sig"}),                     Some(JwkError::NotForSignatures)),
        ("an empty use",             json!({"use": ""}),                        Some(JwkError::NotForSignatures)),
        ("a use list",               json!({"use": ["sig"]}),                   Some(JwkError::WrongType("use"))),
        ("a null use",               json!({"use": null}),                      Some(JwkError::WrongType("use"))),
        ("for encrypting",           json!({"key_ops": ["encrypt"]}),           Some(JwkError::NotForVerifying)),
        ("for nothing",              json!({"key_ops": []}),                    Some(JwkError::NotForVerifying)),
        ("operations as a string",   json!({"key_ops": "verify"}),              Some(JwkError::WrongType("key_ops"))),
        ("a number among them",      json!({"key_ops": ["verify", 1]}),         Some(JwkError::WrongType("key_ops"))),
        ("another algorithm",        json!({"alg": "ES384"}),                   Some(JwkError::AlgorithmMismatch)),
        ("of another family",        json!({"alg": "RS256"}),                   Some(JwkError::AlgorithmMismatch)),
        ("one unknown here",         json!({"alg": "ECDH-ES"}),                 Some(JwkError::UnsupportedAlgorithm)),
        ("none",                     json!({"alg": "none"}),                    Some(JwkError::UnsupportedAlgorithm)),
        ("HMAC",                     json!({"alg": "HS256"}),                   Some(JwkError::UnsupportedAlgorithm)),
        ("a number as algorithm",    json!({"alg": 1}),                         Some(JwkError::WrongType("alg"))),
        ("a private key",            json!({"d": "AA"}),                        Some(JwkError::Private)),
        ("a private member, null",   json!({"qi": null}),                       Some(JwkError::Private)),
        ("a secret beside",          json!({"k": "AA"}),                        Some(JwkError::Private)),
        ("a number as key ID",       json!({"kid": 1}),                         Some(JwkError::WrongType("kid"))),
        ("a line break in it",       json!({"kid": "a\nb"}),                    Some(JwkError::Text(text::TextError::ControlCharacter))),
        ("an unknown kind",          json!({"kty": "AKP"}),                     Some(JwkError::UnsupportedKeyType)),
        ("another case of kind",     json!({"kty": "ec"}),                      Some(JwkError::UnsupportedKeyType)),
        ("a kind that is a list",    json!({"kty": ["EC"]}),                    Some(JwkError::WrongType("kty"))),
        ("an RSA key by name",       json!({"kty": "RSA"}),                     Some(JwkError::Missing("n"))),
    ];
    for (name, changes, want) in cases {
        assert_eq!(parse(P256, &changes).err(), want, "{name}");
    }
    let symmetric = json!({"kty": "oct", "alg": "HS256", "use": "sig"});
    assert_eq!(
        Jwk::parse(symmetric.to_string().as_bytes()).err(),
        Some(JwkError::Symmetric)
    );
}

#[test]
fn an_entry_is_one_strict_object() {
    let deep = format!(
        r#"{{"kty":"RSA","x":{}{}}}"#,
        "[".repeat(MAX_DEPTH),
        "]".repeat(MAX_DEPTH)
    );
    let large = " ".repeat(MAX_BYTES + 1);
    #[rustfmt::skip]
    let cases = [
        ("null",              "null",                           JwkError::NotObject),
        ("a list",            "[]",                             JwkError::NotObject),
        ("nothing inside",    "{}",                             JwkError::Missing("kty")),
        ("a kind twice",      r#"{"kty":"RSA","kty":"EC"}"#,    JwkError::Json(JsonError::DuplicateMember)),
        ("too large",         large.as_str(),                   JwkError::TooLarge(MAX_BYTES + 1)),
        ("nested too deep",   deep.as_str(),                    JwkError::Json(JsonError::TooDeep)),
    ];
    for (name, text, want) in cases {
        assert_eq!(Jwk::parse(text.as_bytes()).err(), Some(want), "{name}");
    }
    let largest = P256.trim().replacen(
        '{',
        &format!("{{{}", " ".repeat(MAX_BYTES - P256.trim().len())),
        1,
    );
    assert_eq!(
        Jwk::parse(largest.as_bytes()).err(),
        Some(JwkError::Private)
    );
}

#[test]
fn an_rsa_key_has_2048_to_4096_bits_and_a_sane_exponent() {
    let modulus = |bytes: usize, first: u8, last: u8| {
        let mut number = vec![0x5a; bytes];
        number[0] = first;
        number[bytes - 1] = last;
        json!({ "n": encode(&number) })
    };
    let exponent = |bytes: &[u8]| json!({ "e": encode(bytes) });
    let padded = format!("{}=", encode(&[0x81; 257]));
    #[rustfmt::skip]
    let cases: [(&str, Value, Option<JwkError>); 30] = [
        // name                   changes                            want
        ("2048 bits",             modulus(256, 0x80, 1),             None),
        ("2047 bits",             modulus(256, 0x7f, 1),             Some(JwkError::RsaModulusSize(2047))),
        ("3072 bits",             modulus(384, 0xff, 1),             None),
        ("4096 bits",             modulus(512, 0xff, 1),             None),
        ("4097 bits",             modulus(513, 0x01, 1),             Some(JwkError::RsaModulusSize(4097))),
        ("512 bits",              modulus(64, 0xff, 1),              Some(JwkError::RsaModulusSize(512))),
        ("1024 bits",             modulus(128, 0xff, 1),             Some(JwkError::RsaModulusSize(1024))),
        ("16,384 bits",           modulus(2048, 0xff, 1),            Some(JwkError::RsaModulusSize(16_384))),
        ("2048 behind a zero",    json!({"n": encode(&[&[0][..], &[0x81; 256]].concat())}), None),
        ("4096 behind zeros",     json!({"n": encode(&[&[0; 9][..], &[0x81; 512]].concat())}), None),
        ("2040 behind a zero",    modulus(256, 0, 1),                Some(JwkError::RsaModulusSize(2039))),
        ("an even modulus",       modulus(256, 0xff, 2),             Some(JwkError::RsaModulusEven)),
        ("a modulus of nothing",  json!({"n": "AA"}),                Some(JwkError::RsaModulusSize(0))),
        ("an empty modulus",      json!({"n": ""}),                  Some(JwkError::RsaModulusSize(0))),
        ("a padded modulus",      json!({"n": padded}),              Some(JwkError::NotBase64Url("n"))),
        ("a modulus as number",   json!({"n": 5}),                   Some(JwkError::WrongType("n"))),
        ("exponent 3",            exponent(&[3]),                    None),
        ("exponent 65537",        exponent(&[1, 0, 1]),              None),
        ("exponent 2^32 - 1",     exponent(&[255; 4]),               None),
        ("exponent 2^32 + 1",     exponent(&[1, 0, 0, 0, 1]),        Some(JwkError::RsaExponent)),
        ("exponent 1",            exponent(&[1]),                    Some(JwkError::RsaExponent)),
        ("exponent 0",            exponent(&[0]),                    Some(JwkError::RsaExponent)),
        ("exponent 1 behind a zero", exponent(&[0, 1]),              Some(JwkError::RsaExponent)),
        ("exponent 2",            exponent(&[2]),                    Some(JwkError::RsaExponent)),
        ("exponent 65536",        exponent(&[1, 0, 0]),              Some(JwkError::RsaExponent)),
        ("3 behind a zero",       exponent(&[0, 3]),                 None),
        ("2^32 + 1 behind zeros", exponent(&[0, 0, 1, 0, 0, 0, 1]),  Some(JwkError::RsaExponent)),
        ("no digits at all",      exponent(&[]),                     Some(JwkError::RsaExponent)),
        ("a huge one",            exponent(&[255; 256]),             Some(JwkError::RsaExponent)),
        ("as number",             json!({"e": 65537}),               Some(JwkError::WrongType("e"))),
    ];
    for (name, changes, want) in cases {
        assert_eq!(parse(RSA, &changes).err(), want, "{name}");
    }
}

#[test]
fn leading_zeros_make_no_other_key() {
    let key = |changes: &Value| parse(RSA, changes).unwrap();
    let bytes = coordinate(RSA, "n");
    let plain = key(&json!({}));
    let zeros = key(&json!({ "n": encode(&[&[0, 0][..], &bytes].concat()), "e": "AAEAAQ" }));
    assert_eq!(zeros.thumbprint(), plain.thumbprint());
    assert_eq!(zeros.material(), plain.material());
}

#[test]
fn an_ec_key_is_a_point_of_its_curve() {
    let (x, y) = (coordinate(P256, "x"), coordinate(P256, "y"));
    let mut off = y.clone();
    off[31] ^= 1;
    let shifted = json!({"x": encode(&x[..31]), "y": encode(&[&x[31..], &y].concat())});
    #[rustfmt::skip]
    let cases: [(&str, &str, Value, Option<JwkError>); 13] = [
        // name                    key    changes                                want
        ("P-256",                  P256,  json!({}),                             None),
        ("P-384",                  P384,  json!({}),                             None),
        ("off the curve",          P256,  json!({"y": encode(&off)}),            Some(JwkError::NotOnCurve)),
        ("x and y changed round",  P256,  json!({"x": encode(&y), "y": encode(&x)}), Some(JwkError::NotOnCurve)),
        ("the origin",             P256,  json!({"x": encode(&[0; 32]), "y": encode(&[0; 32])}), Some(JwkError::NotOnCurve)),
        ("beyond the prime",       P256,  json!({"x": encode(&[255; 32])}),      Some(JwkError::NotOnCurve)),
        ("split elsewhere",        P256,  shifted,                               Some(JwkError::CoordinateLength("x"))),
        ("a leading zero",         P256,  json!({"x": encode(&[&[0], &x[..]].concat())}), Some(JwkError::CoordinateLength("x"))),
        ("too short",              P256,  json!({"y": encode(&y[1..])}),         Some(JwkError::CoordinateLength("y"))),
        ("under another curve",    P256,  json!({"crv": "P-384"}),               Some(JwkError::CoordinateLength("x"))),
        ("P-521",                  P256,  json!({"crv": "P-521"}),               Some(JwkError::UnsupportedCurve)),
        ("secp256k1",              P256,  json!({"crv": "secp256k1"}),           Some(JwkError::UnsupportedCurve)),
        ("an Edwards curve",       P256,  json!({"crv": "Ed25519"}),             Some(JwkError::UnsupportedCurve)),
    ];
    for (name, key, changes, want) in cases {
        assert_eq!(parse(key, &changes).err(), want, "{name}");
    }
}

#[test]
fn an_ed25519_key_is_canonical_and_of_large_order() {
    let bytes = |first: u8, middle: u8, last: u8| {
        let mut point = [middle; 32];
        (point[0], point[31]) = (first, last);
        point
    };
    let order_8 = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    #[rustfmt::skip]
    let cases: [(&str, &[u8], Option<JwkError>); 9] = [
        // name                         x                               want
        ("a good one",                  &coordinate(ED25519, "x"),      None),
        ("order 1",                     &bytes(1, 0, 0),                Some(JwkError::SmallOrder)),
        ("order 2",                     &bytes(0xec, 0xff, 0x7f),       Some(JwkError::SmallOrder)),
        ("order 4",                     &bytes(0, 0, 0),                Some(JwkError::SmallOrder)),
        ("order 8",                     &order_8,                       Some(JwkError::SmallOrder)),
        ("order 1, sign of nothing",    &bytes(1, 0, 0x80),             Some(JwkError::NotOnCurve)),
        ("order 1, beyond the prime",   &bytes(0xee, 0xff, 0x7f),       Some(JwkError::NotOnCurve)),
        ("31 bytes",                    &[1; 31],                       Some(JwkError::CoordinateLength("x"))),
        ("33 bytes",                    &[1; 33],                       Some(JwkError::CoordinateLength("x"))),
    ];
    for (name, x, want) in cases {
        assert_eq!(
            parse(ED25519, &json!({ "x": encode(x) })).err(),
            want,
            "{name}"
        );
    }
    // RFC 8032 §5.1.3: y below p = 2^255 - 19.
    for first in 0xed..=0xff {
        for last in [0x7f, 0xff] {
            let x = encode(&bytes(first, 0xff, last));
            assert_eq!(
                parse(ED25519, &json!({ "x": x })).err(),
                Some(JwkError::NotOnCurve),
                "{first:x}"
            );
        }
    }
    assert_eq!(
        parse(ED25519, &json!({"crv": "X25519"})).err(),
        Some(JwkError::UnsupportedCurve)
    );
    assert_eq!(
        parse(ED25519, &json!({"crv": "Ed448"})).err(),
        Some(JwkError::UnsupportedCurve)
    );
}

#[test]
fn a_key_fits_what_its_kind_and_its_alg_allow() {
    let fitting = |text, changes| {
        parse(text, &changes)
            .unwrap()
            .algorithms()
            .iter()
            .map(Algorithm::as_str)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        fitting(RSA, json!({})),
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
    );
    assert_eq!(fitting(RSA, json!({"alg": "PS384"})), ["PS384"]);
    assert_eq!(fitting(P256, json!({})), ["ES256"]);
    assert_eq!(fitting(P384, json!({})), ["ES384"]);
    assert_eq!(fitting(ED25519, json!({})), ["EdDSA"]);
}

/// The examples of RFC 7638 §3.1 and RFC 8037 appendix A.3.
#[test]
fn thumbprints_are_those_of_the_rfcs() {
    let rsa = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
    let ed = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    for (text, want) in [
        (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (ed, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ] {
        assert_eq!(
            encode(Jwk::parse(text.as_bytes()).unwrap().thumbprint().as_bytes()),
            want
        );
    }
}

/// A test key, its private members removed, with members added or replaced.
fn parse(text: &str, changes: &Value) -> Result<Jwk, JwkError> {
    let mut key: Value = serde_json::from_str(text).unwrap();
    let members = key.as_object_mut().unwrap();
    members.retain(|name, _| !["d", "p", "q"].contains(&name.as_str()));
    members.extend(changes.as_object().unwrap().clone());
    Jwk::parse(key.to_string().as_bytes())
}

fn coordinate(text: &str, name: &str) -> Vec<u8> {
    let key: Value = serde_json::from_str(text).unwrap();
    URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

const ED25519: &str = include_str!("../../../tests/keys/ed25519.json");
const P256: &str = include_str!("../../../tests/keys/p-256.json");
const P384: &str = include_str!("../../../tests/keys/p-384.json");
const RSA: &str = include_str!("../../../tests/keys/rsa.json");
