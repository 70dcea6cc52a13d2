//! The gateway and what stands around it.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use axum::Router;
use serde_json::{Value, json};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::issuer::Issuer;
use wasm_tests::scene::fetched;
use wasm_tests::serve::Server;
use wasm_tests::{client, paths};

use crate::Scale;
use crate::collector::Collector;

/// A running gateway; its log and its listener are files below `target/soak`.
pub(crate) struct Gateway {
    envoy: Envoy,
    pub(crate) collector: Collector,
    pub(crate) issuer: Issuer,
    _workspace: Server,
    folder: PathBuf,
    listener: Value,
    pub(crate) scale: Scale,
    /// How many configurations there were.
    pub(crate) configurations: u64,
}

impl Gateway {
    pub(crate) fn start(scale: Scale) -> Self {
        let folder = paths::root().join("target/soak");
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).expect("a folder under target");
        let (collector, issuer) = (Collector::start(), Issuer::start(["acme-rsa"]));
        let workspace = Server::start(Router::new().fallback(|| async { "done" }));
        let mut bootstrap = Setup::new(json!({}))
            .cluster("collector", collector.address())
            .cluster("issuer", issuer.address())
            .cluster("workspace", workspace.address())
            .bootstrap();
        let resources = &mut bootstrap["static_resources"];
        let mut listener = resources["listeners"][0].take();
        resources["listeners"] = json!([]);
        listener["address"]["socket_address"]["port_value"] = json!(free_port());
        listener["@type"] = json!(LISTENER);
        // A copy: Envoy reads it again with each configuration, and somebody may build another.
        let module = folder.join("module.wasm");
        std::fs::copy(paths::module(), &module).expect("scripts/soak builds it");
        *plugin(&mut listener, "vm_config") = json!({ "vm_id": "soak",
            "runtime": "envoy.wasm.runtime.v8", "code": { "local": { "filename": module } } });
        bootstrap["node"] = json!({ "id": "soak", "cluster": "soak" });
        bootstrap["dynamic_resources"] = json!({ "lds_config": { "resource_api_version": "V3",
            "path_config_source": { "path": folder.join(LISTENERS) } } });
        write(&folder, &listener, 1, scale.queue_bytes);
        let envoy = Envoy::launch(&bootstrap, scale.workers, Some(&folder.join(LOG)))
            .unwrap_or_else(|log| panic!("{log}"));
        Self {
            envoy,
            collector,
            issuer,
            _workspace: workspace,
            folder,
            listener,
            scale,
            configurations: 1,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.envoy.address()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// Another configuration, which decides as the former did.
    pub(crate) fn reconfigure(&mut self) {
        self.configurations += 1;
        let number = self.configurations;
        write(&self.folder, &self.listener, number, self.scale.queue_bytes);
    }

    /// The memory of its process, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let file = format!("/proc/{}/status", self.envoy.id());
        let status = std::fs::read_to_string(file).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("the kernel tells a process's memory") * 1024
    }

    /// Records for the collector as the metrics count them: arrived, dropped, rejected.
    pub(crate) fn exported(&self) -> [u64; 3] {
        let metrics = self.envoy.metrics();
        ["arrived", "dropped", "rejected"].map(|outcome| {
            let name = format!("oam_filter_collector_records_total{{outcome=\"{outcome}\"}}");
            metrics.get(&name).copied().unwrap_or_default()
        })
    }

    /// Configurations that Envoy took and refused, and how often the module failed.
    pub(crate) fn trouble(&self) -> [u64; 3] {
        let sum = |name: &str| self.envoy.stats(name).values().sum();
        [
            sum("listener_manager.lds.update_success"),
            sum("listener_manager.lds.update_rejected"),
            self.envoy.reloads(),
        ]
    }

    /// Ends it in such a way that its log is written to the end.
    pub(crate) fn end(&self) {
        client::exchange(self.envoy.admin(), "POST", "/quitquitquit", &[], b"");
        let process = PathBuf::from(format!("/proc/{}/exe", self.envoy.id()));
        let asked = Instant::now();
        // What has ended and is not yet waited for has no program any more.
        while std::fs::read_link(&process).is_ok() && asked.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Envoy takes the file up when another one is moved into its place.
fn write(folder: &Path, listener: &Value, number: u64, queue_bytes: u64) {
    let mut configuration = fetched(&json!({ "refresh": "30s", "timeout": "1s" }));
    configuration["policy"] = json!({ "rules": [
        { "name": format!("number-{number}"), "effect": "deny", "paths": [format!("/number/{number}")] },
    ] });
    configuration["audit"] = json!({ "otlp": {
        "cluster": "collector", "uri": "https://collector.example.com/v1/logs",
        "queue_bytes": queue_bytes, "timeout": "1s",
    } });
    let mut listener = listener.clone();
    *plugin(&mut listener, "configuration") =
        json!({ "@type": STRING, "value": configuration.to_string() });
    let text = json!({ "version_info": number.to_string(), "resources": [listener] }).to_string();
    let new = folder.join("new.json");
    std::fs::write(&new, text).expect("a file under target");
    std::fs::rename(new, folder.join(LISTENERS)).expect("the same file system");
}

/// A part of the module's own configuration in Envoy's.
fn plugin<'a>(listener: &'a mut Value, part: &str) -> &'a mut Value {
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    &mut manager["http_filters"][0]["typed_config"]["config"][part]
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

const LISTENER: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
const STRING: &str = "type.googleapis.com/google.protobuf.StringValue";
const LISTENERS: &str = "listeners.json";
const LOG: &str = "envoy.log";

const PATIENCE: Duration = Duration::from_secs(20);
