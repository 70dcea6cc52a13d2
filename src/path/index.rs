//! From a path to the value of the most specific template that takes it.
//!
//! A trie over segments. Its edges sit in one hash map keyed by (node, segment), so a step costs
//! one look-up however many templates there are, and a look-up borrows the segment and allocates
//! nothing.
//!
//! # Which template wins
//!
//! At the first segment where two templates differ: a literal before `{name}:verb`, that before
//! `{id}`, and `{path=**}` last. When the better branch leads nowhere, or to values that are not
//! accepted, the walk comes back for the next one. A node is as deep as the segments before it, so
//! a walk enters each node at most once: it is bounded by the nodes that fit the path, which is the
//! number of segments unless templates put `{id}` beside literals on several levels.

mod walk;

use std::borrow::Cow;

use hashbrown::{Equivalent, HashMap};

use super::Path;
use super::template::{Segment, Template};
use crate::few::Few;

use walk::Walk;

/// Templates, each with its values.
#[derive(Clone, Debug)]
pub struct Index<T> {
    nodes: Vec<Node<T>>,
    edges: HashMap<Edge, NodeId>,
}

impl<T> Index<T> {
    /// An index without templates.
    pub fn new() -> Self {
        Self::with_capacity(1)
    }

    /// Adds a value under a template, behind those that are there.
    pub fn insert(&mut self, template: &Template, value: T) {
        let segments = template.segments().iter().map(Segment::as_ref);
        self.change(segments, |values| values.push(value));
    }

    /// The values under a template of these segments.
    pub fn at<'s>(&self, segments: impl Iterator<Item = Segment<&'s str>>) -> &[T] {
        let mut id = ROOT;
        for segment in segments {
            if segment == Segment::Rest {
                return self.nodes.get(id).map_or(&[], |node| node.rest.as_slice());
            }
            match self.below(id, segment) {
                Some(next) => id = next,
                None => return &[],
            }
        }
        let node = self.nodes.get(id);
        node.map_or(&[], |node| node.values.as_slice())
    }

    /// Changes the values under a template of these segments.
    pub fn change<'s>(
        &mut self,
        segments: impl Iterator<Item = Segment<&'s str>>,
        change: impl FnOnce(&mut Few<T>),
    ) {
        let mut id = ROOT;
        for segment in segments {
            if segment == Segment::Rest {
                return self.node_mut(id, |node| change(&mut node.rest));
            }
            let next = self.below(id, segment);
            id = next
                .unwrap_or_else(|| self.add_below(id, segment, |text| Cow::Owned(text.to_owned())));
        }
        self.node_mut(id, |node| change(&mut node.values));
    }

    /// Adds values under templates whose text outlives the index: no text is copied, and where the
    /// templates are in order, what one shares with the one before is not looked up again.
    pub(crate) fn fill<S>(&mut self, entries: impl Iterator<Item = (S, T)>)
    where
        S: Iterator<Item = Segment<&'static str>>,
    {
        let mut before: Vec<(Segment<&'static str>, NodeId)> = Vec::new();
        for (segments, value) in entries {
            let mut id = ROOT;
            let mut depth = 0_usize;
            let mut is_rest = false;
            for segment in segments {
                if segment == Segment::Rest {
                    is_rest = true;
                    break;
                }
                id = match before.get(depth) {
                    Some(&(known, below)) if known == segment => below,
                    _ => {
                        before.truncate(depth);
                        let next = self.below(id, segment);
                        let next =
                            next.unwrap_or_else(|| self.add_below(id, segment, Cow::Borrowed));
                        before.push((segment, next));
                        next
                    }
                };
                depth = depth.saturating_add(1);
            }
            before.truncate(depth);
            self.node_mut(id, |node| {
                let values = if is_rest {
                    &mut node.rest
                } else {
                    &mut node.values
                };
                values.push(value);
            });
        }
    }

    /// An index with room for so many nodes.
    pub(crate) fn with_capacity(nodes: usize) -> Self {
        let mut index = Self {
            nodes: Vec::with_capacity(nodes),
            edges: HashMap::with_capacity(nodes),
        };
        index.nodes.push(Node::new());
        index
    }

    /// The first accepted value of the most specific template that takes the path.
    pub fn find(
        &self,
        path: &Path<'_>,
        mut accept: impl FnMut(&T) -> bool,
    ) -> Option<Match<'_, T>> {
        if self.is_empty() {
            return None;
        }
        let mut walk = Walk {
            index: self,
            accept: |value, _| accept(value),
            has_escapes: path.has_escapes(),
            either_slash: false,
            is_ambiguous: false,
        };
        let (value, escapes) = walk.from(ROOT, path.segments(), Escapes::None)?;
        let escapes = if walk.is_ambiguous {
            Escapes::Ambiguous
        } else {
            escapes
        };
        Some(Match { value, escapes })
    }

    /// Visits every value of every template that takes the path as it is written or, where it has
    /// no trailing slash, with one. Says whether a server that decodes before it routes could
    /// follow a template here that the path as it is written does not take.
    pub fn visit<'i>(&'i self, path: &Path<'_>, mut take: impl FnMut(&'i T, Escapes)) -> bool {
        let mut walk = Walk {
            index: self,
            // Nothing is accepted, so every branch is walked.
            accept: |value, escapes| {
                take(value, escapes);
                false
            },
            has_escapes: path.has_escapes(),
            either_slash: true,
            is_ambiguous: false,
        };
        walk.from(ROOT, path.segments(), Escapes::None);
        walk.is_ambiguous
    }

    /// Whether a server that decodes before it routes would follow a template here that the path as
    /// it is written does not take.
    pub fn misreads(&self, path: &Path<'_>) -> bool {
        path.has_escapes() && self.visit(path, |_, _| {})
    }

    /// Whether it has no template.
    fn is_empty(&self) -> bool {
        matches!(self.nodes.as_slice(), [root] if root.is_bare())
    }

    #[cfg(test)]
    pub(crate) const fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Where a segment of a template leads, the rest aside.
    fn below(&self, from: NodeId, segment: Segment<&str>) -> Option<NodeId> {
        match segment {
            Segment::Literal(text) => self.edge(from, EdgeKind::Literal, text),
            Segment::Verb(suffix) => self.edge(from, EdgeKind::Verb, suffix),
            Segment::Name => self.nodes.get(from)?.name,
            Segment::Rest => None,
        }
    }

    fn edge(&self, from: NodeId, kind: EdgeKind, text: &str) -> Option<NodeId> {
        self.edges.get(&EdgeRef { from, kind, text }).copied()
    }

    /// Where a verb below the node leads that the segment ends in.
    fn verb_edge(&self, from: NodeId, segment: &str) -> Option<NodeId> {
        let colon = segment.rfind(':').filter(|&at| at > 0)?;
        self.edge(from, EdgeKind::Verb, segment.get(colon..)?)
    }

    fn add_below<'s>(
        &mut self,
        from: NodeId,
        segment: Segment<&'s str>,
        keep: impl FnOnce(&'s str) -> Cow<'static, str>,
    ) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(Node::new());
        let (kind, text) = match segment {
            Segment::Literal(text) => {
                self.node_mut(from, |node| node.has_literals = true);
                (EdgeKind::Literal, keep(text))
            }
            Segment::Verb(suffix) => {
                self.node_mut(from, |node| node.has_verbs = true);
                (EdgeKind::Verb, keep(suffix))
            }
            Segment::Name | Segment::Rest => {
                self.node_mut(from, |node| node.name = Some(id));
                return id;
            }
        };
        self.edges.insert(Edge { from, kind, text }, id);
        id
    }

    fn node_mut(&mut self, id: NodeId, change: impl FnOnce(&mut Node<T>)) {
        if let Some(node) = self.nodes.get_mut(id) {
            change(node);
        }
    }
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// What was found.
#[derive(Debug, Eq, PartialEq)]
pub struct Match<'i, T> {
    /// The value.
    pub value: &'i T,
    /// How the path's escapes fared.
    pub escapes: Escapes,
}

/// Where the percent-escapes of a found path fell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Escapes {
    /// Nowhere: the path has none.
    None,
    /// All of them into a `{path=**}`.
    InRest,
    /// Some into an `{id}` or `{name}:verb`.
    InName,
    /// A server that decodes the path before it routes could take it for that of another template.
    Ambiguous,
}

type NodeId = usize;

const ROOT: NodeId = 0;

#[derive(Clone, Debug)]
struct Node<T> {
    values: Few<T>,
    rest: Few<T>,
    name: Option<NodeId>,
    has_literals: bool,
    has_verbs: bool,
}

impl<T> Node<T> {
    const fn new() -> Self {
        Self {
            values: Few::None,
            rest: Few::None,
            name: None,
            has_literals: false,
            has_verbs: false,
        }
    }

    const fn is_bare(&self) -> bool {
        matches!((&self.values, &self.rest), (Few::None, Few::None))
    }
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum EdgeKind {
    Literal,
    Verb,
}

/// Hashes like [`EdgeRef`]: the fields are the same, in the same order.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Edge {
    from: NodeId,
    kind: EdgeKind,
    text: Cow<'static, str>,
}

#[derive(Hash)]
struct EdgeRef<'a> {
    from: NodeId,
    kind: EdgeKind,
    text: &'a str,
}

impl Equivalent<Edge> for EdgeRef<'_> {
    fn equivalent(&self, edge: &Edge) -> bool {
        self.from == edge.from && self.kind == edge.kind && self.text == &*edge.text
    }
}

#[cfg(test)]
mod tests;
