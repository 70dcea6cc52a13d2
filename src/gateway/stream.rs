//! One request's context: holds everything back until the verdict.

use std::rc::Rc;

use host_calls::callbacks::Action;

use crate::request::form::{FormError, MAX_BYTES};
use crate::request::{self, Headers};

use super::form::Announced;
use super::host;
use super::waiting::Pending;
use super::worker::{Progress, Worker};

/// A request on its way.
pub(super) struct Request {
    /// That of the configuration that it began under; absent where there was none.
    worker: Option<Rc<Worker>>,
    progress: Progress,
    /// The head of a token request whose form is still to be judged.
    form: Option<Box<Announced>>,
    /// How much of it has come.
    came: usize,
    /// What records and answers quote of the head, where a body and so perhaps trailers follow: the host does not hand it over again.
    quoted: Headers,
}

impl Request {
    pub(super) fn new(worker: Option<Rc<Worker>>) -> Self {
        Self {
            worker,
            progress: Progress::Undecided,
            form: None,
            came: 0,
            quoted: Headers::default(),
        }
    }

    /// How far its judgement has come.
    pub(super) const fn progress(&self) -> Progress {
        self.progress
    }

    /// Takes the verdict that it waited for.
    pub(super) const fn settle(&mut self, progress: Progress) {
        self.progress = progress;
    }

    /// Whether there is anything to do for its body.
    pub(super) const fn awaits_form(&self) -> bool {
        self.form.is_some()
    }

    /// Whether it is the form of this request.
    pub(super) fn awaits_form_of(&self, number: u64) -> bool {
        self.form.as_ref().is_some_and(|form| form.number == number)
    }

    /// Takes the form that it waits for.
    pub(super) const fn take_form(&mut self) -> Option<Box<Announced>> {
        self.form.take()
    }

    /// Not a byte of body or trailers goes on before the verdict, on hosts too where pausing the headers does not hold them.
    pub(super) const fn action(&self) -> Action {
        match self.progress {
            Progress::Permitted(_) => Action::Continue,
            Progress::Answered | Progress::Undecided | Progress::Waits(_) => Action::Pause,
        }
    }

    /// What becomes of its body, where nobody has to read that. While the head waits, on hosts that bring the body all the same, one that
    /// does not fit into the host's buffers must not end the request with an answer of the host's own.
    pub(super) const fn body_action(&self) -> Action {
        match self.progress {
            Progress::Permitted(_) => Action::Continue,
            Progress::Waits(_) => Action::PauseAndWatermark,
            Progress::Answered | Progress::Undecided => Action::Pause,
        }
    }

    pub(super) fn on_headers(&mut self, context_id: u32, end_of_stream: bool) -> Action {
        // No host shows a context a second head. If one did, the first one's verdict would not be this one's.
        self.give_up(context_id);
        if let Some(worker) = &self.worker {
            (self.progress, self.form, self.quoted) = worker.judge(context_id, !end_of_stream);
        } else {
            self.progress = Progress::Answered;
            // A module whose configuration was refused refuses everything.
            host::reply_unable("This gateway's policy could not be loaded.");
        }
        self.action()
    }

    pub(super) fn on_body(&mut self, context_id: u32, size: usize, end_of_stream: bool) -> Action {
        // Its head has gone on to the filters behind, since hosts bring no body while they hold the head; the form itself has not.
        if let (Some(form), Some(worker)) = (&self.form, &self.worker) {
            self.came = self.came.max(size);
            let held = worker.hold_form(form.number, size);
            if held.is_ok() && size <= MAX_BYTES && !end_of_stream {
                return Action::Pause;
            }
            self.judge_form(context_id, held);
        }
        self.action()
    }

    pub(super) fn on_trailers(&mut self, context_id: u32) -> Action {
        let trailers = host::request_trailers();
        let error = match trailers.as_ref().map(request::read_trailers) {
            Some(Ok(names)) if names.iter().all(|name| host::remove_request_trailer(name)) => {
                self.judge_form(context_id, Ok(()));
                return self.action();
            }
            Some(Err(error)) => Some(error),
            Some(Ok(_)) | None => None,
        };
        if let Some(worker) = &self.worker
            && self.progress != Progress::Answered
        {
            self.leave_queue();
            let recorded = match self.progress {
                Progress::Permitted(decision_id) => Some(decision_id),
                Progress::Answered | Progress::Undecided | Progress::Waits(_) => None,
            };
            let quoted = std::mem::take(&mut self.quoted);
            // A form that is still to be judged has no record yet, and needs no other than this.
            let request = match self.form.take() {
                Some(form) => form.into_request(context_id),
                None => Pending::quoted(context_id, quoted),
            };
            self.progress = worker.refuse_trailers(&request, recorded, error);
        }
        self.action()
    }

    /// Its context is gone.
    pub(super) fn end(mut self, context_id: u32) {
        self.give_up(context_id);
    }

    fn give_up(&mut self, context_id: u32) {
        // Whoever goes away before the form has come leaves a record too.
        self.judge_form(context_id, Err(FormError::Incomplete));
        self.leave_queue();
    }

    fn leave_queue(&self) {
        if let (Progress::Waits(number), Some(worker)) = (self.progress, &self.worker) {
            worker.forget(number);
        }
    }

    /// Judges the form of a token request: what the host holds of it, or why that is not all.
    fn judge_form(&mut self, context_id: u32, came: Result<(), FormError>) {
        if let (Some(worker), Some(request)) = (&self.worker, self.form.take()) {
            // One byte more tells a form that is too long.
            let most = MAX_BYTES.saturating_add(1);
            let body = came.and_then(|()| {
                let body = host::request_body(most);
                // A host that hands over less than has come must not have the rest pass unread.
                let is_all = body.len() >= self.came.min(most);
                is_all.then_some(body).ok_or(FormError::Malformed)
            });
            self.progress = worker.judge_form(*request, context_id, body);
        }
    }
}
