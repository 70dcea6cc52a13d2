//! The built module in this process: a small proxy-wasm host (ABI 0.2.1) that sees everything the
//! module does.
//!
//! It answers what Envoy answers and nothing more; where the real Envoy does better (its native
//! signature check), it says that it does not have that, so that the module's own way is tested. A
//! trap stops the test.

use std::collections::BTreeMap;

use wasmtime::{CallHook, Instance, Linker, Module, Store, TypedFunc, WasmParams, WasmResults};

mod abi;
mod memory;
mod module;
mod odd;
mod state;
mod status;
mod wasi;

use crate::header_map::has_body;
pub use crate::reply::{Headers, Reply};
pub use module::{built_module, compile, metered_module};
pub use state::{Callout, CalloutAnswer, Crossings};
use state::{Delivery, State, Stream};

/// One instance of the module, configured.
pub struct Host {
    store: Store<State>,
    instance: Instance,
    configured: bool,
    next_context: u32,
    root: u32,
    answers: Answers,
}

/// Who answers the module's callouts.
pub type Answers = Box<dyn FnMut(&Callout) -> CalloutAnswer>;

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It goes to the upstream with these headers.
    Forward(Headers),
    /// It was answered here.
    Reply(Reply),
    /// It is held, and nothing is under way that would release it.
    Waiting,
}

impl Host {
    /// Starts the built module with a plugin configuration.
    ///
    /// `clusters` are the ones a callout may name; `answers` answers it.
    pub fn start(configuration: &str, clusters: &[&str], answers: Answers) -> Self {
        Self::start_module(built_module(), configuration, clusters, answers)
    }

    /// Starts any module.
    pub fn start_module(
        module: &Module,
        configuration: &str,
        clusters: &[&str],
        answers: Answers,
    ) -> Self {
        let state = State::new(configuration, clusters);
        let mut store = Store::new(module.engine(), state);
        // Refused by an engine that does not meter.
        drop(store.set_fuel(u64::MAX));
        store.call_hook(|mut context, hook| {
            let crossings = &mut context.data_mut().crossings;
            match hook {
                CallHook::CallingWasm => crossings.into_module += 1,
                CallHook::CallingHost => crossings.to_host += 1,
                CallHook::ReturningFromHost | CallHook::ReturningFromWasm => {}
            }
            Ok(())
        });
        let mut linker = Linker::new(module.engine());
        abi::link(&mut linker).expect("the host calls link");
        wasi::link(&mut linker).expect("the WASI calls link");
        linker
            .define_unknown_imports_as_traps(module)
            .expect("imports the host does not know trap when called");
        let instance = linker
            .instantiate(&mut store, module)
            .expect("the module starts");
        let mut host = Self {
            store,
            instance,
            configured: false,
            next_context: ROOT + 1,
            root: ROOT,
            answers,
        };
        host.call_if_there::<(), ()>("_initialize", ());
        host.call_if_there::<(u32, u32), ()>("proxy_on_context_create", (ROOT, 0));
        let size = u32::try_from(configuration.len()).expect("a configuration below 4 GiB");
        let started =
            host.call_if_there::<(u32, u32), u32>("proxy_on_vm_start", (ROOT, 0)) != Some(0);
        host.configured = started
            && host.call_if_there::<(u32, u32), u32>("proxy_on_configure", (ROOT, size)) != Some(0);
        host
    }

    /// Whether the module took its configuration.
    pub fn configured(&self) -> bool {
        self.configured
    }

    /// Sets the clock, in milliseconds since the epoch. Until then it is the real one.
    pub fn set_clock(&mut self, millis: u64) {
        self.store.data_mut().clock_nanos = Some(millis * 1_000_000);
    }

    /// Everything the module logged so far, with the level, oldest first; and forgets it.
    pub fn take_log(&mut self) -> Vec<(u32, String)> {
        std::mem::take(&mut self.store.data_mut().log)
    }

    /// The module's metrics by name.
    pub fn metrics(&self) -> BTreeMap<String, i64> {
        self.store.data().metrics.iter().cloned().collect()
    }

    /// What the module shares with other machines of its kind, keys and values.
    pub fn shared_data(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let shared = &self.store.data().shared;
        let pair = |(key, (value, _)): (&Vec<u8>, &(Vec<u8>, u32))| (key.clone(), value.clone());
        shared.iter().map(pair).collect()
    }

    /// The callouts that were made so far, oldest first.
    pub fn callouts(&self) -> &[Callout] {
        &self.store.data().made
    }

    /// The instructions that the module has executed so far, where the engine meters.
    pub fn instructions(&self) -> Option<u64> {
        Some(u64::MAX - self.store.get_fuel().ok()?)
    }

    /// The crossings of the border to the module since this was asked for last.
    pub fn take_crossings(&mut self) -> Crossings {
        std::mem::take(&mut self.store.data_mut().crossings)
    }

    /// The linear memory's size in bytes.
    pub fn memory(&mut self) -> usize {
        self.instance
            .get_memory(&mut self.store, "memory")
            .map_or(0, |memory| memory.data_size(&self.store))
    }

    /// Says something of the host's about the connection, as
    /// `connection.sha256_peer_certificate_digest`.
    pub fn set_property(&mut self, path: &str, value: &str) {
        let properties = &mut self.store.data_mut().properties;
        properties.insert(path.to_owned(), value.as_bytes().to_vec());
    }

    /// Lets the module do what it does without a request: one tick, and the answers to its
    /// callouts.
    pub fn tick(&mut self) {
        if self.store.data().tick_period > 0 {
            self.call_if_there::<u32, ()>("proxy_on_tick", ROOT);
        }
        self.deliver();
    }

    /// Sends a request through the module, its callouts being answered on the way.
    pub fn request(&mut self, headers: &Headers, body: &[u8]) -> Verdict {
        let context = self.open(headers, !has_body(headers, body));
        if self
            .store
            .data()
            .stream(context)
            .is_none_or(|stream| !stream.stopped)
        {
            self.send_body(context, headers, body);
        }
        // A held request is released by an answer to a callout or by a tick that notices the time.
        for _ in 0..MAX_TURNS {
            if !matches!(self.verdict(context), Verdict::Waiting) {
                break;
            }
            self.tick();
            let released = self
                .store
                .data()
                .stream(context)
                .is_some_and(|stream| !stream.stopped && stream.reply.is_none());
            if released {
                self.send_body(context, headers, body);
            }
        }
        let verdict = self.finish(context);
        self.deliver();
        verdict
    }

    /// Hands over the headers of a request that has a body to come; its context.
    pub fn begin(&mut self, headers: &Headers) -> u32 {
        self.open(headers, false)
    }

    fn open(&mut self, headers: &Headers, is_whole: bool) -> u32 {
        let context = self.next_context;
        self.next_context += 1;
        self.call_if_there::<(u32, u32), ()>("proxy_on_context_create", (context, self.root));
        let count = u32::try_from(headers.len()).expect("few headers");
        let state = self.store.data_mut();
        state.streams.insert(
            context,
            Stream {
                request: headers.clone(),
                ..Stream::default()
            },
        );
        let action = self.call_if_there::<(u32, u32, u32), u32>(
            "proxy_on_request_headers",
            (context, count, u32::from(is_whole)),
        );
        self.stop_if(context, action);
        context
    }

    /// What has become of a request so far.
    pub fn verdict(&self, context: u32) -> Verdict {
        let stream = self
            .store
            .data()
            .stream(context)
            .expect("a request under way");
        match &stream.reply {
            Some(reply) => Verdict::Reply(reply.clone()),
            None if stream.stopped => Verdict::Waiting,
            None => Verdict::Forward(stream.request.clone()),
        }
    }

    /// Ends a request, and yields what became of it. A local reply passes through the module once
    /// more, as Envoy has it.
    pub fn finish(&mut self, context: u32) -> Verdict {
        let reply = self
            .store
            .data_mut()
            .streams
            .get_mut(&context)
            .and_then(Stream::settle_reply);
        if let Some(reply) = reply {
            let count = u32::try_from(reply.headers.len()).expect("few headers");
            self.call_if_there::<(u32, u32, u32), u32>(
                "proxy_on_response_headers",
                (context, count, 0),
            );
        }
        let verdict = self.verdict(context);
        self.call_if_there::<u32, u32>("proxy_on_done", context);
        self.call_if_there::<u32, ()>("proxy_on_log", context);
        self.call_if_there::<u32, ()>("proxy_on_delete", context);
        self.store.data_mut().streams.remove(&context);
        verdict
    }

    fn send_body(&mut self, context: u32, headers: &Headers, body: &[u8]) {
        let waits = self
            .store
            .data()
            .stream(context)
            .is_none_or(|stream| stream.reply.is_some());
        if waits || !has_body(headers, body) {
            return;
        }
        self.bring(context, body, true);
    }

    /// Hands over as much of a body as has come.
    pub fn bring(&mut self, context: u32, body: &[u8], is_whole: bool) {
        let size = u32::try_from(body.len()).expect("a small body");
        if let Some(stream) = self.store.data_mut().streams.get_mut(&context) {
            stream.body = body.to_vec();
        }
        let brought = (context, size, u32::from(is_whole));
        let action = self.call_if_there::<(u32, u32, u32), u32>("proxy_on_request_body", brought);
        self.stop_if(context, action);
    }

    fn stop_if(&mut self, context: u32, action: Option<u32>) {
        if action == Some(PAUSE)
            && let Some(stream) = self.store.data_mut().streams.get_mut(&context)
        {
            stream.stopped = !stream.resumed;
        }
    }

    /// Answers every callout that waits for one.
    fn deliver(&mut self) {
        while let Some(callout) = self.store.data_mut().waiting.pop_front() {
            let delivery = match (self.answers)(&callout) {
                CalloutAnswer::Failed => Delivery::default(),
                CalloutAnswer::Answer {
                    status,
                    headers,
                    body,
                } => {
                    let mut all = vec![(":status".to_owned(), status.to_string().into_bytes())];
                    all.extend(headers);
                    Delivery { headers: all, body }
                }
                CalloutAnswer::Never => continue,
            };
            let arguments = (
                ROOT.max(callout.context),
                callout.token,
                u32::try_from(delivery.headers.len()).expect("few headers"),
                u32::try_from(delivery.body.len()).expect("a body below 4 GiB"),
                0,
            );
            self.store.data_mut().delivery = Some(delivery);
            self.call_if_there::<(u32, u32, u32, u32, u32), ()>(
                "proxy_on_http_call_response",
                arguments,
            );
            self.store.data_mut().delivery = None;
        }
    }

    /// Calls an export; `None` where the module has none of this name.
    fn call_if_there<P, R>(&mut self, name: &str, arguments: P) -> Option<R>
    where
        P: WasmParams + First,
        R: WasmResults,
    {
        let function = self.instance.get_func(&mut self.store, name)?;
        let function: TypedFunc<P, R> = function
            .typed(&self.store)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        self.store.data_mut().effective = arguments.first();
        let result = function.call(&mut self.store, arguments);
        let log = |host: &Self| format!("{:?}", host.store.data().log.last());
        Some(result.unwrap_or_else(|error| {
            panic!(
                "the module trapped in {name}: {error:#}; it last said {}",
                log(self)
            )
        }))
    }
}

/// The context that a callback is for: its first argument.
trait First {
    fn first(&self) -> u32;
}

impl First for () {
    fn first(&self) -> u32 {
        ROOT
    }
}

impl First for u32 {
    fn first(&self) -> u32 {
        *self
    }
}

impl First for (u32, u32) {
    fn first(&self) -> u32 {
        self.0
    }
}

impl First for (u32, u32, u32) {
    fn first(&self) -> u32 {
        self.0
    }
}

impl First for (u32, u32, u32, u32, u32) {
    fn first(&self) -> u32 {
        self.0
    }
}

/// The root context.
const ROOT: u32 = 1;

/// `Action::Pause`.
const PAUSE: u32 = 1;

/// Ticks that a held request is given.
const MAX_TURNS: usize = 3;
