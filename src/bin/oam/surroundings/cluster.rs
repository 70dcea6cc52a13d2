//! Clusters: where they lead, and whether the way there can be trusted.

use std::net::IpAddr;

use super::code::Code;
use super::finding::Findings;
use super::node::{Node, is_type};
use super::tls::{Options, Socket};

/// A cluster, and where it leads.
pub(super) struct Cluster<'a> {
    pub(super) node: Node<'a>,
    pub(super) name: &'a str,
    pub(super) leads_to: Vec<Destination<'a>>,
    pub(super) kind: Kind<'a>,
    sockets: Vec<Socket<'a>>,
}

/// One of the addresses of a cluster.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Destination<'a> {
    Host(&'a str, u64),
    /// A listener of the same gateway.
    Listener(&'a str),
    /// A socket in the file system.
    Pipe,
}

/// How a cluster's addresses are found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Kind<'a> {
    /// By one of these clusters.
    Aggregate(Vec<&'a str>),
    /// Whatever host the request names.
    Chosen,
    /// By a service that provides it at run time.
    Discovered,
    /// They are listed.
    Listed,
    /// Where the client meant to connect.
    Original,
    /// By an extension of this name.
    Unknown(&'a str),
}

impl<'a> Cluster<'a> {
    /// Reads a cluster; `secrets` are those that the bootstrap itself holds.
    pub(super) fn read(node: Node<'a>, secrets: &[Node<'a>]) -> Self {
        let mut sockets = Vec::new();
        let mut has_default = false;
        for choice in node.items("transport_socket_matches") {
            let criteria = choice.get("match");
            has_default |= criteria.is_none_or(|criteria| criteria.members().is_empty());
            let socket = choice.get("transport_socket");
            sockets.push(socket.map_or(Socket::Plain, |socket| Socket::read(&socket, secrets)));
        }
        match node.get("transport_socket") {
            Some(socket) => sockets.push(Socket::read(&socket, secrets)),
            None if has_default => {}
            None => sockets.push(Socket::Plain),
        }
        let mut leads_to = Vec::new();
        for member in ["load_assignment", "hosts"] {
            if let Some(member) = node.get(member) {
                member.find(&destination, &mut leads_to);
            }
        }
        Self {
            name: node.text("name").unwrap_or_default(),
            leads_to,
            kind: kind(&node),
            sockets,
            node,
        }
    }

    /// The names by which servers behind it are known: hosts with their ports, and those that TLS
    /// asks for.
    pub(super) fn known_as(&self) -> Vec<String> {
        let mut names = self.hosts();
        for destination in &self.leads_to {
            if let Destination::Host(host, port) = destination {
                names.push(format!("{host}:{port}"));
            }
        }
        names
    }

    /// The names of hosts behind it, addresses left out.
    pub(super) fn hosts(&self) -> Vec<String> {
        let named = self.leads_to.iter().filter_map(|place| match place {
            Destination::Host(host, _) if host.parse::<IpAddr>().is_err() => Some(*host),
            Destination::Host(..) | Destination::Listener(_) | Destination::Pipe => None,
        });
        let by_tls = self.sockets.iter().filter_map(|socket| match socket {
            Socket::Tls(tls) => tls.sni(),
            Socket::Plain | Socket::Unknown(_) => None,
        });
        named.chain(by_tls).map(str::to_ascii_lowercase).collect()
    }

    /// Whether it leads nowhere but to this very machine.
    pub(super) fn stays_here(&self) -> bool {
        let here = |place: &Destination| match place {
            Destination::Host(host, _) => is_loopback(host),
            Destination::Listener(_) | Destination::Pipe => true,
        };
        self.kind == Kind::Listed && !self.leads_to.is_empty() && self.leads_to.iter().all(here)
    }

    /// Checks that what goes there goes to one of these `hosts` and to nobody else.
    pub(super) fn check_trust(&self, hosts: &[String], what: &str, findings: &mut Findings) {
        if self.stays_here() || matches!(self.kind, Kind::Aggregate(_)) {
            return;
        }
        let options = self.options();
        let about = format!("{what} (cluster `{}`)", self.name);
        for socket in &self.sockets {
            match socket {
                Socket::Plain => {
                    let place = self.node.place_of("transport_socket");
                    findings.add(Code::TlsMissing, place, &about);
                }
                Socket::Tls(tls) => tls.check(hosts, &options, &about, findings),
                Socket::Unknown(name) => {
                    let place = self.node.place_of("transport_socket");
                    findings.add(Code::TlsNotSeen, place, &format!("`{name}`, {about}"));
                }
            }
        }
    }

    /// HTTP filters that requests to it go through behind all others.
    pub(super) fn filters(&self) -> Vec<Node<'a>> {
        let by_type = self.node.get("typed_extension_protocol_options");
        let options = by_type.map(|node| node.members()).unwrap_or_default();
        options
            .iter()
            .flat_map(|(_, options)| options.items("http_filters"))
            .collect()
    }

    fn options(&self) -> Options {
        let by_type = self.node.get("typed_extension_protocol_options");
        let mut all: Vec<Node> = self
            .node
            .get("upstream_http_protocol_options")
            .into_iter()
            .collect();
        for (_, options) in by_type.map(|node| node.members()).unwrap_or_default() {
            all.extend(options.get("upstream_http_protocol_options"));
        }
        let says = |name: &str| all.iter().any(|options| options.is_true(name));
        Options {
            auto_sni: says("auto_sni"),
            auto_san_validation: says("auto_san_validation"),
        }
    }
}

/// Whether a host is this very machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The destination in an address, where this is one.
fn destination<'a>(node: &Node<'a>) -> Option<Destination<'a>> {
    if let Some(socket) = node.get("socket_address") {
        let port = socket.number("port_value").unwrap_or_default();
        return Some(Destination::Host(socket.text("address")?, port));
    }
    if let Some(internal) = node.get("envoy_internal_address") {
        let name = internal.text("server_listener_name")?;
        return Some(Destination::Listener(name));
    }
    node.at(&["pipe", "path"]).map(|_| Destination::Pipe)
}

fn kind<'a>(node: &Node<'a>) -> Kind<'a> {
    let Some(extension) = node.get("cluster_type") else {
        return match node.choice("type", &TYPES) {
            Some("ORIGINAL_DST") => original(node),
            Some("EDS") => Kind::Discovered,
            _ => Kind::Listed,
        };
    };
    let name = extension.text("name").unwrap_or_default();
    let Some((type_name, message)) = extension
        .get("typed_config")
        .and_then(|node| node.message())
    else {
        return Kind::Unknown(name);
    };
    match () {
        () if is_type(type_name, "aggregate.v3.ClusterConfig") => {
            let members = message.items("clusters");
            Kind::Aggregate(
                members
                    .iter()
                    .filter_map(|name| name.value.as_str())
                    .collect(),
            )
        }
        () if is_type(type_name, "dynamic_forward_proxy.v3.ClusterConfig") => Kind::Chosen,
        () if is_type(type_name, "dns.v3.DnsCluster") => Kind::Listed,
        () => Kind::Unknown(name),
    }
}

fn original<'a>(node: &Node<'a>) -> Kind<'a> {
    let by_header = node.get("original_dst_lb_config");
    if by_header.is_some_and(|config| config.is_true("use_http_header")) {
        Kind::Chosen
    } else {
        Kind::Original
    }
}

/// In the order of their numbers.
const TYPES: [&str; 5] = ["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"];
