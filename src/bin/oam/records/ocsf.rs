//! Records within events of OCSF: class 6003, API Activity.
//!
//! The module writes under `unmapped`, by our own names, what OCSF has no place for. The rest is
//! read from where OCSF has it. All that knows OCSF is the list [`PLACES`].

use databricks_oam_filter::time::UnixTime;
use serde_json::{Map, Value};

use super::line::Fault;

/// The record that an event tells of, as its line; `None` where it is none of ours.
pub(super) fn record(text: &str) -> Result<Option<String>, Fault> {
    let event: Value = serde_json::from_str(text)?;
    if event.get("class_uid").and_then(Value::as_u64) != Some(API_ACTIVITY) {
        return Ok(None);
    }
    let mut record = match event.get("unmapped") {
        Some(Value::Object(unmapped)) => unmapped.clone(),
        _ => Map::new(),
    };
    for (name, place) in PLACES {
        let value = event.pointer(place).filter(|value| !value.is_null());
        if let (Some(value), false) = (value, record.contains_key(*name)) {
            record.insert((*name).to_owned(), value.clone());
        }
    }
    put_time(&event, &mut record);
    put_decision(&event, &mut record);
    if !record.contains_key("reason") || !record.contains_key("decision_id") {
        return Ok(None);
    }
    Ok(Some(Value::Object(record).to_string()))
}

/// OCSF counts milliseconds.
fn put_time(event: &Value, record: &mut Map<String, Value>) {
    let millis = event.get("time").and_then(Value::as_u64);
    if let (Some(time), false) = (
        millis.and_then(UnixTime::from_millis),
        record.contains_key("time"),
    ) {
        record.insert("time".to_owned(), time.to_string().into());
    }
}

/// `action_id`: 1 allowed, 2 denied, 3 observed: a denial that is not enforced.
fn put_decision(event: &Value, record: &mut Map<String, Value>) {
    let (decision, mode) = match event.get("action_id").and_then(Value::as_u64) {
        Some(1) => ("allow", "enforce"),
        Some(2) => ("deny", "enforce"),
        Some(3) => ("deny", "shadow"),
        _ => return,
    };
    for (name, word) in [("decision", decision), ("mode", mode)] {
        record.entry(name).or_insert_with(|| word.into());
    }
}

const API_ACTIVITY: u64 = 6003;

/// Where an event has what a record has under this name.
const PLACES: &[(&str, &str)] = &[
    ("reason", "/status_code"),
    ("decision_id", "/metadata/uid"),
    ("request_id", "/http_request/uid"),
    ("trace_id", "/trace/uid"),
    ("method", "/http_request/http_method"),
    ("host", "/http_request/url/hostname"),
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
