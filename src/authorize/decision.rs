//! What comes of a request: the verdict, and what might change it.

use crate::denial::Denial;
use crate::policy::rule::Mode;
use crate::resource::Metadata;

use super::awaited::AwaitedKeys;
use super::evidence::Evidence;
use super::form::OwnToken;
use super::introduction::Introduction;
use super::permit::Permit;

/// What was decided, and what is known of why.
pub struct Decision<'a> {
    /// What happens.
    pub verdict: Verdict,
    /// What was established on the way. No decision reads it.
    pub evidence: Evidence<'a>,
    /// Keys that might change the decision if they came.
    pub awaited: Option<AwaitedKeys>,
}

impl Decision<'_> {
    /// A refusal of a request of which nothing but this reason is known.
    pub(crate) const fn refusal(denial: Denial) -> Self {
        Self {
            verdict: Verdict::Deny(denial),
            evidence: Evidence::new(Mode::Enforce),
            awaited: None,
        }
    }

    /// The leave to go upstream, where it has one.
    pub const fn permit(&self) -> Option<&Permit> {
        match &self.verdict {
            Verdict::Allow(permit) | Verdict::Shadow(_, permit) => Some(permit),
            Verdict::Deny(_)
            | Verdict::Describe(_)
            | Verdict::Introduce(_)
            | Verdict::Return(_) => None,
        }
    }

    /// Why it would be refused if the policy, or the rule, were enforced.
    pub const fn shadowed(&self) -> Option<&Denial> {
        match &self.verdict {
            Verdict::Shadow(denial, _) => Some(denial),
            Verdict::Return(token) => token.shadowed(),
            Verdict::Allow(_) | Verdict::Deny(_) | Verdict::Describe(_) | Verdict::Introduce(_) => {
                None
            }
        }
    }

    /// Notes a refusal that is not enforced. The first one stands.
    pub(super) fn shadow(&mut self, denial: Denial) {
        self.evidence.shadowed();
        if let Verdict::Allow(permit) = &self.verdict {
            self.verdict = Verdict::Shadow(denial, permit.clone());
        }
    }

    /// Refuses after all, for a reason that showed after the decision. Whatever is in shadow mode,
    /// this refusal is not.
    pub fn refuse(&mut self, denial: Denial) {
        self.evidence.enforced();
        self.verdict = Verdict::Deny(denial);
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It goes upstream.
    Allow(Permit),
    /// It is answered here.
    Deny(Denial),
    /// It is answered here with what it requests: where to get tokens.
    Describe(Metadata),
    /// It is answered here with who its caller is.
    Introduce(Box<Introduction>),
    /// It is answered here with the token that its form shows, since the gateway itself exchanges
    /// that.
    Return(OwnToken),
    /// It would be refused, but goes upstream: the policy, or the rule, is in shadow mode.
    Shadow(Denial, Permit),
}
