//! Requests that wait for an answer from elsewhere before they can be judged.
//!
//! The queue is bounded by count and by bytes. One source of answers may have all of it while
//! nobody waits for another; where it is full, a newcomer who waits for another takes the place of
//! the newest of those whose source has most. So one that is down holds up its own callers alone,
//! and a cold start of a single issuer loses none of its. Requests leaving the queue are authorized
//! again from scratch.

use std::time::Duration;

use crate::authorize;
use crate::exchange::ExchangeKey;
use crate::issuer::IssuerIndex;
use crate::time::UnixTime;
use crate::time::clock::{Clock, Timer};

/// What a request waits for.
#[derive(Clone, Copy)]
pub(super) enum Awaited {
    /// The exchange of its token.
    Exchange(ExchangeKey),
    /// An issuer's keys.
    Keys(authorize::AwaitedKeys),
}

/// The requests that wait, `R` being one of them.
pub(super) struct Queue<R> {
    waiting: Vec<WaitingRequest<R>>,
    most: usize,
    time: Duration,
    clock: Clock,
}

/// A request that waits no longer.
pub(super) struct Released<R> {
    /// The request.
    pub(super) request: R,
    /// For how long it may wait in all.
    pub(super) deadline: Timer,
    /// What it waited for.
    pub(super) awaited: Awaited,
    /// For how long.
    pub(super) waited: Duration,
}

struct WaitingRequest<R> {
    request: R,
    bytes: usize,
    awaited: Awaited,
    since: UnixTime,
    deadline: Timer,
    /// It leaves with the next tick, and does not count any more.
    gives_way: bool,
}

/// Who is to bring what is awaited.
#[derive(Clone, Copy, Eq, PartialEq)]
enum AnswerSource {
    TokenEndpoint,
    Issuer(IssuerIndex),
}

/// What some requests take of the queue.
#[derive(Clone, Copy, Default)]
struct Share {
    count: usize,
    bytes: usize,
}

impl Awaited {
    const fn source(self) -> AnswerSource {
        match self {
            Self::Exchange(_) => AnswerSource::TokenEndpoint,
            Self::Keys(awaited) => AnswerSource::Issuer(awaited.issuer()),
        }
    }
}

impl<R> Queue<R> {
    /// A queue of at most `most` requests, each of which waits for `time` at the most.
    pub(super) const fn new(most: usize, time: Duration) -> Self {
        Self {
            waiting: Vec::new(),
            most,
            time,
            clock: Clock::new(),
        }
    }

    /// Whether nobody waits.
    pub(super) const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// For how long a request of so many bytes may wait, `so_far` being what it was given when it
    /// first did; `None` where there is no room, or its time is over.
    pub(super) fn may_wait(
        &mut self,
        so_far: Option<Timer>,
        bytes: usize,
        awaited: Awaited,
        now: UnixTime,
    ) -> Option<Timer> {
        let now = self.clock.read(now);
        let deadline = so_far.unwrap_or_else(|| Timer::new(now, self.time));
        let has_room = self.fits(bytes) || self.greedier(awaited.source(), bytes).is_some();
        (has_room && !deadline.is_over(now)).then_some(deadline)
    }

    /// Takes a request that [`may_wait`](Self::may_wait).
    pub(super) fn push(&mut self, request: R, bytes: usize, awaited: Awaited, deadline: Timer) {
        while !self.fits(bytes) {
            let Some(greedy) = self.greedier(awaited.source(), bytes) else {
                break;
            };
            let of_it = |waiting: &&mut WaitingRequest<R>| waiting.is_of(greedy);
            if let Some(newest) = self.waiting.iter_mut().rev().find(of_it) {
                newest.gives_way = true;
                newest.deadline = Timer::OVER;
            }
        }
        self.waiting.push(WaitingRequest {
            request,
            bytes,
            awaited,
            since: self.clock.last().wall,
            deadline,
            gives_way: false,
        });
    }

    /// Releases requests whose time has passed, or for which `is_over` says so by what they wait
    /// for and how long they still may; longest waiting first. Without a clock everybody, since
    /// nobody knows whose time has passed.
    pub(super) fn take_ready(
        &mut self,
        now: Option<UnixTime>,
        is_over: impl Fn(Awaited, Duration) -> bool,
    ) -> Vec<Released<R>> {
        let now = now.map(|now| self.clock.read(now));
        // A clock that was set makes nobody wait for longer than may be waited.
        let passed = |since| now.map_or(Duration::ZERO, |now| now.wall.since(since).min(self.time));
        self.waiting
            .extract_if(.., |waiting| {
                now.is_none_or(|now| {
                    waiting.deadline.is_over(now)
                        || is_over(waiting.awaited, waiting.deadline.left_at_most(now))
                })
            })
            .take(MAX_RELEASED)
            .map(|waiting| Released {
                request: waiting.request,
                deadline: waiting.deadline,
                awaited: waiting.awaited,
                waited: passed(waiting.since),
            })
            .collect()
    }

    /// Every request that waits, longest waiting first.
    pub(super) fn into_requests(self) -> Vec<R> {
        let requests = self.waiting.into_iter();
        requests.map(|waiting| waiting.request).collect()
    }

    /// Takes a request out whose client is gone.
    pub(super) fn take(&mut self, is_gone: impl Fn(&R) -> bool) -> Option<R> {
        let place = (self.waiting.iter()).position(|waiting| is_gone(&waiting.request))?;
        Some(self.waiting.remove(place).request)
    }

    /// Whether another request of so many bytes has a place.
    fn fits(&self, bytes: usize) -> bool {
        let all = self.share(|_| true);
        all.count < self.most && all.bytes.saturating_add(bytes) <= MAX_BYTES
    }

    /// The source whose callers take most, where that is more than this one's would with another
    /// request.
    fn greedier(&self, source: AnswerSource, bytes: usize) -> Option<AnswerSource> {
        let own = self.share(|waiting| waiting.is_of(source));
        let is_full = self.share(|_| true).count >= self.most;
        let size = |share: Share| if is_full { share.count } else { share.bytes };
        let joined = size(Share {
            count: own.count.saturating_add(1),
            bytes: own.bytes.saturating_add(bytes),
        });
        let mut most = (joined, None);
        let mut seen: Vec<AnswerSource> = vec![source];
        for waiting in self.waiting.iter().filter(|waiting| !waiting.gives_way) {
            let other = waiting.awaited.source();
            if seen.contains(&other) {
                continue;
            }
            seen.push(other);
            let share = size(self.share(|waiting| waiting.is_of(other)));
            if share > most.0 {
                most = (share, Some(other));
            }
        }
        most.1
    }

    fn share(&self, of: impl Fn(&WaitingRequest<R>) -> bool) -> Share {
        let counted = self.waiting.iter().filter(|waiting| !waiting.gives_way);
        counted
            .filter(|waiting| of(waiting))
            .fold(Share::default(), |share, waiting| Share {
                count: share.count.saturating_add(1),
                bytes: share.bytes.saturating_add(waiting.bytes),
            })
    }
}

impl<R> WaitingRequest<R> {
    fn is_of(&self, source: AnswerSource) -> bool {
        !self.gives_way && self.awaited.source() == source
    }
}

/// Requests released at once; the rest follow with the next ticks. Envoy carries each answer out
/// after the call that gave it, inside the one before, and some hundreds of them nested exhaust the
/// VM's stack.
const MAX_RELEASED: usize = 32;

/// What requests that wait may hold together, on each worker.
const MAX_BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(START)
            .unwrap()
            .after(Duration::from_secs(seconds))
    }

    fn keys_of(issuer: usize) -> Awaited {
        Awaited::Keys(authorize::AwaitedKeys::First(IssuerIndex(issuer)))
    }

    /// A queue in which each request is named by its issuer and when it came.
    struct Room(Queue<(usize, usize)>, usize);

    impl Room {
        fn new(most: usize) -> Self {
            Self(Queue::new(most, Duration::from_secs(5)), 0)
        }

        /// Whether a request of this issuer's is let in.
        fn come(&mut self, issuer: usize, bytes: usize) -> bool {
            let awaited = keys_of(issuer);
            let Some(deadline) = self.0.may_wait(None, bytes, awaited, at(0)) else {
                return false;
            };
            self.1 = self.1.saturating_add(1);
            self.0.push((issuer, self.1), bytes, awaited, deadline);
            true
        }

        /// Those who gave way.
        fn go(&mut self) -> Vec<(usize, usize)> {
            let released = self.0.take_ready(Some(at(0)), |_, _| false);
            released.into_iter().map(|gone| gone.request).collect()
        }
    }

    #[test]
    fn one_source_has_all_of_it_while_nobody_waits_for_another() {
        let mut room = Room::new(1024);
        assert_eq!((0..1000).filter(|_| room.come(0, 2000)).count(), 1000);
        assert_eq!((0..1000).filter(|_| room.come(0, 2000)).count(), 24);
        assert_eq!(room.go(), []);
    }

    #[test]
    fn where_it_is_full_the_greediest_gives_way_until_all_have_as_much() {
        let mut room = Room::new(6);
        assert!((0..6).all(|_| room.come(0, 1)));
        assert!(room.come(1, 1), "nobody waits for it");
        assert_eq!(room.go(), [(0, 6)], "the newest of the other's");
        assert!(room.come(1, 1) && room.come(1, 1));
        assert!(!room.come(1, 1), "it has its half");
        assert!(!room.come(0, 1), "and so has the first");
        assert_eq!(room.go(), [(0, 4), (0, 5)]);
        assert!(room.come(2, 1) && room.come(2, 1));
        assert!(!room.come(2, 1), "a third each");
        let mut gone = room.go();
        gone.sort_unstable();
        assert_eq!(gone, [(0, 3), (1, 9)]);
        assert_eq!(room.0.waiting.len(), 6);
    }

    #[test]
    fn bytes_are_shared_as_places_are() {
        let mut room = Room::new(1024);
        let quarter = MAX_BYTES / 4;
        assert!((0..4).all(|_| room.come(0, quarter)));
        assert!(!room.come(0, 1));
        assert!(room.come(1, quarter) && room.come(1, quarter));
        assert!(!room.come(1, 1) && !room.come(0, 1));
        assert_eq!(room.go(), [(0, 3), (0, 4)]);
        assert!(!room.come(2, MAX_BYTES), "larger than anybody's share");
        assert_eq!(room.go(), []);
    }

    #[test]
    fn who_gave_way_or_waited_long_enough_may_not_wait_again() {
        let mut queue = Queue::new(1, Duration::from_secs(5));
        let first = queue.may_wait(None, 1, keys_of(0), at(0)).unwrap();
        queue.push("first", 1, keys_of(0), first);
        assert_eq!(queue.may_wait(None, 1, keys_of(1), at(0)), None, "one each");
        for second in 1..5 {
            assert!(queue.take_ready(Some(at(second)), |_, _| false).is_empty());
        }
        let gone = queue.take_ready(Some(at(5)), |_, _| false);
        assert_eq!(gone.first().map(|gone| gone.request), Some("first"));
        assert_eq!(queue.may_wait(Some(first), 1, keys_of(0), at(5)), None);
        let mut room = Room::new(2);
        assert!(room.come(0, 1) && room.come(0, 1) && room.come(1, 1));
        let gone = room.0.take_ready(Some(at(0)), |_, _| false);
        let deadline = gone.first().map(|gone| gone.deadline);
        while room.0.take(|_| true).is_some() {}
        assert_eq!(deadline, Some(Timer::OVER));
        assert_eq!(room.0.may_wait(deadline, 1, keys_of(0), at(0)), None);
    }

    #[test]
    fn however_the_clock_is_set_nobody_waits_for_longer_or_is_sent_away_for_one_look() {
        let years = 5 * 365 * 24 * 3600;
        for step in [4, 60, 3600, years, -4, -60, -3600, -years] {
            let mut queue = Queue::new(8, Duration::from_secs(5));
            let deadline = queue.may_wait(None, 1, keys_of(0), at(0)).unwrap();
            queue.push((), 1, keys_of(0), deadline);
            let set = START.checked_add_signed(step).unwrap();
            let mut gone = None;
            for second in 0..=6 {
                let now = UnixTime::from_seconds(set).unwrap();
                let now = now.after(Duration::from_secs(second));
                let released = queue.take_ready(Some(now), |_, left| left.is_zero());
                if !released.is_empty() {
                    gone = gone.or(Some(second));
                }
            }
            assert!(
                gone.is_some_and(|second| (2..=5).contains(&second)),
                "{step}: {gone:?}"
            );
        }
    }

    #[test]
    fn without_a_clock_nobody_waits() {
        let mut queue = Queue::new(8, Duration::from_secs(5));
        let deadline = queue.may_wait(None, 1, keys_of(0), at(0)).unwrap();
        queue.push((), 1, keys_of(0), deadline);
        assert_eq!(queue.take_ready(None, |_, _| false).len(), 1);
        assert!(queue.is_empty());
    }
}
