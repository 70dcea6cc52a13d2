//! What became of requests, by the class of credential that they carried.

use crate::authorize::{Decision, Grounds, Verdict};
use crate::request::credential::CredentialKind;

use super::{Counter, Host};

/// One worker's counts.
pub(super) struct Credentials(Vec<Counter>);

impl Credentials {
    /// Names the counters.
    pub(super) fn new(host: &dyn Host) -> Self {
        let names = CredentialKind::ALL.iter().flat_map(|kind| {
            let class = kind.as_str();
            OUTCOMES.map(|outcome| format!("oam_filter.credentials.{class}.{outcome}"))
        });
        Self(names.map(|name| Counter::new(&name, host)).collect())
    }

    /// Counts a decision, unless its head was refused before anybody knew what it carries.
    pub(super) fn decided(&mut self, decision: &Decision<'_>) {
        let is_observed = decision
            .permit()
            .is_some_and(|permit| matches!(permit.grounds(), Grounds::Observed(_)));
        let outcome = match decision.verdict {
            Verdict::Deny(_) => 1,
            _ if is_observed => 2,
            Verdict::Allow(_) | Verdict::Describe(_) | Verdict::Return(_) | Verdict::Shadow(..) => {
                0
            }
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

/// In the order in which [`Credentials::decided`] numbers them.
const OUTCOMES: [&str; 3] = ["allowed", "denied", "observed"];
