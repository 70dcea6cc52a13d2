//! Policies of Envoy Gateway, and the routes for which each holds.

use super::gateway_api;
use super::node::Node;
use super::resource::Resource;

/// An `EnvoyExtensionPolicy`.
pub(super) struct Policy<'a> {
    pub(super) resource: Resource<'a>,
    /// Whether it has this product's filter.
    pub(super) has_filter: bool,
    targets: Vec<Node<'a>>,
    selectors: Vec<Node<'a>>,
}

impl<'a> Policy<'a> {
    pub(super) fn new(resource: Resource<'a>, has_filter: bool) -> Self {
        let mut targets = resource.spec.items("targetRefs");
        targets.extend(resource.spec.get("targetRef"));
        Self {
            selectors: resource.spec.items("targetSelectors"),
            targets,
            has_filter,
            resource,
        }
    }

    /// Whether it holds for every rule of a route, by itself or by all of the gateways that the
    /// route names.
    pub(super) fn covers(&self, route: &Resource) -> bool {
        let whole = |target: &Node| self.names(target, route) && !target.has("sectionName");
        let parents = gateway_api::parents(route);
        let rules = || {
            let rules = route.spec.items("rules");
            let by_section = |rule: &Node| {
                self.targets.iter().any(|target| {
                    let section = target.text("sectionName");
                    self.names(target, route) && section.is_some() && section == rule.text("name")
                })
            };
            !rules.is_empty() && rules.iter().all(by_section)
        };
        self.targets.iter().any(whole)
            || self.selects(route)
            || rules()
            || !parents.is_empty()
                && parents
                    .iter()
                    .all(|parent| self.covers_parent(parent, route))
    }

    /// Whether it is for this very route, or for a part of it.
    pub(super) fn targets_route(&self, route: &Resource) -> bool {
        self.targets.iter().any(|target| self.names(target, route)) || self.selects(route)
    }

    /// Whether it puts the policies of a route's gateways out of force there.
    pub(super) fn replaces_at(&self, route: &Resource) -> bool {
        self.targets_route(route) && !self.resource.spec.has("mergeType")
    }

    fn names(&self, target: &Node, route: &Resource) -> bool {
        target.text("kind") == Some(route.kind)
            && route.is_named_by(target, self.resource.namespace)
    }

    fn selects(&self, route: &Resource) -> bool {
        self.selectors.iter().any(|selector| {
            let labels = selector.get("matchLabels");
            selector.text("kind") == Some(route.kind)
                && self.resource.namespace == route.namespace
                && route.is_selected_by(labels.as_ref())
        })
    }

    /// Whether it holds for all that comes through one of a route's gateways.
    fn covers_parent(&self, parent: &Node, route: &Resource) -> bool {
        let namespace = parent.text("namespace").unwrap_or(route.namespace);
        let is_gateway = |target: &Node| {
            let section = target.text("sectionName");
            matches!(
                target.text("kind"),
                Some("Gateway" | "ListenerSet" | "XListenerSet")
            ) && target.text("name") == parent.text("name")
                && self.resource.namespace == namespace
                && (section.is_none() || section == parent.text("sectionName"))
        };
        let by_selector = |selector: &Node| selector.text("kind") == Some("Gateway");
        self.targets.iter().any(is_gateway) || self.selectors.iter().any(by_selector)
    }
}
