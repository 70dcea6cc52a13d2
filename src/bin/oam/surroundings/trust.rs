//! The clusters that trust rests on: issuers' keys, exchanged tokens, the list of what is
//! withdrawn, records, and the workspace itself.

use super::cluster::Cluster;
use super::code::Code;
use super::envoy::Envoy;
use super::facts::{Facts, is_databricks};
use super::finding::Findings;
use super::ways::Way;

/// What goes where, with the hosts that are requested.
pub(super) struct Trust<'a> {
    envoy: &'a Envoy<'a>,
    ways: &'a [Way<'a>],
    facts: &'a [Facts],
}

impl<'a> Trust<'a> {
    pub(super) const fn new(envoy: &'a Envoy<'a>, ways: &'a [Way<'a>], facts: &'a [Facts]) -> Self {
        Self { envoy, ways, facts }
    }

    pub(super) fn check(&self, findings: &mut Findings) {
        self.check_callouts(findings);
        self.check_workspaces(findings);
        for facts in self.facts {
            self.check_token_endpoint(facts, findings);
        }
    }

    fn check_callouts(&self, findings: &mut Findings) {
        for callout in self.facts.iter().flat_map(|facts| &facts.callouts) {
            let behind = self.envoy.behind(&callout.cluster);
            let hosts: Vec<String> = callout.host.iter().cloned().collect();
            for cluster in &behind {
                cluster.check_trust(&hosts, callout.what, findings);
            }
            if !behind.is_empty() {
                continue;
            }
            let name = format!("`{}`", callout.cluster);
            if self.envoy.more_clusters.is_some() {
                findings.add(Code::ClustersNotSeen, callout.place.clone(), &name);
            } else {
                let known = self.envoy.clusters.iter().map(|cluster| cluster.name);
                let known: Vec<&str> = known.collect();
                let place = callout.place.clone();
                findings.add_naming(Code::ClusterMissing, place, &known.join(", "), &name);
            }
        }
    }

    fn check_workspaces(&self, findings: &mut Findings) {
        for way in self.ways.iter().filter(|way| way.is_judged()) {
            let hosts: Vec<String> = way.host().into_iter().map(ToOwned::to_owned).collect();
            let mirrors = way
                .target()
                .map(super::route::Target::mirrors)
                .unwrap_or_default();
            for mirror in mirrors.iter().filter_map(|mirror| mirror.text("cluster")) {
                for cluster in self.envoy.behind(mirror) {
                    cluster.check_trust(&[], "copies of requests", findings);
                }
            }
            let Some(name) = way.cluster else {
                continue;
            };
            let behind = self.envoy.behind(name);
            for cluster in &behind {
                cluster.check_trust(&hosts, "the workspace", findings);
            }
            if let (true, Some(place)) = (behind.is_empty(), &self.envoy.more_clusters) {
                findings.add(Code::ClustersNotSeen, place.clone(), &format!("`{name}`"));
            }
        }
    }

    /// A workspace's own token endpoint stands before one workspace.
    fn check_token_endpoint(&self, facts: &Facts, findings: &mut Findings) {
        let Some(endpoint) = facts
            .token_endpoint
            .as_ref()
            .filter(|endpoint| endpoint.is_of_workspace)
        else {
            return;
        };
        if check_workspaces_named(facts, findings) {
            return;
        }
        let mut hosts: Vec<String> = vec![endpoint.host.clone()];
        for way in self.ways.iter().filter(|way| way.is_judged()) {
            let host = way.host().map(str::to_ascii_lowercase).or_else(|| {
                let behind = self.envoy.behind(way.cluster?);
                behind.iter().find_map(|cluster| representative(cluster))
            });
            hosts.extend(host);
        }
        let is_app = |host: &str| host.ends_with(".databricksapps.com");
        hosts.retain(|host| is_databricks(host) && !host.starts_with("accounts.") && !is_app(host));
        hosts.sort();
        hosts.dedup();
        if hosts.len() > 1 {
            let about = hosts.join("`, `");
            findings.add(
                Code::TokenEndpointShared,
                endpoint.place.clone(),
                &format!("`{about}`"),
            );
        }
    }
}

/// The name of the workspace behind a cluster: what TLS asks for, where it asks for a name of
/// Databricks'.
fn representative(cluster: &Cluster) -> Option<String> {
    let mut hosts = cluster.hosts();
    hosts.reverse();
    hosts.into_iter().find(|host| is_databricks(host))
}

/// Says where a workspace's own token endpoint is for several that the configuration names; whether
/// it is.
pub(super) fn check_workspaces_named(facts: &Facts, findings: &mut Findings) -> bool {
    let endpoint = facts.token_endpoint.as_ref();
    let endpoint = endpoint.filter(|endpoint| endpoint.is_of_workspace && facts.workspaces > 1);
    if let Some(endpoint) = endpoint {
        let about = format!("`workspaces` names {}", facts.workspaces);
        findings.add(Code::TokenEndpointShared, endpoint.place.clone(), &about);
    }
    endpoint.is_some()
}
