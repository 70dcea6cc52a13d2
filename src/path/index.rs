//! From a path to the value of the most specific template that takes it.
//!
//! A trie over segments. Its edges sit in one hash map keyed by (node, segment), so a step costs one look-up however many templates
//! there are, and a look-up borrows the segment and allocates nothing.
//!
//! # Which template wins
//!
//! At the first segment where two templates differ: a literal before `{name}:verb`, that before `{id}`, and `{path=**}` last. When
//! the better branch leads nowhere, or to values that are not accepted, the walk comes back for the next one. A node is as deep as
//! the segments before it, so a walk enters each node at most once: it is bounded by the nodes that fit the path, which is the number
//! of segments unless templates put `{id}` beside literals on several levels.

mod few;

use std::borrow::Cow;

use hashbrown::{Equivalent, HashMap};

use super::template::{Segment, Template};
use super::{Path, Segments, escape};

use few::Few;

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
        self.insert_before(template, value, |_| false);
    }

    /// Adds a value under a template, before the first of those that are there for which `later` holds.
    pub fn insert_before(&mut self, template: &Template, value: T, later: impl Fn(&T) -> bool) {
        let mut id = ROOT;
        for segment in template.segments() {
            id = match segment.as_ref() {
                Segment::Rest => return self.node_mut(id, |node| node.rest.insert(value, later)),
                segment @ (Segment::Literal(_) | Segment::Name | Segment::Verb(_)) => {
                    let next = self.below(id, segment);
                    next.unwrap_or_else(|| {
                        self.add_below(id, segment, |text| Cow::Owned(text.to_owned()))
                    })
                }
            };
        }
        self.node_mut(id, |node| node.values.insert(value, later));
    }

    /// Adds values under templates whose text outlives the index: no text is copied, and where the templates are in order, what one
    /// shares with the one before is not looked up again.
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
                values.insert(value, |_| false);
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

    /// The values of every template of the same shape, whatever it calls its segments: equally specific, and overlapping exactly.
    pub fn at(&self, template: &Template) -> &[T] {
        let mut id = ROOT;
        for segment in template.segments() {
            if *segment == Segment::Rest {
                return self.nodes.get(id).map_or(&[], |node| node.rest.as_slice());
            }
            match self.below(id, segment.as_ref()) {
                Some(next) => id = next,
                None => return &[],
            }
        }
        self.nodes
            .get(id)
            .map_or(&[], |node| node.values.as_slice())
    }

    /// The first accepted value of the most specific template that takes the path.
    pub fn find(&self, path: &Path<'_>, accept: impl FnMut(&T) -> bool) -> Option<Match<'_, T>> {
        if self.is_empty() {
            return None;
        }
        let mut walk = Walk {
            index: self,
            accept,
            has_escapes: path.has_escapes(),
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

    /// Whether a server that decodes before it routes would follow a template here that the path as it is written does not take.
    ///
    /// Asked of rules that forbid or narrow: to take such a path for one that they do not govern would be a way around them.
    pub fn misreads(&self, path: &Path<'_>) -> bool {
        let mut walk = Walk {
            index: self,
            accept: |_: &T| false,
            has_escapes: path.has_escapes(),
            is_ambiguous: false,
        };
        // Nothing is accepted, so every branch is walked.
        path.has_escapes()
            && walk.from(ROOT, path.segments(), Escapes::None).is_none()
            && walk.is_ambiguous
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
            Segment::Literal(text) => self.edge(from, Kind::Literal, text),
            Segment::Verb(suffix) => self.edge(from, Kind::Verb, suffix),
            Segment::Name => self.nodes.get(from)?.name,
            Segment::Rest => None,
        }
    }

    fn edge(&self, from: NodeId, kind: Kind, text: &str) -> Option<NodeId> {
        self.edges.get(&EdgeRef { from, kind, text }).copied()
    }

    /// Where a verb below the node leads that the segment ends in.
    fn verb_edge(&self, from: NodeId, segment: &str) -> Option<NodeId> {
        let colon = segment.rfind(':').filter(|&at| at > 0)?;
        self.edge(from, Kind::Verb, segment.get(colon..)?)
    }

    /// Where the walk goes on from a node, and with what, where it can go one way only and end nowhere before.
    fn only_way<'s>(
        &self,
        from: NodeId,
        segments: &Segments<'s>,
    ) -> Option<(NodeId, Segments<'s>)> {
        let node = self.nodes.get(from)?;
        if node.has_verbs || !matches!(node.rest, Few::None) {
            return None;
        }
        let mut tail = segments.clone();
        let segment = tail.next()?;
        let next = match node.name {
            None if node.has_literals => self.edge(from, Kind::Literal, segment)?,
            Some(next) if !node.has_literals && !segment.is_empty() => next,
            Some(_) | None => return None,
        };
        Some((next, tail))
    }

    /// Whether some reading of an escaped segment leads elsewhere than the segment as it is written.
    #[cold]
    fn reads_otherwise(&self, from: NodeId, segment: &str) -> bool {
        let verb = self.verb_edge(from, segment);
        escape::any_reading(segment, |reading| {
            self.edge(from, Kind::Literal, reading).is_some()
                || until(reading, &[';', '?', '#'])
                    .is_some_and(|cut| self.edge(from, Kind::Literal, cut).is_some())
                || self
                    .verb_edge(from, reading)
                    .is_some_and(|edge| verb != Some(edge))
        })
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
                (Kind::Literal, keep(text))
            }
            Segment::Verb(suffix) => {
                self.node_mut(from, |node| node.has_verbs = true);
                (Kind::Verb, keep(suffix))
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

struct Walk<'i, T, F> {
    index: &'i Index<T>,
    accept: F,
    has_escapes: bool,
    is_ambiguous: bool,
}

impl<'i, T, F: FnMut(&T) -> bool> Walk<'i, T, F> {
    /// The best match below a node. It calls itself once per segment of a template, of which there are [`Template::MAX_SEGMENTS`] at most.
    fn from(
        &mut self,
        id: NodeId,
        segments: Segments<'_>,
        escapes: Escapes,
    ) -> Option<(&'i T, Escapes)> {
        let (index, mut id, mut segments) = (self.index, id, segments);
        if !self.has_escapes {
            while let Some((next, tail)) = index.only_way(id, &segments) {
                (id, segments) = (next, tail);
            }
        }
        let node = index.nodes.get(id)?;
        let mut tail = segments.clone();
        let Some(segment) = tail.next() else {
            return self
                .first(node.values.as_slice())
                .map(|value| (value, escapes));
        };
        if node.has_literals
            && let Some(next) = index.edge(id, Kind::Literal, segment)
            && let Some(found) = self.from(next, tail.clone(), escapes)
        {
            return Some(found);
        }
        let is_escaped = self.has_escapes && segment.contains('%');
        if is_escaped && !self.is_ambiguous {
            // Also when the walk ends elsewhere: for a server that decodes first, this edge would have come before all that follow.
            self.is_ambiguous = index.reads_otherwise(id, segment);
        }
        let in_name = if is_escaped { Escapes::InName } else { escapes };
        if node.has_verbs
            && let Some(next) = index.verb_edge(id, segment)
            && let Some(found) = self.from(next, tail.clone(), in_name)
        {
            self.is_ambiguous |= is_escaped && holds(segment, &[';', '?', '#']);
            return Some(found);
        }
        if !segment.is_empty()
            && let Some(next) = node.name
            && let Some(found) = self.from(next, tail.clone(), in_name)
        {
            self.is_ambiguous |= is_escaped && tail.next().is_some() && holds(segment, &['?', '#']);
            return Some(found);
        }
        let value = self.first(node.rest.as_slice())?;
        Some((value, self.in_rest(segments, escapes)))
    }

    fn first(&mut self, values: &'i [T]) -> Option<&'i T> {
        values.iter().find(|value| (self.accept)(value))
    }

    fn in_rest(&self, mut rest: Segments<'_>, escapes: Escapes) -> Escapes {
        if escapes == Escapes::None && self.has_escapes && rest.any(|segment| segment.contains('%'))
        {
            return Escapes::InRest;
        }
        escapes
    }
}

/// A reading up to the first of these characters, where one stands in it.
fn until<'t>(reading: &'t str, ends: &[char]) -> Option<&'t str> {
    reading.split_once(ends).map(|(cut, _)| cut)
}

/// Whether some reading holds a character at which a server that decodes first would end the name, and so leave the template.
fn holds(segment: &str, ends: &[char]) -> bool {
    escape::any_reading(segment, |reading| reading.contains(ends))
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
enum Kind {
    Literal,
    Verb,
}

/// Hashes like [`EdgeRef`]: the fields are the same, in the same order.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Edge {
    from: NodeId,
    kind: Kind,
    text: Cow<'static, str>,
}

#[derive(Hash)]
struct EdgeRef<'a> {
    from: NodeId,
    kind: Kind,
    text: &'a str,
}

impl Equivalent<Edge> for EdgeRef<'_> {
    fn equivalent(&self, edge: &Edge) -> bool {
        self.from == edge.from && self.kind == edge.kind && self.text == &*edge.text
    }
}

#[cfg(test)]
mod tests;
