//! Decisions, as their records say them: what, how, why, and whose token it was about.

use std::rc::Rc;

use crate::audit::record::words;
use crate::authorize::Decision;
use crate::gateway::host::Host;
use crate::policy::rule::Mode;

use super::counter::Counter;
use super::name::{self, name};

/// One worker's counts.
///
/// Invariant: in the order of their keys, so that many reasons and issuers cost a request no more
/// than few.
#[derive(Default)]
pub(super) struct Decisions(Vec<(DecisionLabels, Counter)>);

/// The labels by which decisions are counted. Reasons are ours and issuers are configured, so there
/// are no more than the code and the configuration have.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct DecisionLabels {
    reason: &'static str,
    decision: &'static str,
    mode: &'static str,
    issuer: Option<Rc<str>>,
}

impl Decisions {
    /// Counts a decision.
    pub(super) fn decided(&mut self, decision: &Decision<'_>) {
        let evidence = &decision.evidence;
        let (word, reason) = words(&decision.verdict);
        let key = DecisionLabels {
            reason,
            decision: word,
            mode: match evidence.mode {
                Mode::Enforce => "enforce",
                Mode::Shadow => "shadow",
            },
            issuer: (evidence.token.as_ref()).map(|token| Rc::clone(&token.issuer)),
        };
        let found = self.0.binary_search_by(|(other, _)| other.cmp(&key));
        let place = found.unwrap_or_else(|place| {
            self.0.insert(place, (key, Counter::default()));
            place
        });
        if let Some((_, counter)) = self.0.get_mut(place) {
            counter.add(1);
        }
    }

    /// Hands over what was counted. A combination is named when it first occurs: most never do.
    pub(super) fn flush(&mut self, host: &dyn Host) {
        for (key, counter) in &mut self.0 {
            counter.flush_as(host, || {
                let labels = [
                    ("decision", key.decision),
                    ("mode", key.mode),
                    ("reason", key.reason),
                    ("issuer", key.issuer.as_deref().unwrap_or("none")),
                ];
                name(&labels, name::DECISIONS)
            });
        }
    }
}
