//! The Databricks API as a list of operations: what a request asks for, and which scope Databricks gave that.
//!
//! A request finds its operation by method and path. The path names a resource, and the version in `/api/2.1/…` is no part of the
//! resource: a client pinned to an old version finds the same operation. Whether a caller may is [`scope`]'s business for one scope,
//! and the policy's for all that a caller holds.

pub mod area;
pub mod operation;
pub mod scope;
pub mod scope_set;

mod packed;

use std::sync::OnceLock;

use crate::path::Path;
use crate::path::index::{Escapes, Index};
use crate::path::template::{self, Segment};

pub use area::Area;
pub use operation::{Access, Level, Mark, Marks, Operation, Requirement};

/// Every operation that is known, findable by method and path.
pub struct Catalogue {
    operations: Vec<Operation>,
    index: Index<usize>,
}

impl Catalogue {
    /// The catalogue, which is built at the first call.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Catalogue> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    fn new() -> Self {
        let operations = packed::operations();
        let mut index = Index::with_capacity(NODES);
        index.fill(operations.iter().enumerate().map(|(position, operation)| {
            let version = versioned(operation.template).map(|_| 1);
            let segments = template::segments(operation.template).enumerate();
            // Any version finds the operation: a name stands where the template has its own.
            let segments = segments.map(move |(place, segment)| {
                if Some(place) == version {
                    Segment::Name
                } else {
                    segment
                }
            });
            (segments, position)
        }));
        Self { operations, index }
    }

    /// The operation that a request asks for.
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
            // Escapes pass only where an operation takes them.
            return if path.has_escapes() {
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

    /// An accepted operation whose path this is, be it of any method.
    pub(crate) fn any(
        &self,
        path: &Path<'_>,
        accept: impl Fn(&Operation) -> bool,
    ) -> Option<&Operation> {
        let found = self.index.find(path, |&position| {
            self.operations.get(position).is_some_and(&accept)
        })?;
        self.operations.get(*found.value)
    }

    /// Every operation, ordered by path.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

/// What the catalogue says about a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lookup {
    /// An escape could be read as another path, or no operation takes it; or the path is an alias of another.
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

/// A path in the version that the catalogue names for its operation and without a trailing slash, where the request has it otherwise.
pub(crate) fn in_documented_version<'a>(
    operation: &Operation,
    path: &Path<'a>,
) -> Option<Path<'a>> {
    let trimmed = path.without_trailing_slash();
    let (documented, _) = versioned(operation.template)?;
    let (sent, _) = versioned(trimmed.unwrap_or(*path).as_str())?;
    match trimmed {
        None if sent == documented => None,
        trimmed => Some(trimmed.unwrap_or(*path).in_version(documented)),
    }
}

/// The version of an API path, as in `2.1`, and what follows it.
fn versioned(path: &str) -> Option<(&str, &str)> {
    let (version, resource) = path.strip_prefix("/api/")?.split_once('/')?;
    let (major, minor) = version.split_once('.')?;
    let is_number =
        |text: &str| matches!(text.as_bytes(), [b'0'..=b'9'] | [b'1'..=b'9', b'0'..=b'9']);
    (is_number(major) && is_number(minor)).then_some((version, resource))
}

/// What the workspace's own pages call `api`: a second name for every path, under which nothing is judged.
const ALIAS: &str = "/ajax-api";

/// Room for the nodes of the index; a test holds that it is enough and not much more.
const NODES: usize = 2048;

#[cfg(test)]
mod tests;
