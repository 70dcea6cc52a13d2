//! Istio's `DestinationRule`: whether connections to a host outside have TLS that is verified.

use super::code::Code;
use super::finding::Findings;
use super::node::Node;
use super::resource::Resource;

/// What is wrong with the rule of a host, which is called as one of these; `what` is what goes
/// there.
pub(super) fn check(rule: &Resource, hosts: &[String], what: &str, findings: &mut Findings) {
    let policy = rule.spec.get("trafficPolicy");
    let ports = policy
        .iter()
        .flat_map(|policy| policy.items("portLevelSettings"));
    let settings: Vec<Node> = policy
        .iter()
        .cloned()
        .chain(ports)
        .filter_map(|node| node.get("tls"))
        .collect();
    let about = format!(
        "{what} (host `{}`)",
        rule.spec.text("host").unwrap_or_default()
    );
    if settings.is_empty() {
        findings.add(
            Code::TlsMissing,
            rule.spec.place_of("trafficPolicy"),
            &about,
        );
    }
    for tls in settings {
        if !matches!(tls.text("mode"), Some("SIMPLE" | "MUTUAL")) {
            findings.add(Code::TlsMissing, tls.place_of("mode"), &about);
        }
        if tls.is_true("insecureSkipVerify") {
            findings.add(
                Code::TlsUntrusted,
                tls.place_of("insecureSkipVerify"),
                &about,
            );
        }
        let names = tls.items("subjectAltNames");
        let is_taken = |host: &String| names.iter().any(|name| name.value.as_str() == Some(host));
        if !names.is_empty() && !hosts.iter().all(is_taken) {
            findings.add(Code::TlsOtherName, tls.place_of("subjectAltNames"), &about);
        }
    }
}
