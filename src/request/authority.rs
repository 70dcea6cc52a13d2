//! The authority of a request (RFC 9110 §7.2), reduced to what names a host.

use std::borrow::Cow;
use std::fmt;

use crate::bytes::{self, is_alphanumeric, is_one_of};

/// A host name or address: lower case, no port, no trailing dot.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Authority<'a>(Cow<'a, str>);

impl<'a> Authority<'a> {
    /// Parses `host`, `host:port` or `[address]:port`. Anything that a second parser could take for
    /// another host is refused: user information, a comma (two joined `Host` headers), spaces, a
    /// path.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AuthorityError> {
        let text = std::str::from_utf8(bytes).map_err(|_| AuthorityError::IllegalByte)?;
        let (host, rest) = match text.strip_prefix('[') {
            Some(bracketed) => bracketed
                .split_once(']')
                .ok_or(AuthorityError::IllegalByte)?,
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match rest.strip_prefix(':') {
            Some(port) => port,
            None if rest.is_empty() => "",
            None => return Err(AuthorityError::IllegalByte),
        };
        if port.len() > MAX_PORT_DIGITS || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AuthorityError::Port);
        }
        let is_legal = if text.starts_with('[') {
            let of_address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
            host.bytes().all(of_address)
        } else {
            bytes::has_only(host.as_bytes(), is_of_name)
        };
        if !is_legal {
            return Err(AuthorityError::IllegalByte);
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.is_empty() || host.len() > MAX_BYTES {
            return Err(AuthorityError::Length);
        }
        let mixed = host.bytes().any(|byte| byte.is_ascii_uppercase());
        Ok(Self(if mixed {
            Cow::Owned(host.to_ascii_lowercase())
        } else {
            Cow::Borrowed(host)
        }))
    }

    /// The host.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why an authority is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuthorityError {
    /// `:authority` and `host` name two hosts.
    Conflict,
    /// A byte that no host name holds.
    IllegalByte,
    /// Empty, or longer than a host name can be.
    Length,
    /// What follows the colon is not a port.
    Port,
}

impl fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => "the request names two hosts",
            Self::IllegalByte | Self::Length | Self::Port => {
                "the Host header is not one host name with an optional port"
            }
        })
    }
}

/// What a host name holds.
fn is_of_name(byte: u8) -> bool {
    is_alphanumeric(byte) | is_one_of(byte, b"-._")
}

/// RFC 1035 §2.3.4.
const MAX_BYTES: usize = 253;

/// 65535.
const MAX_PORT_DIGITS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_names_one_host() {
        use AuthorityError::{IllegalByte, Length, Port};
        let long = format!("{}.com", "a".repeat(250));
        #[rustfmt::skip]
        let cases: [(&str, &[u8], Result<&str, AuthorityError>); 18] = [
            // name                  bytes                        want
            ("a host",               b"db.example.com",           Ok("db.example.com")),
            ("upper case",           b"DB.Example.COM",           Ok("db.example.com")),
            ("a port",               b"db.example.com:8443",      Ok("db.example.com")),
            ("an empty port",        b"db.example.com:",          Ok("db.example.com")),
            ("a trailing dot",       b"db.example.com.:443",      Ok("db.example.com")),
            ("an address",           b"127.0.0.1:8080",           Ok("127.0.0.1")),
            ("an IPv6 address",      b"[::1]:8080",               Ok("::1")),
            ("two joined hosts",     b"a.example.com,b",          Err(IllegalByte)),
            ("user information",     b"a@b.example.com",          Err(IllegalByte)),
            ("a space",              b"a b",                      Err(IllegalByte)),
            ("a path",               b"a/b",                      Err(IllegalByte)),
            ("not UTF-8",            b"a\xff",                    Err(IllegalByte)),
            ("an open bracket",      b"[::1",                     Err(IllegalByte)),
            ("text past a bracket",  b"[::1]x",                   Err(IllegalByte)),
            ("a named port",         b"a:http",                   Err(Port)),
            ("two ports",            b"a:1:2",                    Err(Port)),
            ("empty",                b"",                         Err(Length)),
            ("too long",             long.as_bytes(),             Err(Length)),
        ];
        for (name, bytes, want) in cases {
            assert_eq!(
                Authority::parse(bytes),
                want.map(|host| Authority(host.into())),
                "{name}"
            );
        }
    }
}
