//! The form of a token request, once it has come: headers and form are judged as one decision, with
//! one record.

use std::cell::RefCell;
use std::rc::Rc;

use crate::authorize::form::TokenRequest;
use crate::denial::Denial;
use crate::exchange::Exchanger;
use crate::request::Headers;
use crate::request::form::{self, Form, FormError};
use crate::time::UnixTime;

use super::active::{Active, BUSY_TICK};
use super::decision_id::DecisionId;
use super::held_forms::{Client, HeldForms, Ticket};
use super::host::{Host, StreamId};
use super::pending::Pending;
use super::step::Step;
use super::stream::Stage;
use super::waiting::Awaited;

/// A form that is still to come, and the headers before it, which were permitted.
pub(super) struct AwaitedForm {
    pub(super) number: u64,
    headers: Headers,
    source_ip: Option<String>,
    pub(super) decision_id: DecisionId,
    place: HeldPlace,
    /// How much of it has come.
    pub(super) came: usize,
}

/// A request's place among those that are held; given up with it.
struct HeldPlace {
    number: u64,
    held: Rc<RefCell<HeldForms>>,
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        // Nothing is borrowed of it where a place is given up.
        if let Ok(mut held) = self.held.try_borrow_mut() {
            held.leave(self.number);
        }
    }
}

/// What came of a form that is not awaited any more.
pub(super) struct ArrivedForm {
    body: Result<Vec<u8>, FormError>,
    _place: HeldPlace,
}

impl ArrivedForm {
    /// The form, if it came as a whole.
    pub(super) fn body(&self) -> Result<&[u8], FormError> {
        self.body.as_deref().map_err(|error| *error)
    }
}

impl AwaitedForm {
    /// The request with what came of its form; without, where that is not judged.
    pub(super) fn with_form(
        self,
        stream: StreamId,
        body: Option<Result<Vec<u8>, FormError>>,
    ) -> Pending {
        let place = self.place;
        Pending {
            stream,
            number: self.number,
            headers: self.headers,
            source_ip: self.source_ip,
            deadline: None,
            decision_id: Some(self.decision_id),
            form: body.map(|body| ArrivedForm {
                body,
                _place: place,
            }),
        }
    }
}

impl Active {
    /// The form that a request with a body announces, and whether there is room to hold it.
    pub(super) fn announced_form(
        &mut self,
        ticket: Ticket,
        headers: &Headers,
        source_ip: Option<&String>,
        now: UnixTime,
    ) -> Option<(Box<AwaitedForm>, Result<(), FormError>)> {
        if !form::goes_to_token_endpoint(headers) {
            return None;
        }
        let client = Client::of(source_ip.map(String::as_str));
        let entered = (self.held_forms.borrow_mut()).enter(ticket, client, headers.bytes(), now);
        let awaited = AwaitedForm {
            number: ticket.number,
            headers: headers.clone(),
            source_ip: source_ip.cloned(),
            decision_id: self.decision_ids.next(),
            place: HeldPlace {
                number: ticket.number,
                held: Rc::clone(&self.held_forms),
            },
            came: 0,
        };
        Some((Box::new(awaited), entered))
    }

    /// Judges a token request by its headers and what came of its form.
    pub(super) fn judge_form(
        &mut self,
        request: Pending,
        host: &dyn Host,
        now: Option<UnixTime>,
    ) -> (Stage, Step) {
        let configuration = Rc::clone(&self.configuration);
        let incomplete = Err(FormError::Incomplete);
        let body = request.form.as_ref().map_or(incomplete, ArrivedForm::body);
        let form = body.and_then(|body| Form::parse(&request.headers, body));
        let mut decision = match now {
            Some(now) => {
                let token_request = TokenRequest {
                    headers: &request.headers,
                    form: &form,
                    exchange: self.exchanger.as_ref().map(Exchanger::terms),
                };
                let number = request.number;
                self.decide_form(&configuration.authorizer, number, token_request, host, now)
            }
            None => (configuration.authorizer).unjudged(Denial::ClockUnavailable),
        };
        if let (Some(awaited), Some(now)) = (decision.awaited, now)
            && let Some(deadline) = self.may_wait_for_keys(&request, awaited, now)
        {
            drop(form);
            return self.hold(request, Awaited::Keys(awaited), deadline, BUSY_TICK, host);
        }
        let decision_id = request
            .decision_id
            .unwrap_or_else(|| self.decision_ids.next());
        self.record(&mut decision, &request, decision_id, host, now);
        if body == incomplete {
            // Its client is gone, so the record is all that is left to do.
            return (Stage::Answered, Step::Hold);
        }
        self.step(&decision, &request, decision_id)
    }
}
