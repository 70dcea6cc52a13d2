//! The gateway between a real identity provider (npm's oidc-provider) and a real `MLflow` server,
//! used by its client and databricks-sdk.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use wasm_tests::certificate::Certificate;
use wasm_tests::client::Connection;
use wasm_tests::envoy::{Setup, install, sample};
use wasm_tests::paths;
use wasm_tests::python::Python;

use crate::screen::Screen;

/// Runs all of it; whether everything is as it should be.
pub(crate) fn run(screen: &Screen) -> Result<bool, String> {
    let folder = paths::root().join("target/demo-real");
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let packages = packages(&folder)?;
    let python = Python::with("agent");
    let (_issuer, at_issuer) = issuer(&folder, &packages)?;
    let (_server, at_server) = server(&folder, &python)?;
    let certificate = Certificate::issue();
    let mut setup = Setup::sample()
        .certificate(&certificate)
        .cluster("issuer", at_issuer)
        .cluster("workspace", at_server);
    setup.configuration = Some(configuration());
    let envoy = setup.start();
    screen.title(&format!(
        "databricks-oam-filter on Envoy {}, oidc-provider, MLflow",
        install::version()
    ));
    screen.blank();
    let input = json!({
        "gateway": envoy.address().to_string(), "issuer": at_issuer.to_string(), "authority": certificate.authority(),
    });
    let said = python.run("real.py", &[], &input.to_string());
    let outcomes = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let (mut good, mut count) = (true, 0);
    for outcome in outcomes {
        let text = |name: &str| outcome[name].as_str().unwrap_or_default().to_owned();
        let is_as_wanted = text("got") == text("want");
        screen.verdict(is_as_wanted, "", &text("title"));
        screen.folded("got", &text("got"));
        if !is_as_wanted {
            screen.fault(&format!("want {}", text("want")));
        }
        (good, count) = (good && is_as_wanted, count + 1);
    }
    screen.blank();
    screen.title("Its records:");
    for record in envoy.log().audit_text(0, envoy.log().mark()) {
        screen.record(&record);
    }
    screen.blank();
    screen.title(if good && count == OUTCOMES {
        "all as it should be"
    } else {
        "not as it should be"
    });
    Ok(good && count == OUTCOMES)
}

/// The sample's bootstrap with the policy of this demonstration, for the servers of
/// `docker-compose.real.yaml`.
pub(crate) fn bootstrap() -> Value {
    let mut bootstrap = sample();
    let manager = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
        [0]["typed_config"];
    manager["http_filters"][0]["typed_config"]["config"]["configuration"]["value"] =
        configuration();
    bootstrap
}

fn configuration() -> Value {
    json!({
        "resource": { "identifier": AUDIENCE },
        "issuers": [{
            "issuer": "https://issuer.example.com", "preset": "rfc9068", "audiences": [AUDIENCE],
            // Found through the issuer's metadata.
            "jwks": { "cluster": "issuer" },
        }],
        "roles": [
            { "name": "data-scientist", "members": [{ "group": "data-science" }], "grants": ["mlflow", "jobs"] },
            { "name": "analyst", "members": [{ "group": "analysts" }], "grants": ["mlflow:read"] },
        ],
    })
}

/// The identity provider's packages, installed where they are missing.
fn packages(folder: &Path) -> Result<PathBuf, String> {
    let module = folder.join("node_modules/oidc-provider/package.json");
    if !module.exists() {
        let installed = Command::new("npm")
            .args([
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefix",
            ])
            .arg(folder)
            .arg(PROVIDER)
            .status()
            .map_err(|error| {
                format!(
                    "npm does not run: {error}; needed for {PROVIDER}: Node.js 20 or newer with npm"
                )
            })?;
        if !installed.success() {
            return Err(format!("npm cannot install {PROVIDER}"));
        }
    }
    // Node looks for packages beside the script.
    let script = folder.join("issuer.mjs");
    std::fs::copy(paths::tests("clients").join("issuer.mjs"), &script)
        .map_err(|error| error.to_string())?;
    Ok(script)
}

fn issuer(folder: &Path, script: &Path) -> Result<(Running, SocketAddr), String> {
    let address = free()?;
    let mut command = Command::new("node");
    command.arg(script).arg(address.port().to_string());
    Ok((
        started(command, &folder.join("issuer.log"), address)?,
        address,
    ))
}

fn server(folder: &Path, python: &Python) -> Result<(Running, SocketAddr), String> {
    let address = free()?;
    let store = folder.join("mlflow.db");
    drop(std::fs::remove_file(&store));
    let mut command = python.start(&[
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--workers",
        "1",
    ]);
    command
        .args([
            "--port",
            &address.port().to_string(),
            "--allowed-hosts",
            "*",
        ])
        .arg("--backend-store-uri")
        .arg(format!("sqlite:///{}", store.display()));
    Ok((
        started(command, &folder.join("mlflow.log"), address)?,
        address,
    ))
}

/// Starts a server with this file for its log, and waits until it listens.
fn started(mut command: Command, log: &Path, address: SocketAddr) -> Result<Running, String> {
    let file = File::create(log).map_err(|error| error.to_string())?;
    let same = file.try_clone().map_err(|error| error.to_string())?;
    command.stdin(Stdio::null()).stdout(file).stderr(same);
    let child = command
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let (running, started) = (Running(child), Instant::now());
    while Connection::try_open(address).is_err() {
        if started.elapsed() > PATIENCE {
            return Err(format!("a server did not start: see {}", log.display()));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(running)
}

/// An address that was free a moment ago.
fn free() -> Result<SocketAddr, String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.map_err(|error| error.to_string())
}

/// A server that ends with the demonstration, and so do those that it started.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // MLflow ends its own workers when it is asked to end, not when it is killed.
        if let Some(id) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(id, Signal::TERM);
        }
        drop(self.0.wait());
    }
}

const AUDIENCE: &str = "https://databricks.example.com";

/// The one that the image has too.
const PROVIDER: &str = include_str!("../../../clients/issuer.txt").trim_ascii();

/// How many lines `real.py` writes.
const OUTCOMES: usize = 7;

/// `MLflow` makes its database first.
const PATIENCE: Duration = Duration::from_mins(2);
