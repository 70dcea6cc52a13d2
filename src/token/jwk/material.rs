//! The numbers of a public key, admitted by the rules for their kind: RFC 7518 §6.2 and §6.3, RFC
//! 8037 §2.

use sha2::{Digest, Sha256};

use crate::token::algorithm::Family;
use crate::token::base64url;
use crate::token::json::Object;
use crate::token::jwk::{JwkError, required};
use crate::token::signature::EngineKey;

/// The numbers of a public key, big-endian and without leading zeros where the length is not fixed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyMaterial {
    /// A point of P-256 in SEC 1's uncompressed form, `04 ‖ x ‖ y`.
    EcP256([u8; 65]),
    /// A point of P-384 in SEC 1's uncompressed form, `04 ‖ x ‖ y`.
    EcP384([u8; 97]),
    /// A point of Ed25519 as RFC 8032 encodes it.
    Ed25519([u8; 32]),
    /// An RSA key.
    Rsa {
        /// The modulus, `n`.
        modulus: Box<[u8]>,
        /// The public exponent, `e`.
        exponent: Box<[u8]>,
    },
}

impl KeyMaterial {
    /// The kind of key.
    pub const fn family(&self) -> Family {
        match self {
            Self::EcP256(_) => Family::EcP256,
            Self::EcP384(_) => Family::EcP384,
            Self::Ed25519(_) => Family::Ed25519,
            Self::Rsa { .. } => Family::Rsa,
        }
    }

    /// Whether a signature stands for numbers in the range of the key's; not every engine looks. Of
    /// RSA, a number below the modulus, or `s` and `s + n` would be one signature in two spellings
    /// (RFC 8017 §5.2.2); of ECDSA, two from 1 to below the order. The only engine for Ed25519
    /// bounds its own.
    pub fn is_in_range(&self, signature: &[u8]) -> bool {
        match self {
            Self::Rsa { modulus, .. } => signature.len() == modulus.len() && *signature < **modulus,
            Self::EcP256(_) => EngineKey::is_p256_signature(signature),
            Self::EcP384(_) => EngineKey::is_p384_signature(signature),
            Self::Ed25519(_) => true,
        }
    }

    /// Whether a signature by this key has so many bytes. Every algorithm of JOSE has one length
    /// per key (RFC 7518 §3.3 to §3.5).
    pub fn takes_signature_of(&self, bytes: usize) -> bool {
        bytes
            == match self {
                Self::EcP256(_) | Self::Ed25519(_) => 64,
                Self::EcP384(_) => 96,
                Self::Rsa { modulus, .. } => modulus.len(),
            }
    }
}

/// The JWK thumbprint of RFC 7638, with SHA-256.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the base64url spelling, as `jkt` has it (RFC 9449 §6.1); `None` where it is not that
    /// of 32 bytes.
    pub fn from_base64url(text: &str) -> Option<Self> {
        base64url::decode(text.as_bytes())?
            .try_into()
            .ok()
            .map(Self)
    }

    /// The text holds the required members in order and without white space. Canonical base64url
    /// needs no escaping, and neither do the names.
    fn of(canonical: &str) -> Self {
        Self(Sha256::digest(canonical).into())
    }
}

/// Parses and admits the numbers, by the rules for their kind: as they are, as the engine takes
/// them, and their digest.
pub(super) fn parse(entry: &Object) -> Result<AdmittedKey, JwkError> {
    match required(entry, "kty")? {
        "EC" => ec(entry),
        "OKP" => okp(entry),
        "RSA" => rsa(entry),
        "oct" => Err(JwkError::Symmetric),
        _ => Err(JwkError::UnsupportedKeyType),
    }
}

fn rsa(entry: &Object) -> Result<AdmittedKey, JwkError> {
    let modulus = number(entry, "n")?;
    let exponent = number(entry, "e")?;
    let leading = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = modulus
        .len()
        .saturating_mul(8)
        .saturating_sub(usize::try_from(leading).unwrap_or(usize::MAX));
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err(JwkError::RsaModulusSize(bits));
    }
    if !is_odd(&modulus) {
        return Err(JwkError::RsaModulusEven);
    }
    // Odd and at most 2^32 leaves four bytes.
    if !is_odd(&exponent) || exponent.len() > 4 || *exponent == [1] {
        return Err(JwkError::RsaExponent);
    }
    // The engine's rules are among the ones above, so it has no reason to refuse what they leave.
    let engine_key = EngineKey::rsa(&modulus, &exponent).ok_or(JwkError::RsaModulusSize(bits))?;
    let (e, n) = (base64url::encode(&exponent), base64url::encode(&modulus));
    let thumbprint = Thumbprint::of(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#));
    Ok((
        KeyMaterial::Rsa { modulus, exponent },
        engine_key,
        thumbprint,
    ))
}

fn ec(entry: &Object) -> Result<AdmittedKey, JwkError> {
    let curve = required(entry, "crv")?;
    let (material, engine_key) = match curve {
        "P-256" => {
            let point = point::<65>(entry, 32)?;
            (KeyMaterial::EcP256(point), EngineKey::ec_p256(&point))
        }
        "P-384" => {
            let point = point::<97>(entry, 48)?;
            (KeyMaterial::EcP384(point), EngineKey::ec_p384(&point))
        }
        _ => return Err(JwkError::UnsupportedCurve),
    };
    let engine_key = engine_key.ok_or(JwkError::NotOnCurve)?;
    let (x, y) = (required(entry, "x")?, required(entry, "y")?);
    let thumbprint = Thumbprint::of(&format!(
        r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#
    ));
    Ok((material, engine_key, thumbprint))
}

fn okp(entry: &Object) -> Result<AdmittedKey, JwkError> {
    if required(entry, "crv")? != "Ed25519" {
        return Err(JwkError::UnsupportedCurve);
    }
    let (x, bytes) = base64url(entry, "x")?;
    let point = <[u8; 32]>::try_from(bytes).map_err(|_| JwkError::CoordinateLength("x"))?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&point).map_err(|_| JwkError::NotOnCurve)?;
    // The engine reduces a y-coordinate beyond the field's prime; RFC 8032 §5.1.3 refuses it.
    if key.to_edwards().compress().as_bytes() != &point {
        return Err(JwkError::NotOnCurve);
    }
    if key.is_weak() {
        return Err(JwkError::SmallOrder);
    }
    let thumbprint = Thumbprint::of(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
    Ok((
        KeyMaterial::Ed25519(point),
        EngineKey::ed25519(key),
        thumbprint,
    ))
}

type AdmittedKey = (KeyMaterial, EngineKey, Thumbprint);

/// `04 ‖ x ‖ y`, where each coordinate has exactly so many bytes, `LENGTH` in all.
fn point<const LENGTH: usize>(entry: &Object, coordinate: usize) -> Result<[u8; LENGTH], JwkError> {
    let mut point = vec![4];
    for name in ["x", "y"] {
        let (_, bytes) = base64url(entry, name)?;
        if bytes.len() != coordinate {
            return Err(JwkError::CoordinateLength(name));
        }
        point.extend_from_slice(&bytes);
    }
    <[u8; LENGTH]>::try_from(point).map_err(|_| JwkError::CoordinateLength("x"))
}

/// A `Base64urlUInt` of RFC 7518 §2, without leading zeros. Some libraries write one for the sign,
/// as RFC 7518 §6.3.1.1 warns; the number, and the key's thumbprint with it, is the same.
fn number(entry: &Object, name: &'static str) -> Result<Box<[u8]>, JwkError> {
    let (_, bytes) = base64url(entry, name)?;
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    Ok(bytes.get(zeros..).unwrap_or_default().into())
}

fn base64url<'a>(entry: &'a Object, name: &'static str) -> Result<(&'a str, Vec<u8>), JwkError> {
    let text = required(entry, name)?;
    let bytes = base64url::decode(text.as_bytes()).ok_or(JwkError::NotBase64Url(name))?;
    Ok((text, bytes))
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

/// RFC 7518 §3.3 and §3.5.
pub(super) const MIN_RSA_BITS: usize = 2048;

/// What bounds the cost of one signature.
pub(super) const MAX_RSA_BITS: usize = 4096;
