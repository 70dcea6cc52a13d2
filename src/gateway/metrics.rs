//! What the gateway's statistics tell of the filter: counters, named once, bounded in number, and never a caller's word.
//!
//! A request costs no host call. Counts are kept here and handed over with the worker's tick, so the statistics are behind by a second at
//! most.

mod credentials;
mod tokens;

use std::cell::Cell;

use crate::authorize::verified::{Counts, Fresh};
use crate::authorize::{Decision, Verdict};
use crate::denial::Kind;
use crate::key_store::IssuerIndex;
use crate::time::UnixTime;

use super::host;

use credentials::Credentials;
use tokens::Tokens;

/// One worker's counts.
pub(super) struct Metrics {
    counters: Vec<Counter>,
    credentials: Credentials,
    keys: Vec<KeyMetrics>,
    tokens: Vec<Tokens>,
    /// What was handed over of the verified tokens' own counts.
    told: Cell<Counts>,
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
    id: u32,
    count: Cell<u64>,
}

struct KeyMetrics {
    fetches: Counter,
    failures: Counter,
    shared: Counter,
    unshared: Counter,
    /// A gauge, and so the same for all workers: the newest fetch among them.
    fetched_at: u32,
}

impl Metrics {
    /// Names the counters. The host gives each worker the same ones.
    pub(super) fn new(issuers: usize) -> Self {
        let of_issuer = |index| {
            let name = |what| format!("oam_filter.keys.{index}.{what}");
            let counter = |what| Counter::new(&name(what));
            KeyMetrics {
                fetches: counter("fetches"),
                failures: counter("failures"),
                shared: counter("shared"),
                unshared: counter("unshared"),
                fetched_at: host::define_gauge(&name("fetched_at")),
            }
        };
        Self {
            counters: NAMES.iter().map(|name| Counter::new(name)).collect(),
            credentials: Credentials::new(),
            keys: (0..issuers).map(of_issuer).collect(),
            tokens: (0..issuers).map(Tokens::of).collect(),
            told: Cell::new(Counts::default()),
        }
    }

    /// Counts a decision.
    pub(super) fn decided(&self, decision: &Decision<'_>) {
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
    pub(super) fn count(&self, event: Event) {
        self.add(event, 1);
    }

    /// Counts a fetch that brought keys.
    pub(super) fn fetched(&self, issuer: IssuerIndex, now: UnixTime) {
        if let Some(keys) = self.keys.get(issuer.0) {
            keys.fetches.add(1);
            host::record_metric(keys.fetched_at, now.seconds());
        }
    }

    /// Counts a fetch that brought nothing.
    pub(super) fn failed(&self, issuer: IssuerIndex) {
        if let Some(keys) = self.keys.get(issuer.0) {
            keys.failures.add(1);
        }
    }

    /// Counts keys that another worker fetched.
    pub(super) fn took(&self, issuer: IssuerIndex) {
        if let Some(keys) = self.keys.get(issuer.0) {
            keys.shared.add(1);
        }
    }

    /// Counts a worker that has to fetch for itself.
    pub(super) fn unshared(&self, issuer: IssuerIndex) {
        if let Some(keys) = self.keys.get(issuer.0) {
            keys.unshared.add(1);
        }
    }

    /// Hands over what was counted since, what the verified tokens counted, and what those are like that were verified.
    pub(super) fn flush(&self, now: Counts, fresh: &[Fresh]) {
        for token in fresh {
            if let Some(tokens) = self.tokens.get(token.issuer.0) {
                tokens.verified(token);
            }
        }
        let told = self.told.replace(now);
        self.add(Event::CacheHit, now.hits.saturating_sub(told.hits));
        self.add(Event::CacheMiss, now.misses.saturating_sub(told.misses));
        let evictions = now.evictions.saturating_sub(told.evictions);
        self.add(Event::CacheEviction, evictions);
        let of_keys = self
            .keys
            .iter()
            .flat_map(|keys| [&keys.fetches, &keys.failures, &keys.shared, &keys.unshared]);
        let of_tokens = self.tokens.iter().map(Tokens::counter);
        let counters = self.counters.iter().chain(self.credentials.counters());
        for counter in counters.chain(of_keys).chain(of_tokens) {
            counter.flush();
        }
    }

    fn add(&self, event: Event, count: u64) {
        if let Some(counter) = self.counters.get(event.place()) {
            counter.add(count);
        }
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
    fn new(name: &str) -> Self {
        Self {
            id: host::define_counter(name),
            count: Cell::new(0),
        }
    }

    fn add(&self, count: u64) {
        self.count.set(self.count.get().saturating_add(count));
    }

    fn flush(&self) {
        let count = self.count.take();
        if count > 0 {
            host::increment_metric(self.id, count);
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
