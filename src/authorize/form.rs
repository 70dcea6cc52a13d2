//! The form of a token request, judged once it has come: which credentials a token endpoint may be
//! shown.
//!
//! A token endpoint makes tokens of tokens. So a token in a form goes through the same gate as one
//! in a header, and where the gateway exchanges tokens itself, no form with a token that it
//! verified reaches another token endpoint.

use std::cell::OnceCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::denial::{Denial, Kind};
use crate::exchange::terms::Terms;
use crate::issuer::access_token::AccessToken;
use crate::issuer::invalid_token::InvalidToken;
use crate::policy::EffectiveAccess;
use crate::policy::rule::Mode;
use crate::request::credential::{self, CredentialKind};
use crate::request::form::{Form, FormError, Shown, ShownJwt};
use crate::request::{Headers, RequestError, RequestHead};
use crate::time::UnixTime;

use super::gate::{Admitted, Rejected};
use super::permission::Refused;
use super::{Authorizer, Decision, Permit, Verdict, Verification};

/// A token request whose form has come.
#[derive(Clone, Copy)]
pub struct TokenRequest<'r> {
    /// Its head, which was judged.
    pub headers: &'r Headers,
    /// Its form.
    pub form: &'r Result<Form<'r>, FormError>,
    /// On what terms the gateway exchanges tokens, where it does.
    pub exchange: Option<&'r Terms>,
}

/// A caller's own token, which is the answer to the form that showed it: made by judging that form,
/// and by nothing else.
#[derive(Clone, Eq, PartialEq)]
pub struct OwnToken {
    text: Box<str>,
    lifetime: Duration,
    shadowed: Option<Denial>,
}

impl OwnToken {
    /// The token.
    pub const fn text(&self) -> &str {
        &self.text
    }

    /// For how long it is good.
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Why its bearer would be refused if the policy, or the rule, were enforced.
    pub const fn shadowed(&self) -> Option<&Denial> {
        self.shadowed.as_ref()
    }
}

impl fmt::Debug for OwnToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnToken")
            .field("lifetime", &self.lifetime)
            .field("shadowed", &self.shadowed)
            .finish_non_exhaustive()
    }
}

impl Authorizer {
    /// Judges the form behind a head that was let through. A head that was refused stays refused.
    #[inline(never)]
    pub fn judge_form<'a>(
        &'a self,
        decision: &mut Decision<'a>,
        request: TokenRequest<'_>,
        by: &Verification<'_>,
        now: UnixTime,
    ) {
        if decision.permit().is_none() {
            return;
        }
        let form = match request.form {
            Ok(form) => form,
            Err(error) => return decision.refuse(RequestError::Form(*error).into()),
        };
        self.judge_static(decision, form, now);
        if decision.permit().is_some() {
            self.judge_tokens(decision, form, request, by, now);
        }
    }

    /// Judges what nothing here can verify.
    fn judge_static(&self, decision: &mut Decision<'_>, form: &Form<'_>, now: UnixTime) {
        let is_admitted = |shown: &Shown<'_>| self.treatments.admit(shown.kind, now);
        // The worst of them: what is admitted must not hide what is not.
        let worst = form.credentials().max_by_key(|shown| match shown.belongs {
            true => Standpoint::Right,
            false if is_admitted(shown) => Standpoint::Admitted,
            false => Standpoint::Wrong,
        });
        let Some(shown) = worst else {
            return;
        };
        let evidence = &mut decision.evidence;
        if form
            .credentials()
            .any(|shown| !shown.belongs && shown.kind.is_for_token_endpoints())
        {
            evidence.leaked();
        }
        // What stands where it belongs does not hide what the head brought.
        if !shown.belongs || matches!(evidence.credential, None | Some(CredentialKind::None)) {
            evidence.credential(shown.kind);
            evidence.fingerprint(shown.token.and_then(|token| self.fingerprints.of(token)));
        }
        if shown.belongs {
            return;
        }
        if !is_admitted(&shown) {
            return decision.refuse(Denial::UnsupportedCredential(shown.kind));
        }
        if let Verdict::Allow(permit) = &mut decision.verdict {
            evidence.shadowed();
            *permit = Permit::observed(shown.kind);
        }
    }

    /// Sends every token of the form through the gate, and answers the form where it asks for what
    /// the gateway itself gives.
    fn judge_tokens<'a>(
        &'a self,
        decision: &mut Decision<'a>,
        form: &Form<'_>,
        request: TokenRequest<'_>,
        by: &Verification<'_>,
        now: UnixTime,
    ) {
        let tokens: Vec<_> = form.tokens().collect();
        let rank = |field: &str| RANKS.iter().position(|name| *name == field);
        // The record names the first: whose token is to be exchanged, before those who vouch for
        // the request.
        let ranks = (0..RANKS.len()).map(Some).chain([None]);
        let ordered = ranks.flat_map(|wanted| {
            tokens
                .iter()
                .filter(move |shown| rank(shown.field) == wanted)
        });
        let mut verified = Vec::new();
        for shown in ordered.copied() {
            decision.evidence.shows_jwt();
            let is_documented =
                shown.is_plain && form.takes_tokens_in(shown.field, request.headers);
            let judged = match self.admit(shown.text, is_documented, by, now) {
                Ok(Admitted::Verified(token)) => {
                    let judged = self.may_send_form(decision, &token, request.headers);
                    verified.push((shown, token));
                    judged
                }
                Ok(Admitted::Unverified(claims)) => {
                    decision.evidence.unverified(Rc::new(claims));
                    Ok(())
                }
                Err(rejected) => Err(decision.reject(rejected)),
            };
            if let Err(denial) = judged {
                return decision.refuse(request.worded(denial));
            }
        }
        let Some(terms) = request.exchange else {
            return;
        };
        // Nobody would exchange what stands in the head of a call that needs no token.
        let is_bearer = decision
            .permit()
            .is_some_and(|permit| permit.bearer().is_some());
        if !is_bearer && credential::bearer_token(request.headers).is_some() {
            let denial = Denial::ExchangedHere;
            return decision.refuse(Denial::InvalidGrant(Box::new(denial)));
        }
        match answered(decision, form, terms, &verified, now) {
            None => {}
            Some(Ok(token)) => decision.verdict = Verdict::Return(token),
            Some(Err(denial)) => decision.refuse(Denial::InvalidGrant(Box::new(denial))),
        }
    }

    /// Whether the bearer of a token may send a token request: to this workspace, by the rules for
    /// its issuer, and as the holder of some role.
    fn may_send_form<'a>(
        &'a self,
        decision: &mut Decision<'a>,
        token: &Rc<AccessToken>,
        headers: &Headers,
    ) -> Result<(), Denial> {
        let head = RequestHead::read(headers, self.max_token_bytes)?;
        let workspace = self.workspace(&head);
        let here = workspace.unwrap_or_default();
        let evidence = &mut decision.evidence;
        let is_first = evidence.token.is_none();
        if is_first {
            evidence.workspace(here);
        }
        if let Err(denial) = self.issued_for(Rc::clone(token), &head, here, evidence) {
            evidence.effective_access = None;
            return Err(denial);
        }
        let decoded = OnceCell::new();
        let call = self.call(&head, headers, &decoded);
        let readings = self.policy.readings(call, head.path);
        let policy = self.policy.apply(&readings, Some(&token.issuer));
        if self.policy.rules.depends_on_issuers() {
            evidence.governing(&policy.governing, policy.requirements.as_ref());
        }
        let access = Rc::new(self.policy.effective_access(token, here));
        let judged = match workspace {
            Ok(_) => self
                .permits(readings.call, &policy, &access, evidence)
                .and_then(|()| self.holds_role(&access)),
            Err(error) => Err(Refused::by(error.into(), self.policy.mode)),
        };
        if is_first || judged.is_err() {
            evidence.effective_access(access);
            evidence.token(Rc::clone(token));
        }
        match judged {
            Err(Refused { denial, mode })
                if mode == Mode::Enforce || denial.kind() == Kind::InvalidRequest =>
            {
                Err(denial)
            }
            Err(Refused { denial, .. }) => {
                decision.shadow(denial);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Whether a caller holds some role here, where roles are configured: who holds none may do
    /// nothing, and so gets no token to do it with.
    fn holds_role(&self, access: &EffectiveAccess) -> Result<(), Refused> {
        if self.policy.roles.is_empty() || !access.roles.is_empty() {
            return Ok(());
        }
        let denial = if access.elsewhere {
            Denial::WorkspaceNotGranted
        } else {
            Denial::NoRole
        };
        Err(Refused::by(denial, self.policy.mode))
    }
}

impl Decision<'_> {
    /// Notes what is known of a token that the gate refused.
    fn reject(&mut self, rejected: Rejected) -> Denial {
        self.awaited = rejected.awaited;
        if let Some(token) = rejected.token {
            // What was noted of another token's bearer is not this one's.
            self.evidence.effective_access = None;
            self.evidence.token(token);
        }
        rejected.denial
    }
}

impl TokenRequest<'_> {
    /// The same refusal as clients of a token endpoint read it, where the gateway is the one that
    /// they have to do with.
    fn worded(&self, denial: Denial) -> Denial {
        match denial.kind() {
            Kind::Internal | Kind::Unavailable => denial,
            Kind::Forbidden
            | Kind::InsufficientScope
            | Kind::InvalidGrant
            | Kind::InvalidRequest
            | Kind::InvalidToken
            | Kind::MissingCredentials
            | Kind::RequestTimeout => {
                if self.exchange.is_some() {
                    Denial::InvalidGrant(Box::new(denial))
                } else {
                    denial
                }
            }
        }
    }
}

/// What a gateway that exchanges tokens itself answers to a form in which it verified tokens;
/// `None` where it is the workspace's to answer.
fn answered(
    decision: &Decision<'_>,
    form: &Form<'_>,
    terms: &Terms,
    verified: &[(ShownJwt<'_>, Rc<AccessToken>)],
    now: UnixTime,
) -> Option<Result<OwnToken, Denial>> {
    let (shown, token) = verified.first()?;
    let is_alone = form.tokens().count() == 1 && !form.credentials().any(|shown| !shown.belongs);
    if is_alone && shown.field == "assertion" && form.narrows() && !terms.takes(&token.issuer) {
        return None;
    }
    let subject = form.exchanged(terms.assume_group.as_deref());
    if !is_alone || !shown.is_plain || subject != Some(shown.text) {
        return Some(Err(Denial::ExchangedHere));
    }
    // Some clock skew may be left to it, but there is no time left to tell its bearer.
    let lifetime = token.expires_at.since(now);
    if lifetime.as_secs() == 0 {
        return Some(Err(InvalidToken::Expired.into()));
    }
    Some(Ok(OwnToken {
        text: shown.text.into(),
        lifetime,
        shadowed: decision.shadowed().cloned(),
    }))
}

/// Where a credential of a form stands, from good to bad.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Standpoint {
    Right,
    Admitted,
    Wrong,
}

/// The fields of tokens, in the order in which records name their bearers.
const RANKS: [&str; 4] = [
    "subject_token",
    "assertion",
    "client_assertion",
    "actor_token",
];
