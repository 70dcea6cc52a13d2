//! Kubernetes' resources, as far as gateways are made of them.

use super::node::Node;

/// A resource.
#[derive(Clone)]
pub(super) struct Resource<'a> {
    pub(super) node: Node<'a>,
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    pub(super) spec: Node<'a>,
}

impl<'a> Resource<'a> {
    /// Reads a document, if it is a resource with a specification.
    fn read(unit: &Node<'a>) -> Option<Self> {
        let metadata = unit.get("metadata");
        let of_metadata = |name| metadata.as_ref().and_then(|node| node.text(name));
        Some(Self {
            kind: unit.text("kind")?,
            name: of_metadata("name").unwrap_or_default(),
            namespace: of_metadata("namespace").unwrap_or("default"),
            spec: unit.get("spec")?,
            node: unit.clone(),
        })
    }

    /// Those of these kinds.
    pub(super) fn all(units: &[Node<'a>], kinds: &[&str]) -> Vec<Self> {
        let resources = units.iter().filter_map(Self::read);
        resources
            .filter(|resource| kinds.contains(&resource.kind))
            .collect()
    }

    /// Whether a reference in a resource of this namespace names it.
    pub(super) fn is_named_by(&self, reference: &Node, namespace: &str) -> bool {
        let kind = reference.text("kind");
        kind.is_none_or(|kind| kind == self.kind)
            && reference.text("name") == Some(self.name)
            && reference.text("namespace").unwrap_or(namespace) == self.namespace
    }

    /// Whether a selector's `matchLabels` select it; one that has none selects everything.
    pub(super) fn is_selected_by(&self, labels: Option<&Node>) -> bool {
        let own = self.node.at(&["metadata", "labels"]);
        has_labels(own.as_ref(), labels)
    }
}

/// Whether all of the labels wanted are among these.
pub(super) fn has_labels(labels: Option<&Node>, wanted: Option<&Node>) -> bool {
    let wanted = wanted.map(Node::members).unwrap_or_default();
    wanted.iter().all(|(name, value)| {
        let own = labels.and_then(|labels| labels.value.get(*name));
        own == Some(value.value)
    })
}
