//! Sets of scopes, and what one scope is worth against another.
//!
//! `<area>` covers every operation of the area, `<area>:read` those that only read, `all-apis` those whose area Databricks documents. All
//! other scopes are the operator's own and mean themselves. Texts are compared whole, never in part.

use std::collections::BTreeSet;

use crate::databricks::Operation;
use crate::databricks::scope::{self, ALL_APIS};
use crate::token::scope::Scope;

/// Scopes, each once, in the order of their bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScopeSet(BTreeSet<Scope>);

impl ScopeSet {
    /// Whether exactly this scope is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|held| held.as_str() == scope)
    }

    /// Whether some scope of the set is worth `needed`.
    pub fn covers(&self, needed: &Scope) -> bool {
        self.0
            .iter()
            .any(|held| scope::implies(held.as_str(), needed.as_str()))
    }

    /// Whether some scope of the set covers an operation.
    pub fn covers_operation(&self, operation: &Operation) -> bool {
        self.0
            .iter()
            .any(|held| scope::covers(held.as_str(), operation))
    }

    /// What both sets allow: of each pair, the narrower where one covers the other, and the reads of a part where one is the part and the
    /// other the reads of its whole.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = BTreeSet::new();
        for left in &self.0 {
            both.extend(other.0.iter().filter_map(|right| meet(left, right)));
        }
        Self(both)
    }

    /// Adds the scopes of another set.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// The scopes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

fn meet(left: &Scope, right: &Scope) -> Option<Scope> {
    // `all-apis` in a token does not reach an undocumented area by itself; a role that names the area says that it shall.
    let implies = |broad: &Scope, narrow: &Scope| {
        broad.as_str() == ALL_APIS || scope::implies(broad.as_str(), narrow.as_str())
    };
    if implies(left, right) {
        return Some(right.clone());
    }
    if implies(right, left) {
        return Some(left.clone());
    }
    [left, right]
        .into_iter()
        .filter_map(|scope| Scope::parse(&format!("{scope}:read")).ok())
        .find(|reads| implies(left, reads) && implies(right, reads))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> ScopeSet {
        text.split_whitespace()
            .map(|scope| Scope::parse(scope).unwrap())
            .collect()
    }

    #[test]
    fn the_narrower_scope_remains() {
        #[rustfmt::skip]
        let cases = [
            // name                         token                  roles                     want
            ("equal",                       "jobs",                "jobs",                   "jobs"),
            ("the role narrows",            "jobs",                "jobs:read",              "jobs:read"),
            ("the token narrows",           "jobs:read",           "jobs",                   "jobs:read"),
            ("all-apis in the token",       "all-apis",            "jobs sql:read",          "jobs sql:read"),
            ("all-apis in the role",        "jobs sql:read",       "all-apis",               "jobs sql:read"),
            ("all-apis in both",            "all-apis",            "all-apis",               "all-apis"),
            ("nothing in common",           "jobs",                "sql",                    ""),
            ("no role",                     "jobs",                "",                       ""),
            ("an own scope",                "b.read",              "b.read",                 "b.read"),
            ("an own scope has no half",    "b.read",              "b.read:read",            ""),
            ("reads of a part",             "catalog.tables",      "unity-catalog:read",     "catalog.tables:read"),
            ("a longer name",               "jobs",                "jobs-admin",             ""),
            ("another case",                "Jobs",                "jobs",                   ""),
            ("several",                     "jobs sql files:read", "jobs:read sql files",    "files:read jobs:read sql"),
        ];
        for (name, token, roles, want) in cases {
            assert_eq!(set(token).intersection(&set(roles)), set(want), "{name}");
            assert_eq!(
                set(roles).intersection(&set(token)),
                set(want),
                "{name}, turned round"
            );
        }
    }

    #[test]
    fn a_scope_covers_itself_and_what_is_narrower() {
        #[rustfmt::skip]
        let cases = [
            // name                         held                needed         want
            ("itself",                      "jobs",             "jobs",        true),
            ("its reads",                   "jobs",             "jobs:read",   true),
            ("not its writes",              "jobs:read",        "jobs",        false),
            ("all-apis, documented",        "all-apis",         "jobs",        true),
            ("all-apis, its reads",         "all-apis",         "jobs:read",   true),
            ("all-apis, an own scope",      "all-apis",         "b.read",      false),
            ("an own scope",                "b.read",           "b.read",      true),
            ("an own scope has no half",    "b",                "b:read",      false),
            ("a part of the name",          "unity",            "unity-catalog", false),
            ("a glob",                      "*",                "jobs",        false),
            ("a comma",                     "jobs,sql",         "jobs",        false),
            ("none",                        "",                 "jobs",        false),
        ];
        for (name, held, needed, want) in cases {
            assert_eq!(
                set(held).covers(&Scope::parse(needed).unwrap()),
                want,
                "{name}"
            );
        }
    }
}
