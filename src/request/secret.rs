//! What credentials look like, wherever they turn up: in a header, a query, a form, a path.
//!
//! The shapes of Databricks' static tokens are those that secret scanners know (`dapi…`, `dose…`, `doau…`); a JWT is known by the first
//! letters of its JOSE header. Nothing here is verified.

use super::credential::CredentialKind;

/// What a whole text is, by its shape; `Bearer` before it counts as part of it.
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

/// The first static Databricks token that stands anywhere in a text.
pub(super) fn static_token_within(text: &str) -> Option<(CredentialKind, &str)> {
    text.char_indices().find_map(|(at, _)| {
        let rest = text.get(at..)?;
        let (kind, length) = static_token_at_start(rest)?;
        Some((kind, rest.get(..length)?))
    })
}

/// The static Databricks token that a text begins with, and its length, the suffix left out.
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
        let want = "dapi0123456789abcdef0123456789abcdef";
        assert_eq!(
            static_token_within(text),
            Some((CredentialKind::PersonalAccessToken, want))
        );
        assert_eq!(static_token_within("token:secret"), None);
    }
}
