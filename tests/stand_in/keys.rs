//! Keys of Ed25519, and an engine for them that costs nothing: a signature is known by its first
//! byte.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use databricks_oam_filter::token::algorithm::Algorithm;
use databricks_oam_filter::token::jwk::Jwk;
use databricks_oam_filter::token::signature::Verifier;
use ed25519_dalek::SigningKey;
use serde_json::json;

/// How many there are.
pub(crate) const KEYS: usize = 7;

/// A key's `x`.
pub(crate) fn x(number: usize) -> &'static str {
    &public_keys()[number].0
}

/// The byte by which a key's signatures are known.
pub(crate) fn thumbprint_byte(number: usize) -> u8 {
    public_keys()[number].1
}

fn public_keys() -> &'static [(String, u8); KEYS] {
    static PUBLIC_KEYS: OnceLock<[(String, u8); KEYS]> = OnceLock::new();
    PUBLIC_KEYS.get_or_init(|| {
        std::array::from_fn(|number| {
            let key = SigningKey::from_bytes(&[u8::try_from(number).unwrap(); 32]);
            let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
            let text = json!({ "kty": "OKP", "crv": "Ed25519", "x": x }).to_string();
            let thumbprint = Jwk::parse(text.as_bytes()).unwrap().thumbprint();
            (x, thumbprint.as_bytes()[0])
        })
    })
}

/// Takes the signature whose first byte is the key's.
pub(crate) struct FirstByte;

impl Verifier for FirstByte {
    fn verify(&self, _: Algorithm, key: &Jwk, _: &[u8], signature: &[u8]) -> bool {
        signature.first() == key.thumbprint().as_bytes().first()
    }
}
