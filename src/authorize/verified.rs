//! Tokens that were verified before, so that their signature is not verified again.
//!
//! What is kept is what a signature proved, never a decision: the token's claims as its issuer's,
//! or why it is refused; and, of the same configuration, a valid token's effective access in a
//! workspace. Whether that still stands is judged at each use, by
//! [`authenticate`](super::authenticate): the keys may have changed, and time goes on.
//!
//! Only valid signatures get in, so nobody fills it who cannot have tokens signed, and what gets in
//! is bounded in number and in bytes.

mod claimed;
mod fresh;
mod lookup;
mod proof;
mod rulings;

use std::hash::{BuildHasher as _, RandomState};
use std::rc::Rc;

use hashbrown::HashTable;

use crate::policy::EffectiveAccess;
use crate::request::workspace::WorkspaceId;
use crate::token::bearer::{BearerToken, KeptToken};
use crate::token::jws::UnverifiedClaims;

pub use fresh::Fresh;
use fresh::MAX_FRESH;
use lookup::EntryId;
pub(super) use lookup::{Presented, TokenLookup};
pub(super) use proof::{Fact, Recall, VerifiedProof};
use rulings::Rulings;

/// A worker's memory of tokens.
///
/// Invariant: `places` holds the position of every entry once, under the entry's hash; `bytes` is
/// the sum of theirs.
pub struct VerifiedTokens {
    entries: Vec<RememberedToken>,
    places: HashTable<usize>,
    keys: [u64; 2],
    limits: MemoryLimits,
    bytes: usize,
    /// The entry that is looked at next when room is needed.
    hand: usize,
    counts: Counts,
    /// Entries that were ever made.
    made: u64,
    fresh: Vec<Fresh>,
    /// What their bearers requested; absent where nothing is remembered.
    rulings: Option<Rulings>,
}

/// How much is remembered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MemoryLimits {
    /// Tokens; with none, nothing is.
    pub tokens: usize,
    /// Bytes that they take, with all that is kept of each.
    pub bytes: usize,
}

/// What came of it so far.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Tokens that were answered for without verifying a signature.
    pub hits: u64,
    /// Tokens that were not.
    pub misses: u64,
    /// Entries that made room for others.
    pub evictions: u64,
}

struct RememberedToken {
    hash: u64,
    token: KeptToken,
    /// Counts through all that were ever made: unlike its place, it never is another's.
    number: u64,
    proof: VerifiedProof,
    /// The effective access of a valid token, in the workspaces where it was used last.
    by_workspace: Vec<Placed>,
    /// What a refused token says of itself, once that was needed.
    claimed: Option<Rc<UnverifiedClaims>>,
    bytes: usize,
    /// Of use since the hand last came by.
    used: bool,
}

/// The effective access of a token in a workspace.
type Placed = (Option<WorkspaceId>, Rc<EffectiveAccess>);

impl VerifiedTokens {
    /// Remembers nothing yet. `random` keeps callers from choosing where their tokens go.
    pub fn new(limits: MemoryLimits, random: &RandomState) -> Self {
        Self {
            entries: Vec::new(),
            places: HashTable::new(),
            keys: [0_u8, 1].map(|number| random.hash_one(number)),
            limits,
            bytes: 0,
            hand: 0,
            counts: Counts::default(),
            made: 0,
            fresh: Vec::new(),
            rulings: (limits.tokens > 0).then(|| Rulings::new(random.hash_one(2_u8))),
        }
    }

    /// The valid tokens whose signature was verified since the last call of this, remembered or
    /// not.
    pub fn take_fresh(&mut self) -> Vec<Fresh> {
        std::mem::take(&mut self.fresh)
    }

    /// What the policy said of requests.
    pub(super) const fn rulings(&self) -> Option<&Rulings> {
        self.rulings.as_ref()
    }

    /// The same, to be added to.
    pub(super) const fn rulings_mut(&mut self) -> Option<&mut Rulings> {
        self.rulings.as_mut()
    }

    /// What came of it so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// How many tokens are remembered.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes that they take.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Recalls what is known of a token, if `stands` finds that it still holds; what does not is
    /// forgotten or left, as it says.
    pub(super) fn recall<T>(
        &mut self,
        token: Presented<'_>,
        stands: impl FnOnce(&mut VerifiedProof) -> Recall<T>,
    ) -> Option<T> {
        let found = self
            .place_of(token)
            .and_then(|place| Some((place, self.entries.get_mut(place)?)));
        let recalled = match found {
            None => Recall::Unsure,
            Some((place, entry)) => {
                let recalled = stands(&mut entry.proof);
                match &recalled {
                    Recall::Holds(_) => entry.used = true,
                    Recall::Gone => self.remove(place),
                    Recall::Unsure => {}
                }
                recalled
            }
        };
        if let Recall::Holds(value) = recalled {
            self.counts.hits = self.counts.hits.saturating_add(1);
            return Some(value);
        }
        self.counts.misses = self.counts.misses.saturating_add(1);
        None
    }

    /// Remembers what a token turned out to be, in place of what was known of it, and of others
    /// where there is no room.
    pub(super) fn remember(&mut self, token: BearerToken<'_>, proof: VerifiedProof) {
        if let Fact::Valid(valid) = &proof.fact
            && self.fresh.len() < MAX_FRESH
        {
            self.fresh.push(Fresh::of(proof.issuer, valid));
        }
        let text = token.as_bytes();
        let hash = hash(self.keys, text);
        if let Some(place) = self.find(token) {
            self.remove(place);
        }
        let bytes = size_of::<RememberedToken>()
            .saturating_add(PLACE_BYTES)
            .saturating_add(text.len())
            .saturating_add(proof.fact.bytes());
        if self.limits.tokens == 0 || bytes > self.limits.bytes {
            return;
        }
        while self.entries.len() >= self.limits.tokens
            || self.bytes.saturating_add(bytes) > self.limits.bytes
        {
            self.evict();
        }
        let place = self.entries.len();
        self.made = self.made.saturating_add(1);
        self.entries.push(RememberedToken {
            hash,
            token: KeptToken::of(token),
            number: self.made,
            proof,
            by_workspace: Vec::new(),
            claimed: None,
            bytes,
            used: false,
        });
        self.bytes = self.bytes.saturating_add(bytes);
        let entries = &self.entries;
        self.places.insert_unique(hash, place, |&place| {
            entries.get(place).map_or(0, |entry| entry.hash)
        });
    }

    /// The effective access of a token in a workspace: worked out where it is not remembered
    /// with the token, and remembered then.
    pub(super) fn effective_access(
        &mut self,
        token: Presented<'_>,
        workspace: Option<WorkspaceId>,
        work_out: impl FnOnce() -> Rc<EffectiveAccess>,
    ) -> Rc<EffectiveAccess> {
        let place = self.place_of(token);
        let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) else {
            return work_out();
        };
        let mut known = entry.by_workspace.iter();
        if let Some((_, access)) = known.find(|(known, _)| *known == workspace) {
            return Rc::clone(access);
        }
        let access = work_out();
        let bytes = placed_bytes(&access);
        if entry.bytes.saturating_add(bytes) > self.limits.bytes {
            return access;
        }
        let mut given_up = 0;
        if entry.by_workspace.len() >= MAX_WORKSPACES {
            let (_, oldest) = entry.by_workspace.remove(0);
            given_up = placed_bytes(&oldest);
        }
        entry.by_workspace.push((workspace, Rc::clone(&access)));
        for sum in [&mut entry.bytes, &mut self.bytes] {
            *sum = sum.saturating_add(bytes).saturating_sub(given_up);
        }
        while self.bytes > self.limits.bytes {
            self.evict();
        }
        access
    }

    /// Makes room: the first entry that was of no use since the hand last came by, or else the last
    /// of those it looks at.
    fn evict(&mut self) {
        for _ in 0..MAX_SPARED {
            match self.entries.get_mut(self.hand) {
                Some(entry) if entry.used => {
                    entry.used = false;
                    self.hand = self.hand.saturating_add(1);
                }
                Some(_) => break,
                None => self.hand = 0,
            }
        }
        if self.hand >= self.entries.len() {
            self.hand = 0;
        }
        self.remove(self.hand);
        self.counts.evictions = self.counts.evictions.saturating_add(1);
    }

    /// Takes an entry out. The last one moves into its place.
    fn remove(&mut self, place: usize) {
        let last = self.entries.len().saturating_sub(1);
        let (Some(hash), Some(moved)) = (self.hash_at(place), self.hash_at(last)) else {
            return;
        };
        if let Ok(entry) = self.places.find_entry(hash, |&other| other == place) {
            entry.remove();
        }
        if let Some(other) = self.places.find_mut(moved, |&other| other == last) {
            *other = place;
        }
        let entry = self.entries.swap_remove(place);
        self.bytes = self.bytes.saturating_sub(entry.bytes);
    }

    fn hash_at(&self, place: usize) -> Option<u64> {
        self.entries.get(place).map(|entry| entry.hash)
    }

    /// The token that a text is, and its entry, where it is remembered.
    fn recognize<'t>(&self, text: &'t [u8]) -> Option<(BearerToken<'t>, EntryId)> {
        let hash = hash(self.keys, text);
        let mut recognized = None;
        self.places.find(hash, |&place| {
            let entry = self.entries.get(place).filter(|entry| entry.hash == hash);
            let found = entry.and_then(|entry| {
                let token = entry.token.recognized_in(text)?;
                let number = entry.number;
                Some((token, EntryId { place, number }))
            });
            recognized = found;
            recognized.is_some()
        });
        recognized
    }

    fn find(&self, token: BearerToken<'_>) -> Option<usize> {
        let (_, id) = self.recognize(token.as_bytes())?;
        Some(id.place)
    }

    /// Where a token is remembered. One that was recognized is not compared again, unless its entry
    /// has moved or gone since.
    #[inline]
    fn place_of(&self, token: Presented<'_>) -> Option<usize> {
        let is_there = |id: &EntryId| {
            let entry = self.entries.get(id.place);
            entry.is_some_and(|entry| entry.number == id.number)
        };
        if let Some(id) = token.entry.filter(is_there) {
            return Some(id.place);
        }
        self.find(token.text)
    }
}

/// Of the end only: that is signature, which nobody chooses, and tells tokens apart as well as the
/// whole would.
fn hash(keys: [u64; 2], text: &[u8]) -> u64 {
    let end: [u8; 16] = text.last_chunk().copied().unwrap_or_default();
    let (words, _) = end.as_chunks();
    words.iter().zip(keys).fold(0, |hash, (word, key)| {
        mixed(hash ^ key ^ u64::from_le_bytes(*word))
    })
}

/// What effective access takes with its place in a list, which may have room for as many again.
fn placed_bytes(access: &EffectiveAccess) -> usize {
    size_of::<[Placed; 2]>().saturating_add(access.bytes())
}

/// A number whose every bit depends on every lower one, and on some higher ones.
const fn mixed(number: u64) -> u64 {
    let product = number.wrapping_mul(ODD);
    product ^ (product >> 32)
}

/// 2⁶⁴ over the golden ratio, as Fibonacci hashing has it.
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a place in the table takes, with the room that the table keeps free.
const PLACE_BYTES: usize = 2 * size_of::<usize>() + 2;

/// Workspaces of one token whose effective access is remembered. Most tokens are used in one.
const MAX_WORKSPACES: usize = 4;

/// Entries that one eviction looks at, at most: many enough to find one that is not used, few
/// enough to cost nothing beside a signature.
const MAX_SPARED: usize = 64;

#[cfg(test)]
mod tests;
