//! The proxy-wasm host calls that every request makes, without the SDK's copies, and those that fail, without its panics.
//!
//! The SDK makes two allocations for each header and traps on a name that is not UTF-8; it writes the path of a property anew each time.
//! Here the host's bytes are handed on as they are, and every status but `Ok` is nothing.
//!
//! The host puts what it returns into memory that it asked of `proxy_on_memory_allocate`. That is the SDK's, which leaks a `Box<[u8]>` of just
//! that size, so a box takes it back.

#![cfg(target_arch = "wasm32")]

mod memory;
pub mod shared_data;

/// Every header of the current context's request, as the host writes header maps; empty in the wrong phase.
#[must_use]
pub fn request_headers() -> Vec<u8> {
    // SAFETY: the host writes both out-pointers, or returns another status.
    taken(|data, size| unsafe { proxy_get_header_map_pairs(HTTP_REQUEST_HEADERS, data, size) })
        .unwrap_or_default()
}

/// A property of the current context, `path` being its parts with a NUL between each two; `None` where there is none.
#[must_use]
pub fn property(path: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the host reads `path` in its bounds, and writes both out-pointers, or returns another status.
    taken(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
}

/// What a call returns through two out-pointers.
fn taken(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let mut data = std::ptr::null_mut();
    let mut size = 0;
    if call(&raw mut data, &raw mut size) != OK || data.is_null() {
        return None;
    }
    let bytes = std::ptr::slice_from_raw_parts_mut(data, size);
    // SAFETY: a box of `size` bytes was leaked at `data` for this call alone, as said above, and the host has filled it.
    Some(unsafe { Box::from_raw(bytes) }.into_vec())
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_property(
        path: *const u8,
        length: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
}

/// `WasmResult::Ok`.
const OK: u32 = 0;

/// `WasmHeaderMapType::RequestHeaders`.
const HTTP_REQUEST_HEADERS: u32 = 0;
