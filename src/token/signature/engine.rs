//! A public key as its engine takes it: decoded, on its curve, ready to verify with.
//!
//! This file alone names the engines. What makes a key admissible beyond their own rules is
//! [`jwk`](crate::token::jwk)'s business.

use std::ops::Neg as _;

use ed25519_dalek::Signature as Ed25519Signature;
use p256::ecdsa::signature::Verifier as _;
use rsa::BoxedUint;
use sha2::{Sha256, Sha384, Sha512};

use crate::token::algorithm::Algorithm;

/// A key of one engine. Made once when the key is admitted, so that a token costs its arithmetic
/// and nothing else.
#[derive(Clone, Debug)]
pub(in crate::token) enum EngineKey {
    EcP256(p256::ecdsa::VerifyingKey),
    EcP384(p384::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    Rsa(rsa::PublicKey),
}

impl EngineKey {
    /// A point in SEC 1's uncompressed form, if it is one of P-256.
    pub(in crate::token) fn ec_p256(point: &[u8]) -> Option<Self> {
        p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .ok()
            .map(Self::EcP256)
    }

    /// A point in SEC 1's uncompressed form, if it is one of P-384.
    pub(in crate::token) fn ec_p384(point: &[u8]) -> Option<Self> {
        p384::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .ok()
            .map(Self::EcP384)
    }

    /// A decoded point of Ed25519.
    pub(in crate::token) const fn ed25519(point: ed25519_dalek::VerifyingKey) -> Self {
        Self::Ed25519(point)
    }

    /// A modulus and an exponent, big-endian, if the engine computes with them.
    pub(in crate::token) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let number = BoxedUint::from_be_slice_vartime;
        rsa::PublicKey::new(number(modulus), number(exponent))
            .ok()
            .map(Self::Rsa)
    }

    /// Whether these are two numbers from 1 to below the order of P-256. Which half s is in, JOSE
    /// leaves open, and so do these curves.
    pub(in crate::token) fn is_p256_signature(bytes: &[u8]) -> bool {
        p256::ecdsa::Signature::from_slice(bytes).is_ok()
    }

    /// Whether these are two numbers from 1 to below the order of P-384.
    pub(in crate::token) fn is_p384_signature(bytes: &[u8]) -> bool {
        p384::ecdsa::Signature::from_slice(bytes).is_ok()
    }

    /// The other signature that holds wherever this one does: of (r, s) it is (r, n − s). Only
    /// ECDSA's have another.
    pub(in crate::token) fn respelled(algorithm: Algorithm, signature: &[u8]) -> Option<Vec<u8>> {
        match algorithm {
            Algorithm::Es256 => {
                let (r, s) = p256::ecdsa::Signature::from_slice(signature)
                    .ok()?
                    .split_scalars();
                let other = p256::ecdsa::Signature::from_scalars(r, s.neg()).ok()?;
                Some(other.to_bytes().to_vec())
            }
            Algorithm::Es384 => {
                let (r, s) = p384::ecdsa::Signature::from_slice(signature)
                    .ok()?
                    .split_scalars();
                let other = p384::ecdsa::Signature::from_scalars(r, s.neg()).ok()?;
                Some(other.to_bytes().to_vec())
            }
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512
            | Algorithm::EdDsa => None,
        }
    }

    /// Whether the signature is the key's over the message, by this algorithm. An algorithm of
    /// another kind of key has no signatures.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match algorithm {
            Algorithm::Rs256 => {
                self.verifies_rsa(|key| key.pkcs1v15_verify::<Sha256>(message, signature))
            }
            Algorithm::Rs384 => {
                self.verifies_rsa(|key| key.pkcs1v15_verify::<Sha384>(message, signature))
            }
            Algorithm::Rs512 => {
                self.verifies_rsa(|key| key.pkcs1v15_verify::<Sha512>(message, signature))
            }
            // These want a salt as long as the hash, and so does RFC 7518 §3.5.
            Algorithm::Ps256 => {
                self.verifies_rsa(|key| key.pss_verify::<Sha256>(message, signature))
            }
            Algorithm::Ps384 => {
                self.verifies_rsa(|key| key.pss_verify::<Sha384>(message, signature))
            }
            Algorithm::Ps512 => {
                self.verifies_rsa(|key| key.pss_verify::<Sha512>(message, signature))
            }
            Algorithm::Es256 => self.verifies_es256(message, signature),
            Algorithm::Es384 => self.verifies_es384(message, signature),
            Algorithm::EdDsa => self.verifies_ed25519(message, signature),
        }
    }

    #[inline(never)]
    fn verifies_rsa(&self, verify: impl FnOnce(&rsa::PublicKey) -> rsa::Result<()>) -> bool {
        matches!(self, Self::Rsa(key) if verify(key).is_ok())
    }

    #[inline(never)]
    fn verifies_es256(&self, message: &[u8], signature: &[u8]) -> bool {
        let (Self::EcP256(key), Ok(signature)) =
            (self, p256::ecdsa::Signature::from_slice(signature))
        else {
            return false;
        };
        key.verify(message, &signature).is_ok()
    }

    #[inline(never)]
    fn verifies_es384(&self, message: &[u8], signature: &[u8]) -> bool {
        let (Self::EcP384(key), Ok(signature)) =
            (self, p384::ecdsa::Signature::from_slice(signature))
        else {
            return false;
        };
        key.verify(message, &signature).is_ok()
    }

    #[inline(never)]
    fn verifies_ed25519(&self, message: &[u8], signature: &[u8]) -> bool {
        let (Self::Ed25519(key), Ok(signature)) = (self, Ed25519Signature::from_slice(signature))
        else {
            return false;
        };
        // Strict, because the lax rule takes an R of small order: no honest signer makes one.
        key.verify_strict(message, &signature).is_ok()
    }
}
