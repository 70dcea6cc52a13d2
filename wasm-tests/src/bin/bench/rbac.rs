//! The catalogue as a policy of Envoy's RBAC filter: as a list, and as a matcher tree.
//!
//! Each operation wants its method, its path, and one of the scopes that cover it, which the JWT
//! filter left in the request's metadata. The tree finds the path in a map, then the method in a
//! map, then looks at scopes: it does not grow with the catalogue.

use std::collections::BTreeMap;

use databricks_oam_filter::databricks::{Access, Catalogue, Operation, OperationRequirement};
use databricks_oam_filter::path::template::{Segment, Template};
use serde_json::{Map, Value, json};

use crate::filters::METADATA_KEY;

/// The filter with a policy for each scope, and in it a permission for each operation.
pub(crate) fn list() -> Value {
    let mut policies: BTreeMap<String, (Vec<Value>, Value)> = BTreeMap::new();
    for operation in Catalogue::shared().operations() {
        let (name, scopes) = scopes(operation);
        let policy = policies
            .entry(name)
            .or_insert_with(|| (Vec::new(), principal(&scopes)));
        policy.0.push(permission(operation));
    }
    let policies: Map<String, Value> = policies
        .into_iter()
        .map(|(name, (permissions, principal))| {
            let policy = json!({ "permissions": permissions, "principals": [principal] });
            (name, policy)
        })
        .collect();
    filter(&json!({ "rules": { "action": "ALLOW", "policies": policies } }))
}

/// The filter with a tree.
pub(crate) fn tree() -> Value {
    let mut exact: BTreeMap<&str, Vec<&Operation>> = BTreeMap::new();
    let mut prefixes: BTreeMap<String, BTreeMap<&str, Vec<&Operation>>> = BTreeMap::new();
    for operation in Catalogue::shared().operations() {
        match operation.template.split_once('{') {
            None => exact.entry(operation.template).or_default().push(operation),
            Some((prefix, _)) => prefixes
                .entry(prefix.to_owned())
                .or_default()
                .entry(operation.template)
                .or_default()
                .push(operation),
        }
    }
    let exact: Map<String, Value> = exact
        .into_iter()
        .map(|(path, operations)| (path.to_owned(), by_method(&operations)))
        .collect();
    let prefixes: Map<String, Value> = prefixes
        .into_iter()
        .map(|(prefix, templates)| (prefix, json!({ "matcher": by_template(&templates) })))
        .collect();
    filter(&json!({ "matcher": {
        "matcher_tree": { "input": header(":path"), "exact_match_map": { "map": exact } },
        "on_no_match": { "matcher": { "matcher_tree": { "input": header(":path"), "prefix_match_map": { "map": prefixes } } } },
    } }))
}

fn filter(rules: &Value) -> Value {
    let mut config = rules.clone();
    config["@type"] = json!("type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC");
    json!({ "name": "envoy.filters.http.rbac", "typed_config": config })
}

/// The policy that an operation belongs to, and the scopes any of which satisfies it; none where
/// every token does.
fn scopes(operation: &Operation) -> (String, Vec<String>) {
    match operation.requirement {
        OperationRequirement::AnyToken | OperationRequirement::NoToken => {
            ("any".to_owned(), Vec::new())
        }
        OperationRequirement::Scope(area) => {
            let area = area.name();
            let read = format!("{area}:read");
            match operation.access {
                Access::Read => (
                    read.clone(),
                    vec![area.to_owned(), read, "all-apis".to_owned()],
                ),
                Access::Write => (
                    area.to_owned(),
                    vec![area.to_owned(), "all-apis".to_owned()],
                ),
            }
        }
    }
}

fn permission(operation: &Operation) -> Value {
    let path = if operation.template.contains('{') {
        json!({ "safe_regex": { "regex": regex(operation.template) } })
    } else {
        json!({ "exact": operation.template })
    };
    let path = json!({ "url_path": { "path": path } });
    if operation.method == "*" {
        return path;
    }
    let method =
        json!({ "header": { "name": ":method", "string_match": { "exact": operation.method } } });
    json!({ "and_rules": { "rules": [method, path] } })
}

fn principal(scopes: &[String]) -> Value {
    if scopes.is_empty() {
        return json!({ "any": true });
    }
    json!({ "sourced_metadata": { "metadata_matcher": { "filter": METADATA, "path": scope_path(), "value": has_one_of(scopes) } } })
}

/// What follows where the path is that of these operations.
fn by_method(operations: &[&Operation]) -> Value {
    let mut methods = Map::new();
    let mut otherwise = None;
    for operation in operations {
        if operation.method == "*" {
            otherwise = Some(by_scope(operation));
        } else {
            methods.insert(operation.method.to_owned(), by_scope(operation));
        }
    }
    match otherwise {
        Some(otherwise) if methods.is_empty() => otherwise,
        otherwise => json!({ "matcher": {
            "matcher_tree": { "input": header(":method"), "exact_match_map": { "map": methods } },
            "on_no_match": otherwise,
        } }),
    }
}

/// Templates that share everything before their first name.
fn by_template(templates: &BTreeMap<&str, Vec<&Operation>>) -> Value {
    let matchers: Vec<Value> = templates
        .iter()
        .map(|(template, operations)| {
            json!({
                "predicate": { "single_predicate": {
                    "input": header(":path"),
                    "value_match": { "safe_regex": { "google_re2": {}, "regex": regex(template) } },
                } },
                "on_match": by_method(operations),
            })
        })
        .collect();
    json!({ "matcher_list": { "matchers": matchers } })
}

/// What follows where path and method are those of this operation.
fn by_scope(operation: &Operation) -> Value {
    let (name, scopes) = scopes(operation);
    let allow = json!({ "action": {
        "name": "allow",
        "typed_config": { "@type": "type.googleapis.com/envoy.config.rbac.v3.Action", "name": name, "action": "ALLOW" },
    } });
    if scopes.is_empty() {
        return allow;
    }
    let input = json!({
        "name": "scope",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput",
            "filter": METADATA,
            "path": scope_path(),
        },
    });
    let condition = json!({
        "name": "has-scope",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.matching.input_matchers.metadata.v3.Metadata",
            "value": has_one_of(&scopes),
        },
    });
    json!({ "matcher": { "matcher_list": { "matchers": [{
        "predicate": { "single_predicate": { "input": input, "custom_match": condition } },
        "on_match": allow,
    }] } } })
}

fn header(name: &str) -> Value {
    json!({
        "name": name,
        "typed_config": { "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": name },
    })
}

fn scope_path() -> Value {
    json!([{ "key": METADATA_KEY }, { "key": "scope" }])
}

fn has_one_of(scopes: &[String]) -> Value {
    let scopes: Vec<Value> = scopes
        .iter()
        .map(|scope| json!({ "string_match": { "exact": scope } }))
        .collect();
    json!({ "list_match": { "one_of": { "or_match": { "value_matchers": scopes } } } })
}

fn regex(template: &str) -> String {
    let template = Template::parse(template).expect("the catalogue holds templates");
    template
        .segments()
        .iter()
        .fold(String::new(), |regex, segment| {
            let segment = match segment {
                Segment::Literal(text) => escaped(text),
                Segment::Name => "[^/]+".to_owned(),
                Segment::Rest => ".+".to_owned(),
                Segment::Verb(suffix) => format!("[^/]+{}", escaped(suffix)),
            };
            format!("{regex}/{segment}")
        })
}

fn escaped(text: &str) -> String {
    text.replace('.', "\\.")
}

const METADATA: &str = "envoy.filters.http.jwt_authn";
