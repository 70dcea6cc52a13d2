//! The JSON Schema of the configuration, for editors: derived from the types that read it.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};

use crate::issuer::preset::Preset;
use crate::token::algorithm::Algorithm;

use super::document::Document;
use super::value::{ClaimName, Count, Span};

/// The schema as JSON text.
pub fn text() -> String {
    let mut schema = schema_for!(Document);
    schema.insert("title".to_owned(), TITLE.into());
    // A schema is strings, numbers, lists and maps: there is nothing in it that JSON cannot hold.
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    format!("{text}\n")
}

pub(super) fn preset(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Preset::ALL.map(Preset::as_str) })
}

pub(super) fn algorithms(_: &mut SchemaGenerator) -> Schema {
    let names = Algorithm::ALL.map(Algorithm::as_str);
    json_schema!({ "type": ["array", "null"], "items": { "type": "string", "enum": names } })
}

/// What this release does not carry out.
pub(super) fn nothing(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "null" })
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$", "examples": ["500ms", "30s", "10m", "24h"] })
    }
}

impl JsonSchema for Count {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0 })
    }
}

impl JsonSchema for ClaimName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ClaimName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a claim's name, or the names from the outermost object inwards",
            "anyOf": [
                { "type": "string", "minLength": 1 },
                { "type": "array", "minItems": 1, "items": { "type": "string" } }
            ]
        })
    }
}

const TITLE: &str = "Configuration of databricks-oam-filter";
