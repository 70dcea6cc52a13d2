//! base64url as JOSE writes it: RFC 7515 §2, without padding, and one text for one value.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes canonical base64url. `None` for padding, white space, the other alphabet, an impossible
/// length, or trailing bits that are not zero: each of them would give one token a second spelling.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The one text for these bytes.
pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

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
    }
}
