//! What a policy requires of the callers of a request, so that it can be compared.

use crate::authorize::passage::PolicyForRequest;
use crate::databricks::Mark;
use crate::databricks::scope;
use crate::few::Few;
use crate::policy::rule::{Effect, Mode, Rule};
use crate::policy::{Governing, Requirement, Rules};
use crate::request::mcp::Call;
use crate::token::scope::Scope;

/// All that what becomes of a request depends on, its caller aside. Names are left out: a rule that
/// is only called otherwise is the same.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Needs {
    kind: GovernedBy,
    is_public: bool,
    governing: Vec<RuleNeeds>,
    /// Absent where nothing that a token grants would do.
    required: Option<Vec<Needed>>,
    denying: Option<RuleNeeds>,
    in_shadow: Vec<RuleNeeds>,
    /// What those in shadow mode would require.
    required_in_shadow: Option<Vec<Needed>>,
}

/// By what a request is governed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum GovernedBy {
    Ambiguous,
    /// Whether the operation makes tokens.
    Operation(bool),
    Rules,
    /// Whether a rule in shadow mode opens it.
    Unmatched(bool),
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct RuleNeeds {
    effect: Effect,
    mode: Mode,
    is_left_guessing: bool,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Needed {
    AllApis,
    AllOf(Vec<Scope>),
    AnyOf(Vec<Scope>),
    AnyToken,
    /// One of these.
    Operation(Vec<&'static str>),
}

impl Needs {
    /// What is required of the callers of an issuer, or of nobody known.
    pub(super) fn of(requested: &PolicyForRequest<'_, '_>, issuer: Option<usize>) -> Self {
        let applied = requested.applied(issuer);
        let call = requested.readings().call;
        let (kind, governing) = match &applied.governing {
            Governing::Ambiguous => (GovernedBy::Ambiguous, Vec::new()),
            Governing::Operation(operation) => (
                GovernedBy::Operation(operation.marks.has(Mark::MintsCredentials)),
                Vec::new(),
            ),
            Governing::Rules(rules) => (GovernedBy::Rules, rule_needs(rules, call)),
            Governing::Unmatched => (GovernedBy::Unmatched(applied.in_shadow.opens()), Vec::new()),
        };
        Self {
            kind,
            is_public: applied.governing.is_public(),
            governing,
            required: required(applied.requirements.as_ref()),
            denying: applied.denying.map(|rule| RuleNeeds::of(rule, call)),
            in_shadow: rule_needs(&applied.in_shadow, call),
            required_in_shadow: required(applied.required_in_shadow.as_ref()),
        }
    }
}

impl Needs {
    /// Every scope that meets a part of what is needed.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &str> {
        let lists = self.required.iter().chain(&self.required_in_shadow);
        lists.flatten().flat_map(|needed| -> Vec<&str> {
            match needed {
                Needed::AllApis => vec![scope::ALL_APIS],
                Needed::AllOf(scopes) | Needed::AnyOf(scopes) => {
                    let implying = |scope| scope::implying(Scope::as_str(scope));
                    scopes.iter().flat_map(implying).collect()
                }
                Needed::AnyToken => Vec::new(),
                Needed::Operation(scopes) => scopes.clone(),
            }
        })
    }
}

fn required(requirements: Option<&Few<Requirement<'_>>>) -> Option<Vec<Needed>> {
    Some(requirements?.iter().map(Needed::of).collect())
}

fn rule_needs(rules: &Rules<'_>, call: Call<'_>) -> Vec<RuleNeeds> {
    rules.iter().map(|rule| RuleNeeds::of(rule, call)).collect()
}

impl RuleNeeds {
    fn of(rule: &Rule, call: Call<'_>) -> Self {
        Self {
            effect: rule.effect.clone(),
            mode: rule.mode,
            is_left_guessing: rule.is_left_guessing(call),
        }
    }
}

impl Needed {
    fn of(requirement: &Requirement<'_>) -> Self {
        match requirement {
            Requirement::AllApis => Self::AllApis,
            Requirement::AllOf(scopes) => Self::AllOf(scopes.to_vec()),
            Requirement::AnyOf(scopes) => Self::AnyOf(scopes.to_vec()),
            Requirement::AnyToken => Self::AnyToken,
            Requirement::Operation(operation) => {
                Self::Operation(scope::covering(operation).collect())
            }
        }
    }
}
