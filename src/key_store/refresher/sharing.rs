//! One fetch for all workers of a process: each refresher's part in it.
//!
//! Each worker looks into the document's [`Slot`] now and then, takes what is newer there than its
//! own, and fetches only with the lease, which it writes there. A write counts only if nobody wrote
//! since the look ([`Refresher::on_written`]), so one worker has the lease; one that is gone loses
//! it by the clock. What comes of a fetch goes into the slot, failures too, and their back-off and
//! the cool-down of early refreshes hold for all.

use std::time::Duration;

use crate::callout::flight;
use crate::callout::retry::Jitter;
use crate::key_store::slot::{self, Consulted, FetchedDocument, Lease, Slot};
use crate::key_store::source::Addresses;
use crate::time::UnixTime;
use crate::time::clock::{Reading, Timer};
use crate::token::jwk_set::JwkSet;

use super::{EARLY_REFRESH_COOL_DOWN, MAX_BACK_OFF, Refresher, Tried};

/// One worker's dealings with the others.
pub(super) struct Sharing {
    /// The slot's name.
    name: Box<str>,
    /// This worker's own number.
    holder: u64,
    /// As long as this worker may begin a fetch: the lease is its own for as long as the answer may
    /// take.
    begins_by: Option<Timer>,
    /// As long as it is another's.
    elsewhere: Option<Timer>,
    /// When to look again.
    look: Timer,
    /// Whether newer keys are wanted before the old ones are due.
    early: bool,
    /// What is to be written.
    outcome: Option<FetchOutcome>,
    /// What the write under way is for.
    written: LastWrite,
    /// Writes in a row for which others were faster.
    overtaken: u32,
    /// Fetches in a row that could not be sent from here.
    pub(super) unsent: u32,
    /// As long as none is tried from here.
    barred: Timer,
}

/// What came of a fetch.
enum FetchOutcome {
    Failed(Tried),
    Keys {
        /// How long they are fresh by their issuer's word.
        granted: Option<Duration>,
        /// The document.
        body: Box<[u8]>,
    },
}

#[derive(Clone, Copy)]
enum LastWrite {
    Claim { begins_by: Timer },
    Outcome,
}

impl Sharing {
    /// Whether this worker may begin a fetch.
    pub(super) fn may_begin(&self, now: Reading) -> bool {
        self.begins_by.is_some_and(|last| !last.may_be_over(now))
    }

    /// Whether the lease is another's.
    fn is_elsewhere(&self, now: Reading) -> bool {
        self.elsewhere.is_some_and(|until| !until.may_be_over(now))
    }

    /// Whether another fetches, or this worker is about to look whether it may.
    pub(super) fn expects(&self, now: Reading) -> bool {
        self.early || self.is_elsewhere(now)
    }

    /// Publishes the document to the other workers at the next poll. The lease is over with the
    /// fetch: it is given back with what is published.
    pub(super) fn succeed(&mut self, granted: Option<Duration>, body: &[u8]) {
        self.begins_by = None;
        self.outcome = Some(FetchOutcome::Keys {
            granted,
            body: body.into(),
        });
    }

    /// Publishes a failure to the other workers at the next poll. Where no request was sent, they
    /// may try at once, and only this worker waits.
    pub(super) fn fail(&mut self, tried: Tried, due: Timer) {
        if matches!(tried, Tried::Unsent) {
            self.barred = due;
        }
        self.begins_by = None;
        self.outcome = Some(FetchOutcome::Failed(tried));
    }

    /// Newer keys are wanted now.
    pub(super) const fn hurry(&mut self) {
        self.early = true;
        self.look = Timer::OVER;
    }

    /// How long until there is something to do, `due` being how long until a fetch is due, or one
    /// under way counts as lost.
    pub(super) fn next_step(&self, due: Duration, is_under_way: bool, now: Reading) -> Duration {
        let look = self.look.left(now);
        if self.outcome.is_some() {
            Duration::ZERO
        } else if is_under_way || self.begins_by.is_some_and(|last| due < last.left(now)) {
            due
        } else if self.elsewhere.is_some() {
            look
        } else {
            look.min(due)
        }
    }
}

impl Refresher {
    /// From now on by way of the slot; `holder` is a number that no other worker has.
    pub(in super::super) fn share(&mut self, holder: u64) {
        self.sharing = Some(Sharing {
            name: slot::name(&self.remote).into(),
            holder,
            begins_by: None,
            elsewhere: None,
            look: Timer::OVER,
            early: false,
            outcome: None,
            written: LastWrite::Outcome,
            overtaken: 0,
            unsent: 0,
            barred: Timer::OVER,
        });
    }

    /// From now on alone.
    pub(in super::super) fn stop_sharing(&mut self) {
        if self.sharing.take().is_some_and(|sharing| sharing.early) {
            self.due = Timer::OVER;
        }
    }

    /// The name of the slot, where it is to be looked into.
    pub(in super::super) fn slot(&self, now: Reading) -> Option<&str> {
        let sharing = self.sharing.as_ref()?;
        // While it fetches, it knows all there is to know; and with the lease in hand it is about
        // to fetch.
        let busy =
            sharing.outcome.is_none() && (self.under_way.is_some() || sharing.may_begin(now));
        (!busy && self.next_step(now).is_zero()).then_some(&*sharing.name)
    }

    /// Takes what the slot holds, and says what to write there.
    pub(in super::super) fn consult(
        &mut self,
        value: Option<&[u8]>,
        now: Reading,
        jitter: &mut Jitter,
    ) -> Consulted {
        let slot = value
            .and_then(Slot::parse)
            .filter(|slot| slot.is_believable(now.wall, MAX_BACK_OFF));
        if let Some(write) = self.publish(slot, now) {
            return Consulted {
                write: Some(write),
                took: false,
            };
        }
        let took = slot.is_some_and(|slot| self.adopt(&slot, now, jitter));
        Consulted {
            write: self.claim(slot, took, now),
            took,
        }
    }

    /// What to write of a fetch that is over; nothing where it is no news.
    fn publish(&mut self, slot: Option<Slot<'_>>, now: Reading) -> Option<Vec<u8>> {
        let due = now.wall.after(self.due.left(now));
        let sharing = self.sharing.as_mut()?;
        let base = slot.unwrap_or_default();
        let is_mine = base
            .lease
            .is_none_or(|lease| lease.holder == sharing.holder);
        let base = Slot {
            lease: base.lease.filter(|_| !is_mine),
            ..base
        };
        let published = match (&sharing.outcome, &self.keys) {
            (Some(FetchOutcome::Keys { granted, body }), Some(kept)) => {
                let is_news = base.document.is_none_or(|document| {
                    // What was fetched in time to come was fetched before the clock was set back.
                    document.fetched_at < kept.fetched_at || now.wall < document.fetched_at
                });
                is_news.then_some(Slot {
                    due: Some(due),
                    failures: 0,
                    second_address: self.second_address,
                    document: Some(FetchedDocument {
                        fetched_at: kept.fetched_at,
                        granted: *granted,
                        body,
                    }),
                    ..base
                })
            }
            (Some(FetchOutcome::Failed(Tried::Sent)), _) if is_mine => Some(Slot {
                due: Some(due),
                failures: self.failures,
                second_address: self.second_address,
                ..base
            }),
            (Some(FetchOutcome::Failed(Tried::Unsent)), _) if is_mine => Some(base),
            _ => None,
        };
        let published = published.map(Slot::to_bytes);
        match published {
            Some(_) => sharing.written = LastWrite::Outcome,
            None => sharing.outcome = None,
        }
        published
    }

    /// Takes over what the others know. `true` where that is newer keys.
    fn adopt(&mut self, slot: &Slot<'_>, now: Reading, jitter: &mut Jitter) -> bool {
        let newer = slot.document.filter(|document| {
            self.keys.as_ref().is_none_or(|kept| {
                let older = document.fetched_at < kept.fetched_at;
                // What was fetched in time to come was fetched before the clock was set back.
                document.fetched_at > kept.fetched_at || (older && now.wall < kept.fetched_at)
            })
        });
        // What is no key set is as good as nothing.
        let newer = newer.and_then(|document| Some((document, JwkSet::parse(document.body).ok()?)));
        let took = newer.is_some();
        if let Some((document, set)) = newer {
            self.keep(set, document.granted, document.fetched_at, now, jitter);
        }
        self.failures = slot.failures;
        self.second_address = slot.second_address;
        let until = |moment: UnixTime| Timer::new(now, moment.since(now.wall));
        self.cool_down = slot.last_early.map_or(Timer::OVER, |last| {
            until(last.after(EARLY_REFRESH_COOL_DOWN))
        });
        let due = slot.due.map_or(Timer::OVER, until);
        // Put off for longer than anybody would: by another clock, or while there were keys.
        let longest = self.back_off(slot.failures.saturating_sub(1), now);
        let is_odd = due.left(now) > longest.saturating_add(LOOK);
        let due = match &self.keys {
            _ if slot.failures > 0 && is_odd => Timer::OVER,
            _ if slot.failures > 0 => due,
            // The other's configuration may call keys fresh for longer than this one's.
            Some(kept) if took => sooner(due, kept.fresh, now),
            // Where the clock was set, what was due for this worker is so all the same.
            Some(_) => sooner(due, self.due, now),
            None => Timer::OVER,
        };
        if let Some(sharing) = &mut self.sharing {
            if took {
                sharing.unsent = 0;
                sharing.barred = Timer::OVER;
            }
            self.due = later(due, sharing.barred, now);
            let others = slot
                .lease
                .filter(|lease| lease.holder != sharing.holder && now.wall < lease.until);
            sharing.elsewhere = others.map(|lease| until(lease.until));
        }
        took
    }

    /// What to write for the lease, where a fetch is due and nobody has it.
    fn claim(&mut self, slot: Option<Slot<'_>>, took: bool, now: Reading) -> Option<Vec<u8>> {
        let last_early = self.last_early(now);
        let early_may = !took && self.cool_down.may_be_over(now);
        let in_need = self.keys(now).is_none();
        let further: u32 = match self.remote.addresses {
            Addresses::Known(_) => 0,
            Addresses::Discovered(_) => 1,
        };
        let length = flight::longest(self.remote.timeout);
        let sharing = self.sharing.as_mut()?;
        if slot.is_none() {
            sharing.elsewhere = None;
        }
        sharing.begins_by = None;
        sharing.early &= early_may;
        let is_elsewhere = sharing.is_elsewhere(now);
        let soon = is_elsewhere && (in_need || sharing.early);
        sharing.look = Timer::new(now, if soon { LOOK_SOON } else { LOOK });
        if is_elsewhere || (!self.due.may_be_over(now) && !sharing.early) {
            return None;
        }
        let begins_within = length.saturating_mul(further);
        sharing.written = LastWrite::Claim {
            begins_by: Timer::new(now, begins_within.saturating_add(AT_ONCE)),
        };
        let base = slot.unwrap_or(Slot {
            last_early,
            ..Slot::default()
        });
        let claimed = Slot {
            lease: Some(Lease {
                holder: sharing.holder,
                until: now.wall.after(begins_within.saturating_add(length)),
            }),
            last_early: if sharing.early {
                Some(now.wall)
            } else {
                base.last_early
            },
            ..base
        };
        Some(claimed.to_bytes())
    }

    /// When the last early refresh was, as long as its cool-down lasts.
    fn last_early(&self, now: Reading) -> Option<UnixTime> {
        let left = self.cool_down.left(now);
        (!left.is_zero()).then(|| now.wall.after(left).before(EARLY_REFRESH_COOL_DOWN))
    }

    /// Takes what came of a write: whether it was made, or somebody wrote since the look.
    pub(in super::super) fn on_written(&mut self, made: bool) {
        let Some(sharing) = &mut self.sharing else {
            return;
        };
        if !made {
            sharing.overtaken = sharing.overtaken.saturating_add(1);
            sharing.look = Timer::OVER;
            if sharing.overtaken > MOST_OVERTAKEN {
                self.stop_sharing();
            }
            return;
        }
        sharing.overtaken = 0;
        match sharing.written {
            LastWrite::Claim { begins_by } => {
                sharing.begins_by = Some(begins_by);
                self.due = Timer::OVER;
            }
            LastWrite::Outcome => {
                sharing.outcome = None;
                sharing.begins_by = None;
            }
        }
        sharing.early = false;
    }

    /// Whether there are others to share with.
    pub(in super::super) const fn is_sharing(&self) -> bool {
        self.sharing.is_some()
    }
}

fn sooner(one: Timer, other: Timer, now: Reading) -> Timer {
    if other.left(now) < one.left(now) {
        other
    } else {
        one
    }
}

fn later(one: Timer, other: Timer, now: Reading) -> Timer {
    if other.left(now) > one.left(now) {
        other
    } else {
        one
    }
}

/// How long a fetch may take to begin that begins with the lease: it is sent by the same look at
/// the clock.
const AT_ONCE: Duration = Duration::from_millis(1);

/// How often to look whether others know more: as often as a worker ticks when nothing happens.
const LOOK: Duration = Duration::from_secs(1);

/// While another fetches what is missing here.
const LOOK_SOON: Duration = Duration::from_millis(10);

/// Each write of another's is made once, so a whole process of busy workers overtakes one some
/// dozens of times. A host that refuses more often refuses always.
const MOST_OVERTAKEN: u32 = 1000;

#[cfg(test)]
mod tests;
