//! What a text stands for where its percent-escapes are decoded (RFC 3986 §2.1).

use std::borrow::Cow;
use std::iter;

use crate::bytes;
use crate::path::escape::octet;

use super::{Finder, REDACTED, is_token_byte};

/// What a text with escapes stands for, decoded as often as some server might. The text as it is
/// comes not with it, so of a text without escapes there is nothing.
///
/// A `+` stays as it is: where it stands for a space, no token has one in it, and none is found the
/// worse behind one.
pub(in crate::request) fn unescaped(text: &str) -> impl Iterator<Item = String> {
    iter::successors(decoded(text), |text| decoded(text)).take(MAX_LEVELS)
}

/// The text without the words in which a credential stands that is to be seen when they are
/// decoded. No credential has a letter that ends a word. What stands as it is, stays.
pub(in crate::request) fn without_escaped(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word =
            bytes::length_of_run(rest.as_bytes(), |byte| is_token_byte(byte) | (byte == b'%'));
        let Some((word, behind)) = rest.split_at_checked(word) else {
            break;
        };
        kept.push_str(if hides_credential(word) {
            REDACTED
        } else {
            word
        });
        let mut letters = behind.chars();
        kept.extend(letters.next());
        rest = letters.as_str();
    }
    Cow::Owned(kept)
}

/// Whether a word decoded holds other credentials than it does as it is.
fn hides_credential(word: &str) -> bool {
    word.contains('%') && {
        let shown = credentials(word);
        unescaped(word).any(|text| credentials(&text) != shown)
    }
}

/// Every credential that stands in a text as it is.
fn credentials(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut finder = Finder::new(text);
    let mut place = 0;
    while let Some(letter) = text.get(place..).and_then(|rest| rest.chars().next()) {
        let end = finder.at(place);
        found.extend(end.and_then(|end| text.get(place..end)));
        place = end.unwrap_or_else(|| place.saturating_add(letter.len_utf8()));
    }
    found
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
