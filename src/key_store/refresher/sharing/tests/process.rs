//! A process of workers that share one slot, driven step by step: between a look and the write that
//! follows it anything may happen.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "what a test counts is small"
)]

use std::time::Duration;

use crate::callout::uri::HttpsUri;
use crate::issuer::IssuerIndex;
use crate::key_store::KeyStore;
use crate::key_store::fetch::{Fetch, KeyAnswer};
use crate::key_store::source::{KeySource, Remote, Schedule};
use crate::time::UnixTime;

pub(super) const ISSUER: IssuerIndex = IssuerIndex(0);

/// 5 s and what may pass before an answer is reported.
pub(super) const LEASE: Duration = Duration::from_secs(7);

/// One worker: its store, what it saw last, and what it has asked.
pub(super) struct Worker {
    pub(super) keys: KeyStore,
    pub(super) seen: Option<Seen>,
    pub(super) asked: Option<(Fetch, UnixTime)>,
}

/// What was in the slot when a worker looked.
pub(super) struct Seen(Option<(Vec<u8>, u32)>);

/// A process and its issuer, whose keys are called by a number that grows.
pub(super) struct Process {
    pub(super) now: UnixTime,
    pub(super) shared: Option<(Vec<u8>, u32)>,
    pub(super) workers: Vec<Worker>,
    born: u64,
    discovers: bool,
    pub(super) version: u64,
    /// When each fetch began.
    pub(super) fetches: Vec<UnixTime>,
}

fn worker(number: u64, discovers: bool) -> Worker {
    let schedule = Schedule {
        timeout: Duration::from_secs(5),
        refresh: Duration::from_mins(10),
        max_stale: Duration::from_hours(24),
    };
    let uri = (!discovers).then(|| HttpsUri::parse("https://a.example/keys").unwrap());
    let remote = Remote::new("idp", "https://a.example", uri, &schedule).unwrap();
    let mut keys = KeyStore::new(vec![KeySource::Remote(remote)], number);
    keys.share(number);
    Worker {
        keys,
        seen: None,
        asked: None,
    }
}

impl Process {
    pub(super) fn new(workers: u64, discovers: bool) -> Self {
        Self {
            now: UnixTime::from_seconds(1_800_000_000).unwrap(),
            shared: None,
            workers: (1..=workers)
                .map(|number| worker(number, discovers))
                .collect(),
            born: workers,
            discovers,
            version: 1,
            fetches: Vec::new(),
        }
    }

    /// The issuer changes its keys.
    pub(super) fn rotate(&mut self) {
        self.version += 1;
    }

    pub(super) fn wait(&mut self, span: Duration) {
        self.now = self.now.after(span);
    }

    /// A worker's first half of a look.
    pub(super) fn look(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        if worker.keys.slot(ISSUER, self.now).is_some() {
            worker.seen = Some(Seen(self.shared.clone()));
        }
    }

    /// The second half: it writes, by Envoy's rules.
    pub(super) fn write(&mut self, place: usize) {
        let worker = &mut self.workers[place];
        let Some(Seen(seen)) = worker.seen.take() else {
            return;
        };
        let (value, version) = seen.unzip();
        let consulted = worker.keys.consult(ISSUER, value.as_deref(), self.now);
        let Some(write) = consulted.write else {
            return;
        };
        let there = self.shared.as_ref().map(|(_, version)| *version);
        let made = there.is_none() || there == version;
        if made {
            self.shared = Some((write, there.unwrap_or_default() + 1));
        }
        worker.keys.on_written(ISSUER, made);
    }

    /// A worker sends what is due. Nobody else may have asked within a lease and still wait for the
    /// answer.
    pub(super) fn send(&mut self, place: usize) {
        let now = self.now;
        let Some(fetch) = self.workers[place].keys.due(now) else {
            return;
        };
        for (other, worker) in self.workers.iter().enumerate() {
            let asks = worker.asked.as_ref();
            assert!(
                other == place || asks.is_none_or(|(_, since)| now >= since.after(LEASE)),
                "{other} still waits for its answer, and {place} asks too"
            );
        }
        self.fetches.push(now);
        self.workers[place].asked = Some((fetch, now));
    }

    /// The issuer answers a worker, or fails it. That takes a moment, so no two answers are equally
    /// new.
    pub(super) fn answer(&mut self, place: usize, succeeds: bool) {
        let worker = &mut self.workers[place];
        let Some((fetch, _)) = worker.asked.take() else {
            return;
        };
        self.now = self.now.after(Duration::from_millis(1));
        if !succeeds {
            worker.keys.on_failure(&fetch, self.now);
            return;
        }
        let body = if fetch.call.uri.to_string().contains("well-known") {
            r#"{"issuer":"https://a.example","jwks_uri":"https://a.example/keys"}"#.to_owned()
        } else {
            document(self.version)
        };
        let answer = KeyAnswer {
            status: 200,
            body: body.as_bytes(),
            ..KeyAnswer::default()
        };
        drop(worker.keys.on_answer(&fetch, &answer, self.now));
    }

    /// A worker's machine is lost, and another takes its place.
    pub(super) fn replace(&mut self, place: usize) {
        self.born += 1;
        self.workers[place] = worker(self.born, self.discovers);
    }

    /// What a worker does when it ticks; the issuer answers at once, or not.
    pub(super) fn tick(&mut self, place: usize, succeeds: bool) {
        for _ in 0..3 {
            self.look(place);
            self.write(place);
            self.send(place);
            self.answer(place, succeeds);
        }
    }

    /// So much time, in which each worker ticks every 10 ms, as a busy one does.
    pub(super) fn run(&mut self, span: Duration, succeeds: bool) {
        self.run_ticking(Duration::from_millis(10), span, succeeds);
    }

    pub(super) fn run_ticking(&mut self, period: Duration, span: Duration, succeeds: bool) {
        let end = self.now.after(span);
        while self.now < end {
            for place in 0..self.workers.len() {
                self.tick(place, succeeds);
            }
            self.wait(period);
        }
    }

    /// The number of each worker's keys.
    pub(super) fn versions(&self) -> Vec<u64> {
        self.workers
            .iter()
            .map(|worker| version(&worker.keys, self.now))
            .collect()
    }
}

fn document(version: u64) -> String {
    format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{version}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
    )
}

/// The number of the keys that a worker has; 0 without any.
fn version(keys: &KeyStore, now: UnixTime) -> u64 {
    let key = keys.keys(ISSUER, now).and_then(|set| set.keys().first());
    key.and_then(|key| key.key_id()?.parse().ok())
        .unwrap_or_default()
}
