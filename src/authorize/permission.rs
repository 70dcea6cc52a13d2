//! Whether an authenticated caller may do what they request.

use std::cell::RefCell;
use std::rc::Rc;

use crate::denial::Denial;
use crate::few::Few;
use crate::issuer::access_token::AccessToken;
use crate::policy::rule::{Mode, Rule};
use crate::policy::{Applied, EffectiveAccess, Governing, Requirement};
use crate::request::mcp::Call;
use crate::request::workspace::WorkspaceId;

use super::Authorizer;
use super::evidence::Evidence;
use super::verified::{Presented, VerifiedTokens};

impl Authorizer {
    /// The effective access of a valid token in a workspace; worked out once for a token that is
    /// remembered.
    pub(super) fn effective_access(
        &self,
        remembered: Option<&RefCell<VerifiedTokens>>,
        presented: Presented<'_>,
        token: &AccessToken,
        workspace: Option<WorkspaceId>,
    ) -> Rc<EffectiveAccess> {
        let workspace = self.policy.roles.distinguished(workspace);
        let work_out = || Rc::new(self.policy.effective_access(token, workspace));
        match remembered {
            Some(remembered) => remembered
                .borrow_mut()
                .effective_access(presented, workspace, work_out),
            None => work_out(),
        }
    }

    /// Authorization: deny rules first, then whether the scopes held are enough.
    #[inline(never)]
    pub(super) fn permits<'a>(
        &'a self,
        call: Call<'_>,
        policy: &Applied<'a>,
        access: &EffectiveAccess,
        evidence: &mut Evidence<'a>,
    ) -> Result<(), Refused> {
        if let Some(rule) = policy.denying.filter(|rule| rule.mode == Mode::Enforce) {
            evidence.rule(rule);
            return Err(Refused::by(denied(rule, call), self.policy.mode));
        }
        if !is_left_to_shadow(policy) {
            let required = (&policy.governing, policy.requirements.as_ref());
            self.scopes_suffice(call, required, access, evidence)?;
        }
        if let Some(rule) = policy.denying {
            evidence.rule(rule);
            return Err(Refused::by(denied(rule, call), Mode::Shadow));
        }
        if policy.in_shadow.is_empty() {
            return Ok(());
        }
        let governing = Governing::Rules(policy.in_shadow.clone());
        let requirements = policy.required_in_shadow.as_ref();
        evidence.governing(&governing, requirements);
        let required = (&governing, requirements);
        self.scopes_suffice(call, required, access, evidence)
    }

    /// The same for the workspace that a call is about beside the one that answers it, `judged`
    /// being what that one says. Of two refusals the one counts that is enforced.
    pub(super) fn permits_there<'a>(
        &'a self,
        judged: Result<(), Refused>,
        call: Call<'_>,
        policy: &Applied<'a>,
        (workspace, access): (WorkspaceId, Rc<EffectiveAccess>),
        evidence: &mut Evidence<'a>,
    ) -> Result<(), Refused> {
        let is_settled = |refused: &Refused| refused.mode == Mode::Enforce;
        if judged.as_ref().is_err_and(is_settled) {
            return judged;
        }
        let here = evidence.workspace;
        evidence.workspace(Some(workspace));
        match self.permits(call, policy, &access, evidence) {
            Err(refused) if judged.is_ok() || is_settled(&refused) => {
                evidence.effective_access(access);
                Err(refused)
            }
            Err(_) | Ok(()) => {
                evidence.workspace(here);
                judged
            }
        }
    }

    /// Whether the scopes held meet all that is required. The record names the rule that is not
    /// met.
    fn scopes_suffice<'a>(
        &'a self,
        call: Call<'_>,
        (governing, requirements): Required<'_, 'a>,
        access: &EffectiveAccess,
        evidence: &mut Evidence<'a>,
    ) -> Result<(), Refused> {
        let mode = match governing {
            Governing::Rules(rules) if rules.are_in_shadow() => Mode::Shadow,
            Governing::Rules(_)
            | Governing::Operation(_)
            | Governing::Unmatched
            | Governing::Ambiguous => self.policy.mode,
        };
        let refused = |denial| Refused::by(denial, mode);
        let Some(requirements) = requirements else {
            return Err(refused(Denial::Unmatched));
        };
        if let Governing::Rules(rules) = governing {
            for rule in rules.iter() {
                if let Err(denial) = rule_is_met(rule, call, access) {
                    evidence.rule(rule);
                    evidence.granting_roles =
                        self.granting(requirements, access, evidence.workspace);
                    return Err(refused(denial));
                }
            }
        }
        let unmet = requirements
            .iter()
            .find_map(|requirement| is_met(requirement, access).err());
        unmet.map_or(Ok(()), |denial| {
            evidence.granting_roles = self.granting(requirements, access, evidence.workspace);
            Err(refused(denial))
        })
    }

    /// The roles that would grant what those that are held do not: what to request access to.
    fn granting(
        &self,
        requirements: &Few<Requirement<'_>>,
        access: &EffectiveAccess,
        workspace: Option<WorkspaceId>,
    ) -> Vec<Rc<str>> {
        let unmet = |requirement: &&Requirement<'_>| !access.roles_satisfy(requirement);
        let roles = self.policy.roles.as_slice().iter();
        let granting = roles.filter(|role| {
            let mut unmet = requirements.iter().filter(unmet).peekable();
            role.holds_in(workspace)
                && unmet.peek().is_some()
                && unmet.all(|requirement| requirement.met_by(&role.grants))
        });
        granting
            .map(|role| Rc::clone(&role.name))
            .take(MAX_GRANTING)
            .collect()
    }
}

fn rule_is_met(rule: &Rule, call: Call<'_>, access: &EffectiveAccess) -> Result<(), Denial> {
    if rule.is_left_guessing(call) {
        return Err(Denial::McpHeadersRequired);
    }
    Requirement::of_rule(rule).map_or(Ok(()), |requirement| is_met(&requirement, access))
}

fn is_met(requirement: &Requirement<'_>, access: &EffectiveAccess) -> Result<(), Denial> {
    if access.satisfies(requirement) {
        Ok(())
    } else if access.elsewhere && access.roles.is_empty() {
        Err(Denial::WorkspaceNotGranted)
    } else if access.token_satisfies(requirement) {
        // Whoever signs in again gets no more than this, and would sign in for ever.
        Err(Denial::RoleLacksScope)
    } else {
        Err(Denial::InsufficientScope)
    }
}

/// Roles that an answer names for a request for access: whoever runs the gateway knows the rest.
const MAX_GRANTING: usize = 4;

/// What governs a request, and what that requires; nothing would do, where that is absent.
type Required<'r, 'a> = (&'r Governing<'a>, Option<&'r Few<Requirement<'a>>>);

/// A refusal of authorization, and whether it is enforced.
pub(super) struct Refused {
    pub(super) denial: Denial,
    pub(super) mode: Mode,
}

impl Refused {
    pub(super) const fn by(denial: Denial, mode: Mode) -> Self {
        Self { denial, mode }
    }
}

/// Whether a request is refused to whoever sends it, because nothing describes it.
pub(super) fn is_undescribed(policy: &Applied<'_>) -> bool {
    policy.requirements.is_none() && !is_left_to_shadow(policy)
}

/// Whether rules in shadow mode decide alone. They never override an enforced denial, so that they
/// do only where nothing else matches the path.
fn is_left_to_shadow(policy: &Applied<'_>) -> bool {
    let is_alone =
        policy.requirements.is_none() && matches!(policy.governing, Governing::Unmatched);
    is_alone && policy.in_shadow.opens()
}

/// Why a request is refused to which a deny rule may apply.
pub(super) fn denied(rule: &Rule, call: Call<'_>) -> Denial {
    if rule.is_left_guessing(call) {
        Denial::McpHeadersRequired
    } else {
        Denial::DeniedByRule
    }
}
