//! The address of a document that the gateway fetches.

use std::fmt;

/// An `https` URI (RFC 9110 §4.2.2), split into what a callout needs.
///
/// The scheme is the issuer's word that the document is to be had over TLS; whether the callout
/// uses TLS, and to which address it goes, is the cluster's business. A URI never chooses where the
/// gateway connects.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HttpsUri {
    authority: Box<str>,
    path: Box<str>,
}

impl HttpsUri {
    /// Parses an absolute URI without user information and fragment.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        if text.len() > MAX_BYTES {
            return Err(UriError::TooLong);
        }
        let rest = text.strip_prefix("https://").ok_or(UriError::NotHttps)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let host_holds = !authority.is_empty()
            && authority.bytes().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'-' | b'.' | b':' | b'[' | b']' | b'_')
            });
        let path_holds = path
            .bytes()
            .all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'#' && !UNSAFE.contains(&byte));
        if !host_holds || !path_holds {
            return Err(UriError::IllegalByte);
        }
        let path = match path.as_bytes().first() {
            None => "/".into(),
            Some(b'?') => format!("/{path}").into(),
            Some(_) => path.into(),
        };
        Ok(Self {
            authority: authority.into(),
            path,
        })
    }

    /// Host and port, for `:authority`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query, for `:path`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same host with another path; `path` starts with `/`.
    #[must_use]
    pub fn with_path(&self, path: String) -> Self {
        Self {
            authority: self.authority.clone(),
            path: path.into(),
        }
    }
}

impl fmt::Display for HttpsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.authority, self.path)
    }
}

/// Why a text is not the address of a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UriError {
    /// No host, or a byte that may not stand in a URI, user information and fragments among them.
    IllegalByte,
    /// It does not begin with `https://`.
    NotHttps,
    /// More than 2,048 bytes.
    TooLong,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IllegalByte => {
                "not an https URL with a host and without user information or fragment"
            }
            Self::NotHttps => "not an https URL",
            Self::TooLong => "longer than 2048 bytes",
        })
    }
}

/// Printable, and not of a URI (RFC 3986 §2); a quote or a backslash would end the quoted string
/// that a challenge puts a URI into.
const UNSAFE: &[u8] = br#""<>\^`{|}"#;

/// What servers and proxies commonly take.
const MAX_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_and_name_a_host() {
        use UriError::{IllegalByte, NotHttps, TooLong};
        let long = format!("https://a/{}", "a".repeat(MAX_BYTES));
        #[rustfmt::skip]
        let cases = [
            // name                text                           want
            ("a path",             "https://a.example/v1/keys",   Ok(("a.example", "/v1/keys"))),
            ("a port and a query", "https://a.example:8443/k?x=1", Ok(("a.example:8443", "/k?x=1"))),
            ("no path",            "https://a.example",           Ok(("a.example", "/"))),
            ("a query alone",      "https://a.example?x",         Ok(("a.example", "/?x"))),
            ("http",               "http://a.example/keys",       Err(NotHttps)),
            ("upper case",         "HTTPS://a.example/keys",      Err(NotHttps)),
            ("a typing error",     "htp://a.example",             Err(NotHttps)),
            ("no host",            "https:///keys",               Err(IllegalByte)),
            ("user information",   "https://a@b.example/keys",    Err(IllegalByte)),
            ("a quote",            "https://a.example/a\"b",      Err(IllegalByte)),
            ("a fragment",         "https://a.example/keys#a",    Err(IllegalByte)),
            ("a line break",       "https://a.example/k\r\nx: y", Err(IllegalByte)),
            ("too long",           long.as_str(),                 Err(TooLong)),
        ];
        for (name, text, want) in cases {
            let want = want.map(|(authority, path)| HttpsUri {
                authority: authority.into(),
                path: path.into(),
            });
            assert_eq!(HttpsUri::parse(text), want, "{name}");
        }
    }
}
