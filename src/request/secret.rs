//! What credentials look like, wherever they turn up: in a header, a query, a form, a path.
//!
//! The shapes of Databricks' static tokens are those that secret scanners know (`dapi…`, `dose…`,
//! `doau…`); a JWT is known by its JOSE header, a JSON object in base64url. Nothing here is
//! verified. The work is linear in the length of a text, whatever it holds.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::bytes::{self, is_alphanumeric, is_one_of};

use super::cookies::COOKIE;
use super::credential::CredentialKind;
use super::name::same_name;

mod escaped;
mod strictest;
mod subprotocol;

pub(super) use escaped::{unescaped, without_escaped};
pub(super) use strictest::{Strictest, strictest};

/// What a whole text is, by its shape; white space around it and a scheme before it count as part
/// of it.
#[inline(never)]
pub(super) fn kind(text: &str) -> Option<CredentialKind> {
    let text = text.trim_ascii();
    let bare = text.split_once(' ').filter(|(scheme, _)| {
        let is_scheme = |known: &&str| scheme.eq_ignore_ascii_case(known);
        SCHEMES.iter().any(is_scheme)
    });
    let text = bare.map_or(text, |(_, rest)| rest.trim_ascii());
    static_token(text).or(is_jwt(text).then_some(CredentialKind::Jwt))
}

/// What static Databricks token a whole text is: a four-letter prefix, 32 hexadecimal digits, and
/// for some a `-` and digits.
#[inline]
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
    if !bytes::has_triple(text.as_bytes(), begins_static_token) {
        return None;
    }
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

/// Whether a token of any kind may stand in a header's value: one look that sorts out nearly all.
#[inline]
pub(super) fn may_stand_in(name: &[u8], value: &[u8]) -> bool {
    if value.len() < SHORTEST_TOKEN {
        // Clients of web sockets take theirs apart.
        return same_name(name, SUBPROTOCOLS);
    }
    holds_beginning(value)
        || name.ends_with(b"-bin")
        || same_name(name, SUBPROTOCOLS)
        || is_escaped_cookie(name, value)
}

/// Whether a header's value has escapes that servers decode: those of cookies do.
fn is_escaped_cookie(name: &[u8], value: &[u8]) -> bool {
    same_name(name, COOKIE) && value.contains(&b'%')
}

/// Whether a token of some kind may begin somewhere in a text.
pub(super) fn holds_beginning(text: &[u8]) -> bool {
    bytes::has_triple(text, |first, second, third| {
        begins_static_token(first, second, third) | begins_jwt(first, second, third)
    })
}

/// The token that stands in a header which is not for any: a static one of Databricks', anywhere in
/// the value, in gRPC's binary metadata and escaped in cookies too; any where clients of web
/// sockets put theirs.
pub(super) fn in_header(name: &[u8], value: &[u8]) -> Option<CredentialKind> {
    if same_name(name, SUBPROTOCOLS) {
        return subprotocol::credential(&String::from_utf8_lossy(value));
    }
    // Nearly every value is shorter than any token.
    if value.len() < SHORTEST_TOKEN {
        return None;
    }
    // Three letters sort out nearly all others.
    let may_hold_static_token = bytes::has_triple(value, begins_static_token);
    let is_encoded = name.ends_with(b"-bin");
    let is_escaped = is_escaped_cookie(name, value);
    if !may_hold_static_token && !is_encoded && !is_escaped {
        return None;
    }
    let text = String::from_utf8_lossy(value);
    if let Some((kind, _)) = static_token_within(&text) {
        return Some(kind);
    }
    if is_escaped {
        return unescaped(&text).find_map(|text| Some(static_token_within(&text)?.0));
    }
    if !is_encoded {
        return None;
    }
    // Binary metadata is base64 on the wire, several values joined by commas.
    text.split(',').find_map(|part| {
        let decoded = base64(part.trim().as_bytes())?;
        let (kind, _) = static_token_within(&String::from_utf8_lossy(&decoded))?;
        Some(kind)
    })
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

/// Whether a JOSE header may begin with these letters: `{`, and white space or a quotation mark.
/// White space before the `{` is not looked for: it is signed with the rest, no issuer writes it,
/// and nobody else can.
pub(super) fn begins_jwt(first: u8, second: u8, third: u8) -> bool {
    let ey = (second == b'y') & is_one_of(third, b"AIJKL");
    let ew = (second == b'w') & is_one_of(third, b"0ko");
    (first == b'e') & (ey | ew)
}

/// Whether a whole text is a JWT: segments joined by dots, in whichever spelling of base64, of
/// which the first is a JOSE header.
fn is_jwt(text: &str) -> bool {
    let header = text.split_once('.').map(|(header, _)| header);
    let is_header =
        |header: &str| header.len() >= SHORTEST_HEADER && begins_object(header.as_bytes());
    header.is_some_and(is_header)
        && bytes::has_only(text.as_bytes(), |byte| {
            is_token_byte(byte) | is_one_of(byte, b"+/=")
        })
}

/// Whether a text in base64 begins as a JSON object with a member does. White space is passed over
/// where JSON's parsers pass over it, and so is a byte order mark.
fn begins_object(text: &[u8]) -> bool {
    let decoded = text.chunks(4).map_while(base64).flatten();
    let mut visible = decoded.filter(|byte| !is_one_of(*byte, b" \t\r\n\xef\xbb\xbf"));
    visible.next() == Some(b'{') && visible.next() == Some(b'"')
}

/// Finds the credentials of a text while that is read from its beginning to its end.
pub(super) struct Finder<'a> {
    text: &'a str,
    /// Where the run of a JWT's letters ends that was looked at last.
    run_ends: usize,
    /// The last dot in it.
    last_dot: usize,
}

impl<'a> Finder<'a> {
    /// Nothing of the text is read yet.
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            run_ends: 0,
            last_dot: 0,
        }
    }

    /// The end of the credential that begins here, no place being before one that was given before
    /// already: a static token of Databricks', wherever its digits end, or what begins as a JWT and
    /// has a dot behind that.
    pub(super) fn at(&mut self, place: usize) -> Option<usize> {
        let rest = self.text.get(place..)?;
        if let Some((_, length)) = static_token_at_start(rest) {
            return place.checked_add(length);
        }
        let [first, second, third, ..] = rest.as_bytes() else {
            return None;
        };
        if !begins_jwt(*first, *second, *third) {
            return None;
        }
        if place >= self.run_ends {
            let length = bytes::length_of_run(rest.as_bytes(), is_token_byte);
            let run = rest.get(..length)?;
            self.run_ends = place.checked_add(length)?;
            self.last_dot = place.checked_add(run.rfind('.').unwrap_or_default())?;
        }
        (place < self.last_dot).then_some(self.run_ends)
    }
}

/// Whether a segment is a JOSE header from some place on. Where one may begin, white space is
/// passed over once at most.
pub(super) fn ends_in_header(segment: &[u8]) -> bool {
    let begins = |rest: &[u8]| match rest {
        [first, second, third, ..] => begins_jwt(*first, *second, *third) && begins_object(rest),
        _ => false,
    };
    let last = segment.len().checked_sub(SHORTEST_HEADER);
    last.is_some_and(|last| {
        (0..=last)
            .filter_map(|place| segment.get(place..))
            .any(begins)
    })
}

/// Whether a JWT begins anywhere in a text: a JOSE header, and two further segments.
fn holds_jwt(text: &[u8]) -> bool {
    let is_letter = |byte: u8| is_token_byte(byte) | is_one_of(byte, b"+/=");
    text.split(|byte| !is_letter(*byte)).any(|run| {
        let segments: Vec<&[u8]> = run.split(|byte| *byte == b'.').collect();
        let headers = segments.len().saturating_sub(2);
        segments
            .iter()
            .take(headers)
            .any(|segment| ends_in_header(segment))
    })
}

/// Whether a letter may stand in a JWT, in whichever spelling of base64.
pub(super) fn is_jwt_letter(letter: char) -> bool {
    u8::try_from(letter).is_ok_and(|byte| is_token_byte(byte) | is_one_of(byte, b"+/="))
}

const fn is_token_byte(byte: u8) -> bool {
    is_alphanumeric(byte) | matches!(byte, b'-' | b'_' | b'.')
}

/// Takes base64 with its padding or without, and with stray bits at its end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What records have in place of a credential.
pub(super) const REDACTED: &str = "[redacted]";

/// By which a token may be announced where it stands alone.
const SCHEMES: [&str; 3] = ["bearer", "dpop", "token"];

const PREFIX_LETTERS: usize = 4;

const SECRET_DIGITS: usize = 32;

/// Letters of the shortest static token; no JWT that names its issuer has fewer.
pub(super) const SHORTEST_TOKEN: usize = PREFIX_LETTERS + SECRET_DIGITS;

/// Where clients of web sockets show theirs.
const SUBPROTOCOLS: &str = "sec-websocket-protocol";

/// The letters of `{"alg":""}`, of which no JOSE header has fewer.
const SHORTEST_HEADER: usize = 14;

#[cfg(test)]
mod tests;
