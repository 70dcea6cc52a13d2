//! Routes: where each leads, and what it changes on the way.

use super::code::Code;
use super::finding::Findings;
use super::header;
use super::node::Node;
use super::place::Place;

/// One way out of a route configuration.
pub(super) struct Target<'a> {
    pub(super) to: To<'a>,
    pub(super) place: Place,
    /// All that configures this way, the most specific first: a weighted cluster, its route, its
    /// virtual host, all routes.
    pub(super) levels: Vec<Node<'a>>,
    /// What says where to, and in which shape: a weighted cluster or not, and the route's action.
    action: Vec<Node<'a>>,
}

/// Where a route leads.
pub(super) enum To<'a> {
    Cluster(&'a str),
    /// To the cluster that a header of the request names.
    Header(&'a str),
    /// To the cluster that an extension of this name chooses.
    Extension(&'a str),
}

/// Every way out of a route configuration.
pub(super) fn targets<'a>(routes: &Node<'a>) -> Vec<Target<'a>> {
    let mut targets = Vec::new();
    for host in routes.items("virtual_hosts") {
        let mut all = host.items("routes");
        if let Some(matcher) = host.get("matcher") {
            let message = |node: &Node<'a>| node.is_message("route.v3.Route").then(|| node.clone());
            matcher.find(&message, &mut all);
            let list = |node: &Node<'a>| {
                let is_list = node.is_message("route.v3.RouteList");
                is_list.then(|| node.items("routes"))
            };
            let mut lists = Vec::new();
            matcher.find(&list, &mut lists);
            all.extend(lists.into_iter().flatten());
        }
        for route in all {
            let levels = vec![route.clone(), host.clone(), routes.clone()];
            if let Some(action) = route.get("route") {
                of_action(&action, &levels, &mut targets);
            }
        }
    }
    targets
}

/// The ways of a route's action that stands by itself; `level` is what it stands in.
pub(super) fn of_route<'a>(action: &Node<'a>, level: &Node<'a>) -> Vec<Target<'a>> {
    let mut targets = Vec::new();
    of_action(action, std::slice::from_ref(level), &mut targets);
    targets
}

fn of_action<'a>(action: &Node<'a>, levels: &[Node<'a>], targets: &mut Vec<Target<'a>>) {
    let mut add = |owner: &Node<'a>, levels: Vec<Node<'a>>, action: Vec<Node<'a>>| {
        let cluster = owner.get("cluster").or_else(|| owner.get("name"));
        let cluster = cluster.and_then(|name| Some((name.value.as_str()?, name.place)));
        let (to, place) = if let Some((cluster, place)) = cluster {
            (To::Cluster(cluster), place)
        } else if let Some(header) = owner.text("cluster_header") {
            (To::Header(header), owner.place_of("cluster_header"))
        } else {
            let extension = owner.get("inline_cluster_specifier_plugin");
            let extension = extension.as_ref().and_then(|node| node.get("extension"));
            let name = extension.as_ref().and_then(|node| node.text("name"));
            let name = name.or_else(|| owner.text("cluster_specifier_plugin"));
            (To::Extension(name.unwrap_or_default()), owner.place.clone())
        };
        targets.push(Target {
            to,
            place,
            levels,
            action,
        });
    };
    let Some(weighted) = action.get("weighted_clusters") else {
        add(action, levels.to_vec(), vec![action.clone()]);
        return;
    };
    for cluster in weighted.items("clusters") {
        let mut levels = levels.to_vec();
        levels.insert(0, cluster.clone());
        add(&cluster, levels, vec![cluster.clone(), action.clone()]);
    }
}

impl<'a> Target<'a> {
    /// The host that the upstream gets, where that is written here.
    pub(super) fn host(&self) -> Option<Node<'a>> {
        let written = |node: &Node<'a>| node.get("host_rewrite_literal");
        self.action.iter().find_map(written)
    }

    /// What is wrong with what this way does behind the filter. `is_own` says whether a host is the
    /// workspace's own.
    pub(super) fn check_changes(&self, is_own: &dyn Fn(&str) -> bool, findings: &mut Findings) {
        for node in &self.action {
            for name in [
                "prefix_rewrite",
                "regex_rewrite",
                "path_rewrite_policy",
                "path_rewrite",
            ] {
                if node.has(name) {
                    findings.note(Code::PathRewritten, node.place_of(name));
                }
            }
            for name in [
                "host_rewrite_header",
                "host_rewrite_path_regex",
                "host_rewrite",
            ] {
                if node.has(name) {
                    findings.add(
                        Code::HostRewritten,
                        node.place_of(name),
                        "chosen by the request",
                    );
                }
            }
            for name in ["internal_redirect_policy", "internal_redirect_action"] {
                if node.has(name) {
                    findings.note(Code::RedirectFollowed, node.place_of(name));
                }
            }
        }
        if let Some(host) = self.host() {
            let text = host.value.as_str().unwrap_or_default();
            if !is_own(text) {
                findings.add(Code::HostRewritten, host.place, &format!("`{text}`"));
            }
        }
        for level in &self.levels {
            header::check_level(level, findings);
        }
    }

    /// The clusters that get a copy of each request, where that is said.
    pub(super) fn mirrors(&self) -> Vec<Node<'a>> {
        let owners = self.action.iter().chain(&self.levels);
        owners
            .flat_map(|owner| owner.items("request_mirror_policies"))
            .collect()
    }

    /// The upgrades that this route allows by itself.
    pub(super) fn upgrades(&self) -> Vec<Node<'a>> {
        let all = self.action.iter();
        all.flat_map(|action| action.items("upgrade_configs"))
            .collect()
    }
}
