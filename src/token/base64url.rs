//! base64url as JOSE writes it: RFC 7515 §2, without padding, and one text for one value.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes canonical base64url. `None` for padding, white space, the other alphabet, an impossible length, or trailing bits that are not
/// zero: each of them would give one token a second spelling.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (quads, rest) = text.as_chunks();
    let (last, length) = match *rest {
        [] => ([ZERO; 4], 0),
        [first, second] => ([first, second, ZERO, ZERO], 1),
        [first, second, third] => ([first, second, third, ZERO], 2),
        // Six bits are no byte.
        _ => return None,
    };
    let mut triples = vec![[0; 3]; quads.len().saturating_add(1)];
    let mut seen = 0;
    for (triple, quad) in triples.iter_mut().zip(quads) {
        *triple = octets(*quad, &mut seen);
    }
    if let Some(triple) = triples.last_mut() {
        *triple = octets(last, &mut seen);
    }
    let mut bytes = triples.into_flattened();
    let length = quads.len().saturating_mul(3).saturating_add(length);
    let mut trailing = bytes.iter().skip(length);
    let is_canonical = seen & NO_DIGIT == 0 && trailing.all(|bits| *bits == 0);
    bytes.truncate(length);
    is_canonical.then_some(bytes)
}

/// The one text for these bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of four characters. What is seen of their digits is added, bit by bit, to what was seen before: asking once is cheaper.
fn octets(characters: [u8; 4], seen: &mut u8) -> [u8; 3] {
    let [first, second, third, fourth] = characters.map(|character| {
        let digit = DIGITS.get(usize::from(character));
        digit.copied().unwrap_or(NO_DIGIT)
    });
    *seen |= first | second | third | fourth;
    [
        (first << 2) | (second >> 4),
        (second << 4) | (third >> 2),
        (third << 6) | fourth,
    ]
}

/// RFC 4648 §5; [`NO_DIGIT`] for a character that the alphabet does not have.
const fn digit(character: u8) -> u8 {
    match character {
        b'A'..=b'Z' => character.wrapping_sub(b'A'),
        b'a'..=b'z' => character.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => character.wrapping_sub(b'0').wrapping_add(52),
        b'-' => 62,
        b'_' => 63,
        _ => NO_DIGIT,
    }
}

/// The character of the digit 0.
const ZERO: u8 = b'A';

/// No digit has this bit.
const NO_DIGIT: u8 = 0x80;

/// [`digit`] of every character.
static DIGITS: [u8; 256] = {
    let mut digits = [0; 256];
    let mut character: u8 = 0;
    let mut rest: &mut [u8] = &mut digits;
    while let [place, others @ ..] = rest {
        *place = digit(character);
        character = character.wrapping_add(1);
        rest = others;
    }
    digits
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_text_for_one_value() {
        #[rustfmt::skip]
        let cases: [(&str, &str, Option<&[u8]>); 17] = [
            // name                             text       want
            ("nothing",                         "",        Some(b"")),
            ("one byte",                        "Zg",      Some(b"f")),
            ("two bytes",                       "Zm8",     Some(b"fo")),
            ("three bytes",                     "Zm9v",    Some(b"foo")),
            ("the url alphabet",                "-_-_",    Some(&[0xfb, 0xff, 0xbf])),
            ("the other alphabet, plus",        "+_-_",    None),
            ("the other alphabet, slash",       "-/-_",    None),
            ("padding",                         "Zg==",    None),
            ("one padding character",           "Zm8=",    None),
            ("trailing bits, one byte",         "Zh",      None),
            ("trailing bits, two bytes",        "Zm9",     None),
            ("one character",                   "Z",       None),
            ("five characters",                 "Zm9vZ",   None),
            ("a leading space",                 " Zm9v",   None),
            ("a line break inside",             "Zm\n9v",  None),
            ("a trailing line break",           "Zm9v\n",  None),
            ("a byte beyond ASCII",             "Zmé",     None),
        ];
        for (name, text, want) in cases {
            assert_eq!(decode(text.as_bytes()).as_deref(), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back_from_their_text(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(decode(URL_SAFE_NO_PAD.encode(&bytes).as_bytes()), Some(bytes));
        }

        #[test]
        fn every_text_is_read_as_others_read_it(text in "[A-Za-z0-9_-]{0,40}", place: prop::sample::Index, other: u8) {
            let mut text = text.into_bytes();
            prop_assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok());
            if !text.is_empty() {
                let place = place.index(text.len());
                text[place] = other;
                prop_assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok());
            }
        }
    }
}
