//! The operator's own rules, and which of them governs a request.
//!
//! Deny rules win over everything, however general. Among the others the most specific path wins: at the first segment that differs a
//! literal goes before `{name}:verb`, that before `{id}`, and that before `{path=**}`. Of one path, a rule for named MCP tools goes before one
//! for MCP methods, and that before one for all calls. Two rules of equal specificity that overlap are a configuration error, so there is
//! never a tie.

use crate::path::Path;
use crate::path::index::{Escapes, Index};
use crate::path::template::Template;
use crate::request::mcp::{Call, Tool};
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
    /// The MCP calls that it is for; any call at all, when absent.
    pub mcp: Option<Tools>,
    /// Whether its refusals are enforced.
    pub mode: Mode,
}

/// Which MCP calls a rule is for: both must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tools {
    /// Methods of JSON-RPC; any, when absent.
    pub methods: Option<Vec<Box<str>>>,
    /// Names of tools, prompts or resources; any, when absent.
    pub names: Option<Vec<Box<str>>>,
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
    asks_for_tools: bool,
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
        let rules = &self.rules;
        let is_wider = |&other: &usize| {
            let other = rules.get(other);
            other.is_some_and(|other| other.narrowness() < rule.narrowness())
        };
        for path in paths {
            index.insert_before(path, rules.len(), is_wider);
        }
        self.asks_for_issuers |= rule.issuers.is_some();
        self.asks_for_tools |= rule.mcp.is_some();
        self.rules.push(rule);
        Ok(())
    }

    /// The most specific rule, deny rules apart, and those on trial only where they are asked for.
    pub fn find(
        &self,
        call: Call<'_>,
        path: &Path<'_>,
        issuer: Option<&str>,
        trials: Trials,
    ) -> Option<Governed<'_>> {
        let found = self.other.find(path, |&position| {
            self.rules.get(position).is_some_and(|rule| {
                rule.is_for(call, issuer)
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
    pub fn denying(&self, call: Call<'_>, path: &Path<'_>, issuer: Option<&str>) -> Option<&Rule> {
        let denying = |mode: Mode| {
            let found = self.deny.find(path, |&position| {
                self.rules
                    .get(position)
                    .is_some_and(|rule| rule.mode == mode && rule.is_for(call, issuer))
            })?;
            self.rules.get(*found.value)
        };
        denying(Mode::Enforce).or_else(|| denying(Mode::Shadow))
    }

    /// Whether some rule is for certain MCP calls only.
    pub const fn asks_for_tools(&self) -> bool {
        self.asks_for_tools
    }

    /// Whether some rule counts for certain issuers only, so that what governs a request depends on whose token it carries.
    pub const fn asks_for_issuers(&self) -> bool {
        self.asks_for_issuers
    }

    /// Whether there is no rule at all.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Every rule, in the configuration's order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

impl Rule {
    /// Whether it is for MCP calls, and this request does not tell which one it is.
    pub fn is_left_guessing(&self, call: Call<'_>) -> bool {
        self.mcp.is_some() && call.tool == Tool::Untold
    }

    /// A request that does not tell its MCP call may be any: what it is taken for, it must not get around.
    fn is_for(&self, call: Call<'_>, issuer: Option<&str>) -> bool {
        let method_holds = names(self.methods.as_deref(), Some(call.method));
        let issuer_holds = names(self.issuers.as_deref(), issuer);
        let tool_holds = match (&self.mcp, call.tool) {
            (None, _) | (Some(_), Tool::Untold) => true,
            (Some(tools), Tool::Told { method, name }) => {
                names(tools.methods.as_deref(), Some(method)) && names(tools.names.as_deref(), name)
            }
        };
        method_holds && issuer_holds && tool_holds
    }

    /// Whether some request could be for both.
    fn overlaps(&self, other: &Self) -> bool {
        let methods = meet(self.methods.as_deref(), other.methods.as_deref());
        let issuers = meet(self.issuers.as_deref(), other.issuers.as_deref());
        let tools = match (&self.mcp, &other.mcp) {
            (Some(tools), Some(others)) => {
                meet(tools.methods.as_deref(), others.methods.as_deref())
                    && meet(tools.names.as_deref(), others.names.as_deref())
            }
            (_, _) => true,
        };
        methods && issuers && tools && self.narrowness() == other.narrowness()
    }

    /// How much it says of MCP calls.
    fn narrowness(&self) -> u8 {
        match &self.mcp {
            None => 0,
            Some(Tools { names: None, .. }) => 1,
            Some(Tools { names: Some(_), .. }) => 2,
        }
    }
}

/// Whether a list has what was found, an absent one having everything.
fn names(list: Option<&[Box<str>]>, found: Option<&str>) -> bool {
    list.is_none_or(|list| found.is_some_and(|found| list.iter().any(|known| &**known == found)))
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
