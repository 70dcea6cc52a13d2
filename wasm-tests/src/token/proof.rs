//! Minting DPoP proofs (RFC 9449 §4.2), valid ones and every kind of invalid one.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Token, encode};
use crate::keys::key;

/// A proof for an access token: of type `dpop+jwt`, with the public half of its key, made `now`,
/// under an ID of its own. What `proof` says is laid over that.
pub fn mint(proof: &Token, access_token: &str, now: i64) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = proof.key.as_deref().unwrap_or("acme-rsa");
    let valid = json!({
        "jti": format!("{}-{}-{}", std::process::id(), now, COUNT.fetch_add(1, Ordering::Relaxed)),
        "iat": "now",
        "ath": encode(&Sha256::digest(access_token)),
    });
    let mut base = Token::new(name, &valid);
    let header = json!({ "typ": "dpop+jwt", "kid": Value::Null, "jwk": key(name).jwk });
    base.header = header.as_object().cloned().unwrap_or_default();
    base.with(proof).mint(now)
}

/// A valid proof of a test key for one request.
pub fn of(key: &str, method: &str, uri: &str, access_token: &str, now: i64) -> String {
    let claims = json!({ "htm": method, "htu": uri });
    mint(&Token::new(key, &claims), access_token, now)
}
