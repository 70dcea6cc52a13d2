//! The host's header maps.

use crate::OK;

/// Which of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Map {
    /// The request's headers.
    Request = 0,
    /// The request's trailers.
    RequestTrailers = 1,
    /// The headers of a callout's answer.
    Callout = 6,
}

/// A whole map, as the host writes it (see [`serialized`]), which may be no bytes for no pairs;
/// `None` where it does not hand it over.
#[must_use]
#[inline]
pub fn all(map: Map) -> Option<Vec<u8>> {
    // SAFETY: the host writes both out-pointers, or returns another status.
    crate::returned(|data, size| unsafe { proxy_get_header_map_pairs(map, data, size) })
        .ok()
        .map(Option::unwrap_or_default)
}

/// The first value of a name.
#[must_use]
pub fn first(map: Map, name: &str) -> Option<Vec<u8>> {
    let value = crate::returned(|data, size| {
        // SAFETY: the host reads the name in its bounds, and writes both out-pointers, or returns
        // another status.
        unsafe { proxy_get_header_map_value(map, name.as_ptr(), name.len(), data, size) }
    });
    // A value of no bytes comes without memory.
    Some(value.ok()?.unwrap_or_default())
}

/// Sets a name's value, in place of all that it had. `false` where the host does not.
#[must_use]
pub fn set(map: Map, name: &str, value: &str) -> bool {
    let (at, length) = (value.as_ptr(), value.len());
    // SAFETY: the host reads both in their bounds.
    let status =
        unsafe { proxy_replace_header_map_value(map, name.as_ptr(), name.len(), at, length) };
    status == OK
}

/// Removes every value of a name. `false` where the host does not.
#[must_use]
pub fn remove(map: Map, name: &str) -> bool {
    // SAFETY: the host reads the name in its bounds.
    let status = unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) };
    status == OK
}

/// Pairs as the host reads and writes them: their number, the lengths of each name and value, then
/// these, each with a NUL behind it; numbers are 32 bits, the lowest first.
pub(crate) fn serialized(pairs: &[(impl AsRef<str>, impl AsRef<str>)]) -> Vec<u8> {
    let texts = || {
        pairs
            .iter()
            .flat_map(|(name, value)| [name.as_ref(), value.as_ref()])
    };
    let mut map = number(pairs.len()).to_vec();
    map.extend(texts().flat_map(|text| number(text.len())));
    for text in texts() {
        map.extend_from_slice(text.as_bytes());
        map.push(0);
    }
    map
}

/// No text in this memory is longer than 32 bits say.
fn number(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: Map, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: Map,
        name: *const u8,
        length: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: Map,
        name: *const u8,
        length: usize,
        value: *const u8,
        value_length: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: Map, name: *const u8, length: usize) -> u32;
}
