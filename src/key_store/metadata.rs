//! The metadata document of an issuer, read for one thing: where its keys are.
//!
//! OpenID Connect Discovery 1.0 §4 appends its well-known path to the issuer, RFC 8414 §3.1 inserts
//! another before the issuer's path. Identity providers serve the one, the other, or both; the
//! first is tried first, since more of them serve it.

use crate::callout::uri::{HttpsUri, UriError};
use crate::token::json::Json;

use super::fetch::FetchFailure;

/// The addresses at which an issuer's metadata may be, in the order to try.
pub(super) fn addresses(issuer: &str) -> Result<[HttpsUri; 2], UriError> {
    let issuer = HttpsUri::parse(issuer)?;
    let path = issuer.path().trim_end_matches('/');
    Ok([
        issuer.with_path(format!("{path}/.well-known/openid-configuration")),
        issuer.with_path(format!("/.well-known/oauth-authorization-server{path}")),
    ])
}

/// Takes `jwks_uri` out of a metadata document, after its `issuer` was held against the configured
/// one: RFC 8414 §3.3 makes them identical, or else whoever serves one document speaks for every
/// issuer.
pub(super) fn keys_address(document: &[u8], issuer: &str) -> Result<HttpsUri, FetchFailure> {
    if document.len() > MAX_BYTES {
        return Err(FetchFailure::TooLarge);
    }
    let document = Json::parse(document).map_err(|_| FetchFailure::NotMetadata)?;
    let member = |name| document.get(name).and_then(Json::as_str);
    if member("issuer") != Some(issuer) {
        return Err(FetchFailure::OtherIssuer);
    }
    let address = member("jwks_uri").ok_or(FetchFailure::NotMetadata)?;
    HttpsUri::parse(address).map_err(FetchFailure::KeysAddress)
}

/// Real ones have 2 to 10 KiB.
const MAX_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_well_known_addresses_are_tried() {
        #[rustfmt::skip]
        let cases = [
            // name              issuer                        OpenID Connect
            // RFC 8414
            ("no path",          "https://a.example",          "https://a.example/.well-known/openid-configuration",             "https://a.example/.well-known/oauth-authorization-server"),
            ("a slash",          "https://a.example/",         "https://a.example/.well-known/openid-configuration",             "https://a.example/.well-known/oauth-authorization-server"),
            ("a path",           "https://a.example/realms/x", "https://a.example/realms/x/.well-known/openid-configuration",    "https://a.example/.well-known/oauth-authorization-server/realms/x"),
            ("a path and slash", "https://a.example/t/",       "https://a.example/t/.well-known/openid-configuration",           "https://a.example/.well-known/oauth-authorization-server/t"),
        ];
        for (name, issuer, openid, oauth) in cases {
            let got =
                addresses(issuer).map(|addresses| addresses.map(|address| address.to_string()));
            assert_eq!(got, Ok([openid.to_owned(), oauth.to_owned()]), "{name}");
        }
    }

    #[test]
    fn metadata_must_speak_for_the_issuer() {
        #[rustfmt::skip]
        let cases = [
            // name               document
            // want
            ("valid",             r#"{"issuer":"https://a.example","jwks_uri":"https://b.example/keys"}"#,   Ok("https://b.example/keys")),
            ("another issuer",    r#"{"issuer":"https://a.example/","jwks_uri":"https://b.example/keys"}"#,  Err(FetchFailure::OtherIssuer)),
            ("no issuer",         r#"{"jwks_uri":"https://b.example/keys"}"#,                                Err(FetchFailure::OtherIssuer)),
            ("two issuers",       r#"{"issuer":"https://a.example","issuer":"https://a.example","jwks_uri":"https://b.example/keys"}"#, Err(FetchFailure::NotMetadata)),
            ("no keys",           r#"{"issuer":"https://a.example"}"#,                                       Err(FetchFailure::NotMetadata)),
            ("keys over http",    r#"{"issuer":"https://a.example","jwks_uri":"http://b.example/keys"}"#,    Err(FetchFailure::KeysAddress(UriError::NotHttps))),
            ("not JSON",          "<html>",                                                                  Err(FetchFailure::NotMetadata)),
            ("half a document",   r#"{"issuer":"https://a.exa"#,                                             Err(FetchFailure::NotMetadata)),
        ];
        for (name, document, want) in cases {
            let got = keys_address(document.as_bytes(), "https://a.example")
                .map(|address| address.to_string());
            assert_eq!(got, want.map(str::to_owned), "{name}");
        }
    }
}
