//! What is measured beside the rows: latency at a fixed rate, memory, time to the first answer,
//! fetches of keys.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_tests::client;
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::issuer::Issuer;
use wasm_tests::paths;

use crate::cpu;
use crate::filters::{self, Modules};
use crate::load::{Connection, paced, saturate};
use crate::row::{self, Row};
use crate::tokens::{ISSUER, Tokens};

/// All of it.
pub(crate) struct Extras {
    /// By row, what half and what 99 of 100 answers took at most.
    pub(crate) latency: Vec<(&'static str, Duration, Duration)>,
    /// By row, the process's memory in bytes after each of [`TOKENS`].
    pub(crate) memory: Vec<(&'static str, &'static str, Vec<u64>)>,
    /// By row, what each further worker takes that knows all of [`TOKENS`], in bytes.
    pub(crate) memory_of_a_worker: Vec<(&'static str, u64)>,
    /// From the start of the process to its first answer: Envoy alone, and with the module.
    pub(crate) start: [Duration; 2],
    /// The module's size in bytes.
    pub(crate) module: u64,
    /// Workers, and how often they fetched the keys at the start.
    pub(crate) fetches: Vec<(u32, u64)>,
}

/// How many tokens are sent, each once, before memory is read.
pub(crate) const TOKENS: [usize; 3] = [0, 1_000, 10_000];

/// Requests a second at which latency is measured.
pub(crate) const RATE: u32 = 2_000;

/// Measures all of it.
pub(crate) fn measure(modules: &Modules, tokens: &Tokens, slot: Duration, folder: &Path) -> Extras {
    let rows = row::rows(modules);
    let named = |ids: &[&str]| -> Vec<&Row> {
        let found = ids
            .iter()
            .map(|id| rows.iter().find(|row| row.id == *id).expect("a row"));
        found.collect()
    };
    eprintln!("Latency at a fixed rate ...");
    let latency = named(&["router", "ours-warm", "tree-log"])
        .into_iter()
        .map(|row| latency(row, tokens, slot * 5, folder))
        .collect();
    eprintln!("Memory ...");
    let memory = named(&["router", "empty", "ours-many", "jwt-warm"])
        .into_iter()
        .map(|row| (row.id, row.name, memory(row, tokens, folder)))
        .collect();
    let memory_of_a_worker = named(&["empty", "ours-many"])
        .into_iter()
        .map(|row| (row.id, memory_of_a_worker(row, tokens, folder)))
        .collect();
    eprintln!("Start ...");
    let start = start(modules, tokens, folder);
    eprintln!("Fetches of keys ...");
    Extras {
        latency,
        memory,
        memory_of_a_worker,
        start,
        module: u64::try_from(paths::module_bytes().len()).expect("a size"),
        fetches: [1, 8]
            .map(|workers| (workers, fetches(workers, tokens)))
            .into(),
    }
}

/// Whether keys come with one worker and with eight.
pub(crate) fn check(tokens: &Tokens) -> Vec<String> {
    let without = [1, 8]
        .into_iter()
        .filter(|workers| fetches(*workers, tokens) == 0);
    without
        .map(|workers| format!("no keys were fetched by {workers} workers"))
        .collect()
}

fn latency(
    row: &Row,
    tokens: &Tokens,
    time: Duration,
    folder: &Path,
) -> (&'static str, Duration, Duration) {
    let envoy = row.start(folder);
    cpu::pin(envoy.id());
    let requests = row.requests(tokens, 0, 1);
    // Compiled code and known tokens first.
    let warm = paced(envoy.address(), &requests, RATE, time / 2);
    let took = warm.and_then(|_| paced(envoy.address(), &requests, RATE, time));
    let took = took.unwrap_or_else(|error| panic!("{}: {error}", row.id));
    let at = |hundredths: usize| {
        let place = took.len() * hundredths / 100;
        took.get(place.min(took.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    (row.name, at(50), at(99))
}

fn memory(row: &Row, tokens: &Tokens, folder: &Path) -> Vec<u64> {
    let envoy = row.start(folder);
    let requests = row.requests(tokens, 0, 1);
    let mut connections: Vec<Connection> = (0..4)
        .map(|_| Connection::open(envoy.address()).expect("Envoy listens"))
        .collect();
    let mut sent = 0;
    let mut all = requests.iter().cycle().map(Vec::as_slice);
    TOKENS
        .iter()
        .map(|tokens| {
            let more = all.by_ref().take(tokens - sent);
            sent = *tokens;
            let answers = saturate(&mut connections, more, Duration::MAX, row.status);
            answers.unwrap_or_else(|error| panic!("{}: {error}", row.id));
            cpu::resident(envoy.id())
        })
        .collect()
}

/// What a worker takes beside what the process takes for all of them: V8 compiles a module once.
fn memory_of_a_worker(row: &Row, tokens: &Tokens, folder: &Path) -> u64 {
    let requests: Vec<Vec<u8>> = row.requests(tokens, 0, 1);
    let [one, several] = [1, WORKERS].map(|workers| {
        let envoy = row.start_with(workers, folder);
        // The kernel spreads connections over workers, and with so many each has some. Their number
        // and the tokens' have no divisor in common, so that each connection comes to carry every
        // token.
        let mut connections: Vec<Connection> = (0..CONNECTIONS_TO_WORKERS)
            .map(|_| Connection::open(envoy.address()).expect("Envoy listens"))
            .collect();
        let all = requests.iter().cycle().map(Vec::as_slice);
        let all = all.take(requests.len() * CONNECTIONS_TO_WORKERS);
        saturate(&mut connections, all, Duration::MAX, row.status)
            .unwrap_or_else(|error| panic!("{}: {error}", row.id));
        cpu::resident(envoy.id())
    });
    several.saturating_sub(one) / u64::from(WORKERS - 1)
}

/// The shortest of several starts each, in turn.
fn start(modules: &Modules, tokens: &Tokens, folder: &Path) -> [Duration; 2] {
    let mut shortest = [Duration::MAX; 2];
    let binary = binary(folder);
    let request = client_request(&tokens.valid[0]);
    for _ in 0..STARTS {
        for (filters, shortest) in [vec![], vec![modules.ours()]].iter().zip(&mut shortest) {
            *shortest = (*shortest).min(first_answer(&binary, filters, &request, folder));
        }
    }
    shortest
}

/// The program itself: what is installed is a script that finds it.
fn binary(folder: &Path) -> PathBuf {
    let log = folder.join("binary.log");
    let envoy = Envoy::launch(&row::bootstrap(&[]), 1, Some(&log)).expect("Envoy starts");
    std::fs::read_link(format!("/proc/{}/exe", envoy.id())).expect("a program")
}

fn first_answer(binary: &Path, filters: &[Value], request: &[u8], folder: &Path) -> Duration {
    let address = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .and_then(|listener| listener.local_addr())
        .expect("a free port");
    let mut bootstrap = row::bootstrap(filters);
    bootstrap["static_resources"]["listeners"][0]["address"] = json!({
        "socket_address": { "address": address.ip().to_string(), "port_value": address.port() },
    });
    let file = folder.join("start.json");
    std::fs::write(&file, bootstrap.to_string()).expect("a file under target");
    let started = Instant::now();
    let mut child = Command::new(binary)
        .arg("--config-path")
        .arg(&file)
        .args(["--disable-hot-restart", "--concurrency", "1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("Envoy runs");
    cpu::free(child.id());
    let answered = loop {
        let answer = Connection::open(address).and_then(|mut connection| {
            connection.send(request)?;
            connection.status()
        });
        if answer.is_ok_and(|status| status == 200) {
            break Some(started.elapsed());
        }
        if started.elapsed() > PATIENCE {
            break None;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    drop(child.kill());
    drop(child.wait());
    answered.expect("Envoy answers in time")
}

fn client_request(token: &str) -> Vec<u8> {
    let bearer = format!("Bearer {token}");
    let headers: [(&str, &[u8]); 1] = [("authorization", bearer.as_bytes())];
    client::request("GET", b"/api/2.2/jobs/get", &headers, b"")
}

/// How often so many workers fetch the keys before all of them serve.
fn fetches(workers: u32, tokens: &Tokens) -> u64 {
    let issuer = Issuer::start(["acme-rsa"]);
    let mut configuration = filters::configuration();
    configuration["issuers"][0]["jwks"] =
        json!({ "cluster": "issuer", "uri": format!("{ISSUER}/keys"), "refresh": "10m" });
    let envoy = Setup::new(configuration)
        .cluster("issuer", issuer.address())
        .concurrency(workers)
        .start();
    let request = client_request(&tokens.valid[0]);
    // The kernel spreads connections over workers; with so many, each has some. Where nothing
    // answers upstream, 503 is as far as it goes.
    for _ in 0..workers * 16 {
        let mut connection = Connection::open(envoy.address()).expect("Envoy listens");
        let answered = connection
            .send(&request)
            .and_then(|()| connection.status())
            .unwrap_or_default();
        assert_eq!(
            answered, 503,
            "the filter lets it through, and there is no workspace"
        );
    }
    issuer.requests("/keys")
}

/// Workers of which memory is read, beside one.
const WORKERS: u32 = 3;

const CONNECTIONS_TO_WORKERS: usize = 21;

const STARTS: usize = 5;
const PATIENCE: Duration = Duration::from_mins(1);
