//! Listeners: the doors of a gateway, and what stands behind each.

use super::cluster::{Cluster, Destination, is_loopback};
use super::code::Code;
use super::finding::Findings;
use super::manager::Manager;
use super::node::{Node, is_type};
use super::place::Place;

/// A door, and where requests go from it.
pub(super) struct Listener<'a> {
    pub(super) node: Node<'a>,
    pub(super) name: &'a str,
    pub(super) managers: Vec<Manager<'a>>,
    /// Clusters to which bytes go unread.
    pub(super) tunnels: Vec<Tunnel<'a>>,
    /// Network filters that are unknown, or found at run time.
    pub(super) unknown: Vec<(Code, Node<'a>)>,
}

/// A way on which nobody reads requests.
pub(super) struct Tunnel<'a> {
    pub(super) place: Place,
    /// Absent where the caller chooses it.
    pub(super) cluster: Option<&'a str>,
}

impl<'a> Listener<'a> {
    /// Reads a listener. `discovered` are route configurations, `ours` the places of this product's
    /// filters.
    pub(super) fn read(node: Node<'a>, discovered: &[Node<'a>], ours: &[Place]) -> Self {
        let mut listener = Self {
            name: node.text("name").unwrap_or_default(),
            managers: Vec::new(),
            tunnels: Vec::new(),
            unknown: Vec::new(),
            node,
        };
        let mut chains = listener.node.items("filter_chains");
        chains.extend(listener.node.get("default_filter_chain"));
        for chain in chains {
            for filter in chain.items("filters") {
                match Manager::read(&filter, discovered, ours) {
                    Some(manager) => listener.managers.push(manager),
                    None => listener.read_other(&filter),
                }
            }
        }
        listener
    }

    /// Reads a network filter that does not read HTTP.
    fn read_other(&mut self, filter: &Node<'a>) {
        if filter.has("config_discovery") {
            self.unknown.push((Code::FilterNotSeen, filter.clone()));
            return;
        }
        let config = filter.get("typed_config");
        let Some((name, message)) = config.as_ref().and_then(Node::message) else {
            self.unknown.push((Code::ExtensionNotSeen, filter.clone()));
            return;
        };
        if is_type(name, "tcp_proxy.v3.TcpProxy") {
            let weighted = message.get("weighted_clusters");
            let weighted = weighted
                .map(|node| node.items("clusters"))
                .unwrap_or_default();
            let named = weighted.iter().filter_map(|node| node.get("name"));
            for cluster in message.get("cluster").into_iter().chain(named) {
                self.tunnels.push(Tunnel {
                    cluster: cluster.value.as_str(),
                    place: cluster.place,
                });
            }
        } else if CHOOSERS.iter().any(|chooser| is_type(name, chooser)) {
            self.tunnels.push(Tunnel {
                place: filter.place.clone(),
                cluster: None,
            });
        } else if !HARMLESS.iter().any(|harmless| is_type(name, harmless)) {
            self.unknown.push((Code::ExtensionNotSeen, filter.clone()));
        }
    }

    /// Whether nobody comes to it but out of this gateway itself, through one of these clusters.
    pub(super) fn is_inner(&self, clusters: &[Cluster]) -> bool {
        self.node.has("internal_listener")
            || self.is_at_loopback() && clusters.iter().any(|cluster| self.is_behind(cluster))
    }

    /// Whether a cluster leads to it.
    pub(super) fn is_behind(&self, cluster: &Cluster) -> bool {
        let address = self.node.at(&["address", "socket_address"]);
        let port = address.and_then(|address| address.number("port_value"));
        let leads_here = |place: &Destination| match place {
            Destination::Listener(name) => *name == self.name,
            Destination::Host(host, to) => is_loopback(host) && Some(*to) == port,
            Destination::Pipe => false,
        };
        cluster.leads_to.iter().any(leads_here)
    }

    fn is_at_loopback(&self) -> bool {
        let address = self.node.at(&["address", "socket_address"]);
        let host = address.and_then(|address| address.text("address"));
        host.is_some_and(is_loopback)
    }

    /// What is wrong with the door itself.
    pub(super) fn check(&self, findings: &mut Findings) {
        for filter in self.node.items("listener_filters") {
            let config = filter.get("typed_config");
            if config.is_some_and(|config| config.is_message("proxy_protocol.v3.ProxyProtocol")) {
                findings.note(Code::AddressByProxy, filter.place);
            }
        }
    }
}

/// Filters by which the caller names where to.
const CHOOSERS: [&str; 2] = [
    "sni_cluster.v3.SniCluster",
    "sni_dynamic_forward_proxy.v3.FilterConfig",
];

/// Filters that forward nothing.
const HARMLESS: [&str; 11] = [
    "connection_limit.v3.ConnectionLimit",
    "direct_response.v3.Config",
    "echo.v3.Echo",
    "ext_authz.v3.ExtAuthz",
    "geoip.v3.Geoip",
    "local_ratelimit.v3.LocalRateLimit",
    "metadata_exchange.config.MetadataExchange",
    "ratelimit.v3.RateLimit",
    "rbac.v3.RBAC",
    "set_filter_state.v3.Config",
    "stats.PluginConfig",
];
