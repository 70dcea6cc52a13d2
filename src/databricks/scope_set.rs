//! Sets of scopes, and what one scope is worth against another.
//!
//! What Databricks' scopes include is [`scope`]'s business. All other scopes are the operator's own
//! and mean themselves. Texts are compared whole, never in part.

use std::rc::Rc;

use serde::{Serialize, Serializer};

use crate::databricks::Operation;
use crate::databricks::scope;
use crate::token::scope::Scope;

/// Scopes, each once, in the order of their bytes. A clone shares them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScopeSet(Option<Rc<[Scope]>>);

impl ScopeSet {
    /// Whether exactly this scope is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.as_slice()
            .binary_search_by(|held| held.as_str().cmp(scope))
            .is_ok()
    }

    /// Whether some scope of the set is worth `needed`.
    pub fn covers(&self, needed: &str) -> bool {
        scope::implying(needed).any(|implying| self.contains(implying))
    }

    /// Whether some scope of the set covers an operation that needs one.
    pub fn covers_operation(&self, operation: &Operation) -> bool {
        scope::covering(operation).any(|covering| self.contains(covering))
    }

    /// What both sets allow: of each pair the narrower, where one covers the other, and otherwise
    /// as much of a part as both reach.
    ///
    /// `all-apis` does not cover what Databricks documents no scope for, and a list of scopes
    /// cannot tell that of an area. So this is for records, and a decision looks into each set.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let ours = self.iter().filter_map(|scope| other.most_of(scope));
        let theirs = other.iter().filter_map(|scope| self.most_of(scope));
        ours.chain(theirs).collect()
    }

    /// As much of a scope as the set covers.
    fn most_of(&self, scope: &Scope) -> Option<Scope> {
        let most = scope::narrowing(scope.as_str()).find(|narrowed| self.covers(narrowed))?;
        if most == scope.as_str() {
            Some(scope.clone())
        } else {
            Scope::parse(most).ok()
        }
    }

    /// Adds the scopes of another set.
    pub fn extend(&mut self, other: &Self) {
        *self = self.iter().chain(other.iter()).cloned().collect();
    }

    /// The scopes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.as_slice().iter()
    }

    /// The same.
    pub fn as_slice(&self) -> &[Scope] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Scope::as_str))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut held: Vec<Scope> = scopes.into_iter().collect();
        held.sort_unstable();
        held.dedup();
        Self((!held.is_empty()).then(|| held.into()))
    }
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
            ("the data of a part",          "catalog.tables",      "unity-catalog:data",     "catalog.tables:data"),
            ("data and reads",              "jobs:data",           "jobs:read",              "jobs:read"),
            ("data of the whole",           "jobs:data",           "jobs",                   "jobs:data"),
            ("data of another",             "jobs:data",           "sql:data",               ""),
            ("two ways to a part",          "catalog.tables",      "unity-catalog:data unity-catalog:read", "catalog.tables:data"),
            ("an own scope, all-apis",      "b.admin",             "all-apis",               ""),
            ("an undocumented area",        "zerobus zerobus:data", "all-apis",              ""),
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
            ("its data",                    "jobs",             "jobs:data",   true),
            ("reads as data",               "jobs:data",        "jobs:read",   true),
            ("data as reads",               "jobs:read",        "jobs:data",   false),
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
            assert_eq!(set(held).covers(needed), want, "{name}");
        }
    }
}
