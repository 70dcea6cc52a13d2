//! The engine against Wycheproof's raw signature vectors, behind our admission of keys and lengths.

use databricks_oam_filter::token::{Algorithm, Jwk, RustCrypto, Verifier};
use p256::elliptic_curve::Curve;
use serde_json::{Value, json};
use wycheproof::{
    EllipticCurve, HashFunction, TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify,
};

use crate::signing::{GOOD_CLAIMS, TestKey, decode, encode};

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName::{
        Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa4096Sha256, Rsa4096Sha512,
    };
    let mut tally = Tally::default();
    for name in [
        Rsa2048Sha256,
        Rsa2048Sha384,
        Rsa2048Sha512,
        Rsa3072Sha256,
        Rsa4096Sha256,
        Rsa4096Sha512,
    ] {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let (algorithm, _) = for_hash(
                group.hash,
                [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512],
            );
            let key = rsa(&group.key.n, &group.key.e);
            for test in group.tests {
                let accepted = accepts(algorithm, key.as_ref(), &test.msg, &test.sig);
                tally.count(accepted, test.result, &format!("{name:?} {}", test.tc_id));
            }
        }
    }
    tally.check(1500);
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen0, RsaPss2048Sha256Mgf1SaltLen32, RsaPss2048Sha384Mgf1SaltLen48,
        RsaPss4096Sha384Mgf1SaltLen48, RsaPss4096Sha512Mgf1SaltLen32,
        RsaPss4096Sha512Mgf1SaltLen64,
    };
    let mut tally = Tally::default();
    for name in [
        RsaPss2048Sha256Mgf1SaltLen0,
        RsaPss2048Sha256Mgf1SaltLen32,
        RsaPss2048Sha384Mgf1SaltLen48,
        RsaPss4096Sha384Mgf1SaltLen48,
        RsaPss4096Sha512Mgf1SaltLen32,
        RsaPss4096Sha512Mgf1SaltLen64,
    ] {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let (algorithm, salt) = for_hash(
                group.hash,
                [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512],
            );
            let key = rsa(&group.key.n, &group.key.e);
            for test in group.tests {
                // RFC 7518 §3.5: the salt is as long as the hash. In a group for another length,
                // the row that breaks it by having that length is the one good signature.
                let want = if group.salt_size == salt {
                    test.result
                } else if test.comment == format!("s_len changed to {salt}") {
                    TestResult::Valid
                } else {
                    TestResult::Invalid
                };
                let accepted = accepts(algorithm, key.as_ref(), &test.msg, &test.sig);
                tally.count(accepted, want, &format!("{name:?} {}", test.tc_id));
            }
        }
    }
    tally.check(500);
}

#[test]
fn ecdsa_raw() {
    use ecdsa::TestName::{EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363};
    let mut tally = Tally::default();
    for name in [EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363] {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let (algorithm, curve, length) = if group.key.curve == EllipticCurve::Secp256r1 {
                (Algorithm::Es256, "P-256", 32)
            } else {
                assert_eq!(group.key.curve, EllipticCurve::Secp384r1);
                (Algorithm::Es384, "P-384", 48)
            };
            let (x, y) = group.key.key[1..].split_at(length);
            let key = parse(&json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) }));
            for test in group.tests {
                let accepted = accepts(algorithm, key.as_ref(), &test.msg, &test.sig);
                tally.count(accepted, test.result, &format!("{name:?} {}", test.tc_id));
            }
        }
    }
    tally.check(400);
}

/// JOSE says nothing of the halves of s, so both are good: what is signed is the token, and no
/// signature is anybody's name for it.
#[test]
fn ecdsa_takes_either_half_of_s() {
    let [_, p256, p384, _] = TestKey::all();
    let token = p256.token(GOOD_CLAIMS);
    let (signed, signature) = signed_and_signature(&token);
    let (r, s) = p256::ecdsa::Signature::from_slice(&signature)
        .unwrap()
        .split_scalars();
    let other = p256::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
    for signature in [&signature[..], &other.to_bytes()] {
        assert!(RustCrypto.verify(Algorithm::Es256, &p256.public(), signed, signature));
    }
    let token = p384.token(GOOD_CLAIMS);
    let (signed, signature) = signed_and_signature(&token);
    let (r, s) = p384::ecdsa::Signature::from_slice(&signature)
        .unwrap()
        .split_scalars();
    let other = p384::ecdsa::Signature::from_scalars(*r, -*s).unwrap();
    for signature in [&signature[..], &other.to_bytes()] {
        assert!(RustCrypto.verify(Algorithm::Es384, &p384.public(), signed, signature));
    }
}

#[test]
fn ecdsa_refuses_numbers_out_of_range() {
    let [_, p256, p384, _] = TestKey::all();
    for (key, order) in [
        (p256, p256::NistP256::ORDER.to_be_bytes().to_vec()),
        (p384, p384::NistP384::ORDER.to_be_bytes().to_vec()),
    ] {
        let zero = vec![0; order.len()];
        let all_ones = vec![0xff; order.len()];
        let token = key.token(GOOD_CLAIMS);
        let (signed, signature) = signed_and_signature(&token);
        let (r, s) = signature.split_at(order.len());
        for number in [&zero, &order, &all_ones] {
            for forged in [
                [r, number].concat(),
                [number, s].concat(),
                [&number[..], number].concat(),
            ] {
                let accepted = RustCrypto.verify(key.algorithm, &key.public(), signed, &forged);
                assert!(!accepted, "{} {number:?}", key.algorithm);
            }
        }
    }
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519)
        .unwrap()
        .test_groups
    {
        let key = parse(&json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(&*group.key.pk) }));
        for test in group.tests {
            let accepted = accepts(Algorithm::EdDsa, key.as_ref(), &test.msg, &test.sig);
            tally.count(accepted, test.result, &test.tc_id.to_string());
        }
    }
    tally.check(100);
}

/// A set that was skipped in silence proves nothing, so the vectors are counted.
#[derive(Default)]
struct Tally {
    vectors: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, accepted: bool, want: TestResult, name: &str) {
        self.vectors = self.vectors.saturating_add(1);
        let right = match want {
            TestResult::Valid => accepted,
            TestResult::Invalid => !accepted,
            // Legacy encodings: the verifier's choice.
            TestResult::Acceptable => true,
        };
        if !right {
            self.wrong.push(name.to_owned());
        }
    }

    fn check(self, at_least: usize) {
        assert_eq!(self.wrong, Vec::<String>::new());
        assert!(self.vectors >= at_least, "{}", self.vectors);
    }
}

/// What stands between a token and the engine, and the engine.
fn accepts(algorithm: Algorithm, key: Option<&Jwk>, message: &[u8], signature: &[u8]) -> bool {
    key.is_some_and(|key| {
        key.fits(algorithm)
            && key.material().takes_signature_of(signature.len())
            && key.material().is_in_range(signature)
            && RustCrypto.verify(algorithm, key, message, signature)
    })
}

/// The algorithm among those for SHA-256, SHA-384 and SHA-512, and the length of the hash.
fn for_hash(hash: HashFunction, algorithms: [Algorithm; 3]) -> (Algorithm, usize) {
    let hashes = [
        HashFunction::Sha2_256,
        HashFunction::Sha2_384,
        HashFunction::Sha2_512,
    ];
    let position = hashes.iter().position(|&known| known == hash).unwrap();
    (algorithms[position], [32, 48, 64][position])
}

fn rsa(n: &[u8], e: &[u8]) -> Option<Jwk> {
    parse(&json!({ "kty": "RSA", "n": encode(without_zeros(n)), "e": encode(without_zeros(e)) }))
}

/// Wycheproof writes signed integers.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}

fn parse(key: &Value) -> Option<Jwk> {
    Jwk::parse(key.to_string().as_bytes()).ok()
}

fn signed_and_signature(token: &str) -> (&[u8], Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed.as_bytes(), decode(signature))
}
