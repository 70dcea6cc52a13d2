//! One request's context: holds everything back until the verdict.

use std::cell::Cell;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::exchange::driver;
use crate::request::Headers;

use super::host;
use super::worker::{Progress, Worker};

/// A request on its way.
pub(super) struct Request {
    context_id: u32,
    worker: Option<Rc<Worker>>,
    progress: Rc<Cell<Progress>>,
    /// The head of a SQL driver's form, until that has come.
    driver: Option<Headers>,
}

impl Request {
    pub(super) fn new(context_id: u32, worker: Option<Rc<Worker>>) -> Self {
        Self {
            context_id,
            worker,
            progress: Rc::new(Cell::new(Progress::Undecided)),
            driver: None,
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
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        if let Some(worker) = &self.worker {
            self.driver = worker.judge(self.context_id, &self.progress);
        } else {
            self.progress.set(Progress::Answered);
            let headers = [("content-type", "application/json".to_owned())];
            host::reply(500, &headers, UNCONFIGURED);
        }
        self.action()
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        // Its head was permitted and has gone on, since hosts bring no body while they hold the head; the form itself has not.
        if let (Some(worker), Some(head)) = (&self.worker, &self.driver)
            && self.progress.get() == Progress::Permitted
        {
            let fits = size <= driver::MAX_FORM_BYTES;
            if fits && !end_of_stream {
                return Action::Pause;
            }
            if fits && worker.give_back(self.context_id, head, &host::request_body(size)) {
                self.progress.set(Progress::Answered);
            }
            self.driver = None;
        }
        self.action()
    }

    fn on_http_request_trailers(&mut self, _count: usize) -> Action {
        for name in host::request_trailers().ours() {
            host::remove_request_trailer(name);
        }
        self.action()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.progress.get() == Progress::Undecided
            && let Some(worker) = &self.worker
        {
            worker.forget(self.context_id);
        }
    }
}

/// A module whose configuration was refused refuses everything.
const UNCONFIGURED: &str = r#"{"error_code":"INTERNAL_ERROR","message":"This gateway's policy could not be loaded.","details":[]}"#;
