//! What became of requests, by the class of credential that they carried.

use crate::authorize::{Decision, Grounds, Verdict};
use crate::gateway::host::Host;
use crate::policy::credential::Treatments;
use crate::request::credential::CredentialKind;

use super::counter::{Counter, gauge};
use super::name::{self, name};

/// One worker's counts.
pub(super) struct CredentialCounts(Vec<Counter>);

impl CredentialCounts {
    /// Names the counters, and says until when classes are observed.
    pub(super) fn new(treatments: &Treatments, host: &dyn Host) -> Self {
        for kind in CredentialKind::ALL {
            if let Some(until) = treatments.until(kind) {
                let labels = [("credential", kind.as_str())];
                gauge(&labels, name::CREDENTIAL_UNTIL, until.seconds(), host);
            }
        }
        let counters = CredentialKind::ALL.iter().flat_map(|kind| {
            OUTCOMES.map(|outcome| {
                let labels = [("credential", kind.as_str()), ("outcome", outcome)];
                Counter::new(&name(&labels, name::CREDENTIALS), host)
            })
        });
        Self(counters.collect())
    }

    /// Counts a decision, unless its head was refused before anybody knew what it carries.
    pub(super) fn decided(&mut self, decision: &Decision<'_>) {
        let is_observed = decision
            .permit()
            .is_some_and(|permit| matches!(permit.grounds(), Grounds::Observed(_)));
        let outcome = match decision.verdict {
            Verdict::Deny(_) => 1,
            _ if is_observed => 2,
            Verdict::Allow(_)
            | Verdict::Describe(_)
            | Verdict::Introduce(_)
            | Verdict::Return(_)
            | Verdict::Shadow(..) => 0,
        };
        let counter = decision.evidence.credential.and_then(|kind| {
            let first = kind.place().saturating_mul(OUTCOMES.len());
            self.0.get_mut(first.saturating_add(outcome))
        });
        if let Some(counter) = counter {
            counter.add(1);
        }
    }

    /// Every counter.
    pub(super) fn counters(&mut self) -> &mut [Counter] {
        &mut self.0
    }
}

/// In the order in which [`CredentialCounts::decided`] numbers them.
const OUTCOMES: [&str; 3] = ["allowed", "denied", "observed"];
