//! The decision: a pure function of (configuration, keys, request, `now`), and total.
//!
//! [`Authorizer::judge`] is the order of the checks and nothing else. Authentication comes before
//! authorization, so a caller without a valid token learns nothing of the policy.

mod authenticate;
mod authorizer;
mod awaited;
mod decision;
pub mod evidence;
pub mod form;
mod gate;
pub mod introduction;
mod judged;
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

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use crate::databricks::operation::Mark;
use crate::denial::{Denial, Kind};
use crate::issuer::access_token::AccessToken;
use crate::policy::rule::Mode;
use crate::policy::workspace::WorkspaceError;
use crate::policy::{Applied, Governing, Readings};
use crate::request::credential::{Credential, Scheme};
use crate::request::workspace::WorkspaceId;
use crate::request::{Headers, RequestError, RequestHead};
use crate::time::UnixTime;
use crate::token::jws::Jws;

pub use authorizer::{Authorizer, SelfService, Verification};
pub use awaited::AwaitedKeys;
pub use decision::{Decision, Verdict};
pub use permit::{Bearer, Grounds, Permit};

use evidence::Evidence;
use gate::TokenPlace;
use judged::{Judged, KnownCaller};
use permission::Refused;
use verified::{Presented, TokenLookup, VerifiedTokens};

impl Authorizer {
    /// Decides a request.
    pub fn authorize(
        &self,
        headers: &Headers,
        by: &Verification<'_>,
        now: UnixTime,
    ) -> Decision<'_> {
        let mut evidence = Evidence::new(self.policy.mode);
        let request = Judged {
            headers,
            by,
            now,
            awaited: Cell::new(None),
        };
        let judged = self.judge(&request, &mut evidence);
        let verdict = judged.unwrap_or_else(|denial| {
            // Whatever is in shadow mode, this refusal is not.
            evidence.enforced();
            Verdict::Deny(denial)
        });
        Decision {
            verdict,
            evidence,
            awaited: request.awaited.get(),
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

    /// Judges a request: what is refused to everybody first, then what nobody needs to answer for,
    /// then its caller.
    fn judge<'a>(
        &'a self,
        request: &Judged<'_>,
        evidence: &mut Evidence<'a>,
    ) -> Result<Verdict, Denial> {
        let lookup = TokenLookup::new(request.by.verified);
        let head = RequestHead::read_with(request.headers, self.max_token_bytes, &lookup)
            .inspect_err(|error| evidence.refused_head(error))?;
        self.refuse_second_tokens(&head.second_tokens.anywhere)?;
        let decoded = OnceCell::new();
        let (readings, mut policy) = self.requested(request, &head, &decoded, None, evidence);
        let call = (&head, &readings);
        let workspace = self.refuse_to_all(call, &policy, request.now, evidence)?;
        let is_self_service = self.is_self_service(&head);
        if !is_self_service
            && let Some(verdict) = self.public(call, &policy, workspace, evidence)?
        {
            self.check_minting(request, &head, &lookup, &policy.governing, evidence)?;
            return Ok(verdict);
        }
        let &Credential::Jwt(bearer, scheme) = &head.credential else {
            return self.without_token(call, &policy, is_self_service, request.now, evidence);
        };
        let (presented, here) = (lookup.presented(bearer), workspace.unwrap_or_default());
        let token = self.verified(request, presented, scheme, evidence)?;
        let token = self.issued_for(token, &head, here, evidence)?;
        let access = self.effective_access(request.by.verified, presented, &token, here);
        let caller = KnownCaller {
            token,
            access,
            scheme,
        };
        if self.policy.rules.depends_on_issuers() {
            let issuer = Some(&caller.token.issuer);
            (_, policy) = self.requested(request, &head, &decoded, issuer, evidence);
        }
        if is_self_service {
            let sent = (readings.call, request.headers);
            return self.introduce(sent, &policy, workspace, caller, evidence);
        }
        self.judge_known(call, &policy, workspace, caller, evidence)
    }

    /// Refuses what is refused whoever sends it; the workspace of everything else.
    fn refuse_to_all(
        &self,
        (head, readings): (&RequestHead<'_>, &Readings<'_>),
        policy: &Applied<'_>,
        now: UnixTime,
        evidence: &mut Evidence<'_>,
    ) -> Result<Result<Option<WorkspaceId>, WorkspaceError>, Denial> {
        self.classify(&head.credential, &policy.governing, now, evidence)?;
        let workspace = self.workspace(head);
        // Whoever calls, and for whatever: some server would go by one of the two, and some by the
        // other.
        if let Err(error @ WorkspaceError::Conflict) = workspace {
            return Err(error.into());
        }
        if policy.governing.is_public() {
            web_socket::check(head, readings, policy)?;
        } else {
            self.refuse_second_tokens(&head.second_tokens.signing_in)?;
        }
        Ok(workspace)
    }

    /// Refuses an invalid token where tokens are made: none is shown there that is refused
    /// elsewhere.
    fn check_minting(
        &self,
        request: &Judged<'_>,
        head: &RequestHead<'_>,
        lookup: &TokenLookup<'_>,
        governing: &Governing<'_>,
        evidence: &mut Evidence<'_>,
    ) -> Result<(), Denial> {
        if let &Credential::Jwt(bearer, scheme) = &head.credential
            && mints(governing)
        {
            let token = self.verified(request, lookup.presented(bearer), scheme, evidence)?;
            evidence.token(token);
        }
        Ok(())
    }

    /// The valid token in the headers. Of a refused one it notes what is known of it, and the keys
    /// that might change that.
    fn verified(
        &self,
        request: &Judged<'_>,
        presented: Presented<'_>,
        scheme: Scheme,
        evidence: &mut Evidence<'_>,
    ) -> Result<Rc<AccessToken>, Denial> {
        let place = TokenPlace::Header(scheme, request.headers);
        let verified = self.verify(presented, place, request.by, request.now);
        verified.map_err(|rejected| {
            request.awaited.set(rejected.awaited);
            match rejected.token {
                Some(token) => evidence.token(token),
                None => claimed(request.by.verified, presented, evidence),
            }
            rejected.denial
        })
    }

    /// Decides a request of somebody who is known.
    fn judge_known<'a>(
        &'a self,
        (head, readings): (&RequestHead<'_>, &Readings<'_>),
        policy: &Applied<'a>,
        workspace: Result<Option<WorkspaceId>, WorkspaceError>,
        caller: KnownCaller,
        evidence: &mut Evidence<'a>,
    ) -> Result<Verdict, Denial> {
        let KnownCaller {
            token,
            access,
            scheme,
        } = caller;
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

/// Whether the request is one by which clients get tokens.
fn mints(governing: &Governing<'_>) -> bool {
    match governing {
        Governing::Operation(operation) => operation.marks.has(Mark::MintsCredentials),
        Governing::Rules(_) | Governing::Ambiguous | Governing::Unmatched => false,
    }
}

#[cfg(test)]
mod tests;
