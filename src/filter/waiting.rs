//! Requests that wait for an answer from elsewhere before they can be judged.
//!
//! The queue is bounded by count, by bytes, and by half the count for each source, so that one that is down does not take the places of
//! another's callers. Whoever leaves it is judged anew from the first header on.

use crate::authorize;
use crate::exchange::Key;
use crate::key_store::IssuerIndex;
use crate::request::Headers;
use crate::time::UnixTime;

use super::decision_id::DecisionId;

/// A request under judgement, with all that is needed to judge it again.
pub(super) struct Pending {
    pub(super) context_id: u32,
    /// What tells it from every other request of this VM ([`contexts::next_number`](super::contexts::next_number)).
    pub(super) number: u64,
    pub(super) headers: Headers,
    pub(super) source_ip: Option<String>,
    /// Until when it may wait, however often; set when it first does.
    pub(super) deadline: Option<UnixTime>,
    /// The decision's name, where a form is to be judged with the head; its record waits for that.
    pub(super) form: Option<DecisionId>,
}

/// What a request waits for.
#[derive(Clone, Copy)]
pub(super) enum Awaited {
    /// The exchange of its token.
    Exchange(Key),
    /// An issuer's keys.
    Keys(authorize::Awaited),
}

/// Who is to bring what is awaited.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Source {
    TokenEndpoint,
    Issuer(IssuerIndex),
}

/// The requests that wait.
pub(super) struct Queue {
    waiting: Vec<Waiting>,
    most: usize,
    most_each: usize,
}

struct Waiting {
    request: Pending,
    awaited: Awaited,
    deadline: UnixTime,
}

impl Awaited {
    const fn source(self) -> Source {
        match self {
            Self::Exchange(_) => Source::TokenEndpoint,
            Self::Keys(awaited) => Source::Issuer(awaited.issuer()),
        }
    }
}

impl Queue {
    /// A queue of at most `most` requests that wait for any of so many `sources`.
    pub(super) const fn new(most: usize, sources: usize) -> Self {
        Self {
            waiting: Vec::new(),
            most,
            most_each: if sources > 1 { most.div_ceil(2) } else { most },
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether it takes another request.
    pub(super) fn has_room(&self, request: &Pending, awaited: Awaited) -> bool {
        let same_source = self
            .waiting
            .iter()
            .filter(|other| other.awaited.source() == awaited.source())
            .count();
        let bytes = self
            .waiting
            .iter()
            .map(|other| other.request.headers.bytes())
            .fold(request.headers.bytes(), usize::saturating_add);
        self.waiting.len() < self.most && same_source < self.most_each && bytes <= MAX_BYTES
    }

    /// Takes a request for which there is room.
    pub(super) fn push(&mut self, request: Pending, awaited: Awaited, deadline: UnixTime) {
        let request = Pending {
            deadline: Some(deadline),
            ..request
        };
        self.waiting.push(Waiting {
            request,
            awaited,
            deadline,
        });
    }

    /// Releases requests whose deadline has passed, or for which `is_over` says so, longest waiting first.
    pub(super) fn take_ready(
        &mut self,
        now: UnixTime,
        is_over: impl Fn(Awaited, UnixTime) -> bool,
    ) -> Vec<Pending> {
        self.waiting
            .extract_if(.., |waiting| {
                now >= waiting.deadline || is_over(waiting.awaited, waiting.deadline)
            })
            .take(MAX_RELEASED)
            .map(|waiting| waiting.request)
            .collect()
    }

    /// Forgets a request whose client is gone.
    pub(super) fn forget(&mut self, number: u64) {
        self.waiting
            .retain(|waiting| waiting.request.number != number);
    }
}

/// Requests released at once; the rest follow with the next ticks. Envoy carries each answer out after the call that gave it, inside the
/// one before, and some hundreds of them nested exhaust the VM's stack.
const MAX_RELEASED: usize = 32;

/// What requests that wait may hold together, on each worker.
const MAX_BYTES: usize = 16 * 1024 * 1024;
