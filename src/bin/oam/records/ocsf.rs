//! Records within events of OCSF: class 6003, API Activity.
//!
//! What the class has no attribute for stands under `unmapped`, by our own names. The rest is read
//! from where the module writes it.

use databricks_oam_filter::time::UnixTime;
use serde_json::{Map, Value, json};

use super::line::Fault;

/// The record in an event, as its line; `None` where it is none of ours.
pub(super) fn record(text: &str) -> Result<Option<String>, Fault> {
    let event: Value = serde_json::from_str(text)?;
    let is_ours = event.get("class_uid").and_then(Value::as_u64) == Some(API_ACTIVITY);
    let Some(Value::Object(unmapped)) = event.get("unmapped").filter(|_| is_ours) else {
        return Ok(None);
    };
    if !unmapped.contains_key("decision") {
        return Ok(None);
    }
    let mut record = unmapped.clone();
    for (name, place) in PLACES {
        let value = event.pointer(place).unwrap_or(&Value::Null);
        if value != UNKNOWN {
            record.insert((*name).to_owned(), value.clone());
        }
    }
    // OCSF counts milliseconds; 0 is a gateway without a clock.
    let millis = |place| {
        event
            .pointer(place)
            .and_then(Value::as_u64)
            .filter(|&millis| millis > 0)
    };
    let time = millis("/time").and_then(UnixTime::from_millis);
    record.insert("time".to_owned(), json!(time.map(|time| time.to_string())));
    let expires_at = millis("/actor/session/expiration_time").map(|millis| millis / 1000);
    record.insert("token_expires_at".to_owned(), json!(expires_at));
    put_lists(&event, &mut record);
    Ok(Some(Value::Object(record).to_string()))
}

/// What stands in lists, each with its `type`.
fn put_lists(event: &Value, record: &mut Map<String, Value>) {
    let list = |name| {
        event
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let policies = |kind: &'static str| {
        let policies = list("authorizations").filter_map(|one| one.get("policy"));
        policies.filter(move |policy| policy.get("type") == Some(&json!(kind)))
    };
    let name = |policy: &Value| policy.get("name").cloned();
    let version = |policy: &Value| policy.get("version").cloned();
    let workspace = list("resources").find(|one| one.get("type") == Some(&json!(WORKSPACE)));
    let roles: Vec<Value> = policies("role").filter_map(name).collect();
    let config = policies("rule")
        .chain(policies("catalogue"))
        .find_map(version);
    for (member, value) in [
        ("roles", json!(roles)),
        ("rule", json!(policies("rule").find_map(name))),
        ("config", json!(config)),
        ("workspace", json!(workspace.and_then(|one| one.get("uid")))),
    ] {
        record.insert(member.to_owned(), value);
    }
}

const API_ACTIVITY: u64 = 6003;

/// What the module writes where OCSF requires a value and there is none.
const UNKNOWN: &str = "unknown";
const WORKSPACE: &str = "databricks_workspace";

/// Where an event has what a record has under this name.
const PLACES: &[(&str, &str)] = &[
    ("reason", "/status_code"),
    ("decision_id", "/metadata/uid"),
    ("request_id", "/http_request/uid"),
    ("trace_id", "/trace/uid"),
    ("method", "/http_request/http_method"),
    ("host", "/dst_endpoint/hostname"),
    ("path", "/http_request/url/path"),
    ("operation", "/api/operation"),
    ("issuer", "/actor/session/issuer"),
    ("subject", "/actor/user/uid"),
    ("client", "/actor/app_uid"),
    ("token_id", "/actor/session/uid"),
    ("credential_fingerprint", "/actor/session/credential_uid"),
    ("source_ip", "/src_endpoint/ip"),
    ("user_agent", "/http_request/user_agent"),
    ("sequence", "/metadata/sequence"),
];
