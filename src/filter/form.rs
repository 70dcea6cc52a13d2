//! The form of a token request, once it has come: the head's verdict and the form's are one decision, with one record.

use std::cell::Cell;
use std::rc::Rc;

use crate::denial::Denial;
use crate::exchange::driver;
use crate::request::Headers;
use crate::request::form::{self, Form, FormError};
use crate::time::UnixTime;

use super::decision_id::DecisionId;
use super::host;
use super::waiting::Pending;
use super::worker::{Progress, Worker};

/// A form that is yet to come: the head before it, which was permitted, and the decision's name.
pub(super) struct Announced {
    number: u64,
    headers: Headers,
    pub(super) decision_id: DecisionId,
    /// What all such heads of this worker hold, this one among them.
    held: Rc<Cell<usize>>,
    bytes: usize,
}

impl Announced {
    /// The form that a head with a body behind it announces, `number` being the request's.
    pub(super) fn by(
        number: u64,
        headers: &Headers,
        has_body: bool,
        held: &Rc<Cell<usize>>,
        decision_id: impl FnOnce() -> DecisionId,
    ) -> Option<Box<Self>> {
        (has_body && form::goes_to_token_endpoint(headers)).then(|| {
            let bytes = headers.bytes();
            held.set(held.get().saturating_add(bytes));
            Box::new(Self {
                number,
                headers: headers.clone(),
                decision_id: decision_id(),
                held: Rc::clone(held),
                bytes,
            })
        })
    }

    /// Whether there is room for it among the others.
    pub(super) fn has_room(&self) -> bool {
        self.held.get() <= MAX_HELD_BYTES
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        self.held.set(self.held.get().saturating_sub(self.bytes));
    }
}

impl Worker {
    /// Judges a token request whose head was permitted, now by its form too, and acts on the verdict. Where no form has come as a whole
    /// there is no client any more, and the record is all that is left to do.
    pub(super) fn judge_form(
        &self,
        mut announced: Announced,
        context_id: u32,
        body: Result<&[u8], FormError>,
    ) -> Progress {
        let now = host::now();
        let request = Pending {
            context_id,
            number: announced.number,
            source_ip: host::source_ip(),
            headers: std::mem::take(&mut announced.headers),
            deadline: None,
            form: Some(announced.decision_id),
        };
        let form = body.and_then(|body| Form::parse(&request.headers, body));
        let authorizer = &self.configuration.authorizer;
        let mut decision = authorizer.unjudged(Denial::ClockUnavailable);
        if let Some(now) = now {
            decision = self.decide(request.number, &request.headers, now);
            authorizer.judge_form(&mut decision, &form, now);
        }
        let decision_id = announced.decision_id;
        self.record(&mut decision, &request, decision_id, now);
        if body == Err(FormError::Incomplete) {
            return Progress::Answered;
        }
        match (self.answer(&decision, &request, decision_id), form, now) {
            (progress @ Progress::Permitted(_), Ok(form), Some(now)) => self
                .give_back(&request, &form, now)
                .map_or(progress, |()| Progress::Answered),
            (progress, _, _) => progress,
        }
    }

    /// Answers a SQL driver with its own token, where that is one to use here. Every other form is Databricks' to answer.
    fn give_back(&self, request: &Pending, form: &Form<'_>, now: UnixTime) -> Option<()> {
        let head = &request.headers;
        let (exchanger, subject) = (self.exchanger()?, driver::subject(head, form)?);
        let decision = self.decide(request.number, &driver::probe(subject, head), now);
        let is_ours = decision
            .exchangeable()
            .is_some_and(|issuer| exchanger.borrow().terms().takes(issuer));
        let token = decision.evidence.token.as_ref().filter(|_| is_ours)?;
        let headers = [
            ("content-type", "application/json".into()),
            ("cache-control", "no-store".into()),
        ];
        let answer = driver::answer(subject, token.expires_at.since(now));
        host::reply(200, &headers, &answer);
        Some(())
    }
}

/// What heads whose forms are still to come may hold together, on each worker. They come from callers without a token.
const MAX_HELD_BYTES: usize = 16 * 1024 * 1024;
