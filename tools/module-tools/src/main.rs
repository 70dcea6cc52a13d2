//! Takes from the built module what no host needs to see, and all that only that led to.
//!
//! The linker leaves room in every number that it fills in, a seventh of the module, and names that
//! nobody reads. It exports whatever a dependency marks for that, and a host calls every callback
//! that a module exports: for each response and its body, for the log.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use walrus::{Export, ModuleConfig};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: trim-module MODULE");
        return ExitCode::from(2);
    };
    match trim(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn trim(path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut module = ModuleConfig::new()
        .generate_name_section(false)
        .generate_producers_section(false)
        .parse(&bytes)
        .map_err(|error| format!("not a module: {error:#}"))?;
    let unwanted: Vec<_> = module
        .exports
        .iter()
        .filter(|export| !KEPT.contains(&export.name.as_str()))
        .map(Export::id)
        .collect();
    for export in unwanted {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(&mut module);
    // Not in place: cargo keeps the same file under another name, and would take the trimmed one
    // for its own.
    let trimmed = path.with_extension("trimmed");
    std::fs::write(&trimmed, module.emit_wasm()).map_err(|error| error.to_string())?;
    std::fs::rename(&trimmed, path).map_err(|error| error.to_string())
}

/// What a host needs. Envoy takes `proxy_on_done` for done and goes on to `proxy_on_delete` where a
/// module has none.
const KEPT: [&str; 13] = [
    "_initialize",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_memory_allocate",
    "proxy_on_request_body",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_tick",
    "proxy_on_vm_start",
];
