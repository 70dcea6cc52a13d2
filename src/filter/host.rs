//! One function for each host call, our types on both sides, no policy.
//!
//! Where a host refuses, there is nothing: the failure that denies. Its bytes are never taken for text unseen.

use std::borrow::Cow;
use std::time::Duration;

use host_calls::headers::Map;
use host_calls::metrics::Kind;
use host_calls::shared_data::Unshared;
use host_calls::{Buffer, Level, headers, http, metrics};

use crate::audit::host_log::Level as RecordLevel;
use crate::callout::Call;
use crate::request::Headers;
use crate::time::UnixTime;
use crate::token::fingerprint::Fingerprint;

/// Reads every request header in order, repeats included.
///
/// The whole map on purpose: asking for one name yields its first value only, so a second `authorization` would pass unseen. Values stay
/// bytes: gateways admit 0x80–0xff in them.
pub(super) fn request_headers() -> Headers {
    // In the wrong phase the host hands over none, and a head without a method is refused.
    let map = headers::all(Map::Request);
    map.and_then(Headers::from_map).unwrap_or_default()
}

/// Removes every header of a name from the request. `false` where the host does not: what was judged is not what would go upstream.
pub(super) fn remove_request_header(name: &str) -> bool {
    headers::remove(Map::Request, name)
}

/// As much of the request's body as has come and is held.
pub(super) fn request_body(size: usize) -> Vec<u8> {
    host_calls::buffer(Buffer::RequestBody, size)
}

/// Reads every request trailer. `None` where they cannot be read, which does not mean that there are none.
pub(super) fn request_trailers() -> Option<Headers> {
    match headers::all(Map::RequestTrailers)? {
        map if map.is_empty() => Some(Headers::default()),
        map => Headers::from_map(map),
    }
}

/// Removes every trailer of a name from the request. `false` where the host does not.
pub(super) fn remove_request_trailer(name: &str) -> bool {
    headers::remove(Map::RequestTrailers, name)
}

/// Sets a request header, in place of whatever was there. `false` where the host does not.
pub(super) fn set_request_header(name: &str, value: &str) -> bool {
    headers::set(Map::Request, name, value)
}

/// Answers the request here. The caller must return `Pause`: Envoy overrides the action after a local reply, other hosts obey it.
pub(super) fn reply(status: u16, headers: &[(&'static str, Cow<'static, str>)], body: &str) {
    http::reply(status.into(), None, headers, body);
}

/// Answers a request here that this gateway, as it is set up, can let nobody make.
pub(super) fn reply_unable(why: &str) {
    let headers = [("content-type", "application/json".into())];
    let body = format!(r#"{{"error_code":"INTERNAL_ERROR","message":"{why}","details":[]}}"#);
    reply(500, &headers, &body);
}

/// Answers a gRPC request here, `message` being plain text: hosts encode it for `grpc-message`.
pub(super) fn reply_grpc(status: u8, headers: &[(&'static str, Cow<'static, str>)], message: &str) {
    // gRPC's errors come with this one of HTTP's.
    http::reply(200, Some(status), headers, message);
}

/// Lets a request that was held go on.
pub(super) fn resume_request() {
    http::resume();
}

/// Makes the calls that follow those of another context. `false` where that context is gone.
pub(super) fn become_context(context_id: u32) -> bool {
    host_calls::set_effective_context(context_id)
}

/// The address of the client as the gateway understands it, without its port.
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

/// The certificate that the client of the current context has shown in its TLS handshake with this very host.
///
/// Whether the host validated its chain does not matter for a token that is bound to it: the client has the key, and the issuer named the
/// certificate (RFC 8705 §3). What a header says of a certificate is not asked: anybody can write it.
pub(super) fn peer_certificate() -> Option<Fingerprint> {
    let digest = host_calls::property(b"connection\0sha256_peer_certificate_digest")?;
    Fingerprint::parse(std::str::from_utf8(&digest).ok()?).ok()
}

/// Whether the client's connection to this very host is TLS.
pub(super) fn is_encrypted() -> bool {
    let version = host_calls::property(b"connection\0tls_version");
    version.is_some_and(|version| !version.is_empty())
}

/// Whether this plugin has no `vm_id`, and so shares its data with every other plugin that has none.
pub(super) fn has_empty_vm_id() -> bool {
    host_calls::is_empty_property(b"plugin_vm_id")
}

/// The time, from the host's clock; `None` where it has none.
pub(super) fn now() -> Option<UnixTime> {
    host_calls::now().and_then(|nanoseconds| UnixTime::from_millis(nanoseconds / NANOSECONDS_EACH))
}

/// Asks to be called every so often; never, when the period is zero.
pub(super) fn set_tick_period(period: Duration) {
    host_calls::set_tick_period(period);
}

/// The plugin's configuration.
pub(super) fn plugin_configuration() -> Vec<u8> {
    host_calls::buffer(Buffer::PluginConfiguration, usize::MAX)
}

/// Names a counter. The same name yields the same counter on every worker.
pub(super) fn define_counter(name: &str) -> u32 {
    metrics::define(Kind::Counter, name).unwrap_or_default()
}

/// Names a gauge.
pub(super) fn define_gauge(name: &str) -> u32 {
    metrics::define(Kind::Gauge, name).unwrap_or_default()
}

/// Names a histogram.
pub(super) fn define_histogram(name: &str) -> u32 {
    metrics::define(Kind::Histogram, name).unwrap_or_default()
}

/// Adds to a counter.
pub(super) fn increment_metric(id: u32, by: u64) {
    metrics::increment(id, i64::try_from(by).unwrap_or(i64::MAX));
}

/// Sets a gauge, or gives a histogram another value.
pub(super) fn record_metric(id: u32, value: u64) {
    metrics::record(id, value);
}

/// Reads a value that every VM of this `vm_id` shares, and its version.
pub(super) fn shared_value(name: &str) -> Result<Option<(Vec<u8>, u32)>, Unshared> {
    host_calls::shared_data::get(name)
}

/// Writes a value that is still of this version, or that is not there yet. `false` where somebody else was faster.
pub(super) fn share_value(
    name: &str,
    value: &[u8],
    version: Option<u32>,
) -> Result<bool, Unshared> {
    host_calls::shared_data::set(name, value, version.unwrap_or(NO_VERSION))
}

/// Whether the host's log takes lines of a level; `None` where the host does not tell.
pub(super) fn log_takes(level: RecordLevel) -> Option<bool> {
    host_calls::takes(level.into())
}

/// Writes an audit record to the host's log. `false` where the host does not; whether its log takes lines of this level it does not say
/// here.
pub(super) fn write_record(level: RecordLevel, line: &str) -> bool {
    host_calls::log(level.into(), line)
}

/// Writes a line to the host's log that no level drops but the last.
pub(super) fn log_critical(line: &str) {
    // A host that takes no lines could not be told so.
    let _ = host_calls::log(Level::Critical, line);
}

impl From<RecordLevel> for Level {
    fn from(level: RecordLevel) -> Self {
        match level {
            RecordLevel::Info => Self::Info,
            RecordLevel::Warn => Self::Warn,
            RecordLevel::Error => Self::Error,
            RecordLevel::Critical => Self::Critical,
        }
    }
}

/// Sends a call to its cluster. `None` where the host refuses at once: the cluster is not configured, or has no host.
pub(super) fn dispatch(call: &Call) -> Option<u32> {
    let mut headers = vec![
        (":method", call.method),
        (":scheme", "https"),
        (":authority", call.uri.authority()),
        (":path", call.uri.path()),
        ("accept", "application/json"),
        // Firewalls before identity providers turn requests without one away.
        (
            "user-agent",
            concat!("databricks-oam-filter/", env!("CARGO_PKG_VERSION")),
        ),
    ];
    headers.extend(call.headers.iter().map(|(name, value)| (*name, &**value)));
    http::dispatch(&http::Call {
        cluster: &call.cluster,
        headers: &headers,
        body: &call.body,
        timeout: call.timeout,
    })
}

/// A header of a callout's answer.
pub(super) fn call_response_header(name: &str) -> Option<Vec<u8>> {
    headers::first(Map::Callout, name)
}

/// The body of a callout's answer.
pub(super) fn call_response_body(size: usize) -> Vec<u8> {
    host_calls::buffer(Buffer::CalloutBody, size)
}

/// Has the host verify a signature, `arguments` being those of Envoy's function of that name. `None` where there is no such function, or
/// it fails.
pub(super) fn verify_signature(arguments: &[u8]) -> Option<Vec<u8>> {
    host_calls::foreign_function("verify_signature", arguments)
}

/// Hosts count versions from 1 and compare none where there is no value: with this one a value is created, and never overwritten.
const NO_VERSION: u32 = u32::MAX;

/// In a millisecond.
const NANOSECONDS_EACH: u64 = 1_000_000;
