//! Lists in records.

use serde::{Serialize, Serializer};

use crate::authorize::evidence::Evidence;

/// The scopes that a request needs.
pub(super) struct RequiredScopes<'a>(pub(super) &'a Evidence<'a>);

impl Serialize for RequiredScopes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.required_scopes())
    }
}
