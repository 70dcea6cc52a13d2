//! Istio's ways to load the filter: `TrafficExtension`, `WasmPlugin`, `EnvoyFilter`.

use super::chain::{self, ChainEntry, Judgement};
use super::cluster::Cluster;
use super::code::Code;
use super::envoy;
use super::facts::Facts;
use super::finding::Findings;
use super::mesh::{self, Mesh};
use super::node::Node;
use super::place::Place;
use super::plugin::{Carried, WasmFilter};
use super::resource::Resource;
use super::{header, route};

/// Every configuration that Istio loads; says what is wrong around them.
pub(super) fn carried(units: &[Node], findings: &mut Findings) -> Vec<Carried> {
    let mut carried = Vec::new();
    let mut loaders = Vec::new();
    for resource in Resource::all(units, &["TrafficExtension", "WasmPlugin"]) {
        let wasm = match resource.kind {
            "WasmPlugin" => Some(resource.spec.clone()),
            _ => resource.spec.get("wasm"),
        };
        let Some((wasm, config)) =
            wasm.and_then(|wasm| Some((wasm.clone(), wasm.get("pluginConfig")?)))
        else {
            continue;
        };
        check_plugin(&wasm, findings);
        carried.push(Carried {
            text: config.value.to_string(),
            found_at: config.place.clone(),
            place: config.place.as_root(),
        });
        loaders.push(resource);
    }
    let patches = Resource::all(units, &["EnvoyFilter"]);
    let mut clusters = Vec::new();
    for patch in &patches {
        let filters = envoy::own_filters(std::slice::from_ref(&patch.spec), findings);
        let before = carried.len();
        carried.extend(filters.iter().filter_map(WasmFilter::carried));
        if carried.len() > before {
            loaders.push(patch.clone());
        }
        clusters.extend(added_clusters(patch));
    }
    if carried.is_empty() {
        return carried;
    }
    let facts: Vec<Facts> = carried.iter().map(Facts::read).collect();
    let mesh = Mesh::read(units, &facts, &loaders, clusters);
    for loader in loaders.iter().filter(|loader| loader.kind != "EnvoyFilter") {
        check_match(loader, &mesh, findings);
    }
    for patch in &patches {
        check_patches(patch, &mesh, findings);
    }
    mesh.check(findings);
    carried
}

fn check_plugin(wasm: &Node, findings: &mut Findings) {
    let place = wasm.place_of("failStrategy");
    match wasm.choice("failStrategy", &FAIL_STRATEGIES) {
        Some("FAIL_RELOAD") => {}
        Some("FAIL_OPEN") => findings.note(Code::FailsOpen, place),
        _ => findings.note(Code::FailsClosed, place),
    }
    if wasm.text("type") == Some("NETWORK") {
        findings.note(Code::NetworkFilter, wasm.place_of("type"));
    }
}

/// A gateway's traffic passes where one of the selectors takes it.
fn check_match(loader: &Resource, mesh: &Mesh, findings: &mut Findings) {
    let selectors = loader.spec.items("match");
    let of_clients: Vec<&Node> = selectors
        .iter()
        .filter(|selector| selector.text("mode") != Some("SERVER"))
        .collect();
    let Some(first) = selectors.first() else {
        return;
    };
    if of_clients.is_empty() {
        findings.note(Code::WrongDirection, first.place_of("mode"));
        return;
    }
    if of_clients
        .iter()
        .any(|selector| selector.items("ports").is_empty())
    {
        return;
    }
    let ports = of_clients
        .iter()
        .flat_map(|selector| selector.items("ports"));
    let ports: Vec<u64> = ports.filter_map(|port| port.number("number")).collect();
    if !mesh
        .ports()
        .is_some_and(|all| all.iter().all(|port| ports.contains(port)))
    {
        let place = loader.spec.place_of("match");
        findings.add(Code::PortsLeftOut, place, &format!("{ports:?}"));
    }
}

/// The clusters that patches add.
fn added_clusters<'a>(patch: &Resource<'a>) -> Vec<Cluster<'a>> {
    let patches = patch.spec.items("configPatches").into_iter();
    patches
        .filter(|patch| patch.text("applyTo") == Some("CLUSTER"))
        .filter_map(|patch| patch.at(&["patch", "value"]))
        .filter(|value| value.has("name"))
        .map(|value| Cluster::read(value, &[]))
        .collect()
}

/// What is wrong with how patches put the filter in, or with what they do to it.
fn check_patches(resource: &Resource, mesh: &Mesh, findings: &mut Findings) {
    let own = envoy::own_filters(
        std::slice::from_ref(&resource.spec),
        &mut Findings::default(),
    );
    let places: Vec<Place> = own.iter().map(|filter| filter.place().clone()).collect();
    let mut inserted: Option<Patch> = None;
    for node in resource.spec.items("configPatches") {
        let patch = Patch::read(node);
        if patch.kind == "HTTP_FILTER" {
            let entries = ChainEntry::list(patch.value.clone().into_iter().collect(), &places);
            match chain::judge(&entries, &[]) {
                Judgement::Missing | Judgement::Hidden(_) => {
                    let follows = inserted.as_ref().is_some_and(|own| patch.lands_behind(own));
                    if follows {
                        chain::check_order(&entries, None, &[], findings);
                    }
                    patch.check_removal(mesh, findings);
                }
                judgement @ (Judgement::Conditional(_)
                | Judgement::Disabled(_)
                | Judgement::Judged(_)
                | Judgement::JudgedBefore
                | Judgement::Unreached(_)) => {
                    chain::check_entries(&entries, findings);
                    patch.check_insertion(&judgement, mesh, findings);
                    inserted = Some(patch);
                }
            }
        } else if let Some(value) = &patch.value {
            mesh::check_merged(patch.kind, value, findings);
            check_routes(patch.kind, value, mesh, findings);
        }
    }
}

/// A patch merged into routes is a route's level by itself.
fn check_routes(kind: &str, value: &Node, mesh: &Mesh, findings: &mut Findings) {
    if !matches!(kind, "HTTP_ROUTE" | "ROUTE_CONFIGURATION" | "VIRTUAL_HOST") {
        return;
    }
    match value.get("route") {
        Some(action) => {
            for target in route::of_route(&action, value) {
                target.check_changes(&|host| mesh.is_own(host), findings);
            }
        }
        None => header::check_level(value, findings),
    }
    let own = value
        .get("typed_per_filter_config")
        .map(|node| node.members());
    for (name, config) in own.unwrap_or_default() {
        let (_, message) = config.message().unwrap_or(("", config.clone()));
        if message.is_true("disabled") && mesh.filter_names.contains(&name) {
            findings.add(Code::FilterDisabled, config.place, "by this patch");
        }
    }
}

/// One of the patches of an `EnvoyFilter`.
struct Patch<'a> {
    node: Node<'a>,
    kind: &'a str,
    operation: &'a str,
    /// The filter by which it finds its place.
    beside: Option<&'a str>,
    value: Option<Node<'a>>,
}

impl<'a> Patch<'a> {
    fn read(node: Node<'a>) -> Self {
        let filter = node.at(&["match", "listener", "filterChain", "filter", "subFilter"]);
        let patch = node.get("patch");
        let operation = patch.as_ref().and_then(|patch| patch.text("operation"));
        Self {
            kind: node.text("applyTo").unwrap_or_default(),
            operation: operation.unwrap_or_default(),
            beside: filter.and_then(|filter| filter.text("name")),
            value: patch.and_then(|patch| patch.get("value")),
            node,
        }
    }

    fn name(&self) -> Option<&'a str> {
        self.value.as_ref()?.text("name")
    }

    /// Whether the filter that it inserts comes behind that of another patch, which was applied
    /// before.
    fn lands_behind(&self, own: &Patch) -> bool {
        let after_own = self.operation == "INSERT_AFTER" && self.beside == own.name();
        let same = self.operation == "INSERT_BEFORE"
            && own.operation == "INSERT_BEFORE"
            && self.beside == own.beside;
        after_own || same
    }

    fn check_insertion(&self, judgement: &Judgement, mesh: &Mesh, findings: &mut Findings) {
        match judgement {
            Judgement::Disabled(at) => {
                findings.add(Code::FilterDisabled, at.clone(), "by this patch");
            }
            Judgement::Conditional(at) => findings.note(Code::FilterConditional, at.clone()),
            Judgement::Hidden(_)
            | Judgement::Judged(_)
            | Judgement::JudgedBefore
            | Judgement::Missing
            | Judgement::Unreached(_) => {}
        }
        let behind_router = self.operation == "ADD"
            || self.operation == "INSERT_AFTER" && self.beside.is_none_or(is_router);
        if behind_router {
            let place = self.node.place.key("patch").key("operation");
            findings.note(Code::PatchBehindRouter, place);
        }
        let listener = self.node.at(&["match", "listener"]);
        let Some(port) = listener.as_ref().and_then(|node| node.number("portNumber")) else {
            return;
        };
        let place = listener.map_or(self.node.place.clone(), |node| node.place_of("portNumber"));
        match mesh.ports() {
            Some(all) if all.iter().all(|other| *other == port) => {}
            Some(_) => findings.add(Code::PortsLeftOut, place, &format!("{port}")),
            None => findings.add(
                Code::MeshNotSeen,
                place,
                "which other ports the gateway has",
            ),
        }
    }

    fn check_removal(&self, mesh: &Mesh, findings: &mut Findings) {
        let own = self
            .beside
            .is_some_and(|name| mesh.filter_names.contains(&name));
        if own && matches!(self.operation, "REMOVE" | "REPLACE") {
            findings.note(Code::PatchRemoves, self.node.place.clone());
        }
        let value = self.value.as_ref();
        let merged = value.filter(|_| own && self.operation == "MERGE");
        if let Some(value) = merged.filter(|value| value.is_true("disabled")) {
            findings.add(
                Code::FilterDisabled,
                value.place_of("disabled"),
                "by this patch",
            );
        }
    }
}

fn is_router(name: &str) -> bool {
    name == "envoy.filters.http.router" || name == "envoy.router"
}

/// In the order of their numbers.
const FAIL_STRATEGIES: [&str; 3] = ["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"];
