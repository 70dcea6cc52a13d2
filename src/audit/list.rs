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

/// A list that was written before, to be put into other JSON.
pub(super) fn written(list: &str) -> Option<&RawValue> {
    serde_json::from_str(list).ok()
}
