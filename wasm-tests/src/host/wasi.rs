//! The handful of WASI calls that Rust's standard library makes: a clock, random bytes, an empty
//! environment.

use wasmtime::{Caller, Linker, Result, bail};

use super::memory::Guest;
use super::state::State;

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    type Call<'a> = Caller<'a, State>;
    linker.func_wrap(
        WASI,
        "environ_sizes_get",
        |caller: Call<'_>, count: u32, size: u32| none(caller, count, size),
    )?;
    linker.func_wrap(
        WASI,
        "args_sizes_get",
        |caller: Call<'_>, count: u32, size: u32| none(caller, count, size),
    )?;
    linker.func_wrap(WASI, "environ_get", |_: u32, _: u32| 0)?;
    linker.func_wrap(WASI, "args_get", |_: u32, _: u32| 0)?;
    linker.func_wrap(WASI, "sched_yield", || 0)?;
    linker.func_wrap(
        WASI,
        "clock_time_get",
        |caller: Call<'_>, _: u32, _: u64, pointer: u32| {
            let mut guest = Guest(caller);
            let now = guest.state().now_nanos();
            guest.write(pointer, &now.to_le_bytes()).map(|()| 0)
        },
    )?;
    linker.func_wrap(
        WASI,
        "random_get",
        |caller: Call<'_>, pointer: u32, size: u32| random(caller, pointer, size),
    )?;
    linker.func_wrap(
        WASI,
        "fd_write",
        |caller: Call<'_>, _: u32, vectors: u32, count: u32, written: u32| {
            fd_write(caller, vectors, count, written)
        },
    )?;
    linker.func_wrap(WASI, "proc_exit", |_: Call<'_>, code: u32| -> Result<()> {
        bail!("the module ended itself with code {code}")
    })?;
    Ok(())
}

fn none(caller: Caller<'_, State>, count: u32, size: u32) -> Result<u32> {
    let mut guest = Guest(caller);
    guest.write_u32(count, 0)?;
    guest.write_u32(size, 0)?;
    Ok(0)
}

fn random(caller: Caller<'_, State>, pointer: u32, size: u32) -> Result<u32> {
    use std::hash::{BuildHasher as _, RandomState};
    let mut bytes = Vec::new();
    while bytes.len() < usize::try_from(size)? {
        bytes.extend_from_slice(&RandomState::new().hash_one(bytes.len()).to_le_bytes());
    }
    bytes.truncate(usize::try_from(size)?);
    Guest(caller).write(pointer, &bytes).map(|()| 0)
}

/// What the module writes to standard output or error goes to its log: a panic message comes this
/// way.
fn fd_write(caller: Caller<'_, State>, vectors: u32, count: u32, written: u32) -> Result<u32> {
    let mut guest = Guest(caller);
    let mut text = Vec::new();
    for i in 0..count {
        let vector = guest.read(vectors + 8 * i, 8)?;
        let (pointer, size) = vector.split_at(4);
        text.extend(guest.read(
            u32::from_le_bytes(pointer.try_into()?),
            u32::from_le_bytes(size.try_into()?),
        )?);
    }
    guest.write_u32(written, u32::try_from(text.len())?)?;
    guest
        .state()
        .log
        .push((4, String::from_utf8_lossy(&text).into_owned()));
    Ok(0)
}

const WASI: &str = "wasi_snapshot_preview1";
