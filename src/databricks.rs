//! The Databricks API as a list of operations: the operation of a request, and which scope
//! Databricks gave that.
//!
//! A request finds its operation by method and path. The path names a resource, and the version in
//! `/api/2.1/…` is no part of the resource: a client pinned to an old version finds the same
//! operation. Whether a caller may is [`scope`]'s business for one scope, and the policy's for all
//! that a caller holds.

pub mod area;
pub mod operation;
pub mod scope;
pub mod scope_set;

mod packed;
mod twin;

use std::cmp::Ordering;
use std::sync::OnceLock;

use crate::by_name::ByName;
use crate::few::Few;
use crate::path::Path;
use crate::path::index::{Escapes, Index};
use crate::path::template::{self, Segment};

pub use area::Area;
pub use operation::{Access, Level, Mark, Marks, Operation, OperationRequirement};
pub use twin::UNKNOWN;

/// Every operation that is known, findable by method and path.
pub struct Catalogue {
    operations: Vec<Operation>,
    index: Index<usize>,
    /// The positions of operations that have several paths, by their names.
    several: ByName<Vec<usize>>,
    /// Made for the first rule.
    incomplete: OnceLock<Vec<String>>,
}

impl Catalogue {
    /// The catalogue, which is built at the first call.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Catalogue> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    fn new() -> Self {
        let (operations, several) = packed::operations();
        let mut index = Index::with_capacity(NODES);
        let entries = operations.iter().enumerate();
        index.fill(entries.map(|(position, operation)| (in_any_version(operation), position)));
        let several = by_name(&operations, &several);
        Self {
            operations,
            index,
            several,
            incomplete: OnceLock::new(),
        }
    }

    /// The operation of a request, with a trailing slash or without: servers take one for the
    /// other.
    pub fn operation(&'static self, method: &str, path: &Path<'_>) -> Lookup {
        let sent = self.find(method, path);
        let is_settled = match sent {
            Lookup::Found(_) => !path.ends_in_slash(),
            Lookup::Ambiguous => true,
            Lookup::Unknown => false,
        };
        if is_settled {
            return sent;
        }
        let other = path.with_other_slash();
        let other = other.map_or(Lookup::Unknown, |path| self.find(method, &path));
        match (sent, other) {
            (Lookup::Found(one), Lookup::Found(two)) if one.name != two.name => {
                let order = template::specificity(in_any_version(one), in_any_version(two), false);
                match order {
                    Some(Ordering::Less) => sent,
                    Some(Ordering::Greater) => other,
                    Some(Ordering::Equal) | None if one.is_same_as(two) => other,
                    Some(Ordering::Equal) | None => Lookup::Ambiguous,
                }
            }
            (Lookup::Found(_), Lookup::Found(_) | Lookup::Unknown) => sent,
            (_, other) => other,
        }
    }

    /// The operation whose path this is, as it is written.
    pub fn find(&'static self, method: &str, path: &Path<'_>) -> Lookup {
        if is_alias(path) {
            return Lookup::Ambiguous;
        }
        // A path that fits a template but for the version names a version where the template does.
        let has_version = versioned(path.as_str()).is_some();
        let accept = |&position: &usize| {
            self.operations.get(position).is_some_and(|operation| {
                operation.method_is(method)
                    && (has_version || versioned(operation.template).is_none())
            })
        };
        let Some(found) = self.index.find(path, accept) else {
            return if self.index.misreads(path) {
                Lookup::Ambiguous
            } else {
                Lookup::Unknown
            };
        };
        match (found.escapes, self.operations.get(*found.value)) {
            (Escapes::Ambiguous, _) => Lookup::Ambiguous,
            (Escapes::None | Escapes::InRest | Escapes::InName, Some(operation)) => {
                Lookup::Found(operation)
            }
            (Escapes::None | Escapes::InRest | Escapes::InName, None) => Lookup::Unknown,
        }
    }

    /// The other paths under which the same request reaches the same operation.
    ///
    /// What the path names is filled in by the names in the templates. What it does not name stands
    /// as [`UNKNOWN`].
    pub fn other_paths(
        &'static self,
        operation: &'static Operation,
        path: &Path<'_>,
    ) -> impl Iterator<Item = String> {
        let positions = self.several.get(operation.name).map(Vec::as_slice);
        let others = positions.unwrap_or_default().iter();
        others
            .filter_map(|&position| self.operations.get(position))
            .filter(|other| other.template != operation.template)
            .map(move |other| twin::path(operation.template, path, other.template))
    }

    /// The operations of a path, whatever their method.
    pub fn at(&'static self, path: &Path<'_>) -> Few<&'static Operation> {
        let written = self.at_written(path);
        if !written.is_empty() {
            return written;
        }
        let other = path.with_other_slash();
        other.map_or(Few::None, |path| self.at_written(&path))
    }

    fn at_written(&'static self, path: &Path<'_>) -> Few<&'static Operation> {
        let has_version = versioned(path.as_str()).is_some();
        let found = |position: &usize| {
            let operation = self.operations.get(*position)?;
            (has_version || versioned(operation.template).is_none()).then_some(operation)
        };
        let best = self.index.find(path, |position| found(position).is_some());
        let Some(best) = best.and_then(|best| found(best.value)) else {
            return Few::None;
        };
        let mut operations = Few::None;
        self.index.visit(path, |position, _| {
            if let Some(operation) = found(position).filter(|one| one.template == best.template) {
                operations.push(operation);
            }
        });
        operations
    }

    /// The paths of operations that name something which another path of the same operation leaves
    /// out, with [`UNKNOWN`] for each name.
    pub fn incomplete(&'static self) -> &'static [String] {
        self.incomplete.get_or_init(|| {
            let of_name = |positions: &Vec<usize>| {
                let operations: Vec<&Operation> = positions
                    .iter()
                    .filter_map(|&position| self.operations.get(position))
                    .collect();
                let is_incomplete = |operation: &&&Operation| {
                    let template = operation.template;
                    let mut others = operations.iter();
                    others.any(|other| twin::names_more(template, other.template))
                };
                let incomplete = operations.iter().filter(is_incomplete);
                let blank = incomplete.map(|operation| twin::blank(operation.template));
                blank.collect::<Vec<_>>()
            };
            self.several.values().flat_map(of_name).collect()
        })
    }

    /// Every operation, ordered by path.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

/// What the catalogue says about a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lookup {
    /// A server could read the path as that of another operation; or it is an alias of another
    /// path.
    Ambiguous,
    /// This operation.
    Found(&'static Operation),
    /// No operation.
    Unknown,
}

/// Whether a path is another name for one of the API's.
pub fn is_alias(path: &Path<'_>) -> bool {
    path.as_str()
        .strip_prefix(ALIAS)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The segments of an operation's template, with a name in the place of its version: any version
/// finds the operation.
fn in_any_version(operation: &Operation) -> impl Iterator<Item = Segment<&'static str>> {
    let version = versioned(operation.template).map(|_| 1);
    let segments = template::segments(operation.template).enumerate();
    segments.map(move |(place, segment)| {
        if Some(place) == version {
            Segment::Name
        } else {
            segment
        }
    })
}

/// These positions, by the names of the operations there.
fn by_name(operations: &[Operation], positions: &[usize]) -> ByName<Vec<usize>> {
    let mut all: ByName<Vec<usize>> = ByName::default();
    for &position in positions {
        if let Some(operation) = operations.get(position) {
            all.update(operation.name, Vec::new, |same| same.push(position));
        }
    }
    all
}

/// Whether a segment is a version of the API, as `2.1`.
pub fn is_version(segment: &str) -> bool {
    let is_number =
        |text: &str| matches!(text.as_bytes(), [b'0'..=b'9'] | [b'1'..=b'9', b'0'..=b'9']);
    segment
        .split_once('.')
        .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}

/// The version of an API path, as in `2.1`, and what follows it.
fn versioned(path: &str) -> Option<(&str, &str)> {
    let (version, resource) = path.strip_prefix("/api/")?.split_once('/')?;
    is_version(version).then_some((version, resource))
}

/// What the workspace's own pages call `api`: a second name for every path, under which nothing is
/// judged.
const ALIAS: &str = "/ajax-api";

/// Room for the nodes of the index; a test holds that it is enough and not much more.
const NODES: usize = 2048;

#[cfg(test)]
mod tests;
