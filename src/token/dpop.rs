//! A DPoP proof: RFC 9449 §4.2, and of §4.3 what the proof alone decides.
//!
//! A JWT that brings the key that signed it, and says for which request and which access token its
//! signer made it. The key proves nothing by itself, so the one that is expected is named from the
//! start: that of the token. Whether the proof is for the request at hand, fresh, and not seen
//! before is left to others.

use std::fmt;

use crate::time::UnixTime;
use crate::token::bearer::{BearerError, BearerToken};
use crate::token::fingerprint::Fingerprint;
use crate::token::json::{Json, JsonError};
use crate::token::jwk::{Jwk, JwkError, Thumbprint};
use crate::token::jws::{Jws, JwsError};
use crate::token::numeric_date::numeric_date;
use crate::token::signature::{SignatureError, Verifier};

/// What the holder of a key has signed, to show that it is theirs. Only [`Proof::verify`] makes
/// one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// The method that it is for, `htm`.
    pub method: Box<str>,
    /// The URI that it is for, `htu`.
    pub uri: Box<str>,
    /// The access token that it is for, `ath`.
    pub token: Fingerprint,
    /// When it was made, `iat`.
    pub issued_at: UnixTime,
    /// From when it is dead, where it says so itself, `exp`.
    pub expires_at: Option<UnixTime>,
    /// Its ID, `jti`.
    pub id: Box<str>,
}

impl Proof {
    /// Verifies a proof by this very key. No claim is read before its signature holds.
    pub fn verify(
        text: &[u8],
        key: Thumbprint,
        verifier: &dyn Verifier,
    ) -> Result<Self, ProofError> {
        let text = BearerToken::parse(text, MAX_BYTES)?;
        let (jws, header) = Jws::read(&text)?;
        if !jws.has_token_type(TYPE) {
            return Err(ProofError::Type);
        }
        let jwk = Jwk::admit(header.get("jwk").unwrap_or(&Json::Null))?;
        if jwk.thumbprint() != key {
            return Err(ProofError::AnotherKey);
        }
        let payload = jws.verify(&jwk, verifier)?;
        let claims = Json::parse(payload.as_bytes())?;
        let text = |name| {
            let text = claims.get(name).and_then(Json::as_str);
            text.filter(|text| !text.is_empty())
                .ok_or(ProofError::Claim(name))
        };
        let date = |name| {
            let date = claims.get(name).map(numeric_date);
            date.map(|date| date.ok_or(ProofError::Claim(name)))
                .transpose()
        };
        let id = text("jti")?;
        if id.len() > MAX_ID_BYTES {
            return Err(ProofError::Claim("jti"));
        }
        Ok(Self {
            method: text("htm")?.into(),
            uri: text("htu")?.into(),
            token: Fingerprint::from_base64url(text("ath")?).ok_or(ProofError::Claim("ath"))?,
            issued_at: date("iat")?.ok_or(ProofError::Claim("iat"))?,
            expires_at: date("exp")?,
            id: id.into(),
        })
    }
}

/// Why a text is no proof by the key that is expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProofError {
    /// It is by another key.
    AnotherKey,
    /// This claim is missing, or not what it must be.
    Claim(&'static str),
    /// Its claims are not JSON that we read.
    Json(JsonError),
    /// Its key is none that is verified with here, or is not there.
    Key(JwkError),
    /// Not a JWS that we read.
    Malformed(JwsError),
    /// The signature does not hold.
    Signature(SignatureError),
    /// Not one JWT, or a longer one than [`MAX_BYTES`].
    Text(BearerError),
    /// Its `typ` is not that of a proof.
    Type,
}

impl ProofError {
    /// The stable name of this reason, for the audit record.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AnotherKey => "dpop_proof_by_another_key",
            Self::Key(_) => "dpop_proof_key_refused",
            Self::Claim(_) | Self::Json(_) | Self::Malformed(_) | Self::Text(_) => {
                "dpop_proof_malformed"
            }
            Self::Signature(_) => "dpop_proof_signature",
            Self::Type => "dpop_proof_wrong_type",
        }
    }
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(name) => write!(f, "the claim `{name}` is missing or of no use"),
            Self::Json(error) => write!(f, "{error}"),
            Self::Key(error) => write!(f, "its key: {error}"),
            Self::Malformed(error) => write!(f, "{error}"),
            Self::Signature(error) => write!(f, "{error}"),
            Self::Text(error) => write!(f, "{error}"),
            Self::AnotherKey | Self::Type => f.write_str(self.code()),
        }
    }
}

impl From<BearerError> for ProofError {
    fn from(error: BearerError) -> Self {
        Self::Text(error)
    }
}

impl From<JsonError> for ProofError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl From<JwkError> for ProofError {
    fn from(error: JwkError) -> Self {
        Self::Key(error)
    }
}

impl From<JwsError> for ProofError {
    fn from(error: JwsError) -> Self {
        Self::Malformed(error)
    }
}

impl From<SignatureError> for ProofError {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

const TYPE: &str = "dpop+jwt";

/// An RSA key of 4096 bits and its signature take 2 KiB, the longest URI that is served 2 KiB more.
pub const MAX_BYTES: usize = 8192;

/// Clients take UUIDs and hashes; RFC 9449 §11.1 lets servers refuse more.
pub const MAX_ID_BYTES: usize = 256;

#[cfg(test)]
mod tests;
