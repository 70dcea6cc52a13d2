//! One request's context: holds everything back until the verdict.

use std::cell::Cell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::request::form::{FormError, MAX_BYTES};

use super::form::Announced;
use super::host;
use super::worker::{Progress, Worker};

/// A request on its way.
pub(super) struct Request {
    context_id: u32,
    worker: Option<Rc<Worker>>,
    progress: Rc<Cell<Progress>>,
    /// The head of a token request whose form is still to be judged.
    form: Option<Box<Announced>>,
    /// How much of it has come.
    came: usize,
}

impl Request {
    pub(super) fn new(context_id: u32, worker: Option<Rc<Worker>>) -> Self {
        Self {
            context_id,
            worker,
            progress: Rc::new(Cell::new(Progress::Undecided)),
            form: None,
            came: 0,
        }
    }

    /// Judges the form of a token request, as far as it has come.
    fn judge_form(&mut self, is_whole: bool) {
        if let (Some(worker), Some(request)) = (&self.worker, self.form.take()) {
            // One byte more tells a form that is too long.
            let most = MAX_BYTES.saturating_add(1);
            let body = if is_whole {
                let body = host::request_body(most);
                // A host that hands over less than has come must not have the rest pass unread.
                let is_all = body.len() >= self.came.min(most);
                is_all.then_some(body).ok_or(FormError::Malformed)
            } else {
                Err(FormError::Incomplete)
            };
            let body = body.as_deref().map_err(|error| *error);
            self.progress
                .set(worker.judge_form(*request, self.context_id, body));
        }
    }

    /// Not a byte of body or trailers goes on before the verdict, on hosts too where pausing the headers does not hold them.
    fn action(&self) -> Action {
        match self.progress.get() {
            Progress::Permitted => Action::Continue,
            Progress::Answered | Progress::Undecided => Action::Pause,
        }
    }
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _count: usize, end_of_stream: bool) -> Action {
        if let Some(worker) = &self.worker {
            self.form = worker.judge(self.context_id, &self.progress, !end_of_stream);
        } else {
            self.progress.set(Progress::Answered);
            let headers = [("content-type", "application/json".to_owned())];
            host::reply(500, &headers, UNCONFIGURED);
        }
        self.action()
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        // Its head has gone on to the filters behind, since hosts bring no body while they hold the head; the form itself has not.
        if self.form.is_some() {
            self.came = self.came.max(size);
            if size <= MAX_BYTES && !end_of_stream {
                return Action::Pause;
            }
            self.judge_form(true);
        }
        self.action()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        self.judge_form(true);
        for name in host::request_trailers().ours() {
            host::remove_request_trailer(name);
        }
        self.action()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // Whoever goes away before the form has come leaves a record too.
        self.judge_form(false);
        if self.progress.get() == Progress::Undecided
            && let Some(worker) = &self.worker
        {
            worker.forget(self.context_id);
        }
    }
}

/// A module whose configuration was refused refuses everything.
const UNCONFIGURED: &str = r#"{"error_code":"INTERNAL_ERROR","message":"This gateway's policy could not be loaded.","details":[]}"#;
