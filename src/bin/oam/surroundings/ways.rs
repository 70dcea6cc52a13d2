//! The ways through an Envoy: from every listener, filter chain, connection manager, upgrade and
//! route to a cluster, and whether each that leads to a workspace goes through the filter.

use super::chain::{self, ChainEntry, Judgement};
use super::cluster::{Cluster, Kind};
use super::code::Code;
use super::envoy::Envoy;
use super::facts::{Facts, is_databricks};
use super::finding::Findings;
use super::listener::Listener;
use super::manager::Manager;
use super::place::Place;
use super::route::{Target, To};
use super::trust::Trust;

/// One way, from a listener to a cluster.
pub(super) struct Way<'a> {
    listener: &'a Listener<'a>,
    /// The manager and its route; absent on ways on which nobody reads requests.
    through: Option<(&'a Manager<'a>, &'a [ChainEntry<'a>], &'a Target<'a>)>,
    /// The upgrade that it is for, where that has filters of its own.
    upgrade: Option<(&'a str, &'a Place)>,
    place: &'a Place,
    /// Absent where it is not written which.
    pub(super) cluster: Option<&'a str>,
    judgement: Judgement,
}

impl<'a> Way<'a> {
    /// The host that the upstream gets on it, where that is written.
    pub(super) fn host(&self) -> Option<&'a str> {
        let (.., target) = self.through?;
        target.host()?.value.as_str()
    }

    pub(super) const fn is_judged(&self) -> bool {
        matches!(
            self.judgement,
            Judgement::Judged(_) | Judgement::JudgedBefore
        )
    }

    pub(super) const fn target(&self) -> Option<&'a Target<'a>> {
        match self.through {
            Some((_, _, target)) => Some(target),
            None => None,
        }
    }
}

/// Everything that is wrong with the ways to workspaces, and with what trust rests on.
pub(super) fn check(envoy: &Envoy, facts: &[Facts], findings: &mut Findings) {
    let mut ways: Vec<Way> = envoy.listeners.iter().flat_map(of_listener).collect();
    let inner = inner_listeners(envoy, &ways);
    for way in &mut ways {
        if !way.is_judged() && inner.contains(&way.listener.name) {
            way.judgement = Judgement::JudgedBefore;
        }
    }
    let workspaces = Workspaces::find(envoy, &ways, facts);
    for listener in &envoy.listeners {
        for manager in &listener.managers {
            if manager.holds_filter() {
                listener.check(findings);
                manager.check(findings);
            } else if !inner.contains(&listener.name) {
                manager.check_hidden(findings);
            }
        }
        for (code, filter) in &listener.unknown {
            let name = format!("`{}`", filter.text("name").unwrap_or_default());
            findings.add(*code, filter.place.clone(), &name);
        }
    }
    let mut is_used = false;
    let before = findings.len();
    for way in &ways {
        if way.is_judged() {
            is_used |= workspaces.may_include(way);
            check_judged(way, envoy, &workspaces, facts, findings);
        } else {
            check_unjudged(way, envoy, &workspaces, findings);
        }
    }
    let is_said = findings.len() > before;
    if !is_used
        && !is_said
        && !envoy.filters.is_empty()
        && !envoy.listeners.is_empty()
        && ways_are_known(envoy)
    {
        for filter in &envoy.filters {
            findings.note(Code::FilterUnused, filter.place().clone());
        }
    }
    Trust::new(envoy, &ways, facts).check(findings);
}

/// The ways from one listener.
fn of_listener<'a>(listener: &'a Listener<'a>) -> Vec<Way<'a>> {
    let mut ways = Vec::new();
    for tunnel in &listener.tunnels {
        ways.push(Way {
            listener,
            through: None,
            upgrade: None,
            place: &tunnel.place,
            cluster: tunnel.cluster,
            judgement: Judgement::Missing,
        });
    }
    for manager in &listener.managers {
        let own = manager
            .upgrades
            .iter()
            .map(|upgrade| (&*upgrade.chain, Some((upgrade.kind, &upgrade.place))));
        let chains = [(&*manager.chain, None)].into_iter().chain(own);
        for (chain, upgrade) in chains {
            ways.extend(manager.targets.iter().map(|target| Way {
                listener,
                through: Some((manager, chain, target)),
                upgrade,
                place: &target.place,
                cluster: match target.to {
                    To::Cluster(name) => Some(name),
                    To::Header(_) | To::Extension(_) => None,
                },
                judgement: chain::judge(chain, &target.levels),
            }));
        }
    }
    ways
}

/// The names of listeners to which all that comes was judged at another one.
fn inner_listeners<'a>(envoy: &'a Envoy<'a>, ways: &[Way<'a>]) -> Vec<&'a str> {
    let leads_to = |way: &&Way, listener: &Listener| {
        let behind = way.cluster.map(|name| envoy.behind(name));
        let mut behind = behind.into_iter().flatten();
        behind.any(|cluster| listener.is_behind(cluster))
    };
    let is_inner = |listener: &&Listener| {
        let mut comers = ways.iter().filter(|way| leads_to(way, listener)).peekable();
        listener.is_inner(&envoy.clusters) && comers.peek().is_some() && comers.all(Way::is_judged)
    };
    let inner = envoy.listeners.iter().filter(is_inner);
    inner.map(|listener| listener.name).collect()
}

/// Whether all routes can be seen of the managers that hold the filter.
fn ways_are_known(envoy: &Envoy) -> bool {
    let mut managers = envoy
        .listeners
        .iter()
        .flat_map(|listener| &listener.managers);
    managers.all(|manager| !manager.hides_routes())
}

/// What is known to be a workspace.
struct Workspaces<'a> {
    envoy: &'a Envoy<'a>,
    /// Names of clusters.
    clusters: Vec<&'a str>,
    /// Names of hosts, and hosts with ports.
    servers: Vec<String>,
}

impl<'a> Workspaces<'a> {
    /// Whatever lies behind the filter is one, whatever the configuration says is one, and whatever
    /// has a name of Databricks'.
    fn find(envoy: &'a Envoy<'a>, ways: &[Way<'a>], facts: &[Facts]) -> Self {
        let any_judged = ways.iter().any(Way::is_judged);
        let behind = ways.iter().filter(|way| {
            let holds = |(manager, ..): (&Manager, &[ChainEntry], &Target)| manager.holds_filter();
            way.is_judged() || !any_judged && way.through.is_some_and(holds)
        });
        let mut clusters: Vec<&str> = Vec::new();
        for cluster in behind.filter_map(|way| way.cluster) {
            clusters.push(cluster);
            clusters.extend(envoy.behind(cluster).iter().map(|cluster| cluster.name));
        }
        let mut servers: Vec<String> = Vec::new();
        for facts in facts {
            servers.extend(facts.hosts.iter().cloned());
            let endpoint = facts.token_endpoint.iter();
            servers.extend(endpoint.map(|endpoint| endpoint.host.clone()));
        }
        let known = |cluster: &&Cluster| clusters.contains(&cluster.name);
        for cluster in envoy.clusters.iter().filter(known) {
            servers.extend(cluster.known_as());
        }
        Self {
            envoy,
            clusters,
            servers,
        }
    }

    fn include(&self, name: &str) -> bool {
        let is_one = |cluster: &&Cluster| {
            self.clusters.contains(&cluster.name)
                || cluster.hosts().iter().any(|host| is_databricks(host))
                || cluster
                    .known_as()
                    .iter()
                    .any(|server| self.servers.contains(server))
        };
        self.clusters.contains(&name) || self.envoy.behind(name).iter().any(is_one)
    }

    fn may_include(&self, way: &Way) -> bool {
        way.cluster.is_none_or(|name| self.include(name))
    }
}

/// What is wrong with a way past the filter.
fn check_unjudged(way: &Way, envoy: &Envoy, workspaces: &Workspaces, findings: &mut Findings) {
    let Some(name) = way.cluster else {
        let chosen = match way.target().map(|target| &target.to) {
            Some(To::Extension(name)) => {
                let about = format!("the extension `{name}` chooses the cluster");
                findings.add(Code::DestinationNotSeen, way.place.clone(), &about);
                return;
            }
            Some(To::Header(name)) => format!("by the header `{name}`"),
            Some(To::Cluster(_)) | None => "by the host that it asks for".to_owned(),
        };
        findings.add(Code::DestinationChosen, way.place.clone(), &chosen);
        return;
    };
    if workspaces.include(name) {
        say_unjudged(way, name, findings);
        return;
    }
    let behind = envoy.behind(name);
    let is_open = |kind: Kind| behind.iter().any(|cluster| cluster.kind == kind);
    let unnamed = behind.iter().any(|cluster| {
        matches!(cluster.kind, Kind::Discovered | Kind::Unknown(_)) && cluster.hosts().is_empty()
    });
    if is_open(Kind::Chosen) {
        let about = format!("cluster `{name}` goes wherever the request says");
        findings.add(Code::DestinationChosen, way.place.clone(), &about);
    } else if is_open(Kind::Original) || unnamed || behind.is_empty() {
        findings.add(
            Code::DestinationNotSeen,
            way.place.clone(),
            &format!("cluster `{name}`"),
        );
    }
}

fn say_unjudged(way: &Way, cluster: &str, findings: &mut Findings) {
    let on = match way.upgrade {
        Some((kind, _)) => {
            format!("upgrades to `{kind}` with filters of their own go to cluster `{cluster}`")
        }
        None => format!("cluster `{cluster}`, from listener `{}`", way.listener.name),
    };
    let place = way.upgrade.map_or(way.place, |(_, place)| place).clone();
    match &way.judgement {
        Judgement::Disabled(at) => findings.add(Code::FilterDisabled, at.clone(), &on),
        Judgement::Conditional(at) => findings.note(Code::FilterConditional, at.clone()),
        Judgement::Hidden(at) => findings.add(Code::FilterNotSeen, at.clone(), &on),
        Judgement::Unreached(first) => findings.add(Code::FilterUnreached, place, first),
        Judgement::Missing | Judgement::Judged(_) | Judgement::JudgedBefore => {
            findings.add(Code::FilterMissing, place, &on);
        }
    }
}

/// What is wrong with a way behind the filter.
fn check_judged(
    way: &Way,
    envoy: &Envoy,
    workspaces: &Workspaces,
    facts: &[Facts],
    findings: &mut Findings,
) {
    let Some((_, chain, target)) = way.through else {
        return;
    };
    let position = match way.judgement {
        Judgement::Judged(position) => Some(position),
        Judgement::Conditional(_)
        | Judgement::Disabled(_)
        | Judgement::Hidden(_)
        | Judgement::JudgedBefore
        | Judgement::Missing
        | Judgement::Unreached(_) => None,
    };
    chain::check_order(chain, position, &target.levels, findings);
    let behind = way
        .cluster
        .map(|name| envoy.behind(name))
        .unwrap_or_default();
    let hosts: Vec<String> = behind.iter().flat_map(|cluster| cluster.hosts()).collect();
    let is_own = |host: &str| {
        let names_databricks = hosts.iter().any(|host| is_databricks(host));
        hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
            || facts.iter().any(|facts| facts.names(host))
            || !names_databricks && is_databricks(host)
    };
    target.check_changes(&is_own, findings);
    for cluster in &behind {
        chain::check_upstream(cluster.filters(), findings);
    }
    check_destination(way, &target.to, &behind, facts, findings);
    for mirror in target.mirrors() {
        let name = mirror.text("cluster");
        if !name.is_some_and(|name| workspaces.include(name)) {
            let name = name.unwrap_or("that the request names");
            findings.add(
                Code::CredentialsMirrored,
                mirror.place.clone(),
                &format!("`{name}`"),
            );
        }
    }
}

/// What is wrong with where a way behind the filter leads.
fn check_destination(
    way: &Way,
    to: &To,
    behind: &[&Cluster],
    facts: &[Facts],
    findings: &mut Findings,
) {
    match to {
        To::Header(name) => {
            let about = format!("by the header `{name}`");
            findings.add(Code::DestinationChosen, way.place.clone(), &about);
        }
        To::Extension(name) => {
            let about = format!("the extension `{name}` chooses the cluster");
            findings.add(Code::DestinationNotSeen, way.place.clone(), &about);
        }
        To::Cluster(name) => {
            let bound = facts.iter().any(|facts| facts.workspaces > 0);
            let chosen = behind.iter().any(|cluster| cluster.kind == Kind::Chosen);
            if chosen && !bound {
                let about = format!("cluster `{name}` goes wherever the request says");
                findings.add(Code::DestinationChosen, way.place.clone(), &about);
            }
            if behind.iter().any(|cluster| cluster.kind == Kind::Original) {
                let about = format!("cluster `{name}`");
                findings.add(Code::DestinationNotSeen, way.place.clone(), &about);
            }
        }
    }
}
