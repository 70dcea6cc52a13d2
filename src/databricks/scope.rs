//! Which scope covers which operation.
//!
//! `jobs` covers every operation of its area, `jobs:read` those that read and hand out nothing but
//! their answer, `jobs:data` also those that hand out access to the data itself, `all-apis` every
//! operation whose scope Databricks documents. Databricks Apps know scopes for parts of an area, as
//! `catalog.tables:read`, which cover that part.
//!
//! Whatever covers an operation, or includes a scope, has one of a few spellings. So a set of
//! scopes is searched for these, and the answer takes as long for a large set as for a small one.

use super::area::Area;
use super::operation::{Access, Mark, Operation, OperationRequirement};

/// The scope for every operation whose scope Databricks documents.
pub const ALL_APIS: &str = "all-apis";

/// How much of an area, or of a part of one, a scope covers; each covers those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Reach {
    /// What reads, and hands out nothing that works outside the gateway.
    Read,
    /// What reads, presigned links, temporary credentials and results kept in storage among it:
    /// access to the data itself.
    Data,
    /// Everything.
    Whole,
}

impl Reach {
    /// How far a scope must reach to cover an operation of its area.
    ///
    /// A secret or a token is no data: it opens more than was requested.
    pub fn of(operation: &Operation) -> Self {
        match operation.access {
            Access::Write => Self::Whole,
            Access::Read if operation.marks.has(Mark::MintsCredentials) => Self::Whole,
            Access::Read if operation.marks.has(Mark::VendsDataAccess) => Self::Data,
            Access::Read => Self::Read,
        }
    }

    const ALL: [Self; 3] = [Self::Read, Self::Data, Self::Whole];
}

/// Whether a scope, held exactly in this spelling, covers an operation.
pub fn covers(scope: &str, operation: &Operation) -> bool {
    area_of(operation).is_none() || covering(operation).any(|covering| covering == scope)
}

/// Every scope that covers an operation; none where no scope is needed.
pub fn covering(operation: &Operation) -> impl Iterator<Item = &'static str> {
    let area = area_of(operation);
    let documented = area.is_some() && !operation.marks.has(Mark::Undocumented);
    let named = area.into_iter().flat_map(|area| {
        let parts = Part::all_of(area).filter(|part| part.has(operation));
        std::iter::once(ScopeNames::of(area))
            .chain(parts.map(|part| part.names))
            .flat_map(|names| names.reaching(Reach::of(operation)))
    });
    documented.then_some(ALL_APIS).into_iter().chain(named)
}

/// Whether every operation that `narrow` covers is covered by `broad` too. Scopes that are not
/// Databricks' include themselves alone.
pub fn implies(broad: &str, narrow: &str) -> bool {
    implying(narrow).any(|implying| implying == broad)
}

/// Every scope that implies a scope, itself among them.
pub fn implying(narrow: &str) -> impl Iterator<Item = &str> {
    let named = NamedScope::parse(narrow).into_iter().flat_map(|named| {
        let all = named.area.is_documented().then_some(ALL_APIS);
        let part = named.part.map(|part| part.names);
        let spelled = [Some(ScopeNames::of(named.area)), part]
            .into_iter()
            .flatten()
            .flat_map(move |names| names.reaching(named.reach));
        all.into_iter().chain(spelled)
    });
    std::iter::once(narrow).chain(named.map(|scope: &str| scope))
}

/// A scope, and the same in each lesser reach, the widest first.
pub fn narrowing(scope: &str) -> impl Iterator<Item = &str> {
    let lesser = NamedScope::parse(scope).into_iter().flat_map(|named| {
        let names = named
            .part
            .map_or(ScopeNames::of(named.area), |part| part.names);
        names.within(named.reach).skip(1)
    });
    std::iter::once(scope).chain(lesser.map(|scope: &str| scope))
}

/// The area that a scope speaks of: that of `jobs`, `jobs:read` or `catalog.tables:read`; none for
/// `all-apis` and scopes not Databricks'.
pub fn area(scope: &str) -> Option<Area> {
    Some(NamedScope::parse(scope)?.area)
}

/// A scope without `:read` or `:data`.
pub fn without_reach(scope: &str) -> &str {
    split_reach(scope).0
}

/// The narrowest scope that covers an operation: `jobs:read` for a plain read, `jobs` for a write;
/// `None` where no scope is needed.
pub fn required(operation: &Operation) -> Option<&'static str> {
    Some(ScopeNames::of(area_of(operation)?).in_reach(Reach::of(operation)))
}

fn area_of(operation: &Operation) -> Option<Area> {
    match operation.requirement {
        OperationRequirement::AnyToken | OperationRequirement::NoToken => None,
        OperationRequirement::Scope(area) => Some(area),
    }
}

/// A scope of Databricks', read.
struct NamedScope {
    area: Area,
    part: Option<&'static Part>,
    reach: Reach,
}

impl NamedScope {
    fn parse(scope: &str) -> Option<Self> {
        let (name, reach) = split_reach(scope);
        if let Some(area) = Area::parse(name) {
            let part = None;
            return Some(Self { area, part, reach });
        }
        let part = PARTS.iter().find(|part| part.names.whole == name)?;
        Some(Self {
            area: Area::parse(part.area)?,
            part: Some(part),
            reach,
        })
    }
}

/// A scope in all its reaches.
#[derive(Clone, Copy)]
struct ScopeNames {
    whole: &'static str,
    data: &'static str,
    read: &'static str,
}

impl ScopeNames {
    const fn of(area: Area) -> Self {
        Self {
            whole: area.name(),
            data: area.data_scope(),
            read: area.read_scope(),
        }
    }

    const fn in_reach(self, reach: Reach) -> &'static str {
        match reach {
            Reach::Read => self.read,
            Reach::Data => self.data,
            Reach::Whole => self.whole,
        }
    }

    /// Those that reach as far, or farther.
    fn reaching(self, least: Reach) -> impl Iterator<Item = &'static str> {
        let reaches = Reach::ALL.into_iter().filter(move |&reach| reach >= least);
        reaches.map(move |reach| self.in_reach(reach))
    }

    /// Those that reach no farther, the farthest first.
    fn within(self, most: Reach) -> impl Iterator<Item = &'static str> {
        let reaches = Reach::ALL.into_iter().rev();
        let reaches = reaches.filter(move |&reach| reach <= most);
        reaches.map(move |reach| self.in_reach(reach))
    }
}

/// A part of an area, as Databricks Apps know it.
struct Part {
    names: ScopeNames,
    area: &'static str,
    /// The service whose operations are meant; empty for the whole area.
    service: &'static str,
}

impl Part {
    fn all_of(area: Area) -> impl Iterator<Item = &'static Self> {
        PARTS.iter().filter(move |part| part.area == area.name())
    }

    fn has(&self, operation: &Operation) -> bool {
        let service = operation.name.split('.').next().unwrap_or_default();
        self.service.is_empty() || self.service == service
    }
}

/// A scope without its reach, and that.
fn split_reach(scope: &str) -> (&str, Reach) {
    if let Some(name) = scope.strip_suffix(":read") {
        return (name, Reach::Read);
    }
    if let Some(name) = scope.strip_suffix(":data") {
        return (name, Reach::Data);
    }
    (scope, Reach::Whole)
}

macro_rules! part {
    ($name:literal, $area:literal, $service:literal) => {
        Part {
            names: ScopeNames {
                whole: $name,
                data: concat!($name, ":data"),
                read: concat!($name, ":read"),
            },
            area: $area,
            service: $service,
        }
    };
}

/// Scopes that Databricks Apps offer their users, in older and newer names: name, area, service.
#[rustfmt::skip]
const PARTS: &[Part] = &[
    part!("catalog.catalogs",                     "unity-catalog",     "catalogs"),
    part!("catalog.connections",                  "unity-catalog",     "connections"),
    part!("catalog.schemas",                      "unity-catalog",     "schemas"),
    part!("catalog.tables",                       "unity-catalog",     "tables"),
    part!("dashboards.genie",                     "genie",             ""),
    part!("files.files",                          "files",             ""),
    part!("iam.access-control",                   "access-management", ""),
    part!("iam.groups",                           "scim",              "groups"),
    part!("mcp.functions",                        "unity-catalog",     "mcp"),
    part!("serving.serving-endpoints",            "model-serving",     ""),
    part!("vectorsearch.vector-search-endpoints", "vector-search",     "vector-search-endpoints"),
    part!("vectorsearch.vector-search-indexes",   "vector-search",     "vector-search-indexes"),
    part!("workspace.workspace",                  "workspace",         ""),
];

#[cfg(test)]
mod tests;
