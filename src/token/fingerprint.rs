//! A SHA-256 that names something without being it: a whole token, or a certificate.

use std::fmt;

use sha2::{Digest, Sha256};

use super::base64url;
use super::bearer::BearerToken;

/// The SHA-256 of a token, over the characters in which it was sent, or of a certificate in DER.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint([u8; BYTES]);

impl Fingerprint {
    /// Of this token.
    pub fn of(token: BearerToken<'_>) -> Self {
        Self::over(token.as_bytes())
    }

    /// Of what was signed of this token: all of it before its last dot, the same however its
    /// signature is written. Of a token without dots it is that of the whole.
    pub fn of_signed(token: BearerToken<'_>) -> Self {
        let text = token.as_bytes();
        let signed = text
            .iter()
            .rposition(|&byte| byte == b'.')
            .and_then(|dot| text.get(..dot));
        Self::over(signed.unwrap_or(text))
    }

    #[inline(never)]
    pub(super) fn over(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Reads the hexadecimal spelling, as `sha256sum` writes it; capitals will do.
    pub fn parse(text: &str) -> Result<Self, FingerprintError> {
        let mut bytes = [0; BYTES];
        match base16ct::mixed::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == BYTES => Ok(Self(bytes)),
            Ok(_) | Err(_) => Err(FingerprintError),
        }
    }

    /// Reads the base64url spelling, as `x5t#S256` has it (RFC 8705 §3.1); `None` where it is not
    /// that of 32 bytes.
    pub fn from_base64url(text: &str) -> Option<Self> {
        base64url::decode(text.as_bytes())?
            .try_into()
            .ok()
            .map(Self)
    }
}

/// Writes the first bytes of the SHA-256 of some bytes behind a text, as hexadecimal digits.
pub(crate) fn digest_onto(text: &mut String, of: &[u8], bytes: usize) {
    let mut digits = [0; BYTES * 2];
    let digits = base16ct::lower::encode_str(&Sha256::digest(of), &mut digits);
    let shortened = digits
        .ok()
        .and_then(|digits| digits.get(..bytes.saturating_mul(2)));
    text.push_str(shortened.unwrap_or_default());
}

/// A text that is no SHA-256. It may well be a token, so it is not kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FingerprintError;

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a SHA-256 in 64 hexadecimal digits")
    }
}

const BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_token() {
        // FIPS 180-4's example, `abc`.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let token = BearerToken::parse(b"abc", 10).unwrap();
        let other = BearerToken::parse(b"abd", 10).unwrap();
        assert_eq!(Fingerprint::parse(digest), Ok(Fingerprint::of(token)));
        assert_eq!(
            Fingerprint::parse(&digest.to_ascii_uppercase()),
            Ok(Fingerprint::of(token))
        );
        assert_ne!(Fingerprint::parse(digest), Ok(Fingerprint::of(other)));
    }

    #[test]
    fn both_spellings_name_the_same() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let spelled = Fingerprint::from_base64url("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert_eq!(spelled, Fingerprint::parse(digest).ok());
        for other in [
            "",
            "ungW",
            "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0=",
            digest,
        ] {
            assert_eq!(Fingerprint::from_base64url(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_sha_256_is_refused() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let short = digest.strip_prefix('b').unwrap();
        let signed = format!("+{short}");
        #[rustfmt::skip]
        let cases = [
            ("empty",          ""),
            ("a digit short",  short),
            ("with a prefix",  "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"),
            ("base64url",      "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"),
            ("with a sign",    signed.as_str()),
            ("a token",        "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"),
        ];
        for (name, text) in cases {
            assert_eq!(Fingerprint::parse(text), Err(FingerprintError), "{name}");
        }
    }
}
