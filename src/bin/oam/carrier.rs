//! What carries a configuration to the gateway: an Envoy bootstrap, Istio's `WasmPlugin`, Envoy Gateway's `EnvoyExtensionPolicy`.
//!
//! Finds the configurations of this filter in it, and what around them would undo their work.

use std::path::Path;

use serde_json::Value;

use super::{Unreadable, file};

/// A configuration where it was found.
pub(super) struct Found {
    /// Its place in the file; empty where the file is the configuration.
    pub(super) place: String,
    /// Its JSON text.
    pub(super) text: String,
    /// What is wrong around it.
    pub(super) errors: Vec<String>,
    /// What is better otherwise.
    pub(super) warnings: Vec<String>,
}

/// Every configuration of this filter in a file, one at least.
pub(super) fn find(path: &Path) -> Result<Vec<Found>, Unreadable> {
    let documents = file::documents(path)?;
    let mut found = Vec::new();
    for document in &documents {
        match (
            text(document, "kind"),
            document.get("static_resources"),
            document.get("dynamic_resources"),
        ) {
            (Some("WasmPlugin"), ..) => found.extend(wasm_plugin(document)),
            (Some("EnvoyExtensionPolicy"), ..) => found.extend(extension_policy(document)),
            (None, None, None) if !has_filter(document) => found.push(plain(document)),
            _ => found.extend(envoy(document)),
        }
    }
    if found.is_empty() {
        let name = path.display();
        return Err(Unreadable(format!(
            "`{name}` holds no configuration of this filter"
        )));
    }
    Ok(found)
}

/// The one configuration in a file.
pub(super) fn only(path: &Path) -> Result<String, Unreadable> {
    let mut found = find(path)?;
    let name = path.display();
    match (found.pop(), found.is_empty()) {
        (Some(found), true) => Ok(found.text),
        _ => Err(Unreadable(format!(
            "`{name}` holds several configurations: put the one that is meant into a file of its own"
        ))),
    }
}

fn plain(document: &Value) -> Found {
    Found {
        place: String::new(),
        text: document.to_string(),
        errors: Vec::new(),
        warnings: Vec::new(),
    }
}

fn wasm_plugin(document: &Value) -> Option<Found> {
    let spec = document.get("spec")?;
    let mut found = Found {
        place: "spec.pluginConfig".to_owned(),
        ..plain(spec.get("pluginConfig")?)
    };
    match text(spec, "failStrategy") {
        Some("FAIL_RELOAD") => {}
        Some("FAIL_OPEN") => found.errors.push(format!("spec.failStrategy: {OPEN}")),
        _ => found
            .errors
            .push(format!("spec.failStrategy: {CLOSED_FOR_GOOD}")),
    }
    Some(found)
}

fn extension_policy(document: &Value) -> Vec<Found> {
    let entries: Vec<&Value> = items(document.pointer("/spec/wasm")).collect();
    let mut found = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        let Some(config) = entry.get("config") else {
            continue;
        };
        if entries.len() > 1 && config.get("issuers").is_none() {
            continue;
        }
        let place = format!("spec.wasm[{position}]");
        let mut one = Found {
            place: format!("{place}.config"),
            ..plain(config)
        };
        if entry.get("failOpen") == Some(&Value::Bool(true)) {
            one.errors
                .push(format!("{place}.failOpen: {OPEN_ENVOY_GATEWAY}"));
        }
        found.push(one);
    }
    found
}

/// Every filter of ours in an Envoy configuration, or in part of one.
fn envoy(document: &Value) -> Vec<Found> {
    let mut filters = Vec::new();
    walk(document, String::new(), None, &mut filters);
    let alone = filters.len() == 1;
    let mut found = Vec::new();
    for filter in &filters {
        let Some((place, configuration)) = filter.configuration() else {
            continue;
        };
        if !alone && !configuration.contains("\"issuers\"") {
            continue;
        }
        let mut one = Found {
            place,
            errors: Vec::new(),
            warnings: Vec::new(),
            text: configuration,
        };
        filter.check_failure(&mut one);
        filter.check_machine(&mut one);
        filter.check_capabilities(&mut one);
        filter.check_connection(&mut one);
        check_clusters(document, &mut one);
        found.push(one);
    }
    found
}

/// A wasm filter, its place, and the connection manager that it stands in.
struct Filter<'a> {
    place: String,
    value: &'a Value,
    manager: Option<(String, &'a Value)>,
}

impl Filter<'_> {
    fn configuration(&self) -> Option<(String, String)> {
        let place = format!("{}.config.configuration", self.place);
        let configuration = self.value.pointer("/config/configuration")?;
        let text = match configuration.get("value") {
            // A `StringValue`, which Envoy hands over as it is.
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => configuration.to_string(),
        };
        Some((place, text))
    }

    fn check_failure(&self, found: &mut Found) {
        let config = self.value.get("config").unwrap_or(&Value::Null);
        let place = format!("{}.config", self.place);
        if config.get("fail_open") == Some(&Value::Bool(true)) {
            found.errors.push(format!("{place}.fail_open: {OPEN}"));
            return;
        }
        match text(config, "failure_policy") {
            Some("FAIL_RELOAD") => {}
            Some("FAIL_OPEN") => found.errors.push(format!("{place}.failure_policy: {OPEN}")),
            _ => found
                .errors
                .push(format!("{place}.failure_policy: {CLOSED_FOR_GOOD}")),
        }
    }

    /// What other modules of one `vm_id` put where workers share keys would be taken for an issuer's.
    fn check_machine(&self, found: &mut Found) {
        let id = self.value.pointer("/config/vm_config/vm_id");
        if id.and_then(Value::as_str).is_none_or(str::is_empty) {
            found.warnings.push(format!("{}.config.vm_config.vm_id: missing: other modules without one could give this one keys to verify tokens with; write one that no other module has", self.place));
        }
    }

    /// What Envoy is told to grant a module is all that it grants it. Nothing is told where the list is empty.
    fn check_capabilities(&self, found: &mut Found) {
        let (restriction, list) = ("capability_restriction_config", "allowed_capabilities");
        let config = self.value.get("config").unwrap_or(&Value::Null);
        let granted = in_either_spelling(config, restriction)
            .and_then(|restriction| in_either_spelling(restriction, list));
        let Some(granted) = granted else {
            return;
        };
        let place = format!("{}.config.{restriction}.{list}", self.place);
        let Some(granted) = granted.as_object() else {
            found.errors.push(format!(
                "{place}: not an object: write `proxy_log: {{}}` and the like"
            ));
            return;
        };
        if granted.is_empty() {
            return;
        }
        let mut check = |needed: &[&str], consequence: &str| {
            let missing = needed.iter().filter(|name| !granted.contains_key(**name));
            let missing: Vec<&str> = missing.copied().collect();
            if !missing.is_empty() {
                let missing = missing.join("`, `");
                found
                    .errors
                    .push(format!("{place}: {consequence}; grant `{missing}`"));
            }
        };
        check(&GATES, "what Envoy does not show the filter passes it");
        check(&CALLBACKS, "the filter is never ready without these");
        check(&CALLS, "the filter refuses or holds requests without these");
    }

    fn check_connection(&self, found: &mut Found) {
        let Some((place, manager)) = &self.manager else {
            return;
        };
        for key in ["normalize_path", "merge_slashes"] {
            if manager.get(key) != Some(&Value::Bool(true)) {
                found.errors.push(format!("{place}.{key}: not `true`: Envoy and the workspace may read one path differently; write `true`"));
            }
        }
        let escaped = "path_with_escaped_slashes_action";
        if !matches!(
            text(manager, escaped),
            Some("REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "UNESCAPE_AND_FORWARD")
        ) {
            found.errors.push(format!("{place}.{escaped}: escaped slashes pass, and servers differ on what they are; write `REJECT_REQUEST`"));
        }
        let buffers = items(manager.get("http_filters")).any(|filter| {
            let kind = filter
                .pointer("/typed_config/@type")
                .and_then(Value::as_str);
            kind.is_some_and(|kind| {
                kind.ends_with("envoy.extensions.filters.http.buffer.v3.Buffer")
            })
        });
        if !buffers {
            found.warnings.push(format!("{place}.http_filters: no `envoy.filters.http.buffer` behind the filter: the head of a token request reaches the workspace before its form was judged; add one for `/oidc/`"));
        }
        let timeout = text(manager, "stream_idle_timeout");
        if timeout.is_none_or(|timeout| timeout.trim_end_matches('s').parse() == Ok(0.0)) {
            found.warnings.push(format!("{place}.stream_idle_timeout: missing or endless: a request that waits for a module which failed waits for minutes; write `30s`"));
        }
    }
}

/// Whether there is a cluster for everything that is fetched or exchanged.
fn check_clusters(document: &Value, found: &mut Found) {
    let dynamic = document.pointer("/dynamic_resources/cds_config").is_some()
        || document.pointer("/dynamic_resources/ads_config").is_some();
    if dynamic || document.get("static_resources").is_none() {
        return;
    }
    let clusters: Vec<&str> = items(document.pointer("/static_resources/clusters"))
        .filter_map(|cluster| text(cluster, "name"))
        .collect();
    let configuration: Value = serde_json::from_str(&found.text).unwrap_or_default();
    let issuers = items(configuration.get("issuers")).enumerate();
    let mut named: Vec<(String, &str)> = issuers
        .filter_map(|(position, issuer)| {
            let cluster = issuer.pointer("/jwks/cluster")?.as_str()?;
            Some((format!("issuers[{position}].jwks.cluster"), cluster))
        })
        .collect();
    for section in ["exchange", "withdrawn.list"] {
        let pointer = format!("/{}/cluster", section.replace('.', "/"));
        let cluster = configuration.pointer(&pointer).and_then(Value::as_str);
        named.extend(cluster.map(|cluster| (format!("{section}.cluster"), cluster)));
    }
    for (place, cluster) in named {
        if !clusters.contains(&cluster) {
            let known = clusters.join(", ");
            found.errors.push(format!(
                "{place}: no such cluster in the bootstrap, which has {known}; add it there: `{cluster}`"
            ));
        }
    }
}

/// Finds the wasm filters below a value. The parser has bounded how deep that goes.
fn walk<'a>(
    value: &'a Value,
    place: String,
    manager: Option<(&str, &'a Value)>,
    filters: &mut Vec<Filter<'a>>,
) {
    if is_filter(value) {
        let manager = manager.map(|(place, value)| (place.to_owned(), value));
        filters.push(Filter {
            place,
            value,
            manager,
        });
        return;
    }
    match value {
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                walk(item, format!("{place}[{position}]"), manager, filters);
            }
        }
        Value::Object(members) => {
            let is_manager = members.contains_key("http_filters");
            let manager = if is_manager {
                Some((place.as_str(), value))
            } else {
                manager
            };
            for (key, member) in members {
                let dot = if place.is_empty() { "" } else { "." };
                walk(member, format!("{place}{dot}{key}"), manager, filters);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_filter(value: &Value) -> bool {
    text(value, "@type")
        .is_some_and(|name| name.ends_with("envoy.extensions.filters.http.wasm.v3.Wasm"))
}

fn has_filter(document: &Value) -> bool {
    let mut filters = Vec::new();
    walk(document, String::new(), None, &mut filters);
    !filters.is_empty()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

/// A member of a message, which Envoy takes under its name and under that name's JSON form, as in `allowedCapabilities`.
fn in_either_spelling<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    let json_name = words.fold(first, |mut name, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        name.push_str(&initial.to_ascii_uppercase());
        name + rest
    });
    value.get(name).or_else(|| value.get(json_name))
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

const OPEN: &str = "once the module has failed, every request goes to the workspace unchecked; write `FAIL_RELOAD`";
const OPEN_ENVOY_GATEWAY: &str =
    "once the module has failed, every request goes to the workspace unchecked; remove it";
const CLOSED_FOR_GOOD: &str = "not `FAIL_RELOAD`: a worker whose module has failed once answers 503 until the configuration changes; write `FAIL_RELOAD`";

/// By what Envoy shows the module requests.
const GATES: [&str; 3] = [
    "proxy_on_request_body",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
];

/// What else Envoy calls in it.
const CALLBACKS: [&str; 6] = [
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_tick",
    "proxy_on_vm_start",
];

/// What the module calls in Envoy, but for shared data: without that, each worker fetches keys for itself.
const CALLS: [&str; 22] = [
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "proxy_call_foreign_function",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_property",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_tick_period_milliseconds",
    "random_get",
];
