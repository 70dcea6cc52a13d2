//! The decision: a pure function of (configuration, keys, request, `now`), and total.
//!
//! [`Authorizer::judge`] is the order of the checks and nothing else. Authentication comes before
//! authorization, so a caller without a valid token learns nothing of the policy.

mod authenticate;
mod decision;
pub mod evidence;
pub mod form;
mod gate;
pub mod introduction;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod passage;
mod permission;
mod permit;
mod public;
pub mod replay;
mod requested;
mod sender;
mod unverifiable;
mod usable;
pub mod verified;
mod web_socket;

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use crate::databricks::operation::Mark;
use crate::denial::{Denial, Kind};
use crate::issuer::Issuer;
use crate::issuer::access_token::AccessToken;
use crate::key_store::KeyStore;
use crate::policy::credential::Treatments;
use crate::policy::rule::Mode;
use crate::policy::workspace::{WorkspaceError, Workspaces};
use crate::policy::{Applied, EffectiveAccess, Governing, Policy, Readings};
use crate::request::credential::{Credential, Scheme};
use crate::request::fingerprint::Fingerprints;
use crate::request::workspace::WorkspaceId;
use crate::request::{Headers, RequestError, RequestHead};
use crate::resource::ProtectedResource;
use crate::time::UnixTime;
use crate::token::fingerprint::Fingerprint;
use crate::token::jws::Jws;
use crate::token::signature::Verifier;
use crate::withdrawn::Withdrawn;
use crate::withdrawn::list::List;

pub use decision::{AwaitedKeys, Decision, Verdict};
pub use permit::{Bearer, Grounds, Permit};

use evidence::Evidence;
use gate::TokenPlace;
use introduction::SelfService;
use permission::Refused;
use replay::Replays;
use verified::{Presented, TokenLookup, VerifiedTokens};

/// Judges requests by one configuration.
pub struct Authorizer {
    /// Whose tokens are taken, in the key store's order.
    pub issuers: Vec<Issuer>,
    /// What they may be used for.
    pub policy: Policy,
    /// What is published of it; nothing, when absent.
    pub resource: Option<ProtectedResource>,
    /// The workspaces that the gateway stands before.
    pub workspaces: Workspaces,
    /// The valid tokens that are refused all the same.
    pub withdrawn: Withdrawn,
    /// The most bytes that a bearer token may have.
    pub max_token_bytes: usize,
    /// What becomes of credentials that nothing here can verify.
    pub treatments: Treatments,
    /// Names for static tokens, in records.
    pub fingerprints: Fingerprints,
    /// Where callers look up who they are; nowhere, when absent.
    pub self_service: Option<SelfService>,
}

/// What tokens are verified with.
#[derive(Clone, Copy)]
pub struct Verification<'a> {
    /// The issuers' keys.
    pub keys: &'a KeyStore,
    /// The engine.
    pub verifier: &'a dyn Verifier,
    /// What was verified before under the same configuration; absent where everything is verified
    /// each time.
    pub verified: Option<&'a RefCell<VerifiedTokens>>,
    /// The list of what is withdrawn besides what the configuration withdraws; absent where none is
    /// polled.
    pub withdrawals: Option<&'a List>,
    /// The certificate of the client's own connection, whose key it has proved to hold. Asked for a
    /// token that is bound to one.
    pub certificate: &'a dyn Fn() -> Option<Fingerprint>,
    /// Whether that connection is TLS. Asked where a proof is for a URI without.
    pub encrypted: &'a dyn Fn() -> bool,
    /// The proofs that were seen before; absent where each is taken for new.
    pub replays: Option<Replays<'a>>,
}

impl<'a> Verification<'a> {
    /// Each time anew, with these keys and this engine.
    pub const fn afresh(keys: &'a KeyStore, verifier: &'a dyn Verifier) -> Self {
        Self {
            keys,
            verifier,
            verified: None,
            withdrawals: None,
            certificate: &no_certificate,
            encrypted: &not_encrypted,
            replays: None,
        }
    }
}

impl Authorizer {
    /// Decides a request.
    pub fn authorize(
        &self,
        headers: &Headers,
        by: &Verification<'_>,
        now: UnixTime,
    ) -> Decision<'_> {
        let mut evidence = Evidence::new(self.policy.mode);
        let mut awaited = None;
        let remembered = by.verified;
        let judged = self.judge(
            headers,
            remembered,
            now,
            &mut evidence,
            |presented, place, evidence| {
                self.verify(presented, place, by, now).map_err(|rejected| {
                    awaited = rejected.awaited;
                    match rejected.token {
                        Some(token) => evidence.token(token),
                        None => claimed(remembered, presented, evidence),
                    }
                    rejected.denial
                })
            },
        );
        let verdict = judged.unwrap_or_else(|denial| {
            // Whatever is in shadow mode, this refusal is not.
            evidence.enforced();
            Verdict::Deny(denial)
        });
        Decision {
            verdict,
            evidence,
            awaited,
        }
    }

    /// Refuses a request of which nothing is known but this reason.
    pub const fn unjudged(&self, denial: Denial) -> Decision<'_> {
        Decision::refusal(denial)
    }

    /// Refuses a request for what its trailers hold, which come when its head has been judged.
    pub fn refuse_trailers(&self, error: RequestError) -> Decision<'_> {
        let mut evidence = Evidence::new(Mode::Enforce);
        evidence.refused_head(&error);
        Decision {
            verdict: Verdict::Deny(error.into()),
            evidence,
            awaited: None,
        }
    }

    fn judge<'a>(
        &'a self,
        headers: &Headers,
        remembered: Option<&RefCell<VerifiedTokens>>,
        now: UnixTime,
        evidence: &mut Evidence<'a>,
        verify: impl FnOnce(Presented<'_>, TokenPlace<'_>, &mut Evidence<'a>) -> Verified,
    ) -> Result<Verdict, Denial> {
        let lookup = TokenLookup::new(remembered);
        let head = RequestHead::read_with(headers, self.max_token_bytes, &lookup)
            .inspect_err(|error| evidence.refused_head(error))?;
        self.refuse_second_tokens(&head.second_tokens.anywhere)?;
        let decoded = OnceCell::new();
        let sent = (headers, &decoded);
        let (readings, mut policy) = self.requested(remembered, &head, sent, None, evidence);
        self.classify(&head.credential, &policy.governing, now, evidence)?;
        let workspace = self.workspace(&head);
        // Whoever calls, and for whatever: some server would go by one of the two, and some by the
        // other.
        if let Err(error @ WorkspaceError::Conflict) = workspace {
            return Err(error.into());
        }
        if policy.governing.is_public() {
            web_socket::check(&head, &readings, &policy)?;
        } else {
            self.refuse_second_tokens(&head.second_tokens.signing_in)?;
        }
        let is_self_service = self.is_self_service(&head);
        if !is_self_service
            && let Some(verdict) = self.public((&head, &readings), &policy, workspace, evidence)?
        {
            // What makes tokens is shown none that is refused elsewhere.
            if let &Credential::Jwt(bearer, scheme) = &head.credential
                && mints(&policy.governing)
            {
                let presented = lookup.presented(bearer);
                let token = verify(presented, TokenPlace::Header(scheme, headers), evidence)?;
                evidence.token(token);
            }
            return Ok(verdict);
        }
        let &Credential::Jwt(bearer, scheme) = &head.credential else {
            let requested = (&head, &readings);
            return self.without_token(requested, &policy, is_self_service, now, evidence);
        };
        let here = workspace.unwrap_or_default();
        let presented = lookup.presented(bearer);
        let token = verify(presented, TokenPlace::Header(scheme, headers), evidence)?;
        let token = self.issued_for(token, &head, here, evidence)?;
        let access = self.effective_access(remembered, presented, &token, here);
        if self.policy.rules.depends_on_issuers() {
            let issuer = Some(&token.issuer);
            (_, policy) = self.requested(remembered, &head, sent, issuer, evidence);
        }
        if is_self_service {
            let known = (token, access);
            return self.introduce(
                (readings.call, headers),
                &policy,
                workspace,
                known,
                evidence,
            );
        }
        self.judge_known(
            (&head, &readings),
            &policy,
            workspace,
            (token, access, scheme),
            evidence,
        )
    }

    /// Decides a request of somebody who is known.
    fn judge_known<'a>(
        &'a self,
        (head, readings): (&RequestHead<'_>, &Readings<'_>),
        policy: &Applied<'a>,
        workspace: Result<Option<WorkspaceId>, WorkspaceError>,
        (token, access, scheme): (Rc<AccessToken>, Rc<EffectiveAccess>, Scheme),
        evidence: &mut Evidence<'a>,
    ) -> Result<Verdict, Denial> {
        if matches!(policy.governing, Governing::Ambiguous) {
            return Err(Denial::AmbiguousPath);
        }
        web_socket::check(head, readings, policy)?;
        // Its token was required to match it against a deny rule. It goes no further than others
        // that are shown there.
        let public = self.public_permit(head, &policy.governing);
        let described = public.as_ref().and_then(|_| self.described(head));
        let of_bearer = || Permit::bearer_of(Rc::clone(&token), Rc::clone(&access), scheme);
        let permit = public.unwrap_or_else(of_bearer);
        let judged = match workspace {
            Ok(workspace) => {
                evidence.workspace(workspace);
                self.permits(readings.call, policy, &access, evidence)
            }
            Err(error) => Err(Refused::by(error.into(), self.policy.mode)),
        };
        let there = self.effective_access_there(head, workspace.unwrap_or_default(), &token);
        evidence.effective_access(access);
        evidence.token(token);
        let judged = match there {
            Some(there) => self.permits_there(judged, readings.call, policy, there, evidence),
            None => judged,
        };
        let verdict = Self::verdict(judged, permit, evidence)?;
        Ok(described.unwrap_or(verdict))
    }

    /// What a judgement comes to: what is not enforced goes upstream all the same.
    fn verdict(
        judged: Result<(), Refused>,
        permit: Permit,
        evidence: &mut Evidence<'_>,
    ) -> Result<Verdict, Denial> {
        match judged {
            Ok(()) => Ok(Verdict::Allow(permit)),
            Err(Refused {
                denial,
                mode: Mode::Shadow,
            }) if denial.kind() != Kind::InvalidRequest
                || matches!(denial, Denial::McpHeadersRequired) =>
            {
                evidence.shadowed();
                Ok(Verdict::Shadow(denial, permit))
            }
            Err(Refused { denial, .. }) => Err(denial),
        }
    }
}

/// Notes what a refused token says of itself, for whoever has to find out why it was.
fn claimed(
    remembered: Option<&RefCell<VerifiedTokens>>,
    presented: Presented<'_>,
    evidence: &mut Evidence<'_>,
) {
    let read = || Jws::parse(&presented.text).ok()?.unverified();
    let claims = match remembered {
        Some(remembered) => remembered.borrow_mut().claimed(presented, read),
        None => read().map(Rc::new),
    };
    if let Some(claims) = claims {
        evidence.unverified(claims);
    }
}

/// What the gate makes of a token in the head.
type Verified = Result<Rc<AccessToken>, Denial>;

/// Whether the request is one by which clients get tokens.
fn mints(governing: &Governing<'_>) -> bool {
    match governing {
        Governing::Operation(operation) => operation.marks.has(Mark::MintsCredentials),
        Governing::Rules(_) | Governing::Ambiguous | Governing::Unmatched => false,
    }
}

fn no_certificate() -> Option<Fingerprint> {
    None
}

fn not_encrypted() -> bool {
    false
}

#[cfg(test)]
mod tests;
