//! The clients: a fixed rate of requests of several kinds, each over a connection of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use wasm_tests::client::{Connection, request};
use wasm_tests::scene::token_with;

/// What came of the requests.
#[derive(Default)]
pub(crate) struct Answers {
    /// How many were answered.
    pub(crate) answered: u64,
    /// How many were answered otherwise than they should be, by what they should be and were.
    pub(crate) wrong: BTreeMap<(u16, u16), u64>,
    /// How many had no answer.
    pub(crate) unanswered: u64,
    /// The longest that one took.
    pub(crate) longest: Duration,
}

/// Sends so many requests a second for so long.
pub(crate) fn send(address: SocketAddr, rate: u32, time: Duration) -> Answers {
    let requests = requests();
    let interval = Duration::from_secs(1) * CLIENTS / rate;
    let started = Instant::now();
    let one = |number: u32| {
        let mut answers = Answers::default();
        let mut due = started + interval * number / CLIENTS;
        for (request, want) in requests.iter().cycle().skip(number as usize) {
            if due >= started + time {
                break;
            }
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            answers.ask(address, request, *want);
            due += interval;
        }
        answers
    };
    std::thread::scope(|scope| {
        let one = &one;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || one(number)))
            .collect();
        let mut all = Answers::default();
        for client in clients {
            all.add(client.join().expect("a client"));
        }
        all
    })
}

impl Answers {
    fn ask(&mut self, address: SocketAddr, request: &[u8], want: u16) {
        let sent = Instant::now();
        let status = Connection::try_open(address).map_or(0, |mut connection| {
            connection.send(request);
            connection.answer(false).status
        });
        self.longest = self.longest.max(sent.elapsed());
        if status == 0 {
            self.unanswered += 1;
            return;
        }
        self.answered += 1;
        if status != want {
            *self.wrong.entry((want, status)).or_default() += 1;
        }
    }

    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.unanswered += other.unanswered;
        self.longest = self.longest.max(other.longest);
        for (kind, count) in other.wrong {
            *self.wrong.entry(kind).or_default() += count;
        }
    }
}

/// One of each kind, and the status that it must have.
fn requests() -> Vec<(Vec<u8>, u16)> {
    // Longer than any run.
    let lasting = |claims| token_with("acme-rsa", &claims);
    let mut bearers: Vec<(Option<String>, u16)> = (0..7)
        .map(|number| {
            let claims = json!({ "sub": format!("user-{number}@example.com"), "jti": format!("t-{number}"), "exp": "now+86400" });
            (Some(lasting(claims)), 200)
        })
        .collect();
    bearers.push((
        Some(lasting(json!({ "scope": "sql", "exp": "now+86400" }))),
        403,
    ));
    bearers.push((Some(lasting(json!({ "exp": "now-3600" }))), 401));
    bearers.push((None, 401));
    let one = |(token, want): (Option<String>, u16)| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let header = bearer
            .as_deref()
            .map(|value| ("authorization", value.as_bytes()));
        let mut headers: Vec<(&str, &[u8])> = vec![("connection", b"close")];
        headers.extend(header);
        (request("GET", b"/api/2.2/jobs/list", &headers, b""), want)
    };
    bearers.into_iter().map(one).collect()
}

const CLIENTS: u32 = 8;
