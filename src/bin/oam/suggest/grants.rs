//! From what was needed to the narrowest grants that yield it.

use std::collections::{BTreeMap, BTreeSet};

use databricks_oam_filter::databricks::scope::{self, ALL_APIS};
use databricks_oam_filter::databricks::{Area, Catalogue, Operation};
use databricks_oam_filter::policy::Policy;
use databricks_oam_filter::policy::role::Role;
use databricks_oam_filter::token::scope::Scope;
use serde_json::{Value, json};

use super::usage::{Need, Usage};

/// The grants of every role, in the configuration's order.
pub(super) struct NarrowedPolicy {
    pub(super) roles: Vec<NarrowedRole>,
}

/// One role.
pub(super) struct NarrowedRole {
    pub(super) name: String,
    /// What becomes of each grant.
    pub(super) grants: Vec<NarrowedGrant>,
    /// What others might have earned just as well.
    pub(super) undecided: Vec<Undecided>,
}

/// One grant, and what it is replaced by; by nothing where nobody used it.
pub(super) struct NarrowedGrant {
    pub(super) was: String,
    pub(super) is: Vec<String>,
}

/// Something that several roles of one caller grant, and that none of them needs for others.
pub(super) struct Undecided {
    pub(super) what: String,
    pub(super) with: Vec<String>,
    pub(super) calls: usize,
}

impl NarrowedPolicy {
    /// Works them out.
    pub(super) fn of(policy: &Policy, usage: &Usage) -> Self {
        let roles = policy.roles.as_slice();
        let mut needed: Vec<BTreeSet<&Need>> = vec![BTreeSet::new(); roles.len()];
        for (need, candidates) in usage.needs.keys() {
            if let [only] = candidates.as_slice()
                && let Some(needed) = needed.get_mut(*only)
            {
                needed.insert(need);
            }
        }
        let settled: Vec<Vec<String>> = roles
            .iter()
            .zip(&needed)
            .map(|(role, needed)| {
                narrowed(&texts(role), needed)
                    .into_iter()
                    .flat_map(|grant| grant.is)
                    .collect()
            })
            .collect();
        let mut undecided: BTreeMap<usize, Vec<Undecided>> = BTreeMap::new();
        for ((need, candidates), seen) in &usage.needs {
            let does = |place: &usize| {
                let grants = settled.get(*place);
                grants.is_some_and(|grants| grants.iter().any(|grant| need.is_met_by(grant)))
            };
            if candidates.len() < 2 || candidates.iter().any(does) {
                continue;
            }
            // Which of them was meant nobody can tell, so each keeps it.
            for place in candidates {
                if let Some(needed) = needed.get_mut(*place) {
                    needed.insert(need);
                }
                let others = candidates.iter().filter(|other| *other != place);
                let others = others.filter_map(|other| roles.get(*other));
                undecided.entry(*place).or_default().push(Undecided {
                    what: need.name().to_owned(),
                    with: others.map(|role| role.name.to_string()).collect(),
                    calls: seen.calls,
                });
            }
        }
        let of_role = |(place, (role, needed)): (usize, (&Role, &BTreeSet<&Need>))| {
            let grants = texts(role);
            NarrowedRole {
                name: role.name.to_string(),
                grants: narrowed(&grants, needed),
                undecided: undecided.remove(&place).unwrap_or_default(),
            }
        };
        Self {
            roles: roles.iter().zip(&needed).enumerate().map(of_role).collect(),
        }
    }

    /// For machines.
    pub(super) fn json(&self) -> Value {
        let roles = self.roles.iter().map(|role| {
            let grants = role.grants.iter();
            let grants = grants.map(|grant| json!({ "was": grant.was, "is": grant.is }));
            json!({ "role": role.name, "grants": grants.collect::<Vec<_>>(), "is_unused": role.is_unused() })
        });
        Value::Array(roles.collect())
    }
}

impl NarrowedRole {
    /// Whether nothing of it was used.
    pub(super) fn is_unused(&self) -> bool {
        self.grants.iter().all(|grant| grant.is.is_empty())
    }

    /// What a grant is replaced by.
    pub(super) fn replaced(&self, was: &str) -> &[String] {
        let grant = self.grants.iter().find(|grant| grant.was == was);
        grant.map(|grant| grant.is.as_slice()).unwrap_or_default()
    }

    /// The new grants, each once.
    pub(super) fn new_grants(&self) -> Vec<String> {
        let mut grants: Vec<String> = Vec::new();
        for grant in self.grants.iter().flat_map(|grant| &grant.is) {
            if !grants.contains(grant) {
                grants.push(grant.clone());
            }
        }
        grants
    }
}

fn texts(role: &Role) -> Vec<&str> {
    role.grants.iter().map(Scope::as_str).collect()
}

/// What of these grants is needed.
fn narrowed(grants: &[&str], needed: &BTreeSet<&Need>) -> Vec<NarrowedGrant> {
    let mut assigned: BTreeMap<&str, Vec<&Need>> = BTreeMap::new();
    for &need in needed {
        // Of several that cover it, the one that covers the least.
        let own = grants.iter().filter(|grant| need.is_met_by(grant));
        if let Some(least) = own.min_by_key(|grant| covered(grant)) {
            assigned.entry(*least).or_default().push(need);
        }
    }
    let mut given: BTreeSet<String> = BTreeSet::new();
    let each = grants.iter().map(|grant| {
        let needs = assigned.get(grant).map(Vec::as_slice).unwrap_or_default();
        let is = narrowest(grant, needs);
        let is = is.into_iter().filter(|scope| given.insert(scope.clone()));
        NarrowedGrant {
            was: (*grant).to_owned(),
            is: is.collect(),
        }
    });
    each.collect()
}

/// The narrowest scopes within a grant that cover all of these needs.
fn narrowest(grant: &str, needs: &[&Need]) -> Vec<String> {
    if needs.is_empty() {
        return Vec::new();
    }
    if grant != ALL_APIS {
        let does = |scope: &&str| needs.iter().all(|need| need.is_met_by(scope));
        let least = scope::narrowing(grant).filter(does).last();
        return vec![least.unwrap_or(grant).to_owned()];
    }
    if needs.contains(&&Need::AllApis) {
        return vec![ALL_APIS.to_owned()];
    }
    let mut areas: BTreeMap<&str, Vec<&Need>> = BTreeMap::new();
    let mut scopes: Vec<String> = Vec::new();
    for &need in needs {
        let area = match need {
            Need::Operation(_, covering) => covering.iter().find_map(|text| scope::area(text)),
            Need::Scope(text) => scope::area(text),
            Need::AllApis => None,
        };
        match area.map(Area::name) {
            Some(area) => areas.entry(area).or_default().push(need),
            None => scopes.push(need.name().to_owned()),
        }
    }
    let of_areas = areas
        .iter()
        .flat_map(|(area, needs)| narrowest(area, needs));
    scopes.extend(of_areas);
    scopes
}

/// How many operations a scope covers.
pub(super) fn covered(grant: &str) -> usize {
    let all = Catalogue::shared().operations().iter();
    all.filter(|operation| !operation.area().is_empty() && scope::covers(grant, operation))
        .count()
}

/// The operations that a role's new grants cover and its old ones did not: `all-apis` does not
/// cover what Databricks documents no scope for, and an area does.
pub(super) fn added(role: &NarrowedRole) -> Vec<&'static str> {
    let new = role.new_grants();
    let all = Catalogue::shared().operations().iter();
    let is_added = |operation: &&Operation| {
        !operation.area().is_empty()
            && new.iter().any(|grant| scope::covers(grant, operation))
            && !role
                .grants
                .iter()
                .any(|grant| scope::covers(&grant.was, operation))
    };
    all.filter(is_added)
        .map(|operation| operation.name)
        .collect()
}
