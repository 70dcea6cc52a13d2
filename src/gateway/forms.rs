//! The form of a token request, once it has come: headers and form are judged as one decision, with
//! one record.

use std::rc::Rc;

use crate::authorize::form::TokenRequest;
use crate::denial::Denial;
use crate::exchange::Exchanger;
use crate::request::Headers;
use crate::request::form::{self, Form, FormError};
use crate::time::UnixTime;

use super::active::{Active, BUSY_TICK};
use super::held_forms::{Client, Ticket};
use super::host::Host;
use super::pending::Pending;
use super::step::Step;
use super::stream::Stage;
use super::token_form::{ArrivedForm, AwaitedForm, HeldPlace};
use super::waiting::Awaited;

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
