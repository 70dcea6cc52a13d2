//! What only the host knows, and what only the host can do.
//!
//! One trait, so that a test can lie. The filter implements it by host calls, `oam` by what a
//! command line says, and the simulation by a process that fails in every way it can.

use std::time::Duration;

use crate::audit::host_log::LogLevel;
use crate::audit::record::Record;
use crate::callout::CalloutRequest;
use crate::time::UnixTime;
use crate::token::algorithm::AlgorithmSet;
use crate::token::fingerprint::Fingerprint;
use crate::token::signature::Verifier;

/// The host's number of a request. It may come again once the request has ended.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StreamId(pub u32);

/// The host's number of a plugin: one configuration on one worker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PluginId(pub u32);

/// The host's number of a callout, until its answer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CalloutId(pub u32);

/// The host's number of a metric.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MetricId(pub u32);

/// The kind of a metric.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MetricKind {
    /// How often something happened.
    Counter,
    /// How something is now.
    Gauge,
    /// How values are distributed.
    Histogram,
}

/// What becomes of a request's headers before it goes upstream.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HeaderEdits<'a> {
    /// Names to remove, with every value.
    pub removed: Vec<&'a str>,
    /// Names to set, in place of every value that they had.
    pub set: Vec<(&'static str, &'a str)>,
}

/// A value that workers share, and the host's number of this version of it.
pub type SharedValue = (Vec<u8>, u32);

/// The host does not share, with this status for an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unshared(pub u32);

/// What verifies signatures.
pub struct Engine {
    /// The engine.
    pub verifier: Box<dyn Verifier>,
    /// The algorithms in which the host's own engine does it.
    pub by_host: AlgorithmSet,
}

/// The host of a gateway.
///
/// What concerns a request concerns the one of the event at hand, or the one that was
/// [entered](Host::enter) since.
pub trait Host {
    /// What verifies signatures, tried in these algorithms.
    fn engine(&self, used: AlgorithmSet) -> Engine;

    /// The time of day; `None` where the host has no clock.
    fn now(&self) -> Option<UnixTime>;

    /// A number that no other worker gets.
    fn seed(&self) -> u64;

    /// Turns to a request that was held. `false` where it is gone.
    fn enter(&self, stream: StreamId) -> bool;

    /// Turns back to the plugin.
    fn leave(&self);

    /// The certificate that the client has shown in its TLS handshake with this very host.
    fn peer_certificate(&self) -> Option<Fingerprint>;

    /// Whether the client's connection to this very host is TLS.
    fn is_encrypted(&self) -> bool;

    /// At most so many bytes of the request's body, as far as it is held.
    fn request_body(&self, most: usize) -> Vec<u8>;

    /// Edits the request's headers. `false` where not all of it could be done.
    fn edit_headers(&self, edits: &HeaderEdits<'_>) -> bool;

    /// Removes trailers by name. `false` where not all of it could be done.
    fn remove_trailers(&self, names: &[&str]) -> bool;

    /// Whether the log takes lines of a level; `None` where the host does not say.
    fn log_takes(&self, level: LogLevel) -> Option<bool>;

    /// Writes a record's line to the log. `false` where the host does not.
    fn write_record(&self, level: LogLevel, record: &Record<'_>, line: &str) -> bool;

    /// Gives the request a property that the host's own log can show.
    fn annotate(&self, name: &str, value: &str);

    /// Writes a line that no level of the log but the highest drops.
    fn log_critical(&self, line: &str);

    /// Sends a callout. `None` where the host refuses at once: it has no such cluster, or the
    /// cluster has no host.
    fn send(&self, call: &CalloutRequest) -> Option<CalloutId>;

    /// A header of the callout's answer that the event at hand brings.
    fn answer_header(&self, name: &str) -> Option<Vec<u8>>;

    /// At most so many bytes of that answer's body.
    fn answer_body(&self, most: usize) -> Vec<u8>;

    /// Whether what workers share could be written by strangers.
    fn shares_with_strangers(&self) -> bool;

    /// A value that workers share; `None` where nobody has written one.
    fn shared_value(&self, name: &str) -> Result<Option<SharedValue>, Unshared>;

    /// Writes a value if its version is still this one, `None` where there was none. `false` where
    /// another worker was faster.
    fn share_value(&self, name: &str, value: &[u8], version: Option<u32>)
    -> Result<bool, Unshared>;

    /// Asks for ticks of this period.
    fn tick_every(&self, period: Duration);

    /// Names a metric. The same name is the same metric on every worker.
    fn define_metric(&self, kind: MetricKind, name: &str) -> MetricId;

    /// Adds to a counter.
    fn add_to_metric(&self, metric: MetricId, by: u64);

    /// Sets a gauge, or gives a histogram another value.
    fn record_metric(&self, metric: MetricId, value: u64);
}
