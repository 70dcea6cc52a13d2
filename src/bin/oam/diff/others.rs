//! What changes beside who may do what: a short list, straight from the two texts.

use std::collections::BTreeSet;

use databricks_oam_filter::comparison::Sides;
use serde_json::{Map, Value};

/// Every change outside `roles` and what the rules say of requests.
pub(super) fn of(sides: Sides<&Value>) -> Vec<String> {
    let mut changes = Vec::new();
    let empty = Map::new();
    let sections = sides.map(|side| side.as_object().unwrap_or(&empty));
    for name in keys(sections) {
        let section = sections.map(|side| side.get(name).unwrap_or(&Value::Null));
        match name.as_str() {
            "roles" => named(
                "role",
                "name",
                section,
                &["members", "grants", "workspaces"],
                &mut changes,
            ),
            "issuers" => named("issuer", "issuer", section, &[], &mut changes),
            "workspaces" => named("workspace", "id", section, &[], &mut changes),
            "policy" => policy(section, &mut changes),
            _ => walk(name, section, &[], &mut changes),
        }
    }
    changes
}

fn policy(section: Sides<&Value>, changes: &mut Vec<String>) {
    let part = |name: &str| section.map(|side| side.get(name).unwrap_or(&Value::Null));
    walk("policy.mode", part("mode"), &[], changes);
    walk("policy.unmatched", part("unmatched"), &[], changes);
    named("rule", "name", part("rules"), JUDGED, changes);
}

/// Entries of a list that have names.
fn named(what: &str, key: &str, lists: Sides<&Value>, judged: &[&str], changes: &mut Vec<String>) {
    let name = |entry: &Value| match entry.get(key) {
        Some(Value::String(name)) => name.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let entries = lists.map(|side| side.as_array().map(Vec::as_slice).unwrap_or_default());
    let all = entries.old.iter().chain(entries.new);
    let names: BTreeSet<String> = all.map(name).collect();
    for wanted in names {
        let found = entries.map(|side| side.iter().find(|entry| name(entry) == wanted));
        match (found.old, found.new) {
            (Some(old), Some(new)) => {
                let place = format!("{what} `{wanted}`");
                walk(&place, Sides { old, new }, judged, changes);
            }
            (None, Some(_)) => changes.push(format!("{what} `{wanted}`: added")),
            (Some(_), None) => changes.push(format!("{what} `{wanted}`: removed")),
            (None, None) => {}
        }
    }
}

/// Notes what differs, as deep down as possible. `left_out` are keys of the outermost object.
fn walk(place: &str, values: Sides<&Value>, left_out: &[&str], changes: &mut Vec<String>) {
    if values.old == values.new {
        return;
    }
    if place
        .rsplit('.')
        .next()
        .is_some_and(|key| SECRET.contains(&key))
    {
        changes.push(format!("{place}: changed (not shown: it may be secret)"));
        return;
    }
    let empty = Value::Object(Map::new());
    let either = |one: &'_ Value, other: &Value| one.is_null() && other.is_object();
    let values = Sides {
        old: if either(values.old, values.new) {
            &empty
        } else {
            values.old
        },
        new: if either(values.new, values.old) {
            &empty
        } else {
            values.new
        },
    };
    match (values.old, values.new) {
        (Value::Object(old), Value::Object(new)) => {
            let objects = Sides { old, new };
            for key in keys(objects) {
                if !left_out.contains(&key.as_str()) {
                    let inner = objects.map(|side| side.get(key).unwrap_or(&Value::Null));
                    walk(&format!("{place}.{key}"), inner, &[], changes);
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            let gone = old.iter().filter(|item| !new.contains(item));
            let come = new.iter().filter(|item| !old.contains(item));
            let parts = [("removed", list(gone)), ("added", list(come))];
            let parts = parts.into_iter().filter(|(_, items)| !items.is_empty());
            let parts: Vec<String> = parts.map(|(how, items)| format!("{how} {items}")).collect();
            changes.push(if parts.is_empty() {
                format!("{place}: in another order")
            } else {
                format!("{place}: {}", parts.join(", "))
            });
        }
        (Value::Null, new) => changes.push(format!("{place}: {} set", short(new))),
        (old, Value::Null) => changes.push(format!("{place}: {} no longer set", short(old))),
        (old, new) => changes.push(format!("{place}: {} → {}", short(old), short(new))),
    }
}

fn keys(objects: Sides<&Map<String, Value>>) -> BTreeSet<&String> {
    objects.old.keys().chain(objects.new.keys()).collect()
}

fn list<'v>(items: impl Iterator<Item = &'v Value>) -> String {
    let items: Vec<String> = items.map(short).collect();
    match items.get(..MOST_SHOWN) {
        Some(shown) if items.len() > MOST_SHOWN => {
            let more = items.len().saturating_sub(MOST_SHOWN);
            format!("{} and {more} more", shown.join(", "))
        }
        Some(_) | None => items.join(", "),
    }
}

/// A value in one line, cut where it is long.
fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("`{}…`", text.get(..end).unwrap_or(&text)),
        None => format!("`{text}`"),
    }
}

/// What of a rule the comparison of requests shows.
const JUDGED: &[&str] = &[
    "any_scope",
    "effect",
    "exact",
    "issuers",
    "mcp",
    "methods",
    "mode",
    "paths",
    "scopes",
];

/// Keys whose values nobody prints.
const SECRET: [&str; 2] = ["fingerprint_key", "headers"];

const MOST_SHOWN: usize = 5;

const MOST_CHARACTERS: usize = 80;
