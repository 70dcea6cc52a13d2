//! The manifests for Istio and Envoy Gateway, held to those projects' own schemas, which are kept
//! under `tests/manifests/schemas`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{oam, text};

#[test]
fn what_is_shipped_is_as_the_schemas_say() {
    let envoy = Path::new(env!("CARGO_MANIFEST_DIR")).join("envoy");
    for (platform, least) in [("istio", 9), ("envoy-gateway", 9)] {
        assert_eq!(
            faults_in(&envoy.join(platform)),
            (least, Vec::new()),
            "{platform}"
        );
    }
}

#[test]
fn what_init_writes_is_as_the_schemas_say() {
    for (platform, count) in [("istio", 8), ("envoy-gateway", 9)] {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("manifests-init-{platform}"));
        let _ = fs::remove_dir_all(&out);
        #[rustfmt::skip]
        let ran = oam(&[
            "init", "--idp", "keycloak", "--issuer", "https://sso.corp.example/realms/a", "--audience", "api",
            "--host", "dbc-7.cloud.databricks.com", "--for", platform, "--out", text(&out),
        ]);
        assert_eq!(ran.code, Some(0), "{platform}: {}", ran.err);
        assert_eq!(faults_in(&out), (count, Vec::new()), "{platform}");
    }
}

/// Each of these is what somebody could write; none of them passes.
#[test]
fn a_resource_that_the_platform_refuses_is_refused() {
    let at =
        |api: &str, kind: &str, spec: Value| json!({"apiVersion": api, "kind": kind, "spec": spec});
    let trusted = json!({"wasm": {"url": "oci://r.example/m", "failStrategy": "FAIL_RELOAD"}});
    let istio = "extensions.istio.io/v1alpha1";
    let gateway = "gateway.envoyproxy.io/v1alpha1";
    let filter = |key: &str, value: Value| {
        let mut spec = trusted.clone();
        spec["wasm"][key] = value;
        at(istio, "TrafficExtension", spec)
    };
    #[rustfmt::skip]
    let cases = [
        // name                        resource                                                                             faults
        ("as it should be",            filter("sha256", json!("00")),                                                       0),
        ("a key that does not exist",  filter("sha", json!("00")),                                                          1),
        ("a value that is none",       filter("failStrategy", json!("FAIL_MAYBE")),                                         1),
        ("another type",               filter("priority", json!("high")),                                                   1),
        ("nothing to load",            at(istio, "WasmPlugin", json!({"phase": "AUTHN"})),                                  1),
        ("no host",                    at("networking.istio.io/v1", "ServiceEntry", json!({"resolution": "DNS"})),          1),
        ("an unknown source of code",  at(gateway, "EnvoyExtensionPolicy", json!({"wasm": [{"code": {"type": "File"}}]})),  1),
        ("a kind without a schema",    at(gateway, "Bakcend", json!({})),                                                   1),
    ];
    for (name, resource, want) in cases {
        let found = faults(&resource);
        assert_eq!(found.map_or(0, |found| found.len()), want, "{name}");
    }
}

/// How many resources below a folder have a schema, and what is wrong with them.
fn faults_in(folder: &Path) -> (usize, Vec<String>) {
    let mut all = Vec::new();
    for path in files(folder) {
        let source = fs::read_to_string(&path).unwrap();
        let resources: Vec<Value> = serde_saphyr::from_multiple(&source)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for resource in resources
            .iter()
            .filter(|resource| resource["kind"].is_string())
        {
            let found = faults(resource);
            all.extend(found.map(|found| (path.display().to_string(), found)));
        }
    }
    let told = all
        .iter()
        .flat_map(|(path, found)| found.iter().map(move |fault| format!("{path}: {fault}")));
    (all.len(), told.collect())
}

/// What is wrong with a resource; `None` for those of Kubernetes itself.
fn faults(resource: &Value) -> Option<Vec<String>> {
    let (api, kind) = (resource["apiVersion"].as_str()?, resource["kind"].as_str()?);
    let group = api.split_once('/').map_or("", |(group, _)| group);
    if KUBERNETES.contains(&group) {
        return None;
    }
    let (kind, spec) = older(kind, &resource["spec"]);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/manifests/schemas/{group}.{kind}.json"));
    let Ok(schema) = fs::read_to_string(kept) else {
        return Some(vec![format!("{api} {kind}: no schema")]);
    };
    let schema: Value = serde_json::from_str(&schema).unwrap();
    if schema["title"] != format!("{api} {kind}") {
        return Some(vec![format!(
            "{api} {kind}: the schema is of {}",
            schema["title"]
        )]);
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults = validator.iter_errors(&spec);
    Some(
        faults
            .map(|fault| format!("{kind}{}: {fault}", fault.instance_path()))
            .collect(),
    )
}

/// A `TrafficExtension` has the fields of a `WasmPlugin`, those of the module in an object of their
/// own. No package has its schema yet.
fn older<'a>(kind: &'a str, spec: &Value) -> (&'a str, Value) {
    let mut spec = spec.clone();
    if kind != "TrafficExtension" {
        return (kind, spec);
    }
    let mut wasm = spec["wasm"].take();
    let fields = spec.as_object_mut().unwrap();
    fields.remove("wasm");
    fields.append(wasm.as_object_mut().unwrap());
    ("WasmPlugin", spec)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    found.sort();
    found
}

/// Kustomize's own files among them.
const KUBERNETES: [&str; 4] = [
    "",
    "apps",
    "kustomize.config.k8s.io",
    "rbac.authorization.k8s.io",
];
