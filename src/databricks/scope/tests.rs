use super::*;
use crate::databricks::{Catalogue, Lookup};
use crate::path::Path;

fn operation(method: &str, path: &str) -> &'static Operation {
    match Catalogue::shared().find(method, &Path::parse(path.as_bytes()).unwrap()) {
        Lookup::Found(operation) => operation,
        lookup @ (Lookup::Ambiguous | Lookup::Unknown) => panic!("{method} {path}: {lookup:?}"),
    }
}

#[test]
fn a_scope_covers_its_area_and_no_more() {
    let read = ("GET", "/api/2.2/jobs/get");
    let write = ("POST", "/api/2.2/jobs/run-now");
    let secret = ("GET", "/api/2.0/secrets/get");
    let vending = ("POST", "/api/2.0/unity-catalog/temporary-path-credentials");
    let download = ("POST", "/api/2.0/fs/create-download-url");
    let table = ("GET", "/api/2.1/unity-catalog/tables/main.default.t");
    let any = ("GET", "/api/2.0/preview/scim/v2/Me");
    #[rustfmt::skip]
    let cases = [
        // scope                operation   want
        ("jobs",                read,       true),
        ("jobs",                write,      true),
        ("jobs:read",           read,       true),
        ("jobs:read",           write,      false),
        ("all-apis",            write,      true),
        ("all-apis:read",       read,       false),
        ("job",                 read,       false),
        ("jobs:rea",            read,       false),
        ("jobs:write",          write,      false),
        ("Jobs",                read,       false),
        ("sql",                 read,       false),
        ("",                    read,       false),
        ("secrets",             secret,     true),
        ("secrets:data",        secret,     false),
        ("secrets:read",        secret,     false),
        ("unity-catalog",       vending,    true),
        ("unity-catalog:read",  vending,    false),
        ("files",               download,   true),
        ("files:data",          download,   true),
        ("files:read",          download,   false),
        ("files.files:data",    download,   true),
        ("files.files:read",    download,   false),
        ("sql:data",            download,   false),
        ("jobs:data",           read,       true),
        ("jobs:data",           write,      false),
        ("jobs:data:read",      read,       false),
        ("all-apis:data",       read,       false),
        ("unity-catalog:data",  table,      true),
        ("unity-catalog:data",  vending,    false),
        ("",                    any,        true),
        ("catalog.tables:read", table,      true),
        ("catalog.tables",      table,      true),
        ("catalog.schemas",     table,      false),
        ("catalog.tables",      vending,    false),
        ("catalog.table",       table,      false),
        ("unity-catalog:read",  table,      true),
    ];
    for (scope, (method, path), want) in cases {
        assert_eq!(
            covers(scope, operation(method, path)),
            want,
            "{scope} for {path}"
        );
    }
}

#[test]
fn a_scope_implies_what_it_contains() {
    #[rustfmt::skip]
    let cases = [
        // broad                narrow                  want
        ("jobs",                "jobs",                 true),
        ("jobs",                "jobs:read",            true),
        ("jobs:read",           "jobs",                 false),
        ("jobs",                "jobs:data",            true),
        ("jobs:data",           "jobs",                 false),
        ("jobs:data",           "jobs:data",            true),
        ("jobs:data",           "jobs:read",            true),
        ("jobs:read",           "jobs:data",            false),
        ("all-apis",            "jobs:data",            true),
        ("all-apis",            "zerobus:data",         false),
        ("unity-catalog:data",  "catalog.tables:data",  true),
        ("unity-catalog:data",  "catalog.tables:read",  true),
        ("unity-catalog:read",  "catalog.tables:data",  false),
        ("catalog.tables:data", "unity-catalog:data",   false),
        ("dashboards.genie",    "genie",                false),
        ("genie",               "dashboards.genie",     true),
        ("jobs",                "sql:read",             false),
        ("all-apis",            "jobs",                 true),
        ("all-apis",            "catalog.tables:read",  true),
        ("all-apis",            "zerobus",              false),
        ("all-apis",            "b.admin",              false),
        ("jobs",                "all-apis",             false),
        ("unity-catalog",       "catalog.tables:read",  true),
        ("unity-catalog:read",  "catalog.tables:read",  true),
        ("unity-catalog:read",  "catalog.tables",       false),
        ("catalog.tables",      "catalog.tables:read",  true),
        ("catalog.tables",      "catalog.schemas",      false),
        ("catalog.tables",      "unity-catalog",        false),
        ("b.admin",             "b.admin",              true),
        ("b.admin",             "b.admin:read",         false),
        ("b.admin",             "b.admin:data",         false),
        ("jobs",                "jobs:write",           false),
    ];
    for (broad, narrow, want) in cases {
        assert_eq!(implies(broad, narrow), want, "{broad}, {narrow}");
    }
}

#[test]
fn every_part_is_part_of_something() {
    for part in PARTS {
        let (name, area, service) = (part.names.whole, part.area, part.service);
        let of_service =
            |operation: &&Operation| operation.name.starts_with(&format!("{service}."));
        assert!(Area::parse(area).is_some(), "{name}");
        assert!(
            service.is_empty()
                || Catalogue::shared()
                    .operations()
                    .iter()
                    .any(|it| of_service(&it)),
            "{name}"
        );
    }
}

#[test]
fn the_required_scope_is_the_narrowest_that_covers() {
    #[rustfmt::skip]
    let cases = [
        ("GET",  "/api/2.2/jobs/get",           Some("jobs:read")),
        ("POST", "/api/2.2/jobs/run-now",       Some("jobs")),
        ("POST", "/api/2.0/fs/create-download-url", Some("files:data")),
        ("GET",  "/api/2.0/preview/scim/v2/Me", None),
        ("POST", "/oidc/v1/token",              None),
    ];
    for (method, path, want) in cases {
        assert_eq!(required(operation(method, path)), want, "{method} {path}");
    }
    for operation in Catalogue::shared().operations() {
        assert!(
            required(operation).is_none_or(|scope| covers(scope, operation)),
            "{}",
            operation.name
        );
    }
}
