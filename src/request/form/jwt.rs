//! JWTs among the texts of a form, however they are spelled.
//!
//! A server may skip white space, take either base64 alphabet, or look for a token behind `Bearer`.
//! So a text that holds a JWT is either that token and nothing else, or has more than one reading.

use crate::request::secret;

/// What a text of a form holds of JWTs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum HeldJwt<'a> {
    /// A token amid other text, or in a spelling that not every server reads alike.
    Amid,
    /// None.
    Nothing,
    /// One and nothing else, `Bearer` before it left out. Whether it is well-formed is open.
    Whole(&'a str),
}

impl<'a> HeldJwt<'a> {
    pub(super) fn by(text: &'a str) -> Self {
        // The shortest object in base64, and the dot behind it.
        if text.len() < MIN_OBJECT_CHARS {
            return Self::Nothing;
        }
        let token = without_scheme(text);
        let is_plain = token.contains('.') && token.bytes().all(is_token_byte);
        if is_plain && token.split('.').any(is_object) {
            return Self::Whole(token);
        }
        if is_amid(text) {
            return Self::Amid;
        }
        Self::Nothing
    }
}

/// The text without white space around it and without the scheme of bearer tokens, in any case,
/// before it.
fn without_scheme(text: &str) -> &str {
    let text = text.trim();
    match text.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => {
            let token = rest.trim_start_matches(|character: char| {
                character.is_ascii_whitespace() || matches!(character, ':' | '=')
            });
            if token.len() < rest.len() {
                token
            } else {
                text
            }
        }
        _ => text,
    }
}

/// Whether some reader could find a token in a text: one that skips what is not base64, or one that
/// takes the parts out of JSON (RFC 7515 §7.2).
fn is_amid(text: &str) -> bool {
    let squeezed: String = text
        .chars()
        .filter(|character| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '+' | '/' | '.')
        })
        .collect();
    let has_part = squeezed.contains('.') && squeezed.split('.').any(is_object);
    has_part
        || text
            .split(|character: char| !is_base64(character))
            .any(is_claims)
}

/// Whether a text is an object of JSON in base64: a JOSE header, or a claims set.
fn is_object(text: &str) -> bool {
    object(text).is_some()
}

/// Whether it is one that names an issuer.
fn is_claims(text: &str) -> bool {
    object(text).is_some_and(|object| object.windows(ISSUER.len()).any(|part| part == ISSUER))
}

fn object(text: &str) -> Option<Vec<u8>> {
    if text.len() < MIN_OBJECT_CHARS {
        return None;
    }
    let decoded = secret::base64(text.as_bytes())?;
    let trimmed = decoded.trim_ascii();
    (trimmed.starts_with(b"{") && trimmed.ends_with(b"}") && trimmed.contains(&b'"'))
        .then_some(decoded)
}

const fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '+' | '/')
}

const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

const SCHEME: &str = "bearer";

const ISSUER: &[u8] = br#""iss""#;

/// `{"":0}`, which no token has less of.
const MIN_OBJECT_CHARS: usize = 8;

#[cfg(test)]
mod tests {
    use super::HeldJwt::{Amid, Nothing, Whole};
    use super::*;

    // `{"alg":"RS256"}`, `{"iss":"a"}` and four bytes.
    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln";

    #[test]
    fn no_spelling_hides_a_token() {
        let padded = JWT.replace("Jhbg", "Jh bg").replace('9', "9 ");
        let behind = |before: &str| format!("{before}{JWT}");
        let json = r#"{"payload":"eyJpc3MiOiJhIn0","protected":"eyJhbGciOiJSUzI1NiJ9","signature":"c2ln"}"#;
        let five = "eyJhbGciOiJSUzI1NiJ9.a.b.c.d";
        let (glued, inside) = (&*behind("Bearer"), &*behind("x"));
        // `{\r\n"alg":1}` and ` {"alg":1}`.
        let (line, space) = ("ew0KImFsZyI6MX0.e30.c2ln", "IHsiYWxnIjoxfQ.e30.c2ln");
        #[rustfmt::skip]
        let cases = [
            // name                       text                                  want
            ("nothing",                   String::new(),                        Nothing),
            ("a word",                    "all-apis offline_access".to_owned(), Nothing),
            ("names with dots",           "main.sales.orders_2026".to_owned(),  Nothing),
            ("an address",                "http://localhost:8020/a.b.c".to_owned(), Nothing),
            ("a verifier",                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned(), Nothing),
            ("JSON",                      r#"[{"type":"unity_catalog_permission","name":"main.a.b"}]"#.to_owned(), Nothing),
            ("an object of no issuer's",  "eyJ1aWQiOiJhIn0".to_owned(),         Nothing),
            ("a token",                   JWT.to_owned(),                       Whole(JWT)),
            ("behind its scheme",         behind("Bearer "),                    Whole(JWT)),
            ("in another case",           behind("bEARER \t "),                 Whole(JWT)),
            ("behind a colon",            behind("bearer:"),                    Whole(JWT)),
            ("with spaces around",        format!(" {JWT}\r\n"),                Whole(JWT)),
            ("unsigned",                  JWT.replace("c2ln", ""),              Whole("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.")),
            ("encrypted",                 five.to_owned(),                      Whole(five)),
            ("white space in its header", line.to_owned(),                      Whole(line)),
            ("before its header",         space.to_owned(),                     Whole(space)),
            ("behind another scheme",     behind("Token "),                     Amid),
            ("glued to its scheme",       behind("Bearer"),                     Whole(glued)),
            ("within a word",             behind("x"),                          Whole(inside)),
            ("two",                       format!("{JWT} {JWT}"),               Amid),
            ("quoted",                    format!("\"{JWT}\""),                 Amid),
            ("in JSON",                   format!(r#"{{"token":"{JWT}"}}"#),    Amid),
            ("with spaces inside",        padded,                               Amid),
            ("padded",                    format!("{JWT}=="),                   Amid),
            ("in the other alphabet",     format!("{JWT}+/"),                   Amid),
            ("behind other text",         behind("a.b, "),                      Amid),
            ("its parts as JSON",         json.to_owned(),                      Amid),
        ];
        for (name, text, want) in &cases {
            assert_eq!(HeldJwt::by(text), *want, "{name}");
        }
    }
}
