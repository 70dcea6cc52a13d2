//! Proofs that were seen, so that none is taken twice (RFC 9449 §11.1): a worker's memory of them.
//!
//! A proof is fresh for a minute by the time of day, which may come twice where a clock is set
//! back. So they are kept for hours, and forgotten sooner only where there is no room.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use crate::denial::Denial;
use crate::request::dpop::InvalidProof;
use crate::time::UnixTime;
use crate::time::clock::{Clock, Reading, Timer};
use crate::token::dpop::Proof;
use crate::token::jwk::Thumbprint;

use super::sender::{MAX_AGE, MAX_AHEAD};

/// A worker's memory of proofs.
///
/// Of each there is a hash alone, keyed by a number that nobody outside knows. Two proofs that meet
/// in one refuse the later of them, which happens to fewer than one in 10¹³, and never let one pass
/// for new that is not.
///
/// Invariant: every proof that was taken within [`SPAN`] is in one of the two tables, so that one
/// of them can be dropped as a whole.
pub struct SeenProofs {
    young: Table,
    old: Table,
    random: RandomState,
    clock: Clock,
    /// Whether the old ones are old enough to be dropped where room is needed.
    fresh: Timer,
    /// Whether they are to be dropped all the same.
    kept: Timer,
    /// When the latest proof was made that was dropped.
    forgotten: Option<UnixTime>,
}

/// The memory, and whose request it is.
#[derive(Clone, Copy)]
pub struct Replays<'a> {
    /// The memory.
    pub seen: &'a RefCell<SeenProofs>,
    /// A number that no other request has, as long as its proof is fresh: one that had to wait is
    /// judged again, and its own proof is no replay.
    pub request: u64,
}

impl SeenProofs {
    /// Has seen none.
    pub fn new(random: RandomState) -> Self {
        Self {
            young: Table::default(),
            old: Table::default(),
            random,
            clock: Clock::new(),
            fresh: Timer::OVER,
            kept: Timer::OVER,
            forgotten: None,
        }
    }

    fn take(
        &mut self,
        proof: &Proof,
        key: Thumbprint,
        request: u64,
        now: UnixTime,
    ) -> Result<(), Denial> {
        let reading = self.clock.read(now);
        if self.kept.is_over(reading) {
            self.turn(reading);
        }
        // It may have been dropped, and be fresh a second time: the clock was set back. Not by more
        // than anybody's tokens live, or one that was years ahead would have every proof refused
        // for years.
        let is_forgotten =
            |latest: UnixTime| proof.issued_at <= latest && latest.since(now) <= MOST_DOUBTED;
        if self.forgotten.is_some_and(is_forgotten) {
            return Err(InvalidProof::Expired.into());
        }
        // A client need not know which IDs others take.
        let hash = self.random.hash_one((key, &*proof.id)).max(1);
        for table in [&mut self.young, &mut self.old] {
            match table.place(hash) {
                Some(seen) if seen.hash == hash => {
                    return if seen.request == request {
                        Ok(())
                    } else {
                        Err(InvalidProof::Replayed.into())
                    };
                }
                Some(_) | None => {}
            }
        }
        let seen = Seen { hash, request };
        if self.young.put(seen, proof.issued_at) {
            return Ok(());
        }
        if self.fresh.is_over(reading) {
            self.turn(reading);
            if self.young.put(seen, proof.issued_at) {
                return Ok(());
            }
        }
        Err(Denial::ProofsUnremembered)
    }

    /// Drops the old ones, and has the young ones grow old.
    fn turn(&mut self, now: Reading) {
        let dropped = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        self.forgotten = self.forgotten.max(dropped.latest);
        self.fresh = Timer::new(now, SPAN);
        self.kept = Timer::new(now, KEPT);
    }
}

impl Replays<'_> {
    /// Remembers a good proof, or refuses it: as one that was seen before, or because there is no
    /// place to recognize it later.
    pub(super) fn take(&self, proof: &Proof, key: Thumbprint, now: UnixTime) -> Result<(), Denial> {
        self.seen.borrow_mut().take(proof, key, self.request, now)
    }
}

/// Open addressing, one place after the other. Nothing is ever taken out. Hashbrown's tables would
/// do, and cost the module a kilobyte more.
///
/// Invariant: a quarter of the places is free at least.
#[derive(Default)]
struct Table {
    places: Vec<Seen>,
    taken: usize,
    /// When the latest of them was made.
    latest: Option<UnixTime>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    /// Zero where the place is free.
    hash: u64,
    request: u64,
}

impl Table {
    /// The place that has this hash, or the free one where it would go.
    #[inline(never)]
    fn place(&mut self, hash: u64) -> Option<&mut Seen> {
        let places = u64::try_from(self.places.len()).ok()?;
        let first = usize::try_from(hash.checked_rem(places)?).ok()?;
        let (before, behind) = self.places.split_at_mut_checked(first)?;
        behind
            .iter_mut()
            .chain(before)
            .find(|seen| seen.hash == hash || seen.hash == 0)
    }

    /// Puts in what is not there, of a proof that was made at `issued_at`. `false` where there is
    /// no room.
    fn put(&mut self, seen: Seen, issued_at: UnixTime) -> bool {
        if self.taken >= self.places.len().saturating_mul(3) / 4 {
            let places = self.places.len().saturating_mul(2).max(LEAST_PLACES);
            if places > MOST_PLACES {
                return false;
            }
            let places = vec![Seen::default(); places];
            for seen in std::mem::replace(&mut self.places, places) {
                self.set(seen);
            }
        }
        self.taken = self.taken.saturating_add(1);
        self.latest = self.latest.max(Some(issued_at));
        self.set(seen)
    }

    fn set(&mut self, seen: Seen) -> bool {
        let place = self.place(seen.hash);
        place.map(|place| *place = seen).is_some()
    }
}

/// For how long after its first use a proof is fresh at the most.
const SPAN: Duration = MAX_AGE.saturating_add(MAX_AHEAD);

/// How long proofs are kept at least where there is room: as far as a clock may be set back, so
/// that none is taken twice.
const KEPT: Duration = Duration::from_hours(2);

/// As far as a clock may be set back so that proofs are refused that may have been dropped.
const MOST_DOUBTED: Duration = Duration::from_hours(24);

const LEAST_PLACES: usize = 256;

/// In each table: 2 MiB. Three quarters of them are room for 1,400 new proofs each second on one
/// worker. To forget one that is fresh would let it be taken again, so past this they are refused.
const MOST_PLACES: usize = 131_072;

#[cfg(test)]
mod tests;
