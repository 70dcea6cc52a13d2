//! What would become of a request whose caller is supposed to be authenticated: for the comparison
//! of two policies, which needs this millions of times.
//!
//! The order of the checks is that of [`Authorizer::judge`], from where authentication is over.
//! What is reported of a comparison goes through the whole gateway once more.

use crate::databricks::{Mark, Operation};
use crate::policy::rule::Mode;
use crate::policy::workspace::WorkspaceError;
use crate::policy::{Applied, EffectiveAccess, Governing, Readings};
use crate::request::credential::CredentialKind;
use crate::request::workspace::WorkspaceId;
use crate::time::UnixTime;

use super::evidence::Evidence;
use super::permission::{Refused, is_undescribed};
use super::{Authorizer, Permit, Verdict};

/// A request, and all that a policy says of it whoever sends it.
pub struct PolicyForRequest<'a, 'r> {
    readings: Readings<'r>,
    anyone: Applied<'a>,
    /// In the order of the issuers; empty where no rule is for certain issuers.
    by_issuer: Vec<Applied<'a>>,
}

/// Who sends a request, by supposition.
#[derive(Clone, Copy)]
pub enum AssumedCaller<'a> {
    /// The bearer of a valid token: of the issuer at this place among the configured ones, coming
    /// to this in the workspace that the request is for.
    Bearer(usize, &'a EffectiveAccess),
    /// Somebody whose token is not valid.
    Invalid,
    /// Somebody who shows nothing.
    Nobody,
    /// Somebody with a credential of a class that nothing here can verify.
    Unverifiable(CredentialKind),
}

/// Whether a request goes upstream.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Passage {
    /// It does not.
    Refused,
    /// It does, and would not if everything were enforced.
    Shadowed,
    /// It does.
    Passes,
}

impl<'a, 'r> PolicyForRequest<'a, 'r> {
    /// What the policy says of it to the issuer's callers, or to nobody known.
    pub fn applied(&self, issuer: Option<usize>) -> &Applied<'a> {
        let of_issuer = issuer.and_then(|issuer| self.by_issuer.get(issuer));
        of_issuer.unwrap_or(&self.anyone)
    }

    /// The operation that it is, where the catalogue knows it.
    pub const fn operation(&self) -> Option<&'static Operation> {
        self.readings.operation()
    }

    /// How its path may be read.
    pub const fn readings(&self) -> &Readings<'r> {
        &self.readings
    }
}

impl Authorizer {
    /// What the policy says of a request.
    pub fn policy_for<'a, 'r>(&'a self, readings: Readings<'r>) -> PolicyForRequest<'a, 'r> {
        let issuers = self.issuers.iter();
        let issuers = issuers.filter(|_| self.policy.rules.depends_on_issuers());
        PolicyForRequest {
            anyone: self.policy.apply(&readings, None),
            by_issuer: issuers
                .map(|issuer| self.policy.apply(&readings, Some(&issuer.identifier)))
                .collect(),
            readings,
        }
    }

    /// Whether a request would go upstream that is for this workspace.
    pub fn passage(
        &self,
        requested: &PolicyForRequest<'_, '_>,
        caller: AssumedCaller<'_>,
        workspace: Result<Option<WorkspaceId>, WorkspaceError>,
        now: UnixTime,
    ) -> Passage {
        if workspace == Err(WorkspaceError::Conflict) {
            return Passage::Refused;
        }
        if requested.anyone.governing.is_public()
            && let Some(passage) = self.public_passage(requested, caller, workspace.is_ok(), now)
        {
            return passage;
        }
        match caller {
            AssumedCaller::Bearer(issuer, access) => {
                self.passage_of(requested, issuer, access, workspace)
            }
            AssumedCaller::Invalid | AssumedCaller::Nobody => Passage::Refused,
            AssumedCaller::Unverifiable(kind) => {
                let is_observed = self.treatments.admit(kind, now)
                    && !matches!(requested.anyone.governing, Governing::Ambiguous);
                self.observed(is_observed, requested, workspace)
            }
        }
    }

    /// The same of a request that needs no caller; `None` where a deny rule depends on the caller.
    fn public_passage(
        &self,
        requested: &PolicyForRequest<'_, '_>,
        caller: AssumedCaller<'_>,
        is_our_host: bool,
        now: UnixTime,
    ) -> Option<Passage> {
        // Where clients sign in, what they show is judged by its class, and a token is verified.
        if let Governing::Operation(operation) = requested.anyone.governing {
            let is_refused = match caller {
                AssumedCaller::Unverifiable(kind) => !self.treatments.admit(kind, now),
                AssumedCaller::Invalid => operation.marks.has(Mark::MintsCredentials),
                AssumedCaller::Bearer(..) | AssumedCaller::Nobody => false,
            };
            if is_refused {
                return Some(Passage::Refused);
            }
        }
        let enforced = |rule: Mode| rule == Mode::Enforce && self.policy.mode == Mode::Enforce;
        let denied_to =
            |policy: &Applied<'_>| policy.denying.is_some_and(|rule| enforced(rule.mode));
        let at_host = match self.policy.mode {
            _ if is_our_host => Passage::Passes,
            Mode::Enforce => Passage::Refused,
            Mode::Shadow => Passage::Shadowed,
        };
        match requested.anyone.denying {
            None => {
                let is_token = matches!(caller, AssumedCaller::Bearer(..) | AssumedCaller::Invalid);
                let is_denied_to_some = is_token && requested.by_issuer.iter().any(denied_to);
                (!is_denied_to_some).then_some(at_host)
            }
            Some(rule) => (!enforced(rule.mode)).then_some(at_host.min(Passage::Shadowed)),
        }
    }

    fn passage_of(
        &self,
        requested: &PolicyForRequest<'_, '_>,
        issuer: usize,
        access: &EffectiveAccess,
        workspace: Result<Option<WorkspaceId>, WorkspaceError>,
    ) -> Passage {
        let policy = requested.applied(Some(issuer));
        if matches!(policy.governing, Governing::Ambiguous) {
            return Passage::Refused;
        }
        let mut evidence = Evidence::new(self.policy.mode);
        let judged = match workspace {
            Ok(_) => self.permits(requested.readings.call, policy, access, &mut evidence),
            Err(error) => Err(Refused::by(error.into(), self.policy.mode)),
        };
        match Self::verdict(judged, Permit::public(), &mut evidence) {
            Ok(Verdict::Shadow(..)) => Passage::Shadowed,
            Ok(
                Verdict::Allow(_)
                | Verdict::Describe(_)
                | Verdict::Introduce(_)
                | Verdict::Return(_),
            ) => Passage::Passes,
            Ok(Verdict::Deny(_)) | Err(_) => Passage::Refused,
        }
    }

    fn observed(
        &self,
        is_observed: bool,
        requested: &PolicyForRequest<'_, '_>,
        workspace: Result<Option<WorkspaceId>, WorkspaceError>,
    ) -> Passage {
        let is_enforced = self.policy.mode == Mode::Enforce;
        let denying = requested.anyone.denying;
        let is_denied = denying.is_some_and(|rule| rule.mode == Mode::Enforce);
        let is_refused = workspace.is_err() || is_denied || is_undescribed(&requested.anyone);
        if !is_observed || is_enforced && is_refused {
            Passage::Refused
        } else {
            Passage::Passes
        }
    }
}
