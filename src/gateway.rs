//! What turns decisions into traffic, as a state machine without I/O.
//!
//! A [`Gateway`] is one worker's: it takes what the host reports of requests, callouts and time,
//! writes at most one record for an event through its [`Host`], and yields the next [`Step`]. It
//! waits for keys, exchanges tokens, holds forms, judges again what waited, and keeps counts.
//! Nothing in it names proxy-wasm, threads or a clock, so `oam`, the corpus and the simulation go
//! through the same door as the module.

mod act;
mod active;
#[cfg(feature = "cli")]
pub mod border;
mod callouts;
mod decision_id;
mod engine;
mod exchange;
mod forms;
mod head;
mod held_forms;
pub mod host;
#[cfg(not(target_arch = "wasm32"))]
pub mod local_host;
mod metrics;
mod pending;
mod plugin;
mod records;
mod release;
mod sharing;
mod step;
mod stream;
mod token_form;
mod waiting;

use hashbrown::HashMap;

use crate::config::Configuration;
use crate::request::form::{FormError, MAX_BYTES};
use crate::request::{self, Headers};

use host::{CalloutId, Host, PluginId, StreamId};
use pending::Pending;
use plugin::{Plugin, Ready};
use stream::{Quoted, Stage, Stream};

pub use head::Head;
pub use step::Step;

/// One worker's gateway: its plugins, of which there is nearly always one, and the requests on
/// their way.
#[derive(Default)]
pub struct Gateway {
    plugins: Vec<Plugin>,
    streams: HashMap<StreamId, Stream>,
    /// The number that the last request got.
    numbers: u64,
}

impl Gateway {
    /// Begins a plugin. Until it is configured it refuses every request.
    pub fn begin_plugin(&mut self, plugin: PluginId) {
        self.plugins.retain(|known| known.id != plugin);
        self.plugins.push(Plugin::new(plugin));
    }

    /// Gives a plugin its configuration, or none where that was refused. The one before does not
    /// hold any more; what waited under it is judged by the new one, or refused: ask
    /// [`next_ready`](Self::next_ready) for it.
    ///
    /// No callout is sent before the first tick. A host may configure a worker that it throws away,
    /// and nobody would take the answers there.
    pub fn configure(
        &mut self,
        plugin: PluginId,
        configuration: Option<Configuration>,
        host: &dyn Host,
    ) {
        let place = self.plugins.iter().position(|known| known.id == plugin);
        let mut configured = match place {
            Some(place) => self.plugins.remove(place),
            None => Plugin::new(plugin),
        };
        configured.configure(configuration, host);
        // A host that replaces a configuration begins the new plugin beside the old ones, of which
        // the last has the newest list.
        for other in self.plugins.iter().rev() {
            configured.adopt_list(other.active.as_deref());
        }
        self.plugins.push(configured);
    }

    /// Ends a plugin, and hands over what it counted.
    pub fn end_plugin(&mut self, plugin: PluginId, host: &dyn Host) {
        if let Some(place) = self.plugins.iter().position(|known| known.id == plugin) {
            let exporter = self.plugins.remove(place).end(host);
            let Some(exporter) = exporter else {
                return;
            };
            // A host that replaces a configuration begins the new plugin before it ends the old.
            // Another filter's collector is none of ours.
            let mut others = self.plugins.iter_mut().rev();
            match others.find(|other| other.sends_where(&exporter)) {
                Some(heir) => heir.leave(exporter),
                None => exporter.give_up(),
            }
        }
    }

    /// Begins a request of a plugin. One of an unknown plugin is refused as if it were not
    /// configured.
    pub fn begin(&mut self, stream: StreamId, plugin: PluginId, host: &dyn Host) {
        // No host has two of one number. If one did, the later one's decision has to be its own.
        if let Some(former) = self.streams.insert(stream, Stream::new(plugin)) {
            self.finish(stream, former, host);
        }
    }

    /// Takes the headers of a request.
    pub fn on_head(&mut self, stream: StreamId, head: Head, host: &dyn Host) -> Step {
        let Some(found) = self.streams.get(&stream) else {
            return Step::Hold;
        };
        let plugin = found.plugin;
        if !matches!(found.stage, Stage::New) {
            // No host shows a request's headers twice. If one did, the first decision is not
            // theirs.
            self.begin(stream, plugin, host);
        }
        self.numbers = self.numbers.wrapping_add(1);
        let number = self.numbers;
        let active = self
            .plugin(plugin)
            .and_then(|plugin| plugin.active.as_mut());
        let Some(active) = active else {
            self.settle(stream, Stage::Answered);
            return Step::unconfigured();
        };
        let quoted = head.has_body.then(|| {
            Box::new(Quoted {
                headers: head.headers.quoted(),
                source_ip: head.source_ip.clone(),
            })
        });
        let request = Pending {
            stream,
            number,
            headers: head.headers,
            source_ip: head.source_ip,
            deadline: None,
            decision_id: None,
            form: None,
        };
        let (stage, step) = active.judge(request, head.has_body, host, host.now());
        if let Some(found) = self.streams.get_mut(&stream) {
            found.stage = stage;
            found.quoted = quoted;
        }
        step
    }

    /// Takes more of a request's body, `size` being what the host holds of it; `is_whole` where no
    /// more follows.
    pub fn on_body(
        &mut self,
        stream: StreamId,
        size: usize,
        is_whole: bool,
        host: &dyn Host,
    ) -> Step {
        let Some(found) = self.streams.get_mut(&stream) else {
            return Step::Hold;
        };
        let plugin = found.plugin;
        // Nearly always: nothing of a body bears on the decision, but of a token request's.
        let Stage::AwaitsForm(form) = &mut found.stage else {
            return found.body_step();
        };
        form.came = form.came.max(size);
        let number = form.number;
        let held = match self
            .plugin(plugin)
            .and_then(|plugin| plugin.active.as_ref())
        {
            Some(active) => active.held_forms.borrow_mut().grow(number, size),
            None => Err(FormError::Incomplete),
        };
        if held.is_ok() && size <= MAX_BYTES && !is_whole {
            return Step::Hold;
        }
        self.judge_form(stream, held, host)
    }

    /// Takes the trailers of a request; `None` where the host cannot show them.
    pub fn on_trailers(
        &mut self,
        stream: StreamId,
        trailers: Option<&Headers>,
        host: &dyn Host,
    ) -> Step {
        let Some(found) = self.streams.get(&stream) else {
            return Step::Hold;
        };
        let error = match trailers.map(request::read_trailers) {
            Some(Ok(names)) if names.is_empty() || host.remove_trailers(&names) => {
                return match found.stage {
                    Stage::AwaitsForm(_) => self.judge_form(stream, Ok(()), host),
                    Stage::Permitted(_) => Step::Forward,
                    Stage::Answered | Stage::New | Stage::Waits(_) => Step::Hold,
                };
            }
            Some(Err(error)) => Some(error),
            Some(Ok(_)) | None => None,
        };
        self.refuse_trailers(stream, error, host)
    }

    fn refuse_trailers(
        &mut self,
        stream: StreamId,
        error: Option<request::RequestError>,
        host: &dyn Host,
    ) -> Step {
        let Some(found) = self.streams.get_mut(&stream) else {
            return Step::Hold;
        };
        let plugin = found.plugin;
        let quoted = found.quoted.take();
        let stage = std::mem::replace(&mut found.stage, Stage::Answered);
        self.numbers = self.numbers.wrapping_add(1);
        let number = self.numbers;
        let Some(active) = self
            .plugin(plugin)
            .and_then(|plugin| plugin.active.as_mut())
        else {
            return Step::unconfigured();
        };
        let (recorded, request) = match stage {
            Stage::Answered => return Step::Hold,
            // It has no record yet, and needs no other than this.
            Stage::AwaitsForm(form) => (None, form.with_form(stream, None)),
            Stage::New => (None, Pending::quoted(stream, number, quoted)),
            Stage::Permitted(decision_id) => {
                (Some(decision_id), Pending::quoted(stream, number, quoted))
            }
            Stage::Waits(number) => match active.waiting.take(|request| request.number == number) {
                Some(request) => (request.decision_id, request),
                None => (None, Pending::quoted(stream, number, quoted)),
            },
        };
        let (stage, step) = active.refuse_trailers(&request, recorded, error, host, host.now());
        self.settle(stream, stage);
        step
    }

    /// Takes the end of a request, which may come at any time. What it still waited for is given
    /// up, and leaves a record.
    pub fn end(&mut self, stream: StreamId, host: &dyn Host) {
        if let Some(found) = self.streams.remove(&stream) {
            self.finish(stream, found, host);
        }
    }

    fn finish(&mut self, stream: StreamId, found: Stream, host: &dyn Host) {
        let plugin = self.plugin(found.plugin);
        let Some(active) = plugin.and_then(|plugin| plugin.active.as_mut()) else {
            return;
        };
        match found.stage {
            Stage::AwaitsForm(form) => {
                let request = form.with_form(stream, Some(Err(FormError::Incomplete)));
                active.judge_form(request, host, host.now());
            }
            Stage::Waits(number) => active.abandon(number, host, host.now()),
            Stage::Answered | Stage::New | Stage::Permitted(_) => {}
        }
    }

    /// Does what has become due, and finds out which requests have waited long enough: ask
    /// [`next_ready`](Self::next_ready) for them.
    pub fn on_tick(&mut self, plugin: PluginId, host: &dyn Host) {
        if let Some(plugin) = self.plugin(plugin) {
            plugin.on_tick(host);
        }
    }

    /// Takes what came of a callout; `is_answered` where the host has an answer to show. Ask
    /// [`next_ready`](Self::next_ready) afterwards.
    pub fn on_answer(
        &mut self,
        plugin: PluginId,
        callout: CalloutId,
        is_answered: bool,
        host: &dyn Host,
    ) {
        if let Some(plugin) = self.plugin(plugin) {
            plugin.on_answer(callout, is_answered, host);
        }
    }

    /// The next request that was held and is held no longer, with its step; `None` when the rest
    /// goes on waiting. Ask until then: it turns the host back to the plugin and sets its ticks.
    pub fn next_ready(&mut self, plugin: PluginId, host: &dyn Host) -> Option<(StreamId, Step)> {
        loop {
            let Some(ready) = self.plugin(plugin)?.ready.pop_front() else {
                self.plugin(plugin)?.rest(host);
                return None;
            };
            if let Some((stream, step)) = self.proceed(plugin, ready, host)
                && step != Step::Hold
            {
                return Some((stream, step));
            }
        }
    }

    /// Judges a request that was held; `None` where it is gone.
    fn proceed(
        &mut self,
        plugin: PluginId,
        ready: Ready,
        host: &dyn Host,
    ) -> Option<(StreamId, Step)> {
        let (stream, number) = ready.names();
        // The client may be gone, and a later request have its stream's number.
        let is_there = match (&ready, &self.streams.get(&stream)?.stage) {
            (Ready::Late(_), Stage::AwaitsForm(form)) => form.number == number,
            // One that is whole and waits for keys has another deadline.
            (Ready::Waited(_), Stage::Waits(waits)) => *waits == number,
            (Ready::Late(_) | Ready::Waited(_), _) => false,
        };
        if !is_there || !host.enter(stream) {
            return None;
        }
        let step = match ready {
            Ready::Late(_) => self.judge_form(stream, Err(FormError::Late), host),
            Ready::Waited(request) => {
                let Some(active) = self.plugin(plugin)?.active.as_mut() else {
                    self.settle(stream, Stage::Answered);
                    return Some((stream, Step::unconfigured()));
                };
                let (stage, step) = if request.form.is_some() {
                    active.judge_form(*request, host, host.now())
                } else {
                    active.judge_headers(*request, host, host.now())
                };
                self.settle(stream, stage);
                step
            }
        };
        Some((stream, step))
    }

    /// Judges the form of a token request: what the host holds of it, or why that is not all.
    fn judge_form(
        &mut self,
        stream: StreamId,
        came: Result<(), FormError>,
        host: &dyn Host,
    ) -> Step {
        let Some(found) = self.streams.get_mut(&stream) else {
            return Step::Hold;
        };
        let plugin = found.plugin;
        let stage = std::mem::replace(&mut found.stage, Stage::Answered);
        let Stage::AwaitsForm(form) = stage else {
            found.stage = stage;
            return Step::Hold;
        };
        let body = came.and_then(|()| {
            // One byte more shows that a form is too long.
            let most = MAX_BYTES.saturating_add(1);
            let body = host.request_body(most);
            // A host that hands over less than has come must not have the rest pass unread.
            let is_all = body.len() >= form.came.min(most);
            is_all.then_some(body).ok_or(FormError::Malformed)
        });
        let Some(active) = self
            .plugin(plugin)
            .and_then(|plugin| plugin.active.as_mut())
        else {
            return Step::unconfigured();
        };
        let (stage, step) = active.judge_form(form.with_form(stream, Some(body)), host, host.now());
        self.settle(stream, stage);
        step
    }

    fn settle(&mut self, stream: StreamId, stage: Stage) {
        if let Some(found) = self.streams.get_mut(&stream) {
            found.stage = stage;
        }
    }

    fn plugin(&mut self, id: PluginId) -> Option<&mut Plugin> {
        self.plugins.iter_mut().find(|plugin| plugin.id == id)
    }
}
