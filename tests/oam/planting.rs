//! Planting faults into a configuration of an Envoy.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// A fault, and its twin that has none.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The files that it is planted in, where these are not always the same.
    #[serde(default)]
    pub(crate) of: Vec<String>,
    /// The code that is to be found.
    pub(crate) finds: String,
    /// What follows from it, and is found as well.
    #[serde(default)]
    pub(crate) also: Vec<String>,
    pub(crate) faulty: BTreeMap<String, Value>,
    pub(crate) valid: BTreeMap<String, Value>,
}

/// What the first words of places stand for.
const PLACES: [(&str, &str); 7] = [
    ("bootstrap", ""),
    ("clusters", "/static_resources/clusters"),
    ("configuration", "MODULE/configuration/value"),
    ("filter", "MANAGER/http_filters/0"),
    ("listeners", "/static_resources/listeners"),
    ("module", "MODULE"),
    ("routes", "MANAGER/route_config/virtual_hosts/0"),
];

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

/// The bootstrap with these values set.
pub(crate) fn planted(bootstrap: &Value, edits: &BTreeMap<String, Value>) -> Value {
    plant(bootstrap, edits, pointer, &|value| filled(value, bootstrap))
}

/// The same of anything, in which `pointer` finds places and `filled` makes of values what they
/// stand for.
pub(crate) fn plant(
    root: &Value,
    edits: &BTreeMap<String, Value>,
    pointer: impl Fn(&str) -> String,
    filled: &dyn Fn(&Value) -> Value,
) -> Value {
    let mut planted = root.clone();
    // Items are added before anything is set in them.
    let is_added = |place: &str| place.ends_with("/-") || place.contains("/+");
    let (added, set): (Vec<_>, Vec<_>) = edits.iter().partition(|(place, _)| is_added(place));
    for (place, value) in added.into_iter().chain(set) {
        set_at(&mut planted, &pointer(place), filled(value));
    }
    planted
}

fn pointer(place: &str) -> String {
    let (first, rest) = place.split_once('/').unwrap();
    let known = PLACES.iter().chain([&("manager", "MANAGER")]);
    let mut known = known.filter(|(name, _)| *name == first);
    let (_, prefix) = known.next().unwrap_or_else(|| panic!("{place}"));
    let module = "MANAGER/http_filters/0/typed_config/config";
    let prefix = prefix.replace("MODULE", module).replace("MANAGER", MANAGER);
    format!("{prefix}/{rest}")
}

/// Sets the value at a place; objects on the way are made.
fn set_at(root: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let mut here = root;
    for step in parent.split('/').skip(1) {
        here = if here.is_array() {
            &mut here[step.parse::<usize>().unwrap()]
        } else {
            &mut here[step]
        };
    }
    if let Some(items) = here.as_array_mut() {
        match last.strip_prefix('+') {
            None if last == "-" => items.push(value),
            Some(position) => items.insert(position.parse().unwrap(), value),
            None => items[last.parse::<usize>().unwrap()] = value,
        }
    } else if value.is_null() {
        here.as_object_mut().unwrap().remove(last).unwrap();
    } else {
        here[last] = value;
    }
}

/// The value with what its texts stand for.
fn filled(value: &Value, bootstrap: &Value) -> Value {
    let filter = || {
        bootstrap
            .pointer(&pointer("manager/http_filters/0"))
            .unwrap()
            .clone()
    };
    match value {
        Value::String(text) if text == "$filter" => filter(),
        Value::String(text) if text == "$disabled" => {
            let mut filter = filter();
            filter["disabled"] = json!(true);
            filter
        }
        Value::String(text) if text == "$other" => {
            let mut other = filter();
            other["name"] = json!("other");
            let config = &mut other["typed_config"]["config"];
            config["name"] = json!("other");
            config["vm_config"]["code"] = json!({ "local": { "inline_bytes": IDLE } });
            config["vm_config"]["vm_id"] = json!("other");
            config["configuration"] =
                json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": "x" });
            other
        }
        Value::String(text) if text == "$tls" => bootstrap
            .pointer(&pointer("clusters/1/transport_socket"))
            .unwrap()
            .clone(),
        Value::Array(items) => items.iter().map(|item| filled(item, bootstrap)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(key, value)| (key.clone(), filled(value, bootstrap)))
                .collect()
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// A module that Envoy loads and that does nothing: `proxy_abi_version_0_2_1`,
/// `proxy_on_memory_allocate` and a memory.
const IDLE: &str = "AGFzbQEAAAABCQJgAABgAX8BfwMDAgABBQMBAAEHPwMXcHJveHlfYWJpX3ZlcnNpb25fMF8yXzEAABhwcm94eV9vbl9tZW1vcnlfYWxsb2NhdGUAAQZtZW1vcnkCAAoJAgIACwQAQQAL";
