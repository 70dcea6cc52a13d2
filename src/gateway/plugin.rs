//! One plugin of a worker: what serves under its configuration, and the requests that are ready.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::audit::otlp::Exporter;
use crate::config::Configuration;
use crate::denial::Denial;
use crate::time::UnixTime;

use super::active::Active;
use super::held_forms::Ticket;
use super::host::{CalloutId, Host, PluginId, StreamId};
use super::pending::Pending;

/// A plugin.
pub(super) struct Plugin {
    pub(super) id: PluginId,
    /// Absent until a configuration was accepted; every request is refused then.
    pub(super) active: Option<Box<Active>>,
    /// The requests that wait no longer, in their order.
    pub(super) ready: VecDeque<Ready>,
}

/// A request that waits no longer.
pub(super) enum Ready {
    /// Its form has not come in time.
    Late(Ticket),
    /// It was in the queue.
    Waited(Box<Pending>),
}

impl Ready {
    /// Its names with the host and with the gateway.
    pub(super) const fn names(&self) -> (StreamId, u64) {
        match self {
            Self::Late(ticket) => (ticket.stream, ticket.number),
            Self::Waited(request) => (request.stream, request.number),
        }
    }
}

impl Plugin {
    pub(super) const fn new(id: PluginId) -> Self {
        Self {
            id,
            active: None,
            ready: VecDeque::new(),
        }
    }

    /// Goes on by another configuration, or by none. What waits is judged by that one; without one
    /// it is refused.
    pub(super) fn configure(&mut self, configuration: Option<Configuration>, host: &dyn Host) {
        let former = self.active.take();
        self.active = configuration.map(|configuration| Box::new(Active::new(configuration, host)));
        let Some(mut former) = former else {
            return;
        };
        self.adopt_list(Some(&former));
        former.flush_metrics(host);
        former.metrics.retire(host);
        if let Some(exporter) = former.records.exporter.take() {
            self.leave(exporter);
        }
        let held_forms = Rc::clone(&former.held_forms);
        match &mut self.active {
            Some(active) => active.held_forms = held_forms,
            None => self
                .ready
                .extend(held_forms.borrow().all().map(Ready::Late)),
        }
        let waiting = former.leave_waiting().into_iter();
        self.ready.extend(waiting.map(|request| {
            // It may wait for what the new configuration lacks.
            Ready::Waited(Box::new(Pending {
                deadline: None,
                ..request
            }))
        }));
    }

    /// Goes on with the last good list of revoked tokens that another configuration had.
    pub(super) fn adopt_list(&mut self, former: Option<&Active>) {
        let own = self.active.as_mut().and_then(|own| own.list.as_mut());
        if let (Some(own), Some(former)) = (own, former.and_then(|former| former.list.as_ref())) {
            own.adopt(former);
        }
    }

    /// Hands over what was counted, and yields the records that the collector has not got yet.
    pub(super) fn end(mut self, host: &dyn Host) -> Option<Exporter> {
        let active = self.active.as_mut()?;
        active.flush_metrics(host);
        active.metrics.retire(host);
        active.records.exporter.take()
    }

    /// Sends on the records of a configuration that went, where this one has a collector too.
    pub(super) fn leave(&mut self, former: Exporter) {
        let active = self.active.as_mut();
        match active.and_then(|active| active.records.exporter.as_mut()) {
            Some(exporter) => exporter.adopt(former),
            None => former.give_up(),
        }
    }

    /// Whether it sends its records where another one did.
    pub(super) fn sends_where(&self, former: &Exporter) -> bool {
        let exporter = self.active.as_ref();
        let exporter = exporter.and_then(|active| active.records.exporter.as_ref());
        exporter.is_some_and(|exporter| exporter.collector() == former.collector())
    }

    pub(super) fn on_tick(&mut self, host: &dyn Host) {
        let now = host.now();
        let Some(active) = &mut self.active else {
            return;
        };
        active.records.look(host);
        if let Some(now) = now {
            active.send_due(host, now);
            let late = active.held_forms.borrow().late(now);
            let late = late.into_iter().take(MAX_ENDED);
            self.ready.extend(late.map(Ready::Late));
        }
        self.release(now);
    }

    pub(super) fn on_answer(&mut self, callout: CalloutId, is_answered: bool, host: &dyn Host) {
        let now = host.now();
        let Some(active) = &mut self.active else {
            return;
        };
        if let Some(now) = now {
            active.take_answer(callout, is_answered, host, now);
            // Discovery's second step, and whatever the answer made due.
            active.send_due(host, now);
        }
        self.release(now);
    }

    fn release(&mut self, now: Option<UnixTime>) {
        if let Some(active) = &mut self.active {
            let released = active.take_ready(now).into_iter();
            self.ready.extend(released.map(Box::new).map(Ready::Waited));
        }
    }

    /// Turns back to the plugin, and requests the next tick.
    pub(super) fn rest(&mut self, host: &dyn Host) {
        host.leave();
        if let Some(active) = &mut self.active {
            active.flush_metrics(host);
            active.metrics.serves(host);
            active.tick_as_needed(host, host.now());
        }
    }
}

impl Active {
    /// Records a request whose client left while it waited.
    pub(super) fn abandon(&mut self, number: u64, host: &dyn Host, now: Option<UnixTime>) {
        let Some(request) = self.waiting.take(|request| request.number == number) else {
            return;
        };
        let configuration = Rc::clone(&self.configuration);
        let mut decision = configuration.authorizer.unjudged(Denial::Abandoned);
        let decision_id = request
            .decision_id
            .unwrap_or_else(|| self.decision_ids.next());
        self.record(&mut decision, &request, decision_id, host, now);
    }
}

/// Requests ended at once for want of a form; the rest follow with the next ticks, as those that
/// leave the queue do.
const MAX_ENDED: usize = 32;
