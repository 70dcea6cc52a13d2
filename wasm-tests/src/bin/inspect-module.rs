//! Prints the module's size, imports and callbacks, and refuses one that is too large or that Envoy
//! could not load.

use std::path::PathBuf;
use std::process::ExitCode;

use wasm_tests::{capabilities, inlining, paths};

fn main() -> ExitCode {
    let path = std::env::args_os()
        .nth(1)
        .map_or_else(paths::module, PathBuf::from);
    match std::fs::read(&path) {
        Ok(bytes) => inspect(&path.display().to_string(), &bytes),
        Err(error) => {
            eprintln!("{}: {error}; run scripts/build", path.display());
            ExitCode::FAILURE
        }
    }
}

fn inspect(name: &str, bytes: &[u8]) -> ExitCode {
    let (imports, callbacks) = match (capabilities::imports(bytes), capabilities::callbacks(bytes))
    {
        (Ok(imports), Ok(callbacks)) => (imports, callbacks),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("{name}: not a module: {error}");
            return ExitCode::FAILURE;
        }
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    println!(
        "{name}: {} KiB of {} KiB",
        bytes.len().div_ceil(1024),
        BUDGET / 1024
    );
    for (module, functions) in &imports {
        println!("  imports from {module}: {}", functions.join(", "));
    }
    println!("  callbacks: {}", callbacks.join(", "));
    if let Ok(compiled) = inlining::in_envoy(bytes) {
        println!(
            "  code: {} KiB, and {} KiB that V8 inlines",
            compiled.own.div_ceil(1024),
            compiled.inlined.div_ceil(1024)
        );
    }
    let mut faults = Vec::new();
    if bytes.len() > BUDGET {
        faults.push(format!(
            "larger than {} KiB: what is new in it, and is it worth that?",
            BUDGET / 1024
        ));
    }
    for (module, functions) in &imports {
        let offered: &[&str] = match module.as_str() {
            "env" => &ENV,
            "wasi_snapshot_preview1" => &WASI,
            _ => &[],
        };
        let unknown = functions
            .iter()
            .filter(|function| !offered.contains(&function.as_str()));
        faults
            .extend(unknown.map(|function| {
                format!("imports {module}.{function}, which Envoy does not offer")
            }));
    }
    for fault in &faults {
        eprintln!("{name}: {fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What the module may weigh: every worker compiles it and keeps it.
const BUDGET: usize = 1024 * 1024;

// What Envoy 1.36 to 1.40 link for proxy-wasm ABI 0.2.1.
const ENV: [&str; 39] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_close_stream",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_buffer_bytes",
    "proxy_get_buffer_status",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_size",
    "proxy_get_header_map_value",
    "proxy_get_log_level",
    "proxy_get_metric",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_resolve_shared_queue",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

const WASI: [&str; 16] = [
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_close",
    "fd_fdstat_get",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_read",
    "fd_seek",
    "fd_write",
    "path_open",
    "proc_exit",
    "random_get",
    "sched_yield",
];
