//! The JSON Schema of the configuration, for editors: derived from the types that read it.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};

use crate::issuer::preset::Preset;
use crate::token::algorithm::Algorithm;

use super::document::Document;
use super::value::{ClaimName, Count, Day, Span};

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

/// The keys of `withdrawn`, which the module reads without `serde`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is of use")]
pub(super) struct Withdrawn {
    clients: Option<Vec<String>>,
    issued_before: Option<Vec<IssuedBefore>>,
    key_ids: Option<Vec<String>>,
    list: Option<List>,
    subjects: Option<Vec<String>>,
    token_ids: Option<Vec<String>>,
    tokens: Option<Vec<Sha256>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is of use")]
struct IssuedBefore {
    issuer: Option<String>,
    subject: Option<String>,
    time: Moment,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is of use")]
struct List {
    cluster: String,
    uri: String,
    poll: Option<Span>,
    max_stale: Option<Span>,
    when_stale: Option<WhenStale>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its shape is of use")]
enum WhenStale {
    Ignore,
    Refuse,
}

struct Moment;

impl JsonSchema for Moment {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "a moment as RFC 3339 writes it, a date, or seconds since 1970",
            "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 0 }],
            "examples": ["2026-11-23T12:00:00Z", "2026-11-23", 1_795_435_200]
        })
    }
}

struct Sha256;

impl JsonSchema for Sha256 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Sha256".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "the SHA-256 of a whole token", "type": "string", "pattern": "^[0-9A-Fa-f]{64}$" })
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h)$", "examples": ["500ms", "30s", "10m", "24h"] })
    }
}

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2027-01-31"] })
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
