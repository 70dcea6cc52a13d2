//! Keeps one issuer's keys fresh: when to fetch, what to keep, how long to wait after a failure.
//!
//! It fetches whenever that is due, or, [`sharing`] with the other workers of the process, only
//! while it holds the lease.

mod sharing;

use std::time::Duration;

use crate::callout::CalloutRequest;
use crate::callout::flight::Flight;
use crate::callout::retry::{self, Jitter};
use crate::callout::uri::HttpsUri;
use crate::issuer::IssuerIndex;
use crate::time::UnixTime;
use crate::time::clock::{Reading, Timer};
use crate::token::jwk_set::JwkSet;

use super::fetch::{Fetch, FetchFailure, Fetched, KeyAnswer};
use super::source::{Addresses, Remote};
use super::{freshness, metadata};

use sharing::Sharing;

/// One issuer's keys, and when they are fetched.
pub(super) struct Refresher {
    remote: Remote,
    keys: Option<KeptKeys>,
    /// How often the keys have changed.
    generation: u64,
    /// Where the metadata said the keys are; requested again with each refresh, since that is how
    /// an issuer moves them.
    discovered: Option<HttpsUri>,
    /// Which of the two metadata addresses is tried next.
    second_address: bool,
    due: Timer,
    under_way: Option<Flight>,
    failures: u32,
    /// Since the last refresh before its time.
    cool_down: Timer,
    number: u64,
    /// Absent where this worker fetches for itself.
    sharing: Option<Sharing>,
}

struct KeptKeys {
    set: JwkSet,
    /// By the clock of all workers, to tell which document is newer.
    fetched_at: UnixTime,
    fresh: Timer,
    usable: Timer,
}

/// How far a fetch came that brought nothing.
#[derive(Clone, Copy)]
pub(super) enum Tried {
    /// The issuer got the request, as far as anybody knows.
    Sent,
    /// It could not be sent from here, which says nothing of other workers.
    Unsent,
}

impl Refresher {
    /// How long keys serve past their last fetch.
    pub(super) const fn max_stale(&self) -> Duration {
        self.remote.max_stale
    }

    pub(super) const fn new(remote: Remote) -> Self {
        Self {
            remote,
            keys: None,
            generation: 0,
            discovered: None,
            second_address: false,
            due: Timer::OVER,
            under_way: None,
            failures: 0,
            cool_down: Timer::OVER,
            number: 0,
            sharing: None,
        }
    }

    pub(super) fn keys(&self, now: Reading) -> Option<&JwkSet> {
        let kept = self.keys.as_ref()?;
        (!kept.usable.is_over(now)).then_some(&kept.set)
    }

    pub(super) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn due(&mut self, issuer: IssuerIndex, now: Reading) -> Option<Fetch> {
        if self
            .under_way
            .as_ref()
            .is_some_and(|under_way| under_way.is_lost(now))
        {
            // No jitter: the moment at which the fetch began had it.
            self.under_way = None;
        }
        let may = self
            .sharing
            .as_ref()
            .is_none_or(|sharing| sharing.may_begin(now));
        if self.under_way.is_some() || !self.due.may_be_over(now) || !may {
            return None;
        }
        self.number = self.number.wrapping_add(1);
        self.under_way = Some(Flight::new(self.number, now, self.remote.timeout));
        Some(Fetch {
            issuer,
            call: CalloutRequest::get(
                &self.remote.cluster,
                self.address().clone(),
                self.remote.timeout,
            ),
            number: self.number,
        })
    }

    fn address(&self) -> &HttpsUri {
        match (&self.remote.addresses, &self.discovered) {
            (Addresses::Known(uri), _) | (Addresses::Discovered(_), Some(uri)) => uri,
            (Addresses::Discovered([openid, oauth]), None) => {
                if self.second_address {
                    oauth
                } else {
                    openid
                }
            }
        }
    }

    /// Whether `fetch` is the one under way; it is over then.
    fn answers(&mut self, fetch: &Fetch) -> bool {
        let expected = self
            .under_way
            .as_ref()
            .is_some_and(|under_way| under_way.is(fetch.number));
        if expected {
            self.under_way = None;
        }
        expected
    }

    pub(super) fn on_answer(
        &mut self,
        fetch: &Fetch,
        answer: &KeyAnswer<'_>,
        now: Reading,
        jitter: &mut Jitter,
    ) -> Result<Fetched, FetchFailure> {
        if !self.answers(fetch) {
            return Err(FetchFailure::GivenUp);
        }
        let taken = self.take(answer, now, jitter);
        if taken.is_err() {
            self.fail(Tried::Sent, now, jitter);
        }
        taken
    }

    pub(super) fn on_failure(
        &mut self,
        fetch: &Fetch,
        tried: Tried,
        now: Reading,
        jitter: &mut Jitter,
    ) {
        if self.answers(fetch) {
            self.fail(tried, now, jitter);
        }
    }

    fn take(
        &mut self,
        answer: &KeyAnswer<'_>,
        now: Reading,
        jitter: &mut Jitter,
    ) -> Result<Fetched, FetchFailure> {
        // A cluster whose hosts are down answers 503 with a body of Envoy's own.
        if answer.status != 200 {
            return Err(FetchFailure::Status(answer.status));
        }
        if matches!(self.remote.addresses, Addresses::Discovered(_)) && self.discovered.is_none() {
            self.discovered = Some(metadata::keys_address(answer.body, &self.remote.issuer)?);
            self.due = Timer::OVER;
            return Ok(Fetched::Address);
        }
        let set = JwkSet::parse(answer.body).map_err(FetchFailure::Keys)?;
        let fetched = Fetched::Keys {
            admitted: set.keys().len(),
            ignored: set.ignored().iter().map(ToString::to_string).collect(),
        };
        let granted = freshness::granted(answer.cache_control, answer.age);
        self.keep(set, granted, now.wall, now, jitter);
        self.failures = 0;
        if let Some(sharing) = &mut self.sharing {
            sharing.succeed(granted, answer.body);
        }
        Ok(fetched)
    }

    /// Puts keys in the place of those before; `granted` is how long their issuer calls them fresh.
    fn keep(
        &mut self,
        set: JwkSet,
        granted: Option<Duration>,
        fetched_at: UnixTime,
        now: Reading,
        jitter: &mut Jitter,
    ) {
        let fresh = match granted {
            Some(granted) => granted.clamp(self.remote.refresh.min(MIN_FRESH), MAX_FRESH),
            None => self.remote.refresh,
        };
        // What another worker has fetched is of some age already.
        let age = now.wall.since(fetched_at);
        let rest_of = |span: Duration| Timer::new(now, span.saturating_sub(age));
        self.due = rest_of(jitter.shorten(fresh));
        let same = self
            .keys
            .as_ref()
            .is_some_and(|kept| kept.set.has_same_keys_as(&set));
        if !same {
            self.generation = self.generation.wrapping_add(1);
        }
        self.keys = Some(KeptKeys {
            set,
            fetched_at,
            fresh: rest_of(fresh),
            usable: rest_of(fresh.max(self.remote.max_stale)),
        });
        self.discovered = None;
    }

    /// Sets the next try after a fetch that brought nothing.
    fn fail(&mut self, tried: Tried, now: Reading, jitter: &mut Jitter) {
        let failures = match &mut self.sharing {
            Some(sharing) if matches!(tried, Tried::Unsent) => &mut sharing.unsent,
            _ => &mut self.failures,
        };
        let before = *failures;
        *failures = before.saturating_add(1);
        self.due = Timer::new(now, jitter.shorten(self.back_off(before, now)));
        self.discovered = None;
        self.second_address = !self.second_address;
        if let Some(sharing) = &mut self.sharing {
            sharing.fail(tried, self.due);
        }
    }

    /// Until the next try: soon while there are no keys at all, later and later otherwise.
    fn back_off(&self, failures: u32, now: Reading) -> Duration {
        let longest = if self.keys(now).is_some() {
            MAX_BACK_OFF
        } else {
            MAX_COLD_BACK_OFF
        };
        retry::doubled(FIRST_BACK_OFF, failures, longest)
    }

    pub(super) fn refresh_early(&mut self, now: Reading) -> bool {
        if !self.expects(now) {
            // Also while fetches fail, or the tokens of a new key would be refused until the
            // back-off ends, long after the issuer has come back. The cool-down keeps an invented
            // key ID from becoming a way to hammer an issuer that is down.
            if !self.cool_down.may_be_over(now) {
                return false;
            }
            self.cool_down = Timer::new(now, EARLY_REFRESH_COOL_DOWN);
            if self.sharing.is_none() {
                self.due = Timer::OVER;
            }
        }
        if let Some(sharing) = &mut self.sharing {
            sharing.hurry();
        }
        true
    }

    /// Whether the last fetch brought nothing, so that the keys may be older than their issuer's.
    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
            || self
                .sharing
                .as_ref()
                .is_some_and(|sharing| sharing.unsent > 0)
    }

    /// Whether a fetch is under way, here or elsewhere, or due.
    pub(super) fn expects(&self, now: Reading) -> bool {
        let by_sharing = self
            .sharing
            .as_ref()
            .is_some_and(|sharing| sharing.expects(now));
        self.under_way.is_some() || self.due.may_be_over(now) || by_sharing
    }

    /// When the next fetch falls due, or the one under way counts as lost.
    pub(super) fn next_due(&self) -> Timer {
        self.under_way.as_ref().map_or(self.due, Flight::lost)
    }

    /// How long until there is something to do.
    pub(super) fn next_step(&self, now: Reading) -> Duration {
        let due = self.next_due().left(now);
        match &self.sharing {
            None => due,
            Some(sharing) => sharing.next_step(due, self.under_way.is_some(), now),
        }
    }
}

/// A `Cache-Control` that grants less is overruled: some issuers say `no-store` of a document that
/// changes twice a year.
const MIN_FRESH: Duration = Duration::from_mins(1);

/// One that grants more is overruled too, or a withdrawn key would be trusted for as long.
const MAX_FRESH: Duration = Duration::from_hours(24);

/// The first wait after a failure.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);

/// The longest wait while keys are still usable.
const MAX_BACK_OFF: Duration = Duration::from_mins(5);

/// The longest wait while there are none and every request of the issuer's is refused.
const MAX_COLD_BACK_OFF: Duration = Duration::from_secs(15);

/// At most one early refresh in this time: a token with an invented key ID costs its sender
/// nothing.
const EARLY_REFRESH_COOL_DOWN: Duration = Duration::from_secs(30);
