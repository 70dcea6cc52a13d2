//! The protected resource that the gateway is, and the document by which clients learn where to get
//! tokens for it (RFC 9728).
//!
//! Whatever lies under the identifier is a resource of its own to clients that are strict, MCP's
//! above all: RFC 9728 §3.3 has them throw a document away whose `resource` is not the very URL
//! that they called. So every path below has its document, and all have one set of authorization
//! servers. Nothing in a document comes from the policy; its scope is the one that Databricks
//! publishes.

use serde::Serialize;

use crate::callout::uri::{HttpsUri, UriError};
use crate::databricks::{Catalogue, Lookup, scope};
use crate::issuer::{Issuer, ScopeReading};
use crate::json_line::to_text;
use crate::path::Path;
use crate::request::envelope;
use crate::token::algorithm::Algorithm;

/// The name of a protected resource: an `https` URL without query (RFC 9728 §1.2, RFC 8707 §2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identifier {
    text: Box<str>,
    uri: HttpsUri,
}

/// What is published of a protected resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ProtectedResource {
    identifier: Identifier,
    authorization_servers: Vec<Box<str>>,
    /// How the issuers spell the scopes that are ours.
    spellings: Vec<ScopeReading>,
}

/// A metadata document (RFC 9728 §2).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Metadata {
    resource: String,
    authorization_servers: Vec<Box<str>>,
    bearer_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes_supported: Option<[String; 1]>,
}

impl Metadata {
    /// The document.
    pub fn to_json(&self) -> String {
        to_text(self)
    }
}

impl Identifier {
    /// Parses an identifier.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let uri = HttpsUri::parse(text)?;
        if uri.path().contains('?') {
            return Err(UriError::IllegalByte);
        }
        Ok(Self {
            text: text.into(),
            uri,
        })
    }

    /// Scheme and host, as the commands take it that people sign in with.
    pub fn origin(&self) -> String {
        format!("https://{}", self.uri.authority())
    }

    /// Where the metadata of this resource is.
    pub fn metadata_url(&self) -> String {
        self.uri
            .with_path(format!("{WELL_KNOWN}{}", self.path()))
            .to_string()
    }

    /// Where the metadata is of the resource at a path of requests; `None` where it is none of
    /// ours, or nothing to repeat to a caller.
    pub fn metadata_url_of(&self, path: &str) -> Option<String> {
        self.at(path)?;
        let url = self.uri.with_path(format!("{WELL_KNOWN}{path}"));
        Some(url.to_string())
    }

    /// RFC 9728 §3.1: what the well-known path is put before; a slash that ends the identifier is
    /// left out.
    fn path(&self) -> &str {
        self.uri.path().trim_end_matches('/')
    }

    /// The identifier of the resource whose document is at a path. Where that is none of ours, or
    /// nothing to repeat, it is this one: the workspace's own document would lead to other issuers.
    fn described(&self, path: &str) -> Option<String> {
        let is_path = path.is_empty() || path.starts_with('/');
        let described = || self.at(path).unwrap_or_else(|| self.text.to_string());
        is_path.then(described)
    }

    /// The identifier of the resource at a path, this one or one below.
    fn at(&self, path: &str) -> Option<String> {
        let below = path.strip_prefix(self.path())?;
        if below.is_empty() {
            return Some(self.text.to_string());
        }
        let holds = below.starts_with('/') && is_safe(path);
        holds.then(|| self.uri.with_path(path.to_owned()).to_string())
    }
}

impl ProtectedResource {
    /// The resource for which these issuers' tokens are.
    pub fn new(identifier: Identifier, issuers: &[Issuer]) -> Self {
        Self {
            identifier,
            authorization_servers: issuers
                .iter()
                .map(|issuer| (*issuer.identifier).into())
                .collect(),
            spellings: issuers.iter().map(|issuer| issuer.scopes.clone()).collect(),
        }
    }

    /// The document that is requested, if it is one of ours.
    pub fn metadata(&self, method: &str, path: &Path<'_>) -> Option<Metadata> {
        let described = path.as_str().strip_prefix(WELL_KNOWN)?;
        if method != "GET" {
            return None;
        }
        Some(Metadata {
            resource: self.identifier.described(described)?,
            authorization_servers: self.authorization_servers.clone(),
            bearer_methods_supported: ["header"],
            dpop_signing_alg_values_supported: &Algorithm::NAMES,
            scopes_supported: self.scope(described),
        })
    }

    /// The scope of the operation that is served at a path, where all issuers spell it alike. Where
    /// no challenge names a scope, MCP clients request all that stand here, so there is one or
    /// none.
    fn scope(&self, path: &str) -> Option<[String; 1]> {
        let path = Path::parse(path.as_bytes()).ok()?;
        let Lookup::Found(operation) = Catalogue::shared().find("POST", &path) else {
            return None;
        };
        let scope = scope::required(operation)?;
        let mut spelled = self.spellings.iter().map(|issuer| issuer.spell(scope));
        let first = spelled.next()??;
        let alike = spelled.all(|other| other.as_deref() == Some(&first));
        alike.then_some([first])
    }
}

/// Whether a path may stand in a quoted string and be shown to whoever sent it: no character that a
/// URL's path does not have (RFC 3986 §3.3), nothing that looks like a credential, and not without
/// end.
fn is_safe(path: &str) -> bool {
    let is_of_path =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@%/".contains(&byte);
    path.bytes().all(is_of_path) && envelope::quotes_whole(path)
}

/// RFC 9728 §3.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::scope::Scope;

    #[test]
    fn every_path_below_has_its_document() {
        let long = format!("/{}", "a".repeat(1100));
        #[rustfmt::skip]
        let cases = [
            // name               identifier                 path             want
            ("the whole host",    "https://db.example",      "",              Some("https://db.example")),
            ("with a slash",      "https://db.example/",     "",              Some("https://db.example/")),
            ("below it",          "https://db.example/",     "/api/2.0/mcp/sql", Some("https://db.example/api/2.0/mcp/sql")),
            ("a slash at the end", "https://db.example",     "/mcp/",         Some("https://db.example/mcp/")),
            ("a port",            "https://db.example:8443", "/mcp",          Some("https://db.example:8443/mcp")),
            ("a path",            "https://db.example/a",    "/a",            Some("https://db.example/a")),
            ("below the path",    "https://db.example/a",    "/a/mcp",        Some("https://db.example/a/mcp")),
            ("beside the path",   "https://db.example/a",    "/ab",           None),
            ("above the path",    "https://db.example/a",    "",              None),
            ("a quote",           "https://db.example",      "/a\"b",         None),
            ("a static token",    "https://db.example",      "/dapi0123456789abcdef0123456789abcdef", None),
            ("too long",          "https://db.example",      long.as_str(),   None),
        ];
        for (name, identifier, path, want) in cases {
            let identifier = Identifier::parse(identifier).unwrap();
            assert_eq!(identifier.at(path).as_deref(), want, "{name}");
            let url =
                want.map(|_| format!("https://{}{WELL_KNOWN}{path}", identifier.uri.authority()));
            assert_eq!(identifier.metadata_url_of(path), url, "{name}");
            // Whatever is requested below the well-known path has a document of ours.
            let described = identifier.described(path);
            assert_eq!(
                described.as_deref(),
                want.or(Some(&*identifier.text)),
                "{name}"
            );
        }
        assert_eq!(
            Identifier::parse("https://db.example/?x").unwrap_err(),
            UriError::IllegalByte
        );
    }

    #[test]
    fn a_document_names_the_published_scope_in_the_issuers_spelling() {
        let reading = |prefix: &str, alias: Option<&str>| ScopeReading {
            prefix: Some(prefix.into()),
            aliases: alias
                .map(|alias| (alias, vec![Scope::parse("sql").unwrap()]))
                .into_iter()
                .collect(),
            ..ScopeReading::default()
        };
        let roles_alone = ScopeReading {
            from_roles: true,
            ..ScopeReading::default()
        };
        let plain = || vec![ScopeReading::default()];
        let sql = |scope| Some(("https://db.example/api/2.0/mcp/sql", scope));
        #[rustfmt::skip]
        let cases = [
            // name                 issuers                                            method  path
            // want
            ("no operation",        plain(),                                           "GET",  "",                       Some(("https://db.example", None))),
            ("an MCP server",       plain(),                                           "GET",  "/api/2.0/mcp/genie/1",   Some(("https://db.example/api/2.0/mcp/genie/1", Some("genie")))),
            ("a prefix",            vec![reading("dbx:", None)],                       "GET",  "/api/2.0/mcp/sql",       sql(Some("dbx:sql"))),
            ("an alias",            vec![reading("dbx:", Some("dbx-sql"))],            "GET",  "/api/2.0/mcp/sql",       sql(Some("dbx-sql"))),
            ("issuers alike",       vec![reading("dbx:", None), reading("dbx:", None)], "GET", "/api/2.0/mcp/sql",       sql(Some("dbx:sql"))),
            ("issuers that differ", vec![reading("dbx:", None), reading("a:", None)],  "GET",  "/api/2.0/mcp/sql",       sql(None)),
            ("one without scopes",  vec![roles_alone, ScopeReading::default()],        "GET",  "/api/2.0/mcp/sql",       sql(None)),
            ("another method",      plain(),                                           "HEAD", "",                       None),
            ("another document",    plain(),                                           "GET",  "-beside",                None),
        ];
        for (name, spellings, method, path, want) in cases {
            let resource = ProtectedResource {
                identifier: Identifier::parse("https://db.example").unwrap(),
                authorization_servers: vec!["https://a.example".into()],
                spellings,
            };
            let path = format!("{WELL_KNOWN}{path}");
            let got = resource.metadata(method, &Path::parse(path.as_bytes()).unwrap());
            let want = want.map(|(resource, scope)| Metadata {
                resource: resource.to_owned(),
                authorization_servers: vec!["https://a.example".into()],
                bearer_methods_supported: ["header"],
                dpop_signing_alg_values_supported: &[
                    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
                ],
                scopes_supported: scope.map(|scope| [scope.to_owned()]),
            });
            assert_eq!(got, want, "{name}");
        }
    }
}
