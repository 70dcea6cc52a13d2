//! A decision's record: the facts, whichever way they are written.

use crate::authorize::evidence::Evidence;
use crate::authorize::{Decision, Grounds, Verdict};
use crate::denial::Denial;
use crate::exchange::{OauthError, Refusal};
use crate::policy::rule::Mode;
use crate::request::envelope::Envelope;
use crate::time::UnixTime;

/// A decision's record.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// The decision.
    pub decision: &'a Decision<'a>,
    /// The request, as records quote it.
    pub envelope: &'a Envelope<'a>,
    /// Which record it is.
    pub stamp: Stamp<'a>,
}

/// What identifies a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp<'a> {
    /// When it was decided; absent where the host has no clock.
    pub time: Option<UnixTime>,
    /// The decision's own ID.
    pub decision_id: &'a str,
    /// The worker that decided: a number that no other one has, in hexadecimal.
    pub worker: &'a str,
    /// Counts the worker's records from 1, without gaps.
    pub sequence: u64,
    /// The beginning of the configuration's digest.
    pub config: &'a str,
    /// Whether it says what the policy judged by.
    pub inputs: bool,
}

impl<'a> Record<'a> {
    /// What was established on the way to the decision.
    pub const fn evidence(&self) -> &'a Evidence<'a> {
        &self.decision.evidence
    }

    /// Whether the decision is enforced.
    pub const fn mode(&self) -> &'static str {
        match self.decision.evidence.mode {
            Mode::Enforce => "enforce",
            Mode::Shadow => "shadow",
        }
    }

    /// Why the token endpoint refused, where it gave a reason that OAuth names.
    pub(super) fn exchange_error(&self) -> Option<&'static str> {
        let Verdict::Deny(Denial::Exchange(Refusal::Refused(error))) = &self.decision.verdict
        else {
            return None;
        };
        error.map(OauthError::as_str)
    }
}

/// The decision and its reason. What is in shadow mode is recorded as what it would be.
pub fn words(verdict: &Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Return(token) => match token.shadowed() {
            Some(denial) => ("deny", denial.code()),
            None => ("allow", "public"),
        },
        Verdict::Allow(permit) => match permit.grounds() {
            Grounds::Bearer => ("allow", "permitted"),
            Grounds::Discovery | Grounds::Public => ("allow", "public"),
            Grounds::Observed(kind) => ("allow", kind.observed()),
        },
        Verdict::Deny(denial) | Verdict::Shadow(denial, _) => ("deny", denial.code()),
        Verdict::Describe(_) => ("allow", "metadata"),
        Verdict::Introduce(_) => ("allow", "self_service"),
    }
}

/// The claim for which a token was refused, where it is one, and what is wrong with it. Never what
/// it holds.
pub fn claim_fault(verdict: &Verdict) -> (Option<&str>, Option<&'static str>) {
    let Verdict::Deny(denial) = verdict else {
        return (None, None);
    };
    if let Denial::InvalidToken(reason) = denial.cause() {
        reason.fault()
    } else {
        (None, None)
    }
}
