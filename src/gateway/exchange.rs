//! Callouts for exchanged tokens: what a permitted request takes upstream, what is sent for it, and what came of that.

use std::cell::RefCell;
use std::rc::Rc;

use crate::authorize::Decision;
use crate::denial::Denial;
use crate::exchange::{Errand, Exchanger, Failure, Key, Outcome, Subject};
use crate::issuer::invalid_token::InvalidToken;
use crate::request::{Headers, credential};
use crate::time::UnixTime;

use super::callouts::{Callouts, Purpose, Response};
use super::host;
use super::worker::Worker;

/// What becomes of a request after the decision.
pub(super) enum Onward {
    /// It is answered, or goes upstream with what it brought.
    AsDecided,
    /// It waits for this exchange.
    Waits(Key),
    /// It goes upstream with this `Authorization`.
    With(Rc<str>),
}

/// Looks after a request that was decided: a permitted one whose token is to be exchanged gets another, or is refused after all.
pub(super) fn onward(
    exchanger: &RefCell<Exchanger>,
    decision: &mut Decision<'_>,
    headers: &Headers,
    now: UnixTime,
) -> Onward {
    let mut exchanger = exchanger.borrow_mut();
    let takes_part = decision
        .exchangeable()
        .is_some_and(|issuer| exchanger.terms().takes(issuer));
    if !takes_part {
        return Onward::AsDecided;
    }
    let (Some(token), Some(judged)) = (
        credential::bearer_token(headers),
        decision.evidence.token.as_ref(),
    ) else {
        return Onward::AsDecided;
    };
    let scope = exchanger.terms().scope_for(headers);
    let subject = Subject {
        token,
        fingerprint: judged.prints(token).signed,
        expires_at: judged.expires_at,
    };
    match exchanger.ask(subject, scope, now) {
        Outcome::Held(authorization) => {
            decision.evidence.exchanged_scope = Some(scope);
            Onward::With(authorization)
        }
        Outcome::Wait(key) => Onward::Waits(key),
        Outcome::Ended => {
            decision.refuse(Denial::InvalidToken(InvalidToken::Expired));
            Onward::AsDecided
        }
        Outcome::Refused(refusal) => {
            decision.refuse(Denial::Exchange(refusal));
            Onward::AsDecided
        }
    }
}

/// Sends every exchange that is asked for.
pub(super) fn dispatch_due(callouts: &mut Callouts, worker: &Worker, now: UnixTime) {
    let Some(exchanger) = worker.exchanger() else {
        return;
    };
    loop {
        let Some(errand) = exchanger.borrow_mut().due(now) else {
            return;
        };
        if let Some(token_id) = host::dispatch(&errand.call) {
            callouts.sent(token_id, Purpose::Exchange(errand));
        } else {
            log::warn!(
                "exchange: the gateway has no cluster `{}` with a host in it: check `exchange.cluster`",
                errand.call.cluster
            );
            exchanger.borrow_mut().on_failure(&errand, now);
        }
    }
}

/// Takes what came of an exchange; `None` when nothing did.
pub(super) fn on_response(
    errand: &Errand,
    response: Option<&Response>,
    worker: &Worker,
    now: UnixTime,
) {
    let Some(exchanger) = worker.exchanger() else {
        return;
    };
    let result = if let Some(response) = response {
        let status = response.status();
        let body = response.body(Exchanger::MAX_ANSWER_BYTES);
        exchanger.borrow_mut().on_answer(errand, status, &body, now)
    } else {
        exchanger.borrow_mut().on_failure(errand, now);
        Err(Failure::NoAnswer)
    };
    if let Err(failure) = result {
        log::warn!("exchange at `{}`: {failure}", errand.call.uri);
    }
}
