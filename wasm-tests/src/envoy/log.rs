//! Envoy's log, and the audit records in it.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The lines that were written so far.
#[derive(Clone)]
pub struct Log(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Log {
    /// Follows a stream to its end, in a thread.
    pub fn follow(stream: impl Read + Send + 'static) -> Self {
        let log = Self(Arc::default());
        let writer = log.clone();
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream
                .read_until(b'\n', &mut line)
                .is_ok_and(|count| count > 0)
            {
                let (lines, changed) = &*writer.0;
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                lines
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(text);
                changed.notify_all();
                line.clear();
            }
        });
        log
    }

    /// How many lines there are.
    pub fn mark(&self) -> usize {
        self.lines().len()
    }

    /// Everything.
    pub fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// Everything since a mark.
    pub fn text_from(&self, mark: usize) -> String {
        self.lines().get(mark..).unwrap_or_default().join("\n")
    }

    /// The last lines.
    pub fn tail(&self, count: usize) -> String {
        let lines = self.lines();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    /// The text of every audit record between two marks, as it was written.
    pub fn audit_text(&self, start: usize, end: usize) -> Vec<String> {
        let lines = self.lines();
        let of_audit = lines
            .get(start..end)
            .unwrap_or_default()
            .iter()
            .filter(|line| record(line).is_some());
        of_audit
            .filter_map(|line| line.get(line.find("{\"")?..).map(ToOwned::to_owned))
            .collect()
    }

    /// Waits for `count` audit records after a mark, and yields what came in time.
    pub fn wait_for_audit(&self, mark: usize, count: usize) -> Vec<Value> {
        let (lines, changed) = &*self.0;
        let started = Instant::now();
        let mut guard = lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let records: Vec<Value> = guard
                .iter()
                .skip(mark)
                .filter_map(|line| record(line))
                .collect();
            if records.len() >= count || started.elapsed() > PATIENCE {
                return records;
            }
            guard = changed
                .wait_timeout(guard, PATIENCE)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The audit record in a line of the log: the object that begins there and has a `decision`.
pub fn record(line: &str) -> Option<Value> {
    let start = line.find("{\"")?;
    let record: Value = serde_json::from_str(&line[start..]).ok()?;
    record.get("decision_id").is_some().then_some(record)
}

/// Envoy writes its log behind a lock; a record is there within milliseconds of the answer.
const PATIENCE: Duration = Duration::from_secs(3);
