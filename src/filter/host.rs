//! One function for each host call, our types on both sides, no policy.
//!
//! The SDK panics on statuses that it does not expect, and a panic takes the worker's VM down; so each call is made only where the host
//! is known to expect it, and its bytes are never taken for text.

use std::time::Duration;

use host_calls::shared_data::Unshared;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, MetricType};

use crate::callout::Call;
use crate::request::Headers;
use crate::time::UnixTime;
use crate::token::fingerprint::Fingerprint;

/// Reads every request header in order, repeats included.
///
/// The whole map on purpose: asking for one name yields its first value only, so a second `authorization` would pass unseen. Values stay
/// bytes: gateways admit 0x80–0xff in them, and the SDK's text variants panic on what is not UTF-8.
pub(super) fn request_headers() -> Headers {
    // In the wrong phase the host answers with an empty map, which is refused for having no method.
    Headers::from_map(host_calls::request_headers())
}

/// Removes every header of a name from the request.
pub(super) fn remove_request_header(name: &str) {
    let _ = hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, None);
}

/// As much of the request's body as has come and is held.
pub(super) fn request_body(size: usize) -> Vec<u8> {
    hostcalls::get_buffer(BufferType::HttpRequestBody, 0, size)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Reads every request trailer.
pub(super) fn request_trailers() -> Headers {
    Headers::new(hostcalls::get_map_bytes(MapType::HttpRequestTrailers).unwrap_or_default())
}

/// Removes every trailer of a name from the request.
pub(super) fn remove_request_trailer(name: &str) {
    let _ = hostcalls::set_map_value_bytes(MapType::HttpRequestTrailers, name, None);
}

/// Sets a request header, in place of whatever was there.
pub(super) fn set_request_header(name: &str, value: &str) {
    let _ =
        hostcalls::set_map_value_bytes(MapType::HttpRequestHeaders, name, Some(value.as_bytes()));
}

/// Answers the request here. The caller must return `Pause`: Envoy overrides the action after a local reply, other hosts obey it.
pub(super) fn reply(status: u16, headers: &[(&'static str, String)], body: &str) {
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let _ = hostcalls::send_http_response(u32::from(status), headers, Some(body.as_bytes()));
}

/// Answers a gRPC request here, `message` being plain text: hosts encode it for `grpc-message`.
pub(super) fn reply_grpc(status: u8, headers: &[(&'static str, String)], message: &str) {
    let status = match status {
        3 => proxy_wasm::types::GrpcStatusCode::InvalidArgument,
        7 => proxy_wasm::types::GrpcStatusCode::PermissionDenied,
        14 => proxy_wasm::types::GrpcStatusCode::Unavailable,
        16 => proxy_wasm::types::GrpcStatusCode::Unauthenticated,
        _ => proxy_wasm::types::GrpcStatusCode::Internal,
    };
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()))
        .collect();
    let _ = hostcalls::send_grpc_response(status, Some(message), headers);
}

/// Lets a request that was held go on.
pub(super) fn resume_request() {
    let _ = hostcalls::resume_http_request();
}

/// Makes the calls that follow those of another context. `false` where that context is gone.
pub(super) fn become_context(context_id: u32) -> bool {
    hostcalls::set_effective_context(context_id).is_ok()
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
    let version = hostcalls::get_property(vec!["connection", "tls_version"]);
    version
        .ok()
        .flatten()
        .is_some_and(|version| !version.is_empty())
}

/// The time, from the host's clock.
pub(super) fn now() -> UnixTime {
    hostcalls::get_current_time()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .and_then(UnixTime::from_millis)
        // A clock that cannot be read makes every token dead.
        .unwrap_or(UnixTime::MAX)
}

/// Asks to be called every so often; never, when the period is zero.
pub(super) fn set_tick_period(period: Duration) {
    let _ = hostcalls::set_tick_period(period);
}

/// The plugin's configuration.
pub(super) fn plugin_configuration() -> Vec<u8> {
    hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Names a counter. The same name yields the same counter on every worker.
pub(super) fn define_counter(name: &str) -> u32 {
    hostcalls::define_metric(MetricType::Counter, name).unwrap_or_default()
}

/// Names a gauge.
pub(super) fn define_gauge(name: &str) -> u32 {
    hostcalls::define_metric(MetricType::Gauge, name).unwrap_or_default()
}

/// Names a histogram.
pub(super) fn define_histogram(name: &str) -> u32 {
    hostcalls::define_metric(MetricType::Histogram, name).unwrap_or_default()
}

/// Adds to a counter.
pub(super) fn increment_metric(id: u32, by: u64) {
    let _ = hostcalls::increment_metric(id, i64::try_from(by).unwrap_or(i64::MAX));
}

/// Sets a gauge, or gives a histogram another value.
pub(super) fn record_metric(id: u32, value: u64) {
    let _ = hostcalls::record_metric(id, value);
}

/// Reads a value that every VM of this `vm_id` shares, and its version. Not the SDK's call, which panics where the host does not allow it.
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

/// Writes an audit record to the host's log.
pub(super) fn write_record(line: &str) {
    let _ = hostcalls::log(LogLevel::Info, line);
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
    let body = (!call.body.is_empty()).then_some(&*call.body);
    hostcalls::dispatch_http_call(&call.cluster, headers, body, Vec::new(), call.timeout).ok()
}

/// A header of a callout's answer.
pub(super) fn call_response_header(name: &str) -> Option<Vec<u8>> {
    hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, name).ok()?
}

/// The body of a callout's answer.
pub(super) fn call_response_body(size: usize) -> Vec<u8> {
    hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, size)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Has the host verify a signature, `arguments` being those of Envoy's function of that name. `None` where there is no such function, or
/// it fails.
pub(super) fn verify_signature(arguments: &[u8]) -> Option<Vec<u8>> {
    hostcalls::call_foreign_function("verify_signature", Some(arguments)).ok()?
}

/// Hosts count versions from 1 and compare none where there is no value: with this one a value is created, and never overwritten.
const NO_VERSION: u32 = u32::MAX;
