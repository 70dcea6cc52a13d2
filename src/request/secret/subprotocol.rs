//! Credentials among the subprotocols of a web socket: browsers let a page set no other header, so
//! clients put their tokens there.
//!
//! A subprotocol is one word (RFC 6455 §4.1), so whatever does not fit into one is encoded, in
//! base64url as a rule, behind a prefix that differs from server to server: `bearer.<token>`,
//! `base64url.bearer.authorization.k8s.io.<encoded token>`. So a token is looked for anywhere in a
//! name, as it stands and decoded from wherever in it an encoding may begin.

use crate::bytes::{is_alphanumeric, is_one_of};
use crate::request::credential::CredentialKind;
use crate::request::target;

use super::{base64, holds_jwt, kind, static_token_within};

/// The first credential of a list of subprotocols.
pub(super) fn credential(list: &str) -> Option<CredentialKind> {
    let names = || list.split(',').map(str::trim_ascii);
    let found = names().find_map(|name| {
        let plain = target::decode(name);
        in_name(name).or_else(|| in_name(&plain))
    });
    // A name alone that announces a credential is followed by it.
    let announces = |name: &str| {
        let is_same = |prefix: &&str| prefix.trim_end_matches('.').eq_ignore_ascii_case(name);
        PREFIXES.iter().any(is_same)
    };
    let is_followed = || names().skip_while(|name| !announces(name)).nth(1).is_some();
    found.or_else(|| is_followed().then_some(CredentialKind::Opaque))
}

fn in_name(name: &str) -> Option<CredentialKind> {
    let is_announced = |prefix: &&str| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix)) && name.len() > prefix.len()
    };
    let found = within(name).or_else(|| encoded(name.as_bytes()));
    found.or_else(|| {
        let is_credential = PREFIXES.iter().any(is_announced);
        is_credential.then_some(CredentialKind::Opaque)
    })
}

/// What stands in a text as it is.
fn within(text: &str) -> Option<CredentialKind> {
    let found = static_token_within(text).map(|(kind, _)| kind);
    let is_jwt = || holds_jwt(text.as_bytes()).then_some(CredentialKind::Jwt);
    found.or_else(|| kind(text)).or_else(is_jwt)
}

/// What stands encoded in a text. Its first letter may be any of four in a row; which, no prefix
/// tells.
fn encoded(text: &[u8]) -> Option<CredentialKind> {
    let runs = text.split(|byte| !(is_alphanumeric(*byte) | is_one_of(*byte, b"+/-_")));
    runs.filter(|run| run.len() >= SHORTEST).find_map(|run| {
        let beginnings = (0..4).filter_map(|place| run.get(place..));
        beginnings
            .filter_map(decoded)
            .find_map(|decoded| within(&String::from_utf8_lossy(&decoded)))
    })
}

/// Decodes a run of letters. A last one that stands for no byte is left out.
fn decoded(run: &[u8]) -> Option<Vec<u8>> {
    let stray = usize::from(run.len() % 4 == 1);
    base64(run.get(..run.len().checked_sub(stray)?)?)
}

/// Names that say of what follows that it is a credential, whatever that looks like.
const PREFIXES: [&str; 5] = [
    "access_token.",
    "authorization.",
    "base64.bearer.authorization.k8s.io.",
    "base64url.bearer.authorization.k8s.io.",
    "bearer.",
];

/// The letters of a short token's JOSE header, and fewer than those of a static token.
const SHORTEST: usize = 24;

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
    const PERSONAL: &str = "dapi0123456789abcdef0123456789abcdef";

    #[test]
    fn credentials_are_found_however_they_are_put() {
        use CredentialKind::{Jwt, Opaque, PersonalAccessToken};
        let url = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let kubernetes = "base64url.bearer.authorization.k8s.io.";
        #[rustfmt::skip]
        let cases = [
            // name                           list
            // want
            ("nothing",                       String::new(),                                                None),
            ("a subprotocol",                 "graphql-transport-ws".to_owned(),                            None),
            ("several",                       "v5.channel.k8s.io, v4.base64.channel.k8s.io".to_owned(),     None),
            ("of a notebook",                 "v1.kernel.websocket.jupyter.org".to_owned(),                 None),
            ("words that begin so",           "keyJar.exchange.v1, greyAbbey.a.b".to_owned(),               None),
            ("a JWT",                         JWT.to_owned(),                                               Some(Jwt)),
            ("behind its scheme",             format!("v1, bearer.{JWT}"),                                  Some(Jwt)),
            ("behind anything",               format!("x-auth-{JWT}"),                                      Some(Jwt)),
            ("with its header in lines",      "bearer-ew0KImFsZyI6ICJFUzI1NiIKfQ.e30.c2ln".to_owned(),       Some(Jwt)),
            ("escaped",                       format!("Bearer%20{}", JWT.replace('.', "%2E")),              Some(Jwt)),
            ("as Kubernetes has it",          format!("{kubernetes}{}, v4.channel.k8s.io", url(JWT)),       Some(Jwt)),
            ("the prefix in capitals",        format!("{}{}", kubernetes.to_uppercase(), url(JWT)),         Some(Jwt)),
            ("with its scheme, encoded",      format!("auth.{}", url(&format!("Bearer {JWT}"))),            Some(Jwt)),
            ("behind a hyphen",               format!("base64-{}", url(JWT)),                               Some(Jwt)),
            ("behind letters",                format!("token{}", url(JWT)),                                 Some(Jwt)),
            ("padded",                        format!("{kubernetes}{}", URL_SAFE.encode(format!("{JWT}x"))), Some(Jwt)),
            ("in the other alphabet",         format!("auth.{}", STANDARD.encode(format!("\u{ff}{JWT}"))),  Some(Jwt)),
            ("a letter more",                 format!("auth.{}x", url(JWT)),                                Some(Jwt)),
            ("a static token",                format!("bearer, {PERSONAL}"),                                Some(PersonalAccessToken)),
            ("a static token, encoded",       format!("{kubernetes}{}", url(PERSONAL)),                     Some(PersonalAccessToken)),
            ("one behind its user",           format!("basic.{}", url(&format!("token:{PERSONAL}"))),       Some(PersonalAccessToken)),
            ("an opaque token, encoded",      format!("{kubernetes}MllvdG5G"),                              Some(Opaque)),
            ("an opaque token",               "bearer.2YotnFZFEjr1zCsicMWpAA".to_owned(),                   Some(Opaque)),
            ("one announced",                 "v1, Bearer, 2YotnFZFEjr1zCsicMWpAA".to_owned(),              Some(Opaque)),
            ("announced, and none",           "v1, bearer".to_owned(),                                      None),
            ("a prefix without anything",     kubernetes.to_owned(),                                        None),
        ];
        for (name, list, want) in cases {
            assert_eq!(credential(&list), want, "{name}");
        }
    }

    #[test]
    fn a_long_list_takes_no_longer_than_its_length() {
        for piece in [
            "eyJ", "eyAg", "ew0K", "ZXlK", "dapi", "bearer.", "eyJ.", "%65",
        ] {
            assert_eq!(
                credential(&piece.repeat(30_000)).filter(|kind| *kind != CredentialKind::Opaque),
                None,
                "{piece}"
            );
        }
    }

    proptest! {
        #[test]
        fn an_encoded_token_is_found_behind_any_prefix(prefix in "[a-zA-Z0-9._-]{0,40}") {
            let list = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(JWT));
            prop_assert_eq!(credential(&list), Some(CredentialKind::Jwt));
        }
    }
}
