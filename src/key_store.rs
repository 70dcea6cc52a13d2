//! The keys of every issuer, and when to fetch them again.
//!
//! A state machine without I/O: [`KeyStore::due`] says what to fetch, [`KeyStore::on_answer`] and [`KeyStore::on_failure`] take what came
//! of it. Issuers do not know of one another: one that is down, slow or lying costs the others nothing.
//!
//! The rules are those whose absence fills other projects' issue trackers: keys are fetched again before they expire; a failed refresh
//! keeps the last known good keys, and is tried again later and later, with jitter; a key ID that nobody knows causes one early refresh
//! per cool-down; a document with one odd key loses that key only.

pub mod fetch;
mod freshness;
mod metadata;
pub mod source;

use crate::time::UnixTime;
use crate::token::jwk_set::JwkSet;

use fetch::{Answer, Fetch, FetchFailure};
use source::{KeySource, Source};

/// The place of an issuer in the configuration, which is also its place in the store.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IssuerIndex(pub usize);

/// Keys for every configured issuer.
pub struct KeyStore {
    sources: Vec<Source>,
    jitter: Jitter,
}

impl KeyStore {
    /// A store that has fetched nothing yet. `seed` sets the workers' clocks apart: any number that differs between them.
    pub fn new(sources: Vec<KeySource>, seed: u64) -> Self {
        Self {
            sources: sources.into_iter().map(Source::new).collect(),
            jitter: Jitter(seed),
        }
    }

    /// The keys that an issuer's tokens may be verified with at `now`; `None` when there never were any, or they are too old to trust.
    pub fn keys(&self, issuer: IssuerIndex, now: UnixTime) -> Option<&JwkSet> {
        self.sources.get(issuer.0)?.keys(now)
    }

    /// A number that changes when the issuer's keys do, and only then: a fetch that brings the same keys leaves it.
    pub fn generation(&self, issuer: IssuerIndex) -> u64 {
        self.sources.get(issuer.0).map_or(0, Source::generation)
    }

    /// Something to fetch at `now`, marked as under way; call again until `None`.
    pub fn due(&mut self, now: UnixTime) -> Option<Fetch> {
        self.sources
            .iter_mut()
            .enumerate()
            .find_map(|(index, source)| source.due(IssuerIndex(index), now))
    }

    /// Takes the answer to a fetch. `Err` says why it was of no use; the keys held before are kept then.
    pub fn on_answer(
        &mut self,
        fetch: &Fetch,
        answer: &Answer<'_>,
        now: UnixTime,
    ) -> Result<Fetched, FetchFailure> {
        let jitter = &mut self.jitter;
        match self.sources.get_mut(fetch.issuer.0) {
            Some(source) => source.on_answer(fetch, answer, now, jitter),
            None => Err(FetchFailure::Unasked),
        }
    }

    /// Takes the failure of a fetch that had no answer.
    pub fn on_failure(&mut self, fetch: &Fetch, now: UnixTime) {
        if let Some(source) = self.sources.get_mut(fetch.issuer.0) {
            source.on_failure(fetch, now, &mut self.jitter);
        }
    }

    /// Asks for an early refresh because of a key ID that the issuer's keys do not have.
    ///
    /// `true` when a fetch is under way or has become due, so that a request may wait for it; `false` during the cool-down, and where
    /// nothing is fetched.
    pub fn refresh_early(&mut self, issuer: IssuerIndex, now: UnixTime) -> bool {
        self.sources
            .get_mut(issuer.0)
            .is_some_and(|source| source.refresh_early(now))
    }

    /// Whether a fetch for the issuer is under way or due, so that a request may wait for its keys.
    pub fn expects(&self, issuer: IssuerIndex, now: UnixTime) -> bool {
        self.sources
            .get(issuer.0)
            .is_some_and(|source| source.expects(now))
    }

    /// By when the next fetch for the issuer begins; `None` where nothing is fetched.
    pub fn expected_by(&self, issuer: IssuerIndex, now: UnixTime) -> Option<UnixTime> {
        let source = self.sources.get(issuer.0)?;
        if source.expects(now) {
            Some(now)
        } else {
            source.next_due()
        }
    }

    /// The moment at which the next fetch falls due, or a fetch under way counts as lost; `None` when nothing is ever fetched.
    pub fn next_due(&self) -> Option<UnixTime> {
        self.sources.iter().filter_map(Source::next_due).min()
    }
}

/// What a useful answer brought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fetched {
    /// The address of the keys; fetching them is due at once.
    Address,
    /// Keys, and how many entries of the document were passed over.
    Keys {
        /// Keys admitted.
        admitted: usize,
        /// Entries ignored, with reasons, for the log.
        ignored: Vec<String>,
    },
}

/// Pseudo-random fractions (splitmix64), so that workers and gateways that started together do not fetch together.
///
/// Not for secrets: whoever guesses it learns when a public document is fetched.
pub(crate) struct Jitter(pub(crate) u64);

impl Jitter {
    /// A part of `span`, from three quarters to the whole.
    pub(crate) fn shorten(&mut self, span: std::time::Duration) -> std::time::Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let permille = u32::try_from((mixed ^ (mixed >> 31)) % 251).unwrap_or(0);
        let thousandth = span.checked_div(1000).unwrap_or_default();
        span.saturating_sub(thousandth.saturating_mul(permille))
    }
}

#[cfg(test)]
mod tests;
