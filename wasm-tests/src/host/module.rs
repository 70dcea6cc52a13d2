//! The modules that a host runs, compiled.

use std::sync::OnceLock;

use wasmtime::{Config, Engine, Module};

use crate::paths;

/// The built module, compiled once in a process.
pub fn built_module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| compile(&paths::module_bytes()))
}

/// The built module, compiled so that it meters what it executes: a number that no other work on
/// the machine changes.
pub fn metered_module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config).expect("an engine that meters");
        Module::new(&engine, paths::module_bytes()).expect("a WebAssembly module")
    })
}

/// Compiles a module.
pub fn compile(bytes: &[u8]) -> Module {
    Module::new(&Engine::default(), bytes).expect("a WebAssembly module")
}
