//! The calls of proxy-wasm ABI 0.2.1, as Envoy answers them.

use wasmtime::{Caller, Linker, Result};

use crate::header_map;
use crate::reply::Reply;

use super::memory::Guest;
use super::state::{Callout, State};
use super::status::{BAD_ARGUMENT, CAS_MISMATCH, INTERNAL_FAILURE, NOT_FOUND, OK};

type Call<'a> = Caller<'a, State>;

pub(super) fn link(linker: &mut Linker<State>) -> Result<()> {
    link_surroundings(linker)?;
    link_maps(linker)?;
    link_shared(linker)?;
    link_streams(linker)
}

/// Log, clock, buffers, properties.
#[expect(clippy::too_many_lines, reason = "a table of host calls, one row each")]
fn link_surroundings(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_log",
        |c: Call<'_>, level: u32, text: u32, size: u32| {
            let mut guest = Guest(c);
            let text = guest.text(text, size)?;
            if guest.state().logs_nothing {
                return Ok(INTERNAL_FAILURE);
            }
            // As Envoy: it says so of lines too that its log drops.
            if guest.state().log_level.is_none_or(|least| level >= least) {
                guest.state().log.push((level, text));
            }
            if let Some(context) = guest.state().goes.take() {
                guest.delete(context)?;
            }
            Ok(OK)
        },
    )?;
    linker.func_wrap(ENV, "proxy_get_log_level", |c: Call<'_>, level: u32| {
        let mut guest = Guest(c);
        match guest.state().log_level {
            Some(least) => guest.write_u32(level, least).map(|()| OK),
            None => Ok(INTERNAL_FAILURE),
        }
    })?;
    linker.func_wrap(
        ENV,
        "proxy_get_current_time_nanoseconds",
        |c: Call<'_>, time: u32| {
            let mut guest = Guest(c);
            if guest.state().tells_no_time {
                return Ok(BAD_ARGUMENT);
            }
            let now = guest.state().now_nanos();
            guest.write(time, &now.to_le_bytes()).map(|()| OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_tick_period_milliseconds",
        |mut c: Call<'_>, period: u32| {
            c.data_mut().tick_period = period;
            OK
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_buffer_bytes",
        |c: Call<'_>, kind: u32, start: u32, max: u32, data: u32, size: u32| {
            let mut guest = Guest(c);
            let Some(bytes) = guest.state().buffer(kind) else {
                return Ok(NOT_FOUND);
            };
            let start = usize::try_from(start)?.min(bytes.len());
            let end = start.saturating_add(usize::try_from(max)?).min(bytes.len());
            guest.give(&bytes[start..end], data, size).map(|()| OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_property",
        |c: Call<'_>, path: u32, path_size: u32, data: u32, size: u32| {
            let mut guest = Guest(c);
            let path = guest
                .text(path, path_size)?
                .trim_end_matches('\0')
                .replace('\0', ".");
            let Some(value) = guest.state().properties.get(&path).cloned() else {
                return Ok(NOT_FOUND);
            };
            guest.give(&value, data, size).map(|()| OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_property",
        |c: Call<'_>, path: u32, path_size: u32, data: u32, size: u32| {
            let mut guest = Guest(c);
            let path = guest.text(path, path_size)?.replace('\0', ".");
            let value = guest.read(data, size)?;
            guest.state().properties.insert(path, value);
            Ok(OK)
        },
    )?;
    Ok(())
}

/// Header maps.
#[expect(clippy::too_many_lines, reason = "a table of host calls, one row each")]
fn link_maps(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_get_header_map_pairs",
        |c: Call<'_>, kind: u32, data: u32, size: u32| {
            let mut guest = Guest(c);
            if guest.state().withholds && kind == TRAILERS {
                return Ok(INTERNAL_FAILURE);
            }
            // Envoy answers a map of the wrong phase with an empty one.
            let bytes =
                header_map::serialize(&guest.state().map(kind).cloned().unwrap_or_default());
            guest.give(&bytes, data, size).map(|()| OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_header_map_size",
        |c: Call<'_>, kind: u32, size: u32| {
            let mut guest = Guest(c);
            let length = guest
                .state()
                .map(kind)
                .map_or(0, |map| header_map::serialize(map).len());
            guest.write_u32(size, u32::try_from(length)?).map(|()| OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_header_map_pairs",
        |c: Call<'_>, kind: u32, data: u32, size: u32| {
            let mut guest = Guest(c);
            let headers = guest.headers(data, size)?;
            Ok(guest.state().map(kind).map_or(BAD_ARGUMENT, |map| {
                *map = headers;
                OK
            }))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_header_map_value",
        |c: Call<'_>, kind: u32, name: u32, name_size: u32, data: u32, size: u32| {
            let mut guest = Guest(c);
            let name = guest.text(name, name_size)?.to_ascii_lowercase();
            let found = guest
                .state()
                .map(kind)
                .and_then(|map| map.iter().find(|(other, _)| *other == name).cloned());
            let Some((_, value)) = found else {
                return Ok(NOT_FOUND);
            };
            guest.give(&value, data, size).map(|()| OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_remove_header_map_value",
        |c: Call<'_>, kind: u32, name: u32, size: u32| {
            let mut guest = Guest(c);
            let name = guest.text(name, size)?.to_ascii_lowercase();
            if guest.state().keeps_headers {
                return Ok(INTERNAL_FAILURE);
            }
            Ok(guest.state().map(kind).map_or(BAD_ARGUMENT, |map| {
                map.retain(|(other, _)| *other != name);
                OK
            }))
        },
    )?;
    for (call, replace) in [
        ("proxy_replace_header_map_value", true),
        ("proxy_add_header_map_value", false),
    ] {
        linker.func_wrap(
            ENV,
            call,
            move |c: Call<'_>, kind: u32, name: u32, name_size: u32, value: u32, size: u32| {
                let mut guest = Guest(c);
                let name = guest.text(name, name_size)?.to_ascii_lowercase();
                let value = guest.read(value, size)?;
                if guest.state().keeps_headers {
                    return Ok(INTERNAL_FAILURE);
                }
                Ok(guest.state().map(kind).map_or(BAD_ARGUMENT, |map| {
                    if replace {
                        map.retain(|(other, _)| *other != name);
                    }
                    map.push((name, value));
                    OK
                }))
            },
        )?;
    }
    Ok(())
}

/// Shared data, metrics, foreign functions.
#[expect(clippy::too_many_lines, reason = "a table of host calls, one row each")]
fn link_shared(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_get_shared_data",
        |c: Call<'_>, key: u32, key_size: u32, data: u32, size: u32, cas: u32| {
            let mut guest = Guest(c);
            let key = guest.read(key, key_size)?;
            let Some((value, version)) = guest.state().shared.get(&key).cloned() else {
                return Ok(NOT_FOUND);
            };
            guest.write_u32(cas, version)?;
            guest.give(&value, data, size).map(|()| OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_set_shared_data",
        |c: Call<'_>, key: u32, key_size: u32, data: u32, size: u32, cas: u32| {
            let mut guest = Guest(c);
            let (key, value) = (guest.read(key, key_size)?, guest.read(data, size)?);
            let version = guest.state().shared.get(&key).map(|(_, version)| *version);
            if version.is_some_and(|version| cas != 0 && cas != version) {
                return Ok(CAS_MISMATCH);
            }
            guest
                .state()
                .shared
                .insert(key, (value, version.unwrap_or_default() + 1));
            Ok(OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_define_metric",
        |c: Call<'_>, _: u32, name: u32, size: u32, id: u32| {
            let mut guest = Guest(c);
            let name = guest.text(name, size)?;
            let metrics = &mut guest.state().metrics;
            let place = metrics
                .iter()
                .position(|(other, _)| *other == name)
                .unwrap_or_else(|| {
                    metrics.push((name, 0));
                    metrics.len() - 1
                });
            guest.write_u32(id, u32::try_from(place)?).map(|()| OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_increment_metric",
        |mut c: Call<'_>, id: u32, by: i64| {
            c.data_mut().metric(id).map_or(NOT_FOUND, |value| {
                *value += by;
                OK
            })
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_record_metric",
        |mut c: Call<'_>, id: u32, now: i64| {
            c.data_mut().metric(id).map_or(NOT_FOUND, |value| {
                *value = now;
                OK
            })
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_get_metric",
        |c: Call<'_>, id: u32, data: u32| {
            let mut guest = Guest(c);
            let Some(value) = guest.state().metric(id).copied() else {
                return Ok(NOT_FOUND);
            };
            guest.write(data, &value.to_le_bytes()).map(|()| OK)
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_call_foreign_function",
        |_: u32, _: u32, _: u32, _: u32, _: u32, _: u32| NOT_FOUND,
    )?;
    Ok(())
}

/// Requests, replies, callouts.
#[expect(clippy::too_many_lines, reason = "a table of host calls, one row each")]
fn link_streams(linker: &mut Linker<State>) -> Result<()> {
    linker.func_wrap(
        ENV,
        "proxy_set_effective_context",
        |mut c: Call<'_>, context: u32| {
            let known = context == super::ROOT || c.data().streams.contains_key(&context);
            if known {
                c.data_mut().effective = context;
            }
            if known { OK } else { BAD_ARGUMENT }
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_continue_stream",
        |mut c: Call<'_>, kind: u32| match c.data_mut().current() {
            Some(stream) if kind == 0 => {
                stream.resumed = true;
                stream.stopped = false;
                OK
            }
            Some(_) => OK,
            None => BAD_ARGUMENT,
        },
    )?;
    linker.func_wrap(ENV, "proxy_close_stream", |_: u32| OK)?;
    linker.func_wrap(ENV, "proxy_done", || OK)?;
    linker.func_wrap(
        ENV,
        "proxy_send_local_response",
        |c: Call<'_>,
         status: u32,
         _: u32,
         _: u32,
         body: u32,
         body_size: u32,
         headers: u32,
         size: u32,
         grpc_status: i32| {
            let mut guest = Guest(c);
            let (body, headers) = (guest.read(body, body_size)?, guest.headers(headers, size)?);
            let status = u16::try_from(status)?;
            Ok(guest.state().current().map_or(BAD_ARGUMENT, |stream| {
                // The first answer is the answer.
                stream.reply.get_or_insert(Reply {
                    status,
                    headers,
                    body,
                    grpc_status,
                });
                OK
            }))
        },
    )?;
    linker.func_wrap(
        ENV,
        "proxy_http_call",
        |c: Call<'_>,
         cluster: u32,
         cluster_size: u32,
         headers: u32,
         headers_size: u32,
         body: u32,
         body_size: u32,
         _: u32,
         _: u32,
         timeout: u32,
         token: u32| {
            let mut guest = Guest(c);
            let cluster = guest.text(cluster, cluster_size)?;
            let (headers, body) = (
                guest.headers(headers, headers_size)?,
                guest.read(body, body_size)?,
            );
            let state = guest.state();
            if !state.clusters.contains(&cluster) {
                return Ok(BAD_ARGUMENT);
            }
            let number = u32::try_from(state.made.len())? + 1;
            let callout = Callout {
                token: number,
                context: state.effective,
                cluster,
                headers,
                body,
                timeout,
            };
            state.made.push(callout.clone());
            state.waiting.push_back(callout);
            guest.write_u32(token, number).map(|()| OK)
        },
    )?;
    Ok(())
}

const ENV: &str = "env";

/// `WasmHeaderMapType::RequestTrailers`.
const TRAILERS: u32 = 1;
