//! What it costs to find the operation and the rule of a request, with few rules and with many.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use databricks_oam_filter::databricks::Catalogue;
use databricks_oam_filter::path::Path;
use databricks_oam_filter::path::index::Index;
use databricks_oam_filter::path::template::Template;

fn lookup(criterion: &mut Criterion) {
    let catalogue = Catalogue::shared();
    let mut group = criterion.benchmark_group("lookup");
    for rules in [10, 10_000] {
        let rules = index(rules);
        for (name, method, path) in REQUESTS {
            group.bench_with_input(
                BenchmarkId::new(name, rules.1),
                &rules.0,
                |bencher, rules| {
                    bencher.iter(|| {
                        let Ok(path) = Path::parse(black_box(path.as_bytes())) else {
                            return;
                        };
                        black_box(rules.find(&path, |_| true));
                        black_box(catalogue.find(method, &path));
                    });
                },
            );
        }
    }
    group.finish();
}

/// An index of so many rules: applications, some with a path of their own in each, and a few that overlap the catalogue.
fn index(rules: usize) -> (Index<usize>, usize) {
    let mut index = Index::new();
    for rule in 0..rules {
        let template = match rule % 4 {
            0 => format!("/apps/app-{rule}/{{path=**}}"),
            1 => format!("/apps/app-{rule}/{{id}}/edit"),
            2 => format!("/api/2.0/custom-{rule}/{{name}}:run"),
            _ => format!("/tenants/{{tenant}}/area-{rule}/list"),
        };
        if let Ok(template) = Template::parse(&template) {
            index.insert(&template, rule);
        }
    }
    (index, rules)
}

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
