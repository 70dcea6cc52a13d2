//! The host's statistics. The same name is the same metric in every VM.

use crate::OK;

/// What a metric tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Kind {
    /// How often something happened.
    Counter = 0,
    /// How something is now.
    Gauge = 1,
    /// How values are spread.
    Histogram = 2,
}

/// Names a metric; the host's number for it. `None` where it takes none.
#[must_use]
pub fn define(kind: Kind, name: &str) -> Option<u32> {
    let mut id = 0;
    // SAFETY: the host reads the name in its bounds, and writes the out-pointer, or returns another
    // status.
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

/// Adds to a counter.
pub fn increment(id: u32, by: i64) {
    // SAFETY: no memory is passed.
    let _ = unsafe { proxy_increment_metric(id, by) };
}

/// Sets a gauge, or gives a histogram another value.
pub fn record(id: u32, value: u64) {
    // SAFETY: no memory is passed.
    let _ = unsafe { proxy_record_metric(id, value) };
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_define_metric(kind: Kind, name: *const u8, length: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, by: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}
