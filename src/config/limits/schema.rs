//! What the schema says of a key of `limits`.

use std::ops::RangeInclusive;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::Value;

use crate::config::value::{Bounded, Count, Span};

/// What a key is for, with its bounds and their reason.
pub(super) fn key<B: InSchema>(
    default: B,
    bounds: &RangeInclusive<B::Value>,
    what: &str,
    reason: &str,
    generator: &mut SchemaGenerator,
) -> Schema {
    let mut schema = generator.subschema_for::<B>();
    let [least, most] = [bounds.start(), bounds.end()];
    let spelled = [least, most].map(B::spelled).join(" to ");
    let mut say = |key: &str, value| schema.insert(key.to_owned(), value);
    say(
        "description",
        format!("{what} From {spelled}: {reason}.").into(),
    );
    if let Some(default) = default.value() {
        say("default", B::written(&default));
    }
    for (key, bound) in [("minimum", least), ("maximum", most)] {
        let bound = B::written(bound);
        if bound.is_number() {
            say(key, bound);
        }
    }
    schema
}

/// A bounded value as the schema writes it.
pub(super) trait InSchema: Bounded + JsonSchema {
    /// The value in JSON.
    fn written(value: &Self::Value) -> Value;
}

impl InSchema for Count {
    fn written(value: &usize) -> Value {
        (*value).into()
    }
}

impl InSchema for Span {
    fn written(value: &Duration) -> Value {
        Self::spelled(value).into()
    }
}
