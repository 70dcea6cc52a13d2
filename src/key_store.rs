//! The keys of every issuer, and when to fetch them again.
//!
//! A state machine without I/O: [`KeyStore::due`] says what to fetch, [`KeyStore::on_answer`] and
//! [`KeyStore::on_failure`] take what came of it. Issuers do not know of one another: one that is
//! down, slow or lying costs the others nothing.
//!
//! The rules are those whose absence fills other projects' issue trackers: keys are fetched again
//! before they expire; a failed refresh keeps the last known good keys, and is tried again later
//! and later, with jitter; a key ID that nobody knows causes one early refresh per cool-down; a
//! document with one odd key loses that key only.

pub mod fetch;
mod freshness;
mod issuer_keys;
mod metadata;
mod refresher;
mod slot;
pub mod source;

use std::time::Duration;

use crate::callout::retry::Jitter;
use crate::issuer::IssuerIndex;
use crate::time::UnixTime;
use crate::time::clock::Clock;
use crate::token::jwk_set::JwkSet;

use fetch::{Fetch, FetchFailure, Fetched, KeyAnswer};
use issuer_keys::IssuerKeys;
use refresher::{Refresher, Tried};
use source::KeySource;

pub use slot::Consulted;

/// Keys for every configured issuer.
pub struct KeyStore {
    issuers: Vec<IssuerKeys>,
    jitter: Jitter,
    clock: Clock,
}

impl KeyStore {
    /// A store that has fetched nothing yet. `seed` sets the workers' clocks apart: any number that
    /// differs between them.
    pub fn new(sources: Vec<KeySource>, seed: u64) -> Self {
        Self {
            issuers: sources.into_iter().map(IssuerKeys::new).collect(),
            jitter: Jitter(seed),
            clock: Clock::new(),
        }
    }

    /// The keys that an issuer's tokens may be verified with at `now`; `None` when there never were
    /// any, or they are too old to trust.
    pub fn keys(&self, issuer: IssuerIndex, now: UnixTime) -> Option<&JwkSet> {
        self.issuers.get(issuer.0)?.keys(self.clock.peek(now))
    }

    /// A number that changes when the issuer's keys do, and only then: a fetch that brings the same
    /// keys leaves it.
    pub fn generation(&self, issuer: IssuerIndex) -> u64 {
        self.refresher(issuer).map_or(0, Refresher::generation)
    }

    /// Something to fetch at `now`, marked as under way; call again until `None`.
    pub fn due(&mut self, now: UnixTime) -> Option<Fetch> {
        let now = self.clock.read(now);
        self.issuers
            .iter_mut()
            .enumerate()
            .find_map(|(index, source)| source.refresher_mut()?.due(IssuerIndex(index), now))
    }

    /// Takes the answer to a fetch. `Err` says why it was of no use; the keys held before are kept
    /// then.
    pub fn on_answer(
        &mut self,
        fetch: &Fetch,
        answer: &KeyAnswer<'_>,
        now: UnixTime,
    ) -> Result<Fetched, FetchFailure> {
        let now = self.clock.read(now);
        match self.issuers.get_mut(fetch.issuer.0) {
            Some(IssuerKeys::Remote(refresher)) => {
                refresher.on_answer(fetch, answer, now, &mut self.jitter)
            }
            Some(IssuerKeys::Inline(_)) | None => Err(FetchFailure::GivenUp),
        }
    }

    /// Takes the failure of a fetch that had no answer.
    pub fn on_failure(&mut self, fetch: &Fetch, now: UnixTime) {
        self.fail(fetch, Tried::Sent, now);
    }

    /// Takes the failure of a fetch that could not be sent.
    pub fn on_unsent(&mut self, fetch: &Fetch, now: UnixTime) {
        self.fail(fetch, Tried::Unsent, now);
    }

    fn fail(&mut self, fetch: &Fetch, tried: Tried, now: UnixTime) {
        let now = self.clock.read(now);
        if let Some(IssuerKeys::Remote(refresher)) = self.issuers.get_mut(fetch.issuer.0) {
            refresher.on_failure(fetch, tried, now, &mut self.jitter);
        }
    }

    /// Asks for an early refresh because of a key ID that the issuer's keys do not have.
    ///
    /// `true` when a fetch is under way or has become due, so that a request may wait for it;
    /// `false` during the cool-down, and where nothing is fetched.
    pub fn refresh_early(&mut self, issuer: IssuerIndex, now: UnixTime) -> bool {
        let now = self.clock.read(now);
        self.refresher_mut(issuer)
            .is_some_and(|refresher| refresher.refresh_early(now))
    }

    /// Whether the last fetch for the issuer brought nothing, so that it may have newer keys.
    pub fn is_failing(&self, issuer: IssuerIndex) -> bool {
        self.refresher(issuer).is_some_and(Refresher::is_failing)
    }

    /// Whether a fetch for the issuer is under way or due, so that a request may wait for its keys.
    pub fn expects(&self, issuer: IssuerIndex, now: UnixTime) -> bool {
        let now = self.clock.peek(now);
        self.refresher(issuer)
            .is_some_and(|refresher| refresher.expects(now))
    }

    /// How long the issuer's keys serve past their last fetch; `None` where nothing is fetched.
    pub fn max_stale(&self, issuer: IssuerIndex) -> Option<Duration> {
        self.refresher(issuer).map(Refresher::max_stale)
    }

    /// By when the next fetch for the issuer begins; `None` where nothing is fetched.
    pub fn expected_by(&self, issuer: IssuerIndex, now: UnixTime) -> Option<UnixTime> {
        let (refresher, reading) = (self.refresher(issuer)?, self.clock.peek(now));
        Some(if refresher.expects(reading) {
            now
        } else {
            now.after(refresher.next_due().left(reading))
        })
    }

    /// The moment at which the next fetch falls due, a fetch under way counts as lost, or the other
    /// workers may have news; `None` when nothing is ever fetched.
    pub fn next_due(&self) -> Option<UnixTime> {
        let now = self.clock.last();
        let refreshers = self.issuers.iter().filter_map(IssuerKeys::refresher);
        let next = refreshers.map(|refresher| refresher.next_step(now)).min()?;
        Some(now.wall.after(next))
    }

    /// From now on fetches only what no other worker of the process fetches; `worker` is a number
    /// that no other has.
    pub fn share(&mut self, worker: u64) {
        for refresher in self
            .issuers
            .iter_mut()
            .filter_map(IssuerKeys::refresher_mut)
        {
            refresher.share(worker);
        }
    }

    /// Whether the issuer's keys are shared with other workers.
    pub fn is_sharing(&self, issuer: IssuerIndex) -> bool {
        self.refresher(issuer).is_some_and(Refresher::is_sharing)
    }

    /// From now on fetches the issuer's keys alone.
    pub fn stop_sharing(&mut self, issuer: IssuerIndex) {
        if let Some(refresher) = self.refresher_mut(issuer) {
            refresher.stop_sharing();
        }
    }

    /// The name under which the workers share the issuer's keys, when it is time to
    /// [`consult`](Self::consult) what is there.
    pub fn slot(&self, issuer: IssuerIndex, now: UnixTime) -> Option<&str> {
        self.refresher(issuer)?.slot(self.clock.peek(now))
    }

    /// Takes what the workers share of the issuer's keys, and says what to write in its place: if
    /// nobody has meanwhile.
    pub fn consult(
        &mut self,
        issuer: IssuerIndex,
        value: Option<&[u8]>,
        now: UnixTime,
    ) -> Consulted {
        let now = self.clock.read(now);
        match self.issuers.get_mut(issuer.0) {
            Some(IssuerKeys::Remote(refresher)) => refresher.consult(value, now, &mut self.jitter),
            Some(IssuerKeys::Inline(_)) | None => Consulted::default(),
        }
    }

    /// Takes what came of the write: whether it was made, or somebody had been faster.
    pub fn on_written(&mut self, issuer: IssuerIndex, made: bool) {
        if let Some(refresher) = self.refresher_mut(issuer) {
            refresher.on_written(made);
        }
    }

    fn refresher(&self, issuer: IssuerIndex) -> Option<&Refresher> {
        self.issuers.get(issuer.0)?.refresher()
    }

    fn refresher_mut(&mut self, issuer: IssuerIndex) -> Option<&mut Refresher> {
        self.issuers.get_mut(issuer.0)?.refresher_mut()
    }
}

#[cfg(test)]
mod tests;
