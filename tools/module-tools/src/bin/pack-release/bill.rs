//! What the module and `oam` are made of, as `CycloneDX` 1.5 has it: every crate that either is
//! linked from, and those that build them.
//!
//! Written here because the tools that write one put a time and a random number into it, and two
//! clones are to have the same digests.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

/// The bill as JSON.
pub(super) fn of_release() -> Result<String, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(cargo);
    command.args(["metadata", "--locked", "--format-version", "1"]);
    for platform in ["wasm32-wasip1", "x86_64-unknown-linux-musl"] {
        command.args(["--filter-platform", platform]);
    }
    let output = command
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let lock =
        std::fs::read_to_string("Cargo.lock").map_err(|error| format!("Cargo.lock: {error}"))?;
    let bill = bill(&metadata, &checksums(&lock)).ok_or("cargo metadata: not as expected")?;
    serde_json::to_string_pretty(&bill).map_err(|error| error.to_string())
}

fn bill(metadata: &Value, checksums: &BTreeMap<(String, String), String>) -> Option<Value> {
    let packages = metadata["packages"].as_array()?.iter();
    let packages: BTreeMap<&str, &Value> = packages
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let nodes = metadata["resolve"]["nodes"].as_array()?.iter();
    let nodes: BTreeMap<&str, &Value> = nodes
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let root = packages
        .values()
        .find(|package| package["name"] == "databricks-oam-filter")?;
    let mut needed = BTreeSet::new();
    let mut open = vec![root["id"].as_str()?];
    while let Some(id) = open.pop() {
        if needed.insert(id) {
            open.extend(dependencies(nodes.get(id)?));
        }
    }
    let root = root["id"].as_str()?;
    let part = |id: &&str| component(packages.get(*id)?, checksums);
    let parts: Option<Vec<Value>> = needed.iter().filter(|id| **id != root).map(part).collect();
    let edge = |id: &&str| {
        let mut on: Vec<String> = dependencies(nodes.get(*id)?)
            .filter_map(|id| Some(url(packages.get(id)?)))
            .collect();
        on.sort();
        on.dedup();
        Some(json!({ "ref": url(packages.get(*id)?), "dependsOn": on }))
    };
    let edges: Option<Vec<Value>> = needed.iter().map(edge).collect();
    let mut whole = component(packages.get(root)?, checksums)?;
    whole["type"] = json!("application");
    Some(json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": { "component": whole },
        "components": parts?, "dependencies": edges?,
    }))
}

/// What a crate is linked from or built by; what its tests need is none of it.
fn dependencies(node: &Value) -> impl Iterator<Item = &str> {
    let all = node["deps"].as_array().into_iter().flatten();
    let is_needed = |dependency: &&Value| {
        let mut kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
        kinds.any(|kind| kind["kind"] != "dev")
    };
    all.filter(is_needed)
        .filter_map(|dependency| dependency["pkg"].as_str())
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Option<Value> {
    let text = |name: &str| package[name].as_str().map(str::to_owned);
    let (name, version) = (text("name")?, text("version")?);
    let mut component = json!({
        "type": "library", "bom-ref": url(package), "name": name, "version": version, "purl": url(package),
    });
    if let Some(license) = text("license") {
        // An old way to write "or".
        component["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
    }
    if let Some(checksum) = checksums.get(&(name, version)) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    Some(component)
}

fn url(package: &Value) -> String {
    let text = |name: &str| package[name].as_str().unwrap_or_default();
    format!("pkg:cargo/{}@{}", text("name"), text("version"))
}

/// The digests in `Cargo.lock`, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let packages = lock.split("[[package]]").skip(1);
    let read = |package: &str| {
        let value = |name: &str| {
            let mut lines = package.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))?;
            Some(line.trim_matches('"').to_owned())
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    };
    packages.filter_map(read).collect()
}
