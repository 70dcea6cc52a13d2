//! `envoy/production.yaml` as it is shipped, but for addresses and folders: TLS on every leg, a
//! real Envoy that watches its files.

mod browser;
mod client;
mod gateway;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use client::Client;
use gateway::{Gateway, WORKSPACE};

const JOB: &str = "/api/2.2/jobs/get";

#[test]
fn it_works_with_tls_on_every_leg() {
    let gateway = Gateway::start(&[]);
    let token = gateway::token("data-eng");
    assert_eq!(gateway.get(JOB, None).status, 401);
    assert_eq!(gateway.get(JOB, Some(&token)).status, 200);
    assert_eq!(gateway.get("/api%2f2.2/jobs/get", Some(&token)).status, 400);
    let analyst = gateway::token("marketing");
    assert_eq!(gateway.get(JOB, Some(&analyst)).status, 403);
    let seen = gateway.workspace.take();
    let header = |name: &str| {
        let call = seen.iter().find(|seen| seen.path == JOB).expect("the call");
        let mut headers = call.headers.iter();
        headers.find_map(|(other, value)| (other == name).then_some(value.clone()))
    };
    assert_eq!(header("host").as_deref(), Some(WORKSPACE));
    let bearer = header("authorization").expect("Databricks' token");
    assert_ne!(bearer, format!("Bearer {token}"));
    assert_eq!(seen.iter().filter(|seen| seen.path == JOB).count(), 1);

    // Only these two of the administration can be reached, and its socket by Envoy's own account
    // alone.
    let status = |path: &str| wasm_tests::client::get(gateway.status, path, &[]);
    assert_eq!(status("/ready").status, 200);
    let metrics = String::from_utf8(status("/stats/prometheus").body).expect("text");
    assert!(
        metrics.contains("oam_filter_decisions_total{decision=\"allow\","),
        "{metrics}"
    );
    for path in ["/", "/quitquitquit", "/config_dump", "/logging?level=off"] {
        assert_eq!(status(path).status, 404, "{path}");
    }
    let socket = std::fs::metadata(gateway.folder.join("run/admin.sock")).expect("a socket");
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_certificate_of_another_name_is_not_the_workspace() {
    let gateway = Gateway::start_impersonated();
    let answer = gateway.get(JOB, Some(&gateway::token("data-eng")));
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(gateway.workspace.seen(), []);
}

#[test]
fn a_new_policy_holds_at_once_also_on_open_connections() {
    let gateway = Gateway::start(&[]);
    let token = gateway::token("data-eng");
    let mut kept = gateway.client();
    assert_eq!(kept.get(JOB, Some(&token)).expect("an answer").status, 200);

    let refused = gateway
        .listeners()
        .replace("[jobs, clusters,", "[clusters,");
    gateway.move_into_place("listeners.yaml", &refused);
    let changed = Instant::now();
    while gateway.get(JOB, Some(&token)).status != 403 {
        assert!(changed.elapsed() < SOON, "{}", gateway.log.tail(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    // The old connection answers under the old policy once more at most, says so, and is closed.
    let last = kept.get(JOB, Some(&token));
    assert!(last.is_none_or(|answer| answer.closes), "it stays open");
    let started = Instant::now();
    while kept.is_open() {
        assert!(started.elapsed() < SOON, "it is never closed");
    }

    // A policy that the module refuses changes nothing.
    let broken = refused.replace("preset: okta", "preset: oktaa");
    gateway.move_into_place("listeners.yaml", &broken);
    gateway.log_says("oktaa");
    assert_eq!(gateway.get(JOB, Some(&token)).status, 403);
}

#[test]
fn a_new_certificate_is_shown_without_a_restart() {
    let gateway = Gateway::start(&[]);
    let before = gateway.client().certificate();
    gateway.renew_certificate();
    let started = Instant::now();
    while gateway.client().certificate() == before {
        assert!(started.elapsed() < SOON, "{}", gateway.log.tail(20));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(gateway.get(JOB, None).status, 401);
}

/// Model serving may take minutes before its first byte; waiting for a client may not.
#[test]
fn a_slow_workspace_is_waited_for() {
    const SILENCE: (&str, &str) = ("stream_idle_timeout: 30s", "stream_idle_timeout: 1s");
    const ROUTE: (&str, &str) = ("idle_timeout: 330s, ", "");
    for (edits, status) in [(&[SILENCE][..], 200), (&[SILENCE, ROUTE], 504)] {
        let slow = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = slow.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in slow.incoming() {
                let mut stream = stream.expect("a connection");
                let mut head = [0; 4096];
                drop(stream.read(&mut head));
                std::thread::sleep(Duration::from_secs(3));
                drop(stream.write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
                ));
            }
        });
        let gateway = Gateway::start_before(address, edits);
        // No token, so that no exchange comes first.
        let answer = gateway.get("/.well-known/databricks-config", None);
        assert_eq!(answer.status, status, "{edits:?}");
    }
}

/// However slow the machine; by Envoy's defaults it would be minutes.
const SOON: Duration = Duration::from_secs(20);

impl Gateway {
    fn get(&self, path: &str, token: Option<&str>) -> client::Answer {
        let mut client: Client = self.client();
        client.get(path, token).expect("an answer")
    }
}
