//! What recorded calls needed of the roles that their callers held.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use databricks_oam_filter::databricks::{Operation, scope};
use databricks_oam_filter::path::Path;
use databricks_oam_filter::policy::role::Role;
use databricks_oam_filter::policy::{Policy, Requirement};
use databricks_oam_filter::request::mcp::{Call, Tool};
use databricks_oam_filter::request::workspace::WorkspaceId;
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::scope::Scope;

use crate::cli::records::{Decided, Enforcement, Record, Sources, Text};
use crate::cli::{Unreadable, gateway};

/// All that was seen in the window.
#[derive(Default)]
pub(super) struct Usage {
    /// The records that were read.
    pub(super) records: usize,
    /// The calls among them that rested on roles.
    pub(super) calls: usize,
    /// Records from before the window.
    pub(super) old: usize,
    /// Calls that went upstream with roles that the configuration does not know.
    pub(super) unknown_roles: BTreeMap<String, usize>,
    /// Calls that the grants of the roles held do not explain.
    pub(super) unexplained: usize,
    /// Records without a time.
    pub(super) unknown: usize,
    /// Lines that look like records and cannot be read.
    pub(super) broken: u64,
    pub(super) first: Option<UnixTime>,
    pub(super) last: Option<UnixTime>,
    /// What was needed, by the roles of which each would have done.
    pub(super) needs: BTreeMap<(Need, Vec<usize>), NeedOccurrences>,
    /// The roles that somebody held.
    pub(super) held: BTreeSet<usize>,
}

/// One thing that a call needed.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Need {
    AllApis,
    /// An operation, by its name.
    Operation(&'static str, Covering),
    /// A scope that a rule requires.
    Scope(String),
}

/// What covers an operation: `all-apis`, and scopes of its area.
pub(super) type Covering = Vec<&'static str>;

/// When something was needed.
#[derive(Clone, Debug)]
pub(super) struct NeedOccurrences {
    pub(super) calls: usize,
    pub(super) last: UnixTime,
}

impl Need {
    /// Whether a grant covers it.
    pub(super) fn is_met_by(&self, grant: &str) -> bool {
        match self {
            Self::AllApis => grant == scope::ALL_APIS,
            Self::Operation(_, covering) => covering.contains(&grant),
            Self::Scope(needed) => scope::implies(grant, needed),
        }
    }

    /// In words.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::AllApis => scope::ALL_APIS,
            Self::Operation(name, _) => name,
            Self::Scope(scope) => scope,
        }
    }
}

impl Usage {
    /// Reads the calls of the last days, counted from the latest record.
    pub(super) fn read(policy: &Policy, sources: &Sources, days: u64) -> Result<Self, Unreadable> {
        let mut usage = Self::default();
        let mut calls = Vec::new();
        let reading = sources.each(&mut |record, _| {
            usage.records = usage.records.saturating_add(1);
            match Used::of(record) {
                Some(used) => calls.push(used),
                None => usage.unknown = usage.unknown.saturating_add(1),
            }
            ControlFlow::Continue(())
        })?;
        usage.broken = reading.broken;
        usage.last = calls.iter().map(|used| used.at).max();
        let span = Duration::from_secs(days.saturating_mul(SECONDS_OF_DAY));
        let is_old = |used: &Used| usage.last.is_some_and(|last| last.since(used.at) > span);
        let (old, calls): (Vec<Used>, Vec<Used>) = calls.into_iter().partition(is_old);
        usage.old = old.len();
        usage.first = calls.iter().map(|used| used.at).min();
        for used in calls.iter().filter(|used| used.is_earned) {
            usage.add(policy, used);
        }
        Ok(usage)
    }

    fn add(&mut self, policy: &Policy, used: &Used) {
        let roles = policy.roles.as_slice();
        let mut held: Vec<usize> = Vec::new();
        for name in &used.roles {
            if let Some(place) = roles.iter().position(|role| *role.name == **name) {
                held.push(place);
            } else {
                let count = self.unknown_roles.entry(name.clone()).or_default();
                *count = count.saturating_add(1);
            }
        }
        self.held.extend(&held);
        let workspace = used.workspace.as_deref().and_then(WorkspaceId::parse);
        let is_here = |place: &usize| {
            roles
                .get(*place)
                .is_some_and(|role| role.holds_in(workspace))
        };
        held.retain(is_here);
        let Ok(path) = Path::parse(used.path.as_bytes()) else {
            self.unknown = self.unknown.saturating_add(1);
            return;
        };
        self.calls = self.calls.saturating_add(1);
        let mut is_explained = true;
        for need in needs(policy, used, path) {
            let does = |place: &usize| {
                let role: Option<&Role> = roles.get(*place);
                role.is_some_and(|role| role.grants.iter().any(|own| need.is_met_by(own.as_str())))
            };
            let candidates: Vec<usize> = held.iter().copied().filter(does).collect();
            is_explained &= !candidates.is_empty();
            if candidates.is_empty() {
                continue;
            }
            let seen = self
                .needs
                .entry((need, candidates))
                .or_insert(NeedOccurrences {
                    calls: 0,
                    last: used.at,
                });
            seen.calls = seen.calls.saturating_add(1);
            seen.last = seen.last.max(used.at);
        }
        if !is_explained {
            self.unexplained = self.unexplained.saturating_add(1);
        }
    }
}

/// A recorded call that went upstream.
struct Used {
    at: UnixTime,
    method: String,
    path: String,
    roles: Vec<String>,
    issuer: Option<String>,
    workspace: Option<String>,
    mcp: Option<(String, Option<String>)>,
    /// Whether it was permitted to somebody who is known.
    is_earned: bool,
}

impl Used {
    /// `None` where the record has no time.
    fn of(record: &Record<'_>) -> Option<Self> {
        let text = |text: &Text<'_>| text.as_str().to_owned();
        let mcp = record.mcp.as_ref().and_then(|mcp| {
            let name = mcp.name.as_ref().map(text);
            Some((text(mcp.method.as_ref()?), name))
        });
        let went_upstream = record.decision == Decided::Allow || record.mode == Enforcement::Shadow;
        let credential = record.credential.as_ref().map(Text::as_str);
        Some(Self {
            at: gateway::moment(Some(record.time.as_ref()?.as_str())).ok()?,
            method: text(&record.method),
            path: text(&record.path),
            roles: record.roles.iter().map(text).collect(),
            issuer: record.issuer.as_ref().map(text),
            workspace: record.workspace.as_ref().map(text),
            mcp,
            is_earned: went_upstream
                && credential == Some("jwt")
                && record.reason.as_str() != "public",
        })
    }
}

/// What a call needs, by the configuration's own rules, those in shadow mode among them.
fn needs(policy: &Policy, used: &Used, path: Path<'_>) -> BTreeSet<Need> {
    let tool = match &used.mcp {
        Some((method, name)) => Tool::Known {
            method,
            name: name.as_deref(),
        },
        None => Tool::Unknown,
    };
    let call = Call {
        method: &used.method,
        tool,
    };
    let readings = policy.readings(call, path);
    let applied = policy.apply(&readings, used.issuer.as_deref());
    let mut needs = BTreeSet::new();
    for requirements in [applied.requirements, applied.required_in_shadow] {
        for requirement in &requirements.unwrap_or_default() {
            match requirement {
                Requirement::AllApis => {
                    needs.insert(Need::AllApis);
                }
                // Of several of which one would do, the token may hold any.
                Requirement::AllOf(scopes) | Requirement::AnyOf(scopes) => {
                    let scopes = scopes.iter().map(Scope::as_str);
                    needs.extend(scopes.map(|text| Need::Scope(text.to_owned())));
                }
                Requirement::AnyToken => {}
                Requirement::Operation(operation) => {
                    needs.insert(of_operation(operation));
                }
            }
        }
    }
    needs
}

fn of_operation(operation: &'static Operation) -> Need {
    Need::Operation(operation.name, scope::covering(operation).collect())
}

const SECONDS_OF_DAY: u64 = 86_400;
