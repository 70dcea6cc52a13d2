//! The compact JWS: RFC 7515 §3.1 and §7.1, without the extensions that RFC 8725 advises against.
//!
//! The JOSE header is read before the signature, because it says which signature to expect; it is
//! trusted with nothing else. `kid` is a key of a map, never a path, a URL or a query. `jku`,
//! `x5u`, `jwk`, `x5c` and `x5t` are passed over: a token does not bring its own key. The payload
//! is out of reach until [`Jws::verify`].

use std::fmt;

use serde::Serialize;

use crate::bytes;
use crate::time::UnixTime;
use crate::token::algorithm::Algorithm;
use crate::token::base64url;
use crate::token::bearer::BearerToken;
use crate::token::claims;
use crate::token::json::{Json, JsonError, Object};
use crate::token::jwk::Jwk;
use crate::token::signature::{EngineKey, SignatureError, Verifier};
use crate::token::text::{self, TextError};

/// A token with the form of a JWS in compact serialisation. Whether anybody signed it is open.
///
/// Invariant: three non-empty segments, each of them canonical base64url, behind a JOSE header that
/// asks for nothing we do not do.
pub struct Jws<'a> {
    signing_input: &'a [u8],
    header: Header,
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
        let header = decode(header, Segment::Header)?;
        let payload = decode(payload, Segment::Payload)?;
        let signature = decode(signature, Segment::Signature)?;
        let header = Json::parse(&header).map_err(JwsError::Header)?;
        let jws = Self {
            signing_input,
            header: Header::read(&header)?,
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

    /// What the token says of its issuer, **unverified**: anybody can write it.
    ///
    /// Only for the order in which keys are tried, and for deciding which issuer's keys are worth
    /// waiting for or fetching. Never for a decision to admit, never recorded. `None` where the
    /// claims could not be accepted anyway. The work is linear in the length of the token.
    pub fn issuer_hint(&self) -> Option<IssuerHint> {
        let payload = Json::parse(&self.payload).ok()?;
        let issuer = text::checked(payload.get("iss")?.as_str()?, claims::MAX_TEXT_BYTES).ok()?;
        let expires_at = match payload.get("exp") {
            Some(value) => Some(claims::numeric_date(value)?),
            None => None,
        };
        Some(IssuerHint {
            issuer: issuer.into(),
            expires_at,
        })
    }

    /// Whose token it says it is, **unverified**: to tell whose business it is where a token
    /// endpoint takes tokens of many issuers, and for a part of the record that says so. Never to
    /// admit a token of a configured issuer. `None` where no issuer can be told.
    pub fn unverified(&self) -> Option<UnverifiedClaims> {
        let payload = Json::parse(&self.payload).ok()?;
        let text = |value: &Json| {
            let text = text::checked(value.as_str()?, claims::MAX_TEXT_BYTES).ok()?;
            Some(Box::from(text))
        };
        let audiences = match payload.get("aud") {
            Some(Json::Array(items)) => items.iter().take(MAX_AUDIENCES).filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        };
        Some(UnverifiedClaims {
            issuer: text(payload.get("iss")?)?,
            subject: payload.get("sub").and_then(text),
            audiences,
        })
    }
}

/// Whose token it says it is, which nobody has vouched for; see [`Jws::unverified`].
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct UnverifiedClaims {
    /// The `iss` claim.
    pub issuer: Box<str>,
    /// The `sub` claim, where it is a text that a record can quote.
    pub subject: Option<Box<str>>,
    /// The `aud` claim, as far as its texts can be quoted.
    pub audiences: Vec<Box<str>>,
}

impl UnverifiedClaims {
    /// The bytes that they take.
    pub(crate) fn bytes(&self) -> usize {
        let subject = self.subject.as_ref().map_or(0, |subject| subject.len());
        let audiences = self.audiences.iter();
        let audiences = audiences.map(|text| text.len().saturating_add(size_of_val(text)));
        size_of::<Self>()
            .saturating_add(self.issuer.len())
            .saturating_add(subject)
            .saturating_add(audiences.sum())
    }
}

/// Claims that nobody has vouched for; see [`Jws::issuer_hint`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuerHint {
    /// The `iss` claim.
    pub issuer: String,
    /// The `exp` claim.
    pub expires_at: Option<UnixTime>,
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
pub enum Segment {
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
    EmptySegment(Segment),
    /// `enc`: a JWE.
    Encrypted,
    /// The header is not JSON that we read.
    Header(JsonError),
    /// The header is not a JSON object.
    HeaderNotObject,
    /// `cty` says that the payload is another token (RFC 7519 §5.2).
    Nested,
    /// A segment is not canonical base64url.
    NotBase64Url(Segment),
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

impl fmt::Display for Segment {
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

/// What is read of the JOSE header.
struct Header {
    algorithm: Algorithm,
    key_id: Option<Box<str>>,
    token_type: Option<Box<str>>,
}

impl Header {
    fn read(header: &Json) -> Result<Self, JwsError> {
        let header = header.as_object().ok_or(JwsError::HeaderNotObject)?;
        for (member, error) in REFUSED {
            if header.contains_key(member) {
                return Err(error);
            }
        }
        let content_type = checked(header, "cty", HeaderMember::ContentType, MAX_TYPE_BYTES)?;
        if content_type.is_some_and(|text| is_same_media_type(text, "JWT")) {
            return Err(JwsError::Nested);
        }
        let algorithm =
            string(header, "alg", HeaderMember::Algorithm)?.ok_or(JwsError::AlgorithmMissing)?;
        Ok(Self {
            algorithm: Algorithm::parse(algorithm).map_err(|_| JwsError::UnsupportedAlgorithm)?,
            key_id: checked(header, "kid", HeaderMember::KeyId, MAX_KEY_ID_BYTES)?.map(Into::into),
            token_type: checked(header, "typ", HeaderMember::TokenType, MAX_TYPE_BYTES)?
                .map(Into::into),
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

fn decode(text: &[u8], segment: Segment) -> Result<Vec<u8>, JwsError> {
    if text.is_empty() {
        return Err(JwsError::EmptySegment(segment));
    }
    base64url::decode(text).ok_or(JwsError::NotBase64Url(segment))
}

fn string<'a>(
    header: &'a Object,
    name: &str,
    member: HeaderMember,
) -> Result<Option<&'a str>, JwsError> {
    match header.get(name) {
        Some(value) => value.as_str().map(Some).ok_or(JwsError::WrongType(member)),
        None => Ok(None),
    }
}

fn checked<'a>(
    header: &'a Object,
    name: &str,
    member: HeaderMember,
    max_bytes: usize,
) -> Result<Option<&'a str>, JwsError> {
    string(header, name, member)?
        .map(|text| text::checked(text, max_bytes))
        .transpose()
        .map_err(|fault| JwsError::Text { member, fault })
}

/// Whether two texts name one media type (RFC 7515 §4.1.9 and §4.1.10): without case, and
/// `application/` may be left out.
pub(crate) fn is_same_media_type(one: &str, other: &str) -> bool {
    short_media_type(one).eq_ignore_ascii_case(short_media_type(other))
}

/// A media type as JOSE writes it, without its `application/`.
pub(crate) fn short_media_type(text: &str) -> &str {
    match text.split_once('/') {
        Some((kind, rest)) if kind.eq_ignore_ascii_case("application") => rest,
        Some(_) | None => text,
    }
}

/// Members whose mere presence refuses the token, whatever their value.
const REFUSED: [(&str, JwsError); 4] = [
    ("b64", JwsError::Unencoded),
    ("crit", JwsError::Critical),
    ("enc", JwsError::Encrypted),
    ("zip", JwsError::Compressed),
];

/// Audiences of an unverified token that a record quotes.
const MAX_AUDIENCES: usize = 8;

/// The length of what separates segments.
const DOT: usize = 1;

/// Bytes of a key ID: identity providers use 20 to 90, some put a certificate's subject there.
pub const MAX_KEY_ID_BYTES: usize = 1024;

/// Bytes of a media type: RFC 6838 §4.2 allows 127 on either side of the slash.
const MAX_TYPE_BYTES: usize = 255;

#[cfg(test)]
mod tests;
