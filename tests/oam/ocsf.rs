//! Records as the events that `audit.format: ocsf` makes of them. That the module writes them so is
//! held where both formats are read again (`src/bin/oam/records/written.rs`).

use databricks_oam_filter::time::{UnixTime, parse_moment};
use serde_json::{Map, Value, json};

/// The event of a compact record, on a line. By its first member it is known behind a prefix.
pub(crate) fn event(record: &Value) -> String {
    let rest = members(record).to_string();
    format!("{{\"category_uid\":6,{}", rest.strip_prefix('{').unwrap())
}

fn members(record: &Value) -> Value {
    let name = |name: &str| record[name].clone();
    let time = record["time"]
        .as_str()
        .map(|time| parse_moment(time).unwrap());
    let policy = |kind: &str, name: &Value| {
        json!({ "decision": record["decision"], "policy": {
            "name": name, "type": kind, "version": record["config"], "is_applied": true,
        } })
    };
    let judge = match record["rule"].as_str() {
        None => policy("catalogue", &json!("catalogue")),
        Some(rule) => policy("rule", &json!(rule)),
    };
    let roles = record["roles"].as_array().into_iter().flatten();
    let authorizations: Vec<Value> = std::iter::once(judge)
        .chain(roles.map(|role| policy("role", role)))
        .collect();
    let workspaces = record["workspace"].as_str();
    let workspaces = workspaces.map(|id| json!({ "type": "databricks_workspace", "uid": id }));
    let user = match record["subject"].as_str() {
        None => json!({ "name": "unknown" }),
        Some(subject) => json!({ "uid": subject }),
    };
    let expires_at = record["token_expires_at"].as_u64();
    json!({
        "class_uid": 6003,
        "time": time.map_or(0, UnixTime::millis),
        "metadata": {
            "version": "1.9.0", "uid": name("decision_id"), "sequence": name("sequence"),
        },
        "status_code": name("reason"),
        "actor": {
            "user": user,
            "app_uid": name("client"),
            "session": {
                "uid": name("token_id"), "issuer": name("issuer"),
                "expiration_time": expires_at.map(|seconds| seconds.checked_mul(1000).unwrap()),
                "credential_uid": name("credential_fingerprint"),
            },
        },
        "api": { "operation": record["operation"].as_str().unwrap_or("unknown") },
        "src_endpoint": { "ip": name("source_ip") },
        "dst_endpoint": { "hostname": name("host") },
        "http_request": {
            "http_method": name("method"), "url": { "path": name("path") },
            "user_agent": name("user_agent"), "uid": name("request_id"),
        },
        "resources": Vec::from_iter(workspaces),
        "authorizations": authorizations,
        "trace": { "uid": name("trace_id") },
        "unmapped": unmapped(record),
    })
}

fn unmapped(record: &Value) -> Map<String, Value> {
    let members = UNMAPPED.iter().map(|name| (*name, &record[*name]));
    let there = members.filter(|(_, value)| !value.is_null());
    there
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

/// What the class has no attribute for.
const UNMAPPED: [&str; 18] = [
    "decision",
    "mode",
    "claim",
    "claim_fault",
    "mcp",
    "required_scopes",
    "token_scopes",
    "role_grants",
    "effective_scopes",
    "actor",
    "earlier_actors",
    "token_lifetime",
    "credential",
    "credential_leaked",
    "unverified",
    "inputs",
    "exchanged_scope",
    "worker",
];
