//! The skin: copies headers in, copies verdicts out, fetches keys. The only room that knows proxy-wasm.
//!
//! Every worker of the gateway runs this module in a VM of its own, with one root context and a context for each request. The root
//! configures, ticks and fetches, because a callout belongs to the context that made it and dies with it.

mod callouts;
mod decision_id;
mod engine;
mod exchange;
mod form;
mod host;
mod http;
mod keys;
mod metrics;
mod shared;
mod verdict;
mod waiting;
mod withdrawals;
mod worker;

use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};

use crate::config::Configuration;

use callouts::Callouts;
use http::Request;
use worker::{IDLE_TICK, Worker};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|context_id| Box::new(Root::new(context_id)));
}}

/// One worker's root context.
struct Root {
    context_id: u32,
    /// Absent until a configuration was accepted; every request is refused then.
    worker: Option<Rc<Worker>>,
    callouts: Callouts,
}

impl Root {
    fn new(context_id: u32) -> Self {
        Self {
            context_id,
            worker: None,
            callouts: Callouts::default(),
        }
    }
}

impl Context for Root {
    fn on_http_call_response(
        &mut self,
        token_id: u32,
        headers: usize,
        body_size: usize,
        _trailers: usize,
    ) {
        let Some(worker) = &self.worker else {
            return;
        };
        let now = host::now();
        self.callouts
            .on_response(token_id, headers, body_size, worker, now);
        // Discovery's second step, and whatever the answer made due.
        self.callouts.dispatch_due(worker, now);
        worker.settle(self.context_id, now);
        worker.tick_every(worker.tick_period(now));
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        self.worker = None;
        // Answers to what an earlier configuration asked are not this one's.
        self.callouts = Callouts::default();
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
                self.worker = Some(Rc::new(worker));
                true
            }
            Err(error) => {
                for problem in error.problems() {
                    log::error!("configuration refused: {problem}");
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let Some(worker) = &self.worker else {
            return;
        };
        let now = host::now();
        self.callouts.dispatch_due(worker, now);
        worker.settle(self.context_id, now);
        worker.flush_metrics();
        worker.tick_every(worker.tick_period(now));
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Request::new(context_id, self.worker.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// As soon as the host lets us.
const FIRST_TICK: Duration = Duration::from_millis(1);
