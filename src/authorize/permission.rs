//! Whether somebody who is known may do what they ask for.

use crate::denial::Denial;
use crate::policy::rule::{Mode, Rule};
use crate::policy::{Asked, Governing, Standing};
use crate::request::mcp::Call;

use super::Authorizer;
use super::evidence::Evidence;

impl Authorizer {
    /// Authorization: deny rules first, then whether the scopes held are enough.
    pub(super) fn permits<'a>(
        &'a self,
        asked: &Asked<'_>,
        issuer: &str,
        governing: Governing<'a>,
        standing: &Standing,
        evidence: &mut Evidence<'a>,
    ) -> Result<(), Refused> {
        let denying = self.policy.denying(asked, Some(issuer));
        if let Some(rule) = denying.filter(|rule| rule.mode == Mode::Enforce) {
            evidence.rule(rule);
            return Err(Refused::by(denied(rule, asked.call), self.policy.mode));
        }
        // A rule on trial hides no refusal that stands without it; where nothing stands, it speaks alone.
        let trial = self.policy.trial(asked, issuer);
        if trial.is_none() || self.policy.requirement(governing).is_some() {
            self.scopes_suffice(asked.call, governing, standing)?;
        }
        if let Some(rule) = denying {
            evidence.rule(rule);
            return Err(Refused::by(denied(rule, asked.call), Mode::Shadow));
        }
        let Some(rule) = trial else {
            return Ok(());
        };
        evidence.governing(&self.policy, Governing::Rule(rule));
        self.scopes_suffice(asked.call, Governing::Rule(rule), standing)
    }

    fn scopes_suffice(
        &self,
        call: Call<'_>,
        governing: Governing<'_>,
        standing: &Standing,
    ) -> Result<(), Refused> {
        let mode = match governing {
            Governing::Rule(rule) if rule.mode == Mode::Shadow => Mode::Shadow,
            Governing::Rule(_)
            | Governing::Operation(_)
            | Governing::Unmatched
            | Governing::Ambiguous => self.policy.mode,
        };
        if let Governing::Rule(rule) = governing
            && rule.is_left_guessing(call)
        {
            return Err(Refused::by(Denial::UntoldMcpCall, mode));
        }
        match self.policy.requirement(governing) {
            None => Err(Refused::by(Denial::Unmatched, mode)),
            Some(requirement) if requirement.met_by(&standing.scopes) => Ok(()),
            Some(_) if standing.elsewhere && standing.roles.is_empty() => {
                Err(Refused::by(Denial::WorkspaceNotGranted, mode))
            }
            Some(_) => Err(Refused::by(Denial::InsufficientScope, mode)),
        }
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
        Denial::UntoldMcpCall
    } else {
        Denial::DeniedByRule
    }
}
