//! One operation of the Databricks API, and what a security team wants to know of it.

use super::area::Area;

/// One operation, e.g. `jobs.run-now`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Operation {
    /// Service and call, as in `jobs.run-now`. An operation that has several paths has several
    /// entries of one name.
    pub name: &'static str,
    /// The HTTP method, or `*` where any does the same.
    pub method: &'static str,
    /// The path, in the version that the newest client uses.
    pub template: &'static str,
    /// What a caller must show.
    pub requirement: OperationRequirement,
    /// Whether it changes anything.
    pub access: Access,
    /// Where it is served.
    pub level: Level,
    /// What is remarkable about it.
    pub marks: Marks,
}

impl Operation {
    /// The area that the operation belongs to; empty where no scope is needed.
    pub const fn area(&self) -> &'static str {
        match self.requirement {
            OperationRequirement::AnyToken | OperationRequirement::NoToken => "",
            OperationRequirement::Scope(area) => area.name(),
        }
    }

    /// Whether names in the operation's path are Unity Catalog's, which ignores their case.
    pub fn ignores_case(&self) -> bool {
        UNITY_CATALOG_AREAS.contains(&self.area())
    }

    /// Whether whoever may use the one may use the other.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.requirement == other.requirement
            && self.access == other.access
            && self.marks == other.marks
    }

    /// Whether clients open a web socket with it.
    pub const fn has_web_socket(&self) -> bool {
        self.marks.has(Mark::WebSocket)
    }

    /// Whether the operation answers to this method. Methods are case-sensitive (RFC 9110 §9.1).
    pub fn method_is(&self, method: &str) -> bool {
        self.method == method || self.method == "*"
    }
}

/// Whether an operation changes anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// It only reads.
    Read,
    /// It changes something, or makes something happen.
    Write,
}

impl Access {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Where an operation is served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Level {
    /// By the account console's host.
    Account,
    /// By a workspace.
    Workspace,
}

impl Level {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Workspace => "workspace",
        }
    }
}

/// What a caller must show for an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OperationRequirement {
    /// Any valid token, whatever its scopes.
    AnyToken,
    /// Nothing: clients call it before they have a token.
    NoToken,
    /// A token whose scopes cover the operation, which is of this area.
    Scope(Area),
}

/// One remarkable thing about an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// Changes who may do what.
    ManagesAccess,
    /// Makes or hands out a token, a secret or another credential that is not for data alone.
    MintsCredentials,
    /// Runs code of the caller's choice.
    RunsCode,
    /// Databricks documents no scope for it.
    Undocumented,
    /// Hands out a credential or link by which data are read or written past the gateway.
    VendsDataAccess,
    /// Clients open a web socket with it, and what passes then nobody judges.
    WebSocket,
}

impl Mark {
    /// Every mark.
    pub const ALL: [Self; 6] = [
        Self::ManagesAccess,
        Self::MintsCredentials,
        Self::RunsCode,
        Self::Undocumented,
        Self::VendsDataAccess,
        Self::WebSocket,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManagesAccess => "manages-access",
            Self::MintsCredentials => "mints-credentials",
            Self::RunsCode => "runs-code",
            Self::Undocumented => "undocumented",
            Self::VendsDataAccess => "vends-data-access",
            Self::WebSocket => "web-socket",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::ManagesAccess => 1,
            Self::MintsCredentials => 2,
            Self::RunsCode => 4,
            Self::Undocumented => 8,
            Self::VendsDataAccess => 16,
            Self::WebSocket => 32,
        }
    }
}

/// A set of marks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Marks(u8);

impl Marks {
    /// Whether the set holds a mark.
    pub const fn has(self, mark: Mark) -> bool {
        self.0 & mark.bit() != 0
    }

    /// The marks in the set.
    pub fn iter(self) -> impl Iterator<Item = Mark> {
        Mark::ALL.into_iter().filter(move |&mark| self.has(mark))
    }

    /// The set with these bits.
    pub(super) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

/// The areas whose paths name what Unity Catalog holds: catalogs, schemas, tables, volumes and the
/// files in them, functions, models, indexes, connections, MCP services, shares, recipients, and
/// the places that traces and events are written to.
const UNITY_CATALOG_AREAS: [&str; 21] = [
    "agents",
    "ai-gateway",
    "ai-search",
    "cleanrooms",
    "database",
    "dataclassification",
    "dataquality",
    "feature-engineering",
    "feature-store",
    "files",
    "lakewatch",
    "mcp.external",
    "mlflow",
    "postgres",
    "qualitymonitor",
    "rag-studio",
    "sharing",
    "tags",
    "unity-catalog",
    "vector-search",
    "zerobus",
];
