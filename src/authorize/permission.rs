//! Whether somebody who is known may do what they ask for.

use std::cell::RefCell;
use std::rc::Rc;

use crate::denial::Denial;
use crate::issuer::access_token::AccessToken;
use crate::policy::rule::{Mode, Rule};
use crate::policy::{Applied, Governing, Requirement, Standing};
use crate::request::mcp::Call;
use crate::request::workspace::WorkspaceId;

use super::Authorizer;
use super::evidence::Evidence;
use super::verified::{Presented, VerifiedTokens};

impl Authorizer {
    /// What the bearer of a sound token comes to in a workspace; worked out once for a token that is remembered.
    pub(super) fn standing(
        &self,
        remembered: Option<&RefCell<VerifiedTokens>>,
        presented: Presented<'_>,
        token: &AccessToken,
        workspace: Option<WorkspaceId>,
    ) -> Rc<Standing> {
        let workspace = self.policy.roles.distinguished(workspace);
        let work_out = || Rc::new(self.policy.standing(token, workspace));
        match remembered {
            Some(remembered) => remembered
                .borrow_mut()
                .standing(presented, workspace, work_out),
            None => work_out(),
        }
    }

    /// Authorization: deny rules first, then whether the scopes held are enough.
    pub(super) fn permits<'a>(
        &'a self,
        call: Call<'_>,
        policy: &Applied<'a>,
        standing: &Standing,
        evidence: &mut Evidence<'a>,
    ) -> Result<(), Refused> {
        if let Some(rule) = policy.denying.filter(|rule| rule.mode == Mode::Enforce) {
            evidence.rule(rule);
            return Err(Refused::by(denied(rule, call), self.policy.mode));
        }
        // A shadow rule never overrides an enforced denial; it decides alone only where nothing else
        // matches the path.
        let stands = self.policy.requirements(&policy.governing).is_some();
        if stands || !policy.in_shadow.opens() {
            self.scopes_suffice(call, &policy.governing, standing, evidence)?;
        }
        if let Some(rule) = policy.denying {
            evidence.rule(rule);
            return Err(Refused::by(denied(rule, call), Mode::Shadow));
        }
        if policy.in_shadow.is_empty() {
            return Ok(());
        }
        let governing = Governing::Rules(policy.in_shadow.clone());
        evidence.governing(&self.policy, &governing);
        self.scopes_suffice(call, &governing, standing, evidence)
    }

    /// Whether the scopes held meet all that is required. The record names the rule that is not met.
    fn scopes_suffice<'a>(
        &'a self,
        call: Call<'_>,
        governing: &Governing<'a>,
        standing: &Standing,
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
        let Some(requirements) = self.policy.requirements(governing) else {
            return Err(refused(Denial::Unmatched));
        };
        if let Governing::Rules(rules) = governing {
            for rule in rules.iter() {
                if let Err(denial) = rule_is_met(rule, call, standing) {
                    evidence.rule(rule);
                    return Err(refused(denial));
                }
            }
        }
        let unmet = requirements
            .iter()
            .find_map(|requirement| is_met(requirement, standing).err());
        unmet.map_or(Ok(()), |denial| Err(refused(denial)))
    }
}

fn rule_is_met(rule: &Rule, call: Call<'_>, standing: &Standing) -> Result<(), Denial> {
    if rule.is_left_guessing(call) {
        return Err(Denial::McpHeadersRequired);
    }
    Requirement::of_rule(rule).map_or(Ok(()), |requirement| is_met(&requirement, standing))
}

fn is_met(requirement: &Requirement<'_>, standing: &Standing) -> Result<(), Denial> {
    if standing.satisfies(requirement) {
        Ok(())
    } else if standing.elsewhere && standing.roles.is_empty() {
        Err(Denial::WorkspaceNotGranted)
    } else {
        Err(Denial::InsufficientScope)
    }
}

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

/// Why a request is refused to which a deny rule may apply.
pub(super) fn denied(rule: &Rule, call: Call<'_>) -> Denial {
    if rule.is_left_guessing(call) {
        Denial::McpHeadersRequired
    } else {
        Denial::DeniedByRule
    }
}
