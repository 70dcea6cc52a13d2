//! No bytes make the token module panic.

use databricks_oam_filter::token::bearer::DEFAULT_MAX_BYTES;
use databricks_oam_filter::token::dpop::Proof;
use databricks_oam_filter::token::{
    BearerToken, Claims, Json, Jwk, JwkSet, Jws, RustCrypto, Scope,
};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;

use crate::signing::{GOOD_CLAIMS, TestKey, encode};

proptest! {
    #[test]
    fn json(bytes in prop_oneof![vec(any::<u8>(), 0..200), json_like()]) {
        if let Ok(json) = Json::parse(&bytes) {
            let _ = Scope::parse_list(&json);
        }
    }

    #[test]
    fn jwk_sets(bytes in prop_oneof![vec(any::<u8>(), 0..200), json_like(), mutated(jwk_set())]) {
        if let Ok(set) = JwkSet::parse(&bytes) {
            for algorithm in databricks_oam_filter::token::Algorithm::ALL {
                let _ = set.candidates(None, algorithm).count();
            }
        }
    }

    #[test]
    fn tokens(bytes in prop_oneof![vec(any::<u8>(), 0..200), token_like(), select(tokens_of_all_keys()).prop_flat_map(mutated)]) {
        let Ok(Ok(jws)) = BearerToken::parse(&bytes, DEFAULT_MAX_BYTES).map(|token| Jws::parse(&token)) else {
            return Ok(());
        };
        let _ = jws.issuer_hint();
        for key in TestKey::all() {
            let _ = jws.verify(&key.public(), &RustCrypto);
        }
    }

    /// Whatever an issuer signs by mistake reaches the claims: Ed25519, because it signs fastest.
    #[test]
    fn claims(payload in prop_oneof![json_like(), mutated(GOOD_CLAIMS.into())]) {
        let [_, _, _, key] = TestKey::all();
        let token = key.sign(r#"{"alg":"EdDSA"}"#, &String::from_utf8_lossy(&payload));
        let Ok(Ok(jws)) = BearerToken::parse(token.as_bytes(), DEFAULT_MAX_BYTES).map(|token| Jws::parse(&token)) else {
            return Ok(());
        };
        let payload = jws.verify(&key.public(), &RustCrypto).ok().unwrap();
        if let Ok(claims) = Claims::parse(payload) {
            let _ = (claims.text(&["sub"]), claims.texts(&["scp"]), claims.scopes(&["scp"]), claims.at(&["a", "b"]));
        }
    }

    #[test]
    fn proofs(bytes in prop_oneof![vec(any::<u8>(), 0..200), token_like(), select(proofs_of_all_keys()).prop_flat_map(mutated)]) {
        for key in TestKey::all() {
            let _ = Proof::verify(&bytes, key.public().thumbprint(), &RustCrypto);
        }
    }

    /// Whatever the holder of a key signs by it.
    #[test]
    fn claims_of_proofs(payload in prop_oneof![json_like(), mutated(PROOF_CLAIMS.into())]) {
        let [_, _, _, key] = TestKey::all();
        let proof = proof(&key, &String::from_utf8_lossy(&payload));
        let _ = Proof::verify(proof.as_bytes(), key.public().thumbprint(), &RustCrypto);
    }

    #[test]
    fn keys(n in vec(any::<u8>(), 0..600), e in vec(any::<u8>(), 0..9), x in vec(any::<u8>(), 30..34), y in vec(any::<u8>(), 30..50)) {
        let (n, e, x, y) = (encode(n), encode(e), encode(x), encode(y));
        for text in [
            format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#),
            format!(r#"{{"kty":"EC","crv":"P-384","x":"{y}","y":"{y}"}}"#),
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#),
        ] {
            let _ = Jwk::parse(text.as_bytes());
        }
    }
}

/// Pieces of JSON, put together by somebody who does not know the grammar but knows our names.
fn json_like() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u00",
        "\\ud800",
        "null",
        "true",
        "1",
        "-0",
        "1e300",
        "1e999",
        "0.5",
        " ",
        "\"keys\":[",
        "{\"kty\":\"RSA\"",
        "\"iss\":\"a\"",
        "\"exp\":1",
        "\"aud\":[\"b\"]",
        "18446744073709551616",
        "\u{feff}",
        "é",
    ];
    vec(select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Three segments, each of them the encoding of something.
fn token_like() -> impl Strategy<Value = Vec<u8>> {
    let header = prop_oneof![
        json_like(),
        Just(br#"{"alg":"RS256"}"#.to_vec()),
        Just(br#"{"alg":"ES256","kid":"a"}"#.to_vec()),
        Just(br#"{"alg":"EdDSA","typ":"JWT"}"#.to_vec()),
    ];
    let signature = prop_oneof![vec(any::<u8>(), 0..300), vec(any::<u8>(), 64)];
    (header, json_like(), signature).prop_map(|(header, payload, signature)| {
        format!(
            "{}.{}.{}",
            encode(header),
            encode(payload),
            encode(signature)
        )
        .into_bytes()
    })
}

/// A good text with a few bytes changed, removed or put in.
fn mutated(text: String) -> impl Strategy<Value = Vec<u8>> {
    vec(
        (any::<proptest::sample::Index>(), any::<u8>(), 0..3_u8),
        0..4,
    )
    .prop_map(move |changes| {
        let mut bytes = text.clone().into_bytes();
        for (index, byte, kind) in changes {
            let position = index.index(bytes.len());
            match kind {
                0 => bytes[position] = byte,
                1 => drop(bytes.remove(position)),
                _ => bytes.insert(position, byte),
            }
        }
        bytes
    })
}

fn jwk_set() -> String {
    let keys: Vec<_> = TestKey::all().iter().map(TestKey::public_json).collect();
    serde_json::json!({ "keys": keys }).to_string()
}

fn tokens_of_all_keys() -> Vec<String> {
    TestKey::all()
        .iter()
        .map(|key| key.token(GOOD_CLAIMS))
        .collect()
}

fn proof(key: &TestKey, payload: &str) -> String {
    let (algorithm, jwk) = (key.algorithm, key.public_json());
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"{algorithm}","jwk":{jwk}}}"#);
    key.sign(&header, payload)
}

fn proofs_of_all_keys() -> Vec<String> {
    TestKey::all()
        .iter()
        .map(|key| {
            let proof = proof(key, PROOF_CLAIMS);
            let thumbprint = key.public().thumbprint();
            assert!(Proof::verify(proof.as_bytes(), thumbprint, &RustCrypto).is_ok());
            proof
        })
        .collect()
}

const PROOF_CLAIMS: &str = r#"{"jti":"a","htm":"GET","htu":"https://db.example.com/a","iat":1795432800,"ath":"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"}"#;
