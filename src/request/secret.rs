//! What credentials look like, wherever they turn up: in a header, a query, a form, a path.
//!
//! The shapes of Databricks' static tokens are those that secret scanners know (`dapi…`, `dose…`, `doau…`); a JWT is known by the first
//! letters of its JOSE header. Nothing here is verified.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::bytes::{self, is_one_of};

use super::credential::CredentialKind;

/// What a whole text is, by its shape; `Bearer` before it counts as part of it.
#[inline(never)]
pub(super) fn kind(text: &str) -> Option<CredentialKind> {
    let text = match text.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest,
        _ => text,
    };
    let jwt = jwt_at_start(text) == Some(text.len());
    static_token(text).or(jwt.then_some(CredentialKind::Jwt))
}

/// What static Databricks token a whole text is: a four-letter prefix, 32 hexadecimal digits, and for some a `-` and digits.
pub(super) fn static_token(text: &str) -> Option<CredentialKind> {
    let (kind, length) = static_token_at_start(text)?;
    let suffix = text.get(length..)?;
    let suffix_holds = suffix
        .strip_prefix('-')
        .map_or(suffix.is_empty(), |digits| {
            digits.bytes().all(|byte| byte.is_ascii_digit())
        });
    suffix_holds.then_some(kind)
}

/// The first static Databricks token that stands anywhere in a text, its suffix included.
#[inline(never)]
pub(super) fn static_token_within(text: &str) -> Option<(CredentialKind, &str)> {
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter == 'd'
            && let Some((kind, mut length)) = static_token_at_start(rest)
        {
            let suffix = rest.get(length..).and_then(|rest| rest.strip_prefix('-'));
            let digits = suffix.map_or(0, |suffix| {
                suffix.bytes().take_while(u8::is_ascii_digit).count()
            });
            length = length.saturating_add(digits.saturating_add(usize::from(digits > 0)));
            return Some((kind, rest.get(..length)?));
        }
        rest = rest.get(letter.len_utf8()..)?;
    }
    None
}

/// The token that stands in a header which is not for any: a static one of Databricks', anywhere in the value, in gRPC's binary metadata
/// too; a JWT where clients of web sockets put theirs.
pub(super) fn in_header(name: &[u8], value: &[u8]) -> Option<CredentialKind> {
    // Nearly every value is shorter than any token.
    if value.len() < PREFIX_LETTERS.saturating_add(SECRET_DIGITS) {
        return None;
    }
    // Three letters sort out nearly all others.
    let may_hold_static_token = bytes::has_triple(value, begins_static_token);
    let is_encoded = name.ends_with(b"-bin");
    if !may_hold_static_token && !is_encoded && name != b"sec-websocket-protocol" {
        return None;
    }
    let text = String::from_utf8_lossy(value);
    if let Some((kind, _)) = static_token_within(&text) {
        return Some(kind);
    }
    if is_encoded {
        // Binary metadata is base64 on the wire, several values joined by commas.
        return text.split(',').find_map(|part| {
            let decoded = base64(part.trim().as_bytes())?;
            let (kind, _) = static_token_within(&String::from_utf8_lossy(&decoded))?;
            Some(kind)
        });
    }
    if name == b"sec-websocket-protocol" {
        // Browsers cannot set Authorization for a web socket, so some clients put their token here (`bearer.<token>`).
        return text
            .split(',')
            .map(str::trim)
            .find_map(|part| kind(part.strip_prefix("bearer.").unwrap_or(part)));
    }
    None
}

/// Decodes base64 in every spelling that a server might read.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let standard: Vec<u8> = text
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => *byte,
        })
        .collect();
    LENIENT.decode(standard).ok()
}

/// The static Databricks token that a text begins with, and its length, the suffix left out.
#[inline(never)]
pub(super) fn static_token_at_start(text: &str) -> Option<(CredentialKind, usize)> {
    if !text.starts_with('d') {
        return None;
    }
    let (prefix, rest) = text.split_at_checked(PREFIX_LETTERS)?;
    let kind = match prefix {
        "dapi" => CredentialKind::PersonalAccessToken,
        "doau" => CredentialKind::RefreshToken,
        "dose" => CredentialKind::OauthSecret,
        _ => return None,
    };
    let (secret, _) = rest.split_at_checked(SECRET_DIGITS)?;
    let holds = secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    holds.then_some((kind, PREFIX_LETTERS.saturating_add(SECRET_DIGITS)))
}

/// Whether a static token may begin with these letters.
pub(super) const fn begins_static_token(first: u8, second: u8, third: u8) -> bool {
    let da = (second == b'a') & (third == b'p');
    let do_ = (second == b'o') & ((third == b'a') | (third == b's'));
    (first == b'd') & (da | do_)
}

/// Whether a JOSE header may begin with these letters.
pub(super) fn begins_jwt(first: u8, second: u8, third: u8) -> bool {
    let ey = (second == b'y') & is_one_of(third, b"AIJ");
    let ew = (second == b'w') & is_one_of(third, b"ok");
    (first == b'e') & (ey | ew)
}

/// The length of the JWT that a text begins with: runs of base64url joined by dots, of which the first begins as a JSON object does.
pub(super) fn jwt_at_start(text: &str) -> Option<usize> {
    let begins_object = text.starts_with('e')
        && JOSE_BEGINNINGS
            .iter()
            .any(|beginning| text.starts_with(beginning));
    if !begins_object {
        return None;
    }
    let run = || text.bytes().take_while(|&byte| is_token_byte(byte));
    let header = run()
        .take(MAX_JOSE_HEADER_BYTES)
        .position(|byte| byte == b'.');
    header.map(|_| run().count())
}

const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Takes base64 with its padding or without, and with stray bits at its end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const SCHEME: &str = "bearer ";

const PREFIX_LETTERS: usize = 4;

const SECRET_DIGITS: usize = 32;

/// `{"`, `{` and white space, in base64url.
const JOSE_BEGINNINGS: [&str; 5] = ["eyA", "eyI", "eyJ", "ewo", "ewk"];

/// Longer JOSE headers are not looked for: whoever writes thousands of beginnings must not make us read to the end for each.
const MAX_JOSE_HEADER_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_texts_are_known_by_their_shape() {
        use CredentialKind::{Jwt, OauthSecret, PersonalAccessToken, RefreshToken};
        #[rustfmt::skip]
        let cases = [
            // name                    text                                              want
            ("nothing",                "",                                               None),
            ("a word",                 "token",                                          None),
            ("a static token",         "dapi0123456789abcdef0123456789abcdef",           Some(PersonalAccessToken)),
            ("with a suffix",          "dapi0123456789abcdef0123456789abcdef-2",         Some(PersonalAccessToken)),
            ("with another suffix",    "dapi0123456789abcdef0123456789abcdef-x",         None),
            ("a digit short",          "dapi0123456789abcdef0123456789abcde",            None),
            ("a digit more",           "dapi0123456789abcdef0123456789abcdef0",          None),
            ("an OAuth secret",        "dose0123456789abcdef0123456789abcdef",           Some(OauthSecret)),
            ("a refresh token",        "doau0123456789abcdef0123456789abcdef",           Some(RefreshToken)),
            ("behind its scheme",      "bEARER dapi0123456789abcdef0123456789abcdef",    Some(PersonalAccessToken)),
            ("a JWT",                  "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",                  Some(Jwt)),
            ("a JWT and more",         "eyJhbGciOiJSUzI1NiJ9.e30.c2ln x",                None),
            ("a JSON object alone",    "eyJhIjoxfQ",                                     None),
            ("names with dots",        "main.sales.orders",                              None),
        ];
        for (name, text, want) in cases {
            assert_eq!(kind(text), want, "{name}");
        }
    }

    #[test]
    fn static_tokens_are_found_anywhere() {
        let text = "é:dapi0123456789abcdef0123456789abcdef-2\n";
        let want = "dapi0123456789abcdef0123456789abcdef-2";
        assert_eq!(
            static_token_within(text),
            Some((CredentialKind::PersonalAccessToken, want))
        );
        assert_eq!(static_token_within("token:secret"), None);
    }

    #[test]
    fn headers_hide_no_static_token() {
        use CredentialKind::{Jwt, OauthSecret, PersonalAccessToken};
        #[rustfmt::skip]
        let cases: [(&str, &str, &[u8], Option<CredentialKind>); 15] = [
            // name                header                     value                                                        want
            ("alone",              "x-token",                 b"dapi0123456789abcdef0123456789abcdef",                     Some(PersonalAccessToken)),
            ("behind its scheme",  "x-token",                 b"Bearer dapi0123456789abcdef0123456789abcdef-2",            Some(PersonalAccessToken)),
            ("in a cookie",        "cookie",                  b"a=b; t=dose0123456789abcdef0123456789abcdef; c=d",         Some(OauthSecret)),
            ("a subprotocol",      "sec-websocket-protocol",  b"bearer, dapi0123456789abcdef0123456789abcdef",             Some(PersonalAccessToken)),
            ("beyond UTF-8",       "x-token",                 b"\xff\xfedapi0123456789abcdef0123456789abcdef\xff",        Some(PersonalAccessToken)),
            ("a digit short",      "x-token",                 b"x dapi0123456789abcdef0123456789abcde!",                   None),
            ("binary metadata",    "token-bin",               b"ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm",         Some(PersonalAccessToken)),
            ("within a message",   "token-bin",               b"CiRkYXBpMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",      Some(PersonalAccessToken)),
            ("the second of two",  "token-bin",               b"AAEC, ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm",   Some(PersonalAccessToken)),
            ("no base64",          "token-bin",               b"!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",         None),
            ("base64 elsewhere",   "token",                   b"ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm",         None),
            ("a word",             "x-token",                 b"dapifer",                                                  None),
            ("a JWT for a socket", "sec-websocket-protocol",  b"bearer, eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl", Some(Jwt)),
            ("behind its scheme",  "sec-websocket-protocol",  b"v1, bearer.eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0", Some(Jwt)),
            ("a JWT elsewhere",    "x-trace",                 b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",        None),
        ];
        for (name, header, value, want) in cases {
            assert_eq!(in_header(header.as_bytes(), value), want, "{name}");
        }
    }
}
