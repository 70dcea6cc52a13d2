//! Requests to leave HTTP: an upgrade (RFC 9110 §7.8), or a tunnel (§9.3.6; RFC 8441, whose
//! `:protocol` some hosts show).
//!
//! What follows one is bytes that nobody judges, among them whole requests, if whoever is behind
//! reads them as such. Only a web socket (RFC 6455 §4.1) may pass at all; which operations have one
//! is not known here.

use super::error::RequestError;
use super::known::Known;
use super::name::same_name;
use super::{Headers, one};

/// Whether a request of this method requests an upgrade to a web socket. Any other upgrade that it
/// requests is refused.
pub(super) fn is_to_web_socket(headers: &Headers, method: &str) -> Result<bool, RequestError> {
    let is_there = |known| headers.spelled(known).0.is_some();
    if method == "CONNECT" || is_there(Known::PROTOCOL) || is_there(Known::HTTP2_SETTINGS) {
        return Err(RequestError::Upgrade);
    }
    match one(headers, Known::UPGRADE) {
        Ok(None) if is_there(Known::CONNECTION) && is_announced(headers) => {
            Err(RequestError::Upgrade)
        }
        Ok(None) => Ok(false),
        Ok(Some(protocol)) if method == "GET" && protocol.eq_ignore_ascii_case(b"websocket") => {
            Ok(true)
        }
        Ok(Some(_)) | Err(_) => Err(RequestError::Upgrade),
    }
}

/// Whether `Connection` speaks of an upgrade, which some server may then look for elsewhere.
fn is_announced(headers: &Headers) -> bool {
    let mut values = headers
        .pairs()
        .filter(|(name, _)| same_name(name, Known::CONNECTION.name()));
    values.any(|(_, value)| {
        let mut options = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        options.any(|option| {
            same_name(option, Known::UPGRADE.name())
                || same_name(option, Known::HTTP2_SETTINGS.name())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_web_socket_may_pass() {
        let upgrade = ("connection", "Upgrade");
        let refused = Err(RequestError::Upgrade);
        #[rustfmt::skip]
        let cases: [(&str, &str, &[(&str, &str)], _); 24] = [
            // name                     method      headers
            // want
            ("none",                    "GET",      &[],                                                           Ok(false)),
            ("kept alive",              "GET",      &[("connection", "keep-alive, te"), ("te", "trailers")],       Ok(false)),
            ("a web socket",            "GET",      &[upgrade, ("upgrade", "websocket")],                          Ok(true)),
            ("in another case",         "GET",      &[("Connection", "upgrade"), ("Upgrade", "WebSocket")],        Ok(true)),
            ("kept alive besides",      "GET",      &[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")], Ok(true)),
            ("by another method",       "POST",     &[upgrade, ("upgrade", "websocket")],                          refused.clone()),
            ("anything else",           "GET",      &[upgrade, ("upgrade", "foo")],                                refused.clone()),
            ("HTTP/2",                  "GET",      &[("connection", "Upgrade, HTTP2-Settings"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABk")], refused.clone()),
            ("its settings alone",      "GET",      &[("http2-settings", "AAMAAABk")],                             refused.clone()),
            ("with an underscore",      "GET",      &[("http2_settings", "AAMAAABk")],                             refused.clone()),
            ("announced alone",         "GET",      &[("connection", "keep-alive , HTTP2-Settings")],              refused.clone()),
            ("TLS",                     "GET",      &[upgrade, ("upgrade", "TLS/1.0")],                            refused.clone()),
            ("a version behind it",     "GET",      &[upgrade, ("upgrade", "websocket/13")],                       refused.clone()),
            ("two at once",             "GET",      &[upgrade, ("upgrade", "websocket, foo")],                     refused.clone()),
            ("two headers",             "GET",      &[upgrade, ("upgrade", "websocket"), ("upgrade", "foo")],      refused.clone()),
            ("two spellings",           "GET",      &[upgrade, ("upgrade", "websocket"), ("UPGRADE", "websocket")], refused.clone()),
            ("without a value",         "GET",      &[upgrade, ("upgrade", "")],                                   refused.clone()),
            ("without `connection`",    "GET",      &[("upgrade", "foo")],                                         refused.clone()),
            ("`connection` alone",      "GET",      &[upgrade],                                                    refused.clone()),
            ("in a second one",         "GET",      &[("connection", "close"), upgrade],                           refused.clone()),
            ("a tunnel",                "CONNECT",  &[],                                                           refused.clone()),
            ("one to a web socket",     "CONNECT",  &[upgrade, ("upgrade", "websocket")],                          refused.clone()),
            ("by HTTP/2",               "CONNECT",  &[(":protocol", "websocket")],                                 refused.clone()),
            ("by another method there", "GET",      &[(":protocol", "connect-udp")],                               refused),
        ];
        for (name, method, headers, want) in cases {
            let pairs = headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
            let headers = Headers::new(pairs.collect());
            assert_eq!(is_to_web_socket(&headers, method), want, "{name}");
        }
    }
}
