//! The fixed keys of the tests, and JWK Sets made of them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use serde::Deserialize;
use serde_json::{Value, json};

/// A key that tests sign with.
#[derive(Deserialize)]
pub struct TestKey {
    /// Its name, which is its key ID too.
    pub name: String,
    /// The public half.
    pub jwk: Value,
    private: Private,
}

impl TestKey {
    /// The private half, as jsonwebtoken takes it.
    pub fn encoding_key(&self) -> EncodingKey {
        let der = STANDARD
            .decode(&self.private.der)
            .expect("a test key is base64");
        match self.jwk["kty"].as_str() {
            Some("RSA") => EncodingKey::from_rsa_der(&der),
            Some("EC") => EncodingKey::from_ec_der(&der),
            Some("OKP") => EncodingKey::from_ed_der(&der),
            other => panic!("a test key of type {other:?}"),
        }
    }

    /// The bytes of one member of the JWK, such as the modulus `n`.
    pub fn member(&self, name: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD
            .decode(self.jwk[name].as_str().expect("a member of a test key"))
            .expect("base64url")
    }

    /// The public half of an RSA key as a DER `SubjectPublicKeyInfo`: what an attacker feeds to
    /// HMAC.
    pub fn rsa_public_der(&self) -> Vec<u8> {
        let key = der(
            0x30,
            &[
                der_integer(&self.member("n")),
                der_integer(&self.member("e")),
            ]
            .concat(),
        );
        // AlgorithmIdentifier { rsaEncryption, NULL }
        let algorithm = [
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
            0x00,
        ];
        der(
            0x30,
            &[&algorithm[..], &der(0x03, &[&[0], &key[..]].concat())].concat(),
        )
    }

    /// The same, as PEM.
    pub fn rsa_public_pem(&self) -> String {
        pem("PUBLIC KEY", &self.rsa_public_der())
    }
}

#[derive(Deserialize)]
struct Private {
    der: String,
}

/// The key of this name.
pub fn key(name: &str) -> &'static TestKey {
    all()
        .get(name)
        .unwrap_or_else(|| panic!("no test key `{name}` under wasm-tests/keys"))
}

/// The JWK Set of the public halves of these keys.
pub fn jwk_set<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let keys: Vec<Value> = names
        .into_iter()
        .map(|name| key(name).jwk.clone())
        .collect();
    json!({ "keys": keys })
}

/// An RSA public JWK of so many bits which no one holds the private half of: an odd number, not a
/// product of two primes.
pub fn rsa_jwk_of(bits: usize, key_id: &str) -> Value {
    let mut modulus = vec![0xc5; bits / 8];
    if let Some(last) = modulus.last_mut() {
        *last |= 1;
    }
    json!({ "kty": "RSA", "kid": key_id, "use": "sig", "n": URL_SAFE_NO_PAD.encode(modulus), "e": "AQAB" })
}

/// One DER value.
pub(crate) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let low = u8::try_from(length & 0xff).expect("masked");
    let high = u8::try_from(length >> 8).expect("a test value below 64 KiB");
    let head = match length {
        0..=0x7f => vec![tag, low],
        0x80..=0xff => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content.to_vec()].concat()
}

/// DER as text (RFC 7468).
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// An unsigned number as a DER INTEGER: no leading zeros but one where the top bit is set.
pub(crate) fn der_integer(number: &[u8]) -> Vec<u8> {
    let zeros = number
        .iter()
        .take_while(|byte| **byte == 0)
        .count()
        .min(number.len().saturating_sub(1));
    let number = &number[zeros..];
    let sign: &[u8] = if number.first().is_some_and(|byte| *byte >= 0x80) {
        &[0]
    } else {
        &[]
    };
    der(0x02, &[sign, number].concat())
}

fn all() -> &'static BTreeMap<String, TestKey> {
    static KEYS: OnceLock<BTreeMap<String, TestKey>> = OnceLock::new();
    KEYS.get_or_init(|| {
        SOURCES
            .iter()
            .map(|text| {
                let key: TestKey = serde_json::from_str(text).expect("a test key");
                (key.name.clone(), key)
            })
            .collect()
    })
}

const SOURCES: [&str; 8] = [
    include_str!("../keys/acme-ed25519.json"),
    include_str!("../keys/acme-p256.json"),
    include_str!("../keys/acme-p384.json"),
    include_str!("../keys/acme-rsa.json"),
    include_str!("../keys/partner-rsa.json"),
    include_str!("../keys/stranger-rsa.json"),
    include_str!("../keys/weak-1024.json"),
    include_str!("../keys/weak-512.json"),
];
