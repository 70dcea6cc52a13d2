//! `oam schema --record`: the JSON Schema of an audit record.

use serde_json::{Map, Value, json};

/// The schema, as text.
pub(super) fn text() -> String {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, kind, presence, about) in MEMBERS {
        let mut schema = kind.schema();
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), json!(about));
        }
        properties.insert((*name).to_owned(), schema);
        if *presence == Always {
            required.push(*name);
        }
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Audit record",
        "description": "One decision of databricks-oam-filter, on one line. Verified facts only, method, path, host and user agent aside.",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// Whether each record has it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Presence {
    Always,
    WhereItApplies,
}

/// What a member holds.
#[derive(Clone, Copy)]
enum MemberKind {
    Boolean,
    Inputs,
    Mcp,
    Nullable,
    Number,
    NullableNumber,
    Text,
    Texts,
    Unverified,
    Word(&'static [&'static str]),
}

impl MemberKind {
    fn schema(self) -> Value {
        let texts = json!({ "type": "array", "items": { "type": "string" } });
        match self {
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Inputs => {
                json!({ "type": "object", "properties": { "groups": texts, "roles": texts, "claims": { "type": "object" } } })
            }
            Self::Mcp => {
                json!({ "type": "object", "properties": { "method": { "type": "string" }, "name": { "type": ["string", "null"] }, "version": { "type": ["string", "null"] } } })
            }
            Self::Nullable => json!({ "type": ["string", "null"] }),
            Self::Number => json!({ "type": "integer", "minimum": 0 }),
            Self::NullableNumber => json!({ "type": ["integer", "null"], "minimum": 0 }),
            Self::Text => json!({ "type": "string" }),
            Self::Texts => texts,
            Self::Unverified => json!({
                "type": "object",
                "properties": { "issuer": { "type": "string" }, "subject": { "type": ["string", "null"] }, "audiences": texts },
                "required": ["issuer", "subject", "audiences"], "additionalProperties": false,
            }),
            Self::Word(words) => json!({ "enum": words }),
        }
    }
}

use Presence::{Always, WhereItApplies};

#[rustfmt::skip]
const MEMBERS: &[(&str, MemberKind, Presence, &str)] = &[
    ("time", MemberKind::Nullable, Always, "When it was decided, RFC 3339 in UTC; null where the gateway told no time"),
    ("decision", MemberKind::Word(&["allow", "deny"]), Always, "What was decided"),
    ("mode", MemberKind::Word(&["enforce", "shadow"]), Always, "Whether the decision is enforced; a denial in shadow mode went upstream"),
    ("reason", MemberKind::Text, Always, "Why, as a stable name"),
    ("claim", MemberKind::Text, WhereItApplies, "The claim for which the token was refused"),
    ("claim_fault", MemberKind::Text, WhereItApplies, "What is wrong with that claim"),
    ("decision_id", MemberKind::Text, Always, "The decision's own ID, which answers name too"),
    ("request_id", MemberKind::Nullable, Always, "The gateway's x-request-id"),
    ("trace_id", MemberKind::Text, WhereItApplies, "The trace, from traceparent"),
    ("method", MemberKind::Text, Always, "The method, as sent"),
    ("host", MemberKind::Nullable, Always, "The host, as sent"),
    ("path", MemberKind::Text, Always, "The path, as sent, without its query"),
    ("mcp", MemberKind::Mcp, WhereItApplies, "The MCP call that the headers name"),
    ("operation", MemberKind::Nullable, Always, "The operation of the catalogue"),
    ("required_scopes", MemberKind::Texts, Always, "What the operation or the rules ask for"),
    ("token_scopes", MemberKind::Texts, WhereItApplies, "What the token carries, where that differs from the effective scopes"),
    ("role_grants", MemberKind::Texts, WhereItApplies, "What the roles grant, where that differs from the effective scopes"),
    ("effective_scopes", MemberKind::Texts, Always, "What token and roles allow together"),
    ("rule", MemberKind::Nullable, Always, "The rule that decided"),
    ("roles", MemberKind::Texts, Always, "The roles held"),
    ("issuer", MemberKind::Nullable, Always, "The issuer of the verified token"),
    ("subject", MemberKind::Nullable, Always, "Whom it is about"),
    ("client", MemberKind::Nullable, Always, "To which client it was given"),
    ("actor", MemberKind::Text, WhereItApplies, "Who acts for the subject"),
    ("earlier_actors", MemberKind::Texts, WhereItApplies, "Who acted before, the latest first"),
    ("token_id", MemberKind::Nullable, Always, "The token's ID"),
    ("token_expires_at", MemberKind::NullableNumber, Always, "When it expires, in seconds since 1970"),
    ("token_lifetime", MemberKind::Number, WhereItApplies, "Seconds from its issue to its end"),
    ("offline_access", MemberKind::Boolean, WhereItApplies, "Whether it was granted offline_access"),
    ("credential", MemberKind::Nullable, Always, "The class of the credential"),
    ("credential_fingerprint", MemberKind::Text, WhereItApplies, "The name of a static token"),
    ("credential_leaked", MemberKind::Boolean, WhereItApplies, "Whether it was shown where it must be taken for known to others"),
    ("unverified", MemberKind::Unverified, WhereItApplies, "What a refused or foreign token says of itself, which nobody verified"),
    ("inputs", MemberKind::Inputs, WhereItApplies, "What the policy judged by"),
    ("workspace", MemberKind::Nullable, Always, "The workspace that it is for"),
    ("exchanged_scope", MemberKind::Text, WhereItApplies, "The scope for which the token was exchanged"),
    ("exchange_error", MemberKind::Text, WhereItApplies, "Why the token endpoint refused"),
    ("source_ip", MemberKind::Nullable, Always, "The client's address"),
    ("user_agent", MemberKind::Nullable, Always, "The client's name for itself"),
    ("worker", MemberKind::Text, Always, "The worker that decided, under one configuration: a random number, in hexadecimal"),
    ("sequence", MemberKind::Number, Always, "Counts the records of that worker from 1, without gaps: a missing number is a missing record"),
    ("config", MemberKind::Text, Always, "The beginning of the configuration's SHA-256"),
];
