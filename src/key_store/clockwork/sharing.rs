//! One fetch for all workers of a process: the clockwork's part in it.
//!
//! Each worker looks into the document's [`Slot`] now and then, takes what is newer there than its own, and fetches only with the lease,
//! which it writes there. A write counts only if nobody wrote since the look ([`Clockwork::on_written`]), so one worker has the lease; one
//! that is gone loses it by the clock. What comes of a fetch goes into the slot, failures too, and their back-off and the cool-down of
//! early refreshes hold for all.

use std::time::Duration;

use crate::time::UnixTime;
use crate::token::jwk_set::JwkSet;

use super::super::slot::{self, Document, Lease, Slot};
use super::super::{Consulted, Jitter};
use super::{ANSWER_GRACE, Addresses, Clockwork, MAX_BACK_OFF, Tried};

/// One worker's dealings with the others.
pub(super) struct Sharing {
    /// The slot's name.
    name: Box<str>,
    /// This worker's own number.
    holder: u64,
    /// The last moment at which this worker may begin a fetch: the lease is its own for as long as the answer may take.
    begins_by: Option<UnixTime>,
    /// Until when it is another's.
    elsewhere: Option<UnixTime>,
    /// When to look again.
    look: UnixTime,
    /// Whether newer keys are wanted before the old ones are due.
    early: bool,
    /// What is to be written.
    outcome: Option<Outcome>,
    /// What the write under way is for.
    written: Written,
    /// Writes in a row for which others were faster.
    overtaken: u32,
    /// Fetches in a row that could not be sent from here.
    pub(super) unsent: u32,
    /// Until when none is tried from here.
    barred: UnixTime,
}

/// What came of a fetch.
enum Outcome {
    Failed(Tried),
    Keys {
        /// How long they are fresh by their issuer's word.
        granted: Option<Duration>,
        /// The document.
        body: Box<[u8]>,
    },
}

#[derive(Clone, Copy)]
enum Written {
    Claim {
        since: UnixTime,
        begins_by: UnixTime,
    },
    Outcome,
}

impl Sharing {
    /// Whether this worker may begin a fetch.
    pub(super) fn may_begin(&self, now: UnixTime) -> bool {
        self.begins_by.is_some_and(|last| now <= last)
    }

    /// Whether the lease is another's.
    pub(super) fn is_elsewhere(&self, now: UnixTime) -> bool {
        self.elsewhere.is_some_and(|until| now < until)
    }

    /// Has a document told to the others with the next look. The lease is over with the fetch: it is given back with what is told.
    pub(super) fn succeed(&mut self, granted: Option<Duration>, body: &[u8]) {
        self.begins_by = None;
        self.outcome = Some(Outcome::Keys {
            granted,
            body: body.into(),
        });
    }

    /// Has a failure told to the others with the next look. Where none was asked they may try at once, and only this worker waits.
    pub(super) fn fail(&mut self, tried: Tried, due: UnixTime) {
        if matches!(tried, Tried::Unsent) {
            self.barred = due;
        }
        self.begins_by = None;
        self.outcome = Some(Outcome::Failed(tried));
    }

    /// Newer keys are wanted now.
    pub(super) const fn hurry(&mut self) {
        self.early = true;
        self.look = UnixTime::EPOCH;
    }

    pub(super) fn next_step(&self, due: UnixTime, is_under_way: bool) -> UnixTime {
        if self.outcome.is_some() {
            UnixTime::EPOCH
        } else if is_under_way || self.may_begin(due) {
            due
        } else if self.elsewhere.is_some() {
            self.look
        } else {
            self.look.min(due)
        }
    }
}

impl Clockwork {
    /// From now on by way of the slot; `holder` is a number that no other worker has.
    pub(in super::super) fn share(&mut self, holder: u64) {
        self.sharing = Some(Sharing {
            name: slot::name(&self.remote).into(),
            holder,
            begins_by: None,
            elsewhere: None,
            look: UnixTime::EPOCH,
            early: false,
            outcome: None,
            written: Written::Outcome,
            overtaken: 0,
            unsent: 0,
            barred: UnixTime::EPOCH,
        });
    }

    /// From now on alone.
    pub(in super::super) fn stop_sharing(&mut self) {
        self.sharing = None;
    }

    /// The name of the slot, where it is to be looked into.
    pub(in super::super) fn slot(&self, now: UnixTime) -> Option<&str> {
        let sharing = self.sharing.as_ref()?;
        // While it fetches, it knows all there is to know; and with the lease in hand it is about to fetch. A clock that was set back must
        // not keep it from looking.
        let busy =
            sharing.outcome.is_none() && (self.under_way.is_some() || sharing.may_begin(now));
        let is_set_back = now.after(LOOK) < sharing.look;
        (!busy && (is_set_back || now >= self.next_step())).then_some(&*sharing.name)
    }

    /// Takes what the slot holds, and says what to write there.
    pub(in super::super) fn consult(
        &mut self,
        value: Option<&[u8]>,
        now: UnixTime,
        jitter: &mut Jitter,
    ) -> Consulted {
        let slot = value
            .and_then(Slot::parse)
            .filter(|slot| slot.is_believable(now, MAX_BACK_OFF));
        if let Some(write) = self.tell(slot) {
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
    fn tell(&mut self, slot: Option<Slot<'_>>) -> Option<Vec<u8>> {
        let sharing = self.sharing.as_mut()?;
        let base = slot.unwrap_or_default();
        let is_mine = base
            .lease
            .is_none_or(|lease| lease.holder == sharing.holder);
        let base = Slot {
            lease: base.lease.filter(|_| !is_mine),
            ..base
        };
        let told = match (&sharing.outcome, &self.keys) {
            (Some(Outcome::Keys { granted, body }), Some(kept)) => {
                let is_news = base
                    .document
                    .is_none_or(|document| document.fetched_at < kept.fetched_at);
                is_news.then_some(Slot {
                    due: Some(self.due),
                    failures: 0,
                    second_address: self.second_address,
                    document: Some(Document {
                        fetched_at: kept.fetched_at,
                        granted: *granted,
                        body,
                    }),
                    ..base
                })
            }
            (Some(Outcome::Failed(Tried::Asked)), _) if is_mine => Some(Slot {
                due: Some(self.due),
                failures: self.failures,
                second_address: self.second_address,
                ..base
            }),
            (Some(Outcome::Failed(Tried::Unsent)), _) if is_mine => Some(base),
            _ => None,
        };
        let told = told.map(Slot::to_bytes);
        match told {
            Some(_) => sharing.written = Written::Outcome,
            None => sharing.outcome = None,
        }
        told
    }

    /// Takes over what the others know. `true` where that is newer keys.
    fn adopt(&mut self, slot: &Slot<'_>, now: UnixTime, jitter: &mut Jitter) -> bool {
        let newer = slot.document.filter(|document| {
            self.keys.as_ref().is_none_or(|kept| {
                let older = document.fetched_at < kept.fetched_at;
                // What was fetched in time to come was fetched before the clock was set back.
                document.fetched_at > kept.fetched_at || (older && now < kept.fetched_at)
            })
        });
        // What is no key set is as good as nothing.
        let newer = newer.and_then(|document| Some((document, JwkSet::parse(document.body).ok()?)));
        let took = newer.is_some();
        if let Some((document, set)) = newer {
            self.keep(set, document.granted, document.fetched_at, jitter);
        }
        self.failures = slot.failures;
        self.second_address = slot.second_address;
        self.last_early = slot.last_early;
        let due = slot.due.unwrap_or(UnixTime::EPOCH);
        let due = match &self.keys {
            _ if slot.failures > 0 => due,
            // The other's configuration may call keys fresh for longer than this one's.
            Some(kept) => due.min(kept.fresh_until),
            None => UnixTime::EPOCH,
        };
        if let Some(sharing) = &mut self.sharing {
            if took {
                sharing.unsent = 0;
                sharing.barred = UnixTime::EPOCH;
            }
            self.due = due.max(sharing.barred);
            let others = slot
                .lease
                .filter(|lease| lease.holder != sharing.holder && now < lease.until);
            sharing.elsewhere = others.map(|lease| lease.until);
        }
        took
    }

    /// What to write for the lease, where a fetch is due and nobody has it.
    fn claim(&mut self, slot: Option<Slot<'_>>, took: bool, now: UnixTime) -> Option<Vec<u8>> {
        let early_may = !took && self.failures == 0 && self.has_cooled_down(now);
        let in_need = self.keys(now).is_none();
        let further: u32 = match self.remote.addresses {
            Addresses::Known(_) => 0,
            Addresses::Discovered(_) => 1,
        };
        let length = self.remote.timeout.saturating_add(ANSWER_GRACE);
        let sharing = self.sharing.as_mut()?;
        if slot.is_none() {
            sharing.elsewhere = None;
        }
        sharing.begins_by = None;
        sharing.early &= early_may;
        let is_elsewhere = sharing.is_elsewhere(now);
        let soon = is_elsewhere && (in_need || sharing.early);
        sharing.look = now.after(if soon { LOOK_SOON } else { LOOK });
        if is_elsewhere || (now < self.due && !sharing.early) {
            return None;
        }
        let begins_by = now.after(length.saturating_mul(further));
        sharing.written = Written::Claim {
            since: now,
            begins_by,
        };
        let base = slot.unwrap_or(Slot {
            last_early: self.last_early,
            ..Slot::default()
        });
        let claimed = Slot {
            lease: Some(Lease {
                holder: sharing.holder,
                until: begins_by.after(length),
            }),
            last_early: if sharing.early {
                Some(now)
            } else {
                base.last_early
            },
            ..base
        };
        Some(claimed.to_bytes())
    }

    /// Takes what came of a write: whether it was made, or somebody wrote since the look.
    pub(in super::super) fn on_written(&mut self, made: bool) {
        let Some(sharing) = &mut self.sharing else {
            return;
        };
        if !made {
            sharing.overtaken = sharing.overtaken.saturating_add(1);
            sharing.look = UnixTime::EPOCH;
            if sharing.overtaken > MOST_OVERTAKEN {
                self.sharing = None;
            }
            return;
        }
        sharing.overtaken = 0;
        match sharing.written {
            Written::Claim { since, begins_by } => {
                sharing.begins_by = Some(begins_by);
                self.due = self.due.min(since);
            }
            Written::Outcome => {
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

/// How often to look whether others know more: as often as a worker ticks when nothing happens.
const LOOK: Duration = Duration::from_secs(1);

/// While another fetches what is missing here.
const LOOK_SOON: Duration = Duration::from_millis(10);

/// Each write of another's is made once, so a whole process of busy workers overtakes one some dozens of times. A host that refuses more
/// often refuses always.
const MOST_OVERTAKEN: u32 = 1000;

#[cfg(test)]
mod tests;
