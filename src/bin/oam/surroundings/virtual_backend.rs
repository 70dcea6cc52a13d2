//! Backends of Envoy Gateway: hosts outside, and how TLS to them is verified.

use super::cluster::{Cluster, is_loopback};
use super::code::Code;
use super::facts::Facts;
use super::finding::Findings;
use super::node::Node;
use super::resource::Resource;

/// The backends that are here, and what is said of TLS to them.
pub(super) struct Backends<'a> {
    all: Vec<Resource<'a>>,
    policies: Vec<Resource<'a>>,
    /// Clusters that patches add.
    clusters: Vec<Cluster<'a>>,
}

impl<'a> Backends<'a> {
    pub(super) fn read(units: &[Node<'a>], patches: &[Resource<'a>]) -> Self {
        let patches = patches
            .iter()
            .flat_map(|patch| patch.spec.items("jsonPatches"));
        let values = patches.filter_map(|patch| patch.at(&["operation", "value"]));
        let named = values.filter(|value| value.has("name") && !value.has("address"));
        Self {
            all: Resource::all(units, &["Backend"]),
            policies: Resource::all(units, &["BackendTLSPolicy"]),
            clusters: named.map(|value| Cluster::read(value, &[])).collect(),
        }
    }

    pub(super) fn check_callouts(&self, facts: &[Facts], findings: &mut Findings) {
        for callout in facts.iter().flat_map(|facts| &facts.callouts) {
            let hosts: Vec<String> = callout.host.iter().cloned().collect();
            let added = self
                .clusters
                .iter()
                .find(|cluster| cluster.name == callout.cluster);
            if let Some(cluster) = added {
                cluster.check_trust(&hosts, callout.what, findings);
            } else {
                let about = format!("`{}`", callout.cluster);
                findings.add(Code::ClustersNotSeen, callout.place.clone(), &about);
            }
        }
    }

    /// What is wrong with TLS to a route's backend.
    pub(super) fn check_trust(
        &self,
        (reference, namespace): &(Node, &str),
        findings: &mut Findings,
    ) {
        let name = reference.text("name").unwrap_or_default();
        let about = format!("the workspace (backend `{name}`)");
        let targets = |policy: &&Resource| {
            let targets = policy.spec.items("targetRefs");
            policy.namespace == reference.text("namespace").unwrap_or(namespace)
                && targets
                    .iter()
                    .any(|target| target.text("name") == Some(name))
        };
        if let Some(policy) = self.policies.iter().find(targets) {
            check_validation(policy, &about, findings);
            return;
        }
        let known = |backend: &&Resource| backend.is_named_by(reference, namespace);
        let Some(backend) = self.all.iter().find(known) else {
            let place = reference.place.clone();
            findings.add(Code::TlsNotSeen, place, &about);
            return;
        };
        let endpoints = backend.spec.items("endpoints");
        let stays_here = endpoints.iter().all(|endpoint| {
            let address = endpoint
                .get("ip")
                .and_then(|ip| ip.text("address").map(is_loopback));
            endpoint.has("unix") || address == Some(true)
        });
        if stays_here && !endpoints.is_empty() {
            return;
        }
        let Some(tls) = backend.spec.get("tls") else {
            findings.add(Code::TlsMissing, backend.spec.place_of("tls"), &about);
            return;
        };
        if tls.is_true("insecureSkipVerify") {
            findings.add(
                Code::TlsUntrusted,
                tls.place_of("insecureSkipVerify"),
                &about,
            );
        } else if !tls.has("wellKnownCACertificates") && tls.items("caCertificateRefs").is_empty() {
            findings.add(Code::TlsUntrusted, tls.place, &about);
        }
    }
}

fn check_validation(policy: &Resource, about: &str, findings: &mut Findings) {
    let Some(validation) = policy.spec.get("validation") else {
        findings.add(
            Code::TlsUntrusted,
            policy.spec.place_of("validation"),
            about,
        );
        return;
    };
    if validation.text("wellKnownCACertificates").is_none()
        && validation.items("caCertificateRefs").is_empty()
    {
        findings.add(Code::TlsUntrusted, validation.place.clone(), about);
    }
    if validation.text("hostname").is_none() {
        findings.add(Code::TlsAnyName, validation.place_of("hostname"), about);
    }
}
