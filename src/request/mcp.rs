//! What a request says of the MCP tool that it calls.
//!
//! Since revision 2026-07-28 of the Model Context Protocol the headers `Mcp-Method` and `Mcp-Name`
//! repeat what the body says, and a server refuses a request in which they differ. Before, nobody
//! held one against the other, so a caller could write what a rule likes to read. And what a
//! revision that is yet to be published makes of the headers, nobody knows: only published ones are
//! believed.

use std::cell::OnceCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Headers;
use super::known::Known;

/// What is requested, beside the path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Call<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The MCP call.
    pub tool: Tool<'a>,
}

/// The MCP call that the headers name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tool<'a> {
    /// This one.
    Known {
        /// The method of JSON-RPC, as `tools/call`.
        method: &'a str,
        /// The tool, prompt or resource; absent where the method has none.
        name: Option<&'a str>,
    },
    /// None that could be believed: an older or unknown protocol, a header that is missing, comes
    /// twice or is spelled otherwise, or an encoding that the protocol does not have.
    Unknown,
}

impl<'a> Call<'a> {
    /// A request of this method whose MCP headers were not looked at.
    pub const fn of(method: &'a str) -> Self {
        Self {
            method,
            tool: Tool::Unknown,
        }
    }
}

impl<'a> Tool<'a> {
    /// Reads the headers; `decoded` keeps the name where that has to be decoded.
    pub fn read(headers: &'a Headers, decoded: &'a OnceCell<String>) -> Self {
        Self::parse(headers, decoded).unwrap_or(Self::Unknown)
    }

    fn parse(headers: &'a Headers, decoded: &'a OnceCell<String>) -> Option<Self> {
        let value = |known| headers.plainly(known).ok().map(Option::unwrap_or_default);
        if !holds_them(value(Known::MCP_PROTOCOL_VERSION)?) {
            return None;
        }
        let method = plain(value(Known::MCP_METHOD)?)?;
        let name = match value(Known::MCP_NAME)? {
            b"" if !is_naming(method) => None,
            name => Some(if let Some(name) = plain(name) {
                name
            } else {
                let name = decode(name)?;
                decoded.get_or_init(|| name)
            }),
        };
        Some(Self::Known { method, name })
    }
}

/// Decodes a name that no header carries as it is (revision 2026-07-28, value encoding): base64 of
/// UTF-8 between marks in lower case.
///
/// Strictly, since the server holds what it decodes against the body: one spelling for each text,
/// padding included.
fn decode(value: &[u8]) -> Option<String> {
    let encoded = value.strip_prefix(b"=?base64?")?.strip_suffix(b"?=")?;
    let name = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    is_name(&name).then_some(name)
}

/// Whether a text may be the name of a tool, a prompt or a resource.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// Whether a text is one that stands in a header as it is.
pub fn is_plain(text: &str) -> bool {
    // A comma may be the work of a proxy that joined two headers. `=?` begins what is encoded.
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',')
        && !text.starts_with("=?")
}

/// The version of the protocol with which headers are believed.
pub const VERSION: &str = "2026-07-28";

/// A name as a header carries it.
pub fn encoded(name: &str) -> String {
    if is_plain(name) {
        name.to_owned()
    } else {
        format!("=?base64?{}?=", STANDARD.encode(name))
    }
}

/// Whether calls of a method name something.
pub(crate) fn is_naming(method: &str) -> bool {
    NAMING.contains(&method)
}

fn plain(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value)
        .ok()
        .filter(|text| is_plain(text))
}

/// Whether servers of this version hold the headers against the body.
fn holds_them(version: &[u8]) -> bool {
    PUBLISHED
        .iter()
        .any(|(published, holds)| published.as_bytes() == version && *holds)
}

/// The published versions of the protocol, and whether the headers are mandatory in them. A server
/// that gets another version may well fall back to an old one, in which it does not look at the
/// headers at all.
const PUBLISHED: [(&str, bool); 5] = [
    ("2024-11-05", false),
    ("2025-03-26", false),
    ("2025-06-18", false),
    ("2025-11-25", false),
    (VERSION, true),
];

/// The methods with which `Mcp-Name` is mandatory.
const NAMING: [&str; 3] = ["prompts/get", "resources/read", "tools/call"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_believed_where_the_protocol_makes_them_mandatory() {
        let known = |method, name| Tool::Known { method, name };
        let call = known("tools/call", Some("run_sql"));
        let version = ("mcp-protocol-version", "2026-07-28");
        let method = ("mcp-method", "tools/call");
        let name = ("mcp-name", "run_sql");
        #[rustfmt::skip]
        let cases: [(&str, &[(&str, &str)], Tool<'_>); 41] = [
            // name                   headers
            // want
            ("a call",                &[version, method, name],                                            call),
            ("the first version",     &[("mcp-protocol-version", "2024-11-05"), method, name],             Tool::Unknown),
            ("the second",            &[("mcp-protocol-version", "2025-03-26"), method, name],             Tool::Unknown),
            ("the third",             &[("mcp-protocol-version", "2025-06-18"), method, name],             Tool::Unknown),
            ("the version before",    &[("mcp-protocol-version", "2025-11-25"), method, name],             Tool::Unknown),
            ("none yet published",    &[("mcp-protocol-version", "2031-01-01"), method, name],             Tool::Unknown),
            ("none ever published",   &[("mcp-protocol-version", "9999-99-99"), method, name],             Tool::Unknown),
            ("a draft",               &[("mcp-protocol-version", "DRAFT-2026-07-28"), method, name],       Tool::Unknown),
            ("a day after",           &[("mcp-protocol-version", "2026-07-29"), method, name],             Tool::Unknown),
            ("a day before",          &[("mcp-protocol-version", "2026-07-27"), method, name],             Tool::Unknown),
            ("no version",            &[method, name],                                                     Tool::Unknown),
            ("no date",               &[("mcp-protocol-version", "draft-2099"), method, name],             Tool::Unknown),
            ("a longer date",         &[("mcp-protocol-version", "2026-07-281"), method, name],            Tool::Unknown),
            ("two versions",          &[version, ("mcp-protocol-version", "2025-11-25"), method, name],    Tool::Unknown),
            ("no method",             &[version, name],                                                    Tool::Unknown),
            ("two methods",           &[version, method, ("mcp-method", "tools/list"), name],              Tool::Unknown),
            ("two spellings",         &[version, method, ("mcp_method", "tools/list"), name],              Tool::Unknown),
            ("its version, spelled",  &[("mcp_protocol_version", "2026-07-28"), method, name],             Tool::Unknown),
            ("with dots",             &[("mcp.protocol.version", "2026-07-28"), method, name],             Tool::Unknown),
            ("its method, spelled",   &[version, ("mcp_method", "tools/list")],                            Tool::Unknown),
            ("its name, spelled",     &[version, method, ("mcp_name", "run_sql")],                         Tool::Unknown),
            ("joined methods",        &[version, ("mcp-method", "tools/call,tools/list"), name],           Tool::Unknown),
            ("no name",               &[version, method],                                                  Tool::Unknown),
            ("an empty name",         &[version, method, ("mcp-name", "")],                                Tool::Unknown),
            ("two names",             &[version, method, name, ("mcp-name", "x")],                         Tool::Unknown),
            ("an encoded name",       &[version, method, ("mcp-name", "=?base64?cnVuX3NxbA==?=")],         call),
            ("beyond ASCII, encoded", &[version, method, ("mcp-name", "=?base64?csO8biBzcWw=?=")],         known("tools/call", Some("rün sql"))),
            ("without its padding",   &[version, method, ("mcp-name", "=?base64?cnVuX3NxbA?=")],           Tool::Unknown),
            ("stray bits",            &[version, method, ("mcp-name", "=?base64?cnVuX3NxbB==?=")],         Tool::Unknown),
            ("the marks in capitals", &[version, method, ("mcp-name", "=?BASE64?cnVuX3NxbA==?=")],         Tool::Unknown),
            ("the other alphabet",    &[version, method, ("mcp-name", "=?base64?cvtfc3E_?=")],             Tool::Unknown),
            ("no text, encoded",      &[version, method, ("mcp-name", "=?base64?/////w==?=")],             Tool::Unknown),
            ("a line break, encoded", &[version, method, ("mcp-name", "=?base64?cnVuCg==?=")],             Tool::Unknown),
            ("nothing, encoded",      &[version, method, ("mcp-name", "=?base64??=")],                     Tool::Unknown),
            ("encoded and joined",    &[version, method, ("mcp-name", "=?base64?cnVuX3NxbA==?=, x")],      Tool::Unknown),
            ("two, encoded",          &[version, method, ("mcp-name", "=?base64?cnVu?==?base64?cnVu?=")],  Tool::Unknown),
            ("an encoded method",     &[version, ("mcp-method", "=?base64?dG9vbHMvY2FsbA==?="), name],     Tool::Unknown),
            ("a space in it",         &[version, method, ("mcp-name", "run sql")],                         Tool::Unknown),
            ("beyond ASCII",          &[version, method, ("mcp-name", "rün")],                             Tool::Unknown),
            ("a method without one",  &[version, ("mcp-method", "tools/list")],                            known("tools/list", None)),
            ("nothing",               &[],                                                                 Tool::Unknown),
        ];
        for (case, headers, want) in cases {
            let pairs = headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
            let headers = Headers::new(pairs.collect());
            assert_eq!(Tool::read(&headers, &OnceCell::new()), want, "{case}");
        }
    }
}
