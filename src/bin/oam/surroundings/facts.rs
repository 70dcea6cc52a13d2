//! What a configuration says of its surroundings: which clusters it trusts, which hosts are
//! workspaces, and how loudly it records.

use serde_json::Value;

use super::node::Node;
use super::place::Place;
use super::plugin::Carried;

/// A configuration as its surroundings have to know it.
pub(super) struct Facts {
    pub(super) callouts: Vec<Callout>,
    /// Lower-case hosts that it calls workspaces.
    pub(super) hosts: Vec<String>,
    /// How many workspaces it names.
    pub(super) workspaces: usize,
    pub(super) token_endpoint: Option<TokenEndpoint>,
}

/// Something that is fetched or exchanged, on which trust rests.
pub(super) struct Callout {
    /// Where the cluster is named.
    pub(super) place: Place,
    pub(super) cluster: String,
    /// The host name under which it is called.
    pub(super) host: Option<String>,
    /// What it is, for people.
    pub(super) what: &'static str,
}

/// Where tokens are exchanged.
pub(super) struct TokenEndpoint {
    pub(super) place: Place,
    pub(super) host: String,
    /// Whether it makes tokens for one workspace alone.
    pub(super) is_of_workspace: bool,
}

impl Facts {
    /// Reads a configuration; one that cannot be read says nothing.
    pub(super) fn read(carried: &Carried) -> Self {
        let value: Value = serde_json::from_str(&carried.text).unwrap_or_default();
        let root = Node {
            place: carried.place.clone(),
            value: &value,
        };
        let mut callouts = Vec::new();
        for issuer in root.items("issuers") {
            if let Some(keys) = issuer.get("jwks") {
                let host = keys.text("uri").or_else(|| issuer.text("issuer"));
                callouts.extend(Callout::read(&keys, host, "an issuer's keys"));
            }
        }
        for (path, uri, what) in SECTIONS {
            if let Some(section) = root.at(path) {
                callouts.extend(Callout::read(&section, section.text(uri), what));
            }
        }
        let workspaces = root.items("workspaces");
        let named = workspaces
            .iter()
            .flat_map(|workspace| workspace.items("hosts"));
        let hosts = named.filter_map(|host| Some(host.value.as_str()?.to_ascii_lowercase()));
        Self {
            callouts,
            hosts: hosts.collect(),
            workspaces: workspaces.len(),
            token_endpoint: root
                .get("exchange")
                .and_then(|node| TokenEndpoint::read(&node)),
        }
    }

    /// Whether this is the host of a workspace, as far as the configuration says.
    pub(super) fn names(&self, host: &str) -> bool {
        let endpoint = self.token_endpoint.iter().map(|endpoint| &endpoint.host);
        self.hosts
            .iter()
            .chain(endpoint)
            .any(|known| known.eq_ignore_ascii_case(host))
    }
}

impl Callout {
    fn read(owner: &Node, uri: Option<&str>, what: &'static str) -> Option<Self> {
        let cluster = owner.get("cluster")?;
        Some(Self {
            cluster: cluster.value.as_str()?.to_owned(),
            place: cluster.place,
            host: uri.and_then(host_of),
            what,
        })
    }
}

impl TokenEndpoint {
    fn read(exchange: &Node) -> Option<Self> {
        let uri = exchange.text("token_endpoint")?;
        Some(Self {
            place: exchange.place_of("token_endpoint"),
            host: host_of(uri)?,
            is_of_workspace: !uri.contains("/oidc/accounts/"),
        })
    }
}

/// Whether a host is one of Databricks'.
pub(super) fn is_databricks(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    DATABRICKS.iter().any(|suffix| host.ends_with(suffix))
}

/// The host in an absolute URI, lower-case.
fn host_of(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    Some(host.to_ascii_lowercase())
}

/// Besides the issuers: where a cluster is named, where its URI, and what it is for.
const SECTIONS: [(&[&str], &str, &str); 3] = [
    (&["exchange"], "token_endpoint", "exchanged tokens"),
    (
        &["withdrawn", "list"],
        "uri",
        "the list of what is withdrawn",
    ),
    (&["audit", "otlp"], "uri", "audit records"),
];

/// What the names of Databricks' own hosts end with.
const DATABRICKS: [&str; 8] = [
    ".azuredatabricks.net",
    ".databricks.azure.cn",
    ".databricks.azure.us",
    ".databricks.com",
    ".databricks.mil",
    ".databricks.us",
    ".databricksapps.com",
    ".azure.databricksapps.com",
];
