//! What stands around a filter that Istio loads: gateways, routes, TLS to the outside, and the
//! mesh's own settings.

use serde_json::Value;

use super::cluster::Cluster;
use super::code::Code;
use super::destination_rule;
use super::facts::{Facts, is_databricks};
use super::finding::Findings;
use super::gateway_api;
use super::header;
use super::node::Node;
use super::resource::{Resource, has_labels};

/// The manifests of a mesh, as far as they are here.
pub(super) struct Mesh<'a> {
    facts: &'a [Facts],
    /// What loads the filter.
    loaders: &'a [Resource<'a>],
    gateways: Vec<Resource<'a>>,
    routes: Vec<Resource<'a>>,
    rules: Vec<Resource<'a>>,
    /// Clusters that patches add.
    clusters: Vec<Cluster<'a>>,
    /// The names under which patches put the filter in.
    pub(super) filter_names: Vec<&'a str>,
    /// How paths are normalized: by mesh settings, or by patches of connection managers.
    normalization: Option<(Node<'a>, &'a str)>,
    managers: Vec<Node<'a>>,
}

impl<'a> Mesh<'a> {
    pub(super) fn read(
        units: &[Node<'a>],
        facts: &'a [Facts],
        loaders: &'a [Resource<'a>],
        clusters: Vec<Cluster<'a>>,
    ) -> Self {
        let all = |kinds: &[&str]| Resource::all(units, kinds);
        let patches: Vec<Node> = all(&["EnvoyFilter"])
            .iter()
            .flat_map(|resource| resource.spec.items("configPatches"))
            .collect();
        let value = |patch: &Node<'a>| patch.at(&["patch", "value"]);
        let of_kind = |kind: &'static str| {
            let patches = patches.iter();
            patches
                .filter(move |patch| patch.text("applyTo") == Some(kind))
                .filter_map(value)
        };
        let managers = of_kind("NETWORK_FILTER")
            .filter_map(|value| Some(value.get("typed_config")?.message()?.1));
        let is_ours = |value: &Node| !super::plugin::WasmFilter::all(value).is_empty();
        let names = of_kind("HTTP_FILTER")
            .filter(is_ours)
            .filter_map(|value| value.text("name"));
        Self {
            facts,
            loaders,
            gateways: all(&["Gateway"]),
            routes: all(&[
                "VirtualService",
                "HTTPRoute",
                "GRPCRoute",
                "TCPRoute",
                "TLSRoute",
            ]),
            rules: all(&["DestinationRule"]),
            clusters,
            filter_names: names.collect(),
            normalization: units.iter().find_map(normalization),
            managers: managers.collect(),
        }
    }

    /// Whether a host is a workspace's.
    pub(super) fn is_own(&self, host: &str) -> bool {
        is_databricks(host) || self.facts.iter().any(|facts| facts.names(host))
    }

    /// The ports of the gateways, where any of these are here. One that only redirects to another
    /// has nothing to judge.
    pub(super) fn ports(&self) -> Option<Vec<u64>> {
        let mut ports = Vec::new();
        for gateway in &self.gateways {
            for server in gateway.spec.items("servers") {
                let redirects = server
                    .get("tls")
                    .is_some_and(|tls| tls.is_true("httpsRedirect"));
                let port = server.get("port").and_then(|port| port.number("number"));
                ports.extend(port.filter(|_| !redirects));
            }
            let listeners = gateway.spec.items("listeners");
            ports.extend(
                listeners
                    .iter()
                    .filter_map(|listener| listener.number("port")),
            );
        }
        (!ports.is_empty()).then_some(ports)
    }

    pub(super) fn check(&self, findings: &mut Findings) {
        self.check_paths(findings);
        self.check_callouts(findings);
        for route in &self.routes {
            self.check_route(route, findings);
        }
    }

    fn check_paths(&self, findings: &mut Findings) {
        if let Some((at, how)) = &self.normalization {
            if *how != "DECODE_AND_MERGE_SLASHES" && !self.managers.iter().any(normalizes) {
                findings.note(Code::MeshPathAsSent, at.place.clone());
            }
        } else if !self.managers.iter().any(normalizes) {
            let place = self.loaders.first().map(|loader| loader.node.place.clone());
            if let Some(place) = place {
                let about = "how the mesh normalizes paths (`pathNormalization` of its settings)";
                findings.add(Code::MeshNotSeen, place, about);
            }
        }
    }

    fn check_callouts(&self, findings: &mut Findings) {
        for callout in self.facts.iter().flat_map(|facts| &facts.callouts) {
            let hosts: Vec<String> = callout.host.iter().cloned().collect();
            let added = self
                .clusters
                .iter()
                .find(|cluster| cluster.name == callout.cluster);
            if let Some(cluster) = added {
                cluster.check_trust(&hosts, callout.what, findings);
                continue;
            }
            // As Istio names them: outbound|443||host.
            let host = callout.cluster.rsplit('|').next().unwrap_or_default();
            let rule = self.rule(host);
            if let Some(rule) = rule {
                destination_rule::check(&rule, &hosts, callout.what, findings);
            } else {
                let about = format!("whether cluster `{}` has TLS", callout.cluster);
                findings.add(Code::MeshNotSeen, callout.place.clone(), &about);
            }
        }
    }

    /// The rule for a host, by its name or by what its name ends with.
    fn rule(&self, host: &str) -> Option<Resource<'a>> {
        let takes = |rule: &&Resource| {
            rule.spec
                .text("host")
                .is_some_and(|pattern| match pattern.strip_prefix('*') {
                    Some(end) => host.ends_with(end),
                    None => host == pattern,
                })
        };
        self.rules.iter().find(takes).cloned()
    }

    /// What is wrong with a route, if it leads to a workspace.
    fn check_route(&self, route: &Resource, findings: &mut Findings) {
        for kind in ["tcp", "tls"] {
            for tunnel in route.spec.items(kind) {
                if let Some(host) = self.workspace(&tunnel) {
                    let about = format!("`{host}`");
                    findings.add(Code::FilterMissing, tunnel.place.clone(), &about);
                }
            }
        }
        for http in route.spec.items("http") {
            let Some(host) = self.workspace(&http) else {
                continue;
            };
            if let Some(gateway) = self.unjudged_gateway(route) {
                let about = format!("`{host}`, from gateway `{gateway}`");
                findings.add(Code::FilterMissing, http.place.clone(), &about);
            }
            self.check_changes(&http, findings);
            self.check_tls(&host, &http, findings);
        }
        self.check_api_route(route, findings);
    }

    /// The same of a route of the Gateway API.
    fn check_api_route(&self, route: &Resource, findings: &mut Findings) {
        let backends = gateway_api::backends(route);
        let mut hosts = backends.iter().filter_map(|backend| backend.text("name"));
        let Some(host) = hosts.find(|host| self.is_own(host)) else {
            return;
        };
        for parent in gateway_api::parents(route) {
            if !self
                .loaders
                .iter()
                .any(|loader| is_targeted(loader, &parent))
            {
                let about = format!("`{host}`");
                findings.add(Code::FilterMissing, parent.place.clone(), &about);
            }
        }
        for filter in gateway_api::filters(route, &[]) {
            gateway_api::check_filter(&filter, &|host| self.is_own(host), findings);
        }
        self.check_tls(host, &route.spec, findings);
    }

    fn check_tls(&self, host: &str, at: &Node, findings: &mut Findings) {
        if let Some(rule) = self.rule(host) {
            destination_rule::check(&rule, &[], "the workspace", findings);
        } else {
            let about = format!("whether connections to `{host}` have TLS");
            findings.add(Code::MeshNotSeen, at.place.clone(), &about);
        }
    }

    /// The workspace to which one of the destinations of a route leads.
    fn workspace(&self, route: &Node) -> Option<String> {
        let mut hosts = route.items("route").into_iter().filter_map(|to| {
            let host = to.at(&["destination", "host"])?;
            host.value.as_str().map(str::to_ascii_lowercase)
        });
        hosts.find(|host| self.is_own(host))
    }

    fn check_changes(&self, http: &Node, findings: &mut Findings) {
        if let Some(rewrite) = http.get("rewrite") {
            for name in ["uri", "uriRegexRewrite"] {
                if rewrite.has(name) {
                    findings.note(Code::PathRewritten, rewrite.place_of(name));
                }
            }
            let host = rewrite.text("authority").filter(|host| !self.is_own(host));
            if let Some(host) = host {
                let place = rewrite.place_of("authority");
                findings.add(Code::HostRewritten, place, &format!("`{host}`"));
            }
        }
        for owner in [vec![http.clone()], http.items("route")].concat() {
            for change in ["set", "add"] {
                let named = owner.at(&["headers", "request", change]);
                for (name, node) in named.map(|node| node.members()).unwrap_or_default() {
                    let host = node
                        .value
                        .as_str()
                        .filter(|_| name.eq_ignore_ascii_case("host"));
                    if !host.is_some_and(|host| self.is_own(host)) {
                        header::check_set(name, &node, findings);
                    }
                }
            }
        }
        for name in ["mirror", "mirrors"] {
            if let Some(mirror) = http.get(name) {
                findings.add(
                    Code::CredentialsMirrored,
                    mirror.place,
                    &format!("`{name}`"),
                );
            }
        }
    }

    /// A gateway of a route whose workload no loader of the filter selects.
    fn unjudged_gateway(&self, route: &Resource) -> Option<&'a str> {
        let names = route.spec.items("gateways");
        let names: Vec<&str> = names
            .iter()
            .filter_map(|name| name.value.as_str())
            .collect();
        let is_named = |gateway: &&Resource| {
            names
                .iter()
                .any(|name| name.rsplit('/').next() == Some(gateway.name))
        };
        let unjudged =
            |gateway: &&Resource| !self.loaders.iter().any(|loader| is_loaded(loader, gateway));
        let found = self.gateways.iter().filter(is_named).find(unjudged)?;
        Some(found.name)
    }
}

/// What is wrong with a patch that is merged into what Istio makes by itself.
pub(super) fn check_merged(kind: &str, value: &Node, findings: &mut Findings) {
    if kind == "CLUSTER" && value.has("transport_socket") && !value.has("name") {
        let cluster = Cluster::read(value.clone(), &[]);
        cluster.check_trust(&[], "what this patch is for", findings);
    }
    let manager = value
        .get("typed_config")
        .and_then(|config| config.message());
    let Some((_, manager)) = manager.filter(|_| kind == "NETWORK_FILTER") else {
        return;
    };
    for name in ["normalize_path", "merge_slashes"] {
        if is_false(&manager, name) {
            findings.note(Code::PathNotNormalized, manager.place_of(name));
        }
    }
    if is_false(&manager, "use_remote_address") {
        let place = manager.place_of("use_remote_address");
        findings.add(Code::AddressClaimed, place, "`x-forwarded-for`");
    }
    for upgrade in manager.items("upgrade_configs") {
        let kind = upgrade.text("upgrade_type").unwrap_or_default();
        if !kind.eq_ignore_ascii_case("websocket") {
            findings.add(Code::UpgradeNotWebsocket, upgrade.place.clone(), kind);
        }
    }
}

/// Whether a patched connection manager normalizes all that there is to normalize.
fn normalizes(manager: &Node) -> bool {
    manager.is_true("normalize_path")
        && manager.is_true("merge_slashes")
        && manager
            .text("path_with_escaped_slashes_action")
            .is_some_and(|action| action != "KEEP_UNCHANGED")
}

fn is_false(node: &Node, name: &str) -> bool {
    node.get(name)
        .is_some_and(|node| node.value == &Value::Bool(false))
}

/// Whether what loads the filter does so at this gateway.
fn is_loaded(loader: &Resource, gateway: &Resource) -> bool {
    let targets = loader.spec.items("targetRefs");
    if !targets.is_empty() {
        return targets
            .iter()
            .any(|target| gateway.is_named_by(target, loader.namespace));
    }
    let wanted = loader
        .spec
        .at(&["selector", "matchLabels"])
        .or_else(|| loader.spec.at(&["workloadSelector", "labels"]));
    let labels = gateway.spec.get("selector");
    has_labels(labels.as_ref(), wanted.as_ref())
}

/// Whether what loads the filter does so at the gateway that a route of the Gateway API names.
fn is_targeted(loader: &Resource, parent: &Node) -> bool {
    let targets = loader.spec.items("targetRefs");
    let is_parent = |target: &Node| {
        let kind = target.text("kind");
        kind == Some("GatewayClass")
            || kind == Some("Gateway") && target.text("name") == parent.text("name")
    };
    let selected = loader.spec.at(&["selector", "matchLabels"]);
    let name = selected.and_then(|labels| labels.text("gateway.networking.k8s.io/gateway-name"));
    targets.iter().any(is_parent)
        || targets.is_empty() && name.is_none_or(|name| Some(name) == parent.text("name"))
}

/// What a document says of how the mesh normalizes paths: `IstioOperator`, `Istio`, or settings by
/// themselves.
fn normalization<'a>(unit: &Node<'a>) -> Option<(Node<'a>, &'a str)> {
    let settings = [
        unit.at(&["spec", "meshConfig"]),
        unit.at(&["spec", "values", "meshConfig"]),
        unit.get("meshConfig"),
    ];
    let settings = settings.into_iter().flatten().next()?;
    let at = settings.at(&["pathNormalization", "normalization"])?;
    let how = at.value.as_str()?;
    Some((at, how))
}
