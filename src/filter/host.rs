//! The host by its calls: one function for each, our types on both sides, no policy.
//!
//! Where a host refuses, there is nothing: the failure that denies. Its bytes are never taken for
//! text unseen.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use host_calls::headers::Map;
use host_calls::metrics::Kind;
use host_calls::{Buffer, Level, headers, http, metrics, shared_data};

use crate::answer::Answer;
use crate::audit::host_log::LogLevel;
use crate::audit::record::Record;
use crate::callout::CalloutRequest;
use crate::gateway::host::{
    CalloutId, Engine, HeaderEdits, Host, MetricId, MetricKind, PluginId, SharedValue, StreamId,
    Unshared,
};
use crate::request::Headers;
use crate::time::UnixTime;
use crate::token::algorithm::{Algorithm, AlgorithmSet};
use crate::token::fingerprint::Fingerprint;
use crate::token::signature::delegated::Delegated;

/// The host of the event at hand.
pub(super) struct WasmHost {
    /// The root that it is about.
    plugin: PluginId,
    /// The bytes of the callout's answer that it brings.
    answer_bytes: Cell<usize>,
    /// Whether host calls are about a request instead.
    is_away: Cell<bool>,
}

impl WasmHost {
    pub(super) const fn new(plugin: PluginId) -> Self {
        Self {
            plugin,
            answer_bytes: Cell::new(0),
            is_away: Cell::new(false),
        }
    }

    /// The host has an answer of so many bytes.
    pub(super) fn announce(&self, answer_bytes: usize) {
        self.answer_bytes.set(answer_bytes);
    }
}

impl Host for WasmHost {
    fn engine(&self, used: AlgorithmSet) -> Engine {
        let engine = Delegated::prove(used, verify_signature);
        Engine {
            by_host: engine.proven(),
            // A proof of possession is signed by its sender, with whatever algorithm that likes.
            verifier: Box::new(engine.with_on_demand(Algorithm::ALL.into_iter().collect())),
        }
    }

    fn now(&self) -> Option<UnixTime> {
        host_calls::now()
            .and_then(|nanoseconds| UnixTime::from_millis(nanoseconds / NANOSECONDS_EACH))
    }

    fn seed(&self) -> u64 {
        RandomState::new().hash_one(0_u8)
    }

    fn enter(&self, stream: StreamId) -> bool {
        self.is_away.set(true);
        host_calls::set_effective_context(stream.0)
    }

    fn leave(&self) {
        if self.is_away.take() {
            // A root does not go while it is served.
            let _ = host_calls::set_effective_context(self.plugin.0);
        }
    }

    /// Whether the host validated its chain does not matter for a token that is bound to it: the
    /// client has the key, and the issuer named the certificate (RFC 8705 §3). What a header says
    /// of a certificate is not used: anybody can write it.
    fn peer_certificate(&self) -> Option<Fingerprint> {
        let digest = host_calls::property(b"connection\0sha256_peer_certificate_digest")?;
        Fingerprint::parse(std::str::from_utf8(&digest).ok()?).ok()
    }

    fn is_encrypted(&self) -> bool {
        let version = host_calls::property(b"connection\0tls_version");
        version.is_some_and(|version| !version.is_empty())
    }

    fn request_body(&self, most: usize) -> Vec<u8> {
        host_calls::buffer(Buffer::RequestBody, most)
    }

    fn edit_headers(&self, edits: &HeaderEdits<'_>) -> bool {
        let mut removed = edits.removed.iter();
        let mut set = edits.set.iter();
        removed.all(|name| headers::remove(Map::Request, name))
            && set.all(|(name, value)| headers::set(Map::Request, name, value))
    }

    fn remove_trailers(&self, names: &[&str]) -> bool {
        (names.iter()).all(|name| headers::remove(Map::RequestTrailers, name))
    }

    fn log_takes(&self, level: LogLevel) -> Option<bool> {
        host_calls::takes(level.into())
    }

    /// Whether the log takes lines of this level the host does not say here.
    fn write_record(&self, level: LogLevel, _: &Record<'_>, line: &str) -> bool {
        host_calls::log(level.into(), line)
    }

    fn annotate(&self, name: &str, value: &str) {
        // What the host's own log lacks, the record still has.
        let _ = host_calls::set_property(name, value);
    }

    fn log_critical(&self, line: &str) {
        // To a host that takes no lines this could not be logged.
        let _ = host_calls::log(Level::Critical, line);
    }

    fn send(&self, call: &CalloutRequest) -> Option<CalloutId> {
        let mut headers = vec![
            (":method", call.method),
            (":scheme", "https"),
            (":authority", call.uri.authority()),
            (":path", call.uri.path()),
            ("accept", call.accept),
            // Firewalls before identity providers turn requests without one away.
            (
                "user-agent",
                concat!("databricks-oam-filter/", env!("CARGO_PKG_VERSION")),
            ),
        ];
        headers.extend(call.headers.iter().map(|(name, value)| (&**name, &**value)));
        let token = http::dispatch(&http::Call {
            cluster: &call.cluster,
            headers: &headers,
            body: &call.body,
            timeout: call.timeout,
        });
        token.map(CalloutId)
    }

    fn answer_header(&self, name: &str) -> Option<Vec<u8>> {
        headers::first(Map::Callout, name)
    }

    fn answer_body(&self, most: usize) -> Vec<u8> {
        host_calls::buffer(Buffer::CalloutBody, self.answer_bytes.get().min(most))
    }

    fn shares_with_strangers(&self) -> bool {
        host_calls::is_empty_property(b"plugin_vm_id")
    }

    fn shared_value(&self, name: &str) -> Result<Option<SharedValue>, Unshared> {
        shared_data::get(name).map_err(|status| Unshared(status.0))
    }

    fn share_value(
        &self,
        name: &str,
        value: &[u8],
        version: Option<u32>,
    ) -> Result<bool, Unshared> {
        let version = version.unwrap_or(NO_VERSION);
        shared_data::set(name, value, version).map_err(|status| Unshared(status.0))
    }

    fn tick_every(&self, period: Duration) {
        host_calls::set_tick_period(period);
    }

    fn define_metric(&self, kind: MetricKind, name: &str) -> MetricId {
        let kind = match kind {
            MetricKind::Counter => Kind::Counter,
            MetricKind::Gauge => Kind::Gauge,
            MetricKind::Histogram => Kind::Histogram,
        };
        MetricId(metrics::define(kind, name).unwrap_or_default())
    }

    fn add_to_metric(&self, metric: MetricId, by: u64) {
        metrics::increment(metric.0, i64::try_from(by).unwrap_or(i64::MAX));
    }

    fn record_metric(&self, metric: MetricId, value: u64) {
        metrics::record(metric.0, value);
    }
}

impl From<LogLevel> for Level {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Info => Self::Info,
            LogLevel::Warn => Self::Warn,
            LogLevel::Error => Self::Error,
            LogLevel::Critical => Self::Critical,
        }
    }
}

/// Reads every request header in order, repeats included.
///
/// The whole map on purpose: reading one name yields its first value only, so a second
/// `authorization` would pass unseen. Values stay bytes: gateways admit 0x80–0xff in them.
pub(super) fn request_headers() -> Headers {
    // In the wrong phase the host hands over none, and a request without a method is refused.
    let map = headers::all(Map::Request);
    map.and_then(Headers::from_map).unwrap_or_default()
}

/// Reads every request trailer. `None` where they cannot be read, which does not mean that there
/// are none.
pub(super) fn request_trailers() -> Option<Headers> {
    match headers::all(Map::RequestTrailers)? {
        map if map.is_empty() => Some(Headers::default()),
        map => Headers::from_map(map),
    }
}

/// The address of the client as the host understands it, without its port.
pub(super) fn source_ip() -> Option<String> {
    let address = host_calls::property(b"source\0address")?;
    let mut address = String::from_utf8(address).ok()?;
    if let Some(port) = address.rfind(':') {
        address.truncate(port);
    }
    if address.starts_with('[') {
        address = address.trim_matches(['[', ']']).to_owned();
    }
    Some(address)
}

/// Answers the request of the current context.
pub(super) fn reply(answer: &Answer) {
    // gRPC's errors come with this status of HTTP's; hosts encode the message.
    let status = if answer.grpc_status.is_some() {
        200
    } else {
        answer.status
    };
    let details = format!("oam_{}", answer.reason);
    http::reply(
        status.into(),
        &details,
        answer.grpc_status,
        &answer.headers,
        &answer.body,
    );
}

/// Lets the request of the current context go on.
pub(super) fn resume_request() {
    http::resume();
}

/// The plugin's configuration.
pub(super) fn plugin_configuration() -> Vec<u8> {
    host_calls::buffer(Buffer::PluginConfiguration, usize::MAX)
}

/// Has the host verify a signature, `arguments` being those of Envoy's function of that name.
/// `None` where there is no such function, or it fails.
fn verify_signature(arguments: &[u8]) -> Option<Vec<u8>> {
    host_calls::foreign_function("verify_signature", arguments)
}

/// Hosts count versions from 1 and compare none where there is no value: with this one a value is
/// created, and never overwritten.
const NO_VERSION: u32 = u32::MAX;

/// In a millisecond.
const NANOSECONDS_EACH: u64 = 1_000_000;
