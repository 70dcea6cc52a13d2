//! Finding the operation and the rules of a request allocates nothing; only an escaped segment
//! costs a decoding.

use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::databricks::{Catalogue, Lookup, Operation};
use databricks_oam_filter::path::Path;
use databricks_oam_filter::policy::Governing;
use databricks_oam_filter::request::mcp::Call;

#[test]
fn a_lookup_allocates_nothing() {
    let catalogue = Catalogue::shared();
    for operation in catalogue.operations() {
        let request = request(operation);
        let mut found = Lookup::Unknown;
        let allocations = allocation_counter::measure(|| {
            if let Ok(path) = Path::parse(request.as_bytes()) {
                found = catalogue.find(operation.method, &path);
            }
        });
        assert_eq!(found, Lookup::Found(operation), "{request}");
        assert_eq!(allocations.count_total, 0, "{request}");
    }
}

#[test]
fn nor_does_one_among_rules() {
    let configuration = Configuration::parse(CONFIGURATION.as_bytes()).expect("valid");
    let policy = configuration.authorizer.policy;
    let operations = Catalogue::shared().operations();
    let allocates = |operation: &Operation| {
        let mut others = operations
            .iter()
            .filter(|other| other.name == operation.name);
        others.nth(1).is_some()
            || ["{workspace_id}", "/ai-search/workspaces/"]
                .iter()
                .any(|place| operation.template.contains(place))
            || operation
                .template
                .bytes()
                .any(|byte| byte.is_ascii_uppercase())
    };
    // The other paths of an operation are written down, also where it may call its workspace by
    // another name, and paths with capitals once more without.
    for operation in operations.iter().filter(|operation| !allocates(operation)) {
        let documented = request(operation);
        let (older, slashed) = (
            documented.replacen("/api/2.", "/api/1.", 1),
            format!("{}/", documented.trim_end_matches('/')),
        );
        for request in [documented, older, slashed] {
            let mut is_governed = false;
            let allocations = allocation_counter::measure(|| {
                let Ok(path) = Path::parse(request.as_bytes()) else {
                    return;
                };
                let readings = policy.readings(Call::of(operation.method), path);
                let applied = policy.apply(&readings, Some("https://i.example"));
                is_governed = !matches!(applied.governing, Governing::Ambiguous);
            });
            assert!(is_governed, "{request}");
            assert_eq!(allocations.count_total, 0, "{request}");
        }
    }
}

/// A request for an operation.
fn request(operation: &Operation) -> String {
    let segments = operation
        .template
        .split('/')
        .map(|segment| match segment.split_once('}') {
            Some((_, suffix)) => format!("zz{suffix}"),
            None => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

/// Rules of every kind, beside the catalogue and across it.
const CONFIGURATION: &str = r#"{
    "issuers": [{ "issuer": "https://i.example", "audiences": ["db"], "jwks": { "cluster": "c", "uri": "https://i.example/k" } }],
    "policy": { "rules": [
        { "name": "tokens", "effect": "deny", "paths": ["/api/2.0/token/create"] },
        { "name": "trial", "effect": "deny", "paths": ["/api/2.2/jobs/{path=**}"], "mode": "shadow" },
        { "name": "apps", "effect": "require", "paths": ["/apps/{id}/{path=**}"], "scopes": ["jobs"] },
        { "name": "one", "effect": "require", "paths": ["/api/2.2/jobs/list"], "scopes": ["jobs"], "issuers": ["https://i.example"] },
        { "name": "health", "effect": "public", "paths": ["/healthz"] }
    ] }
}"#;
