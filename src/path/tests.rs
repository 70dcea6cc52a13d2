use proptest::prelude::*;

use super::PathError::{
    BadEscape, DotSegment, EmptySegment, EscapedControl, EscapedSeparator, EscapedUnreserved,
    IllegalByte, NotAbsolute, NotUtf8, TooDeep, TooLong,
};
use super::*;

#[test]
fn a_path_has_one_reading_or_none() {
    let longest = format!("/{}", "a".repeat(Path::MAX_LEN - 1));
    let too_long = format!("{longest}a");
    #[rustfmt::skip]
    let cases: &[(&str, &[u8], Result<(), PathError>)] = &[
        // name                             path                            want
        ("the root",                        b"/",                           Ok(())),
        ("a call",                          b"/api/2.2/jobs/run-now",       Ok(())),
        ("a trailing slash",                b"/api/2.0/sql/statements/",    Ok(())),
        ("a verb",                          b"/a/b:query",                  Ok(())),
        ("reserved and odd characters",     b"/a!$&'()*+,=:@|{}\"<>^`~b",   Ok(())),
        ("dots that are no dot segment",    b"/...//".split_at(4).0,        Ok(())),
        ("a hidden file",                   b"/.well-known/..x/x..",        Ok(())),
        ("the longest",                     longest.as_bytes(),             Ok(())),
        ("empty",                           b"",                            Err(NotAbsolute)),
        ("relative",                        b"api/2.0",                     Err(NotAbsolute)),
        ("asterisk form",                   b"*",                           Err(NotAbsolute)),
        ("absolute form",                   b"https://h/a",                 Err(NotAbsolute)),
        ("one byte too many",               too_long.as_bytes(),            Err(TooLong(Path::MAX_LEN + 1))),
        ("two slashes first",               b"//a",                         Err(EmptySegment(1))),
        ("two slashes inside",              b"/a//b",                       Err(EmptySegment(3))),
        ("two slashes last",                b"/a//",                        Err(EmptySegment(3))),
        ("a dot",                           b"/a/./b",                      Err(DotSegment(3))),
        ("two dots",                        b"/a/../b",                     Err(DotSegment(3))),
        ("two dots last",                   b"/a/..",                       Err(DotSegment(3))),
        ("dots with a parameter",           b"/a/..;/b",                    Err(IllegalByte(5))),
        ("a path parameter",                b"/a;x=1/b",                    Err(IllegalByte(2))),
        ("a query",                         b"/a?b",                        Err(IllegalByte(2))),
        ("a fragment",                      b"/a#b",                        Err(IllegalByte(2))),
        ("a backslash",                     b"/a\\b",                       Err(IllegalByte(2))),
        ("a space",                         b"/a b",                        Err(IllegalByte(2))),
        ("a tab",                           b"/a\tb",                       Err(IllegalByte(2))),
        ("NUL",                             b"/a\0",                        Err(IllegalByte(2))),
        ("DEL",                             b"/a\x7f",                      Err(IllegalByte(2))),
        ("a raw letter of UTF-8",           b"/\xc3\xa4",                   Err(IllegalByte(1))),
        ("a raw byte",                      b"/a/\xff",                     Err(IllegalByte(3))),
    ];
    for (name, bytes, want) in cases {
        assert_eq!(Path::parse(bytes).map(|_| ()), *want, "{name}");
    }
}

#[test]
fn an_escape_may_hide_nothing() {
    #[rustfmt::skip]
    let cases = [
        // name                             path                    want
        ("a space",                         "/a/b%20c",             Ok(())),
        ("what the Files API escapes",      "/f/%23%3F%25%3B%2525", Ok(())),
        ("letters of UTF-8",                "/f/%C3%A4%e4%bd%a0",   Ok(())),
        ("a percent sign before letters",   "/f/100%25zz",          Ok(())),
        ("a colon",                         "/f/a%3Ab",             Ok(())),
        ("escaped three times",             "/f/%25252520",         Ok(())),
        ("escaped four times",              "/f/%2525252520",       Err(TooDeep(3))),
        ("percent signs without end",       "/f/%25252525252525",   Err(TooDeep(3))),
        ("no digits",                       "/a%",                  Err(BadEscape(1))),
        ("one digit",                       "/a/%2",                Err(BadEscape(3))),
        ("other letters",                   "/a/%zz",               Err(BadEscape(3))),
        ("a signed number",                 "/a/%+1",               Err(BadEscape(3))),
        ("a slash",                         "/a%2fb",               Err(EscapedSeparator(1))),
        ("a slash, upper case",             "/a%2Fb",               Err(EscapedSeparator(1))),
        ("a slash, twice escaped",          "/a%252fb",             Err(EscapedSeparator(1))),
        ("a slash, thrice escaped",         "/a%25252fb",           Err(EscapedSeparator(1))),
        ("a backslash",                     "/a%5cb",               Err(EscapedSeparator(1))),
        ("a backslash, twice escaped",      "/a%255Cb",             Err(EscapedSeparator(1))),
        ("dots",                            "/a/%2e%2e/b",          Err(EscapedUnreserved(3))),
        ("half a dot segment",              "/a/.%2e/b",            Err(EscapedUnreserved(3))),
        ("dots, twice escaped",             "/a/%252e%252e/b",      Err(EscapedUnreserved(3))),
        ("dots, the digits escaped",        "/a/%25%32%65/b",       Err(EscapedUnreserved(3))),
        ("dots before a parameter",         "/a/..%3Bx/b",          Err(DotSegment(3))),
        ("a dot before a parameter",        "/a/.%3B",              Err(DotSegment(3))),
        ("dots before one, twice escaped",  "/a/..%253B/b",         Err(DotSegment(3))),
        ("a letter",                        "/%61",                 Err(EscapedUnreserved(1))),
        ("a dash",                          "/run%2Dnow",           Err(EscapedUnreserved(1))),
        ("a tilde",                         "/%7e",                 Ok(())),
        ("a parameter alone",               "/f/%3Bx/a",            Err(EmptySegment(3))),
        ("one alone, twice escaped",        "/f/%253B/a",           Err(EmptySegment(3))),
        ("behind a name",                   "/f/a%3Bx/a",           Ok(())),
        ("a letter, twice escaped",         "/%2561",               Err(EscapedUnreserved(1))),
        ("NUL",                             "/a%00",                Err(EscapedControl(1))),
        ("NUL, twice escaped",              "/a%2500",              Err(EscapedControl(1))),
        ("a line break",                    "/a%0d%0a",             Err(EscapedControl(1))),
        ("DEL",                             "/a%7F",                Err(EscapedControl(1))),
        ("a control past ASCII",            "/a%C2%85",             Err(EscapedControl(1))),
        ("dots, overlong",                  "/%c0%ae%c0%ae/b",      Err(NotUtf8(1))),
        ("a slash, overlong",               "/a%c0%afb",            Err(NotUtf8(1))),
        ("a surrogate",                     "/a%ed%a0%80",          Err(NotUtf8(1))),
        ("half a letter",                   "/a%c3/%a4",            Err(NotUtf8(1))),
        ("half a letter, twice escaped",    "/a%25c3",              Err(NotUtf8(1))),
        ("in a later segment",              "/a%20/b/%00",          Err(EscapedControl(8))),
    ];
    for (name, text, want) in cases {
        assert_eq!(
            Path::parse(text.as_bytes()).map(|path| assert!(path.has_escapes())),
            want,
            "{name}"
        );
    }
}

#[test]
fn segments_are_what_stands_between_slashes() {
    let segments = |text: &'static str| {
        Path::parse(text.as_bytes()).map(|path| path.segments().collect::<Vec<_>>())
    };
    assert_eq!(segments("/"), Ok(vec![""]));
    assert_eq!(segments("/a/b%20c"), Ok(vec!["a", "b%20c"]));
    assert_eq!(segments("/a/"), Ok(vec!["a", ""]));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Path::parse(&bytes);
    }

    #[test]
    fn what_passes_is_stable_under_any_decoding(text in "/([ab./%;:25ceEF01?\\\\]|%2[0-9A-F]|%25){0,12}") {
        if let Ok(path) = Path::parse(text.as_bytes()) {
            prop_assert_eq!(path.as_str(), &text);
            let count = path.segments().count();
            let mut reading = text.into_bytes();
            for _ in 0..8 {
                reading = decode_loosely(&reading);
                let lossy = String::from_utf8_lossy(&reading);
                prop_assert_eq!(lossy.split('/').skip(1).count(), count, "{}", lossy);
                let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
                prop_assert!(!lossy.split('/').any(is_dots), "{}", lossy);
                prop_assert!(!lossy.contains("/;"), "{}", lossy);
            }
        }
    }
}

/// Decodes once as a careless server does: what is no escape stays.
fn decode_loosely(mut bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    while let Some((&byte, tail)) = bytes.split_first() {
        let octet = tail
            .split_first_chunk::<2>()
            .filter(|_| byte == b'%')
            .and_then(|(digits, tail)| {
                let digits = str::from_utf8(digits)
                    .ok()
                    .filter(|digits| !digits.starts_with('+'))?;
                Some((u8::from_str_radix(digits, 16).ok()?, tail))
            });
        let (byte, tail) = octet.unwrap_or((byte, tail));
        decoded.push(byte);
        bytes = tail;
    }
    decoded
}
