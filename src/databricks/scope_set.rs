//! Sets of scopes, and what one scope is worth against another.
//!
//! `<area>` covers every operation of the area, `<area>:read` those that only read, `all-apis` those whose area Databricks documents. All
//! other scopes are the operator's own and mean themselves. Texts are compared whole, never in part.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::databricks::Operation;
use crate::databricks::area::Area;
use crate::databricks::scope::{self, ALL_APIS};
use crate::token::scope::Scope;

/// Scopes, each once, in the order of their bytes. A clone shares them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScopeSet(Option<Rc<[Held]>>);

/// A scope of a set, with the area that it speaks of, which is looked up where it matters, and once.
#[derive(Clone, Debug)]
pub struct Held {
    scope: Scope,
    area: OnceCell<Option<Area>>,
}

impl ScopeSet {
    /// Whether exactly this scope is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|held| held.as_str() == scope)
    }

    /// Whether some scope of the set is worth `needed`.
    pub fn covers(&self, needed: &Scope) -> bool {
        self.iter()
            .any(|held| scope::implies(held.as_str(), needed.as_str()))
    }

    /// Whether some scope of the set covers an operation.
    pub fn covers_operation(&self, operation: &Operation) -> bool {
        self.iter()
            .any(|held| scope::covers(held.as_str(), operation))
    }

    /// What both sets allow: of each pair, the narrower where one covers the other, and the reads of a part where one is the part and the
    /// other the reads of its whole.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let pairs = self.as_slice().iter().flat_map(|left| {
            other
                .as_slice()
                .iter()
                .filter_map(|right| meet(left, right))
        });
        Self::of(pairs.collect())
    }

    /// Adds the scopes of another set.
    pub fn extend(&mut self, other: &Self) {
        *self = Self::of([self.as_slice(), other.as_slice()].concat());
    }

    /// The scopes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.as_slice().iter().map(|held| &held.scope)
    }

    /// The same.
    pub fn as_slice(&self) -> &[Held] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    fn of(mut held: Vec<Held>) -> Self {
        held.sort_unstable_by(|left, right| left.scope.cmp(&right.scope));
        held.dedup();
        Self((!held.is_empty()).then(|| held.into()))
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self::of(scopes.into_iter().map(Held::new).collect())
    }
}

impl Held {
    /// The scope's characters.
    pub fn as_str(&self) -> &str {
        self.scope.as_str()
    }

    const fn new(scope: Scope) -> Self {
        Self {
            scope,
            area: OnceCell::new(),
        }
    }

    fn area(&self) -> Option<Area> {
        *self.area.get_or_init(|| scope::area(self.scope.as_str()))
    }

    /// `all-apis` in a token does not reach an undocumented area by itself; a role that names the area says that it shall.
    fn implies(&self, narrow: &Self) -> bool {
        let (broad, text) = (self.scope.as_str(), narrow.scope.as_str());
        broad == ALL_APIS || scope::implies_in(broad, text, || narrow.area())
    }
}

/// What was looked up so far is no difference.
impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.scope == other.scope
    }
}

impl Eq for Held {}

fn meet(left: &Held, right: &Held) -> Option<Held> {
    if left.implies(right) {
        return Some(right.clone());
    }
    if right.implies(left) {
        return Some(left.clone());
    }
    // The reads of a part, where only the two together allow them: both speak of one area then.
    if left.area().is_none() || left.area() != right.area() {
        return None;
    }
    [left, right]
        .into_iter()
        .filter_map(|held| Scope::parse(&format!("{}:read", held.scope)).ok())
        .map(Held::new)
        .find(|reads| left.implies(reads) && right.implies(reads))
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
