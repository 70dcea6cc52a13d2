//! What a text stands for where its percent-escapes are decoded (RFC 3986 §2.1).

use std::iter;

use crate::path::escape::octet;

/// What a text with escapes stands for, decoded as often as some server might. The text as it is
/// comes not with it, so of a text without escapes there is nothing.
///
/// A `+` stays as it is: where it stands for a space, no token has one in it, and none is found the
/// worse behind one.
pub(in crate::request) fn unescaped(text: &str) -> impl Iterator<Item = String> {
    iter::successors(decoded(text), |text| decoded(text)).take(MAX_LEVELS)
}

/// The text with its escapes decoded once; `None` where it has none.
fn decoded(text: &str) -> Option<String> {
    let first = text.find('%')?;
    let (before, mut rest) = text.as_bytes().split_at_checked(first)?;
    let mut decoded = before.to_vec();
    let mut is_escaped = false;
    while let Some((&byte, tail)) = rest.split_first() {
        let escape = if byte == b'%' { octet(tail) } else { None };
        is_escaped |= escape.is_some();
        let (byte, after) = escape.unwrap_or((byte, tail));
        decoded.push(byte);
        rest = after;
    }
    is_escaped.then(|| String::from_utf8_lossy(&decoded).into_owned())
}

/// A client escapes once, and whoever hands its text on may do so again; each level costs one pass,
/// so there has to be an end.
const MAX_LEVELS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_decoded_as_often_as_it_is_escaped() {
        #[rustfmt::skip]
        let cases: [(&str, &str, &[&str]); 8] = [
            // name                text               want
            ("nothing",            "",                &[]),
            ("no escape",          "a+b%",            &[]),
            ("no digits",          "100%zz",          &[]),
            ("one",                "%64api+1",        &["dapi+1"]),
            ("beside none",        "%%64%6",          &["%d%6"]),
            ("twice",              "%2564",           &["%64", "d"]),
            ("too often",          "%2525252564",     &["%25252564", "%252564", "%2564"]),
            ("no UTF-8",           "%ff",             &["\u{fffd}"]),
        ];
        for (name, text, want) in cases {
            assert_eq!(unescaped(text).collect::<Vec<_>>(), want, "{name}");
        }
    }
}
