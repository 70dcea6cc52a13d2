//! Takes from the built module what no host needs to see, and all that only that led to.
//!
//! The linker leaves room in every number that it fills in, a seventh of the module, and names that
//! nobody reads. It exports whatever a dependency marks for that, and a host calls every callback
//! that a module exports: for each response and its body, for the log. And [`calls`] keeps V8 from
//! compiling most of the module twice.

mod calls;

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
    for name in kept() {
        if !module.exports.iter().any(|export| export.name == name) {
            return Err(format!("the module does not export `{name}`"));
        }
    }
    let unwanted: Vec<_> = module
        .exports
        .iter()
        .filter(|export| !kept().any(|name| name == export.name))
        .map(Export::id)
        .collect();
    for id in &unwanted {
        // Nobody exports a callback but the filter, so it is wanted and was forgotten in the list.
        let name = &module.exports.get(*id).name;
        if name.starts_with("proxy_on_") {
            return Err(format!("`{name}` is missing in src/gateway/border.tsv"));
        }
    }
    for export in unwanted {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(&mut module);
    calls::through_table(&mut module)?;
    // Not in place: cargo keeps the same file under another name, and would take the trimmed one
    // for its own.
    let trimmed = path.with_extension("trimmed");
    std::fs::write(&trimmed, module.emit_wasm()).map_err(|error| error.to_string())?;
    std::fs::rename(&trimmed, path).map_err(|error| error.to_string())
}

/// The exports that stay. Envoy takes `proxy_on_done` for done and goes on to `proxy_on_delete`
/// where a module has none.
fn kept() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter_map(|line| {
        let (kind, name) = line.split_once('\t')?;
        ["callback", "gate", "runtime"]
            .contains(&kind)
            .then_some(name)
    })
}

/// What the module and its host call in one another.
const LIST: &str = include_str!("../../../src/gateway/border.tsv");
