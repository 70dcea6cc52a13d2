//! Minting tokens, valid ones and every kind of invalid one.
//!
//! A [`Token`] is what a corpus file says of one: which key signs, which header and claims, and how
//! the result is then mangled.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::keys::{TestKey, key};
use crate::secrets;

mod mangle;
pub mod proof;

/// A token to mint.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Token {
    /// The test key that signs; `acme-rsa` when absent.
    pub key: Option<String>,
    /// The algorithm that signs, and `alg` unless the header says otherwise; by default the first
    /// that fits the key.
    pub algorithm: Option<String>,
    /// Members set over `alg`, `typ: JWT` and the key's `kid`; `null` removes one.
    pub header: Map<String, Value>,
    /// The claims; `null` removes one that a default has set. A text `now`, `now+60`, `now-60`
    /// becomes that `NumericDate`.
    pub claims: Map<String, Value>,
    /// The whole header verbatim, for what no JSON writer writes.
    pub raw_header: Option<String>,
    /// The whole payload verbatim, with `${now+60}` and the like replaced.
    pub raw_payload: Option<String>,
    /// What is done to the finished token; the names are those of [`mangle`].
    pub mangle: Option<String>,
}

impl Token {
    /// A token of this key with these claims.
    pub fn new(key: &str, claims: &Value) -> Self {
        let claims = claims.as_object().cloned().unwrap_or_default();
        Self {
            key: Some(key.to_owned()),
            claims,
            ..Self::default()
        }
    }

    /// This token with `over` laid over it: members of header and claims one by one, everything
    /// else whole.
    #[must_use]
    pub fn with(&self, over: &Self) -> Self {
        let mut merged = self.clone();
        merged.header.extend(over.header.clone());
        merged.claims.extend(over.claims.clone());
        let pick = |over: &Option<String>, own: &mut Option<String>| {
            if over.is_some() {
                own.clone_from(over);
            }
        };
        pick(&over.key, &mut merged.key);
        pick(&over.algorithm, &mut merged.algorithm);
        pick(&over.raw_header, &mut merged.raw_header);
        pick(&over.raw_payload, &mut merged.raw_payload);
        pick(&over.mangle, &mut merged.mangle);
        merged
    }

    /// The token as text, its times counted from `now`.
    pub fn mint(&self, now: i64) -> String {
        let key = key(self.key.as_deref().unwrap_or("acme-rsa"));
        let algorithm = self
            .algorithm
            .as_deref()
            .unwrap_or_else(|| default_algorithm(key));
        let header = self
            .raw_header
            .clone()
            .unwrap_or_else(|| self.header_text(key, algorithm));
        let payload = self
            .raw_payload
            .as_ref()
            .map_or_else(|| self.payload_text(now), |raw| fill_times(raw, now));
        let signing_input = format!(
            "{}.{}",
            encode(header.as_bytes()),
            encode(payload.as_bytes())
        );
        let parts = Parts {
            key,
            algorithm,
            signing_input,
        };
        let token = match &self.mangle {
            None => parts.signed(),
            Some(how) => mangle::mangle(&parts, how),
        };
        secrets::keep(&token);
        token
    }

    fn header_text(&self, key: &TestKey, algorithm: &str) -> String {
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!(algorithm));
        header.insert("typ".to_owned(), json!("JWT"));
        header.insert("kid".to_owned(), key.jwk["kid"].clone());
        lay_over(&mut header, &self.header);
        Value::Object(header).to_string()
    }

    fn payload_text(&self, now: i64) -> String {
        let mut claims = Map::new();
        lay_over(&mut claims, &self.claims);
        let mut claims = Value::Object(claims);
        resolve_times(&mut claims, now);
        claims.to_string()
    }
}

/// A header and a payload, encoded, and who signs them.
pub(crate) struct Parts<'a> {
    pub(crate) key: &'static TestKey,
    pub(crate) algorithm: &'a str,
    pub(crate) signing_input: String,
}

impl Parts<'_> {
    /// The signature's bytes.
    pub(crate) fn signature(&self) -> Vec<u8> {
        sign(
            &self.signing_input,
            &self.key.encoding_key(),
            self.algorithm,
        )
    }

    /// The valid token.
    pub(crate) fn signed(&self) -> String {
        self.with_signature(&self.signature())
    }

    /// The token with these bytes for a signature.
    pub(crate) fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.signing_input, encode(signature))
    }
}

/// base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The signature over a text.
pub(crate) fn sign(text: &str, key: &EncodingKey, algorithm: &str) -> Vec<u8> {
    let algorithm: Algorithm = algorithm
        .parse()
        .unwrap_or_else(|_| panic!("no algorithm `{algorithm}`"));
    let signature = crypto::sign(text.as_bytes(), key, algorithm).expect("a test key signs");
    URL_SAFE_NO_PAD
        .decode(signature)
        .expect("jsonwebtoken writes base64url")
}

/// `now`, `now+60` or `now-60` as a number; anything else is no time.
pub fn time(text: &str, now: i64) -> Option<i64> {
    match text.strip_prefix("now")? {
        "" => Some(now),
        offset => Some(now + offset.parse::<i64>().ok()?),
    }
}

/// Replaces every text `now…` in a JSON value by its time.
pub fn resolve_times(value: &mut Value, now: i64) {
    match value {
        Value::String(text) => {
            if let Some(time) = time(text, now) {
                *value = json!(time);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| resolve_times(item, now)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| resolve_times(member, now)),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

/// Replaces every `${now+60}` in a text.
fn fill_times(text: &str, now: i64) -> String {
    let mut pieces = text.split("${");
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').expect("`${` has its `}`");
        filled += &time(name, now).expect("a time stands in `${}`").to_string();
        filled += rest;
    }
    filled
}

fn lay_over(base: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (name, value) in over {
        if value.is_null() {
            base.remove(name);
        } else {
            base.insert(name.clone(), value.clone());
        }
    }
}

fn default_algorithm(key: &TestKey) -> &'static str {
    match (key.jwk["kty"].as_str(), key.jwk["crv"].as_str()) {
        (Some("RSA"), _) => "RS256",
        (_, Some("P-256")) => "ES256",
        (_, Some("P-384")) => "ES384",
        (_, Some("Ed25519")) => "EdDSA",
        other => panic!("a test key of kind {other:?}"),
    }
}
