//! Proofs that were seen, so that none is taken twice (RFC 9449 §11.1): a worker's memory of them, as long as they are fresh.

use std::cell::RefCell;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use hashbrown::HashTable;

use crate::denial::Denial;
use crate::request::dpop::InvalidProof;
use crate::time::UnixTime;
use crate::token::dpop::Proof;
use crate::token::jwk::Thumbprint;

use super::sender::{MAX_AGE, MAX_AHEAD};

/// A worker's memory of proofs.
///
/// Of each there is a hash alone, keyed by a number that nobody outside knows. Two proofs that meet in one refuse the later of them, which
/// happens to fewer than one in 10¹³, and never let one pass for new that is not.
///
/// Invariant: every proof that was taken and is still fresh is in one of the two tables, so that one of them can be dropped as a whole.
pub struct SeenProofs {
    young: HashTable<Seen>,
    old: HashTable<Seen>,
    random: RandomState,
    /// When the young ones became the old ones.
    turned_at: UnixTime,
}

/// The memory, and who is asking.
#[derive(Clone, Copy)]
pub struct Replays<'a> {
    /// The memory.
    pub seen: &'a RefCell<SeenProofs>,
    /// A number that no other request has meanwhile: one that had to wait is judged again, and its own proof is no replay.
    pub request: u32,
}

struct Seen {
    hash: u64,
    request: u32,
}

impl SeenProofs {
    /// Has seen none.
    pub fn new(random: RandomState) -> Self {
        Self {
            young: HashTable::new(),
            old: HashTable::new(),
            random,
            turned_at: UnixTime::EPOCH,
        }
    }

    fn take(
        &mut self,
        proof: &Proof,
        key: Thumbprint,
        request: u32,
        now: UnixTime,
    ) -> Result<(), Denial> {
        if now >= self.turned_at.after(SPAN) {
            self.old = std::mem::take(&mut self.young);
            self.turned_at = now;
        }
        // It was fresh once and may have been dropped since: the clock was set back.
        if proof.issued_at.after(MAX_AGE) < self.turned_at {
            return Err(InvalidProof::Expired.into());
        }
        // A client need not know which IDs others take.
        let hash = self.random.hash_one((key, &*proof.id));
        for table in [&self.young, &self.old] {
            if let Some(seen) = table.find(hash, |seen| seen.hash == hash) {
                return if seen.request == request {
                    Ok(())
                } else {
                    Err(InvalidProof::Replayed.into())
                };
            }
        }
        if self.young.len() >= MAX_PROOFS {
            return Err(Denial::ProofsUnremembered);
        }
        let entry = Seen { hash, request };
        self.young.insert_unique(hash, entry, |seen| seen.hash);
        Ok(())
    }
}

impl Replays<'_> {
    /// Remembers a good proof, or refuses it: as one that was seen before, or because there is no room to tell it later.
    pub(super) fn take(&self, proof: &Proof, key: Thumbprint, now: UnixTime) -> Result<(), Denial> {
        self.seen.borrow_mut().take(proof, key, self.request, now)
    }
}

/// For how long after its first use a proof is fresh at the most.
const SPAN: Duration = MAX_AGE.saturating_add(MAX_AHEAD);

/// In each table: as many as fit 2¹⁷ places, so both take 4.5 MB, and 1,600 new proofs each second on one worker have room. To forget one
/// that is fresh would let it be taken again, so past this they are refused.
const MAX_PROOFS: usize = 114_688;

#[cfg(test)]
mod tests;
