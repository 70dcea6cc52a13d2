//! What must hold after each event, whatever happens.
//!
//! The checks know what the world did, and nothing of how the gateway works: they hold it to what
//! its users are promised. Where the world is too disturbed for a promise to hold, they say
//! nothing.

mod verdicts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use databricks_oam_filter::gateway::Step;
use databricks_oam_filter::gateway::host::{CalloutId, StreamId};
use serde_json::Value;

use crate::action::{Server, WORKERS};
use crate::client::{Client, Progress};
use crate::configuration::MAX_WAITING;
use crate::planted::Planted;
use crate::worker::{Answer, Noted, Worker};
use crate::world::World;

/// What was promised and does not hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Violation(String);

impl Violation {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// Whether another is of the same kind: it differs in nothing but numbers and in what stands
    /// between parentheses.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let kind = |violation: &Self| -> String {
            let text = violation.0.split(['(', '{']).next().unwrap_or_default();
            text.chars().filter(|c| !c.is_ascii_digit()).collect()
        };
        kind(self) == kind(other)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the checks remember.
#[derive(Default)]
pub(crate) struct Checks {
    /// What the last event asked for.
    pub(crate) noted: Noted,
    /// The list of revoked tokens that each worker was last given, and when.
    lists: BTreeMap<usize, (BTreeSet<String>, u64)>,
    /// The polls that a worker sent under its configuration.
    polls: BTreeMap<usize, BTreeSet<CalloutId>>,
    /// Fetches of keys under way, by issuer.
    fetches: BTreeMap<usize, Vec<(usize, CalloutId, u64)>>,
    /// When a fetch of an issuer's keys last brought some.
    succeeded: BTreeMap<usize, u64>,
    /// Since when the fetches of an issuer's keys fail.
    failing: BTreeMap<usize, u64>,
    /// When a clock was last set or a worker last trapped, and when a worker was last configured.
    disturbed: Option<u64>,
    configured: BTreeMap<usize, u64>,
    /// Time that waits may have lost to clocks that were set, in milliseconds.
    lost: u64,
}

impl Checks {
    pub(crate) fn jumped(&mut self, step: i64, now: u64) {
        self.disturbed = Some(now);
        self.lost = self.lost.saturating_add(step.unsigned_abs());
    }

    pub(crate) fn died(&mut self, worker: usize, now: u64) {
        self.disturbed = Some(now);
        for fetches in self.fetches.values_mut() {
            fetches.retain(|(of, ..)| *of != worker);
        }
    }

    /// A worker has another configuration; `keeps_list` where both it and the one before poll the
    /// list of revoked tokens, so that what was revoked stays so.
    pub(crate) fn configured(&mut self, worker: usize, keeps_list: bool, now: u64) {
        if !keeps_list {
            self.lists.remove(&worker);
        }
        self.polls.remove(&worker);
        self.configured.insert(worker, now);
        for fetches in self.fetches.values_mut() {
            fetches.retain(|(of, ..)| *of != worker);
        }
    }

    /// An answer is about to reach a worker.
    pub(crate) fn delivered(
        &mut self,
        worker: usize,
        server: Server,
        id: CalloutId,
        answer: &Answer,
        now: u64,
    ) {
        let is_json = serde_json::from_slice::<Value>(&answer.body);
        match server {
            Server::Issuer(issuer) => {
                let fetches = self.fetches.entry(issuer).or_default();
                let place = fetches.iter().position(|(_, known, _)| *known == id);
                let Some(place) = place else {
                    return;
                };
                let (_, _, sent) = fetches.remove(place);
                if answer.status == 200 && is_json.is_ok() {
                    self.succeeded.insert(issuer, now);
                    self.failing.remove(&issuer);
                } else if self.succeeded.get(&issuer).is_none_or(|last| *last <= sent) {
                    self.failing.entry(issuer).or_insert(now);
                }
            }
            Server::List => {
                let polls = self.polls.entry(worker).or_default();
                if !polls.remove(&id) {
                    return;
                }
                if let (200, Ok(list)) = (answer.status, is_json) {
                    let ids = list["token_ids"].as_array().into_iter().flatten();
                    let ids = ids.filter_map(|id| Some(id.as_str()?.to_owned())).collect();
                    self.lists.insert(worker, (ids, now));
                }
            }
            Server::TokenEndpoint => {}
        }
    }

    /// A worker sent a callout.
    pub(crate) fn sent(
        world: &mut World,
        worker: usize,
        server: Server,
        id: CalloutId,
    ) -> Result<(), Violation> {
        if server == Server::List {
            world.checks.polls.entry(worker).or_default().insert(id);
        }
        let Server::Issuer(issuer) = server else {
            return Ok(());
        };
        let is_calm = world.checks.is_calm(world.now, LONGEST_LEASE);
        let recently = |moment: &u64| world.now.saturating_sub(*moment) < LONGEST_LEASE;
        let is_settled = !world.checks.configured.values().any(recently);
        let fetches = world.checks.fetches.entry(issuer).or_default();
        fetches.push((worker, id, world.now));
        if is_calm && is_settled && fetches.len() > 1 {
            return Err(Violation::new(format!(
                "{} workers fetch the keys of issuer {issuer} at once",
                fetches.len()
            )));
        }
        Ok(())
    }

    /// A gateway said what is to become of a client's request.
    pub(crate) fn stepped(
        world: &World,
        worker: usize,
        stream: StreamId,
        step: &Step,
    ) -> Result<(), Violation> {
        let Some(client) = world.clients.get(&(worker, stream)) else {
            return Err(Violation::new("a step for a request that is gone"));
        };
        if matches!(client.progress, Progress::Answered | Progress::Forwarded) {
            return Err(Violation::new("a second step for a request that has ended"));
        }
        let is_configured = world
            .workers
            .get(worker)
            .is_some_and(|worker| worker.variant.is_some());
        match step {
            Step::Hold | Step::HoldBody => {
                let is_held = |other: &&Client| {
                    other.progress == Progress::Held && other.held_since.is_some()
                };
                let held = world.clients.values().filter(is_held).count();
                if held > MAX_WAITING * WORKERS {
                    return Err(Violation::new(format!("{held} requests are held")));
                }
                Ok(())
            }
            Step::Reply(answer) if !is_configured && answer.status == 500 => Ok(()),
            Step::Forward | Step::Reply(_) if client.records != 1 => Err(Violation::new(format!(
                "{} records of a request that goes on or is answered",
                client.records
            ))),
            Step::Forward => Self::forwarded(world, worker, stream, client),
            Step::Reply(_) => Self::refused(world, worker, stream, client),
        }
    }

    /// A host ended a request: it has its record by now.
    pub(crate) fn ended(world: &World, place: usize, client: &Client) -> Result<(), Violation> {
        let is_forgotten = world.planted == Some(Planted::LeaverForgotten)
            && matches!(client.progress, Progress::AwaitsForm | Progress::Held);
        let records = if is_forgotten { 0 } else { client.records };
        let is_configured = world
            .workers
            .get(place)
            .is_some_and(|worker| worker.variant.is_some());
        if records == 1 || (records == 0 && !is_configured) {
            return Ok(());
        }
        Err(Violation::new(format!(
            "{records} records of a request that has ended: {client:?}"
        )))
    }

    /// Whoever waits is answered in time.
    pub(crate) fn nobody_waits_too_long(world: &World) -> Result<(), Violation> {
        for ((place, stream), client) in &world.clients {
            let most = match client.progress {
                Progress::AwaitsForm => FORM_TIME,
                Progress::Held => WAITING_TIME,
                Progress::Answered | Progress::Forwarded => continue,
            };
            let Some(since) = client.held_since else {
                continue;
            };
            let since = world
                .checks
                .configured
                .get(place)
                .map_or(since, |at| since.max(*at));
            let waited = world.now.saturating_sub(since);
            if waited > most.saturating_add(SLACK).saturating_add(world.checks.lost) {
                return Err(Violation::new(format!(
                    "request {place}/{} waits for {waited} ms: {client:?}",
                    stream.0
                )));
            }
        }
        Ok(())
    }

    /// What a worker counted is what it recorded.
    pub(crate) fn all_is_counted(
        worker: &Worker,
        planted: Option<Planted>,
    ) -> Result<(), Violation> {
        let metrics = worker.host.metrics.borrow();
        let decisions = metrics
            .iter()
            .filter(|(name, _)| name.ends_with(";.;decisions_total"));
        let mut counted: u64 = decisions.map(|(_, count)| count).sum();
        if planted == Some(Planted::CountsLost) {
            counted = counted.saturating_sub(1);
        }
        if counted == worker.recorded {
            return Ok(());
        }
        Err(Violation::new(format!(
            "{counted} decisions are counted and {} recorded",
            worker.recorded
        )))
    }

    /// Whether nothing has disturbed the process for so long.
    fn is_calm(&self, now: u64, millis: u64) -> bool {
        self.disturbed
            .is_none_or(|at| now.saturating_sub(at) > millis)
    }
}

/// `waiting_time`.
const WAITING_TIME: u64 = 5_000;

/// What a form may take.
const FORM_TIME: u64 = 15_000;

/// Ticks, and the time that a callout takes.
const SLACK: u64 = 3_500;

/// After which every worker knows of another's failure.
const PROPAGATION: u64 = 3_000;

/// After which a lease is over whatever became of its holder.
const LONGEST_LEASE: u64 = 160_000;
