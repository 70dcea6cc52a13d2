//! The skin: copies headers in, copies verdicts out, fetches keys. The only room that knows proxy-wasm.
//!
//! Every worker of the gateway runs this module in a VM of its own, with one root context and a context for each request. The root
//! configures, ticks and fetches, because a callout belongs to the context that made it and dies with it.

mod callouts;
mod contexts;
mod decision_id;
mod engine;
mod exchange;
mod form;
mod host;
mod http;
mod keys;
mod logger;
mod metrics;
mod records;
mod shared;
mod verdict;
mod waiting;
mod withdrawals;
mod worker;

use std::rc::Rc;
use std::time::Duration;

use host_calls::callbacks::{Action, Callbacks};

use crate::config::Configuration;

use worker::{IDLE_TICK, Worker};

host_calls::export_callbacks!(Filter);

/// What the host calls.
struct Filter;

impl Callbacks for Filter {
    fn on_start() {
        logger::install();
    }

    fn on_context_create(context_id: u32, root_id: u32) {
        if root_id == 0 {
            contexts::begin_root(context_id);
        } else {
            contexts::begin_request(context_id, root_id);
        }
    }

    fn on_configure(root_id: u32) -> bool {
        // Not even while this one is read does the one before hold.
        contexts::configure(root_id, None);
        let worker = configured();
        let accepted = worker.is_some();
        contexts::configure(root_id, worker.map(Rc::new));
        accepted
    }

    fn on_tick(root_id: u32) {
        contexts::serve_root(root_id, |worker, callouts| {
            let now = host::now();
            worker.records.look();
            if let Some(now) = now {
                callouts.dispatch_due(worker, now);
            }
            worker.end_late_forms(root_id, now);
            worker.settle(root_id, now);
            worker.flush_metrics();
            worker.tick_every(worker.tick_period(now));
        });
    }

    fn on_request_headers(context_id: u32, end_of_stream: bool) -> Action {
        contexts::serve_request(context_id, |request| {
            request.on_headers(context_id, end_of_stream)
        })
    }

    fn on_request_body(context_id: u32, size: usize, end_of_stream: bool) -> Action {
        // Nearly always: nothing of a body bears on the verdict, but of a token request's.
        if let Some(action) = contexts::body_action(context_id) {
            return action;
        }
        contexts::serve_request(context_id, |request| {
            request.on_body(context_id, size, end_of_stream)
        })
    }

    fn on_request_trailers(context_id: u32) -> Action {
        contexts::serve_request(context_id, |request| request.on_trailers(context_id))
    }

    fn on_http_call_response(root_id: u32, token_id: u32, headers: usize, body_size: usize) {
        contexts::serve_root(root_id, |worker, callouts| {
            let now = host::now();
            if let Some(now) = now {
                callouts.on_response(token_id, headers, body_size, worker, now);
                // Discovery's second step, and whatever the answer made due.
                callouts.dispatch_due(worker, now);
            }
            worker.settle(root_id, now);
            worker.tick_every(worker.tick_period(now));
        });
    }

    fn on_delete(context_id: u32) {
        contexts::end(context_id);
    }
}

/// What serves by the configuration of the current root; nothing where that is refused.
fn configured() -> Option<Worker> {
    match Configuration::parse(&host::plugin_configuration()) {
        Ok(configuration) => {
            for warning in &configuration.warnings {
                log::warn!("configuration: {warning}");
            }
            let worker = Worker::new(configuration);
            // Not from here: the configuration also runs in a VM that is thrown away, and whose callouts nobody would answer.
            worker.tick_every(if worker.next_due().is_some() {
                FIRST_TICK
            } else {
                IDLE_TICK
            });
            Some(worker)
        }
        Err(error) => {
            for problem in error.problems() {
                log::error!("configuration refused: {problem}");
            }
            None
        }
    }
}

/// As soon as the host lets us.
const FIRST_TICK: Duration = Duration::from_millis(1);
