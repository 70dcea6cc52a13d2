//! The process and all around it, in simulated time: what happens, in which order, and to whom.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::gateway::Step;
use databricks_oam_filter::gateway::host::{CalloutId, PluginId, StreamId};

use crate::action::{Action, Mood, Server, Variant, WORKERS};
use crate::check::{Checks, Violation};
use crate::client::{Client, Progress};
use crate::configuration::{configuration, has_list};
use crate::planted::Planted;
use crate::servers::Servers;
use crate::token::Minted;
use crate::worker::{Answer, Process, Worker, server_of};

/// Everything.
pub(crate) struct World {
    /// The true time, in milliseconds, which nobody sets.
    pub(crate) now: u64,
    pub(crate) process: Rc<RefCell<Process>>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) servers: Servers,
    /// Answers on their way, by when they arrive and in which order they were sent.
    deliveries: BTreeMap<(u64, u64), Delivery>,
    sent: u64,
    pub(crate) tokens: Vec<Minted>,
    pub(crate) clients: BTreeMap<(usize, StreamId), Client>,
    pub(crate) checks: Checks,
    pub(crate) planted: Option<Planted>,
    /// The first answer of each issuer, for a planted fault.
    first_keys: BTreeMap<usize, Answer>,
    /// What has happened so far: actions, ticks, answers.
    pub(crate) events: u64,
    /// One line for each event, where somebody reads them.
    pub(crate) trace: Option<Vec<String>>,
}

struct Delivery {
    worker: usize,
    birth: u64,
    id: CalloutId,
    cluster: String,
    answer: Option<Answer>,
}

impl World {
    pub(crate) fn new(planted: Option<Planted>) -> Self {
        let process = Rc::new(RefCell::new(Process {
            wall: START,
            seeds: 1,
            loses_writes: planted == Some(Planted::LeaseForgotten),
            ..Process::default()
        }));
        let workers = (0..WORKERS).map(|_| Worker::new(&process)).collect();
        Self {
            now: 0,
            process,
            workers,
            servers: Servers::new(),
            deliveries: BTreeMap::new(),
            sent: 0,
            tokens: Vec::new(),
            clients: BTreeMap::new(),
            checks: Checks::default(),
            planted,
            first_keys: BTreeMap::new(),
            events: 0,
            trace: None,
        }
    }

    /// Starts the workers, takes the actions, and ends everything.
    pub(crate) fn play(&mut self, actions: &[Action]) -> Result<(), Violation> {
        for worker in 0..WORKERS {
            self.configure(worker, Variant::Plain)?;
        }
        for action in actions {
            self.note(|| format!("{action:?}"));
            self.events = self.events.saturating_add(1);
            self.act(*action)?;
        }
        self.pass(CALM)?;
        for worker in 0..WORKERS {
            self.stop(worker)?;
        }
        Ok(())
    }

    fn act(&mut self, action: Action) -> Result<(), Violation> {
        match action {
            Action::Body { pick, is_whole } => self.body(pick, is_whole),
            Action::Configure(worker, variant) => self.configure(worker, variant),
            Action::Die(worker) => self.die(worker),
            Action::Jump(step) => {
                let mut process = self.process.borrow_mut();
                process.wall = process.wall.saturating_add_signed(step).max(EARLIEST);
                self.checks.jumped(step, self.now);
                Ok(())
            }
            Action::Leave(pick) => self.leave(pick),
            Action::Mood(server, mood) => {
                self.servers.set(server, mood, self.now);
                let mut process = self.process.borrow_mut();
                process.hostless.retain(|known| *known != server);
                if mood == Mood::NoHost {
                    process.hostless.push(server);
                }
                Ok(())
            }
            Action::Pass(millis) => self.pass(millis),
            Action::Revoke(pick) => {
                if let Some(place) = pick.checked_rem(self.tokens.len())
                    && let Some(token) = self.tokens.get(place)
                    && !self.servers.revoked.contains(&token.id)
                {
                    self.servers.revoked.push(token.id.clone());
                }
                Ok(())
            }
            Action::Rotate { issuer, keeps } => {
                self.servers.rotate(issuer, keeps, self.now);
                Ok(())
            }
            Action::Send {
                worker,
                token,
                call,
            } => self.send(worker, token, call),
        }
    }

    /// Lets time go by, with all that falls due.
    fn pass(&mut self, millis: u64) -> Result<(), Violation> {
        let end = self.now.saturating_add(millis);
        loop {
            let tick = (self.workers.iter().enumerate())
                .filter_map(|(place, worker)| Some((worker.tick_at?, place)))
                .min();
            let delivery = self.deliveries.keys().next().copied();
            let next = [tick.map(|(at, _)| at), delivery.map(|(at, _)| at)];
            let Some(next) = next.into_iter().flatten().min().filter(|at| *at <= end) else {
                break;
            };
            self.move_to(next);
            self.events = self.events.saturating_add(1);
            match (delivery, tick) {
                (Some(key), _) if key.0 <= next => self.deliver(key)?,
                (_, Some((_, worker))) => self.tick(worker)?,
                (_, None) => break,
            }
        }
        self.move_to(end);
        Checks::nobody_waits_too_long(self)
    }

    fn move_to(&mut self, moment: u64) {
        let passed = moment.saturating_sub(self.now);
        let mut process = self.process.borrow_mut();
        process.wall = process.wall.saturating_add(passed);
        self.now = moment;
    }

    fn tick(&mut self, place: usize) -> Result<(), Violation> {
        let Some(worker) = self.workers.get_mut(place) else {
            return Ok(());
        };
        // A timer goes on until it is set anew.
        worker.tick_at = worker.tick_at.map(|at| at.saturating_add(worker.period));
        worker.host.leave_request();
        worker.gateway.on_tick(PLUGIN, &worker.host);
        self.release(place)
    }

    fn deliver(&mut self, key: (u64, u64)) -> Result<(), Violation> {
        let Some(delivery) = self.deliveries.remove(&key) else {
            return Ok(());
        };
        let Some(worker) = self.workers.get_mut(delivery.worker) else {
            return Ok(());
        };
        if worker.birth != delivery.birth {
            return Ok(());
        }
        let is_answered = delivery.answer.is_some();
        let mut answer = delivery.answer.unwrap_or_default();
        if let Some(server) = server_of(&delivery.cluster) {
            let checks = &mut self.checks;
            checks.delivered(delivery.worker, server, delivery.id, &answer, self.now);
            match (self.planted, server) {
                (Some(Planted::ListIgnored), Server::List) => answer.status = 503,
                (Some(Planted::StaleKeys), Server::Issuer(issuer)) if is_answered => {
                    answer = self.first_keys.entry(issuer).or_insert(answer).clone();
                }
                _ => {}
            }
        }
        worker.host.leave_request();
        worker.host.answer.replace(answer);
        worker
            .gateway
            .on_answer(PLUGIN, delivery.id, is_answered, &worker.host);
        self.release(delivery.worker)
    }

    /// Carries out the steps of requests that were held.
    fn release(&mut self, place: usize) -> Result<(), Violation> {
        self.collect(place)?;
        while let Some(worker) = self.workers.get_mut(place) {
            let next = worker.gateway.next_ready(PLUGIN, &worker.host);
            self.collect(place)?;
            let Some((stream, step)) = next else {
                break;
            };
            if self.planted == Some(Planted::WaiterForgotten) && self.now.is_multiple_of(7) {
                continue;
            }
            self.take(place, stream, step)?;
        }
        Ok(())
    }

    fn configure(&mut self, place: usize, variant: Variant) -> Result<(), Violation> {
        let configuration = configuration(variant);
        let Some(worker) = self.workers.get_mut(place) else {
            return Ok(());
        };
        worker.host.leave_request();
        let parsed = Configuration::parse(configuration.to_string().as_bytes()).ok();
        let variant = parsed.is_some().then_some(variant);
        let former = std::mem::replace(&mut worker.variant, variant);
        if self.planted == Some(Planted::ListLost) {
            worker.gateway.configure(PLUGIN, None, &worker.host);
        }
        worker.gateway.configure(PLUGIN, parsed, &worker.host);
        let keeps_list = [former, variant].into_iter().all(has_list);
        self.checks.configured(place, keeps_list, self.now);
        self.release(place)
    }

    /// A worker that traps takes its requests along.
    fn die(&mut self, place: usize) -> Result<(), Violation> {
        if let Some(worker) = self.workers.get_mut(place) {
            let birth = worker.birth.wrapping_add(1);
            *worker = Worker::new(&self.process);
            worker.birth = birth;
        }
        self.clients.retain(|(worker, _), _| *worker != place);
        self.checks.died(place, self.now);
        self.configure(place, Variant::Plain)
    }

    /// Ends a worker as a host does that shuts down.
    fn stop(&mut self, place: usize) -> Result<(), Violation> {
        let streams: Vec<_> = self
            .clients
            .keys()
            .filter(|(worker, _)| *worker == place)
            .copied()
            .collect();
        for (_, stream) in streams {
            self.end(place, stream)?;
        }
        if let Some(worker) = self.workers.get_mut(place) {
            worker.gateway.end_plugin(PLUGIN, &worker.host);
            Checks::all_is_counted(worker, self.planted)?;
        }
        Ok(())
    }

    /// The host ends a request.
    pub(crate) fn end(&mut self, place: usize, stream: StreamId) -> Result<(), Violation> {
        if let Some(worker) = self.workers.get_mut(place) {
            worker.host.current.set(Some(stream));
            worker.gateway.end(stream, &worker.host);
        }
        self.collect(place)?;
        match self.clients.remove(&(place, stream)) {
            Some(client) => Checks::ended(self, place, &client),
            None => Ok(()),
        }
    }

    /// Takes a step for a client.
    pub(crate) fn take(
        &mut self,
        place: usize,
        stream: StreamId,
        step: Step,
    ) -> Result<(), Violation> {
        let step = match (self.planted, step) {
            (Some(Planted::AnyoneForwarded), Step::Reply(_)) if self.now.is_multiple_of(5) => {
                Step::Forward
            }
            (_, step) => step,
        };
        let (key, now) = ((place, stream), self.now);
        self.note(|| {
            let step = match &step {
                Step::Reply(answer) => format!("Reply({})", answer.status),
                Step::Forward | Step::Hold | Step::HoldBody => format!("{step:?}"),
            };
            format!("{place}/{}: {step}", stream.0)
        });
        Checks::stepped(self, place, stream, &step)?;
        let Some(client) = self.clients.get_mut(&key) else {
            return Err(Violation::new("a step for a request that is gone"));
        };
        match step {
            Step::Forward => client.progress = Progress::Forwarded,
            Step::Reply(_) => client.progress = Progress::Answered,
            Step::Hold | Step::HoldBody => {
                client.held_since.get_or_insert(now);
                return Ok(());
            }
        }
        if self.planted == Some(Planted::AnsweredTwice) && now.is_multiple_of(11) {
            self.take(place, stream, Step::Forward)?;
        }
        self.end(place, stream)
    }

    /// Takes what a worker asked for in its last event.
    pub(crate) fn collect(&mut self, place: usize) -> Result<(), Violation> {
        let Some(worker) = self.workers.get_mut(place) else {
            return Ok(());
        };
        let mut noted = worker.host.noted.take();
        if let Some(period) = noted.ticks {
            worker.period = u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1);
            worker.tick_at = Some(self.now.saturating_add(worker.period));
        }
        if self.planted == Some(Planted::RecordDropped) && self.now.is_multiple_of(13) {
            noted.records.pop();
        }
        let birth = worker.birth;
        for record in &noted.records {
            worker.recorded = worker.recorded.saturating_add(1);
            let key = record.stream.map(|stream| (place, stream));
            if let Some(client) = key.and_then(|key| self.clients.get_mut(&key)) {
                client.records = client.records.saturating_add(1);
            }
        }
        for (id, sent) in &noted.sent {
            let Some(server) = server_of(&sent.cluster) else {
                continue;
            };
            Checks::sent(self, place, server, *id)?;
            for (at, answer) in self.servers.serve(server, sent, self.now) {
                self.sent = self.sent.wrapping_add(1);
                let delivery = Delivery {
                    worker: place,
                    birth,
                    id: *id,
                    cluster: sent.cluster.clone(),
                    answer,
                };
                self.deliveries.insert((at, self.sent), delivery);
            }
        }
        self.checks.noted = noted;
        Ok(())
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9}.{:03} s  {}", now / 1000, now % 1000, line()));
        }
    }
}

/// The one plugin.
pub(crate) const PLUGIN: PluginId = PluginId(1);

/// 2027, in milliseconds.
const START: u64 = 1_800_000_000_000;

/// No clock of a machine is set further back.
const EARLIEST: u64 = 1_700_000_000_000;

/// At the end of a run, so that everything which waits is answered.
const CALM: u64 = 30_000;
