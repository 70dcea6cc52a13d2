//! The JSON Schema of the configuration, for editors: derived from the types that read it.

use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde_json::Value;

use crate::issuer::preset::Preset;
use crate::token::algorithm::Algorithm;

use super::document::Document;
use super::value::{ClaimName, Count, Day, Span};

/// The schema as JSON text.
pub fn text() -> String {
    let mut schema = schema_for!(Document);
    schema.insert("title".to_owned(), TITLE.into());
    leave_out_null(&mut schema);
    unwrap_descriptions(&mut schema);
    // A schema is strings, numbers, lists and maps: there is nothing in it that JSON cannot hold.
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    format!("{text}\n")
}

/// What may be left out may not be `null`.
fn leave_out_null(schema: &mut Schema) {
    if let Some(members) = schema.as_object_mut() {
        members.retain(|key, member| key != "default" || !member.is_null());
        if let Some(Value::Array(types)) = members.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_mut_slice() {
                let only = only.take();
                members.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = choices.as_mut_slice() {
                let only = std::mem::take(only);
                members.remove("anyOf");
                members.extend(only);
            }
        }
    }
    transform_subschemas(&mut leave_out_null, schema);
}

/// A description goes on where its comment's line ends.
fn unwrap_descriptions(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        let paragraphs: Vec<_> = text
            .split("\n\n")
            .map(|text| text.replace('\n', " "))
            .collect();
        *text = paragraphs.join("\n\n");
    }
    transform_subschemas(&mut unwrap_descriptions, schema);
}

pub(super) fn preset(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Preset::ALL.map(Preset::as_str) })
}

pub(super) fn algorithms(_: &mut SchemaGenerator) -> Schema {
    let names = Algorithm::ALL.map(Algorithm::as_str);
    json_schema!({ "type": "array", "items": { "type": "string", "enum": names } })
}

/// The keys of `withdrawn`, which the module reads without `serde`.
#[derive(JsonSchema)]
#[schemars(rename = "Withdrawn")]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is of use")]
pub(super) struct WithdrawnShape {
    /// Clients all of whose tokens are refused.
    clients: Option<Vec<String>>,
    /// Tokens refused by when they were issued.
    issued_before: Option<Vec<IssuedBeforeShape>>,
    /// Keys all of whose tokens are refused.
    key_ids: Option<Vec<String>>,
    /// A document with the same keys, fetched again and again.
    list: Option<ListShape>,
    /// Subjects all of whose tokens are refused.
    subjects: Option<Vec<String>>,
    /// Tokens by their `jti`.
    token_ids: Option<Vec<String>>,
    /// Tokens by their SHA-256, in hexadecimal digits.
    tokens: Option<Vec<Sha256>>,
}

#[derive(JsonSchema)]
#[schemars(rename = "IssuedBefore")]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is of use")]
struct IssuedBeforeShape {
    /// Of this issuer; of any, when absent.
    issuer: Option<String>,
    /// Of this subject; of any, when absent.
    subject: Option<String>,
    /// Issued before this moment.
    time: Moment,
}

#[derive(JsonSchema)]
#[schemars(rename = "List")]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is of use")]
struct ListShape {
    /// The Envoy cluster by which it is fetched.
    cluster: String,
    /// Where it is published.
    uri: String,
    /// How often it is fetched.
    poll: Option<Span>,
    /// How long the last known list serves when it cannot be fetched.
    max_stale: Option<Span>,
    /// What becomes of requests after that.
    when_stale: Option<WhenStaleShape>,
}

#[derive(JsonSchema)]
#[schemars(rename = "WhenStale")]
#[schemars(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its shape is of use")]
enum WhenStaleShape {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_are_told_what_every_key_is_for() {
        let schema: Value = serde_json::from_str(&text()).unwrap();
        let mut objects = vec![("", &schema)];
        let named = schema["$defs"].as_object().unwrap();
        objects.extend(named.iter().map(|(name, object)| (name.as_str(), object)));
        let keys = objects.iter().flat_map(|(name, object)| {
            let keys = object["properties"].as_object().into_iter().flatten();
            keys.map(move |(key, about)| (format!("{name}.{key}"), about))
        });
        let silent: Vec<_> = keys
            .filter(|(_, about)| about["description"].as_str().is_none_or(str::is_empty))
            .map(|(key, _)| key)
            .collect();
        assert!(silent.is_empty(), "no doc comment: {silent:?}");
    }
}
