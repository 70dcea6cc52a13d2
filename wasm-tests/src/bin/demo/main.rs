//! The main job in one command: an issuer, a stand-in workspace, and a real Envoy with the module
//! between them.
//!
//! Stays up until Ctrl-C, and shows every audit record as it is written, in a line or, with
//! `--records`, whole. With `--check` it runs its own lines, shows each answer, judges it, and
//! exits 0 or 1. With `--real` a real identity provider and a real `MLflow` server take the places
//! of the stand-ins.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use wasm_tests::client::{self, Answer};
use wasm_tests::envoy::{Envoy, Setup, install, sample};
use wasm_tests::exchange::authorization;
use wasm_tests::issuer::Issuer;
use wasm_tests::keys::jwk_set;
use wasm_tests::paths;
use wasm_tests::workspace::{Seen, Workspace};

mod call;
mod real;
mod screen;

use call::{Call, calls};
use screen::Screen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", what, address] => return serve(what, address),
        ["hints", gateway, issuer] => return hints(gateway, issuer),
        ["bootstrap"] => {
            println!("{}", real::bootstrap());
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let is = |option: &str| words.contains(&option);
    if words
        .iter()
        .any(|word| !["--check", "--real", "--records"].contains(word))
    {
        return usage();
    }
    if is("--real") {
        return match real::run(&Screen::new(is("--records"))) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(missing) => {
                eprintln!("scripts/demo --real: {missing}");
                ExitCode::from(2)
            }
        };
    }
    let check = is("--check");
    let demo = Demo::start();
    let screen = Screen::new(is("--records"));
    demo.introduce(&screen, check);
    let valid = if check {
        demo.check(&screen)
    } else {
        demo.stay(&screen)
    };
    if valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One of the two servers alone, for an Envoy that runs elsewhere.
fn serve(what: &str, address: &str) -> ExitCode {
    let Ok(address) = address.parse() else {
        return usage();
    };
    let keys = jwk_set(["acme-rsa"]);
    // A server lives until it is dropped, so each arm waits.
    let served = match what {
        "issuer" => Issuer::start_at(address, keys).map(|issuer| {
            issuer.script().clients = call::clients();
            wait_for_the_end(|| true);
        }),
        "workspace" => {
            Workspace::exchanging_at(address).map(|_workspace| wait_for_the_end(|| true))
        }
        _ => return usage(),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!(
        "usage: scripts/demo [--check | --real] [--records]\n       scripts/demo serve issuer|workspace ADDRESS\n       scripts/demo hints GATEWAY-URL ISSUER-URL\n       scripts/demo bootstrap"
    );
    ExitCode::from(2)
}

/// Says what to try where the servers run elsewhere, as soon as the gateway answers on this
/// machine.
fn hints(gateway: &str, issuer: &str) -> ExitCode {
    let answers = || {
        let port = gateway
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        let ready = |port| {
            client::Connection::try_open(at(port)).is_ok()
                && client::try_get(at(port), "/healthz").status == 200
        };
        port.is_some_and(ready)
    };
    while !answers() {
        std::thread::sleep(Duration::from_millis(500));
    }
    let screen = Screen::new(false);
    screen.title("Try these in another terminal: a data engineer runs a job, an analyst may not.");
    for client in ["engineer", "analyst"] {
        screen.blank();
        screen.lines(&format!(
            "token=$(curl -s {issuer}/token -d grant_type=client_credentials \\\n    -d client_id={client} | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\ncurl -i {gateway}{RUN_PATH} -d '{{\"job_id\": 7}}' \\\n    -H \"authorization: Bearer $token\""
        ));
    }
    screen.blank();
    screen.note("What comes back to the engineer is what reached the workspace: Databricks'");
    screen.note("token, and not this one. The records are in the gateway's log.");
    ExitCode::SUCCESS
}

/// Comes back on Ctrl-C, a request to end, or when `meanwhile`, which it calls five times a second,
/// says that it is enough.
fn wait_for_the_end(mut meanwhile: impl FnMut() -> bool) {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).expect("a signal handler");
        loop {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => break,
                _ = terminate.recv() => break,
                () = tokio::time::sleep(Duration::from_millis(200)) => if !meanwhile() { break },
            }
        }
    });
}

struct Demo {
    envoy: Envoy,
    issuer: Issuer,
    workspace: Workspace,
    calls: Vec<Call>,
}

impl Demo {
    fn start() -> Self {
        drop(paths::module_bytes());
        let issuer = Issuer::start_at(at(0), jwk_set(["acme-rsa"])).expect("a free port");
        issuer.script().clients = call::clients();
        let workspace = Workspace::exchanging_at(at(0)).expect("a free port");
        let mut setup = Setup::sample()
            .cluster("issuer", issuer.address())
            .cluster("workspace", workspace.address());
        let port =
            sample()["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"]
                .as_u64();
        // The sample's own port where it is free, so that lines stay the same from run to run.
        setup.listen = port
            .and_then(|port| u16::try_from(port).ok())
            .filter(|port| std::net::TcpListener::bind(at(*port)).is_ok())
            .map(at);
        let envoy = setup.start();
        Self {
            envoy,
            issuer,
            workspace,
            calls: calls(paths::now()),
        }
    }

    fn introduce(&self, screen: &Screen, check: bool) {
        screen.title(&format!(
            "databricks-oam-filter on Envoy {}",
            install::version()
        ));
        screen.blank();
        screen.row(
            "gateway",
            &format!("http://{}", self.envoy.address()),
            "the module, as in envoy/envoy.yaml",
        );
        screen.row(
            "issuer",
            &format!("http://{}", self.issuer.address()),
            "publishes the keys that are fetched",
        );
        screen.row(
            "workspace",
            &format!("http://{}", self.workspace.address()),
            "exchanges tokens, echoes what it gets",
        );
        screen.blank();
        if check {
            return;
        }
        screen.title("Try these in another terminal:");
        for call in &self.calls {
            screen.blank();
            screen.note(&format!("# {}: {}", call.title, call.want.status));
            screen.lines(&call.curl(self.envoy.address()));
        }
        screen.blank();
        screen.note("# a token of your own:");
        screen.lines(&self.token_line());
        screen.blank();
        screen.title("Every decision is recorded, here in a line (--records: whole). Ctrl-C ends.");
    }

    fn token_line(&self) -> String {
        format!(
            "curl -s http://{}/token -d grant_type=client_credentials \\\n    -d client_id=engineer",
            self.issuer.address()
        )
    }

    fn check(&self, screen: &Screen) -> bool {
        let mut faults = Vec::new();
        for call in &self.calls {
            let mark = self.envoy.log().mark();
            self.workspace.take();
            let answer = self.send(call);
            let record = self
                .envoy
                .log()
                .wait_for_audit(mark, 1)
                .pop()
                .unwrap_or_default();
            let found = call.faults(&answer, &record, &self.workspace.take());
            screen.verdict(found.is_empty(), answer.status, call.title);
            let request = call.curl(self.envoy.address()).replace(" \\\n   ", "");
            screen.folded("request", &request);
            let challenge = answer.header("www-authenticate");
            screen.folded("challenge", challenge.as_deref().unwrap_or("none"));
            let written = self
                .envoy
                .log()
                .audit_text(mark, self.envoy.log().mark())
                .pop();
            if answer.status == 200 {
                screen.folded("workspace", &echoed(&answer));
            } else {
                screen.folded("body", &String::from_utf8_lossy(&answer.body));
            }
            screen.record_of(&written.unwrap_or_default());
            for fault in &found {
                screen.fault(fault);
            }
            screen.blank();
            faults.extend(found);
        }
        let fetches = self.issuer.requests("/keys");
        let reloads = self.envoy.reloads();
        screen.verdict(
            fetches > 0,
            fetches,
            "fetches of the issuer's keys by callout",
        );
        screen.verdict(reloads == 0, reloads, "restarts of the module");
        screen.blank();
        let valid = faults.is_empty() && fetches > 0 && reloads == 0;
        let total = self.calls.len() + 2;
        screen.title(&if valid {
            format!("{total} of {total} as they should be")
        } else {
            "not as it should be".to_owned()
        });
        valid
    }

    fn send(&self, call: &Call) -> Answer {
        let authorization = call.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &[u8])> = vec![
            ("content-type", b"application/json"),
            ("user-agent", b"demo"),
        ];
        if let Some(value) = &authorization {
            headers.push(("authorization", value.as_bytes()));
        }
        client::exchange(
            self.envoy.address(),
            call.method,
            call.path,
            &headers,
            call.body.as_bytes(),
        )
    }

    /// Shows records until Ctrl-C or a request to end.
    fn stay(&self, screen: &Screen) -> bool {
        let mut mark = self.envoy.log().mark();
        wait_for_the_end(|| {
            let end = self.envoy.log().mark();
            for record in self.envoy.log().audit_text(mark, end) {
                screen.record(&record);
            }
            mark = end;
            !screen.is_closed()
        });
        screen.blank();
        true
    }
}

/// What reached the workspace, as it says itself: of its echo what matters.
fn echoed(answer: &Answer) -> String {
    let echo: Seen = serde_json::from_value(answer.json()).expect("the workspace's echo");
    let query = echo
        .query
        .as_ref()
        .map_or_else(String::new, |query| format!("?{query}"));
    format!(
        "got {} {}{query} with {} bytes and `authorization: {}`",
        echo.method,
        echo.path,
        echo.body_length,
        authorization(&echo).join(", ")
    )
}

/// What is tried in containers.
const RUN_PATH: &str = "/api/2.2/jobs/run-now";

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
