//! An issuer's keys: how old they are, and what came of fetching them.

use std::time::Duration;

use crate::gateway::host::{Host, MetricId, MetricKind};
use crate::time::UnixTime;

use super::counter::{Counter, gauge};
use super::name::{self, name};

/// One worker's counts.
pub(super) struct Keys {
    counters: [Counter; 4],
    /// A gauge, and so the same for all workers: the newest fetch among them. Absent where the
    /// configuration has the keys.
    fetched_at: Option<MetricId>,
}

/// What happens to an issuer's keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::gateway) enum KeyEvent {
    /// A fetch brought nothing.
    Failed,
    /// A fetch brought keys.
    Fetched,
    /// Another worker fetched them.
    Shared,
    /// This worker has to fetch for itself.
    Unshared,
}

impl Keys {
    /// Names the metrics of this issuer's keys, which serve for so long past their last
    /// fetch, where they are fetched.
    pub(super) fn of(issuer: &str, max_stale: Option<Duration>, host: &dyn Host) -> Self {
        let own = [("issuer", issuer)];
        let fetches = |outcome| name(&[own[0], ("outcome", outcome)], name::KEY_FETCHES);
        let names = [
            fetches("failure"),
            fetches("success"),
            name(&own, name::KEYS_SHARED),
            name(&own, name::KEYS_UNSHARED),
        ];
        if let Some(max_stale) = max_stale {
            gauge(&own, name::KEYS_MAX_STALE, max_stale.as_secs(), host);
        }
        Self {
            counters: names.map(|name| Counter::new(&name, host)),
            fetched_at: max_stale
                .map(|_| host.define_metric(MetricKind::Gauge, &name(&own, name::KEYS_FETCHED))),
        }
    }

    /// Counts what happened.
    pub(super) fn count(&mut self, event: KeyEvent) {
        let [failed, fetched, shared, unshared] = &mut self.counters;
        let counter = match event {
            KeyEvent::Failed => failed,
            KeyEvent::Fetched => fetched,
            KeyEvent::Shared => shared,
            KeyEvent::Unshared => unshared,
        };
        counter.add(1);
    }

    /// Says when they were fetched.
    pub(super) fn fetched_at(&self, host: &dyn Host, now: UnixTime) {
        if let Some(gauge) = self.fetched_at {
            host.record_metric(gauge, now.seconds());
        }
    }

    /// Every counter.
    pub(super) const fn counters(&mut self) -> &mut [Counter] {
        &mut self.counters
    }
}
