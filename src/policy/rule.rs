//! The operator's own rules, and which of them governs a request.
//!
//! Deny rules win over everything, however general. Among the others the most specific path wins: at the first segment that differs a
//! literal goes before `{name}:verb`, that before `{id}`, and that before `{path=**}`. Two rules of equal specificity that overlap are a
//! configuration error, so there is never a tie.

use crate::path::Path;
use crate::path::index::{Escapes, Index};
use crate::path::template::Template;
use crate::token::scope::Scope;

/// A rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its name, in records.
    pub name: Box<str>,
    /// What it does.
    pub effect: Effect,
    /// The methods that it is for; any, when absent.
    pub methods: Option<Vec<Box<str>>>,
    /// The issuers whose tokens it is for; any, when absent.
    pub issuers: Option<Vec<Box<str>>>,
    /// Whether its refusals are enforced.
    pub mode: Mode,
}

/// What a rule does with the requests that it governs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Refuses them.
    Deny,
    /// Lets them through without asking who sends them.
    Public,
    /// Lets them through for callers who hold all of these scopes.
    RequireAll(Vec<Scope>),
    /// Lets them through for callers who hold one of these scopes.
    RequireAny(Vec<Scope>),
}

/// Whether refusals are enforced.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// They are recorded only.
    Shadow,
}

/// All rules, found by path.
#[derive(Default)]
pub struct RuleBook {
    rules: Vec<Rule>,
    deny: Index<usize>,
    other: Index<usize>,
    asks_for_issuers: bool,
}

/// The rule that governs a request.
pub struct Governed<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// A percent-escape stands in a segment where the rule's path takes none.
    pub ambiguous: bool,
}

/// Whether rules on trial are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trials {
    /// As if they were enforced.
    Included,
    /// As if they were not there.
    LeftOut,
}

/// Two rules that overlap and are equally specific.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Overlap {
    /// The position of the rule that was there first.
    pub earlier: usize,
}

impl RuleBook {
    /// Adds a rule for these paths, unless one of them makes a tie.
    pub fn add(&mut self, rule: Rule, paths: &[Template]) -> Result<(), Overlap> {
        let index = if rule.effect == Effect::Deny {
            &self.deny
        } else {
            &self.other
        };
        if rule.effect != Effect::Deny {
            let tie = paths
                .iter()
                .flat_map(|path| index.at(path))
                .find(|&&earlier| {
                    self.rules
                        .get(earlier)
                        .is_some_and(|earlier| earlier.overlaps(&rule))
                });
            if let Some(&earlier) = tie {
                return Err(Overlap { earlier });
            }
        }
        let index = if rule.effect == Effect::Deny {
            &mut self.deny
        } else {
            &mut self.other
        };
        for path in paths {
            index.insert(path, self.rules.len());
        }
        self.asks_for_issuers |= rule.issuers.is_some();
        self.rules.push(rule);
        Ok(())
    }

    /// The most specific rule, deny rules apart, and those on trial only where they are asked for.
    pub fn find(
        &self,
        method: &str,
        path: &Path<'_>,
        issuer: Option<&str>,
        trials: Trials,
    ) -> Option<Governed<'_>> {
        let found = self.other.find(path, |&position| {
            self.rules.get(position).is_some_and(|rule| {
                rule.is_for(method, issuer)
                    && (trials == Trials::Included || rule.mode == Mode::Enforce)
            })
        })?;
        Some(Governed {
            rule: self.rules.get(*found.value)?,
            ambiguous: match found.escapes {
                Escapes::None | Escapes::InRest => false,
                Escapes::InName | Escapes::Ambiguous => true,
            },
        })
    }

    /// Whether some server could read the path as one that a rule is for.
    pub fn misreads(&self, path: &Path<'_>) -> bool {
        path.has_escapes() && (self.deny.misreads(path) || self.other.misreads(path))
    }

    /// A deny rule for the request, an enforced one if there is any.
    ///
    /// Here every segment takes escapes: a rule that denies `/x/{id}` means all that stands there.
    pub fn denying(&self, method: &str, path: &Path<'_>, issuer: Option<&str>) -> Option<&Rule> {
        let denying = |mode: Mode| {
            let found = self.deny.find(path, |&position| {
                self.rules
                    .get(position)
                    .is_some_and(|rule| rule.mode == mode && rule.is_for(method, issuer))
            })?;
            self.rules.get(*found.value)
        };
        denying(Mode::Enforce).or_else(|| denying(Mode::Shadow))
    }

    /// Whether some rule counts for certain issuers only, so that what governs a request depends on whose token it carries.
    pub const fn asks_for_issuers(&self) -> bool {
        self.asks_for_issuers
    }

    /// Every rule, in the configuration's order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

impl Rule {
    fn is_for(&self, method: &str, issuer: Option<&str>) -> bool {
        let method_holds = self
            .methods
            .as_ref()
            .is_none_or(|methods| methods.iter().any(|known| &**known == method));
        let issuer_holds = self.issuers.as_ref().is_none_or(|issuers| {
            issuer.is_some_and(|issuer| issuers.iter().any(|known| &**known == issuer))
        });
        method_holds && issuer_holds
    }

    /// Whether some request could be for both.
    fn overlaps(&self, other: &Self) -> bool {
        let methods = meet(self.methods.as_deref(), other.methods.as_deref());
        methods && meet(self.issuers.as_deref(), other.issuers.as_deref())
    }
}

/// Whether two lists have something in common, an absent one having everything.
fn meet(left: Option<&[Box<str>]>, right: Option<&[Box<str>]>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => left.iter().any(|name| right.contains(name)),
        (None, _) | (_, None) => true,
    }
}

#[cfg(test)]
mod tests;
