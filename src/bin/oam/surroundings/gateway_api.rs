//! Routes of the Gateway API: to which backends they lead, and what they change on the way.

use super::code::Code;
use super::finding::Findings;
use super::header;
use super::node::Node;
use super::resource::Resource;

/// The filters of a route's rules, with those of their backends, and those that lie in resources of
/// their own.
pub(super) fn filters<'a>(route: &Resource<'a>, own: &[Resource<'a>]) -> Vec<Node<'a>> {
    let mut filters = Vec::new();
    for rule in route.spec.items("rules") {
        filters.extend(rule.items("filters"));
        for backend in rule.items("backendRefs") {
            filters.extend(backend.items("filters"));
        }
    }
    let references: Vec<Node> = filters
        .iter()
        .filter_map(|filter| filter.get("extensionRef"))
        .collect();
    for reference in references {
        let named = own
            .iter()
            .filter(|own| own.is_named_by(&reference, route.namespace));
        filters.extend(named.map(|own| own.spec.clone()));
    }
    filters
}

/// What is wrong with a route's filter, behind the one of this product. `is_own` says whether a
/// host is a workspace's.
pub(super) fn check_filter(filter: &Node, is_own: &dyn Fn(&str) -> bool, findings: &mut Findings) {
    if let Some(rewrite) = filter.get("urlRewrite") {
        if rewrite.has("path") {
            findings.note(Code::PathRewritten, rewrite.place_of("path"));
        }
        check_host(&rewrite, is_own, findings);
    }
    if let Some(modifier) = filter.get("requestHeaderModifier") {
        for change in ["set", "add"] {
            for header in modifier.items(change) {
                let name = header.text("name").unwrap_or_default();
                let host = header
                    .text("value")
                    .filter(|_| name.eq_ignore_ascii_case("host"));
                if !host.is_some_and(is_own) {
                    header::check_set(name, &header, findings);
                }
            }
        }
    }
    if let Some(mirror) = filter.get("requestMirror") {
        let backend = mirror.get("backendRef");
        let name = backend.as_ref().and_then(|backend| backend.text("name"));
        let about = format!("`{}`", name.unwrap_or_default());
        findings.add(Code::CredentialsMirrored, mirror.place, &about);
    }
    if let Some(credential) = filter.get("credentialInjection") {
        findings.add(
            Code::CredentialAdded,
            credential.place,
            "credentialInjection",
        );
    }
}

/// A host is a text, or an object of Envoy Gateway's own.
fn check_host(rewrite: &Node, is_own: &dyn Fn(&str) -> bool, findings: &mut Findings) {
    let Some(host) = rewrite.get("hostname") else {
        return;
    };
    let chosen = host.text("type");
    // The backend's own name, which Envoy Gateway finds by itself.
    if chosen == Some("Backend") {
        return;
    }
    match host.value.as_str() {
        Some(text) if is_own(text) => {}
        Some(text) => {
            let about = format!("`{text}`");
            findings.add(Code::HostRewritten, host.place, &about);
        }
        None => findings.add(Code::HostRewritten, host.place, "chosen by the request"),
    }
}

/// The gateways that a route names, with the section of each.
pub(super) fn parents<'a>(route: &Resource<'a>) -> Vec<Node<'a>> {
    route.spec.items("parentRefs")
}

/// The backends of a route, each a reference.
pub(super) fn backends<'a>(route: &Resource<'a>) -> Vec<Node<'a>> {
    let rules = route.spec.items("rules");
    rules
        .iter()
        .flat_map(|rule| rule.items("backendRefs"))
        .collect()
}
