//! Where one issuer's keys come from, and the clockwork that keeps them fresh.

use std::time::Duration;

use crate::callout::Call;
use crate::callout::uri::{HttpsUri, UriError};
use crate::time::UnixTime;
use crate::token::jwk_set::JwkSet;

use super::fetch::{Answer, Fetch, FetchFailure};
use super::{Fetched, IssuerIndex, Jitter, freshness, metadata};

/// Where an issuer's keys come from, as configured.
pub enum KeySource {
    /// From the configuration itself; they change with it and never expire.
    Inline(JwkSet),
    /// From the issuer, over HTTP.
    Remote(Remote),
}

/// A document that is fetched and fetched again.
pub struct Remote {
    cluster: Box<str>,
    issuer: Box<str>,
    addresses: Addresses,
    timeout: Duration,
    refresh: Duration,
    max_stale: Duration,
}

/// What is known of where the keys are.
enum Addresses {
    /// The configuration says.
    Known(HttpsUri),
    /// The issuer's metadata says; these are the places to look for it.
    Discovered([HttpsUri; 2]),
}

/// The times of a [`Remote`].
pub struct Schedule {
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// How long keys are fresh when the answer does not say.
    pub refresh: Duration,
    /// How long keys are used past their last fetch when no other succeeds.
    pub max_stale: Duration,
}

impl Remote {
    /// Keys of `issuer`, asked for in `cluster`; without a `uri` the issuer's metadata tells it, and then the issuer must be an https URL.
    pub fn new(
        cluster: &str,
        issuer: &str,
        uri: Option<HttpsUri>,
        schedule: &Schedule,
    ) -> Result<Self, UriError> {
        let addresses = match uri {
            Some(uri) => Addresses::Known(uri),
            None => Addresses::Discovered(metadata::addresses(issuer)?),
        };
        Ok(Self {
            cluster: cluster.into(),
            issuer: issuer.into(),
            addresses,
            timeout: schedule.timeout,
            refresh: schedule.refresh,
            max_stale: schedule.max_stale,
        })
    }
}

/// One issuer's keys through time.
pub(super) struct Source {
    origin: Origin,
}

enum Origin {
    Inline(JwkSet),
    Remote(Box<Clockwork>),
}

struct Clockwork {
    remote: Remote,
    keys: Option<Kept>,
    /// How often the keys have changed.
    generation: u64,
    /// Where the metadata said the keys are; asked for again with each refresh, since that is how an issuer moves them.
    discovered: Option<HttpsUri>,
    /// Which of the two metadata addresses is tried next.
    second_address: bool,
    due: UnixTime,
    under_way: Option<UnderWay>,
    failures: u32,
    last_early: Option<UnixTime>,
    number: u64,
}

struct Kept {
    set: JwkSet,
    usable_until: UnixTime,
}

struct UnderWay {
    number: u64,
    /// When to stop believing that an answer will come.
    lost: UnixTime,
}

impl Source {
    pub(super) fn new(source: KeySource) -> Self {
        let origin = match source {
            KeySource::Inline(set) => Origin::Inline(set),
            KeySource::Remote(remote) => Origin::Remote(Box::new(Clockwork {
                remote,
                keys: None,
                generation: 0,
                discovered: None,
                second_address: false,
                due: UnixTime::EPOCH,
                under_way: None,
                failures: 0,
                last_early: None,
                number: 0,
            })),
        };
        Self { origin }
    }

    pub(super) fn keys(&self, now: UnixTime) -> Option<&JwkSet> {
        match &self.origin {
            Origin::Inline(set) => Some(set),
            Origin::Remote(clockwork) => clockwork
                .keys
                .as_ref()
                .filter(|kept| now < kept.usable_until)
                .map(|kept| &kept.set),
        }
    }

    pub(super) const fn generation(&self) -> u64 {
        match &self.origin {
            Origin::Inline(_) => 0,
            Origin::Remote(clockwork) => clockwork.generation,
        }
    }

    pub(super) fn due(&mut self, issuer: IssuerIndex, now: UnixTime) -> Option<Fetch> {
        match &mut self.origin {
            Origin::Inline(_) => None,
            Origin::Remote(clockwork) => clockwork.due(issuer, now),
        }
    }

    pub(super) fn on_answer(
        &mut self,
        fetch: &Fetch,
        answer: &Answer<'_>,
        now: UnixTime,
        jitter: &mut Jitter,
    ) -> Result<Fetched, FetchFailure> {
        match &mut self.origin {
            Origin::Inline(_) => Err(FetchFailure::Unasked),
            Origin::Remote(clockwork) => clockwork.on_answer(fetch, answer, now, jitter),
        }
    }

    pub(super) fn on_failure(&mut self, fetch: &Fetch, now: UnixTime, jitter: &mut Jitter) {
        if let Origin::Remote(clockwork) = &mut self.origin
            && clockwork.answers(fetch)
        {
            clockwork.back_off(now, jitter);
        }
    }

    pub(super) fn refresh_early(&mut self, now: UnixTime) -> bool {
        match &mut self.origin {
            Origin::Inline(_) => false,
            Origin::Remote(clockwork) => clockwork.refresh_early(now),
        }
    }

    pub(super) fn expects(&self, now: UnixTime) -> bool {
        match &self.origin {
            Origin::Inline(_) => false,
            Origin::Remote(clockwork) => clockwork.under_way.is_some() || now >= clockwork.due,
        }
    }

    pub(super) fn next_due(&self) -> Option<UnixTime> {
        match &self.origin {
            Origin::Inline(_) => None,
            Origin::Remote(clockwork) => Some(match &clockwork.under_way {
                Some(under_way) => under_way.lost,
                None => clockwork.due,
            }),
        }
    }
}

impl Clockwork {
    fn due(&mut self, issuer: IssuerIndex, now: UnixTime) -> Option<Fetch> {
        if self
            .under_way
            .as_ref()
            .is_some_and(|under_way| now >= under_way.lost)
        {
            // No jitter: the moment at which the fetch began had it.
            self.under_way = None;
        }
        if self.under_way.is_some() || now < self.due {
            return None;
        }
        self.number = self.number.wrapping_add(1);
        self.under_way = Some(UnderWay {
            number: self.number,
            lost: now.after(self.remote.timeout.saturating_add(ANSWER_GRACE)),
        });
        Some(Fetch {
            issuer,
            call: Call::get(
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
            .is_some_and(|under_way| under_way.number == fetch.number);
        if expected {
            self.under_way = None;
        }
        expected
    }

    fn on_answer(
        &mut self,
        fetch: &Fetch,
        answer: &Answer<'_>,
        now: UnixTime,
        jitter: &mut Jitter,
    ) -> Result<Fetched, FetchFailure> {
        if !self.answers(fetch) {
            return Err(FetchFailure::Unasked);
        }
        let taken = self.take(answer, now, jitter);
        if taken.is_err() {
            self.back_off(now, jitter);
        }
        taken
    }

    fn take(
        &mut self,
        answer: &Answer<'_>,
        now: UnixTime,
        jitter: &mut Jitter,
    ) -> Result<Fetched, FetchFailure> {
        // A cluster whose hosts are down answers 503 with a body of Envoy's own.
        if answer.status != 200 {
            return Err(FetchFailure::Status(answer.status));
        }
        if matches!(self.remote.addresses, Addresses::Discovered(_)) && self.discovered.is_none() {
            self.discovered = Some(metadata::keys_address(answer.body, &self.remote.issuer)?);
            self.due = now;
            return Ok(Fetched::Address);
        }
        let set = JwkSet::parse(answer.body).map_err(FetchFailure::Keys)?;
        let fetched = Fetched::Keys {
            admitted: set.keys().len(),
            ignored: set.ignored().iter().map(ToString::to_string).collect(),
        };
        let fresh = match freshness::granted(answer.cache_control, answer.age) {
            Some(granted) => granted.clamp(self.remote.refresh.min(MIN_FRESH), MAX_FRESH),
            None => self.remote.refresh,
        };
        self.due = now.after(jitter.shorten(fresh));
        let same = self
            .keys
            .as_ref()
            .is_some_and(|kept| kept.set.has_same_keys_as(&set));
        if !same {
            self.generation = self.generation.wrapping_add(1);
        }
        self.keys = Some(Kept {
            set,
            usable_until: now.after(fresh.max(self.remote.max_stale)),
        });
        self.failures = 0;
        self.discovered = None;
        Ok(fetched)
    }

    /// Sets the next try: soon while there are no keys at all, later and later otherwise.
    fn back_off(&mut self, now: UnixTime, jitter: &mut Jitter) {
        let longest = if self
            .keys
            .as_ref()
            .is_some_and(|kept| now < kept.usable_until)
        {
            MAX_BACK_OFF
        } else {
            MAX_COLD_BACK_OFF
        };
        let doubled = FIRST_BACK_OFF.saturating_mul(
            1_u32
                .checked_shl(self.failures.min(MAX_DOUBLINGS))
                .unwrap_or(1),
        );
        self.failures = self.failures.saturating_add(1);
        self.discovered = None;
        self.second_address = !self.second_address;
        self.due = now.after(jitter.shorten(doubled.min(longest)));
    }

    fn refresh_early(&mut self, now: UnixTime) -> bool {
        if self.under_way.is_some() || now >= self.due {
            return true;
        }
        let cooled_down = self
            .last_early
            .is_none_or(|last| now >= last.after(EARLY_REFRESH_COOL_DOWN));
        // While fetches fail, their back-off rules: an unknown key ID must not become a way to hammer an issuer that is down.
        if !cooled_down || self.failures > 0 {
            return false;
        }
        self.last_early = Some(now);
        self.due = now;
        true
    }
}

/// A `Cache-Control` that grants less is overruled: some issuers say `no-store` of a document that changes twice a year.
const MIN_FRESH: Duration = Duration::from_mins(1);

/// One that grants more is overruled too, or a withdrawn key would be trusted for as long.
const MAX_FRESH: Duration = Duration::from_hours(24);

/// The first wait after a failure.
const FIRST_BACK_OFF: Duration = Duration::from_secs(1);

/// The longest wait while keys are still usable.
const MAX_BACK_OFF: Duration = Duration::from_mins(5);

/// The longest wait while there are none and every request of the issuer's is refused.
const MAX_COLD_BACK_OFF: Duration = Duration::from_secs(15);

/// 2^9 s is past the longest wait.
const MAX_DOUBLINGS: u32 = 9;

/// At most one early refresh in this time: a token with an invented key ID costs its sender nothing.
const EARLY_REFRESH_COOL_DOWN: Duration = Duration::from_secs(30);

/// How long after its timeout a callout may still report.
const ANSWER_GRACE: Duration = Duration::from_secs(2);
