//! The walk from the root of an index along a path.

use crate::few::Few;
use crate::path::{Segments, escape};

use super::{EdgeKind, Escapes, Index, NodeId};

/// A search under way.
pub(super) struct Walk<'i, T, F> {
    pub(super) index: &'i Index<T>,
    /// Which values are accepted.
    pub(super) accept: F,
    /// Whether the path has any.
    pub(super) has_escapes: bool,
    /// Whether a template that takes the path with a trailing slash takes it without one too.
    pub(super) either_slash: bool,
    /// Whether a server that decodes the path first could find something else.
    pub(super) is_ambiguous: bool,
}

impl<'i, T, F: FnMut(&'i T, Escapes) -> bool> Walk<'i, T, F> {
    /// The best match below a node. It calls itself once per segment of a template, of which there
    /// are [`Template::MAX_SEGMENTS`] at most.
    pub(super) fn from(
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
            let found = self.first(&node.values, escapes);
            return match found {
                None if self.either_slash => self.first(&node.rest, escapes),
                found => found,
            };
        };
        if node.has_literals
            && let Some(next) = index.edge(id, EdgeKind::Literal, segment)
            && let Some(found) = self.from(next, tail.clone(), escapes)
        {
            return Some(found);
        }
        let is_escaped = self.has_escapes && segment.contains('%');
        if is_escaped && !self.is_ambiguous {
            // Also when the walk ends elsewhere: for a server that decodes first, this edge would
            // have come before all that follow.
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
        if node.rest.is_empty() {
            return None;
        }
        let escapes = self.in_rest(segments, escapes);
        self.first(&node.rest, escapes)
    }

    fn first(&mut self, values: &'i Few<T>, escapes: Escapes) -> Option<(&'i T, Escapes)> {
        let value = values.iter().find(|value| (self.accept)(value, escapes))?;
        Some((value, escapes))
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

/// Whether some reading holds a character at which a server that decodes first would end the name,
/// and so leave the template.
fn holds(segment: &str, ends: &[char]) -> bool {
    escape::any_reading(segment, |reading| reading.contains(ends))
}

impl<T> Index<T> {
    /// Where the walk goes on from a node, and with what, where it can go one way only and end
    /// nowhere before.
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
            None if node.has_literals => self.edge(from, EdgeKind::Literal, segment)?,
            Some(next) if !node.has_literals && !segment.is_empty() => next,
            Some(_) | None => return None,
        };
        Some((next, tail))
    }

    /// Whether some reading of an escaped segment leads elsewhere than the segment as it is
    /// written.
    #[cold]
    fn reads_otherwise(&self, from: NodeId, segment: &str) -> bool {
        let verb = self.verb_edge(from, segment);
        let ends_here = || {
            let node = self.nodes.get(from);
            node.is_some_and(|node| !node.values.is_empty())
        };
        escape::any_reading(segment, |reading| {
            self.edge(from, EdgeKind::Literal, reading).is_some()
                || until(reading, &[';', '?', '#'])
                    .is_some_and(|cut| self.edge(from, EdgeKind::Literal, cut).is_some())
                || (reading.starts_with(['?', '#']) && ends_here())
                || self
                    .verb_edge(from, reading)
                    .is_some_and(|edge| verb != Some(edge))
        })
    }
}
