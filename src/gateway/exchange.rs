//! What a permitted request takes upstream, where callers' tokens are exchanged.

use std::rc::Rc;

use crate::authorize::{Bearer, Decision, Permit};
use crate::denial::Denial;
use crate::exchange::{ExchangeKey, Exchanged, Exchanger, Subject};
use crate::issuer::invalid_token::InvalidToken;
use crate::request::{Headers, credential};
use crate::time::UnixTime;

/// What becomes of a request after the decision.
pub(super) enum Onward {
    /// It is answered, or goes upstream with what it brought.
    AsDecided,
    /// It waits for this exchange.
    Waits(ExchangeKey),
    /// It goes upstream with this `Authorization`.
    With(Rc<str>),
}

/// Looks after a request that was decided: a permitted one whose token is to be exchanged gets
/// another, or is refused after all.
pub(super) fn onward(
    exchanger: &mut Exchanger,
    decision: &mut Decision<'_>,
    headers: &Headers,
    now: UnixTime,
) -> Onward {
    let bearer = decision
        .permit()
        .and_then(Permit::bearer)
        .map(Bearer::token);
    let Some(judged) = bearer.filter(|token| exchanger.terms().takes(&token.issuer)) else {
        return Onward::AsDecided;
    };
    let Some(token) = credential::bearer_token(headers) else {
        return Onward::AsDecided;
    };
    let scope = exchanger.terms().scope_for(headers);
    let subject = Subject {
        token,
        fingerprint: judged.prints(token).signed,
        expires_at: judged.expires_at,
    };
    match exchanger.exchange(subject, scope, now) {
        Exchanged::Held(authorization) => {
            decision.evidence.exchanged_scope = Some(scope);
            Onward::With(authorization)
        }
        Exchanged::Wait(key) => Onward::Waits(key),
        Exchanged::Ended => {
            decision.refuse(Denial::InvalidToken(InvalidToken::Expired));
            Onward::AsDecided
        }
        Exchanged::Refused(refusal) => {
            decision.refuse(Denial::Exchange(refusal));
            Onward::AsDecided
        }
    }
}
