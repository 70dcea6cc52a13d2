//! What it costs to find the operation and the rules of a request, with few rules and with many.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::path::Path;
use databricks_oam_filter::policy::Policy;
use databricks_oam_filter::request::mcp::Call;

fn lookup(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lookup");
    for rules in [10, 10_000] {
        let Some(policy) = policy(rules) else {
            continue;
        };
        for (name, method, path) in REQUESTS {
            group.bench_with_input(BenchmarkId::new(name, rules), &policy, |bencher, policy| {
                bencher.iter(|| {
                    let Ok(path) = Path::parse(black_box(path.as_bytes())) else {
                        return;
                    };
                    let readings = policy.readings(Call::of(method), path);
                    black_box(policy.apply(&readings, Some(ISSUER)));
                });
            });
        }
    }
    group.finish();
}

/// A policy of so many rules: applications with rules of their own, calls that are denied or on
/// trial, and some beside the catalogue's.
fn policy(rules: usize) -> Option<Policy> {
    let rules: Vec<_> = (0..rules).map(rule).collect();
    let text = format!(
        r#"{{"issuers":[{{"issuer":"{ISSUER}","audiences":["db"],"jwks":{{"cluster":"c","uri":"{ISSUER}/k"}}}}],"policy":{{"rules":[{}]}}}}"#,
        rules.join(",")
    );
    let configuration = Configuration::parse(text.as_bytes()).ok()?;
    Some(configuration.authorizer.policy)
}

#[rustfmt::skip]
fn rule(number: usize) -> String {
    let (path, rest) = match number % 4 {
        0 => (format!("/apps/app-{number}/{{path=**}}"), r#""effect":"require","scopes":["jobs"]"#),
        1 => (format!("/apps/app-{number}/{{id}}/edit"), r#""effect":"deny""#),
        2 => (format!("/api/2.0/custom-{number}/{{name}}:run"), r#""effect":"require","scopes":["sql"]"#),
        _ => (format!("/tenants/{{tenant}}/area-{number}/list"), r#""effect":"deny","mode":"shadow""#),
    };
    format!(r#"{{"name":"rule-{number}","paths":["{path}"],{rest}}}"#)
}

const ISSUER: &str = "https://i.example";

const REQUESTS: [(&str, &str, &str); 5] = [
    ("operation", "POST", "/api/2.2/jobs/run-now"),
    (
        "deep_operation",
        "GET",
        "/api/2.0/accounts/a/servicePrincipals/b/federationPolicies/c",
    ),
    ("rule", "GET", "/apps/app-4/some/file.css"),
    ("names_before_literals", "GET", "/tenants/acme/area-7/list"),
    ("nothing", "GET", "/api/2.0/nothing/of/this/name"),
];

criterion_group!(benches, lookup);
criterion_main!(benches);
