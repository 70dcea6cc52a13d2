//! Claims made into a token that no key has signed, so that they take the very way of one that was.
//!
//! Each issuer gets a key that the RFCs print, and [`Unchecked`] takes every signature. Everything
//! else is judged as ever.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use databricks_oam_filter::issuer::Issuer;
use databricks_oam_filter::issuer::access_token::AccessToken;
use databricks_oam_filter::issuer::invalid_token::InvalidToken;
use databricks_oam_filter::key_store::source::KeySource;
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::algorithm::{Algorithm, Family};
use databricks_oam_filter::token::bearer::BearerToken;
use databricks_oam_filter::token::claims::Claims;
use databricks_oam_filter::token::jwk::Jwk;
use databricks_oam_filter::token::jwk_set::JwkSet;
use databricks_oam_filter::token::jws::Jws;
use databricks_oam_filter::token::signature::Verifier;
use serde_json::{Map, Value, json};

/// Takes every signature.
pub(super) struct Unchecked;

impl Verifier for Unchecked {
    fn verify(&self, _: Algorithm, _: &Jwk, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

/// A key of the kind that an issuer's first algorithm takes.
pub(super) fn key(issuer: &Issuer) -> Option<KeySource> {
    let (key, _) = of_family(algorithm(issuer).family());
    let set = format!(r#"{{"keys":[{key}]}}"#);
    JwkSet::parse(set.as_bytes()).ok().map(KeySource::Inline)
}

/// The token with these claims, and the names of those that were filled in.
pub(super) fn token(
    claims: &Map<String, Value>,
    issuers: &[Issuer],
    now: UnixTime,
) -> (String, Vec<&'static str>) {
    let mut claims = claims.clone();
    let mut filled = Vec::new();
    if let ([only], false) = (issuers, claims.contains_key("iss")) {
        claims.insert("iss".to_owned(), json!(*only.identifier));
        filled.push("iss");
    }
    let issuer = issuers
        .iter()
        .find(|issuer| claims.get("iss").and_then(Value::as_str) == Some(&*issuer.identifier));
    if let Some(audience) = issuer.and_then(|issuer| issuer.audiences.first())
        && !claims.contains_key("aud")
    {
        claims.insert("aud".to_owned(), json!(audience));
        filled.push("aud");
    }
    if !claims.contains_key("exp") {
        let lifetime = issuer.and_then(|issuer| issuer.max_token_lifetime);
        let lifetime = lifetime.map_or(LIFETIME, |most| most.as_secs().min(LIFETIME));
        if !claims.contains_key("iat") {
            claims.insert("iat".to_owned(), json!(now.seconds()));
            filled.push("iat");
        }
        let expires_at = now.seconds().saturating_add(lifetime);
        claims.insert("exp".to_owned(), json!(expires_at));
        filled.push("exp");
    }
    let algorithm = issuer.map_or(Algorithm::Rs256, algorithm);
    let (_, signature_bytes) = of_family(algorithm.family());
    let mut header = json!({ "alg": algorithm.as_str() });
    if let (Some(typ), Some(header)) = (
        issuer.and_then(|issuer| issuer.token_type.as_deref()),
        header.as_object_mut(),
    ) {
        header.insert("typ".to_owned(), json!(typ));
    }
    let parts = [
        header.to_string().into_bytes(),
        Value::Object(claims).to_string().into_bytes(),
        vec![0; signature_bytes],
    ];
    (
        parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join("."),
        filled,
    )
}

/// A token with these claims, as its issuer's callers would be known by it.
pub(super) fn read(
    claims: &Map<String, Value>,
    issuer: &Issuer,
    now: UnixTime,
) -> Result<AccessToken, InvalidToken> {
    let (text, _) = token(claims, std::slice::from_ref(issuer), now);
    let bearer = BearerToken::parse(text.as_bytes(), usize::MAX);
    let bearer = bearer.map_err(|_| InvalidToken::Oversized)?;
    let jws = Jws::parse(&bearer)?;
    let keys = match key(issuer) {
        Some(KeySource::Inline(keys)) => keys,
        Some(KeySource::Remote(_)) | None => return Err(InvalidToken::Issuer),
    };
    let key = keys.candidates(None, jws.algorithm()).next();
    let payload = jws.verify(key.ok_or(InvalidToken::Issuer)?, &Unchecked)?;
    issuer.validate(jws.token_type(), &Claims::parse(payload)?, now)
}

fn algorithm(issuer: &Issuer) -> Algorithm {
    issuer.algorithms.iter().next().unwrap_or(Algorithm::Rs256)
}

/// A public key of this kind, and how long its signatures are.
const fn of_family(family: Family) -> (&'static str, usize) {
    match family {
        Family::EcP256 => (EC_P256, 64),
        Family::EcP384 => (EC_P384, 96),
        Family::Ed25519 => (ED25519, 64),
        Family::Rsa => (RSA, 256),
    }
}

/// Five minutes: what tokens that are exchanged at once live for.
const LIFETIME: u64 = 300;

/// RFC 7517 appendix A.1.
const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}"#;

/// RFC 7517 appendix A.1.
const EC_P256: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;

/// The base point of the curve (FIPS 186-4 appendix D.1.2.4).
const EC_P384: &str = r#"{"kty":"EC","crv":"P-384","x":"qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3","y":"NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f"}"#;

/// RFC 8037 appendix A.2.
const ED25519: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
