//! The list of what is withdrawn: on every worker within an interval, through every failure of its
//! server.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wasm_tests::client::{self, Answer, Connection};
use wasm_tests::each_worker::{self, ask};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{ISSUER, token_with};
use wasm_tests::withdrawals::{Behaviour, Seen, Withdrawals};
use wasm_tests::workspace::Workspace;

/// An Envoy whose module polls a list.
struct Gateway {
    envoy: Envoy,
    list: Withdrawals,
    _workspace: Workspace,
}

impl Gateway {
    /// `settings` are laid over those of the list.
    fn start(workers: u32, list: Withdrawals, settings: &Value) -> Self {
        let mut section = json!({ "cluster": "security", "uri": "https://security.example.com/withdrawn.json", "poll": "1s" });
        for (name, value) in settings.as_object().into_iter().flatten() {
            section[name] = value.clone();
        }
        let configuration = json!({
            "issuers": [{ "issuer": ISSUER, "preset": "generic", "audiences": ["databricks"], "jwks": { "keys": jwk_set(["acme-rsa"]) } }],
            "forward_identity": true,
            "withdrawn": { "list": section },
        });
        let workspace = Workspace::start();
        let envoy = Setup::new(configuration)
            .cluster("security", list.address())
            .cluster("workspace", workspace.address())
            .concurrency(workers)
            .start();
        Self {
            envoy,
            list,
            _workspace: workspace,
        }
    }

    fn get(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        client::get(
            self.envoy.address(),
            PATH,
            &[("authorization", bearer.as_bytes())],
        )
    }

    /// Asks again and again until the answer has this status.
    fn until(&self, token: &str, status: u16) -> Answer {
        let started = Instant::now();
        loop {
            let answer = self.get(token);
            if answer.status == status {
                return answer;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "want {status}, got {answer:?}; the log ends:\n{}",
                self.envoy.log().tail(30)
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until so many polls have come since now.
    fn polled(&self, more: usize) {
        let before = self.list.polls().len();
        let started = Instant::now();
        while self.list.polls().len() < before + more {
            assert!(started.elapsed() < PATIENCE, "no polls");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn eight_workers_refuse_a_token_within_an_interval_and_nothing_else() {
    const WORKERS: usize = 8;
    let gateway = Gateway::start(8, Withdrawals::start(), &json!({}));
    let (leaked, good) = (
        token_with("acme-rsa", &json!({ "jti": "leaked" })),
        token("good"),
    );
    let connections = each_worker::connections(gateway.envoy.address(), &good, WORKERS);
    let (over, stall) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| watch_the_machine(&over, &stall));
        let loads: Vec<_> = connections
            .into_iter()
            .map(|connection| scope.spawn(|| load(connection, &good, &leaked, &over)))
            .collect();
        std::thread::sleep(Duration::from_secs(2));
        let (published, version) = gateway.list.publish(&json!({ "token_ids": ["leaked"] }));
        let pollers = pollers_with(&gateway.list, version, WORKERS);
        // What is under way when a worker learns of the withdrawal is answered within this, however
        // slow the machine.
        std::thread::sleep(Duration::from_secs(1));
        over.store(true, Ordering::SeqCst);
        for load in loads {
            load.join().expect("a load");
        }
        // A machine that stands still for a while lets everything be late by as much.
        let slack = Duration::from_millis(stall.load(Ordering::SeqCst)) * 2;
        for poller in pollers {
            let late = poller.duration_since(published);
            assert!(
                late <= INTERVAL + Duration::from_secs(1) + slack,
                "{late:?} (slack {slack:?})"
            );
        }
    });
}

#[test]
fn a_list_is_not_sent_again_while_it_is_the_same() {
    let gateway = Gateway::start(1, Withdrawals::start(), &json!({}));
    gateway.polled(6);
    let polls = gateway.list.polls();
    let repeated = polls.iter().filter(|poll| poll.brought.is_some()).count();
    // Each poller gets it once.
    assert!(
        polls.len() - repeated <= POLLERS_BESIDES_WORKERS + 1,
        "{polls:#?}"
    );
}

#[test]
fn whatever_its_server_answers_the_last_good_list_holds() {
    let gateway = Gateway::start(1, Withdrawals::start(), &json!({}));
    let (leaked, good) = (token("leaked"), token("good"));
    gateway.list.publish(&json!({ "token_ids": ["leaked"] }));
    let answer = gateway.until(&leaked, 401);
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    for behaviour in [
        Behaviour::Status(503),
        Behaviour::Status(404),
        Behaviour::Body("{\"token_ids\": ["),
        Behaviour::Body("{\"token_id\": []}"),
        Behaviour::Body("{\"token_ids\": [7]}"),
        Behaviour::Body(""),
        Behaviour::Slow(Duration::from_secs(30)),
    ] {
        gateway.list.script().behaviour = behaviour.clone();
        // Of two pollers, one at least has polled twice.
        gateway.polled(3);
        assert_eq!(gateway.get(&leaked).status, 401, "{behaviour:?}");
        assert_eq!(gateway.get(&good).status, 200, "{behaviour:?}");
    }
    gateway.list.door().shut(true);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(gateway.get(&leaked).status, 401, "no connection");
    assert_eq!(gateway.get(&good).status, 200, "no connection");
    // A better list is taken at once when it comes, and lets go what it does not have.
    gateway.list.publish(&json!({ "subjects": ["mallory"] }));
    gateway.list.script().behaviour = Behaviour::Ok;
    gateway.list.door().shut(false);
    gateway.until(&leaked, 200);
}

#[test]
fn a_list_that_grows_stale_refuses_everything_until_it_is_renewed() {
    let settings = json!({ "max_stale": "2s" });
    let gateway = Gateway::start(1, Withdrawals::start(), &settings);
    let good = token("good");
    gateway.until(&good, 200);
    gateway.polled(3);
    gateway.list.script().behaviour = Behaviour::Status(500);
    let answer = gateway.until(&good, 503);
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.json()["error_code"], "TEMPORARILY_UNAVAILABLE");
    assert_eq!(
        answer.json()["details"][0]["reason"],
        "withdrawal_list_stale"
    );
    // Who shows nothing valid learns nothing of it.
    assert_eq!(gateway.get("a.b.c").status, 401);
    gateway.list.script().behaviour = Behaviour::Ok;
    gateway.until(&good, 200);
}

#[test]
fn a_stale_list_is_good_enough_where_the_configuration_says_so() {
    let settings = json!({ "max_stale": "2s", "when_stale": "ignore" });
    let gateway = Gateway::start(1, Withdrawals::start(), &settings);
    let (leaked, good) = (token("leaked"), token("good"));
    gateway.list.publish(&json!({ "token_ids": ["leaked"] }));
    gateway.until(&leaked, 401);
    gateway.list.script().behaviour = Behaviour::Status(500);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(gateway.get(&good).status, 200);
    assert_eq!(gateway.get(&leaked).status, 401);
}

#[test]
fn before_the_first_list_tokens_are_judged_without() {
    for cluster in ["security", "nowhere"] {
        let list = Withdrawals::start();
        list.script().behaviour = Behaviour::Status(503);
        let settings = json!({ "cluster": cluster, "max_stale": "2s" });
        let gateway = Gateway::start(1, list, &settings);
        std::thread::sleep(Duration::from_secs(3));
        assert_eq!(gateway.get(&token("good")).status, 200, "{cluster}");
        let said = "there was none yet, so tokens are judged without";
        assert!(gateway.envoy.log().text().contains(said), "{cluster}");
    }
}

/// A good token is never refused; a withdrawn one is not taken again, and is refused in the end.
fn load(mut connection: Connection, good: &str, leaked: &str, over: &AtomicBool) {
    let mut withdrawn = false;
    while !over.load(Ordering::SeqCst) {
        assert_eq!(ask(&mut connection, good, PATH).status, 200);
        let status = ask(&mut connection, leaked, PATH).status;
        assert_eq!(status, if withdrawn { 401 } else { status });
        assert!(matches!(status, 200 | 401), "{status}");
        withdrawn = status == 401;
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(withdrawn, "a worker takes it still");
}

/// When each poller got this version: who polled before is known by its tags, each of which one
/// answer alone had.
fn pollers_with(list: &Withdrawals, version: u64, workers: usize) -> Vec<Instant> {
    let started = Instant::now();
    loop {
        let polls = list.polls();
        let got: Vec<&Seen> = polls
            .iter()
            .filter(|poll| poll.version == Some(version) && poll.left_with != poll.brought)
            .collect();
        if got.len() >= workers + POLLERS_BESIDES_WORKERS {
            assert!(got.iter().all(|poll| poll.brought.is_some()), "{polls:#?}");
            return got.iter().map(|poll| poll.at).collect();
        }
        assert!(started.elapsed() < PATIENCE, "{polls:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Notes the longest time, in milliseconds, by which a sleep of this process overran.
fn watch_the_machine(over: &AtomicBool, stall: &AtomicU64) {
    const NAP: Duration = Duration::from_millis(20);
    while !over.load(Ordering::SeqCst) {
        let slept = Instant::now();
        std::thread::sleep(NAP);
        let late = slept.elapsed().saturating_sub(NAP).as_millis();
        stall.fetch_max(u64::try_from(late).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

fn token(id: &str) -> String {
    token_with("acme-rsa", &json!({ "jti": id }))
}

const PATH: &str = "/api/2.2/jobs/get";

const INTERVAL: Duration = Duration::from_secs(1);

/// The machine that Envoy keeps on its main thread polls too.
const POLLERS_BESIDES_WORKERS: usize = 1;

/// However slow the machine.
const PATIENCE: Duration = Duration::from_mins(1);
