//! Verifying one signature with one key.
//!
//! What reaches a [`Verifier`] was admitted before: the key by [`jwk`](crate::token::jwk), the
//! algorithm because the key fits it, the signature because its length is the only one possible.
//! The engine is left with the arithmetic.

use std::fmt;

use crate::token::algorithm::Algorithm;
use crate::token::jwk::Jwk;

pub mod delegated;
mod engine;
mod vectors;

pub(super) use engine::EngineKey;

/// An engine that verifies signatures: the module's own, or one that the host offers.
pub trait Verifier {
    /// Whether `signature` is the key's over `message`. Whatever the engine cannot do is `false`.
    ///
    /// The key fits the algorithm and the signature has the length that the key requires;
    /// [`Jws`](crate::token::jws::Jws) sees to it.
    fn verify(&self, algorithm: Algorithm, key: &Jwk, message: &[u8], signature: &[u8]) -> bool;
}

/// The engines of the `RustCrypto` project and its neighbour for Ed25519. They run everywhere, on
/// wasm at some cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

impl Verifier for RustCrypto {
    fn verify(&self, algorithm: Algorithm, key: &Jwk, message: &[u8], signature: &[u8]) -> bool {
        key.engine_key().verifies(algorithm, message, signature)
    }
}

/// Why a key does not stand behind a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignatureError {
    /// The key is of another kind or for another algorithm.
    KeyDoesNotFit,
    /// The signature has so many bytes, which no signature by this key has.
    Length(usize),
    /// The key did not make this signature over this token.
    Mismatch,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyDoesNotFit => f.write_str("the key does not fit the token's algorithm"),
            Self::Length(length) => write!(f, "{length} bytes are no signature by this key"),
            Self::Mismatch => f.write_str("the signature does not match"),
        }
    }
}
