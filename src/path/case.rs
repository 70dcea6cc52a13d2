//! Names whose case does not matter, as Unity Catalog's.

use std::borrow::Cow;

use super::escape;

/// A path whose ASCII letters are in lower case.
pub(crate) fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// A path in the one spelling that all its cases share. Letters beyond ASCII stand in
/// percent-escapes, and some of them are another case of an ASCII letter: the Kelvin sign of `k`,
/// the long s of `s`.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return lower(text);
    }
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('%') {
        folded.push_str(&plain.to_ascii_lowercase());
        let (letters, after) = letters(escaped);
        if letters.is_empty() {
            folded.push('%');
        }
        for letter in letters.chars().flat_map(one_case) {
            push(&mut folded, letter);
        }
        rest = after;
    }
    folded.push_str(&rest.to_ascii_lowercase());
    Cow::Owned(folded)
}

/// The letters beyond ASCII whose escapes begin here, behind the first `%`, and what follows them;
/// none where the escapes are of something else.
fn letters(escaped: &str) -> (String, &str) {
    let mut octets = Vec::new();
    let mut rest = Some(escaped);
    let mut after = escaped;
    while let Some(text) = rest
        && let Some((octet, _)) =
            escape::octet(text.as_bytes()).filter(|(octet, _)| !octet.is_ascii())
    {
        octets.push(octet);
        after = text.get(OCTET_DIGITS..).unwrap_or_default();
        rest = after.strip_prefix('%');
    }
    String::from_utf8(octets).map_or_else(
        |_| (String::new(), escaped),
        |letters| {
            if letters.is_empty() {
                (letters, escaped)
            } else {
                (letters, after)
            }
        },
    )
}

/// A letter as all its cases have it in common, where that is one letter; else in lower case.
fn one_case(letter: char) -> impl Iterator<Item = char> {
    let mut capitals = letter.to_uppercase();
    let capital = capitals.next().filter(|_| capitals.next().is_none());
    capital.unwrap_or(letter).to_lowercase()
}

fn push(folded: &mut String, letter: char) {
    if letter.is_ascii() {
        folded.push(letter);
        return;
    }
    for octet in letter.encode_utf8(&mut [0; 4]).bytes() {
        folded.push('%');
        let mut digits = [0; OCTET_DIGITS];
        folded.push_str(base16ct::lower::encode_str(&[octet], &mut digits).unwrap_or_default());
    }
}

/// The digits of an escape.
const OCTET_DIGITS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_cases_of_a_name_are_one() {
        #[rustfmt::skip]
        let cases = [
            // name               text                       want
            ("lower case",        "/a/b-c",                  "/a/b-c"),
            ("capitals",          "/A/b-C",                  "/a/b-c"),
            ("the Kelvin sign",   "/ban%E2%84%AA/x",         "/bank/x"),
            ("the long s",        "/%c5%bfecret",            "/secret"),
            ("a capital",         "/%C3%89t%C3%A9",          "/%c3%a9t%c3%a9"),
            ("two in a row",      "/%C3%89%C3%89",           "/%c3%a9%c3%a9"),
            ("a sharp s",         "/stra%C3%9Fe",            "/stra%c3%9fe"),
            ("a blank",           "/A%20B",                  "/a%20b"),
            ("no letters",        "/a%FF%C3",                "/a%ff%c3"),
            ("no escape",         "/a%Z1%",                  "/a%z1%"),
        ];
        for (name, text, want) in cases {
            assert_eq!(folded(text), want, "{name}");
        }
    }
}
