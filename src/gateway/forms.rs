//! The form of a token request, once it has come: the head's verdict and the form's are one
//! decision, with one record.

use std::cell::RefCell;
use std::rc::Rc;

use crate::authorize::form::TokenRequest;
use crate::denial::Denial;
use crate::gateway::waiting::Awaited;
use crate::request::Headers;
use crate::request::form::room::{Client, Room, Ticket};
use crate::request::form::{self, Form, FormError};
use crate::time::UnixTime;

use super::decision_id::DecisionId;
use super::waiting::Pending;
use super::worker::{BUSY_TICK, Progress, Worker};
use super::{contexts, host};

/// A form that is yet to come: the head before it, which was permitted, and the decision's name.
pub(super) struct Announced {
    pub(super) number: u64,
    headers: Headers,
    source_ip: Option<String>,
    pub(super) decision_id: DecisionId,
    place: Place,
}

/// A request's place among those that are held; given up with it.
pub(super) struct Place {
    number: u64,
    room: Rc<RefCell<Room>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        // Nothing lends the room while it gives a place up.
        if let Ok(mut room) = self.room.try_borrow_mut() {
            room.leave(self.number);
        }
    }
}

/// What came of a form that is not awaited any more.
pub(super) struct Arrived {
    body: Result<Vec<u8>, FormError>,
    _place: Place,
}

impl Arrived {
    /// The form, if it came as a whole.
    pub(super) fn body(&self) -> Result<&[u8], FormError> {
        self.body.as_deref().map_err(|error| *error)
    }
}

impl Announced {
    /// The request as it is recorded where its form is not judged.
    pub(super) fn into_request(self, context_id: u32) -> Pending {
        Pending {
            context_id,
            number: self.number,
            source_ip: self.source_ip,
            headers: self.headers,
            deadline: None,
            form: Some(self.decision_id),
            arrived: None,
        }
    }
}

impl Worker {
    /// The form that a head with a body behind it announces; and whether there is room to hold it.
    pub(super) fn announced(
        &self,
        ticket: Ticket,
        headers: &Headers,
        source_ip: Option<&String>,
        now: Option<UnixTime>,
    ) -> Option<(Box<Announced>, Result<(), FormError>)> {
        let now = now?;
        if !form::goes_to_token_endpoint(headers) {
            return None;
        }
        let client = Client::of(source_ip.map(String::as_str));
        let mut room = self.forms.borrow_mut();
        let entered = room.enter(ticket, client, headers.bytes(), now);
        drop(room);
        let announced = Announced {
            number: ticket.number,
            headers: headers.clone(),
            source_ip: source_ip.cloned(),
            decision_id: self.decision_ids.next(),
            place: Place {
                number: ticket.number,
                room: Rc::clone(&self.forms),
            },
        };
        Some((Box::new(announced), entered))
    }

    /// Notes how much of a form has come, if there is room for it.
    pub(super) fn hold_form(&self, number: u64, came: usize) -> Result<(), FormError> {
        self.forms.borrow_mut().grow(number, came)
    }

    /// Judges a token request whose head was permitted, now by its form too, and acts on the
    /// verdict. Where no form has come as a whole there is no client any more, and the record is
    /// all that is left to do.
    pub(super) fn judge_form(
        &self,
        announced: Announced,
        context_id: u32,
        body: Result<Vec<u8>, FormError>,
    ) -> Progress {
        let request = Pending {
            context_id,
            number: announced.number,
            source_ip: announced.source_ip,
            headers: announced.headers,
            deadline: None,
            form: Some(announced.decision_id),
            arrived: Some(Arrived {
                body,
                _place: announced.place,
            }),
        };
        self.consider_form(request, host::now())
    }

    /// Judges a token request whose form is here, and says how far that went.
    pub(super) fn consider_form(&self, request: Pending, now: Option<UnixTime>) -> Progress {
        let incomplete = Err(FormError::Incomplete);
        let body = request.arrived.as_ref().map_or(incomplete, Arrived::body);
        let form = body.and_then(|body| Form::parse(&request.headers, body));
        let exchanger = self.exchanger().map(RefCell::borrow);
        let token_request = TokenRequest {
            headers: &request.headers,
            form: &form,
            exchange: exchanger.as_ref().map(|exchanger| exchanger.terms()),
        };
        let authorizer = &self.configuration.authorizer;
        let mut decision = match now {
            Some(now) => self.decide_form(request.number, token_request, now),
            None => authorizer.unjudged(Denial::ClockUnavailable),
        };
        drop(exchanger);
        if let (Some(awaited), Some(now)) = (decision.awaited, now)
            && let Some(deadline) = self.may_wait_for_keys(&request, awaited, now)
        {
            drop(form);
            return self.hold(request, Awaited::Keys(awaited), deadline, BUSY_TICK);
        }
        let decision_id = request.form.unwrap_or_else(|| self.decision_ids.next());
        self.record(&mut decision, &request, decision_id, now);
        if body == incomplete {
            return Progress::Answered;
        }
        self.answer(&decision, &request, decision_id)
    }

    /// Answers the requests whose forms have not come in time.
    pub(super) fn end_late_forms(&self, root_context_id: u32, now: Option<UnixTime>) {
        let late = now
            .map(|now| self.forms.borrow().late(now))
            .unwrap_or_default();
        if late.is_empty() {
            return;
        }
        // Those that are whole and wait for keys have another deadline.
        let awaited = late
            .into_iter()
            .filter(|late| contexts::awaits_form(late.context_id, late.number));
        for Ticket { context_id, .. } in awaited.take(MAX_ENDED) {
            if !host::become_context(context_id) {
                continue;
            }
            let Some(announced) = contexts::take_form(context_id) else {
                continue;
            };
            let before = Progress::Permitted(announced.decision_id);
            let progress = self.judge_form(*announced, context_id, Err(FormError::Late));
            contexts::settle(context_id, before, progress);
        }
        host::become_context(root_context_id);
    }

    /// Whether some form has not come in time.
    pub(super) fn has_late_forms(&self, now: Option<UnixTime>) -> bool {
        now.is_some_and(|now| !self.forms.borrow().late(now).is_empty())
    }
}

/// Requests ended at once; the rest follow with the next ticks, as those that leave the queue do.
const MAX_ENDED: usize = 32;
