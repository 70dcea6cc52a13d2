//! `oam`: on a laptop, before anything is deployed, what the gateway will answer.
//!
//! Every answer comes out of the library that the module is made of. What the command line adds is
//! reading files and telling people.

#[cfg(not(target_arch = "wasm32"))]
#[path = "oam/cli.rs"]
mod cli;

use std::process::ExitCode;

#[cfg(not(target_arch = "wasm32"))]
fn main() -> ExitCode {
    cli::main()
}

/// Modules have no command line.
#[cfg(target_arch = "wasm32")]
fn main() -> ExitCode {
    ExitCode::FAILURE
}
