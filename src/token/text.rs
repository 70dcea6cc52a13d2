//! Text from outside that will be compared, recorded, or written into a header.

use std::fmt;

use crate::bytes::{self, is_within};

/// Checks that a text is neither empty nor longer than `max_bytes` and breaks no line, wherever it
/// is written.
pub fn checked(text: &str, max_bytes: usize) -> Result<&str, TextError> {
    if text.is_empty() {
        return Err(TextError::Empty);
    }
    if text.len() > max_bytes {
        return Err(TextError::TooLong(text.len()));
    }
    let is_plain = bytes::has_only(text.as_bytes(), |byte| is_within(byte, b' ', b'~'));
    if !is_plain && text.chars().any(breaks_lines) {
        return Err(TextError::ControlCharacter);
    }
    Ok(text)
}

/// Checks that a text still is the same where white space around it is lost, as around the value
/// of a header (RFC 9110 §5.5).
pub fn unpadded(text: &str) -> Result<&str, TextError> {
    if text.trim() == text {
        Ok(text)
    } else {
        Err(TextError::Padded)
    }
}

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TextError {
    /// A control character or a line or paragraph separator.
    ControlCharacter,
    /// No characters.
    Empty,
    /// White space at its beginning or its end.
    Padded,
    /// Too many bytes, this many.
    TooLong(usize),
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ControlCharacter => f.write_str("holds a control character"),
            Self::Empty => f.write_str("is empty"),
            Self::Padded => f.write_str("begins or ends with white space"),
            Self::TooLong(length) => write!(f, "has {length} bytes, over the limit"),
        }
    }
}

/// U+2028 and U+2029 are no control characters, yet programs that read logs line by line break
/// there.
pub(crate) fn breaks_lines(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Bytes of one claim, the length of the longest role ARN: these go into headers and into every
/// audit record.
pub const MAX_CLAIM_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_on_its_line() {
        use TextError::{ControlCharacter, Empty, TooLong};
        #[rustfmt::skip]
        let cases = [
            // name                   text               want
            ("a word",                "alice",           Ok("alice")),
            ("beyond ASCII",          "Zoë 😀",          Ok("Zoë 😀")),
            ("exactly the limit",     "0123456789",      Ok("0123456789")),
            ("one byte more",         "0123456789a",     Err(TooLong(11))),
            ("empty",                 "",                Err(Empty)),
            ("a line break",          "a\r\nb: c",       Err(ControlCharacter)),
            ("a NUL",                 "a\0",             Err(ControlCharacter)),
            ("a tab",                 "a\tb",            Err(ControlCharacter)),
            ("DEL",                   "a\u{7f}",         Err(ControlCharacter)),
            ("the next-line control", "a\u{85}b",        Err(ControlCharacter)),
            ("a line separator",      "a\u{2028}b",      Err(ControlCharacter)),
            ("a paragraph separator", "a\u{2029}b",      Err(ControlCharacter)),
        ];
        for (name, text, want) in cases {
            assert_eq!(checked(text, 10), want, "{name}");
        }
    }
}
