//! A good token is accepted, and nothing that differs from it by one byte.

use databricks_oam_filter::token::bearer::DEFAULT_MAX_BYTES;
use databricks_oam_filter::token::{
    Algorithm, BearerToken, Claims, Jwk, JwkSet, Jws, RustCrypto, SignatureError, Verifier,
};

use crate::signing::{GOOD_CLAIMS, TestKey, decode, encode};

#[test]
fn a_good_token_gives_its_claims() {
    for key in TestKey::of_every_algorithm() {
        let claims = claims(key.token(GOOD_CLAIMS).as_bytes(), &key.public());
        let claims = claims.unwrap_or_else(|| panic!("{}", key.algorithm));
        assert_eq!(
            claims.issuer(),
            "https://issuer.example.com",
            "{}",
            key.algorithm
        );
        assert_eq!(claims.subject(), Some("alice"), "{}", key.algorithm);
        assert_eq!(
            claims.expires_at().seconds(),
            1_795_436_400,
            "{}",
            key.algorithm
        );
    }
}

#[test]
fn every_one_byte_change_is_refused() {
    for key in TestKey::of_every_algorithm() {
        let (token, public) = (key.token(GOOD_CLAIMS).into_bytes(), key.public());
        for position in 0..token.len() {
            let original = token[position];
            for substitute in [
                original ^ 1,
                original ^ 0x20,
                original ^ 0x80,
                b'A',
                b'_',
                b'.',
                b'=',
                b'~',
                b' ',
                0,
            ] {
                if substitute == original {
                    continue;
                }
                let mut changed = token.clone();
                changed[position] = substitute;
                assert!(
                    claims(&changed, &public).is_none(),
                    "{}: {position} to {substitute}",
                    key.algorithm
                );
            }
        }
    }
}

#[test]
fn every_cut_and_every_insertion_is_refused() {
    for key in TestKey::of_every_algorithm() {
        let (token, public) = (key.token(GOOD_CLAIMS).into_bytes(), key.public());
        for position in 0..token.len() {
            let (before, after) = token.split_at(position);
            assert!(
                claims(before, &public).is_none(),
                "{}: cut at {position}",
                key.algorithm
            );
            assert!(
                claims(&[before, &after[1..]].concat(), &public).is_none(),
                "{}: {position}",
                key.algorithm
            );
            for inserted in [b"A", b".", b"="] {
                let longer = [before, inserted, after].concat();
                assert!(
                    claims(&longer, &public).is_none(),
                    "{}: {position}",
                    key.algorithm
                );
            }
        }
    }
}

#[test]
fn every_changed_bit_of_a_signature_is_refused() {
    for key in TestKey::of_every_algorithm() {
        let token = key.token(GOOD_CLAIMS);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = decode(signature);
        for bit in 0..signature.len() * 8 {
            let mut changed = signature.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = format!("{signed}.{}", encode(changed));
            assert!(
                claims(changed.as_bytes(), &key.public()).is_none(),
                "{}: bit {bit}",
                key.algorithm
            );
        }
    }
}

#[test]
fn a_key_answers_for_its_own_algorithms_alone() {
    for signer in TestKey::all() {
        for other in TestKey::all() {
            if signer.algorithm == other.algorithm {
                continue;
            }
            let token = signer.token(GOOD_CLAIMS);
            let jws = Jws::parse(&BearerToken::parse(token.as_bytes(), DEFAULT_MAX_BYTES).unwrap())
                .unwrap();
            let result = jws.verify(&other.public(), &RustCrypto).err();
            assert_eq!(
                result,
                Some(SignatureError::KeyDoesNotFit),
                "{} {}",
                signer.algorithm,
                other.algorithm
            );
        }
    }
}

/// RSA signs for six algorithms with one key; the header alone says which.
#[test]
fn another_algorithm_of_the_same_key_is_a_mismatch() {
    let [rsa, ..] = TestKey::all();
    for algorithm in ["RS384", "RS512", "PS256", "PS384", "PS512"] {
        let token = rsa.sign(&format!(r#"{{"alg":"{algorithm}"}}"#), GOOD_CLAIMS);
        let jws =
            Jws::parse(&BearerToken::parse(token.as_bytes(), DEFAULT_MAX_BYTES).unwrap()).unwrap();
        assert_eq!(
            jws.verify(&rsa.public(), &RustCrypto).err(),
            Some(SignatureError::Mismatch),
            "{algorithm}"
        );
    }
}

/// The engine by itself, without what stands before it.
#[test]
fn a_signature_is_good_for_its_own_algorithm_alone() {
    for signer in TestKey::of_every_algorithm() {
        let token = signer.token(GOOD_CLAIMS);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (public, signature) = (signer.public(), decode(signature));
        for algorithm in Algorithm::ALL {
            let accepted = RustCrypto.verify(algorithm, &public, signed.as_bytes(), &signature);
            let want = algorithm == signer.algorithm;
            assert_eq!(accepted, want, "{} {algorithm}", signer.algorithm);
        }
    }
}

#[test]
fn signatures_of_other_lengths_never_reach_an_engine() {
    for key in TestKey::of_every_algorithm() {
        let token = key.token(GOOD_CLAIMS);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = decode(signature);
        let length = signature.len();
        let zero_extended = [&[0], signature.as_slice()].concat();
        for (other, want) in [
            (&signature[1..], length - 1),
            (&zero_extended, length + 1),
            (&[0; 1], 1),
            (&[7; 8000], 8000),
        ] {
            let token = format!("{signed}.{}", encode(other));
            let jws = Jws::parse(&BearerToken::parse(token.as_bytes(), DEFAULT_MAX_BYTES).unwrap())
                .unwrap();
            let result = jws.verify(&key.public(), &RustCrypto).err();
            assert_eq!(
                result,
                Some(SignatureError::Length(want)),
                "{}",
                key.algorithm
            );
        }
    }
}

#[test]
fn a_set_offers_the_key_that_signed() {
    let keys: Vec<_> = TestKey::all().iter().map(TestKey::public_json).collect();
    let set = JwkSet::parse(serde_json::json!({ "keys": keys }).to_string().as_bytes()).unwrap();
    for key in TestKey::all() {
        let token = key.token(GOOD_CLAIMS);
        let jws =
            Jws::parse(&BearerToken::parse(token.as_bytes(), DEFAULT_MAX_BYTES).unwrap()).unwrap();
        let offered: Vec<_> = set
            .candidates(jws.key_id(), jws.algorithm())
            .map(Jwk::thumbprint)
            .collect();
        assert_eq!(offered, [key.public().thumbprint()], "{}", key.algorithm);
    }
}

fn claims(token: &[u8], key: &Jwk) -> Option<Claims> {
    let jws = Jws::parse(&BearerToken::parse(token, DEFAULT_MAX_BYTES).ok()?).ok()?;
    Claims::parse(jws.verify(key, &RustCrypto).ok()?).ok()
}
