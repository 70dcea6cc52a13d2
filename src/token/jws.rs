//! The compact JWS: RFC 7515 §3.1 and §7.1, without the extensions that RFC 8725 advises against.
//!
//! The JOSE header is read before the signature, because it says which signature to expect; it is
//! trusted with nothing else. `kid` is a key of a map, never a path, a URL or a query. `jku`,
//! `x5u`, `jwk`, `x5c` and `x5t` are passed over: a token does not bring its own key. The payload
//! is out of reach until [`Jws::verify`].

mod header;
mod unverified;

use std::fmt;

use crate::bytes;
use crate::token::algorithm::Algorithm;
use crate::token::base64url;
use crate::token::bearer::BearerToken;
use crate::token::json::{Json, JsonError};
use crate::token::jwk::Jwk;
use crate::token::signature::{EngineKey, SignatureError, Verifier};
use crate::token::text::TextError;

use header::JoseHeader;

pub(crate) use header::{is_same_media_type, short_media_type};
pub use unverified::{IssuerHint, UnverifiedClaims};

/// A token with the form of a JWS in compact serialisation. Whether anybody signed it is open.
///
/// Invariant: three non-empty segments, each of them canonical base64url, behind a JOSE header that
/// asks for nothing we do not do.
pub struct Jws<'a> {
    signing_input: &'a [u8],
    header: JoseHeader,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Parses the compact serialisation. The work is linear in the length of the token.
    pub fn parse(token: &BearerToken<'a>) -> Result<Self, JwsError> {
        Self::read(token).map(|(jws, _)| jws)
    }

    /// The same, and the whole JOSE header: for a proof of possession, which does bring its own key
    /// (RFC 9449 §4.2).
    pub(super) fn read(token: &BearerToken<'a>) -> Result<(Self, Json), JwsError> {
        let token = token.as_bytes();
        let (signing_input, [header, payload, signature]) = segments(token)
            .ok_or_else(|| JwsError::SegmentCount(bytes::count(token, b'.').saturating_add(1)))?;
        let header = decode(header, JwsSegment::Header)?;
        let payload = decode(payload, JwsSegment::Payload)?;
        let signature = decode(signature, JwsSegment::Signature)?;
        let header = Json::parse(&header).map_err(JwsError::Header)?;
        let jws = Self {
            signing_input,
            header: JoseHeader::read(&header)?,
            payload,
            signature,
        };
        Ok((jws, header))
    }

    /// The algorithm that the header names.
    pub const fn algorithm(&self) -> Algorithm {
        self.header.algorithm
    }

    /// The key ID that the header names, `kid`.
    pub fn key_id(&self) -> Option<&str> {
        self.header.key_id.as_deref()
    }

    /// The media type that the header names, `typ`, as it was written.
    pub fn token_type(&self) -> Option<&str> {
        self.header.token_type.as_deref()
    }

    /// Whether `typ` names this media type, `at+jwt` say. RFC 7515 §4.1.9: without case, and
    /// `application/` may be left out.
    pub fn has_token_type(&self, media_type: &str) -> bool {
        self.token_type()
            .is_some_and(|text| is_same_media_type(text, media_type))
    }

    /// Verifies the signature against one key, and only then gives the payload out.
    pub fn verify(
        &self,
        key: &Jwk,
        verifier: &dyn Verifier,
    ) -> Result<SignedPayload<'_>, SignatureError> {
        if !key.fits(self.header.algorithm) {
            return Err(SignatureError::KeyDoesNotFit);
        }
        if !key.material().takes_signature_of(self.signature.len()) {
            return Err(SignatureError::Length(self.signature.len()));
        }
        if !key.material().is_in_range(&self.signature) {
            return Err(SignatureError::Mismatch);
        }
        let message = self.signing_input;
        if verifier.verify(self.header.algorithm, key, message, &self.signature) {
            Ok(SignedPayload(&self.payload))
        } else {
            Err(SignatureError::Mismatch)
        }
    }

    /// The token with its signature in the other spelling that the same key verifies; `None` where
    /// there is no other.
    pub(super) fn respelled(&self) -> Option<String> {
        let signature = EngineKey::respelled(self.header.algorithm, &self.signature)?;
        let signed = str::from_utf8(self.signing_input).ok()?;
        Some([signed, ".", &base64url::encode(&signature)].concat())
    }
}

/// The payload of a [`Jws`] whose signature one key verified. What it says is still to be read, by
/// [`Claims::parse`](crate::token::claims::Claims::parse).
#[derive(Clone, Copy)]
pub struct SignedPayload<'a>(&'a [u8]);

impl<'a> SignedPayload<'a> {
    /// The bytes that were signed.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// A payload without a signature, to test what reads it.
    #[cfg(test)]
    pub(crate) const fn unsigned(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

/// One of the three segments.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JwsSegment {
    /// The JOSE header.
    Header,
    /// The payload.
    Payload,
    /// The signature.
    Signature,
}

/// A member of the JOSE header that is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeaderMember {
    /// `alg`.
    Algorithm,
    /// `cty`.
    ContentType,
    /// `kid`.
    KeyId,
    /// `typ`.
    TokenType,
}

/// Why a bearer token is not a JWS that we read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JwsError {
    /// The header names no algorithm.
    AlgorithmMissing,
    /// `zip`: RFC 8725 §3.6.
    Compressed,
    /// `crit`: we implement no extension, so whatever it lists is one we would have to understand
    /// (RFC 7515 §4.1.11).
    Critical,
    /// A segment without characters.
    EmptySegment(JwsSegment),
    /// `enc`: a JWE.
    Encrypted,
    /// The header is not JSON that we read.
    Header(JsonError),
    /// The header is not a JSON object.
    HeaderNotObject,
    /// `cty` says that the payload is another token (RFC 7519 §5.2).
    Nested,
    /// A segment is not canonical base64url.
    NotBase64Url(JwsSegment),
    /// Not three segments but so many.
    SegmentCount(usize),
    /// A text of the header is not one we take.
    Text {
        /// The member that holds it.
        member: HeaderMember,
        /// What is wrong with it.
        fault: TextError,
    },
    /// `b64`: RFC 7797.
    Unencoded,
    /// An algorithm that we do not verify.
    UnsupportedAlgorithm,
    /// A member of the header is not a string.
    WrongType(HeaderMember),
}

impl JwsError {
    /// The stable name of this reason, for the audit record.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlgorithmMissing | Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::Compressed
            | Self::Critical
            | Self::Encrypted
            | Self::Nested
            | Self::Unencoded => "unsupported_token",
            Self::EmptySegment(_)
            | Self::Header(_)
            | Self::HeaderNotObject
            | Self::NotBase64Url(_)
            | Self::SegmentCount(_)
            | Self::Text { .. }
            | Self::WrongType(_) => "malformed_token",
        }
    }
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlgorithmMissing => f.write_str("the token's header names no algorithm"),
            Self::Compressed => f.write_str("a compressed token"),
            Self::Critical => f.write_str("a token with critical extensions"),
            Self::EmptySegment(segment) => write!(f, "the token's {segment} is empty"),
            Self::Encrypted => f.write_str("an encrypted token"),
            Self::Header(error) => write!(f, "the token's header: {error}"),
            Self::HeaderNotObject => f.write_str("the token's header is not a JSON object"),
            Self::Nested => f.write_str("a token within a token"),
            Self::NotBase64Url(segment) => {
                write!(f, "the token's {segment} is not canonical base64url")
            }
            Self::SegmentCount(count) => write!(f, "a token of {count} segments, not three"),
            Self::Text { member, fault } => write!(f, "the header's {member} {fault}"),
            Self::Unencoded => f.write_str("a token with an unencoded payload"),
            Self::UnsupportedAlgorithm => {
                f.write_str("the token's algorithm is not one that is verified here")
            }
            Self::WrongType(member) => write!(f, "the header's {member} is not a string"),
        }
    }
}

impl fmt::Display for JwsSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

impl fmt::Display for HeaderMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm => "`alg`",
            Self::ContentType => "`cty`",
            Self::KeyId => "`kid`",
            Self::TokenType => "`typ`",
        })
    }
}

/// What is signed, and the three segments; `None` where they are not three.
fn segments(token: &[u8]) -> Option<(&[u8], [&[u8]; 3])> {
    let (header, rest) = split_at_dot(token)?;
    let (payload, signature) = split_at_dot(rest)?;
    if split_at_dot(signature).is_some() {
        return None;
    }
    let signed = header
        .len()
        .saturating_add(DOT)
        .saturating_add(payload.len());
    Some((token.get(..signed)?, [header, payload, signature]))
}

fn split_at_dot(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(bytes::length_of_run(text, |byte| byte != b'.'))?;
    Some((before, rest.get(DOT..)?))
}

fn decode(text: &[u8], segment: JwsSegment) -> Result<Vec<u8>, JwsError> {
    if text.is_empty() {
        return Err(JwsError::EmptySegment(segment));
    }
    base64url::decode(text).ok_or(JwsError::NotBase64Url(segment))
}

/// The length of what separates segments.
const DOT: usize = 1;

#[cfg(test)]
mod tests;
