//! The border to proxy-wasm: translates the host's callbacks into events of the
//! [`Gateway`](crate::gateway), and its steps into host calls.
//!
//! A host may call back while we call it. So whoever handles an event takes the gateway out and
//! puts it back afterwards; nothing here is borrowed over a host call. Meanwhile requests may end,
//! which is made up for afterwards. Any other callback finds no gateway and lets nothing pass.

mod host;
mod logger;

use std::cell::{Cell, RefCell};

use host_calls::callbacks::{Action, Callbacks};

use crate::config::Configuration;
use crate::gateway::host::{CalloutId, PluginId, StreamId};
use crate::gateway::{Gateway, Head, Step};

use host::WasmHost;

host_calls::export_callbacks!(Filter);

/// What the host calls.
struct Filter;

impl Callbacks for Filter {
    fn on_start() {
        logger::install();
    }

    fn on_context_create(context_id: u32, root_id: u32) {
        with_gateway(PluginId(root_id), |gateway, host| {
            if root_id == 0 {
                gateway.begin_plugin(PluginId(context_id));
            } else {
                gateway.begin(StreamId(context_id), PluginId(root_id), host);
            }
        });
    }

    fn on_configure(root_id: u32) -> bool {
        let plugin = PluginId(root_id);
        let accepted = with_gateway(plugin, |gateway, host| {
            let configuration = configuration();
            let accepted = configuration.is_some();
            gateway.configure(plugin, configuration, host);
            release(gateway, plugin, host);
            accepted
        });
        accepted == Some(true)
    }

    fn on_tick(root_id: u32) {
        let plugin = PluginId(root_id);
        with_gateway(plugin, |gateway, host| {
            gateway.on_tick(plugin, host);
            release(gateway, plugin, host);
        });
    }

    fn on_request_headers(context_id: u32, end_of_stream: bool) -> Action {
        on_request(context_id, |gateway, host| {
            let head = Head {
                headers: host::request_headers(),
                source_ip: host::source_ip(),
                has_body: !end_of_stream,
            };
            gateway.on_head(StreamId(context_id), head, host)
        })
    }

    fn on_request_body(context_id: u32, size: usize, end_of_stream: bool) -> Action {
        on_request(context_id, |gateway, host| {
            gateway.on_body(StreamId(context_id), size, end_of_stream, host)
        })
    }

    fn on_request_trailers(context_id: u32) -> Action {
        on_request(context_id, |gateway, host| {
            let trailers = host::request_trailers();
            gateway.on_trailers(StreamId(context_id), trailers.as_ref(), host)
        })
    }

    fn on_http_call_response(root_id: u32, token_id: u32, headers: usize, body_size: usize) {
        let plugin = PluginId(root_id);
        with_gateway(plugin, |gateway, host| {
            host.announce(body_size);
            // A callout that failed is reported without a header.
            gateway.on_answer(plugin, CalloutId(token_id), headers > 0, host);
            release(gateway, plugin, host);
        });
    }

    fn on_delete(context_id: u32) {
        let ended = with_gateway(PluginId(context_id), |gateway, host| {
            end(gateway, context_id, host);
        });
        if ended.is_none() {
            ENDED.with_borrow_mut(|ended| ended.push(context_id));
        }
    }
}

/// Works with the gateway, `plugin` being the root that host calls are about; `None` where somebody
/// further up does.
fn with_gateway<T>(plugin: PluginId, work: impl FnOnce(&mut Gateway, &WasmHost) -> T) -> Option<T> {
    let mut gateway = GATEWAY.take()?;
    let host = WasmHost::new(plugin);
    let done = work(&mut gateway, &host);
    while let Some(context_id) = ENDED.with_borrow_mut(Vec::pop) {
        end(&mut gateway, context_id, &host);
    }
    GATEWAY.set(Some(gateway));
    Some(done)
}

/// Handles an event of a request.
fn on_request(context_id: u32, event: impl FnOnce(&mut Gateway, &WasmHost) -> Step) -> Action {
    let step = with_gateway(PluginId(context_id), |gateway, host| {
        let step = event(gateway, host);
        let is_gone = ENDED.with_borrow(|ended| ended.contains(&context_id));
        if is_gone { Step::Hold } else { step }
    });
    match step {
        Some(Step::Forward) => Action::Continue,
        Some(Step::HoldBody) => Action::PauseAndWatermark,
        Some(Step::Reply(answer)) => {
            host::reply(&answer);
            // Envoy overrides the action after an answer of the module's own; other hosts obey it.
            Action::Pause
        }
        Some(Step::Hold) | None => Action::Pause,
    }
}

/// Carries out the steps of the requests that were held.
fn release(gateway: &mut Gateway, plugin: PluginId, host: &WasmHost) {
    while let Some((StreamId(context_id), step)) = gateway.next_ready(plugin, host) {
        if ENDED.with_borrow(|ended| ended.contains(&context_id)) {
            continue;
        }
        match step {
            Step::Forward => host::resume_request(),
            Step::Reply(answer) => host::reply(&answer),
            Step::Hold | Step::HoldBody => {}
        }
    }
}

/// Ends a context: a request's, or a plugin's.
fn end(gateway: &mut Gateway, context_id: u32, host: &WasmHost) {
    gateway.end(StreamId(context_id), host);
    gateway.end_plugin(PluginId(context_id), host);
}

/// The configuration of the current root; nothing where it is refused.
fn configuration() -> Option<Configuration> {
    match Configuration::parse(&host::plugin_configuration()) {
        Ok(configuration) => {
            for warning in &configuration.warnings {
                log::warn!("configuration: {warning}");
            }
            Some(configuration)
        }
        Err(error) => {
            for problem in error.problems() {
                log::error!("configuration refused: {problem}");
            }
            None
        }
    }
}

thread_local! {
    /// Taken out while an event is handled.
    static GATEWAY: Cell<Option<Gateway>> = Cell::new(Some(Gateway::default()));
    /// The contexts that ended meanwhile.
    static ENDED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}
