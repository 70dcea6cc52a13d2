//! Exchanges callers' tokens for Databricks' own (RFC 8693): when, for what scope, and what came of
//! it.
//!
//! A state machine without I/O: [`Exchanger::exchange`] answers from what is held or says to wait,
//! [`Exchanger::due`] says what to send, [`Exchanger::on_answer`] and [`Exchanger::on_failure`]
//! take what came of it. There is one exchange under way for each token and scope, however many
//! requests wait for it. What is held ends shortly before the exchanged token does, and never after
//! the caller's own; every request is authorized before it comes here, so a token that is refused
//! brings nothing that was exchanged for it.

mod failure;
mod grant;
pub mod terms;

use std::rc::Rc;
use std::time::Duration;

use crate::callout::CalloutRequest;
use crate::callout::flight::Flight;
use crate::time::UnixTime;
use crate::time::clock::{Clock, Reading, Timer};
use crate::token::bearer::BearerToken;
use crate::token::fingerprint::Fingerprint;

pub use failure::Failure;
pub use grant::{OauthError, Unusable};

use grant::Grant;
use terms::Terms;

/// A token to exchange. Holds a secret, so it is not `Debug`.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The whole token, which was judged valid.
    pub token: BearerToken<'a>,
    /// The fingerprint of what was signed of it: a token whose signature is written otherwise is
    /// not exchanged a second time.
    pub fingerprint: Fingerprint,
    /// Its `exp`.
    pub expires_at: UnixTime,
}

/// What a request takes upstream.
pub enum Exchanged {
    /// The caller's token is past its end, though some clock skew may still be granted to it:
    /// nobody would exchange it.
    Ended,
    /// This `Authorization`.
    Held(Rc<str>),
    /// Nothing: there is nothing to be had.
    Refused(Refusal),
    /// Nothing yet.
    Wait(ExchangeKey),
}

/// Why there is no exchanged token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The token endpoint said no, and gave this reason, where it is one that OAuth names.
    Refused(Option<OauthError>),
    /// The token endpoint could not be reached, or did not answer as one.
    Unavailable,
}

/// Which exchange: of which token, for which scope. The token itself is not kept.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct ExchangeKey {
    subject: Fingerprint,
    scope: &'static str,
}

/// An exchange to send.
pub struct ExchangeCallout {
    /// What to request, and from where.
    pub call: CalloutRequest,
    key: ExchangeKey,
    /// Tells this callout from an earlier one for the same key whose answer may still come.
    number: u64,
    sent: Reading,
    subject_ends: UnixTime,
}

/// Every exchange of one worker.
pub struct Exchanger {
    terms: Terms,
    /// In the order of their keys: a map of its own would cost the module 3 KB.
    entries: Vec<(ExchangeKey, Exchange)>,
    /// What the entries hold together.
    bytes: usize,
    wanted: Vec<ExchangeKey>,
    number: u64,
    clock: Clock,
}

enum Exchange {
    /// To be sent; not any more once nobody can be waiting.
    Wanted {
        call: Box<CalloutRequest>,
        subject_ends: UnixTime,
        until: Timer,
    },
    /// Sent.
    UnderWay(Flight),
    /// Good for this long.
    Held {
        authorization: Rc<str>,
        until: Timer,
    },
    /// Not requested again so soon.
    Failed { refusal: Refusal, until: Timer },
}

impl Exchanger {
    /// The most that is read of a token endpoint's answer.
    pub const MAX_ANSWER_BYTES: usize = grant::MAX_BYTES;

    /// One that has exchanged nothing yet.
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            entries: Vec::new(),
            bytes: 0,
            wanted: Vec::new(),
            number: 0,
            clock: Clock::new(),
        }
    }

    /// On what terms tokens are exchanged.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// What a request with this valid token takes upstream.
    pub fn exchange(
        &mut self,
        subject: Subject<'_>,
        scope: &'static str,
        now: UnixTime,
    ) -> Exchanged {
        if now >= subject.expires_at {
            return Exchanged::Ended;
        }
        let key = ExchangeKey {
            subject: subject.fingerprint,
            scope,
        };
        let now = self.clock.read(now);
        match self.entry(&key).filter(|entry| !entry.is_over(now)) {
            Some(Exchange::Held { authorization, .. }) => Exchanged::Held(Rc::clone(authorization)),
            Some(Exchange::Failed { refusal, .. }) => Exchanged::Refused(*refusal),
            Some(Exchange::Wanted { .. } | Exchange::UnderWay(_)) => Exchanged::Wait(key),
            None => self.want(subject, key, now),
        }
    }

    fn want(&mut self, subject: Subject<'_>, key: ExchangeKey, now: Reading) -> Exchanged {
        if !self.make_room(now) {
            return Exchanged::Refused(Refusal::Unavailable);
        }
        let call = Box::new(self.terms.call(subject.token.as_str(), key.scope));
        self.wanted.push(key);
        self.put(
            key,
            Exchange::Wanted {
                call,
                subject_ends: subject.expires_at,
                until: Timer::new(now, LONGEST_WANTED),
            },
        );
        Exchanged::Wait(key)
    }

    /// Whether there is nothing left to wait for: the next question is answered, or begins anew.
    pub fn is_settled(&self, key: ExchangeKey, now: UnixTime) -> bool {
        match self.entry(&key) {
            Some(entry @ (Exchange::Wanted { .. } | Exchange::UnderWay(_))) => {
                entry.is_over(self.clock.peek(now))
            }
            Some(Exchange::Held { .. } | Exchange::Failed { .. }) | None => true,
        }
    }

    /// Whether anything is to be sent.
    pub fn is_due(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Something to send at `now`, marked as under way; call again until `None`.
    pub fn due(&mut self, now: UnixTime) -> Option<ExchangeCallout> {
        let now = self.clock.read(now);
        while let Some(key) = self.wanted.pop() {
            let number = self.number.wrapping_add(1);
            let under_way = Exchange::UnderWay(Flight::new(number, now, self.terms.timeout));
            match self.take(key) {
                Some(Exchange::Wanted {
                    call,
                    subject_ends,
                    until,
                }) if !until.is_over(now) => {
                    self.number = number;
                    self.put(key, under_way);
                    return Some(ExchangeCallout {
                        call: *call,
                        key,
                        number,
                        sent: now,
                        subject_ends,
                    });
                }
                Some(Exchange::Wanted { .. }) | None => {}
                // Asked for a second time, after the first had been given up.
                Some(other) => self.put(key, other),
            }
        }
        None
    }

    /// Takes the answer to a callout.
    pub fn on_answer(
        &mut self,
        callout: &ExchangeCallout,
        status: u16,
        body: &[u8],
        now: UnixTime,
    ) -> Result<(), Failure> {
        self.expect(callout)?;
        let read = match status {
            200 => Grant::parse(body, callout.key.subject).map_err(Failure::Unusable),
            // Busy is not a no.
            408 | 429 => Err(Failure::Status(status)),
            400..500 => Err(Failure::Refused(status, OauthError::of(body))),
            _ => Err(Failure::Status(status)),
        };
        match read {
            Ok(grant) => {
                let subject = callout.subject_ends.since(callout.sent.wall);
                let lifetime = grant.lifetime.min(subject);
                let early = EARLY.min(lifetime.checked_div(4).unwrap_or_default());
                let held = Exchange::Held {
                    authorization: grant.authorization.into(),
                    until: Timer::new(callout.sent, lifetime.saturating_sub(early)),
                };
                self.put(callout.key, held);
                Ok(())
            }
            Err(failure) => {
                self.fail(callout.key, failure, now);
                Err(failure)
            }
        }
    }

    /// Takes the failure of a callout that had no answer.
    pub fn on_failure(&mut self, callout: &ExchangeCallout, now: UnixTime) {
        if self.expect(callout).is_ok() {
            self.fail(callout.key, Failure::NoAnswer, now);
        }
    }

    /// Whether the callout is the one under way for its key.
    fn expect(&self, callout: &ExchangeCallout) -> Result<(), Failure> {
        match self.entry(&callout.key) {
            Some(Exchange::UnderWay(flight)) if flight.is(callout.number) => Ok(()),
            _ => Err(Failure::GivenUp),
        }
    }

    fn fail(&mut self, key: ExchangeKey, failure: Failure, now: UnixTime) {
        let (refusal, pause) = match failure {
            Failure::Refused(_, error) => (Refusal::Refused(error), REFUSED_PAUSE),
            Failure::GivenUp | Failure::NoAnswer | Failure::Status(_) | Failure::Unusable(_) => {
                (Refusal::Unavailable, UNAVAILABLE_PAUSE)
            }
        };
        let until = Timer::new(self.clock.read(now), pause);
        self.put(key, Exchange::Failed { refusal, until });
    }

    fn put(&mut self, key: ExchangeKey, entry: Exchange) {
        self.take(key);
        self.bytes = self.bytes.saturating_add(entry.bytes());
        let (Ok(place) | Err(place)) = self.place(&key);
        self.entries.insert(place, (key, entry));
    }

    fn take(&mut self, key: ExchangeKey) -> Option<Exchange> {
        let place = self.place(&key).ok()?;
        let (_, entry) = self.entries.remove(place);
        self.bytes = self.bytes.saturating_sub(entry.bytes());
        Some(entry)
    }

    fn entry(&self, key: &ExchangeKey) -> Option<&Exchange> {
        let (_, entry) = self.entries.get(self.place(key).ok()?)?;
        Some(entry)
    }

    /// Where the entry of a key is, or would be.
    fn place(&self, key: &ExchangeKey) -> Result<usize, usize> {
        self.entries.binary_search_by(|(other, _)| other.cmp(key))
    }

    /// Makes room for one more: without what is over, and then without what ends first. What is
    /// awaited stays.
    fn make_room(&mut self, now: Reading) -> bool {
        if self.has_room() {
            return true;
        }
        self.entries.retain(|(_, entry)| !entry.is_over(now));
        self.bytes = self.entries.iter().map(|(_, entry)| entry.bytes()).sum();
        while !self.has_room() {
            let ends = |(key, entry): &(ExchangeKey, Exchange)| match entry {
                Exchange::Held { until, .. } | Exchange::Failed { until, .. } => {
                    Some((until.left(now), *key))
                }
                Exchange::Wanted { .. } | Exchange::UnderWay(_) => None,
            };
            let Some((_, key)) = self.entries.iter().filter_map(ends).min() else {
                return false;
            };
            self.take(key);
        }
        true
    }

    fn has_room(&self) -> bool {
        self.entries.len() < MAX_ENTRIES && self.bytes < MAX_BYTES
    }
}

impl Exchange {
    /// Whether its time is up. What is awaited is not given up for one look at a clock; what is
    /// held is rather requested again.
    const fn is_over(&self, now: Reading) -> bool {
        match self {
            Self::UnderWay(flight) => flight.is_lost(now),
            Self::Wanted { until, .. } => until.is_over(now),
            Self::Held { until, .. } | Self::Failed { until, .. } => until.may_be_over(now),
        }
    }

    /// What it holds of tokens' texts.
    fn bytes(&self) -> usize {
        match self {
            Self::Wanted { call, .. } => call.body.len(),
            Self::Held { authorization, .. } => authorization.len(),
            Self::UnderWay(_) | Self::Failed { .. } => 0,
        }
    }
}

/// How long before its end a token is not used any more, so that it does not die on its way; of
/// short lives a quarter.
const EARLY: Duration = Duration::from_secs(30);

/// A refused token is not tried again so soon; a federation policy that was just mended is not
/// waited for long.
const REFUSED_PAUSE: Duration = Duration::from_secs(10);

/// Between two tries while the token endpoint is down.
const UNAVAILABLE_PAUSE: Duration = Duration::from_secs(2);

/// Longer than the host needs to come round to sending.
const LONGEST_WANTED: Duration = Duration::from_secs(10);

/// Tokens held on each worker; a gateway with more callers than that within the hour exchanges some
/// of them again.
const MAX_ENTRIES: usize = 10_000;

/// What they may hold together.
const MAX_BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests;
