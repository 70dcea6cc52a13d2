//! Proofs that were seen, so that none is taken twice (RFC 9449 §11.1): a worker's memory of them.
//!
//! A proof is fresh for a minute by the time of day, which may come twice where a clock is set
//! back. So they are kept for hours, and forgotten sooner only where there is no room.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use hashbrown::HashTable;

use crate::denial::Denial;
use crate::request::dpop::InvalidProof;
use crate::time::UnixTime;
use crate::time::clock::{Clock, Reading, Timer};
use crate::token::dpop::Proof;
use crate::token::jwk::Thumbprint;

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
        let hash = self.random.hash_one((key, &*proof.id));
        for table in [&self.young, &self.old] {
            if let Some(seen) = table.find(hash) {
                return if seen.request == request {
                    Ok(())
                } else {
                    Err(InvalidProof::Replayed.into())
                };
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

/// Proofs of one time. Nothing is ever taken out.
#[derive(Default)]
struct Table {
    proofs: HashTable<Seen>,
    /// When the latest of them was made.
    latest: Option<UnixTime>,
}

#[derive(Clone, Copy)]
struct Seen {
    hash: u64,
    request: u64,
}

impl Table {
    fn find(&self, hash: u64) -> Option<&Seen> {
        self.proofs.find(hash, |seen| seen.hash == hash)
    }

    /// Puts in what is not there, of a proof that was made at `issued_at`. `false` where there is
    /// no room.
    fn put(&mut self, seen: Seen, issued_at: UnixTime) -> bool {
        if self.proofs.len() >= MAX_PROOFS {
            return false;
        }
        self.proofs.insert_unique(seen.hash, seen, |seen| seen.hash);
        self.latest = self.latest.max(Some(issued_at));
        true
    }
}

/// How old a proof may be: made for one request, it is as old as that took to get here, on a client
/// whose clock may be behind. RFC 9449 §11.1 speaks of seconds or minutes.
pub(super) const MAX_AGE: Duration = Duration::from_mins(1);

/// How far a client's clock may be ahead. Less than it may be behind, since whoever can sign today
/// what is taken later needs the key no more.
pub(super) const MAX_AHEAD: Duration = Duration::from_secs(10);

/// For how long after its first use a proof is fresh at the most.
const SPAN: Duration = MAX_AGE.saturating_add(MAX_AHEAD);

/// How long proofs are kept at least where there is room: as far as a clock may be set back, so
/// that none is taken twice.
const KEPT: Duration = Duration::from_hours(2);

/// As far as a clock may be set back so that proofs are refused that may have been dropped.
const MOST_DOUBTED: Duration = Duration::from_hours(24);

/// In each table, which takes 2.2 MiB then: 1,400 new proofs each second on one worker. To forget
/// one that is fresh would let it be taken again, so past this they are refused.
const MAX_PROOFS: usize = 98_304;

#[cfg(test)]
mod tests;
