//! What names a request to people, whatever is wrong with it: the part of its head that audit
//! records and answers quote.
//!
//! Nothing in an envelope is trusted, and no decision reads it.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde::Serialize;

use crate::bytes::{self, is_within};
use crate::token::text;

use super::known::Known;
use super::mcp::Tool;
use super::secret::Finder;
use super::{Headers, secret};

/// A request as a record quotes it.
#[derive(Clone, Copy)]
pub struct Envelope<'a> {
    headers: &'a Headers,
    /// The address of the client, as the gateway knows it.
    pub source_ip: Option<&'a str>,
}

/// The MCP call that the headers name, where servers hold them against the body.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct McpCall<'a> {
    method: Cow<'a, str>,
    name: Option<Cow<'a, str>>,
    version: Cow<'a, str>,
}

/// The forms in which Databricks' clients read refusals.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// gRPC over HTTP/2: Spark Connect and its like read `grpc-status` and `grpc-message`.
    Grpc,
    /// JSON, for a client of the Model Context Protocol: it goes by what the challenge names.
    Mcp,
    /// JSON: the SDKs and everything else.
    Rest,
    /// Thrift over HTTP: the SQL drivers read their message from a header.
    Thrift,
}

/// Whoever reads a refusal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipient<'a> {
    /// The requested path, as [`Envelope`] quotes it.
    pub path: Cow<'a, str>,
    /// In which form they read it.
    pub protocol: Protocol,
}

impl<'a> Recipient<'a> {
    /// Takes out of the head what an answer depends on.
    pub fn of(headers: &'a Headers) -> Self {
        let path = path(headers);
        Self {
            path: quote(path, MAX_PATH_CHARS),
            protocol: Protocol::of(headers, path),
        }
    }
}

impl<'a> Envelope<'a> {
    /// Of this head.
    pub const fn of(headers: &'a Headers, source_ip: Option<&'a str>) -> Self {
        Self { headers, source_ip }
    }

    /// The method, shortened.
    pub fn method(&self) -> Cow<'a, str> {
        let method = self.headers.first_known(Known::METHOD);
        quote(method.unwrap_or_default(), MAX_METHOD_CHARS)
    }

    /// The path without its query, shortened, with secrets struck out.
    pub fn path(&self) -> Cow<'a, str> {
        quote(path(self.headers), MAX_PATH_CHARS)
    }

    /// `x-request-id`, as the gateway set it.
    pub fn request_id(&self) -> Option<Cow<'a, str>> {
        let value = self.headers.first_known(Known::REQUEST_ID)?;
        Some(quote(value, MAX_REQUEST_ID_CHARS))
    }

    /// The requested host, shortened, with secrets struck out.
    pub fn host(&self) -> Option<Cow<'a, str>> {
        let value = self.headers.first_known(Known::AUTHORITY)?;
        // RFC 9110 §4.2.4: a name and a password may stand before it, which no record keeps.
        let host = value.rsplit(|byte| *byte == b'@').next();
        Some(quote(host.unwrap_or_default(), MAX_HOST_CHARS))
    }

    /// The trace that the request belongs to: the second field of `traceparent` (W3C Trace Context
    /// §3.2.2.3).
    pub fn trace_id(&self) -> Option<&'a str> {
        let value = self.headers.first_known(Known::TRACE_PARENT)?;
        let mut fields = str::from_utf8(value).ok()?.split('-');
        let id = fields.nth(1)?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_valid = id.len() == TRACE_ID_DIGITS
            && id.bytes().all(is_digit)
            && id.bytes().any(|byte| byte != b'0');
        is_valid.then_some(id)
    }

    /// The MCP call that the headers name, where they can be believed.
    pub fn mcp(&self) -> Option<McpCall<'a>> {
        let version = self.headers.first_known(Known::MCP_PROTOCOL_VERSION)?;
        let decoded = OnceCell::new();
        let quoted = |text: &str| Cow::Owned(quote(text.as_bytes(), MAX_MCP_CHARS).into_owned());
        match Tool::read(self.headers, &decoded) {
            Tool::Known { method, name } => Some(McpCall {
                method: quoted(method),
                name: name.map(quoted),
                version: quote(version, MAX_MCP_CHARS),
            }),
            Tool::Unknown => None,
        }
    }

    /// `user-agent`, shortened, with secrets struck out.
    pub fn user_agent(&self) -> Option<Cow<'a, str>> {
        let value = self.headers.first_known(Known::USER_AGENT)?;
        Some(quote(value, MAX_USER_AGENT_CHARS))
    }
}

/// The path, without its query.
fn path(headers: &Headers) -> &[u8] {
    let target = headers.first_known(Known::PATH).unwrap_or_default();
    target
        .split(|&byte| byte == b'?')
        .next()
        .unwrap_or_default()
}

impl Protocol {
    fn of(headers: &Headers, path: &[u8]) -> Self {
        let content_type = headers.first("content-type").unwrap_or_default();
        // As Envoy recognizes gRPC: gRPC-Web (`application/grpc-web`) reads plain HTTP.
        let grpc = content_type
            .strip_prefix(b"application/grpc")
            .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')));
        let thrift = content_type.starts_with(b"application/x-thrift")
            || THRIFT_PATHS.iter().any(|prefix| path.starts_with(prefix));
        let mcp = headers.first("mcp-protocol-version").is_some()
            || path == b"/mcp"
            || MCP_PATHS.iter().any(|prefix| path.starts_with(prefix));
        match (grpc, thrift, mcp) {
            (true, _, _) => Self::Grpc,
            (false, true, _) => Self::Thrift,
            (false, false, true) => Self::Mcp,
            (false, false, false) => Self::Rest,
        }
    }
}

/// Whether records quote a path as it is.
#[inline]
pub(crate) fn quotes_whole(path: &str) -> bool {
    quote(path.as_bytes(), MAX_PATH_CHARS) == path
}

/// The same of a method and a path.
pub(crate) fn quotes_both_whole(method: &str, path: &str) -> bool {
    quotes_whole(path) && quote(method.as_bytes(), MAX_METHOD_CHARS) == method
}

/// At most so many characters of a text, on one line, with what looks like a credential struck out:
/// a token pasted into a path or a user agent must not reach a log, nor a line that the caller
/// wrote pass for one of ours.
fn quote(bytes: &[u8], max_chars: usize) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) if text.len() <= max_chars && is_harmless(text) => Cow::Borrowed(text),
        _ => Cow::Owned(rewritten(bytes, max_chars)),
    }
}

/// Whether nothing in a text is to be struck out or replaced, as the letters show with which
/// credentials begin. That is so of nearly all texts; of a few more it is not seen at a glance.
fn is_harmless(text: &str) -> bool {
    let is_worth_a_look = |first: u8, second: u8, third: u8| {
        (first == b'%')
            | secret::begins_static_token(first, second, third)
            | secret::begins_jwt(first, second, third)
    };
    bytes::has_only(text.as_bytes(), |byte| is_within(byte, b' ', b'~'))
        && (!bytes::has_triple(text.as_bytes(), is_worth_a_look) || is_harmless_decoded(text))
}

/// Whether that is so of the text and of what its escapes stand for.
#[cold]
#[inline(never)]
fn is_harmless_decoded(text: &str) -> bool {
    let is_harmless = |text: &str| !secret::holds_beginning(text.as_bytes());
    is_harmless(text) && secret::unescaped(text).all(|text| is_harmless(&text))
}

fn rewritten(bytes: &[u8], max_chars: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = secret::without_escaped(&text);
    let mut quoted = String::new();
    let mut finder = Finder::new(&text);
    let mut place = 0_usize;
    for _ in 0..max_chars {
        let rest = text.get(place..).unwrap_or_default();
        let Some(character) = rest.chars().next() else {
            return quoted;
        };
        if let Some(end) = finder.at(place) {
            quoted.push_str(secret::REDACTED);
            place = end;
            continue;
        }
        quoted.push(if text::breaks_lines(character) {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        });
        place = place.saturating_add(character.len_utf8());
    }
    if place < text.len() {
        quoted.push('…');
    }
    quoted
}

const MAX_METHOD_CHARS: usize = 32;

/// Longer than any path of the API without its names; the record of a hostile one stays a line that
/// a log keeps whole.
const MAX_PATH_CHARS: usize = 1024;

const MAX_REQUEST_ID_CHARS: usize = 128;

const MAX_USER_AGENT_CHARS: usize = 256;

/// A name of DNS has 253, and a port five digits.
const MAX_HOST_CHARS: usize = 260;

/// Longer than names of tools are.
const MAX_MCP_CHARS: usize = 256;

/// W3C Trace Context §3.2.2.3.
const TRACE_ID_DIGITS: usize = 32;

const THRIFT_PATHS: [&[u8]; 3] = [
    b"/sql/1.0/warehouses/",
    b"/sql/1.0/endpoints/",
    b"/sql/protocolv1/",
];

/// Databricks' managed servers; `/mcp` is where servers in Databricks Apps are.
const MCP_PATHS: [&[u8]; 2] = [b"/api/2.0/mcp/", b"/ai-gateway/mcp-services/"];

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn headers(pairs: &[(&str, &[u8])]) -> Headers {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.to_vec()));
        Headers::new(pairs.collect())
    }

    #[test]
    fn records_quote_no_query_and_no_secret() {
        let long = [b'a'; MAX_PATH_CHARS + 1];
        let cut = format!("{}…", "a".repeat(MAX_PATH_CHARS));
        let before = format!("/{}", "a/".repeat(MAX_PATH_CHARS / 2 - 1));
        let long_escaped = format!("{before}%64api0123456789abcdef0123456789abcdef");
        let cut_before = format!("{before}[…");
        let long_header = format!("/x/eyJ4NWMiOiJ{}In0.e30.c2ln/y", "A".repeat(600));
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &str); 27] = [
            // name              :path                                                want
            ("a query",          b"/a/b?c=d",                                         "/a/b"),
            ("a static token",   b"/x/dapi0123456789abcdef0123456789abcdef/y",        "/x/[redacted]/y"),
            ("a JWT",            b"/x/eyJhbGciOiJSUzI1NiJ9.e30.c2ln",                 "/x/[redacted]"),
            ("inside a word",    b"/x_dapi0123456789abcdef0123456789abcdef_y",        "/x_[redacted]_y"),
            ("escaped around",   b"/Bearer%20eyJhbGciOiJSUzI1NiJ9.e30.c2ln%20x",      "/Bearer%20[redacted]%20x"),
            ("an escaped token", b"/x/%64api0123456789abcdef0123456789abcdef/y",      "/x/[redacted]/y"),
            ("one escaped inside", b"/x/dapi%30123456789abcdef0123456789abcdef/y",    "/x/[redacted]/y"),
            ("escaped to the end", b"/dapi0123456789abcdef0123456789abcde%66",        "/[redacted]"),
            ("escaped twice",    b"/x/%2564api0123456789abcdef0123456789abcdef",      "/x/[redacted]"),
            ("an escaped JWT",   b"/eyJhbGciOiJSUzI1NiJ9%2Ee30%2Ec2ln",               "/[redacted]"),
            ("its first letter", b"/a%20b/%65yJhbGciOiJSUzI1NiJ9.e30.c2ln",           "/a%20b/[redacted]"),
            ("behind its scheme", b"/Bearer%20%65yJhbGciOiJSUzI1NiJ9.e30.c2ln",       "/[redacted]"),
            ("one of each kind", b"/dapi0123456789abcdef0123456789abcdef%20x/%64ose0123456789abcdef0123456789abcdef", "/[redacted]%20x/[redacted]"),
            ("both in a word",   b"/doau0123456789abcdef0123456789abcdef%20%64ose0123456789abcdef0123456789abcdef", "/[redacted]"),
            ("the same twice",   b"/dose0123456789abcdef0123456789abcdef%20%64ose0123456789abcdef0123456789abcdef", "/[redacted]"),
            ("escaped from there on", b"/eyJhbGciOiJSUzI1NiJ9.e3%30.c2ln/y",          "/[redacted]/y"),
            ("beyond ASCII",     "/é%64api0123456789abcdef0123456789abcdefé".as_bytes(), "/é[redacted]é"),
            ("escapes of names", b"/Volumes/a%20b%64api/%e9/100%",                    "/Volumes/a%20b%64api/%e9/100%"),
            ("cut in the midst", long_escaped.as_bytes(),                             &cut_before),
            ("white space in it", b"/ewogImFsZyI6MX0.e30.c2ln",                       "/[redacted]"),
            ("lines in it",      b"/ew0KImFsZyI6MX0.e30.c2ln",                        "/[redacted]"),
            ("a long header",    long_header.as_bytes(),                              "/x/[redacted]/y"),
            ("a line separator", b"/a\xe2\x80\xa8b\x00c",                            "/a\u{fffd}b\u{fffd}c"),
            ("names with dots",  b"/x/main.sales.orders",                             "/x/main.sales.orders"),
            ("not UTF-8",        b"/\xff",                                            "/\u{fffd}"),
            ("too long",         &long,                                               &cut),
            ("absent",           b"",                                                 ""),
        ];
        for (name, path, want) in cases {
            let headers = headers(&[(":path", path)]);
            assert_eq!(Envelope::of(&headers, None).path(), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_as_it_is_would_be_rewritten_to_itself(pieces in vec(select(PIECES), 0..8)) {
            let text = pieces.concat();
            if is_harmless(&text) {
                prop_assert_eq!(rewritten(text.as_bytes(), text.len()), text);
            }
        }
    }

    const PIECES: &[&str] = &[
        "/",
        "d",
        "dapi",
        "e",
        "eyJ",
        "0123456789abcdef",
        "a.b",
        ".",
        "é",
        "\n",
        " ",
        "Bearer ",
        "%",
        "%64",
        "%2564",
        "%2E",
    ];

    #[test]
    fn callers_are_answered_in_their_own_form() {
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &[u8], Protocol); 9] = [
            // name           :path                         content-type                     want
            ("JSON",          b"/api/2.2/jobs/run-now",     b"application/json",             Protocol::Rest),
            ("gRPC",          b"/spark.connect.S/Config",   b"application/grpc",             Protocol::Grpc),
            ("gRPC, typed",   b"/spark.connect.S/Config",   b"application/grpc+proto",       Protocol::Grpc),
            ("gRPC-Web",      b"/spark.connect.S/Config",   b"application/grpc-web",         Protocol::Rest),
            ("Thrift",        b"/anything",                 b"application/x-thrift",         Protocol::Thrift),
            ("a warehouse",   b"/sql/1.0/warehouses/a",     b"",                             Protocol::Thrift),
            ("SQL over REST", b"/api/2.0/sql/statements",   b"application/json",             Protocol::Rest),
            ("managed MCP",   b"/api/2.0/mcp/genie/1",      b"application/json",             Protocol::Mcp),
            ("an app's MCP",  b"/mcp",                      b"application/json",             Protocol::Mcp),
        ];
        for (name, path, content_type, want) in cases {
            let headers = headers(&[(":path", path), ("content-type", content_type)]);
            assert_eq!(Recipient::of(&headers).protocol, want, "{name}");
        }
    }
}
