//! What Envoy may grant a module and what not: the callbacks that it makes and the calls that it
//! answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use wasmparser::{BinaryReaderError, Parser, Payload, TypeRef};

use crate::paths;

/// The calls that share keys between workers. The module does without.
pub const SHARED_DATA: [&str; 2] = ["proxy_get_shared_data", "proxy_set_shared_data"];

/// The call that tells the host's own log of decisions. The module does without.
pub const ANNOTATION: &str = "proxy_set_property";

/// All that the built module imports, and its callbacks.
pub fn of_the_module() -> Vec<String> {
    let module = paths::module_bytes();
    let mut names = callbacks(&module).expect("a module");
    names.extend(imports(&module).expect("a module").into_values().flatten());
    names.sort_unstable();
    names
}

/// The imports by the module they come from. One that is no function counts by its name too: Envoy
/// offers none.
pub fn imports(module: &[u8]) -> Result<BTreeMap<String, Vec<String>>, BinaryReaderError> {
    let mut imports: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload? {
            for import in section.into_imports() {
                let import = import?;
                let kind = if matches!(import.ty, TypeRef::Func(_)) {
                    ""
                } else {
                    " (not a function)"
                };
                imports
                    .entry(import.module.to_owned())
                    .or_default()
                    .push(format!("{}{kind}", import.name));
            }
        }
    }
    Ok(imports)
}

/// The callbacks among a module's exports, which a host need not make. It takes memory in any case.
pub fn callbacks(module: &[u8]) -> Result<Vec<String>, BinaryReaderError> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ExportSection(section) = payload? {
            for export in section {
                let name = export?.name;
                if name.starts_with("proxy_on_") && name != "proxy_on_memory_allocate" {
                    names.push(name.to_owned());
                }
            }
        }
    }
    Ok(names)
}

/// Has the first filter of a bootstrap granted all that the module needs but this.
pub fn grant_all_but(bootstrap: &mut Value, refused: &[&str]) {
    let names = of_the_module().into_iter();
    let granted: Map<String, Value> = names
        .filter(|name| !refused.contains(&name.as_str()))
        .map(|name| (name, json!({})))
        .collect();
    *restriction(bootstrap, "capability_restriction_config") =
        json!({ "allowed_capabilities": granted });
}

/// Where the first filter of a bootstrap is restricted, under this name.
pub fn restriction<'a>(bootstrap: &'a mut Value, name: &str) -> &'a mut Value {
    let filters = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"];
    let wasm = &mut filters[0]["typed_config"]["http_filters"][0]["typed_config"];
    &mut wasm["config"][name]
}
