//! The gateway's log, read once: the numbers of its records.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;

/// What tells a record from every other one.
#[derive(Deserialize)]
pub(crate) struct Numbered {
    /// The worker under one configuration.
    pub(crate) worker: String,
    /// Its count.
    pub(crate) sequence: u64,
}

impl Numbered {
    /// Of a record's line, if it is one.
    pub(crate) fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

/// The numbers of every record, by worker.
#[derive(Default)]
pub(crate) struct Numbers(pub(crate) BTreeMap<String, Vec<u64>>);

impl Numbers {
    /// Reads a log.
    pub(crate) fn of(file: &Path) -> Self {
        let mut numbers = Self::default();
        let mut reader = BufReader::new(File::open(file).expect("the gateway's log"));
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
            let record = line.find(START).and_then(|start| line.get(start..));
            if let Some(found) = record.and_then(Numbered::read) {
                numbers
                    .0
                    .entry(found.worker)
                    .or_default()
                    .push(found.sequence);
            }
            line.clear();
        }
        for of_worker in numbers.0.values_mut() {
            of_worker.sort_unstable();
        }
        numbers
    }

    /// How many records there are.
    pub(crate) fn count(&self) -> u64 {
        let count: usize = self.0.values().map(Vec::len).sum();
        u64::try_from(count).expect("a count")
    }

    /// The workers whose numbers are not 1, 2, 3 and so on.
    pub(crate) fn broken(&self) -> Vec<&str> {
        let is_broken = |numbers: &[u64]| !(1..).zip(numbers).all(|(want, found)| want == *found);
        let broken = self.0.iter().filter(|(_, numbers)| is_broken(numbers));
        broken.map(|(worker, _)| worker.as_str()).collect()
    }
}

/// How a record begins, behind the gateway's prefix.
const START: &str = "{\"time\":";
