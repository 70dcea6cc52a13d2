//! Tokens, and the engine that verifies them at no cost: a signature is a hash of key and text.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use databricks_oam_filter::token::algorithm::Algorithm;
use databricks_oam_filter::token::jwk::Jwk;
use databricks_oam_filter::token::signature::Verifier;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};

/// A token that was made, and what is true of it.
#[derive(Clone, Debug)]
pub(crate) struct Minted {
    pub(crate) text: String,
    pub(crate) id: String,
    pub(crate) issuer: usize,
    /// The number of the key that signed it.
    pub(crate) key: u32,
    /// In seconds of the wall clock.
    pub(crate) expires_at: u64,
    pub(crate) is_forged: bool,
    pub(crate) has_scope: bool,
}

/// An issuer's name.
pub(crate) fn issuer(issuer: usize) -> String {
    format!("https://issuer-{issuer}.example.com")
}

/// An issuer's key in a JWK Set.
pub(crate) fn jwk(issuer: usize, key: u32) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": key_id(issuer, key), "x": x(issuer, key) })
}

/// A token with these claims, signed by a key of the issuer's; or by another under that key's ID.
pub(crate) fn sign(issuer: usize, key: u32, claims: &Value, is_forged: bool) -> String {
    let header = json!({ "alg": "EdDSA", "kid": key_id(issuer, key) });
    let signed = [&header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let own = if is_forged {
        key.wrapping_add(1_000_000)
    } else {
        key
    };
    let signature = signature(&x(issuer, own), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The engine.
pub(crate) struct Hashing;

impl Verifier for Hashing {
    fn verify(&self, _: Algorithm, key: &Jwk, message: &[u8], claimed: &[u8]) -> bool {
        // The key's own bytes are the last of its SubjectPublicKeyInfo.
        let raw = key.spki().last_chunk::<32>();
        raw.is_some_and(|raw| signature(&URL_SAFE_NO_PAD.encode(raw), message) == claimed)
    }
}

fn key_id(issuer: usize, key: u32) -> String {
    format!("{issuer}-{key}")
}

fn x(issuer: usize, key: u32) -> String {
    let mut seed = [7; 32];
    let numbers = [u64::try_from(issuer).unwrap_or_default(), key.into()];
    for (place, byte) in seed
        .iter_mut()
        .zip(numbers.map(u64::to_le_bytes).as_flattened())
    {
        *place = *byte;
    }
    URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(&seed).verifying_key())
}

fn signature(key: &str, message: &[u8]) -> [u8; 64] {
    let mut signature = [0; 64];
    let (words, _) = signature.as_chunks_mut::<8>();
    for (number, word) in words.iter_mut().enumerate() {
        let mut hasher = DefaultHasher::new();
        (number, key, message).hash(&mut hasher);
        *word = hasher.finish().to_le_bytes();
    }
    // RFC 8032 §5.1.7: the second number is below the order of the group.
    if let Some(last) = signature.last_mut() {
        *last &= 0x0f;
    }
    signature
}
