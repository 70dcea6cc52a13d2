//! Lists in records.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::authorize::evidence::Evidence;

/// The scopes that a request needs.
pub(super) struct RequiredScopes<'a>(pub(super) &'a Evidence<'a>);

impl Serialize for RequiredScopes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.required_scopes())
    }
}

/// A list that was written before; an empty one where there is none.
pub(super) struct WrittenList<'a>(pub(super) Option<&'a RawValue>);

impl Serialize for WrittenList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(list) => list.serialize(serializer),
            None => [(); 0].serialize(serializer),
        }
    }
}
