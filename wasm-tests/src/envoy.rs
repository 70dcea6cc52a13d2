//! A real Envoy around the built module.
//!
//! Its configuration is `envoy/envoy.yaml` as shipped, edited where a test needs another port,
//! address or plugin configuration, so whatever breaks the sample breaks the tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::certificate::Certificate;
use crate::client;
use crate::paths;

mod bootstrap;
pub mod install;
pub mod log;

use bootstrap::{set_address, tls};
use log::Log;

pub use bootstrap::{cluster, sample};

/// What to start.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The plugin configuration; the sample's own when absent.
    pub configuration: Option<Value>,
    /// Clusters by name and where they lead. The sample's own are replaced, others added.
    pub clusters: Vec<(String, SocketAddr)>,
    /// Whether the connection manager tidies paths, as the sample has it; off, the filter sees what
    /// the client sent.
    pub normalize: bool,
    /// Worker threads.
    pub concurrency: u32,
    /// Where to listen; a free port when absent.
    pub listen: Option<SocketAddr>,
    /// The module; the built one when absent.
    pub module: Option<PathBuf>,
    /// What the listener shows in TLS: a certificate and its key. Absent: it speaks without TLS, as
    /// the sample does.
    pub certificate: Option<[PathBuf; 2]>,
}

impl Setup {
    /// The sample with this plugin configuration, one worker, free ports, untidied paths.
    pub fn new(configuration: Value) -> Self {
        Self {
            configuration: Some(configuration),
            clusters: Vec::new(),
            normalize: false,
            concurrency: 1,
            listen: None,
            module: None,
            certificate: None,
        }
    }

    /// The sample as it is shipped, but for its ports.
    pub fn sample() -> Self {
        Self {
            configuration: None,
            clusters: Vec::new(),
            normalize: true,
            concurrency: 1,
            listen: None,
            module: None,
            certificate: None,
        }
    }

    /// With this cluster.
    #[must_use]
    pub fn cluster(mut self, name: &str, address: SocketAddr) -> Self {
        self.clusters.push((name.to_owned(), address));
        self
    }

    /// With another module in the place of the built one.
    #[must_use]
    pub fn module(mut self, module: PathBuf) -> Self {
        self.module = Some(module);
        self
    }

    /// With TLS.
    #[must_use]
    pub fn certificate(mut self, certificate: &Certificate) -> Self {
        self.certificate = Some([certificate.chain(), certificate.key()]);
        self
    }

    /// With so many workers.
    #[must_use]
    pub fn concurrency(mut self, workers: u32) -> Self {
        self.concurrency = workers;
        self
    }

    /// The bootstrap: the sample, edited.
    pub fn bootstrap(&self) -> Value {
        let mut bootstrap = sample();
        set_address(
            &mut bootstrap["admin"]["address"],
            SocketAddr::from(([127, 0, 0, 1], 0)),
        );
        let listener = &mut bootstrap["static_resources"]["listeners"][0];
        set_address(
            &mut listener["address"],
            self.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
        );
        if let Some(certificate) = &self.certificate {
            listener["filter_chains"][0]["transport_socket"] = tls(certificate);
        }
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        if !self.normalize {
            let manager = manager.as_object_mut().expect("a connection manager");
            for option in [
                "normalize_path",
                "merge_slashes",
                "path_with_escaped_slashes_action",
            ] {
                manager.remove(option).expect("the sample sets it");
            }
        }
        let plugin = &mut manager["http_filters"][0]["typed_config"]["config"];
        plugin["vm_config"]["code"]["local"]["filename"] =
            json!(self.module.clone().unwrap_or_else(paths::module));
        if self.module.is_some() {
            // Ours holds a request at its head; a module that waits for bodies has to say so.
            plugin["allow_on_headers_stop_iteration"] = json!(true);
        }
        if let Some(configuration) = &self.configuration {
            // A JSON text reaches the module byte for byte. A `Struct`, which the sample has,
            // reaches it as protobuf in any order.
            plugin["configuration"] =
                json!({ "@type": STRING_VALUE, "value": configuration.to_string() });
        }
        let clusters = bootstrap["static_resources"]["clusters"]
            .as_array_mut()
            .expect("clusters");
        for (name, address) in &self.clusters {
            clusters.retain(|cluster| cluster["name"] != json!(name));
            clusters.push(cluster(name, *address));
        }
        bootstrap
    }

    /// Starts Envoy and waits until it is ready.
    pub fn start(&self) -> Envoy {
        match self.try_start() {
            Ok(envoy) => envoy,
            Err(log) => panic!("Envoy did not start:\n{log}"),
        }
    }

    /// Starts Envoy; its log, when it ended before it was ready.
    pub fn try_start(&self) -> Result<Envoy, String> {
        Envoy::launch(&self.bootstrap(), self.concurrency, None)
    }
}

/// A running Envoy.
pub struct Envoy {
    child: Child,
    directory: PathBuf,
    admin: SocketAddr,
    listener: SocketAddr,
    log: Log,
}

impl Envoy {
    /// Starts one with this bootstrap and waits until it is ready; its log, when it ended before.
    /// With a file for the log it writes there by itself, as one does in production, and
    /// [`Self::log`] stays empty.
    pub fn launch(
        bootstrap: &Value,
        concurrency: u32,
        log_file: Option<&Path>,
    ) -> Result<Self, String> {
        let directory = scratch();
        let file = directory.join("envoy.json");
        std::fs::write(&file, bootstrap.to_string()).expect("a scratch file");
        let admin_file = directory.join("admin");
        let mut command = command(&file, &admin_file, concurrency);
        if let Some(file) = log_file {
            command.arg("--log-path").arg(file);
        }
        let mut child = command.spawn().expect("Envoy runs");
        let log = Log::follow(child.stderr.take().expect("a piped stderr"));
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut envoy = Self {
            child,
            directory,
            admin: nowhere,
            listener: nowhere,
            log,
        };
        let started = Instant::now();
        loop {
            if let Some(status) = envoy.child.try_wait().expect("a child") {
                std::thread::sleep(Duration::from_millis(50));
                return Err(format!("{status}\n{}", envoy.log.text()));
            }
            if let Some(admin) = std::fs::read_to_string(&admin_file)
                .ok()
                .and_then(|text| text.trim().parse().ok())
            {
                envoy.admin = admin;
                if client::try_get(admin, "/ready").status == 200 {
                    break;
                }
            }
            assert!(
                started.elapsed() < START,
                "Envoy was not ready in time:\n{}",
                envoy.log.text()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        envoy.listener = envoy.find_listener();
        Ok(envoy)
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.listener
    }

    /// The admin interface.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Every counter and gauge whose name contains this text.
    pub fn stats(&self, filter: &str) -> BTreeMap<String, u64> {
        let text = client::try_get(self.admin, &format!("/stats?filter={filter}")).body;
        String::from_utf8_lossy(&text)
            .lines()
            .filter_map(|line| {
                let (name, value) = line.rsplit_once(": ")?;
                Some((name.to_owned(), value.parse().ok()?))
            })
            .collect()
    }

    /// What Prometheus is told, by name and labels as they are written; labels in the order of
    /// their names.
    pub fn metrics(&self) -> BTreeMap<String, u64> {
        let text = client::try_get(self.admin, "/stats/prometheus").body;
        String::from_utf8_lossy(&text)
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let (name, value) = line.rsplit_once(' ')?;
                Some((name.replace("{}", ""), value.parse().ok()?))
            })
            .collect()
    }

    /// How often the module's machine failed and was started anew. Anything but 0 is a trap.
    pub fn reloads(&self) -> u64 {
        self.stats("vm_reload").values().sum()
    }

    fn find_listener(&self) -> SocketAddr {
        let listeners = client::get(self.admin, "/listeners?format=json", &[]).json();
        let address = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
        let text = format!(
            "{}:{}",
            address["address"].as_str().unwrap_or_default(),
            address["port_value"]
        );
        text.parse()
            .unwrap_or_else(|error| panic!("no listener in {listeners}: {error}"))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let running = self.child.try_wait().ok().flatten().is_none();
        let reloads = if running && self.admin.port() != 0 {
            self.reloads()
        } else {
            0
        };
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("the end of Envoy's log:\n{}", self.log.tail(40));
        } else {
            drop(std::fs::remove_dir_all(&self.directory));
            assert_eq!(reloads, 0, "the module trapped:\n{}", self.log.tail(40));
        }
    }
}

fn command(file: &Path, admin_file: &Path, concurrency: u32) -> Command {
    let mut command = Command::new(install::ensure(&install::version()));
    command
        .arg("--config-path")
        .arg(file)
        .arg("--admin-address-path")
        .arg(admin_file)
        .args([
            "--disable-hot-restart",
            "--component-log-level",
            "wasm:info",
            "--log-level",
            "info",
            "--drain-time-s",
            "1",
            "--drain-strategy",
            "immediate",
        ])
        .args(["--concurrency", &concurrency.to_string()])
        .current_dir(paths::root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C is for whoever started Envoy; it ends Envoy in turn.
        .process_group(0);
    command
}

/// Whether Envoy takes a bootstrap: its own `--mode validate`.
pub fn validate(bootstrap: &Value) -> Result<(), String> {
    let directory = scratch();
    let file = directory.join("envoy.json");
    std::fs::write(&file, bootstrap.to_string()).expect("a scratch file");
    let output = Command::new(install::ensure(&install::version()))
        .args(["--mode", "validate", "--config-path"])
        .arg(&file)
        .current_dir(paths::root())
        .output()
        .expect("Envoy runs");
    drop(std::fs::remove_dir_all(directory));
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A new directory for one Envoy.
pub fn scratch() -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::SeqCst)
    );
    let directory = paths::root().join("target/envoy-runs").join(name);
    std::fs::create_dir_all(&directory).expect("a scratch directory");
    directory
}

const STRING_VALUE: &str = "type.googleapis.com/google.protobuf.StringValue";

/// Time for Envoy to start, on a machine that is busy with other things.
const START: Duration = Duration::from_mins(1);
