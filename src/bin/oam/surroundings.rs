//! What stands around a configuration in the documents that carry it, and whether that leaves the
//! filter's work whole.
//!
//! Documents are read into a graph: listeners, connection managers with their filters and routes,
//! clusters. From every listener each way that leads to a workspace must go through the filter, and
//! whatever trust rests on must be verified. What comes from elsewhere is named as not checked.
//! `code` has the table of all that can be found.

mod chain;
mod cluster;
mod code;
mod destination_rule;
mod document;
mod envoy;
mod envoy_gateway;
mod facts;
mod finding;
mod gateway_api;
mod header;
mod istio;
mod listener;
mod manager;
mod mesh;
mod node;
mod place;
mod plugin;
mod policy_target;
mod resource;
mod route;
mod start;
mod tls;
mod trust;
mod virtual_backend;
mod ways;

pub(super) use code::Code;
pub(super) use document::{Document, Layout};
use envoy::Envoy;
use facts::Facts;
use finding::Findings;
pub(super) use finding::{Finding, Severity};
use manager::Manager;
use node::Node;
pub(super) use place::{Place, Step};
use plugin::{Carried, WasmFilter};
use start::Start;

/// A configuration of this filter, and what is to be said of its surroundings.
pub(super) struct Subject {
    /// Where it was found; the root of a document that is the configuration.
    pub(super) found_at: Place,
    /// Where its keys stand.
    pub(super) place: Place,
    /// Its JSON text.
    pub(super) text: String,
    pub(super) findings: Vec<Finding>,
}

/// Every configuration of this filter in these documents.
pub(super) fn subjects(documents: &[Document]) -> Vec<Subject> {
    let units = units(documents);
    let is = |kind: fn(&Node) -> bool| units.iter().filter(move |unit| kind(unit));
    let bootstraps: Vec<&Node> = is(is_bootstrap).collect();
    let discovered: Vec<Node> = is(is_discovered).cloned().collect();
    let starts = Start::all(&units);
    let mut subjects = Vec::new();
    for bootstrap in &bootstraps {
        // Whose they are is plain where there is one.
        let discovered: &[Node] = if bootstraps.len() == 1 {
            &discovered
        } else {
            &[]
        };
        subjects.extend(of_envoy(bootstrap, discovered, &starts));
    }
    if let ([], Some((first, rest))) = (&*bootstraps, discovered.split_first()) {
        subjects.extend(of_documents(first, rest, Findings::default()));
    }
    subjects.extend(gather(&units, istio::carried));
    subjects.extend(gather(&units, envoy_gateway::carried));
    for unit in &units {
        if unit.has("kind") || is_bootstrap(unit) || is_discovered(unit) || start::is_compose(unit)
        {
            continue;
        }
        if WasmFilter::all(unit).is_empty() {
            subjects.push(plain(unit));
        } else {
            subjects.extend(of_part(unit));
        }
    }
    subjects
}

/// The documents, and in their place the items of those that are lists of Kubernetes'.
fn units(documents: &[Document]) -> Vec<Node<'_>> {
    let mut units = Vec::new();
    for (position, document) in documents.iter().enumerate() {
        let root = Node::root(position, &document.value);
        match root.text("kind") {
            Some(kind) if kind.ends_with("List") && root.has("items") => {
                units.extend(root.items("items"));
            }
            _ => units.push(root),
        }
    }
    units
}

fn is_bootstrap(unit: &Node) -> bool {
    !unit.has("kind") && (unit.has("static_resources") || unit.has("dynamic_resources"))
}

/// Whether it holds what a control plane would send.
fn is_discovered(unit: &Node) -> bool {
    let resources = unit.items("resources");
    !unit.has("kind")
        && resources
            .iter()
            .any(|resource| resource.message().is_some())
}

fn of_envoy(bootstrap: &Node, discovered: &[Node], starts: &[Start]) -> Vec<Subject> {
    let mut findings = Findings::default();
    start::check(bootstrap, starts, &mut findings);
    of_documents(bootstrap, discovered, findings)
}

fn of_documents(bootstrap: &Node, discovered: &[Node], mut findings: Findings) -> Vec<Subject> {
    let envoy = Envoy::read(bootstrap, discovered, &mut findings);
    let carried: Vec<Carried> = envoy
        .filters
        .iter()
        .filter_map(WasmFilter::carried)
        .collect();
    if carried.is_empty() {
        return Vec::new();
    }
    let facts: Vec<Facts> = carried.iter().map(Facts::read).collect();
    ways::check(&envoy, &facts, &mut findings);
    of_carried(carried, findings)
}

/// A part of an Envoy's configuration: a filter, or what it stands in.
fn of_part(unit: &Node) -> Vec<Subject> {
    let mut findings = Findings::default();
    let filters = envoy::own_filters(std::slice::from_ref(unit), &mut findings);
    let places: Vec<Place> = filters
        .iter()
        .map(|filter| filter.place().clone())
        .collect();
    let manager = |node: &Node<'_>| node.has("http_filters").then(|| node.place.clone());
    let mut managers = Vec::new();
    unit.find(&|node| manager(node).map(|_| node.clone()), &mut managers);
    for manager in managers {
        let manager = Manager::of(manager, &[], &places);
        if manager.holds_filter() {
            manager.check(&mut findings);
        }
    }
    findings.note(Code::GatewayNotSeen, unit.place.clone());
    of_carried(
        filters.iter().filter_map(WasmFilter::carried).collect(),
        findings,
    )
}

fn plain(unit: &Node) -> Subject {
    let mut findings = Findings::default();
    let carried = Carried {
        text: unit.value.to_string(),
        found_at: unit.place.clone(),
        place: unit.place.clone(),
    };
    trust::check_workspaces_named(&Facts::read(&carried), &mut findings);
    findings.note(Code::GatewayNotSeen, unit.place.clone());
    Subject {
        found_at: carried.found_at,
        place: carried.place,
        text: carried.text,
        findings: findings.into_list(),
    }
}

/// What is found in the documents of a platform, all of them together.
fn gather(units: &[Node], carried: fn(&[Node], &mut Findings) -> Vec<Carried>) -> Vec<Subject> {
    let mut findings = Findings::default();
    let carried = carried(units, &mut findings);
    of_carried(carried, findings)
}

/// One subject for each configuration; what is around them all is said with the first.
fn of_carried(carried: Vec<Carried>, findings: Findings) -> Vec<Subject> {
    let mut findings = findings.into_list();
    carried
        .into_iter()
        .map(|carried| Subject {
            found_at: carried.found_at,
            place: carried.place,
            text: carried.text,
            findings: std::mem::take(&mut findings),
        })
        .collect()
}
