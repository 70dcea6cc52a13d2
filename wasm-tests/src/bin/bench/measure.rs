//! The rounds, and what they come to.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use wasm_tests::envoy::Envoy;

use crate::Options;
use crate::cpu::{self, Used};
use crate::load::{Answers, Connection, saturate};
use crate::row::{Row, Traffic};
use crate::tokens::Tokens;

/// A row and what each of its turns cost.
pub(crate) struct Measured {
    /// The row.
    pub(crate) row: Row,
    /// The worker's time for each request, one value for each round, in microseconds.
    pub(crate) worker: Vec<f64>,
    /// The whole process's, which adds the threads that write files.
    pub(crate) process: Vec<f64>,
}

/// The smallest, which is what the work costs when nothing gets in its way.
pub(crate) fn minimum(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The one in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Sends a row's requests once and counts its answers.
pub(crate) fn check(row: &Row, tokens: &Tokens, folder: &Path) -> Answers {
    let envoy = row.start(folder);
    let requests = row.requests(tokens, 0, 1);
    let mut connections = connect(&envoy);
    let once = requests.iter().map(Vec::as_slice);
    saturate(&mut connections, once, Duration::MAX, row.status).unwrap_or_else(|error| {
        eprintln!("{}: {error}", row.id);
        Answers::default()
    })
}

/// Runs every row in turn, round after round.
pub(crate) fn measure(
    rows: Vec<Row>,
    tokens: &Tokens,
    options: &Options,
    folder: &Path,
) -> Vec<Measured> {
    let mut running: Vec<Running> = rows
        .into_iter()
        .map(|row| {
            eprintln!("Starting Envoy: {}", row.id);
            Running::start(row, tokens, options.rounds, folder)
        })
        .collect();
    for round in 0..options.rounds {
        eprintln!("Round {} of {} ...", round + 1, options.rounds);
        if round > 0 && round % ROUNDS_EACH == 0 {
            for row in &mut running {
                row.renew(folder);
            }
        }
        for place in order(running.len(), round) {
            running[place].turn(tokens, round, options);
        }
    }
    running
        .into_iter()
        .map(|running| running.measured)
        .collect()
}

/// Another order each round: it starts elsewhere, and every other round goes backwards.
fn order(count: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.rotate_left((round * 7) % count.max(1));
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// A row with its Envoy.
struct Running {
    measured: Measured,
    connections: Vec<Connection>,
    /// Of traffic that repeats.
    requests: Vec<Vec<u8>>,
    envoy: Envoy,
}

impl Running {
    fn start(row: Row, tokens: &Tokens, rounds: usize, folder: &Path) -> Self {
        let envoy = row.start(folder);
        cpu::pin(envoy.id());
        let requests = row.requests(tokens, 0, rounds);
        let mut running = Self {
            connections: connect(&envoy),
            requests,
            envoy,
            measured: Measured {
                row,
                worker: Vec::new(),
                process: Vec::new(),
            },
        };
        running.make_known();
        running
    }

    /// Goes on with another Envoy.
    fn renew(&mut self, folder: &Path) {
        self.envoy = self.measured.row.start(folder);
        cpu::pin(self.envoy.id());
        self.connections = connect(&self.envoy);
        self.make_known();
    }

    /// Every token once, so that each is known, where the row is about known ones.
    fn make_known(&mut self) {
        if self.measured.row.traffic != Traffic::New {
            let all = self.requests.len();
            self.send(0..all, false, Duration::MAX);
        }
    }

    fn turn(&mut self, tokens: &Tokens, round: usize, options: &Options) {
        let row = &self.measured.row;
        let fresh = row.traffic == Traffic::New;
        if fresh {
            self.requests = row.requests(tokens, round, options.rounds);
        }
        // Untimed at first: caches of the processor are full of the row before.
        let all = self.requests.len();
        let lead = if fresh { all / 10 } else { 0 };
        if fresh {
            self.send(0..lead, false, Duration::MAX);
        } else {
            self.send(0..all, true, options.slot / 5);
        }
        let start = self.used();
        let answers = self.send(lead..all, !fresh, options.slot);
        let used = self.used().since(start);
        let count = f64::from(u32::try_from(answers.count).expect("fewer answers"));
        let each = |time: Duration| time.as_secs_f64() * 1e6 / count;
        self.measured.worker.push(each(used.worker));
        self.measured.process.push(each(used.process));
    }

    /// The time used so far, once the worker sleeps.
    fn used(&self) -> Used {
        sleep(Duration::from_millis(3));
        Used::by(self.envoy.id())
    }

    fn send(&mut self, range: std::ops::Range<usize>, again: bool, time: Duration) -> Answers {
        let row = &self.measured.row;
        let once = self.requests[range].iter().map(Vec::as_slice);
        let answers = if again {
            saturate(&mut self.connections, once.cycle(), time, row.status)
        } else {
            saturate(&mut self.connections, once, time, row.status)
        };
        let answers = answers.unwrap_or_else(|error| panic!("{}: {error}", row.id));
        assert_eq!(
            answers.wrong, 0,
            "{}: {} of {} answers are not {}, but {}",
            row.id, answers.wrong, answers.count, row.status, answers.other
        );
        answers
    }
}

fn connect(envoy: &Envoy) -> Vec<Connection> {
    (0..CONNECTIONS)
        .map(|_| Connection::open(envoy.address()).expect("Envoy listens"))
        .collect()
}

/// How long an Envoy lasts. Where a process happens to lie in memory is worth more than what
/// separates some rows, so each row has several.
const ROUNDS_EACH: usize = 3;

/// As many as keep a worker busy.
const CONNECTIONS: usize = 16;
