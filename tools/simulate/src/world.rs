//! The process and all around it, in simulated time: what happens, in which order, and to whom.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::gateway::host::{CalloutId, PluginId, StreamId};
use databricks_oam_filter::gateway::{Head, Step};
use databricks_oam_filter::request::Headers;
use serde_json::{Value, json};

use crate::action::{Action, Call, Mood, Server, Token, Variant, WORKERS};
use crate::check::{Checks, Violation};
use crate::planted::Planted;
use crate::servers::Servers;
use crate::token::{self, Minted};
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

/// A client whose request is on its way.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) token: Option<usize>,
    pub(crate) call: Call,
    pub(crate) progress: Progress,
    pub(crate) records: u32,
    /// Since when it waits for the gateway, by the true time.
    pub(crate) held_since: Option<u64>,
    /// The body that it sends, of a form.
    form: Vec<u8>,
}

/// How far a client's request has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    /// The gateway takes its form.
    AwaitsForm,
    /// It has its answer.
    Answered,
    /// It went upstream.
    Forwarded,
    /// The gateway holds it.
    Held,
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
            if self.planted == Some(Planted::WaiterForgotten) && self.now % 7 == 0 {
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
        worker.variant = parsed.is_some().then_some(variant);
        worker.gateway.configure(PLUGIN, parsed, &worker.host);
        self.checks.configured(place, self.now);
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

    fn send(&mut self, place: usize, token: Token, call: Call) -> Result<(), Violation> {
        let token = self.token(token);
        let text = token
            .and_then(|token| self.tokens.get(token))
            .map(|token| token.text.clone());
        let Some(worker) = self.workers.get_mut(place) else {
            return Ok(());
        };
        let numbers = 1000_u32..;
        let free = numbers
            .map(StreamId)
            .find(|stream| !self.clients.contains_key(&(place, *stream)));
        let Some(stream) = free else {
            return Ok(());
        };
        let (method, path) = match call {
            Call::Operation => ("GET", "/api/2.2/jobs/get"),
            Call::TokenEndpoint => ("POST", "/oidc/v1/token"),
        };
        let mut pairs = vec![
            (":method".to_owned(), method.as_bytes().to_vec()),
            (":path".to_owned(), path.as_bytes().to_vec()),
            (":authority".to_owned(), b"databricks.example.com".to_vec()),
            (":scheme".to_owned(), b"https".to_vec()),
        ];
        let mut form = Vec::new();
        match (call, text) {
            (Call::Operation, Some(text)) => {
                pairs.push((
                    "authorization".to_owned(),
                    format!("Bearer {text}").into_bytes(),
                ));
            }
            (Call::TokenEndpoint, text) => {
                let content = b"application/x-www-form-urlencoded".to_vec();
                pairs.push(("content-type".to_owned(), content));
                let text = text.unwrap_or_default();
                form = format!("grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=urn:ietf:params:oauth:token-type:jwt&subject_token={text}").into_bytes();
            }
            (Call::Operation, None) => {}
        }
        let client = Client {
            token,
            call,
            progress: Progress::Held,
            records: 0,
            held_since: None,
            form,
        };
        self.clients.insert((place, stream), client);
        worker.host.current.set(Some(stream));
        worker.gateway.begin(stream, PLUGIN, &worker.host);
        let head = Head {
            headers: Headers::new(pairs),
            source_ip: Some(format!("192.0.2.{}", stream.0 % 250)),
            has_body: call == Call::TokenEndpoint,
        };
        let step = worker.gateway.on_head(stream, head, &worker.host);
        self.collect(place)?;
        if let (Call::TokenEndpoint, Step::Forward) = (call, &step) {
            let now = self.now;
            if let Some(client) = self.clients.get_mut(&(place, stream)) {
                client.progress = Progress::AwaitsForm;
                client.held_since = Some(now);
            }
            return Ok(());
        }
        self.take(place, stream, step)
    }

    /// More of some client's form comes.
    fn body(&mut self, pick: usize, is_whole: bool) -> Result<(), Violation> {
        let awaits =
            |(_, client): &(&(usize, StreamId), &Client)| client.progress == Progress::AwaitsForm;
        let awaiting: Vec<_> = self
            .clients
            .iter()
            .filter(awaits)
            .map(|(key, _)| *key)
            .collect();
        let Some((place, stream)) = pick
            .checked_rem(awaiting.len())
            .and_then(|place| awaiting.get(place).copied())
        else {
            return Ok(());
        };
        let (Some(worker), Some(client)) = (
            self.workers.get_mut(place),
            self.clients.get(&(place, stream)),
        ) else {
            return Ok(());
        };
        let came = if is_whole {
            client.form.len()
        } else {
            client.form.len() / 2
        };
        let bytes = client.form.get(..came).unwrap_or_default().to_vec();
        worker.host.current.set(Some(stream));
        worker.host.body.replace(bytes);
        let step = worker.gateway.on_body(stream, came, is_whole, &worker.host);
        self.collect(place)?;
        if !is_whole && step == Step::Hold {
            return Ok(());
        }
        if let Some(client) = self.clients.get_mut(&(place, stream)) {
            client.progress = Progress::Held;
            client.held_since = None;
        }
        self.take(place, stream, step)
    }

    fn leave(&mut self, pick: usize) -> Result<(), Violation> {
        let key = pick
            .checked_rem(self.clients.len())
            .and_then(|place| self.clients.keys().nth(place).copied());
        match key {
            Some((place, stream)) => self.end(place, stream),
            None => Ok(()),
        }
    }

    /// The host ends a request.
    fn end(&mut self, place: usize, stream: StreamId) -> Result<(), Violation> {
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
    fn take(&mut self, place: usize, stream: StreamId, step: Step) -> Result<(), Violation> {
        let step = match (self.planted, step) {
            (Some(Planted::AnyoneForwarded), Step::Reply(_)) if self.now % 5 == 0 => Step::Forward,
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
        if self.planted == Some(Planted::AnsweredTwice) && now % 11 == 0 {
            self.take(place, stream, Step::Forward)?;
        }
        self.end(place, stream)
    }

    /// Takes what a worker asked for in its last event.
    fn collect(&mut self, place: usize) -> Result<(), Violation> {
        let Some(worker) = self.workers.get_mut(place) else {
            return Ok(());
        };
        let mut noted = worker.host.noted.take();
        if let Some(period) = noted.ticks {
            worker.period = u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1);
            worker.tick_at = Some(self.now.saturating_add(worker.period));
        }
        if self.planted == Some(Planted::RecordDropped) && self.now % 13 == 0 {
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
            Checks::sent(self, place, server, *id, sent)?;
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

    /// The token that a client shows.
    fn token(&mut self, token: Token) -> Option<usize> {
        let (issuer, is_forged, has_scope, lifetime) = match token {
            Token::Again(pick) => return pick.checked_rem(self.tokens.len()),
            Token::Nothing => return None,
            Token::Expired(issuer) => (issuer, false, true, 0),
            Token::Forged(issuer) => (issuer, true, true, LIFETIME),
            Token::Fresh(issuer) => (issuer, false, true, LIFETIME),
            Token::Narrow(issuer) => (issuer, false, false, LIFETIME),
        };
        let key = self.servers.issuers.get(issuer)?.key;
        let now = self.process.borrow().wall.checked_div(1000)?;
        let expires_at = if lifetime == 0 {
            now.saturating_sub(3600)
        } else {
            now.saturating_add(lifetime)
        };
        let id = format!("t{}", self.tokens.len());
        let claims = json!({
            "iss": token::issuer(issuer), "aud": "databricks", "sub": "somebody", "jti": id,
            "exp": expires_at, "scope": if has_scope { "jobs" } else { "sql" },
        });
        self.tokens.push(Minted {
            text: token::sign(issuer, key, &claims, is_forged),
            id,
            issuer,
            key,
            expires_at,
            is_forged,
            has_scope,
        });
        self.tokens.len().checked_sub(1)
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9}.{:03} s  {}", now / 1000, now % 1000, line()));
        }
    }
}

/// A configuration.
fn configuration(variant: Variant) -> Value {
    let issuer = |number: usize| {
        json!({
            "issuer": token::issuer(number), "audiences": ["databricks"], "algorithms": ["EdDSA"],
            "clock_skew": "30s",
            "jwks": {
                "cluster": format!("issuer-{number}"), "uri": format!("{}/keys", token::issuer(number)),
                "timeout": "2s", "refresh": "60s", "max_stale": "5m",
            },
        })
    };
    let list = json!({
        "cluster": "list", "uri": "https://list.example.com/revoked.json", "poll": "10s",
        "max_stale": "1m", "when_stale": "refuse",
    });
    let mut configuration = json!({
        "issuers": [issuer(0), issuer(1)],
        "withdrawn": { "list": list },
        "limits": { "waiting_requests": MAX_WAITING, "waiting_time": "5s", "cached_tokens": 20 },
    });
    match variant {
        Variant::Plain => {}
        Variant::Exchange => {
            configuration["exchange"] = json!({
                "cluster": "databricks", "token_endpoint": "https://dbc.example.com/oidc/v1/token",
            });
        }
        Variant::OneIssuer => {
            configuration["issuers"] = json!([issuer(0)]);
            configuration["withdrawn"] = json!({});
        }
        Variant::Denying => {
            let deny =
                json!({ "name": "no-jobs", "effect": "deny", "paths": ["/api/2.2/jobs/get"] });
            configuration["policy"] = json!({ "rules": [deny] });
        }
        Variant::Refused => configuration["issuers"] = json!([]),
    }
    configuration
}

/// The one plugin.
pub(crate) const PLUGIN: PluginId = PluginId(1);

/// What a worker may hold.
pub(crate) const MAX_WAITING: usize = 64;

/// 2027, in milliseconds.
const START: u64 = 1_800_000_000_000;

/// No clock of a machine is set further back.
const EARLIEST: u64 = 1_700_000_000_000;

/// Of tokens, in seconds.
const LIFETIME: u64 = 1800;

/// At the end of a run, so that everything which waits is answered.
const CALM: u64 = 30_000;
