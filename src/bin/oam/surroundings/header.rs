//! Request headers that decide what a request is, and what a gateway does to them behind the
//! filter.

use super::code::Code;
use super::finding::Findings;
use super::node::Node;

/// Whether a header is a caller's credential.
fn is_credential(name: &str) -> bool {
    CREDENTIALS.contains(&name)
}

/// Whether the filter judged a request by this header, or removes it as forged.
pub(super) fn is_judged(name: &str) -> bool {
    name.starts_with(':')
        || name.starts_with("x-oam-")
        || name.starts_with("x-databricks-")
        || is_credential(name)
        || JUDGED.contains(&name)
}

/// The header that a mutation of Envoy's changes, where that was judged.
pub(super) fn mutated(mutation: &Node) -> Option<String> {
    let appended = mutation.at(&["append", "header"]);
    let name = appended
        .and_then(|header| header.text("key"))
        .or_else(|| mutation.text("remove"))?;
    let name = name.to_ascii_lowercase();
    is_judged(&name).then_some(name)
}

/// What is wrong with mutations ahead of the filter: it judges what they leave, but whoever sends a
/// request must show it themselves.
pub(super) fn check_credentials(mutations: &[Node], findings: &mut Findings) {
    for mutation in mutations {
        let set = mutation.at(&["append", "header"]);
        let name = set
            .and_then(|header| header.text("key"))
            .unwrap_or_default();
        let name = name.to_ascii_lowercase();
        if is_credential(&name) {
            findings.add(Code::CredentialAdded, mutation.place.clone(), &name);
        }
    }
}

/// What is wrong with a header that is set behind the filter.
pub(super) fn check_set(name: &str, at: &Node, findings: &mut Findings) {
    let name = name.to_ascii_lowercase();
    if is_credential(&name) {
        findings.add(Code::CredentialAdded, at.place.clone(), &name);
    } else if is_judged(&name) {
        findings.add(Code::HeaderRewritten, at.place.clone(), &name);
    }
}

/// What is wrong with the headers that a level of a route configuration adds and removes.
pub(super) fn check_level(level: &Node, findings: &mut Findings) {
    for option in level.items("request_headers_to_add") {
        let name = option.get("header").and_then(|header| header.text("key"));
        check_set(name.unwrap_or_default(), &option, findings);
    }
    for name in level.items("request_headers_to_remove") {
        let removed = name.value.as_str().unwrap_or_default().to_ascii_lowercase();
        if is_judged(&removed) && !is_credential(&removed) {
            findings.add(Code::HeaderRewritten, name.place.clone(), &removed);
        }
    }
    let own = level
        .get("typed_per_filter_config")
        .map(|node| node.members());
    for (_, config) in own.unwrap_or_default() {
        if !config.is_message("header_mutation.v3.HeaderMutationPerRoute") {
            continue;
        }
        let mutations = config.at(&["mutations", "request_mutations"]);
        for mutation in mutations.map(|node| node.elements()).unwrap_or_default() {
            if let Some(name) = mutated(&mutation) {
                check_set(&name, &mutation, findings);
            }
        }
    }
}

const CREDENTIALS: [&str; 4] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
];

/// Besides those that are named by how they begin.
const JUDGED: [&str; 8] = [
    "host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-method",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
];
