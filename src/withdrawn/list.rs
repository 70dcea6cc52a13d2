//! A list of what is withdrawn, polled from a server of the security team's.
//!
//! A state machine without I/O: [`List::due`] says when to poll, [`List::on_answer`] and
//! [`List::on_failure`] take what came of it. The last good list holds for as long as no better one
//! comes, whatever a server answers in its place. Polls begin no further apart than the interval,
//! also while they fail: what a list withdraws is to be withdrawn everywhere within one.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::callout::CalloutRequest;
use crate::callout::flight::{self, Flight};
use crate::callout::retry::{self, Jitter};
use crate::callout::uri::HttpsUri;
use crate::issuer::access_token::AccessToken;
use crate::time::UnixTime;
use crate::time::clock::{Clock, Reading, Timer};
use crate::token::bearer::BearerToken;
use crate::token::json::{Json, JsonError};

use super::Withdrawn;
use super::document::{self, WithdrawalFault};

/// Where a list is, and how it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListSource {
    /// The gateway's cluster that the poll goes to.
    pub cluster: Box<str>,
    /// The list's address there.
    pub uri: HttpsUri,
    /// How often.
    pub poll: Duration,
    /// How long a list is taken for the newest when no other comes.
    pub max_stale: Duration,
    /// What becomes of requests then.
    pub when_stale: WhenStale,
}

/// What becomes of requests while the list is too old.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WhenStale {
    /// They are judged by the last good list.
    Ignore,
    /// They are refused: a token may be withdrawn that we have not heard of.
    Refuse,
}

/// A list through time.
pub struct List {
    source: ListSource,
    known: Option<KnownList>,
    clock: Clock,
    due: Timer,
    under_way: Option<Flight>,
    failures: u32,
    number: u64,
    jitter: Jitter,
}

/// The last good list.
#[derive(Clone)]
struct KnownList {
    withdrawn: Rc<Withdrawn>,
    tag: Option<Box<str>>,
    /// From when it was requested, or confirmed: how long it is taken for the newest.
    fresh: Timer,
}

/// A question to the list's server.
pub struct Poll {
    /// What to request.
    pub call: CalloutRequest,
    /// Tells this poll from an earlier one whose answer may still come.
    number: u64,
}

/// The server's answer, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListAnswer<'a> {
    /// `:status`.
    pub status: u16,
    /// `ETag`.
    pub tag: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

/// What a useful answer brought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Polled {
    /// A list with so many entries.
    New(usize),
    /// The list is as it was.
    Unchanged,
}

/// The list is too old to judge by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stale;

impl List {
    /// A list that was not requested yet. `seed` sets the workers' clocks apart: any number that
    /// differs between them.
    pub const fn new(source: ListSource, seed: u64) -> Self {
        Self {
            source,
            known: None,
            clock: Clock::new(),
            due: Timer::OVER,
            under_way: None,
            failures: 0,
            number: 0,
            jitter: Jitter(seed),
        }
    }

    /// Goes on with the last good list of another configuration, where that is the same server's
    /// and taken for the newest for as long: what it withdrew stays withdrawn, whatever has become
    /// of the server since.
    pub fn adopt(&mut self, former: &Self) {
        let (ours, theirs) = (&self.source, &former.source);
        let is_same = (&ours.cluster, &ours.uri, ours.max_stale)
            == (&theirs.cluster, &theirs.uri, theirs.max_stale);
        if is_same && self.known.is_none() {
            self.known.clone_from(&former.known);
            self.clock = former.clock;
        }
    }

    /// Whether a valid token is withdrawn by the last good list. Before the first one, nothing is:
    /// a gateway that starts while the list's server is down has to work all the same.
    pub fn has(
        &self,
        token: &AccessToken,
        bearer: BearerToken<'_>,
        now: UnixTime,
    ) -> Result<bool, Stale> {
        let Some(known) = &self.known else {
            return Ok(false);
        };
        if known.withdrawn.has(token, bearer) {
            return Ok(true);
        }
        let is_old = known.fresh.is_over(self.clock.peek(now));
        if is_old && self.source.when_stale == WhenStale::Refuse {
            return Err(Stale);
        }
        Ok(false)
    }

    /// The poll that is due at `now`, marked as under way.
    pub fn due(&mut self, now: UnixTime) -> Option<Poll> {
        let now = self.clock.read(now);
        if let Some(under_way) = &self.under_way
            && under_way.is_lost(now)
        {
            let sent_at = under_way.sent_at();
            self.under_way = None;
            self.put_off(sent_at);
        }
        if self.under_way.is_some() || !self.due.may_be_over(now) {
            return None;
        }
        let timeout = self.timeout();
        self.number = self.number.wrapping_add(1);
        self.under_way = Some(Flight::new(self.number, now, timeout));
        let mut call = CalloutRequest::get(&self.source.cluster, self.source.uri.clone(), timeout);
        let tag = self.known.as_ref().and_then(|known| known.tag.clone());
        call.headers
            .extend(tag.map(|tag| ("if-none-match".into(), tag)));
        Some(Poll {
            call,
            number: self.number,
        })
    }

    /// Takes the answer to a poll. `Err` says why it was of no use; the list held before is kept
    /// then.
    pub fn on_answer(
        &mut self,
        poll: &Poll,
        answer: &ListAnswer<'_>,
    ) -> Result<Polled, PollFailure> {
        let sent_at = self.over(poll).ok_or(PollFailure::GivenUp)?;
        let taken = self.take(answer, sent_at);
        match taken {
            Ok(_) => {
                self.failures = 0;
                self.due = Timer::new(sent_at, self.jitter.shorten(self.source.poll));
            }
            Err(_) => self.put_off(sent_at),
        }
        taken
    }

    /// Takes the failure of a poll that had no answer.
    pub fn on_failure(&mut self, poll: &Poll) {
        if let Some(sent_at) = self.over(poll) {
            self.put_off(sent_at);
        }
    }

    /// How many polls have failed in a row.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether there was ever a good list.
    pub const fn is_known(&self) -> bool {
        self.known.is_some()
    }

    /// The moment at which the next poll falls due, or one under way counts as lost.
    pub fn next_due(&self) -> UnixTime {
        let now = self.clock.last();
        let next = self.under_way.as_ref();
        let next = next.map_or(self.due, Flight::lost);
        now.wall.after(next.left(now))
    }

    fn timeout(&self) -> Duration {
        self.source.poll.min(LONGEST_TIMEOUT)
    }

    /// When a poll was sent, if it is the one under way; it is over then.
    fn over(&mut self, poll: &Poll) -> Option<Reading> {
        self.under_way
            .take_if(|under_way| under_way.is(poll.number))
            .map(|under_way| under_way.sent_at())
    }

    fn take(&mut self, answer: &ListAnswer<'_>, sent_at: Reading) -> Result<Polled, PollFailure> {
        let fresh = Timer::new(sent_at, self.source.max_stale);
        match (answer.status, &mut self.known) {
            (200, _) => {}
            // RFC 9110 §15.4.5: the answer to a question that only one who has the list can ask.
            (304, Some(known)) if known.tag.is_some() => {
                known.fresh = fresh;
                return Ok(Polled::Unchanged);
            }
            (status, _) => return Err(PollFailure::Status(status)),
        }
        let withdrawn = parse(answer.body)?;
        let entries = withdrawn.len();
        let tag = answer.tag.and_then(entity_tag);
        let before = self.known.replace(KnownList {
            withdrawn: Rc::new(withdrawn),
            tag,
            fresh,
        });
        let unchanged = match (&before, &self.known) {
            (Some(before), Some(known)) => before.withdrawn == known.withdrawn,
            (_, _) => false,
        };
        Ok(if unchanged {
            Polled::Unchanged
        } else {
            Polled::New(entries)
        })
    }

    /// Sets the poll after one that failed: sooner than the interval at first, and never later than
    /// it.
    fn put_off(&mut self, sent_at: Reading) {
        let wait = retry::doubled(FIRST_RETRY, self.failures, self.source.poll);
        self.failures = self.failures.saturating_add(1);
        self.due = Timer::new(sent_at, self.jitter.shorten(wait));
    }
}

/// Why a poll brought nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PollFailure {
    /// Something in the list cannot be read, at this place.
    Entry(String, WithdrawalFault),
    /// It was given up before, or never sent.
    GivenUp,
    /// The list is not JSON that we read.
    Json(JsonError),
    /// The list is not a JSON object.
    NotObject,
    /// The answer's status was neither 200 nor a 304 that was requested.
    Status(u16),
    /// The list has more than [`MAX_BYTES`].
    TooLarge,
}

impl fmt::Display for PollFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(place, fault) => write!(f, "{place}: {fault}"),
            Self::GivenUp => f.write_str(flight::GIVEN_UP),
            Self::Json(error) => write!(f, "{error}"),
            Self::NotObject => f.write_str("not a JSON object"),
            Self::Status(status) => write!(f, "answered {status} in place of 200"),
            Self::TooLarge => write!(f, "more than {MAX_BYTES} bytes"),
        }
    }
}

fn parse(body: &[u8]) -> Result<Withdrawn, PollFailure> {
    if body.len() > MAX_BYTES {
        return Err(PollFailure::TooLarge);
    }
    let json = Json::parse(body).map_err(PollFailure::Json)?;
    let object = json.as_object().ok_or(PollFailure::NotObject)?;
    let mut failure = None;
    let withdrawn = document::read(object, &mut |place, fault| {
        failure.get_or_insert_with(|| PollFailure::Entry(place.to_owned(), fault));
    });
    failure.map_or(Ok(withdrawn), Err)
}

/// An entity tag as it can be sent back (RFC 9110 §8.8.3); without one, the list is fetched whole
/// each time.
fn entity_tag(bytes: &[u8]) -> Option<Box<str>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let holds = text.len() <= MAX_TAG_BYTES && text.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
    holds.then(|| text.into())
}

/// As many entries as there may be, each of forty bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

const MAX_TAG_BYTES: usize = 256;

/// Shorter where the list is polled more often.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The first wait after a failure.
const FIRST_RETRY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
