//! Packs a release around the built module: two image layouts, the list of what it is made of, and
//! the digests of all of it.
//!
//! Nothing in it depends on when or where it is made, so two clones of one commit give the same
//! digests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sha2::{Digest as _, Sha256};

mod bill;
mod image;

use image::{Form, Layout};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dist, revision] = arguments.as_slice() else {
        eprintln!("usage: pack-release DIST REVISION");
        return ExitCode::from(2);
    };
    match pack(Path::new(dist), revision) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pack-release: {error}");
            ExitCode::FAILURE
        }
    }
}

fn pack(dist: &Path, revision: &str) -> Result<(), String> {
    let module = fs::read(dist.join(MODULE)).map_err(|error| format!("{MODULE}: {error}"))?;
    let sum = format!("{}  {MODULE}\n", hexadecimal(&module));
    write(&dist.join(format!("{MODULE}.sha256")), sum.as_bytes())?;
    for (name, form) in [("oci", Form::Artifact), ("oci-compat", Form::Compat)] {
        let digest = Layout::at(dist.join(name)).write(form, &module, revision)?;
        println!("{name}  {digest}");
    }
    let bill = bill::of_release()?;
    write(&dist.join("sbom.cdx.json"), bill.as_bytes())?;
    write(&dist.join(SUMS), sums(dist)?.as_bytes())
}

/// What `sha256sum --check` reads, of every file in the folder.
fn sums(dist: &Path) -> Result<String, String> {
    let mut files = Vec::new();
    let mut folders = vec![dist.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for entry in entries {
            let path = entry.map_err(|error| error.to_string())?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != SUMS) {
                files.push(path);
            }
        }
    }
    files.sort();
    let line = |path: &PathBuf| {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(dist).unwrap_or(path);
        Ok(format!("{}  {}\n", hexadecimal(&bytes), name.display()))
    };
    files.iter().map(line).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

const MODULE: &str = "databricks_oam_filter.wasm";

const SUMS: &str = "SHA256SUMS";
