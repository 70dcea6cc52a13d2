//! Envoy Gateway: policies that load the filter, and the routes that they hold for.
//!
//! The filter stands disabled on the connection manager, and each route for which a policy holds
//! enables it: a route without the policy, or with one of its own that is not merged, is not
//! judged.

use super::code::Code;
use super::facts::Facts;
use super::finding::Findings;
use super::gateway_api;
use super::node::Node;
use super::plugin::Carried;
use super::policy_target::Policy;
use super::resource::Resource;
use super::virtual_backend::Backends;

/// Every configuration that Envoy Gateway loads; says what is wrong around them.
pub(super) fn carried(units: &[Node], findings: &mut Findings) -> Vec<Carried> {
    let mut carried = Vec::new();
    let mut policies = Vec::new();
    let patches = Resource::all(units, &["EnvoyPatchPolicy"]);
    for resource in Resource::all(units, &["EnvoyExtensionPolicy"]) {
        let mut own = None;
        let entries = resource.spec.items("wasm");
        for entry in &entries {
            let Some(config) = entry.get("config") else {
                continue;
            };
            if entries.len() > 1 && !config.has("issuers") {
                continue;
            }
            carried.push(Carried {
                text: config.value.to_string(),
                found_at: config.place.clone(),
                place: config.place.as_root(),
            });
            check_failure(entry, &patches, findings);
            own = own.or_else(|| Some(entry.clone()));
        }
        if let Some(own) = &own {
            check_others(own, &entries, findings);
        }
        policies.push(Policy::new(resource, own.is_some()));
    }
    if carried.is_empty() {
        return carried;
    }
    let facts: Vec<Facts> = carried.iter().map(Facts::read).collect();
    let routes = Routes::read(units, &policies);
    routes.check(&facts, findings);
    let backends = Backends::read(units, &patches);
    backends.check_callouts(&facts, findings);
    for reference in routes.judged_backends() {
        backends.check_trust(&reference, findings);
    }
    for policy in Resource::all(units, &["ClientTrafficPolicy"]) {
        check_clients(&policy, findings);
    }
    carried
}

/// What Envoy Gateway itself cannot say, a patch can.
fn check_failure(entry: &Node, patches: &[Resource], findings: &mut Findings) {
    if entry.is_true("failOpen") {
        findings.note(Code::FailsOpenKubernetes, entry.place_of("failOpen"));
        return;
    }
    let patches = patches
        .iter()
        .flat_map(|patch| patch.spec.items("jsonPatches"));
    let mut operations = patches.filter_map(|patch| patch.get("operation"));
    let reloads = |operation: Node| {
        let path = operation
            .text("path")
            .or_else(|| operation.text("jsonPath"));
        let last = path.and_then(|path| path.rsplit(['/', '.']).next());
        let names = matches!(last, Some("failure_policy" | "failurePolicy"));
        let value = operation.choice("value", &["", "FAIL_RELOAD"]);
        names && value == Some("FAIL_RELOAD")
            || operation.get("value").is_some_and(|value| {
                value.choice("failure_policy", &["", "FAIL_RELOAD"]) == Some("FAIL_RELOAD")
            })
    };
    if !operations.any(reloads) {
        findings.note(Code::FailsClosedEnvoyGateway, entry.place.clone());
    }
}

/// Modules run in the order in which they are listed.
fn check_others(own: &Node, entries: &[Node], findings: &mut Findings) {
    let behind = entries
        .iter()
        .skip_while(|entry| entry.place != own.place)
        .skip(1);
    for entry in behind.filter(|entry| {
        !entry
            .get("config")
            .is_some_and(|config| config.has("issuers"))
    }) {
        let name = entry.text("name").unwrap_or_default();
        findings.add(Code::ChangedBehind, entry.place.clone(), name);
    }
}

/// How Envoy Gateway reads paths and addresses; its defaults are what the filter needs.
fn check_clients(policy: &Resource, findings: &mut Findings) {
    if let Some(path) = policy.spec.get("path") {
        if path.text("escapedSlashesAction") == Some("KeepUnchanged") {
            findings.note(Code::SlashesEscaped, path.place_of("escapedSlashesAction"));
        }
        if path.is_true("disableMergeSlashes") {
            findings.note(Code::SlashesApart, path.place_of("disableMergeSlashes"));
        }
    }
    let claimed = policy.spec.at(&["clientIPDetection", "customHeader"]);
    if let Some(header) = claimed {
        let name = header.text("name").unwrap_or_default();
        findings.add(
            Code::AddressClaimed,
            header.place.clone(),
            &format!("`{name}`"),
        );
    }
    for name in ["enableProxyProtocol", "proxyProtocol"] {
        if policy.spec.has(name) {
            findings.note(Code::AddressByProxy, policy.spec.place_of(name));
        }
    }
}

/// The routes that are here, and the policies that hold for them.
struct Routes<'a> {
    all: Vec<Resource<'a>>,
    filters: Vec<Resource<'a>>,
    policies: &'a [Policy<'a>],
}

impl<'a> Routes<'a> {
    fn read(units: &[Node<'a>], policies: &'a [Policy<'a>]) -> Self {
        Self {
            all: Resource::all(units, &ROUTES),
            filters: Resource::all(units, &["HTTPRouteFilter"]),
            policies,
        }
    }

    /// Whether every rule of a route is judged.
    fn is_judged(&self, route: &Resource) -> bool {
        matches!(route.kind, "GRPCRoute" | "HTTPRoute") && self.replaced(route).is_none() && {
            let mut own = self.policies.iter().filter(|policy| policy.has_filter);
            own.any(|policy| policy.covers(route))
        }
    }

    /// The policy of a route that puts all others out of force, and has no filter.
    fn replaced(&self, route: &Resource) -> Option<&Policy<'a>> {
        let replaces = |policy: &&Policy| !policy.has_filter && policy.replaces_at(route);
        let judged_by_own = |policy: &Policy| policy.has_filter && policy.targets_route(route);
        let by_own = self.policies.iter().any(judged_by_own);
        self.policies.iter().find(replaces).filter(|_| !by_own)
    }

    fn judged_backends(&self) -> Vec<(Node<'a>, &'a str)> {
        let judged = self.all.iter().filter(|route| self.is_judged(route));
        let mut backends: Vec<(Node, &str)> = Vec::new();
        for route in judged {
            for backend in gateway_api::backends(route) {
                let known = |(other, _): &(Node, &str)| other.value == backend.value;
                if !backends.iter().any(known) {
                    backends.push((backend, route.namespace));
                }
            }
        }
        backends
    }

    fn check(&self, facts: &[Facts], findings: &mut Findings) {
        if self.all.is_empty() {
            for policy in self.policies.iter().filter(|policy| policy.has_filter) {
                findings.add(
                    Code::RoutesNotSeen,
                    policy.resource.spec.place.clone(),
                    "`HTTPRoute`",
                );
            }
            return;
        }
        let judged = self.judged_backends();
        let is_own = |host: &str| {
            super::facts::is_databricks(host) || facts.iter().any(|facts| facts.names(host))
        };
        for route in &self.all {
            if self.is_judged(route) {
                for filter in gateway_api::filters(route, &self.filters) {
                    gateway_api::check_filter(&filter, &is_own, findings);
                }
                continue;
            }
            let mut backends = gateway_api::backends(route).into_iter();
            let leads = backends.find(|backend| {
                let name = backend.text("name");
                judged.iter().any(|(other, _)| other.text("name") == name)
                    || name.is_some_and(is_own)
            });
            let Some(backend) = leads
                .filter(|_| !judged.is_empty())
                .or_else(|| sole_backend(route, &judged))
            else {
                continue;
            };
            let about = format!("`{}`", backend.text("name").unwrap_or_default());
            match self.replaced(route) {
                Some(policy) => {
                    findings.note(Code::PolicyReplaced, policy.resource.spec.place.clone());
                }
                None => findings.add(Code::RouteWithoutPolicy, route.spec.place.clone(), &about),
            }
        }
    }
}

/// Where no route is judged at all, whatever a route leads to may be the workspace.
fn sole_backend<'a>(route: &Resource<'a>, judged: &[(Node, &str)]) -> Option<Node<'a>> {
    let first = gateway_api::backends(route).into_iter().next();
    first.filter(|_| judged.is_empty())
}

const ROUTES: [&str; 5] = ["GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute"];
