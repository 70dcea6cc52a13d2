//! The host's shared data: values by name that every VM with the same `vm_id` reads and writes.
//!
//! A host answers `InternalFailure` where whoever runs it has not granted the call (Envoy's
//! `capability_restriction_config`).

use crate::OK;

/// A value, and the number that the host gave this version of it.
pub type Versioned = (Vec<u8>, u32);

/// The host does not share, with this status for an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unshared(pub u32);

/// Reads a value; `None` where nobody has written one.
///
/// # Errors
///
/// The host's status, where that says neither.
pub fn get(name: &str) -> Result<Option<Versioned>, Unshared> {
    let mut version = 0;
    let value = crate::returned(|data, size| {
        let version = &raw mut version;
        // SAFETY: the host reads the name in its bounds, and writes the three out-pointers, or
        // returns another status.
        unsafe { proxy_get_shared_data(name.as_ptr(), name.len(), data, size, version) }
    });
    match value {
        // A value of no bytes may come without memory.
        Ok(value) => Ok(Some((value.unwrap_or_default(), version))),
        Err(NOT_FOUND) => Ok(None),
        Err(status) => Err(Unshared(status)),
    }
}

/// Writes a value if its version is still this one, or if nobody has written any. `false` where
/// somebody else was faster.
///
/// Zero is any version. The host compares no version where there is no value, so with a version
/// that none has this creates, and never overwrites.
///
/// # Errors
///
/// The host's status, where that says neither.
pub fn set(name: &str, value: &[u8], version: u32) -> Result<bool, Unshared> {
    let (data, size) = (value.as_ptr(), value.len());
    // SAFETY: the host reads both in their bounds.
    let status = unsafe { proxy_set_shared_data(name.as_ptr(), name.len(), data, size, version) };
    match status {
        OK => Ok(true),
        CAS_MISMATCH => Ok(false),
        status => Err(Unshared(status)),
    }
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_shared_data(
        name: *const u8,
        length: usize,
        data: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        name: *const u8,
        length: usize,
        data: *const u8,
        size: usize,
        version: u32,
    ) -> u32;
}

/// `WasmResult::NotFound`.
const NOT_FOUND: u32 = 1;

/// `WasmResult::CasMismatch`.
const CAS_MISMATCH: u32 = 8;
