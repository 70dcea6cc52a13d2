//! What of a policy its cases reach.

use std::collections::BTreeSet;

use databricks_oam_filter::authorize::{Decision, Verdict};
use databricks_oam_filter::databricks::scope::ALL_APIS;
use databricks_oam_filter::databricks::scope_set::ScopeSet;
use databricks_oam_filter::policy::Policy;
use databricks_oam_filter::policy::rule::Effect;
use databricks_oam_filter::token::scope::Scope;
use serde::Serialize;

/// The roles, grants and rules of one policy, and those among them that a case reached.
#[derive(Default)]
pub(super) struct Coverage {
    all: Vec<String>,
    reached: BTreeSet<String>,
}

/// The figure, and what is missing from it.
#[derive(Serialize)]
pub(super) struct Figure {
    pub(super) reached: usize,
    pub(super) all: usize,
    pub(super) percent: usize,
    pub(super) not_reached: Vec<String>,
}

impl Coverage {
    pub(super) fn of(policy: &Policy) -> Self {
        let mut all = Vec::new();
        for role in policy.roles.as_slice() {
            all.push(role_label(&role.name));
            all.extend(
                role.grants
                    .iter()
                    .map(|grant| grant_label(grant, &role.name)),
            );
        }
        all.extend(
            policy
                .rules
                .rules()
                .iter()
                .map(|rule| rule_label(&rule.name)),
        );
        Self {
            all,
            reached: BTreeSet::new(),
        }
    }

    /// Counts what a decision rested on: the roles held, the grants that cover what was allowed,
    /// the rule that governed it.
    pub(super) fn count(&mut self, policy: &Policy, decision: &Decision<'_>) {
        let evidence = &decision.evidence;
        self.reached
            .extend(evidence.rule.map(|rule| rule_label(&rule.name)));
        let Some(access) = &evidence.effective_access else {
            return;
        };
        self.reached
            .extend(access.roles.iter().map(|name| role_label(name)));
        if !matches!(decision.verdict, Verdict::Allow(_)) {
            return;
        }
        let helps = |grant: &Scope| {
            let alone: ScopeSet = [grant.clone()].into_iter().collect();
            match (evidence.operation, evidence.rule.map(|rule| &rule.effect)) {
                (Some(operation), _) => {
                    !operation.area().is_empty() && alone.covers_operation(operation)
                }
                (None, Some(Effect::RequireAll(scopes) | Effect::RequireAny(scopes))) => {
                    scopes.iter().any(|scope| alone.covers(scope.as_str()))
                }
                (None, Some(Effect::Deny | Effect::Public)) => false,
                (None, None) => grant.as_str() == ALL_APIS,
            }
        };
        for role in policy
            .roles
            .as_slice()
            .iter()
            .filter(|role| access.roles.contains(&role.name))
        {
            let helpful = role.grants.iter().filter(|grant| helps(grant));
            self.reached
                .extend(helpful.map(|grant| grant_label(grant, &role.name)));
        }
    }

    /// Adds what other cases reached of the same policy.
    pub(super) fn merge(&mut self, other: Self) {
        self.all = other.all;
        self.reached.extend(other.reached);
    }

    pub(super) fn figure(&self) -> Figure {
        let not_reached: Vec<String> = self
            .all
            .iter()
            .filter(|label| !self.reached.contains(*label))
            .cloned()
            .collect();
        let all = self.all.len();
        let reached = all.saturating_sub(not_reached.len());
        let percent = reached.saturating_mul(100).checked_div(all).unwrap_or(100);
        Figure {
            reached,
            all,
            percent,
            not_reached,
        }
    }
}

fn role_label(name: &str) -> String {
    format!("role {name}")
}

fn grant_label(grant: &Scope, role: &str) -> String {
    format!("grant {} of {role}", grant.as_str())
}

fn rule_label(name: &str) -> String {
    format!("rule {name}")
}
