//! The JOSE header (RFC 7515 §4), as far as it is read.

use crate::token::algorithm::Algorithm;
use crate::token::json::{Json, Object};
use crate::token::jwk::MAX_KEY_ID_BYTES;
use crate::token::text;

use super::{HeaderMember, JwsError};

/// What is read of the JOSE header.
pub(super) struct JoseHeader {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<Box<str>>,
    pub(super) token_type: Option<Box<str>>,
}

impl JoseHeader {
    pub(super) fn read(header: &Json) -> Result<Self, JwsError> {
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

/// Bytes of a media type: RFC 6838 §4.2 allows 127 on either side of the slash.
const MAX_TYPE_BYTES: usize = 255;
