//! Metrics: named once, bounded in number, and never by a caller's word.
//!
//! A request costs no host call. Counts are kept here and handed over with the worker's tick, so
//! the host's statistics are behind by a second at most.

mod credentials;
mod tokens;

use crate::authorize::verified::{Counts, Fresh};
use crate::authorize::{Decision, Verdict};
use crate::denial::Kind;
use crate::key_store::IssuerIndex;
use crate::time::UnixTime;

use super::host::{Host, MetricId, MetricKind};

use credentials::Credentials;
use tokens::Tokens;

/// One worker's counts.
pub(super) struct Metrics {
    counters: Vec<Counter>,
    credentials: Credentials,
    keys: Vec<KeyMetrics>,
    tokens: Vec<Tokens>,
    /// What was handed over of the verified tokens' own counts.
    told: Counts,
}

/// What happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Event {
    /// A request was let through.
    Allowed,
    /// Entries of verified tokens made room for others.
    CacheEviction,
    /// Tokens were known.
    CacheHit,
    /// Tokens were not.
    CacheMiss,
    /// A request was refused.
    Denied(Kind),
    /// The protected resource was described.
    Described,
    /// A decision left no record.
    RecordDropped,
    /// A request would have been refused, and was let through.
    Shadowed,
    /// A request was held.
    Waited,
}

struct Counter {
    id: MetricId,
    count: u64,
}

struct KeyMetrics {
    fetches: Counter,
    failures: Counter,
    shared: Counter,
    unshared: Counter,
    /// A gauge, and so the same for all workers: the newest fetch among them.
    fetched_at: MetricId,
}

impl Metrics {
    /// Names the counters. The host gives each worker the same ones.
    pub(super) fn new(issuers: usize, host: &dyn Host) -> Self {
        let of_issuer = |index| {
            let name = |what| format!("oam_filter.keys.{index}.{what}");
            let counter = |what| Counter::new(&name(what), host);
            KeyMetrics {
                fetches: counter("fetches"),
                failures: counter("failures"),
                shared: counter("shared"),
                unshared: counter("unshared"),
                fetched_at: host.define_metric(MetricKind::Gauge, &name("fetched_at")),
            }
        };
        Self {
            counters: NAMES.iter().map(|name| Counter::new(name, host)).collect(),
            credentials: Credentials::new(host),
            keys: (0..issuers).map(of_issuer).collect(),
            tokens: (0..issuers).map(|index| Tokens::of(index, host)).collect(),
            told: Counts::default(),
        }
    }

    /// Counts a decision.
    pub(super) fn decided(&mut self, decision: &Decision<'_>) {
        self.credentials.decided(decision);
        self.count(match &decision.verdict {
            Verdict::Allow(_) => Event::Allowed,
            Verdict::Return(token) if token.shadowed().is_none() => Event::Allowed,
            Verdict::Deny(denial) => Event::Denied(denial.kind()),
            Verdict::Describe(_) => Event::Described,
            Verdict::Return(_) | Verdict::Shadow(..) => Event::Shadowed,
        });
    }

    /// Counts something that happened once.
    pub(super) fn count(&mut self, event: Event) {
        self.add(event, 1);
    }

    /// Counts a fetch that brought keys.
    pub(super) fn fetched(&mut self, issuer: IssuerIndex, host: &dyn Host, now: UnixTime) {
        if let Some(keys) = self.keys.get_mut(issuer.0) {
            keys.fetches.add(1);
            host.record_metric(keys.fetched_at, now.seconds());
        }
    }

    /// Counts a fetch that brought nothing.
    pub(super) fn failed(&mut self, issuer: IssuerIndex) {
        if let Some(keys) = self.keys.get_mut(issuer.0) {
            keys.failures.add(1);
        }
    }

    /// Counts keys that another worker fetched.
    pub(super) fn took(&mut self, issuer: IssuerIndex) {
        if let Some(keys) = self.keys.get_mut(issuer.0) {
            keys.shared.add(1);
        }
    }

    /// Counts a worker that has to fetch for itself.
    pub(super) fn unshared(&mut self, issuer: IssuerIndex) {
        if let Some(keys) = self.keys.get_mut(issuer.0) {
            keys.unshared.add(1);
        }
    }

    /// Hands over what was counted since, what the verified tokens counted, and what those are like
    /// that were verified.
    pub(super) fn flush(&mut self, now: Counts, fresh: &[Fresh], host: &dyn Host) {
        for token in fresh {
            if let Some(tokens) = self.tokens.get_mut(token.issuer.0) {
                tokens.verified(token, host);
            }
        }
        let told = std::mem::replace(&mut self.told, now);
        self.add(Event::CacheHit, now.hits.saturating_sub(told.hits));
        self.add(Event::CacheMiss, now.misses.saturating_sub(told.misses));
        let evictions = now.evictions.saturating_sub(told.evictions);
        self.add(Event::CacheEviction, evictions);
        let of_keys = self.keys.iter_mut().flat_map(KeyMetrics::counters);
        let of_tokens = self.tokens.iter_mut().map(Tokens::counter);
        let counters = self.counters.iter_mut();
        let counters = counters.chain(self.credentials.counters());
        for counter in counters.chain(of_keys).chain(of_tokens) {
            counter.flush(host);
        }
    }

    fn add(&mut self, event: Event, count: u64) {
        if let Some(counter) = self.counters.get_mut(event.place()) {
            counter.add(count);
        }
    }
}

impl KeyMetrics {
    fn counters(&mut self) -> [&mut Counter; 4] {
        [
            &mut self.fetches,
            &mut self.failures,
            &mut self.shared,
            &mut self.unshared,
        ]
    }
}

impl Event {
    /// Its place in [`NAMES`].
    const fn place(self) -> usize {
        match self {
            Self::Allowed => 0,
            Self::Shadowed => 1,
            Self::Described => 2,
            Self::Denied(Kind::Forbidden) => 3,
            Self::Denied(Kind::InsufficientScope) => 4,
            Self::Denied(Kind::Internal) => 5,
            Self::Denied(Kind::InvalidRequest | Kind::RequestTimeout) => 6,
            Self::Denied(Kind::InvalidGrant | Kind::InvalidToken) => 7,
            Self::Denied(Kind::MissingCredentials) => 8,
            Self::Denied(Kind::Unavailable) => 9,
            Self::Waited => 10,
            Self::CacheHit => 11,
            Self::CacheMiss => 12,
            Self::CacheEviction => 13,
            Self::RecordDropped => 14,
        }
    }
}

impl Counter {
    fn new(name: &str, host: &dyn Host) -> Self {
        Self {
            id: host.define_metric(MetricKind::Counter, name),
            count: 0,
        }
    }

    const fn add(&mut self, count: u64) {
        self.count = self.count.saturating_add(count);
    }

    fn flush(&mut self, host: &dyn Host) {
        let count = std::mem::take(&mut self.count);
        if count > 0 {
            host.add_to_metric(self.id, count);
        }
    }
}

/// Dashboards rest on these names.
const NAMES: [&str; 15] = [
    "oam_filter.decisions.allowed",
    "oam_filter.decisions.shadowed",
    "oam_filter.decisions.described",
    "oam_filter.decisions.denied.forbidden",
    "oam_filter.decisions.denied.insufficient_scope",
    "oam_filter.decisions.denied.internal",
    "oam_filter.decisions.denied.invalid_request",
    "oam_filter.decisions.denied.invalid_token",
    "oam_filter.decisions.denied.missing_credentials",
    "oam_filter.decisions.denied.unavailable",
    "oam_filter.waits",
    "oam_filter.verified_tokens.hits",
    "oam_filter.verified_tokens.misses",
    "oam_filter.verified_tokens.evictions",
    "oam_filter.records.dropped",
];
