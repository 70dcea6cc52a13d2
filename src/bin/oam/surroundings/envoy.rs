//! An Envoy as its own documents describe it: a bootstrap, and what is discovered where that is
//! given too.

use super::cluster::Cluster;
use super::cluster::is_loopback;
use super::code::Code;
use super::finding::Findings;
use super::listener::Listener;
use super::node::Node;
use super::place::Place;
use super::plugin::WasmFilter;

/// Everything that an Envoy is configured with, as far as it can be seen.
pub(super) struct Envoy<'a> {
    pub(super) listeners: Vec<Listener<'a>>,
    pub(super) clusters: Vec<Cluster<'a>>,
    /// Where it says that clusters come from elsewhere.
    pub(super) more_clusters: Option<Place>,
    /// The wasm filters in it that are this product's.
    pub(super) filters: Vec<WasmFilter<'a>>,
}

/// Resources by their kind, before anything is made of them.
#[derive(Default)]
struct Resources<'a> {
    listeners: Vec<Node<'a>>,
    clusters: Vec<Node<'a>>,
    routes: Vec<Node<'a>>,
    secrets: Vec<Node<'a>>,
}

impl<'a> Envoy<'a> {
    /// Reads a bootstrap; `discovered` are documents with resources that a control plane would
    /// send.
    pub(super) fn read(
        bootstrap: &Node<'a>,
        discovered: &[Node<'a>],
        findings: &mut Findings,
    ) -> Self {
        let mut resources = Resources::default();
        if let Some(written) = bootstrap.get("static_resources") {
            resources.listeners.extend(written.items("listeners"));
            resources.clusters.extend(written.items("clusters"));
            resources.secrets.extend(written.items("secrets"));
        }
        for document in discovered {
            resources.take(document);
        }
        let dynamic = bootstrap.get("dynamic_resources");
        let source = |kind: &str, known: bool| {
            let dynamic = dynamic.as_ref().filter(|_| !known)?;
            let source = dynamic.get(kind).or_else(|| dynamic.get("ads_config"))?;
            Some(source.place)
        };
        let has = |kind: &str| discovered.iter().any(|document| holds(document, kind));
        if let Some(place) = source("lds_config", has(LISTENER)) {
            findings.note(Code::ListenersNotSeen, place);
        }
        check_admin(bootstrap, findings);
        let mut documents = vec![bootstrap.clone()];
        documents.extend(discovered.iter().cloned());
        let filters = own_filters(&documents, findings);
        let places: Vec<Place> = filters
            .iter()
            .map(|filter| filter.place().clone())
            .collect();
        if !filters.is_empty() {
            check_labels(bootstrap, findings);
        }
        let clusters = resources.clusters.into_iter();
        Self {
            clusters: clusters
                .map(|cluster| Cluster::read(cluster, &resources.secrets))
                .collect(),
            more_clusters: source("cds_config", has(CLUSTER)),
            listeners: resources
                .listeners
                .into_iter()
                .map(|listener| Listener::read(listener, &resources.routes, &places))
                .collect(),
            filters,
        }
    }

    /// The clusters of this name: itself, or those that it stands for.
    pub(super) fn behind(&self, name: &str) -> Vec<&Cluster<'a>> {
        let mut names = vec![name];
        let mut found: Vec<&Cluster> = Vec::new();
        while let Some(name) = names.pop() {
            let known = |cluster: &&Cluster| cluster.name == name;
            let Some(cluster) = self.clusters.iter().find(known) else {
                continue;
            };
            if found.iter().any(|other| other.name == cluster.name) {
                continue;
            }
            if let super::cluster::Kind::Aggregate(members) = &cluster.kind {
                names.extend(members);
            }
            found.push(cluster);
        }
        found
    }
}

impl<'a> Resources<'a> {
    fn take(&mut self, document: &Node<'a>) {
        for resource in document.items("resources") {
            let kinds = [
                (LISTENER, &mut self.listeners),
                (CLUSTER, &mut self.clusters),
                (ROUTES, &mut self.routes),
                (SECRET, &mut self.secrets),
            ];
            for (kind, known) in kinds {
                if resource.is_message(kind) {
                    known.push(resource.clone());
                }
            }
        }
    }
}

/// The wasm filters in these documents that are this product's: those with a configuration of it,
/// or the only one. Says what is wrong with how each is loaded.
pub(super) fn own_filters<'a>(
    documents: &[Node<'a>],
    findings: &mut Findings,
) -> Vec<WasmFilter<'a>> {
    let all: Vec<WasmFilter> = documents.iter().flat_map(WasmFilter::all).collect();
    let alone = all.len() == 1;
    let is_own = |filter: &&WasmFilter| alone || filter.has_issuers();
    let own: Vec<WasmFilter> = all.iter().filter(is_own).cloned().collect();
    for filter in &own {
        filter.check(&all, findings);
    }
    own
}

/// Whoever reaches the administration changes levels of logs.
fn check_admin(bootstrap: &Node, findings: &mut Findings) {
    let address = bootstrap.at(&["admin", "address", "socket_address"]);
    let Some(address) = address else {
        return;
    };
    if !address.text("address").is_some_and(is_loopback) {
        findings.note(Code::AdminExposed, address.place_of("address"));
    }
}

/// Prometheus sees a label only where Envoy is configured to find it in a name.
fn check_labels(bootstrap: &Node, findings: &mut Findings) {
    let settings = bootstrap.get("stats_config");
    let tags: Vec<Node> = settings
        .iter()
        .flat_map(|settings| settings.items("stats_tags"))
        .collect();
    let is_named = |label: &str| tags.iter().any(|tag| tag.text("tag_name") == Some(label));
    let missing = LABELS.into_iter().filter(|label| !is_named(label));
    let missing: Vec<String> = missing.map(|label| format!("`{label}`")).collect();
    if !missing.is_empty() {
        let place = bootstrap.place_of("stats_config").key("stats_tags");
        findings.add(Code::MetricsUnlabelled, place, &missing.join(", "));
    }
}

/// Whether a document holds resources of this kind.
fn holds(document: &Node, kind: &str) -> bool {
    document
        .items("resources")
        .iter()
        .any(|resource| resource.is_message(kind))
}

/// The labels of the filter's metrics.
const LABELS: [&str; 11] = [
    "algorithm",
    "awaited",
    "config",
    "credential",
    "decision",
    "engine",
    "issuer",
    "mode",
    "outcome",
    "reason",
    "version",
];

const CLUSTER: &str = "envoy.config.cluster.v3.Cluster";
const LISTENER: &str = "envoy.config.listener.v3.Listener";
const ROUTES: &str = "envoy.config.route.v3.RouteConfiguration";
const SECRET: &str = "envoy.extensions.transport_sockets.tls.v3.Secret";
