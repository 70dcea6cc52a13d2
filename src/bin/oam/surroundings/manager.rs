//! HTTP connection managers: their filters, their routes, and how they read paths and addresses.

use super::chain::{self, ChainEntry};
use super::code::Code;
use super::finding::Findings;
use super::header;
use super::node::{Node, is_type};
use super::place::Place;
use super::route::{self, Target};

/// A connection manager.
pub(super) struct Manager<'a> {
    pub(super) node: Node<'a>,
    pub(super) chain: Vec<ChainEntry<'a>>,
    pub(super) targets: Vec<Target<'a>>,
    /// The filters of upgrades that have their own.
    pub(super) upgrades: Vec<Upgrade<'a>>,
    /// Names of route configurations that come from elsewhere, with their places.
    hidden: Vec<(&'a str, Place)>,
}

/// An upgrade whose requests go through filters of their own.
pub(super) struct Upgrade<'a> {
    pub(super) place: Place,
    pub(super) kind: &'a str,
    pub(super) chain: Vec<ChainEntry<'a>>,
}

impl<'a> Manager<'a> {
    /// The manager in a network filter, if it is one. `discovered` are the route configurations
    /// that other documents hold, `ours` the places of this product's filters.
    pub(super) fn read(filter: &Node<'a>, discovered: &[Node<'a>], ours: &[Place]) -> Option<Self> {
        let (name, node) = filter.get("typed_config")?.message()?;
        is_type(name, "http_connection_manager.v3.HttpConnectionManager")
            .then(|| Self::of(node, discovered, ours))
    }

    /// Reads a manager's own message.
    pub(super) fn of(node: Node<'a>, discovered: &[Node<'a>], ours: &[Place]) -> Self {
        let mut manager = Self {
            chain: ChainEntry::list(node.items("http_filters"), ours),
            targets: Vec::new(),
            upgrades: Vec::new(),
            hidden: Vec::new(),
            node,
        };
        manager.read_routes(discovered);
        for upgrade in manager.enabled_upgrades() {
            let filters = upgrade.items("filters");
            if !filters.is_empty() {
                manager.upgrades.push(Upgrade {
                    place: upgrade.place.clone(),
                    kind: upgrade.text("upgrade_type").unwrap_or_default(),
                    chain: ChainEntry::list(filters, ours),
                });
            }
        }
        manager
    }

    fn read_routes(&mut self, discovered: &[Node<'a>]) {
        let mut inline: Vec<Node> = self.node.get("route_config").into_iter().collect();
        let mut named: Vec<Node> = self.node.get("rds").into_iter().collect();
        if let Some(scoped) = self.node.get("scoped_routes") {
            let list = scoped.get("scoped_route_configurations_list");
            let scopes = list.map(|list| list.items("scoped_route_configurations"));
            for scope in scopes.iter().flatten() {
                match scope.get("route_configuration") {
                    Some(routes) => inline.push(routes),
                    None => named.push(scope.clone()),
                }
            }
            if scopes.is_none() {
                self.hidden.push(("scoped", scoped.place));
            }
        }
        for reference in named {
            let name = reference
                .text("route_config_name")
                .or_else(|| reference.text("route_configuration_name"));
            let known = discovered.iter().find(|routes| routes.text("name") == name);
            match known {
                Some(routes) => inline.push(routes.clone()),
                None => self
                    .hidden
                    .push((name.unwrap_or_default(), reference.place)),
            }
        }
        for routes in inline {
            if let Some(hosts) = routes.get("vhds") {
                self.hidden
                    .push((routes.text("name").unwrap_or_default(), hosts.place));
            }
            self.targets.extend(route::targets(&routes));
        }
    }

    /// The upgrades that are enabled, here or by a route.
    fn enabled_upgrades(&self) -> Vec<Node<'a>> {
        let is_on = |upgrade: &Node| {
            let enabled = upgrade.get("enabled");
            enabled.is_none_or(|enabled| enabled.value != &serde_json::Value::Bool(false))
        };
        let by_routes = self.targets.iter().flat_map(Target::upgrades).filter(is_on);
        let by_routes: Vec<Node> = by_routes.collect();
        let kind = |upgrade: &Node<'a>| upgrade.text("upgrade_type").map(str::to_ascii_lowercase);
        let mut enabled: Vec<Node> = self.node.items("upgrade_configs");
        enabled.retain(|upgrade| {
            is_on(upgrade) || by_routes.iter().any(|other| kind(other) == kind(upgrade))
        });
        enabled.extend(by_routes);
        enabled
    }

    /// Whether this product's filter stands in it, enabled or not.
    pub(super) fn holds_filter(&self) -> bool {
        let judges = |chain: &[ChainEntry]| {
            !matches!(
                chain::judge(chain, &[]),
                chain::Judgement::Missing | chain::Judgement::Hidden(_)
            )
        };
        judges(&self.chain)
    }

    pub(super) const fn hides_routes(&self) -> bool {
        !self.hidden.is_empty()
    }

    /// What is wrong with it as the place of the filter.
    pub(super) fn check(&self, findings: &mut Findings) {
        chain::check_entries(&self.chain, findings);
        for upgrade in &self.upgrades {
            chain::check_entries(&upgrade.chain, findings);
        }
        for extension in self.node.items("early_header_mutation_extensions") {
            let config = extension.get("typed_config");
            let mutations = config.map(|config| config.items("mutations"));
            header::check_credentials(&mutations.unwrap_or_default(), findings);
        }
        self.check_paths(findings);
        self.check_upgrades(findings);
        self.check_address(findings);
        if !chain::has_buffer(&self.chain) {
            findings.note(Code::NoBuffer, self.node.place_of("http_filters"));
        }
        let timeout = self.node.text("stream_idle_timeout");
        if timeout.is_none_or(|timeout| timeout.trim_end_matches('s').parse() == Ok(0.0)) {
            findings.note(
                Code::NoIdleTimeout,
                self.node.place_of("stream_idle_timeout"),
            );
        }
        for (name, place) in &self.hidden {
            findings.add(Code::RoutesNotSeen, place.clone(), &format!("`{name}`"));
        }
    }

    /// Says that its routes are out of sight where nothing shows that the filter is in it.
    pub(super) fn check_hidden(&self, findings: &mut Findings) {
        for (name, place) in &self.hidden {
            findings.add(Code::RoutesNotSeen, place.clone(), &format!("`{name}`"));
        }
    }

    fn check_paths(&self, findings: &mut Findings) {
        for name in ["normalize_path", "merge_slashes"] {
            if !self.node.is_true(name) {
                findings.note(Code::PathNotNormalized, self.node.place_of(name));
            }
        }
        let name = "path_with_escaped_slashes_action";
        let action = self.node.choice(name, &ESCAPED_SLASHES);
        if !matches!(
            action,
            Some("REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "UNESCAPE_AND_FORWARD")
        ) {
            findings.note(Code::SlashesEscaped, self.node.place_of(name));
        }
    }

    fn check_upgrades(&self, findings: &mut Findings) {
        for upgrade in self.enabled_upgrades() {
            let kind = upgrade.text("upgrade_type").unwrap_or_default();
            if !kind.eq_ignore_ascii_case("websocket") {
                findings.add(Code::UpgradeNotWebsocket, upgrade.place, kind);
            }
        }
    }

    /// The record names the address that Envoy takes for the caller's.
    fn check_address(&self, findings: &mut Findings) {
        let extensions = self.node.items("original_ip_detection_extensions");
        for extension in &extensions {
            let config = extension.get("typed_config");
            let message = config.as_ref().and_then(Node::message);
            let trusts = message.is_some_and(|(name, message)| {
                is_type(name, "xff.v3.XffConfig") && message.has("xff_trusted_cidrs")
            });
            if !trusts {
                let name = extension.text("name").unwrap_or_default();
                findings.add(
                    Code::AddressClaimed,
                    extension.place.clone(),
                    &format!("`{name}`"),
                );
            }
        }
        if extensions.is_empty() && !self.node.is_true("use_remote_address") {
            let place = self.node.place_of("use_remote_address");
            findings.add(Code::AddressClaimed, place, "`x-forwarded-for`");
        }
    }
}

/// In the order of their numbers.
const ESCAPED_SLASHES: [&str; 5] = [
    "IMPLEMENTATION_SPECIFIC_DEFAULT",
    "KEEP_UNCHANGED",
    "REJECT_REQUEST",
    "UNESCAPE_AND_REDIRECT",
    "UNESCAPE_AND_FORWARD",
];
