//! The border between this module and its host: proxy-wasm ABI 0.2.1, the calls and callbacks that
//! the filter uses and no others.
//!
//! In place of an SDK. That of the proxy-wasm project reaches a request over a boxed object, three
//! hash maps and calls that the compiler cannot see through, which each request pays for; it
//! exports every callback there is, and hosts call what is exported; and it panics on statuses that
//! it does not expect, which takes the worker's VM down. Here the callbacks lead straight to the
//! filter's functions, the host's bytes are handed on as they are, and every status is a value:
//! whoever needs an answer gets none, whoever needs none goes on.
//!
//! The host puts what it returns into memory that it asked of [`callbacks`], which leaks a
//! `Box<[u8]>` of just that size; so a box takes it back.

#![cfg(target_arch = "wasm32")]

use std::time::Duration;

pub mod callbacks;
pub mod headers;
pub mod http;
pub mod metrics;
pub mod shared_data;

/// What the host holds for the current callback.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Buffer {
    /// As much of a request's body as has come and is held.
    RequestBody = 0,
    /// The body of a callout's answer.
    CalloutBody = 4,
    /// The plugin's configuration.
    PluginConfiguration = 7,
}

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Level {
    /// Every step.
    Trace = 0,
    /// For whoever looks for a fault.
    Debug = 1,
    /// What goes as it should.
    Info = 2,
    /// What an operator should look at.
    Warn = 3,
    /// What does not work.
    Error = 4,
    /// After which nothing works.
    Critical = 5,
}

/// At most `most` bytes of a buffer, from its start; none where there is no such buffer.
#[must_use]
pub fn buffer(buffer: Buffer, most: usize) -> Vec<u8> {
    // SAFETY: the host writes both out-pointers, or returns another status.
    returned(|data, size| unsafe { proxy_get_buffer_bytes(buffer, 0, most, data, size) })
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// A property of the current context, `path` being its parts with a NUL between each two; `None`
/// where there is none.
#[must_use]
pub fn property(path: &[u8]) -> Option<Vec<u8>> {
    read_property(path).ok()?
}

/// Whether the host has a property and says that it is empty; `false` where it has none of this
/// name.
#[must_use]
pub fn is_empty_property(path: &[u8]) -> bool {
    read_property(path).is_ok_and(|value| value.is_none_or(|value| value.is_empty()))
}

fn read_property(path: &[u8]) -> Result<Option<Vec<u8>>, u32> {
    // SAFETY: the host reads `path` in its bounds, and writes both out-pointers, or returns another
    // status.
    returned(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// Sets a property of the current request, which the host's own log can show. `false` where the
/// host does not.
#[must_use]
pub fn set_property(name: &str, value: &str) -> bool {
    // SAFETY: the host reads both in their bounds.
    let status =
        unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
    status == OK
}

/// The host's clock, in nanoseconds since the epoch; `None` where it has none.
#[must_use]
pub fn now() -> Option<u64> {
    let mut nanoseconds = 0;
    // SAFETY: the host writes the out-pointer, or returns another status.
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
    (status == OK).then_some(nanoseconds)
}

/// Asks for a tick of the current root context every so often, in whole milliseconds; for none any
/// more, when the period is zero.
pub fn set_tick_period(period: Duration) {
    // SAFETY: no memory is passed.
    let _ = unsafe { proxy_set_tick_period_milliseconds(milliseconds(period)) };
}

/// Makes the calls that follow those of another context. `false` where that context is gone.
#[must_use]
pub fn set_effective_context(context_id: u32) -> bool {
    // SAFETY: no memory is passed.
    let status = unsafe { proxy_set_effective_context(context_id) };
    status == OK
}

/// Writes a line to the host's log. `false` where the host does not.
#[must_use]
pub fn log(level: Level, line: &str) -> bool {
    // SAFETY: the host reads the line in its bounds.
    let status = unsafe { proxy_log(level, line.as_ptr(), line.len()) };
    status == OK
}

/// Whether the host's log takes lines of a level. It drops those below its own, and says of each
/// that it was written. `None` where the host does not tell.
#[must_use]
pub fn takes(level: Level) -> Option<bool> {
    let mut least = u32::MAX;
    // SAFETY: the host writes the out-pointer, or returns another status.
    let status = unsafe { proxy_get_log_level(&raw mut least) };
    (status == OK).then_some(least <= level as u32)
}

/// Calls a function that this host has beyond the ABI. `None` where it has none of this name, where
/// that fails or has nothing to say.
#[must_use]
pub fn foreign_function(name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
    returned(|data, size| {
        let (at, length) = (arguments.as_ptr(), arguments.len());
        // SAFETY: the host reads both in their bounds, and writes both out-pointers, or returns
        // another status.
        unsafe { proxy_call_foreign_function(name.as_ptr(), name.len(), at, length, data, size) }
    })
    .ok()?
}

/// What a call returns through two out-pointers, which may be nothing; the host's status, where
/// that is not `Ok`.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Option<Vec<u8>>, u32> {
    let mut data = std::ptr::null_mut();
    let mut size = 0;
    let status = call(&raw mut data, &raw mut size);
    if status != OK {
        return Err(status);
    }
    if data.is_null() {
        return Ok(None);
    }
    let bytes = std::ptr::slice_from_raw_parts_mut(data, size);
    // SAFETY: a box of `size` bytes was leaked at `data` for this call alone, as said above, and
    // the host has filled it.
    Ok(Some(unsafe { Box::from_raw(bytes) }.into_vec()))
}

/// A time as the host takes it; the longest that it can say, for those that are longer.
fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_buffer_bytes(
        buffer: Buffer,
        start: usize,
        most: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_property(
        path: *const u8,
        length: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        length: usize,
        value: *const u8,
        value_length: usize,
    ) -> u32;
    fn proxy_get_current_time_nanoseconds(nanoseconds: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_set_effective_context(context_id: u32) -> u32;
    fn proxy_get_log_level(least: *mut u32) -> u32;
    fn proxy_log(level: Level, line: *const u8, length: usize) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        length: usize,
        arguments: *const u8,
        arguments_length: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
}

/// `WasmResult::Ok`.
const OK: u32 = 0;
