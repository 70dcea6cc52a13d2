//! Which scope covers which operation.
//!
//! `jobs` covers every operation of its area, `jobs:read` those that only read, `all-apis` those whose scope Databricks documents.
//! A read that hands out a secret or a credential gives away more than an answer, so `:read` does not cover it. Databricks Apps know
//! scopes for parts of an area, as `catalog.tables:read`, which cover that part.

use super::area::Area;
use super::operation::{Access, Mark, Operation, Requirement};

/// The scope for every operation whose scope Databricks documents.
pub const ALL_APIS: &str = "all-apis";

/// Whether a scope, held exactly in this spelling, covers an operation.
pub fn covers(scope: &str, operation: &Operation) -> bool {
    let Requirement::Scope(area) = operation.requirement else {
        return true;
    };
    if scope == ALL_APIS {
        return !operation.marks.has(Mark::Undocumented);
    }
    if scope == area.name() {
        return true;
    }
    if scope == area.read_scope() {
        return is_plain_read(operation);
    }
    Part::parse(scope).is_some_and(|part| part.covers(operation, area))
}

/// Whether every operation that `narrow` covers is covered by `broad` too. Scopes that are not Databricks' imply themselves alone.
pub fn implies(broad: &str, narrow: &str) -> bool {
    implies_in(broad, narrow, || area(narrow))
}

/// The same, for whoever knows the area of `narrow` already: finding it is a search.
pub(crate) fn implies_in(
    broad: &str,
    narrow: &str,
    area_of_narrow: impl FnOnce() -> Option<Area>,
) -> bool {
    if broad == narrow {
        return true;
    }
    let Some(area) = area_of_narrow() else {
        return false;
    };
    let (narrow_name, narrow_reads) = split_read(narrow);
    let (broad_name, broad_reads) = split_read(broad);
    let is_whole = broad_name == area.name() || broad_name == narrow_name;
    broad == ALL_APIS && area.is_documented() || is_whole && (narrow_reads || !broad_reads)
}

/// The area that a scope speaks of: that of `jobs`, `jobs:read` or `catalog.tables:read`; none for `all-apis` and scopes not Databricks'.
pub fn area(scope: &str) -> Option<Area> {
    let (name, _) = split_read(scope);
    Area::parse(name).or_else(|| Area::parse(Part::parse(scope)?.area))
}

/// The narrowest scope that covers an operation: `jobs:read` for a plain read, `jobs` otherwise; `None` where no scope is needed.
pub fn required(operation: &Operation) -> Option<&'static str> {
    let Requirement::Scope(area) = operation.requirement else {
        return None;
    };
    Some(if is_plain_read(operation) {
        area.read_scope()
    } else {
        area.name()
    })
}

/// Whether an operation only reads, and hands out nothing that opens another door.
fn is_plain_read(operation: &Operation) -> bool {
    operation.access == Access::Read
        && !operation.marks.has(Mark::MintsCredentials)
        && !operation.marks.has(Mark::VendsDataAccess)
}

/// A scope for a part of an area, as Databricks Apps name them.
struct Part {
    name: &'static str,
    area: &'static str,
    /// The service whose operations are meant; empty for the whole area.
    service: &'static str,
    reads_only: bool,
}

impl Part {
    fn parse(scope: &str) -> Option<Self> {
        let (wanted, reads_only) = split_read(scope);
        let part = |&(name, area, service): &(&'static str, &'static str, &'static str)| Self {
            name,
            area,
            service,
            reads_only,
        };
        PARTS.iter().map(part).find(|part| part.name == wanted)
    }

    fn covers(&self, operation: &Operation, area: Area) -> bool {
        let service = operation.name.split('.').next().unwrap_or_default();
        self.area == area.name()
            && (self.service.is_empty() || self.service == service)
            && (!self.reads_only || is_plain_read(operation))
    }
}

/// A scope without `:read`, and whether it had that.
fn split_read(scope: &str) -> (&str, bool) {
    scope
        .strip_suffix(":read")
        .map_or((scope, false), |name| (name, true))
}

/// Scopes that Databricks Apps offer their users, in older and newer names: name, area, service.
const PARTS: &[(&str, &str, &str)] = &[
    ("catalog.catalogs", "unity-catalog", "catalogs"),
    ("catalog.connections", "unity-catalog", "connections"),
    ("catalog.schemas", "unity-catalog", "schemas"),
    ("catalog.tables", "unity-catalog", "tables"),
    ("dashboards.genie", "genie", ""),
    ("files.files", "files", ""),
    ("iam.access-control", "access-management", ""),
    ("iam.groups", "scim", "groups"),
    ("mcp.functions", "unity-catalog", "mcp"),
    ("serving.serving-endpoints", "model-serving", ""),
    (
        "vectorsearch.vector-search-endpoints",
        "vector-search",
        "vector-search-endpoints",
    ),
    (
        "vectorsearch.vector-search-indexes",
        "vector-search",
        "vector-search-indexes",
    ),
    ("workspace.workspace", "workspace", ""),
];

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, Lookup};
    use super::*;
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
            ("secrets:read",        secret,     false),
            ("unity-catalog",       vending,    true),
            ("unity-catalog:read",  vending,    false),
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
        ];
        for (broad, narrow, want) in cases {
            assert_eq!(implies(broad, narrow), want, "{broad}, {narrow}");
        }
    }

    #[test]
    fn every_part_is_part_of_something() {
        for &(name, area, service) in PARTS {
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
            ("GET",  "/api/2.0/secrets/get",        Some("secrets")),
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
}
