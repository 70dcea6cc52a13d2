//! What governs a request, and what its caller needs to hold for that.

use crate::databricks::Operation;
use crate::databricks::operation;
use crate::databricks::scope::{self, ALL_APIS};
use crate::databricks::scope_set::ScopeSet;
use crate::few::Few;
use crate::token::scope::Scope;

use super::rule::{Effect, Mode, Rule};
use super::rule_book::AppliedRule;

/// What governs a request.
#[derive(Clone, Debug)]
pub enum Governing<'a> {
    /// A percent-escape stands where no other reader could be trusted to read it as we do.
    Ambiguous,
    /// An operation of the catalogue.
    Operation(&'static Operation),
    /// Rules of the operator's.
    Rules(Rules<'a>),
    /// Nothing.
    Unmatched,
}

/// Rules that a request must pass, all of them, in the configuration's order.
#[derive(Clone, Debug, Default)]
pub struct Rules<'a> {
    rules: Few<&'a Rule>,
    besides: Besides,
}

/// What a request must pass beside rules that govern it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Besides {
    /// Nothing: a rule is for this request, and either the catalogue knows it or the rule takes its
    /// path as it was sent.
    Nothing,
    /// What the catalogue says of this operation: the rules [may be](super::reading::Origin) for
    /// something else.
    Operation(&'static Operation),
    /// What holds for requests that nothing describes.
    #[default]
    Unmatched,
}

/// What a request needs its caller to hold.
#[derive(Clone, Copy, Debug)]
pub enum Requirement<'a> {
    /// `all-apis` itself.
    AllApis,
    /// Every one of these.
    AllOf(&'a [Scope]),
    /// One of these.
    AnyOf(&'a [Scope]),
    /// A valid token, whatever it grants.
    AnyToken,
    /// What the operation's scope covers.
    Operation(&'static Operation),
}

impl<'a> Rules<'a> {
    /// The rules that count among those that apply: what restricts goes before what opens.
    pub(super) fn of(applied: &Few<AppliedRule<'a>>, besides: Besides) -> Self {
        let is_public = |found: &AppliedRule<'_>| found.rule.effect == Effect::Public;
        let all_public = applied.iter().all(is_public);
        let counting = applied
            .iter()
            .filter(|found| all_public || !is_public(found));
        let mut rules: Few<&Rule> = Few::None;
        for found in counting {
            // One rule may apply by several of its paths.
            if !rules.iter().any(|rule| std::ptr::eq(*rule, found.rule)) {
                rules.push(found.rule);
            }
        }
        Self { rules, besides }
    }

    /// These rules, which were found before.
    pub(super) const fn numbered(rules: Few<&'a Rule>, besides: Besides) -> Self {
        Self { rules, besides }
    }

    /// The rules.
    pub fn iter(&self) -> impl Iterator<Item = &'a Rule> {
        self.rules.iter().copied()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether their refusals are recorded only.
    pub fn are_in_shadow(&self) -> bool {
        self.iter().any(|rule| rule.mode == Mode::Shadow)
    }

    /// What a request must pass besides.
    pub const fn besides(&self) -> Besides {
        self.besides
    }

    /// Whether they describe the request, so that it is not unmatched.
    pub const fn opens(&self) -> bool {
        !matches!(self.besides, Besides::Unmatched)
    }
}

impl Governing<'_> {
    /// Whether nobody needs to say who they are.
    #[inline]
    pub fn is_public(&self) -> bool {
        match self {
            Self::Operation(operation) => {
                operation.requirement == operation::OperationRequirement::NoToken
            }
            Self::Rules(rules) => {
                rules.opens() && rules.iter().all(|rule| rule.effect == Effect::Public)
            }
            Self::Ambiguous | Self::Unmatched => false,
        }
    }
}

impl<'a> Requirement<'a> {
    /// What a rule requires; `None` where it denies.
    pub(crate) fn of_rule(rule: &'a Rule) -> Option<Self> {
        match &rule.effect {
            Effect::RequireAll(scopes) => Some(Self::AllOf(scopes)),
            Effect::RequireAny(scopes) => Some(Self::AnyOf(scopes)),
            Effect::Public => Some(Self::AnyToken),
            Effect::Deny => None,
        }
    }

    /// What an operation of the catalogue requires.
    pub const fn of_operation(operation: &'static Operation) -> Self {
        match operation.requirement {
            operation::OperationRequirement::AnyToken
            | operation::OperationRequirement::NoToken => Self::AnyToken,
            operation::OperationRequirement::Scope(_) => Self::Operation(operation),
        }
    }

    /// Whether the scopes of one list are enough. What a caller may do,
    /// [`EffectiveAccess`](super::EffectiveAccess) says.
    pub fn met_by(&self, held: &ScopeSet) -> bool {
        match self {
            Self::AllApis => held.contains(ALL_APIS),
            Self::AllOf(scopes) => scopes.iter().all(|scope| held.covers(scope.as_str())),
            Self::AnyOf(scopes) => scopes.iter().any(|scope| held.covers(scope.as_str())),
            Self::AnyToken => true,
            Self::Operation(operation) => held.covers_operation(operation),
        }
    }

    /// The scopes to request, for challenges and records.
    pub fn scopes(self) -> impl Iterator<Item = &'a str> {
        let (one, listed): (_, &[Scope]) = match self {
            Self::AllApis => (Some(ALL_APIS), &[]),
            Self::AllOf(scopes) | Self::AnyOf(scopes) => (None, scopes),
            Self::AnyToken => (None, &[]),
            Self::Operation(operation) => (scope::required(operation), &[]),
        };
        one.into_iter().chain(listed.iter().map(Scope::as_str))
    }
}
