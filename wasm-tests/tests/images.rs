//! The images of a release, through a registry and into a real Envoy.
//!
//! They are pushed to a registry on this machine, pulled back, unpacked as Istio's agent and Envoy
//! Gateway's controller unpack them, and the module is loaded. Needs `skopeo` and
//! `docker-registry`. `OAM_DIST` names a release's folder; without it, images of the built module
//! are packed.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wasm_tests::client::{self, Connection};
use wasm_tests::envoy::{self, Setup};
use wasm_tests::issuer::Issuer;
use wasm_tests::paths;
use wasm_tests::workspace::Workspace;

#[test]
fn each_image_comes_out_of_a_registry_as_the_module_that_envoy_runs() {
    let scratch = envoy::scratch();
    let dist = dist(&scratch);
    let module = fs::read(dist.join(MODULE)).expect("a module");
    let registry = Registry::start(&scratch);
    for form in ["oci", "oci-compat"] {
        let pulled = registry.push_and_pull(&dist, form, &scratch);
        let unpacked = unpack(&pulled).unwrap_or_else(|error| panic!("{form}: {error}"));
        assert_eq!(digest(&unpacked), digest(&module), "{form}");
        let plugin = scratch.join(format!("{form}.wasm"));
        fs::write(&plugin, &unpacked).expect("a file");
        answers(plugin, form);
    }
    drop(registry);
    drop(fs::remove_dir_all(scratch));
}

/// A real Envoy with this module opens what is public and asks for a token elsewhere.
fn answers(plugin: PathBuf, form: &str) {
    let (issuer, workspace) = (Issuer::start(["acme-rsa"]), Workspace::start());
    let envoy = Setup::sample()
        .module(plugin)
        .cluster("issuer", issuer.address())
        .cluster("workspace", workspace.address())
        .start();
    let status = |path: &str| client::get(envoy.address(), path, &[]).status;
    let seen = ["/healthz", "/api/2.2/jobs/get"].map(status);
    assert_eq!(seen, [200, 401], "{form}");
}

#[test]
fn an_image_that_hosts_refuse_is_refused() {
    let scratch = envoy::scratch();
    let content = "application/vnd.module.wasm.content.layer.v1+wasm";
    let ordinary = "application/vnd.oci.image.layer.v1.tar+gzip";
    fs::write(scratch.join("00"), b"not compressed").expect("a file");
    #[rustfmt::skip]
    let cases = [
        // name                       layers                          what is wrong
        ("one layer of their own",    vec![content],                  "one layer of a module's own media type"),
        ("no layer",                  vec![],                         "no layer"),
        ("of the CNCF's layout",      vec!["application/wasm"],       "no media type that hosts know: application/wasm"),
        ("an archive without it",     vec![ordinary],                 "no plugin.wasm in the last layer"),
    ];
    for (name, types, want) in cases {
        let layers: Vec<Value> = types
            .iter()
            .map(|kind| json!({ "mediaType": kind, "digest": "sha256:00" }))
            .collect();
        let manifest = json!({ "mediaType": OCI_MANIFEST, "layers": layers }).to_string();
        fs::write(scratch.join("manifest.json"), manifest).expect("a file");
        assert_eq!(unpack(&scratch), Err(want.to_owned()), "{name}");
    }
    drop(fs::remove_dir_all(scratch));
}

/// The module in an image that was pulled into a folder, by the rules of Istio's
/// `pkg/wasm/imagefetcher.go`, which Envoy Gateway's `internal/wasm/imagefetcher.go` shares: the
/// last layer of an ordinary image, or the content of exactly two layers with their own media
/// types.
fn unpack(folder: &Path) -> Result<Vec<u8>, String> {
    let manifest = fs::read(folder.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_slice(&manifest).expect("JSON");
    let layers = manifest["layers"].as_array().expect("layers");
    let kind = |layer: &Value| layer["mediaType"].as_str().unwrap_or_default().to_owned();
    let blob = |layer: &Value| {
        let digest = layer["digest"].as_str().unwrap_or_default();
        folder.join(digest.trim_start_matches("sha256:"))
    };
    let last = layers.last().ok_or("no layer")?;
    match kind(last).as_str() {
        "application/vnd.docker.image.rootfs.diff.tar.gzip"
        | "application/vnd.oci.image.layer.v1.tar+gzip" => from_archive(&blob(last)),
        _ if layers.iter().any(|layer| kind(layer) == CONTENT) => {
            let kinds: Vec<String> = layers.iter().map(kind).collect();
            let content = layers.iter().find(|layer| kind(layer) == CONTENT);
            let is_known = kinds.len() == 2 && kinds.iter().any(|kind| kind == CONFIG);
            let content = content.filter(|_| is_known);
            let content = content.ok_or("one layer of a module's own media type")?;
            fs::read(blob(content)).map_err(|error| error.to_string())
        }
        other => Err(format!("no media type that hosts know: {other}")),
    }
}

fn from_archive(blob: &Path) -> Result<Vec<u8>, String> {
    let unpacked = Command::new("tar")
        .args(["--extract", "--gzip", "--to-stdout", "--file"])
        .arg(blob)
        .arg("plugin.wasm")
        .stderr(Stdio::null())
        .output()
        .expect("tar runs");
    let is_there = unpacked.status.success();
    let found = is_there.then_some(unpacked.stdout);
    found.ok_or_else(|| "no plugin.wasm in the last layer".to_owned())
}

/// The folder of a release.
fn dist(scratch: &Path) -> PathBuf {
    if let Some(dist) = std::env::var_os("OAM_DIST") {
        return dist.into();
    }
    let dist = scratch.join("dist");
    fs::create_dir(&dist).expect("a folder");
    fs::write(dist.join(MODULE), paths::module_bytes()).expect("a file");
    let mut pack = Command::new(env!("CARGO"));
    pack.args(["run", "--quiet", "--locked", "--package", "module-tools"]);
    pack.args(["--bin", "pack-release", "--"]);
    run(pack.arg(&dist).arg("0"));
    dist
}

/// A registry on this machine, that forgets everything when it ends.
struct Registry {
    child: Child,
    address: SocketAddr,
}

impl Registry {
    fn start(scratch: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let settings = json!({
            "version": 0.1, "log": { "accesslog": { "disabled": true } },
            "storage": { "filesystem": { "rootdirectory": scratch.join("registry") } },
            "http": { "addr": address.to_string() },
        });
        let file = scratch.join("registry.yaml");
        fs::write(&file, settings.to_string()).expect("a file");
        let log = fs::File::create(scratch.join("registry.log")).expect("a file");
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let child = child.expect("docker-registry runs (Debian: apt-get install docker-registry)");
        let registry = Self { child, address };
        let started = Instant::now();
        while Connection::try_open(address).is_err() {
            assert!(started.elapsed() < PATIENCE, "the registry does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    /// The folder into which the image of this form was pulled.
    fn push_and_pull(&self, dist: &Path, form: &str, scratch: &Path) -> PathBuf {
        let image = format!("docker://{}/databricks-oam-filter:{form}", self.address);
        let layout = format!("oci:{}", dist.join(form).display());
        let pulled = scratch.join(format!("pulled-{form}"));
        let copy = |from: &str, to: &str, option: &str| {
            let mut skopeo = Command::new("skopeo");
            skopeo.args(["copy", "--quiet", "--insecure-policy", option, from, to]);
            run(&mut skopeo);
        };
        copy(&layout, &image, "--dest-tls-verify=false");
        let target = format!("dir:{}", pulled.display());
        copy(&image, &target, "--src-tls-verify=false");
        pulled
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn run(command: &mut Command) {
    let ran = command.current_dir(paths::root()).output();
    let ran = ran.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command:?}: {said}");
}

fn digest(bytes: &[u8]) -> String {
    let digits = |byte: &u8| format!("{byte:02x}");
    Sha256::digest(bytes).iter().map(digits).collect()
}

const MODULE: &str = "databricks_oam_filter.wasm";

const CONFIG: &str = "application/vnd.module.wasm.config.v1+json";

const CONTENT: &str = "application/vnd.module.wasm.content.layer.v1+wasm";

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// However slow the machine.
const PATIENCE: Duration = Duration::from_secs(30);
