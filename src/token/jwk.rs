//! One key of a JWK Set, admitted by our own rules before any engine sees it: RFC 7517 §4, RFC 7518
//! §6, RFC 8037 §2.
//!
//! The engines check little of a key: neither what it is for, nor how long it is. So the rules are
//! here: public, asymmetric, for verifying signatures, of a size and on a curve that RFC 8725 §3.2
//! and §3.4 leave, spelled in the one canonical way.

use std::fmt;

use crate::token::algorithm::{Algorithm, AlgorithmSet, Family};
use crate::token::json::{Json, JsonError, Object};
use crate::token::jwk::material::{MAX_RSA_BITS, MIN_RSA_BITS};
use crate::token::signature::EngineKey;
use crate::token::text;

mod material;
mod spki;

pub use material::{KeyMaterial, Thumbprint};

/// A public key that verifies signatures.
#[derive(Clone, Debug)]
pub struct Jwk {
    key_id: Option<Box<str>>,
    algorithms: AlgorithmSet,
    material: KeyMaterial,
    thumbprint: Thumbprint,
    /// The same numbers as the built-in engine takes them, made once.
    engine_key: EngineKey,
    /// The same numbers as other engines take them, made once.
    spki: Box<[u8]>,
}

impl Jwk {
    /// Parses and admits one entry of a JWK Set.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwkError> {
        if bytes.len() > MAX_BYTES {
            return Err(JwkError::TooLarge(bytes.len()));
        }
        Self::admit(&Json::parse(bytes).map_err(JwkError::Json)?)
    }

    /// Admits a key that stands in other JSON: as a proof of possession brings it, whose own size
    /// is bounded.
    pub(super) fn admit(entry: &Json) -> Result<Self, JwkError> {
        let entry = entry.as_object().ok_or(JwkError::NotObject)?;
        if PRIVATE_MEMBERS
            .iter()
            .any(|&member| entry.contains_key(member))
        {
            return Err(JwkError::Private);
        }
        check_purpose(entry)?;
        let (material, engine_key, thumbprint) = material::parse(entry)?;
        Ok(Self {
            key_id: key_id(entry)?,
            algorithms: algorithms(entry, material.family())?,
            spki: spki::encode(&material),
            material,
            thumbprint,
            engine_key,
        })
    }

    /// The key ID, `kid`.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whether a signature of this algorithm can be the key's: its kind serves the algorithm, and
    /// its `alg`, if any, says the same.
    pub const fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(algorithm)
    }

    /// The algorithms that the key fits.
    pub const fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// The numbers of the key.
    pub const fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// The digest of the key's numbers, by which equal keys in two sets are recognised.
    pub const fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The key as a DER-encoded `SubjectPublicKeyInfo`.
    pub const fn spki(&self) -> &[u8] {
        &self.spki
    }

    pub(super) const fn engine_key(&self) -> &EngineKey {
        &self.engine_key
    }
}

/// Why an entry of a JWK Set is not used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JwkError {
    /// `alg` names an algorithm of another kind of key.
    AlgorithmMismatch,
    /// This coordinate does not have the length of its curve.
    CoordinateLength(&'static str),
    /// Not JSON that we read.
    Json(JsonError),
    /// This required member is missing.
    Missing(&'static str),
    /// This member is not canonical base64url.
    NotBase64Url(&'static str),
    /// `use` says that the key is not for signatures.
    NotForSignatures,
    /// `key_ops` does not list `verify`.
    NotForVerifying,
    /// Not a JSON object.
    NotObject,
    /// Not a point of the curve.
    NotOnCurve,
    /// It holds private numbers, so it is in wrong hands already.
    Private,
    /// Another key of the set has the same `kid` and fits the same algorithm: the token would not
    /// say which one it means.
    RepeatedKeyId,
    /// The RSA exponent is even, below 3 or beyond 2³².
    RsaExponent,
    /// The RSA modulus is even.
    RsaModulusEven,
    /// The RSA modulus has so many bits, which is not 2048 to 4096.
    RsaModulusSize(usize),
    /// The point is of small order: a signature by it says nothing of the message.
    SmallOrder,
    /// A symmetric key.
    Symmetric,
    /// `kid` is not a text we take.
    Text(text::TextError),
    /// More than [`MAX_BYTES`] bytes, this many.
    TooLarge(usize),
    /// `alg` names an algorithm that we do not verify.
    UnsupportedAlgorithm,
    /// A curve that we do not verify on.
    UnsupportedCurve,
    /// A kind of key that we do not verify with.
    UnsupportedKeyType,
    /// This member is not of its JSON type.
    WrongType(&'static str),
}

impl fmt::Display for JwkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlgorithmMismatch => f.write_str("`alg` does not fit the kind of key"),
            Self::CoordinateLength(member) => {
                write!(f, "`{member}` does not have the length of its curve")
            }
            Self::Json(error) => error.fmt(f),
            Self::Missing(member) => write!(f, "`{member}` is missing"),
            Self::NotBase64Url(member) => write!(f, "`{member}` is not canonical base64url"),
            Self::NotForSignatures => f.write_str("`use` is not `sig`"),
            Self::NotForVerifying => f.write_str("`key_ops` does not list `verify`"),
            Self::NotObject => f.write_str("not a JSON object"),
            Self::NotOnCurve => f.write_str("not a point of its curve"),
            Self::Private => f.write_str("a private key"),
            Self::RepeatedKeyId => f.write_str("another key has the same `kid`"),
            Self::RsaExponent => f.write_str("the RSA exponent is even, below 3 or beyond 2^32"),
            Self::RsaModulusEven => f.write_str("the RSA modulus is even"),
            Self::RsaModulusSize(bits) => write!(
                f,
                "an RSA modulus of {bits} bits, not {MIN_RSA_BITS} to {MAX_RSA_BITS}"
            ),
            Self::SmallOrder => f.write_str("a point of small order"),
            Self::Symmetric => f.write_str("a symmetric key"),
            Self::Text(fault) => write!(f, "`kid` {fault}"),
            Self::TooLarge(length) => {
                write!(
                    f,
                    "an entry of {length} bytes is over the limit of {MAX_BYTES}"
                )
            }
            Self::UnsupportedAlgorithm => {
                f.write_str("`alg` is not an algorithm that is verified here")
            }
            Self::UnsupportedCurve => f.write_str("`crv` is not a curve that is verified on here"),
            Self::UnsupportedKeyType => {
                f.write_str("`kty` is not a kind of key that is verified with here")
            }
            Self::WrongType(member) => write!(f, "`{member}` is of a wrong JSON type"),
        }
    }
}

/// RFC 7517 §4.2 and §4.3.
fn check_purpose(entry: &Object) -> Result<(), JwkError> {
    if string(entry, "use")?.is_some_and(|purpose| purpose != "sig") {
        return Err(JwkError::NotForSignatures);
    }
    let Some(operations) = entry.get("key_ops") else {
        return Ok(());
    };
    let operations = operations
        .as_array()
        .ok_or(JwkError::WrongType("key_ops"))?;
    let mut verifies = false;
    for operation in operations {
        verifies |= operation.as_str().ok_or(JwkError::WrongType("key_ops"))? == "verify";
    }
    if verifies {
        Ok(())
    } else {
        Err(JwkError::NotForVerifying)
    }
}

fn key_id(entry: &Object) -> Result<Option<Box<str>>, JwkError> {
    string(entry, "kid")?
        .map(|text| text::checked(text, MAX_KEY_ID_BYTES).map(Into::into))
        .transpose()
        .map_err(JwkError::Text)
}

fn algorithms(entry: &Object, family: Family) -> Result<AlgorithmSet, JwkError> {
    let Some(name) = string(entry, "alg")? else {
        return Ok(family.algorithms());
    };
    let algorithm = Algorithm::parse(name).map_err(|_| JwkError::UnsupportedAlgorithm)?;
    if algorithm.family() != family {
        return Err(JwkError::AlgorithmMismatch);
    }
    Ok(AlgorithmSet::EMPTY.with(algorithm))
}

fn required<'a>(entry: &'a Object, name: &'static str) -> Result<&'a str, JwkError> {
    string(entry, name)?.ok_or(JwkError::Missing(name))
}

fn string<'a>(entry: &'a Object, name: &'static str) -> Result<Option<&'a str>, JwkError> {
    match entry.get(name) {
        Some(value) => value.as_str().map(Some).ok_or(JwkError::WrongType(name)),
        None => Ok(None),
    }
}

/// RFC 7518 §6.2.2, §6.3.2 and §6.4.1.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "dp", "dq", "k", "oth", "p", "q", "qi"];

/// Bytes of one entry: a key with its chain of certificates has about 10 KiB. Parsed, JSON takes up
/// to twenty times its length.
pub const MAX_BYTES: usize = 65_536;

/// Bytes of the ID of a key, in a key or in a token: identity providers use 20 to 90, some put a
/// certificate's subject there.
pub const MAX_KEY_ID_BYTES: usize = 1024;

#[cfg(test)]
mod tests;
