//! What becomes of the current request, and calls of others.

use std::time::Duration;

use crate::OK;
use crate::headers::serialized;

/// A call to another service.
pub struct Call<'a> {
    /// The host's name for the service.
    pub cluster: &'a str,
    /// Its headers, pseudo-headers included.
    pub headers: &'a [(&'a str, &'a str)],
    /// Its body, if not empty.
    pub body: &'a [u8],
    /// How long its answer may take.
    pub timeout: Duration,
}

/// Answers the current request. `grpc_status` is for gRPC: `body` becomes its message, and the host
/// encodes it. `details` say to the host's own log why; no blanks in it.
pub fn reply(
    status: u32,
    details: &str,
    grpc_status: Option<u8>,
    headers: &[(impl AsRef<str>, impl AsRef<str>)],
    body: &str,
) {
    let headers = serialized(headers);
    let grpc_status = grpc_status.map_or(NO_GRPC_STATUS, i32::from);
    // SAFETY: the host reads details, body and headers in their bounds.
    let _ = unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    };
}

/// Lets the current request go on, if it was held.
pub fn resume() {
    // SAFETY: no memory is passed.
    let _ = unsafe { proxy_continue_stream(REQUEST) };
}

/// Sends a call; the host's token for it. `None` where the host refuses at once: the cluster is not
/// configured, or has no host.
#[must_use]
pub fn dispatch(call: &Call<'_>) -> Option<u32> {
    let headers = serialized(call.headers);
    let trailers = serialized(&[("", ""); 0]);
    let mut token = 0;
    // SAFETY: the host reads all four in their bounds, and writes the out-pointer.
    let status = unsafe {
        proxy_http_call(
            call.cluster.as_ptr(),
            call.cluster.len(),
            headers.as_ptr(),
            headers.len(),
            call.body.as_ptr(),
            call.body.len(),
            trailers.as_ptr(),
            trailers.len(),
            crate::milliseconds(call.timeout),
            &raw mut token,
        )
    };
    (status == OK).then_some(token)
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_length: usize,
        body: *const u8,
        body_length: usize,
        headers: *const u8,
        headers_length: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_length: usize,
        headers: *const u8,
        headers_length: usize,
        body: *const u8,
        body_length: usize,
        trailers: *const u8,
        trailers_length: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
}

/// `WasmStreamType::Request`.
const REQUEST: u32 = 0;

/// The answer is not gRPC's.
const NO_GRPC_STATUS: i32 = -1;
