//! Copying, for hosts on which a call out of the module's code costs more than the bytes.
//!
//! The library of the target has a copy of its own, with a branch for every way in which two addresses can lie; a request is copied together
//! from a hundred short texts, and each branch is met cold. Here are six.

use std::mem::MaybeUninit;

/// Copies bytes that do not overlap, as C's `memcpy` does.
///
/// # Safety
///
/// Both places have so many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: what is copied begins no later than so many bytes before the end.
    let copy_words = |places: [usize; 2]| places.map(|at| unsafe { copy::<u64>(to, from, at) });
    // SAFETY: the same.
    let copy_halves = |places: [usize; 2]| places.map(|at| unsafe { copy::<u32>(to, from, at) });
    // SAFETY: the same.
    let copy_bytes = |places: [usize; 3]| places.map(|at| unsafe { copy::<u8>(to, from, at) });
    match length {
        0 => {}
        // Some of it twice, rather than a branch for each remainder.
        1..4 => _ = copy_bytes([0, length / 2, length - 1]),
        4..8 => _ = copy_halves([0, length - 4]),
        8..16 => _ = copy_words([0, length - 8]),
        _ => {
            let last = length - 16;
            let mut at = 0;
            while at < last {
                // SAFETY: sixteen bytes and more are left.
                unsafe { copy::<u128>(to, from, at) };
                at += 16;
            }
            // SAFETY: the last sixteen.
            unsafe { copy::<u128>(to, from, last) };
        }
    }
    to
}

/// Copies one word, of which some may never have been written.
///
/// # Safety
///
/// Both places have the word at this distance.
unsafe fn copy<T>(to: *mut u8, from: *const u8, at: usize) {
    // SAFETY: as the caller says.
    let from = unsafe { from.add(at) };
    // SAFETY: as the caller says, and no alignment is asked for.
    let word = unsafe { from.cast::<MaybeUninit<T>>().read_unaligned() };
    // SAFETY: as the caller says.
    let to = unsafe { to.add(at) };
    // SAFETY: as the caller says, and no alignment is asked for.
    unsafe { to.cast::<MaybeUninit<T>>().write_unaligned(word) };
}
