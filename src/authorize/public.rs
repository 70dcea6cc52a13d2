//! What passes without a caller: sign-in, public rules, and the gateway's own metadata document.

use crate::denial::Denial;
use crate::issuer::Issuer;
use crate::policy::rule::{Mode, Rule};
use crate::policy::workspace::WorkspaceError;
use crate::policy::{Applied, Governing, Readings};
use crate::request::RequestHead;
use crate::request::credential::Credential;
use crate::request::workspace::WorkspaceId;

use super::evidence::Evidence;
use super::permission::{Refused, denied};
use super::{Authorizer, Permit, Verdict};

impl Authorizer {
    /// Lets a request through that nobody needs to answer for, unless an enforced deny rule asks
    /// who it is, or its host is none of ours: then there is no upstream that it could be for.
    pub(super) fn public<'a>(
        &'a self,
        (head, readings): (&RequestHead<'_>, &Readings<'_>),
        policy: &Applied<'a>,
        workspace: Result<Option<WorkspaceId>, WorkspaceError>,
        evidence: &mut Evidence<'a>,
    ) -> Result<Option<Verdict>, Denial> {
        let Some(permit) = self.public_permit(head, &policy.governing) else {
            return Ok(None);
        };
        let is_enforced =
            |rule: &Rule| rule.mode == Mode::Enforce && self.policy.mode == Mode::Enforce;
        match policy.denying {
            // A token that is shown is judged where a deny rule may be for its issuer.
            None if self.denies_some(head, readings) => return Ok(None),
            Some(rule) if is_enforced(rule) => return Ok(None),
            Some(_) | None => {}
        }
        // The gateway's own answer, which is the same at every host. What is not enforced changes
        // nothing, so it does not send the request elsewhere either.
        if let Some(verdict) = self.described(head) {
            policy
                .denying
                .into_iter()
                .for_each(|rule| evidence.rule(rule));
            return Ok(Some(verdict));
        }
        let judged = match (workspace, policy.denying) {
            (Err(error), _) => Err(Refused::by(error.into(), self.policy.mode)),
            (Ok(_), Some(rule)) => {
                evidence.rule(rule);
                Err(Refused::by(denied(rule, readings.call), Mode::Shadow))
            }
            (Ok(_), None) => Ok(()),
        };
        Self::verdict(judged, permit, evidence).map(Some)
    }

    /// The leave to pass that needs no caller, where none is needed.
    pub(super) fn public_permit(
        &self,
        head: &RequestHead<'_>,
        governing: &Governing<'_>,
    ) -> Option<Permit> {
        let permit = match governing {
            governing if !governing.is_public() => return None,
            Governing::Operation(_) => Permit::discovery(),
            Governing::Rules(_) | Governing::Ambiguous | Governing::Unmatched => Permit::public(),
        };
        let cookies = head.cookies.without_tokens(|issuer| self.trusts(issuer));
        Some(permit.with_cookies(cookies))
    }

    /// Whether a request that shows a token is denied to the callers of some issuer.
    fn denies_some(&self, head: &RequestHead<'_>, readings: &Readings<'_>) -> bool {
        let denies = |issuer: &Issuer| {
            let denying = self
                .policy
                .apply(readings, Some(&issuer.identifier))
                .denying;
            denying.is_some_and(|rule| rule.mode == Mode::Enforce)
        };
        matches!(head.credential, Credential::Jwt(..))
            && self.policy.mode == Mode::Enforce
            && self.policy.rules.depends_on_issuers()
            && self.issuers.iter().any(denies)
    }

    /// The metadata of the protected resource, where that is requested. The workspace behind
    /// would speak of itself, and send its callers past the gateway's issuers.
    pub(super) fn described(&self, head: &RequestHead<'_>) -> Option<Verdict> {
        let resource = self.resource.as_ref()?;
        let metadata = resource.metadata(head.method, &head.path)?;
        Some(Verdict::Describe(metadata))
    }
}
