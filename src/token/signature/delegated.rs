//! Signatures verified by the gateway, where it has shown that it can: natively, in a twentieth of
//! the time that wasm takes.
//!
//! The protocol is that of Envoy's foreign function `verify_signature`: a protobuf of hash
//! function, key, signature and text, answered by a protobuf of a result and an error. How it is
//! called is left to the filter.

use std::cell::Cell;

use crate::token::algorithm::{Algorithm, AlgorithmSet};
use crate::token::base64url;
use crate::token::integer_pair;
use crate::token::jwk::Jwk;

use super::vectors::{self, Vector};
use super::{RustCrypto, Verifier};

/// The gateway's engine for the algorithms in which it was proven, and our own for the rest.
pub struct Delegated<C> {
    call: C,
    proven: Cell<AlgorithmSet>,
    /// What it is tried in when that is first needed.
    untried: Cell<AlgorithmSet>,
}

impl<C: Fn(&[u8]) -> Option<Vec<u8>>> Delegated<C> {
    /// Tries the gateway's engine in each of these algorithms with a good and a bad signature, and
    /// trusts it where both verdicts are right.
    ///
    /// `call` passes the arguments of `verify_signature` on, and gives back what came, `None` where
    /// the gateway has no such function.
    pub fn prove(algorithms: AlgorithmSet, call: C) -> Self {
        let engine = Self {
            call,
            proven: Cell::default(),
            untried: Cell::default(),
        };
        engine.try_in(algorithms);
        engine
    }

    /// The same, to be tried in further algorithms once they are needed: in those of callers'
    /// own keys, which most gateways never see.
    #[must_use]
    pub fn with_on_demand(self, algorithms: AlgorithmSet) -> Self {
        self.untried.set(algorithms.without(self.proven()));
        self
    }

    /// The algorithms that the gateway verifies, so far as was tried.
    pub fn proven(&self) -> AlgorithmSet {
        self.proven.get()
    }

    fn try_in(&self, algorithms: AlgorithmSet) {
        for vector in &vectors::ALL {
            if algorithms.contains(vector.algorithm) && self.passes(vector) {
                self.proven.set(self.proven().with(vector.algorithm));
            }
        }
    }

    fn passes(&self, vector: &Vector) -> bool {
        let (Ok(key), Some(signature)) = (
            Jwk::parse(vector.key.as_bytes()),
            base64url::decode(vector.signature.as_bytes()),
        ) else {
            return false;
        };
        let verdict = |message| self.host_verdict(vector.algorithm, &key, message, &signature);
        verdict(vectors::MESSAGE) == Some(true) && verdict(OTHER_MESSAGE) == Some(false)
    }

    /// The gateway's verdict; `None` where it gives none, or the algorithm is not one that it could
    /// give one on.
    fn host_verdict(
        &self,
        algorithm: Algorithm,
        key: &Jwk,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let hash: &[u8] = match algorithm {
            Algorithm::Rs256 | Algorithm::Es256 => b"sha256",
            Algorithm::Rs384 | Algorithm::Es384 => b"sha384",
            Algorithm::Rs512 => b"sha512",
            Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | Algorithm::EdDsa => {
                return None;
            }
        };
        let der;
        let signature = if matches!(algorithm, Algorithm::Es256 | Algorithm::Es384) {
            der = ecdsa_der(signature);
            &der
        } else {
            signature
        };
        let fields = [(1, hash), (2, key.spki()), (3, signature), (4, message)];
        let answer = (self.call)(&encode(fields))?;
        // The field `result`, true, and no other: an error is none.
        Some(answer == [0x08, 0x01])
    }
}

impl<C: Fn(&[u8]) -> Option<Vec<u8>>> Verifier for Delegated<C> {
    fn verify(&self, algorithm: Algorithm, key: &Jwk, message: &[u8], signature: &[u8]) -> bool {
        if self.untried.get().contains(algorithm) {
            let algorithm = AlgorithmSet::EMPTY.with(algorithm);
            self.untried.set(self.untried.get().without(algorithm));
            self.try_in(algorithm);
        }
        let verdict = if self.proven().contains(algorithm) {
            self.host_verdict(algorithm, key, message, signature)
        } else {
            None
        };
        verdict.unwrap_or_else(|| RustCrypto.verify(algorithm, key, message, signature))
    }
}

/// `ECDSA-Sig-Value` (RFC 3279 §2.2.3) from the two numbers one after the other (RFC 7518 §3.4);
/// empty, which no engine takes, where DER cannot hold them.
fn ecdsa_der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    integer_pair::encode(r, s).unwrap_or_default()
}

/// A protobuf of byte strings, in one piece of memory.
fn encode(fields: [(u8, &[u8]); 4]) -> Vec<u8> {
    let length = fields
        .iter()
        .map(|(_, bytes)| bytes.len().saturating_add(MAX_FIELD_HEADER))
        .sum();
    let mut message = Vec::with_capacity(length);
    for (number, bytes) in fields {
        message.push(number << 3 | LENGTH_DELIMITED);
        let mut length = bytes.len();
        while let Some(low) = u8::try_from(length & 0x7f).ok().filter(|_| length >= 0x80) {
            message.push(low | 0x80);
            length >>= 7;
        }
        message.extend(u8::try_from(length));
        message.extend_from_slice(bytes);
    }
    message
}

/// A protobuf field's wire type.
const LENGTH_DELIMITED: u8 = 2;

/// A tag, and a length of at most five digits of seven bits.
const MAX_FIELD_HEADER: usize = 6;

/// What nobody signed.
const OTHER_MESSAGE: &[u8] = b"databricks-oam-filtes";

#[cfg(test)]
mod tests;
