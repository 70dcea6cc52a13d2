//! One worker of the process: a gateway, and a host that notes all that it is asked to do.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use databricks_oam_filter::audit::host_log::LogLevel;
use databricks_oam_filter::audit::record::{self, Record};
use databricks_oam_filter::callout::CalloutRequest;
use databricks_oam_filter::gateway::Gateway;
use databricks_oam_filter::gateway::host::{
    CalloutId, Engine, HeaderEdits, Host, MetricId, MetricKind, SharedValue, StreamId, Unshared,
};
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::algorithm::AlgorithmSet;
use databricks_oam_filter::token::fingerprint::Fingerprint;

use crate::action::{Server, Variant};
use crate::token::Hashing;

/// What all workers of the process share.
#[derive(Default)]
pub(crate) struct Process {
    /// The wall clock, in milliseconds.
    pub(crate) wall: u64,
    pub(crate) shared: BTreeMap<String, (Vec<u8>, u32)>,
    /// The servers whose cluster is empty.
    pub(crate) hostless: Vec<Server>,
    pub(crate) callouts: u32,
    pub(crate) seeds: u64,
    /// Writes to shared data that are lost, where that is planted.
    pub(crate) loses_writes: bool,
}

/// A worker.
pub(crate) struct Worker {
    pub(crate) gateway: Gateway,
    pub(crate) host: SimHost,
    pub(crate) variant: Option<Variant>,
    /// When the next tick comes, by the true clock.
    pub(crate) tick_at: Option<u64>,
    /// Of its ticks, in milliseconds.
    pub(crate) period: u64,
    /// Tells it from the one before that trapped.
    pub(crate) birth: u64,
    /// Decisions recorded since the last trap.
    pub(crate) recorded: u64,
}

/// The host as a worker sees it.
pub(crate) struct SimHost {
    process: Rc<RefCell<Process>>,
    /// The request that host calls are about.
    pub(crate) current: Cell<Option<StreamId>>,
    pub(crate) noted: RefCell<Noted>,
    /// What the answer of the event at hand holds.
    pub(crate) answer: RefCell<Answer>,
    pub(crate) body: RefCell<Vec<u8>>,
    /// What was handed over, by the metric's name.
    pub(crate) metrics: RefCell<BTreeMap<String, u64>>,
    names: RefCell<Vec<String>>,
}

/// What a gateway asked for while it handled one event.
#[derive(Default)]
pub(crate) struct Noted {
    pub(crate) records: Vec<Noticed>,
    pub(crate) sent: Vec<(CalloutId, Sent)>,
    /// The `Authorization` that a request got.
    pub(crate) authorizations: Vec<(StreamId, String)>,
    pub(crate) ticks: Option<Duration>,
}

/// A record, as far as the invariants need it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Noticed {
    pub(crate) stream: Option<StreamId>,
    pub(crate) decision: &'static str,
    pub(crate) reason: &'static str,
}

/// A callout, as far as servers need it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) cluster: String,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: u64,
}

/// An answer to a callout.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Worker {
    pub(crate) fn new(process: &Rc<RefCell<Process>>) -> Self {
        Self {
            gateway: Gateway::default(),
            host: SimHost {
                process: Rc::clone(process),
                current: Cell::new(None),
                noted: RefCell::default(),
                answer: RefCell::default(),
                body: RefCell::default(),
                metrics: RefCell::default(),
                names: RefCell::default(),
            },
            variant: None,
            tick_at: None,
            period: 1000,
            birth: 0,
            recorded: 0,
        }
    }
}

impl SimHost {
    /// What follows is about the plugin.
    pub(crate) fn leave_request(&self) {
        self.current.set(None);
    }
}

impl Host for SimHost {
    fn engine(&self, _: AlgorithmSet) -> Engine {
        Engine {
            verifier: Box::new(Hashing),
            by_host: AlgorithmSet::EMPTY,
        }
    }

    fn now(&self) -> Option<UnixTime> {
        UnixTime::from_millis(self.process.borrow().wall)
    }

    fn seed(&self) -> u64 {
        let mut process = self.process.borrow_mut();
        process.seeds = process
            .seeds
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        process.seeds
    }

    fn enter(&self, stream: StreamId) -> bool {
        self.current.set(Some(stream));
        true
    }

    fn leave(&self) {
        self.current.set(None);
    }

    fn peer_certificate(&self) -> Option<Fingerprint> {
        None
    }

    fn is_encrypted(&self) -> bool {
        true
    }

    fn request_body(&self, most: usize) -> Vec<u8> {
        self.body.borrow().iter().copied().take(most).collect()
    }

    fn edit_headers(&self, edits: &HeaderEdits<'_>) -> bool {
        let authorization = edits.set.iter().find(|(name, _)| *name == "authorization");
        if let (Some((_, value)), Some(stream)) = (authorization, self.current.get()) {
            let mut noted = self.noted.borrow_mut();
            noted.authorizations.push((stream, (*value).to_owned()));
        }
        true
    }

    fn remove_trailers(&self, _: &[&str]) -> bool {
        true
    }

    fn log_takes(&self, _: LogLevel) -> Option<bool> {
        Some(true)
    }

    fn write_record(&self, _: LogLevel, record: &Record<'_>, _: &str) -> bool {
        let (decision, reason) = record::words(&record.decision.verdict);
        self.noted.borrow_mut().records.push(Noticed {
            stream: self.current.get(),
            decision,
            reason,
        });
        true
    }

    fn annotate(&self, _: &str, _: &str) {}

    fn log_critical(&self, _: &str) {}

    fn send(&self, call: &CalloutRequest) -> Option<CalloutId> {
        let mut process = self.process.borrow_mut();
        let server = server_of(&call.cluster);
        if server.is_none_or(|server| process.hostless.contains(&server)) {
            return None;
        }
        process.callouts = process.callouts.wrapping_add(1);
        let id = CalloutId(process.callouts);
        let sent = Sent {
            cluster: call.cluster.to_string(),
            body: call.body.clone(),
            timeout: u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX),
        };
        self.noted.borrow_mut().sent.push((id, sent));
        Some(id)
    }

    fn answer_header(&self, name: &str) -> Option<Vec<u8>> {
        let answer = self.answer.borrow();
        if name == ":status" {
            return Some(answer.status.to_string().into_bytes());
        }
        let mut headers = answer.headers.iter();
        let found = headers.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone().into_bytes())
    }

    fn answer_body(&self, most: usize) -> Vec<u8> {
        self.answer
            .borrow()
            .body
            .iter()
            .copied()
            .take(most)
            .collect()
    }

    fn shares_with_strangers(&self) -> bool {
        false
    }

    fn shared_value(&self, name: &str) -> Result<Option<SharedValue>, Unshared> {
        Ok(self.process.borrow().shared.get(name).cloned())
    }

    fn share_value(
        &self,
        name: &str,
        value: &[u8],
        version: Option<u32>,
    ) -> Result<bool, Unshared> {
        let mut process = self.process.borrow_mut();
        let known = process.shared.get(name).map(|(_, version)| *version);
        // Hosts compare no version where there is no value.
        if known.is_some() && known != version {
            return Ok(false);
        }
        if !process.loses_writes {
            let next = known.unwrap_or(0).wrapping_add(1);
            process
                .shared
                .insert(name.to_owned(), (value.to_vec(), next));
        }
        Ok(true)
    }

    fn tick_every(&self, period: Duration) {
        self.noted.borrow_mut().ticks = Some(period);
    }

    fn define_metric(&self, _: MetricKind, name: &str) -> MetricId {
        let mut names = self.names.borrow_mut();
        names.push(name.to_owned());
        MetricId(u32::try_from(names.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    fn add_to_metric(&self, metric: MetricId, by: u64) {
        let names = self.names.borrow();
        let place = usize::try_from(metric.0).unwrap_or(usize::MAX);
        if let Some(name) = names.get(place) {
            let mut metrics = self.metrics.borrow_mut();
            let count = metrics.entry(name.clone()).or_default();
            *count = count.saturating_add(by);
        }
    }

    fn record_metric(&self, _: MetricId, _: u64) {}
}

/// The server behind a cluster.
pub(crate) fn server_of(cluster: &str) -> Option<Server> {
    match cluster {
        "list" => Some(Server::List),
        "databricks" => Some(Server::TokenEndpoint),
        _ => {
            let number = cluster.strip_prefix("issuer-")?.parse().ok()?;
            Some(Server::Issuer(number))
        }
    }
}
