//! All that stands in a credential: one token must not hide another.

use std::iter;

use crate::request::credential::CredentialKind;

use super::{holds_jwt, kind, static_token_within, unescaped};

/// The strictest token that stands in a text. Holds a secret, so it is not `Debug`.
pub(in crate::request) struct Strictest {
    /// What it is.
    pub(in crate::request) kind: CredentialKind,
    /// Its text, where that is a static token.
    pub(in crate::request) token: Option<String>,
    /// Whether no other stands beside it.
    pub(in crate::request) is_alone: bool,
}

/// The strictest of the tokens that stand anywhere in a text, as it is and with its escapes
/// decoded: a static one of Databricks', or a JWT. Its work is linear in the length of the text.
pub(in crate::request) fn strictest(text: &str) -> Option<Strictest> {
    let mut found = Vec::new();
    let mut is_alone = true;
    let mut look = |text: &str| {
        let static_tokens = static_tokens(text).take(ENOUGH);
        let mut here: Vec<_> = static_tokens
            .map(|(kind, token)| (kind, Some(token.to_owned())))
            .collect();
        if holds_jwt(text.as_bytes()) || text.split(':').any(is_jwt) {
            here.push((CredentialKind::Jwt, None));
        }
        is_alone &= here.len() < ENOUGH;
        for token in here {
            if !found.contains(&token) {
                found.push(token);
            }
        }
    };
    look(text);
    unescaped(text).for_each(|text| look(&text));
    is_alone &= found.len() < ENOUGH;
    let rank = |kind| STRICTEST.iter().position(|known| *known == kind);
    let (kind, token) = found.into_iter().min_by_key(|(kind, _)| rank(*kind))?;
    Some(Strictest {
        kind,
        token,
        is_alone,
    })
}

/// The static tokens of a text, one behind the other.
fn static_tokens(text: &str) -> impl Iterator<Item = (CredentialKind, &str)> {
    let mut rest = text;
    iter::from_fn(move || {
        let found = static_token_within(rest)?;
        rest = rest.split_once(found.1)?.1;
        Some(found)
    })
}

fn is_jwt(text: &str) -> bool {
    kind(text) == Some(CredentialKind::Jwt)
}

/// A second token is one too many, so no further ones are looked for.
const ENOUGH: usize = 2;

/// The kinds of token, the one first that is let through nowhere.
const STRICTEST: [CredentialKind; 4] = [
    CredentialKind::Jwt,
    CredentialKind::RefreshToken,
    CredentialKind::OauthSecret,
    CredentialKind::PersonalAccessToken,
];
