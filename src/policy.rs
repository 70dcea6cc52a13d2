//! Who may do what: roles narrow scopes, rules and the catalogue say which scope a request needs.
//!
//! The policy never sees a token's text or a key. It answers three questions: which rules and which
//! operation apply to a request ([`Policy::apply`]), what a caller's effective access is
//! ([`Policy::effective_access`]), and whether that is enough ([`EffectiveAccess::satisfies`]).

pub mod credential;
pub mod effective_access;
mod governing;
pub mod reading;
pub mod role;
pub mod roles;
pub mod rule;
pub mod rule_book;
pub mod ruling;
pub mod workspace;

use crate::databricks::scope::{self, ALL_APIS};
use crate::databricks::{Catalogue, Lookup};
use crate::few::Few;
use crate::issuer::access_token::AccessToken;
use crate::path::Path;
use crate::request::mcp::Call;
use crate::request::workspace::WorkspaceId;

use roles::Roles;
use rule::{Mode, Rule};
use rule_book::{Applicable, AppliedRule, RuleBook};

pub use effective_access::EffectiveAccess;
pub use governing::{Besides, Governing, Requirement, Rules};
pub use reading::Readings;

/// Everything that decides what a valid token may do.
pub struct Policy {
    /// Databricks' operations.
    pub catalogue: &'static Catalogue,
    /// The operator's own rules.
    pub rules: RuleBook,
    /// Functional roles; none means that tokens are not narrowed.
    pub roles: Roles,
    /// Whether refusals of authorization are enforced.
    pub mode: Mode,
    /// What becomes of requests that match neither rule nor operation.
    pub unmatched: Unmatched,
}

/// What becomes of requests that nothing describes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unmatched {
    /// Whoever holds `all-apis` may send them.
    AllApis,
    /// They are refused.
    Deny,
}

/// What the policy says of a request, by the rules for one issuer or for nobody known.
pub struct Applied<'a> {
    /// What governs it; rules in shadow mode left out.
    pub governing: Governing<'a>,
    /// What a request needs that is governed so, all of it; `None` where nothing that a token
    /// grants would do.
    pub requirements: Option<Few<Requirement<'a>>>,
    /// The deny rule that applies, enforced ones before those in shadow mode.
    pub denying: Option<&'a Rule>,
    /// The rules that would govern it if those in shadow mode were enforced; none where none of
    /// them would.
    pub in_shadow: Rules<'a>,
    /// What those require, all of it; `None` also where there is none.
    pub required_in_shadow: Option<Few<Requirement<'a>>>,
}

impl Policy {
    /// Reads a request in every way in which a server might read it.
    pub fn readings<'r>(&self, call: Call<'r>, path: Path<'r>) -> Readings<'r> {
        Readings::of(self.catalogue, call, path)
    }

    /// What the policy says of a request. Rules that are narrowed to issuers count only where
    /// `issuer` is one of them.
    pub fn apply<'a>(&'a self, readings: &Readings<'_>, issuer: Option<&str>) -> Applied<'a> {
        let mut rules = self.rules.applicable(readings, issuer);
        let is_known = readings.operation().is_some();
        if !is_known && !rules.opens_this_version {
            // Nobody described this version, so it may be what a rule for another one means.
            rules = self.rules.applicable(&readings.in_any_version(), issuer);
        }
        let denying = rules.denying.first().or(rules.denying_in_shadow.first());
        let is_in_shadow = |found: &AppliedRule<'_>| found.rule.mode == Mode::Shadow;
        let mut in_shadow = Rules::default();
        if rules.with_shadow.iter().any(is_in_shadow) {
            let mut found = rules.with_shadow.clone();
            found.retain(is_in_shadow);
            // What the catalogue knows by another method, a rule in shadow mode does not open.
            let opens = rules.opens || (rules.opens_in_shadow && readings.read_as().is_empty());
            in_shadow = Rules::of(&found, besides(readings, &rules.with_shadow, opens));
        }
        let governing = Self::governing(readings, &rules);
        let denying = denying.map(|found| found.rule);
        self.applied(readings, governing, denying, in_shadow)
    }

    /// What rules that apply to a request come to.
    fn applied<'a>(
        &self,
        readings: &Readings<'_>,
        governing: Governing<'a>,
        denying: Option<&'a Rule>,
        in_shadow: Rules<'a>,
    ) -> Applied<'a> {
        let required_in_shadow = if in_shadow.is_empty() {
            None
        } else {
            self.requirements(&Governing::Rules(in_shadow.clone()), readings)
        };
        Applied {
            requirements: self.requirements(&governing, readings),
            governing,
            denying,
            in_shadow,
            required_in_shadow,
        }
    }

    fn governing<'a>(readings: &Readings<'_>, rules: &Applicable<'a>) -> Governing<'a> {
        let has_escapes = readings.path.has_escapes();
        // Where an operation of the catalogue takes the escape, a rule's name does too.
        let is_escaped = readings.operation().is_none()
            && rules.governing.iter().any(|found| found.has_escaped_name);
        let is_misread = rules.is_ambiguous || is_escaped || readings.lookup == Lookup::Ambiguous;
        match readings.operation() {
            _ if is_misread => Governing::Ambiguous,
            // Escapes pass only where something takes them.
            None if has_escapes && !rules.opens => Governing::Ambiguous,
            _ if !rules.governing.is_empty() => {
                let besides = besides(readings, &rules.governing, rules.opens);
                Governing::Rules(Rules::of(&rules.governing, besides))
            }
            Some(operation) => Governing::Operation(operation),
            None => Governing::Unmatched,
        }
    }

    /// A caller's effective access in a workspace: what the token carries and the roles held grant.
    #[inline(never)]
    pub fn effective_access(
        &self,
        token: &AccessToken,
        workspace: Option<WorkspaceId>,
    ) -> EffectiveAccess {
        let held = self.roles.held_by(token, workspace);
        EffectiveAccess::new(held, token.scopes.clone(), !self.roles.is_empty())
    }

    /// What a request needs that is governed so, all of it; `None` where nothing that a token
    /// grants would do.
    fn requirements<'a>(
        &self,
        governing: &Governing<'a>,
        readings: &Readings<'_>,
    ) -> Option<Few<Requirement<'a>>> {
        match governing {
            Governing::Operation(operation) => Some(Few::One(Requirement::of_operation(operation))),
            Governing::Rules(rules) => {
                let more = match rules.besides() {
                    Besides::Nothing => Few::None,
                    Besides::Operation(operation) => Few::One(Requirement::of_operation(operation)),
                    Besides::Unmatched => self.of_unmatched(readings)?,
                };
                let required = rules.iter().map(Requirement::of_rule);
                required.chain(more.iter().copied().map(Some)).collect()
            }
            Governing::Unmatched => self.of_unmatched(readings),
            Governing::Ambiguous => None,
        }
    }

    /// What a request needs that nothing describes. A server may answer it as it does an operation
    /// of its path, and `all-apis` does not reach each of those.
    fn of_unmatched<'a>(&self, readings: &Readings<'_>) -> Option<Few<Requirement<'a>>> {
        match self.unmatched {
            Unmatched::AllApis => {
                let mut required = Few::One(Requirement::AllApis);
                for operation in &readings.read_as() {
                    if !scope::covers(ALL_APIS, operation) {
                        required.push(Requirement::Operation(operation));
                    }
                }
                Some(required)
            }
            Unmatched::Deny => None,
        }
    }
}

/// What a request must pass beside the rules that apply to it; `opens` says whether one of them
/// takes its path as it was sent.
fn besides(readings: &Readings<'_>, applied: &Few<AppliedRule<'_>>, opens: bool) -> Besides {
    match readings.operation() {
        Some(operation) if applied.iter().all(|found| found.is_guess) => {
            Besides::Operation(operation)
        }
        None if !opens => Besides::Unmatched,
        Some(_) | None => Besides::Nothing,
    }
}
