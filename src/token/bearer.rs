//! The bearer token as a string of characters: RFC 6750 §2.1, `b64token`.
//!
//! What the characters mean is left to [`jws`](crate::token::jws); an opaque token is a bearer
//! token too.

use std::fmt;

use crate::bytes::{self, is_letter, is_one_of, is_within};

/// A bearer token, borrowed from the header that brought it.
///
/// Invariant: a `b64token` within the size limit, so every byte is ASCII and none is a comma, a
/// space or a quote.
#[derive(Clone, Copy)]
pub struct BearerToken<'a>(&'a [u8]);

impl<'a> BearerToken<'a> {
    /// Parses the token of at most `max_bytes`; a longer one is refused before a byte of it is
    /// read.
    pub fn parse(text: &'a [u8], max_bytes: usize) -> Result<Self, BearerError> {
        if text.len() > max_bytes {
            return Err(BearerError::TooLong(text.len()));
        }
        if text.is_empty() {
            return Err(BearerError::Empty);
        }
        let body = bytes::length_of_run(text, is_b64token);
        let padding = text
            .iter()
            .skip(body)
            .take_while(|&&byte| byte == b'=')
            .count();
        if body == 0 {
            return Err(BearerError::IllegalByte(0));
        }
        match body.checked_add(padding) {
            Some(end) if end == text.len() => Ok(Self(text)),
            Some(offset) => Err(BearerError::IllegalByte(offset)),
            None => Err(BearerError::IllegalByte(body)),
        }
    }

    /// The token's characters as bytes. They are a credential: never logged, never recorded.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The token's characters, which are looked over once more: where bytes do, [`Self::as_bytes`]
    /// is cheaper.
    pub fn as_str(self) -> &'a str {
        // All of ASCII, so there is always a text.
        str::from_utf8(self.0).unwrap_or_default()
    }
}

/// A bearer token that is kept.
///
/// Invariant: the text of a [`BearerToken`], so the same text is one too, whoever sends it.
pub struct KeptToken(Box<[u8]>);

impl KeptToken {
    /// Keeps this token.
    pub fn of(token: BearerToken<'_>) -> Self {
        Self(token.0.into())
    }

    /// The token that a text is, if it is this one, byte for byte: then nothing else of it needs to
    /// be looked at.
    pub fn recognized_in<'a>(&self, text: &'a [u8]) -> Option<BearerToken<'a>> {
        are_equal(&self.0, text).then_some(BearerToken(text))
    }
}

/// Why bytes are not a bearer token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BearerError {
    /// No characters.
    Empty,
    /// A byte that a `b64token` cannot hold there, at this offset.
    IllegalByte(usize),
    /// Too many bytes, this many.
    TooLong(usize),
}

impl fmt::Display for BearerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an empty bearer token"),
            Self::IllegalByte(offset) => write!(f, "byte {offset} cannot stand in a bearer token"),
            Self::TooLong(length) => {
                write!(f, "a bearer token of {length} bytes is over the limit")
            }
        }
    }
}

/// Whether two texts are the same. Long tokens are compared with every request, so that is done
/// without branches, and in pieces of which the compiler compares sixteen bytes at once.
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let (pieces, rest) = one.as_chunks();
    let (others, other_rest) = other.as_chunks();
    let mut pairs = pieces.iter().zip(others);
    one.len() == other.len() && pairs.all(|(one, other)| are_same(one, other)) && rest == other_rest
}

fn are_same(one: &[u8; PIECE], other: &[u8; PIECE]) -> bool {
    let (lanes, _) = one.as_chunks::<16>();
    let (others, _) = other.as_chunks::<16>();
    let mut difference = [0; 16];
    for (one, other) in lanes.iter().zip(others) {
        for (difference, (one, other)) in difference.iter_mut().zip(one.iter().zip(other)) {
            *difference |= one ^ other;
        }
    }
    u128::from_ne_bytes(difference) == 0
}

const PIECE: usize = 64;

/// RFC 6750 §2.1, without the `=` that may only stand at the end.
fn is_b64token(byte: u8) -> bool {
    // `-`, `.`, `/` and the digits stand side by side.
    is_letter(byte) | is_within(byte, b'-', b'9') | is_one_of(byte, b"_~+")
}

/// The size of token that the configuration allows unless it says otherwise: far more than any
/// identity provider sends, far less than the 60 KiB of headers that Envoy lets through.
pub const DEFAULT_MAX_BYTES: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_a_b64token_within_its_limit() {
        use BearerError::{Empty, IllegalByte, TooLong};
        #[rustfmt::skip]
        let cases: [(&str, &[u8], Result<&str, BearerError>); 16] = [
            // name                      text           want
            ("a compact JWS",            b"aB0-_.c.d",  Ok("aB0-_.c.d")),
            ("the other characters",     b"~+/-._",     Ok("~+/-._")),
            ("padded",                   b"aa==",       Ok("aa==")),
            ("empty",                    b"",           Err(Empty)),
            ("padding alone",            b"==",         Err(IllegalByte(0))),
            ("padding inside",           b"a=b",        Err(IllegalByte(2))),
            ("two tokens",               b"a b",        Err(IllegalByte(1))),
            ("joined by a comma",        b"a,Bearer b", Err(IllegalByte(1))),
            ("a leading space",          b" a",         Err(IllegalByte(0))),
            ("a trailing tab",           b"a\t",        Err(IllegalByte(1))),
            ("a NUL",                    b"a\0",        Err(IllegalByte(1))),
            ("a quote",                  b"\"a\"",      Err(IllegalByte(0))),
            ("a byte beyond ASCII",      b"a\xff",      Err(IllegalByte(1))),
            ("UTF-8 beyond ASCII",       "aé".as_bytes(), Err(IllegalByte(1))),
            ("exactly the limit",        b"0123456789", Ok("0123456789")),
            ("one byte more",            b"0123456789a", Err(TooLong(11))),
        ];
        for (name, text, want) in cases {
            assert_eq!(
                BearerToken::parse(text, 10).map(BearerToken::as_str),
                want,
                "{name}"
            );
        }
    }

    #[test]
    fn a_kept_token_is_recognized_by_all_of_its_text() {
        for length in [1, 16, 63, 64, 65, 127, 128, 150] {
            let text = vec![b'a'; length];
            let kept = KeptToken::of(BearerToken::parse(&text, length).unwrap());
            let found = kept.recognized_in(&text).map(BearerToken::as_bytes);
            assert_eq!(found, Some(&*text), "{length} bytes");
            for place in 0..length {
                let mut other = text.clone();
                other[place] = b'b';
                assert!(kept.recognized_in(&other).is_none(), "{place} of {length}");
            }
            assert!(kept.recognized_in(&text[1..]).is_none());
            assert!(kept.recognized_in(&[&*text, b"a"].concat()).is_none());
        }
    }
}
