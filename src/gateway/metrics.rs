//! Metrics: named once, bounded in number, and never by a caller's word.
//!
//! A request costs no host call. Counts are kept here and handed over with the worker's tick, so
//! the host's statistics are behind by a second at most.

mod counter;
mod credentials;
mod decisions;
mod event;
mod keys;
pub(super) mod name;
mod tokens;

use std::time::Duration;

use crate::audit::otlp::Tally;
use crate::authorize::Decision;
use crate::authorize::verified::{Counts, Fresh};
use crate::config::Configuration;
use crate::issuer::IssuerIndex;
use crate::key_store::KeyStore;
use crate::time::UnixTime;

use super::host::{Host, MetricId, MetricKind};
use super::waiting::Awaited;

pub(super) use event::Event;
pub(super) use keys::KeyEvent;

use counter::{Counter, gauge};
use credentials::CredentialCounts;
use decisions::Decisions;
use event::NAMES;
use keys::Keys;
use name::name;
use tokens::Tokens;

/// One worker's counts.
pub(super) struct Metrics {
    counters: Vec<Counter>,
    credentials: CredentialCounts,
    decisions: Decisions,
    keys: Vec<Keys>,
    /// Absent where no list of revoked tokens is polled.
    list: Option<ListGauges>,
    tokens: Vec<Tokens>,
    /// What was handed over of the verified tokens' own counts.
    reported: Counts,
    /// 1 while the configuration serves.
    info: MetricId,
}

struct ListGauges {
    fetched_at: MetricId,
    entries: MetricId,
}

impl Metrics {
    /// Names the metrics. The host gives each worker the same ones.
    pub(super) fn new(configuration: &Configuration, keys: &KeyStore, host: &dyn Host) -> Self {
        let authorizer = &configuration.authorizer;
        let issuers = authorizer.issuers.iter().map(|issuer| &*issuer.identifier);
        let keys_of = |(index, issuer)| Keys::of(issuer, keys.max_stale(IssuerIndex(index)), host);
        let list = configuration.withdrawal_list.as_ref();
        let served = [
            ("config", &*configuration.digest),
            ("version", env!("CARGO_PKG_VERSION")),
        ];
        Self {
            counters: (NAMES.iter())
                .map(|(metric, label)| Counter::new(&name(label.as_slice(), metric), host))
                .collect(),
            credentials: CredentialCounts::new(&authorizer.treatments, host),
            decisions: Decisions::default(),
            keys: issuers.clone().enumerate().map(keys_of).collect(),
            list: list.map(|list| ListGauges::new(list.max_stale, host)),
            tokens: issuers.map(|issuer| Tokens::of(issuer, host)).collect(),
            reported: Counts::default(),
            info: gauge(&served, name::INFO, 1, host),
        }
    }

    /// Counts a decision.
    pub(super) fn decided(&mut self, decision: &Decision<'_>) {
        self.credentials.decided(decision);
        self.decisions.decided(decision);
    }

    /// Counts something that happened once.
    pub(super) fn count(&mut self, event: Event) {
        self.add(event, 1);
    }

    /// Counts what happened to an issuer's keys.
    pub(super) fn count_keys(&mut self, event: KeyEvent, issuer: IssuerIndex) {
        if let Some(keys) = self.keys.get_mut(issuer.0) {
            keys.count(event);
        }
    }

    /// Counts a fetch that brought keys.
    pub(super) fn fetched(&mut self, issuer: IssuerIndex, host: &dyn Host, now: UnixTime) {
        self.count_keys(KeyEvent::Fetched, issuer);
        if let Some(keys) = self.keys.get(issuer.0) {
            keys.fetched_at(host, now);
        }
    }

    /// Counts a poll that brought the newest list, with so many entries where it is another one.
    pub(super) fn polled(&mut self, entries: Option<usize>, host: &dyn Host, now: UnixTime) {
        self.count(match entries {
            Some(_) => Event::ListNew,
            None => Event::ListUnchanged,
        });
        if let Some(list) = &self.list {
            host.record_metric(list.fetched_at, now.seconds());
            if let Some(entries) = entries {
                let entries = u64::try_from(entries).unwrap_or(u64::MAX);
                host.record_metric(list.entries, entries);
            }
        }
    }

    /// Counts a request that was held for so long.
    pub(super) fn waited(&mut self, awaited: Awaited, time: Duration) {
        let (count, sum) = match awaited {
            Awaited::Exchange(_) => (Event::WaitedForExchange, Event::MillisForExchange),
            Awaited::Keys(_) => (Event::WaitedForKeys, Event::MillisForKeys),
        };
        self.count(count);
        self.add(sum, u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }

    /// Counts what became of the collector's records.
    pub(super) fn exported(&mut self, records: Tally) {
        self.add(Event::RecordArrived, records.arrived);
        self.add(Event::RecordQueueFull, records.dropped);
        self.add(Event::RecordRejected, records.rejected);
    }

    /// Hands over what was counted since, what the verified tokens counted, and what those are like
    /// that were verified.
    pub(super) fn flush(&mut self, now: Counts, fresh: &[Fresh], host: &dyn Host) {
        for token in fresh {
            if let Some(tokens) = self.tokens.get_mut(token.issuer.0) {
                tokens.verified(token, host);
            }
        }
        let reported = std::mem::replace(&mut self.reported, now);
        self.add(Event::CacheHit, now.hits.saturating_sub(reported.hits));
        self.add(Event::CacheMiss, now.misses.saturating_sub(reported.misses));
        let evictions = now.evictions.saturating_sub(reported.evictions);
        self.add(Event::CacheEviction, evictions);
        self.decisions.flush(host);
        let of_keys = self.keys.iter_mut().flat_map(Keys::counters);
        let of_tokens = self.tokens.iter_mut().map(Tokens::counter);
        let counters = self.counters.iter_mut();
        let counters = counters.chain(self.credentials.counters());
        for counter in counters.chain(of_keys).chain(of_tokens) {
            counter.flush(host);
        }
    }

    /// Says that the configuration serves. Again and again, because a plugin that ends under the
    /// same configuration says the opposite.
    pub(super) fn serves(&self, host: &dyn Host) {
        host.record_metric(self.info, 1);
    }

    /// Says that the configuration serves no longer.
    pub(super) fn retire(&self, host: &dyn Host) {
        host.record_metric(self.info, 0);
    }

    fn add(&mut self, event: Event, count: u64) {
        if let Some(counter) = self.counters.get_mut(event.place()) {
            counter.add(count);
        }
    }
}

impl ListGauges {
    fn new(max_stale: Duration, host: &dyn Host) -> Self {
        gauge(&[], name::LIST_MAX_STALE, max_stale.as_secs(), host);
        Self {
            fetched_at: host.define_metric(MetricKind::Gauge, &name(&[], name::LIST_FETCHED)),
            entries: host.define_metric(MetricKind::Gauge, &name(&[], name::LIST_ENTRIES)),
        }
    }
}
