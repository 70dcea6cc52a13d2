//! A host for one request at a time, without a network: what `oam` and the corpus are answered by.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::audit::host_log::LogLevel;
use crate::audit::record::Record;
use crate::callout::CalloutRequest;
use crate::time::UnixTime;
use crate::token::algorithm::AlgorithmSet;
use crate::token::fingerprint::Fingerprint;
use crate::token::signature::Verifier;

use super::host::{
    CalloutId, Engine, HeaderEdits, Host, MetricId, MetricKind, SharedValue, StreamId, Unshared,
};

/// The host.
pub struct LocalHost<'h> {
    now: Cell<UnixTime>,
    engine: fn() -> Box<dyn Verifier>,
    on_record: RefCell<Box<dyn FnMut(&Record<'_>, &str) + 'h>>,
    body: RefCell<Vec<u8>>,
    removed: RefCell<Vec<String>>,
    set: RefCell<Vec<(&'static str, String)>>,
    /// How many callouts were sent so far.
    callouts: Cell<u32>,
    sent: RefCell<Vec<(CalloutId, CalloutRequest)>>,
    answer: RefCell<Vec<u8>>,
}

impl<'h> LocalHost<'h> {
    /// A host whose clock stands still at this moment, with this engine for signatures; records are
    /// handed to `on_record`, with their line.
    pub fn new(
        now: UnixTime,
        engine: fn() -> Box<dyn Verifier>,
        on_record: impl FnMut(&Record<'_>, &str) + 'h,
    ) -> Self {
        Self {
            now: Cell::new(now),
            engine,
            on_record: RefCell::new(Box::new(on_record)),
            body: RefCell::default(),
            removed: RefCell::default(),
            set: RefCell::default(),
            callouts: Cell::new(0),
            sent: RefCell::default(),
            answer: RefCell::default(),
        }
    }

    /// Sets the clock.
    pub fn set_clock(&self, now: UnixTime) {
        self.now.set(now);
    }

    /// Holds this body of the request at hand.
    pub fn hold_body(&self, body: &[u8]) {
        self.body.replace(body.to_vec());
    }

    /// Holds this body of a callout's answer.
    pub fn hold_answer(&self, body: &[u8]) {
        self.answer.replace(body.to_vec());
    }

    /// The callouts sent since the last call of this.
    pub fn take_sent(&self) -> Vec<(CalloutId, CalloutRequest)> {
        self.sent.take()
    }

    /// Edits headers as the gateway requested since the last call of this.
    pub fn edit(&self, headers: &mut Vec<(String, Vec<u8>)>) {
        let (removed, set) = (self.removed.take(), self.set.take());
        headers.retain(|(name, _)| !removed.contains(name));
        for (name, value) in set {
            headers.retain(|(known, _)| known != name);
            headers.push((name.to_owned(), value.into_bytes()));
        }
    }
}

impl Host for LocalHost<'_> {
    fn engine(&self, _: AlgorithmSet) -> Engine {
        Engine {
            verifier: (self.engine)(),
            by_host: AlgorithmSet::EMPTY,
        }
    }

    fn now(&self) -> Option<UnixTime> {
        Some(self.now.get())
    }

    fn seed(&self) -> u64 {
        0
    }

    fn enter(&self, _: StreamId) -> bool {
        true
    }

    fn leave(&self) {}

    fn peer_certificate(&self) -> Option<Fingerprint> {
        None
    }

    fn is_encrypted(&self) -> bool {
        false
    }

    fn request_body(&self, most: usize) -> Vec<u8> {
        self.body.borrow().iter().copied().take(most).collect()
    }

    fn edit_headers(&self, edits: &HeaderEdits<'_>) -> bool {
        let removed = edits.removed.iter().map(|name| (*name).to_owned());
        self.removed.borrow_mut().extend(removed);
        let set = edits
            .set
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        self.set.borrow_mut().extend(set);
        true
    }

    fn remove_trailers(&self, _: &[&str]) -> bool {
        true
    }

    fn log_takes(&self, _: LogLevel) -> Option<bool> {
        Some(true)
    }

    fn write_record(&self, _: LogLevel, record: &Record<'_>, line: &str) -> bool {
        (self.on_record.borrow_mut())(record, line);
        true
    }

    fn annotate(&self, _: &str, _: &str) {}

    fn log_critical(&self, _: &str) {}

    fn send(&self, call: &CalloutRequest) -> Option<CalloutId> {
        let id = CalloutId(self.callouts.get());
        self.callouts.set(id.0.wrapping_add(1));
        self.sent.borrow_mut().push((id, call.clone()));
        Some(id)
    }

    fn answer_header(&self, name: &str) -> Option<Vec<u8>> {
        (name == ":status").then(|| b"200".to_vec())
    }

    fn answer_body(&self, most: usize) -> Vec<u8> {
        self.answer.borrow().iter().copied().take(most).collect()
    }

    fn shares_with_strangers(&self) -> bool {
        true
    }

    fn shared_value(&self, _: &str) -> Result<Option<SharedValue>, Unshared> {
        Ok(None)
    }

    fn share_value(&self, _: &str, _: &[u8], _: Option<u32>) -> Result<bool, Unshared> {
        Ok(true)
    }

    fn tick_every(&self, _: Duration) {}

    fn define_metric(&self, _: MetricKind, _: &str) -> MetricId {
        MetricId(0)
    }

    fn add_to_metric(&self, _: MetricId, _: u64) {}

    fn record_metric(&self, _: MetricId, _: u64) {}
}
