//! Where things lie in the checkout.

use std::path::{Path, PathBuf};

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("wasm-tests lies in the workspace")
}

/// The built module. It is `scripts/build` that builds it.
pub fn module() -> PathBuf {
    root().join("target/wasm32-wasip1/release/databricks_oam_filter.wasm")
}

/// The built module's bytes, or a stop with the remedy.
pub fn module_bytes() -> Vec<u8> {
    let path = module();
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run scripts/build first", path.display()))
}

/// Everything of this crate that is data: `keys`, `corpus`, `configurations`.
pub fn tests(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The current time, in whole seconds since the epoch.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    i64::try_from(since.as_secs()).expect("a clock before the year 292 billion")
}
