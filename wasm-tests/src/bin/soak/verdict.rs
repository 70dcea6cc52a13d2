//! Whether log, collector, metrics and clients agree.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use wasm_tests::paths;

use crate::Scale;
use crate::gateway::Gateway;
use crate::log::{Numbered, Numbers};
use crate::traffic::Answers;

/// What a run came to.
pub(crate) struct Verdict {
    facts: Vec<(&'static str, String)>,
    faults: Vec<String>,
}

impl Verdict {
    /// Waits for the last records, ends the gateway, and compares.
    pub(crate) fn reach(gateway: &Gateway, answers: &Answers, memory: [u64; 2]) -> Self {
        let mut verdict = Self {
            facts: Vec::new(),
            faults: Vec::new(),
        };
        verdict.judge_answers(answers);
        let exported = settled(gateway, answers.answered);
        verdict.judge_trouble(gateway);
        verdict.judge_memory(memory, gateway.scale);
        gateway.end();
        let log = Numbers::of(&gateway.log());
        verdict.judge_log(&log, answers);
        verdict.judge_collector(gateway, &log, exported);
        verdict.judge_report(&gateway.log(), &log);
        verdict
    }

    pub(crate) fn faults(&self) -> &[String] {
        &self.faults
    }

    fn fact(&mut self, what: &'static str, value: u64) {
        self.facts.push((what, value.to_string()));
    }

    fn hold(&mut self, is_so: bool, fault: impl FnOnce() -> String) {
        if !is_so {
            self.faults.push(fault());
        }
    }

    fn judge_answers(&mut self, answers: &Answers) {
        self.fact("requests answered", answers.answered);
        let longest = u64::try_from(answers.longest.as_millis()).expect("a time");
        self.fact("longest answer, ms", longest);
        self.hold(answers.unanswered == 0, || {
            format!("{} requests had no answer", answers.unanswered)
        });
        self.hold(answers.wrong.is_empty(), || {
            format!("wrong answers, by (should be, was): {:?}", answers.wrong)
        });
    }

    fn judge_trouble(&mut self, gateway: &Gateway) {
        let [taken, refused, failed] = gateway.trouble();
        self.fact("configurations", taken);
        let want = [gateway.configurations, 0, 0];
        self.hold([taken, refused, failed] == want, || {
            format!("configurations taken and refused, failures of the module: {taken}, {refused}, {failed}, not {want:?}")
        });
    }

    fn judge_memory(&mut self, [at_start, most]: [u64; 2], scale: Scale) {
        self.fact("memory at the start, MiB", at_start / MIB);
        self.fact("most memory, MiB", most / MIB);
        // Queues of two configurations while one replaces the other, as V8 keeps them, and what a
        // worker needs besides.
        let allowed = at_start + u64::from(scale.workers) * (2 * 2 * scale.queue_bytes + 8 * MIB);
        self.hold(most <= allowed, || {
            format!("{} MiB of memory, more than {}", most / MIB, allowed / MIB)
        });
    }

    fn judge_log(&mut self, log: &Numbers, answers: &Answers) {
        self.fact("records in the log", log.count());
        let workers = u64::try_from(log.0.len()).expect("a count");
        self.fact("workers and configurations", workers);
        let broken = log.broken();
        self.hold(broken.is_empty(), || {
            format!("numbers with gaps or repetitions: {broken:?}")
        });
        self.hold(log.count() == answers.answered, || {
            format!("{} records of {} answers", log.count(), answers.answered)
        });
    }

    fn judge_collector(&mut self, gateway: &Gateway, log: &Numbers, exported: [u64; 3]) {
        let [arrived, dropped, rejected] = exported;
        let [has, repeated] = gateway.collector.counts();
        let [reported, changed] = gateway.collector.reported();
        self.fact("records at the collector", has);
        self.fact("of them more than once", repeated);
        self.fact("dropped by the queue", dropped);
        self.fact("rejected by the collector", rejected);
        let all = log.0.iter();
        let each =
            all.flat_map(|(worker, numbers)| numbers.iter().map(move |number| (worker, *number)));
        let missing = each.filter(|(worker, number)| !gateway.collector.has(worker, *number));
        let missing = u64::try_from(missing.count()).expect("a count");
        self.hold(missing == dropped + rejected, || {
            format!("{missing} records are missing at the collector, and {dropped} dropped and {rejected} rejected are counted")
        });
        self.hold(has + missing == log.count(), || {
            format!(
                "the collector has {has} records, of which {} are in no log",
                has + missing - log.count()
            )
        });
        self.hold(arrived == has, || {
            format!("{arrived} records are counted as arrived, and the collector has {has}")
        });
        self.fact("reported as lost", reported);
        self.hold([reported, changed] == [dropped + rejected, 0], || {
            format!(
                "{reported} lost records were reported to the collector, not {}, and {changed} notices changed",
                dropped + rejected
            )
        });
    }

    /// A line that somebody removes is found.
    fn judge_report(&mut self, log: &Path, numbers: &Numbers) {
        let whole = report(log);
        self.hold(whole == 0, || {
            format!("`oam report` misses {whole} records of a whole log")
        });
        let longest = numbers.0.iter().max_by_key(|(_, numbers)| numbers.len());
        let Some((worker, of_worker)) = longest else {
            return;
        };
        let removed = of_worker[of_worker.len() / 2];
        let without = log.with_extension("without");
        copy_without(log, &without, worker, removed);
        let missing = report(&without);
        self.hold(missing == 1, || {
            format!("one line was removed, and `oam report` misses {missing} records")
        });
        drop(fs::remove_file(without));
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, value) in &self.facts {
            writeln!(f, "{what:<30} {value:>10}")?;
        }
        for fault in &self.faults {
            writeln!(f, "FAILED: {fault}")?;
        }
        if self.faults.is_empty() {
            writeln!(
                f,
                "every decision has its record, and every lost record is counted"
            )?;
        }
        Ok(())
    }
}

/// What became of the records, once nothing waits any more and the collector has notices of all
/// losses.
fn settled(gateway: &Gateway, decisions: u64) -> [u64; 3] {
    let started = Instant::now();
    loop {
        let exported = gateway.exported();
        let [_, dropped, rejected] = exported;
        let [reported, _] = gateway.collector.reported();
        let is_over = exported.iter().sum::<u64>() >= decisions && reported >= dropped + rejected;
        if is_over || started.elapsed() > PATIENCE {
            // One too many would come now.
            std::thread::sleep(LAST_WORDS);
            return gateway.exported();
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// How many records `oam report` misses in a log.
fn report(log: &Path) -> u64 {
    let output = Command::new(paths::root().join("target/debug/oam"))
        .args(["report", "--json"])
        .arg(log)
        .output()
        .expect("scripts/soak builds it");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let missing = report["sequence"]["missing"].as_u64();
    missing.expect("a count")
}

fn copy_without(log: &Path, to: &Path, worker: &str, number: u64) {
    let reader = BufReader::new(fs::File::open(log).expect("the gateway's log"));
    let mut writer = BufWriter::new(fs::File::create(to).expect("a file under target"));
    for line in reader.lines().map_while(Result::ok) {
        let record = line
            .find('{')
            .and_then(|start| Numbered::read(&line[start..]));
        if record.is_some_and(|record| record.worker == worker && record.sequence == number) {
            continue;
        }
        writeln!(writer, "{line}").expect("room on the disk");
    }
    writer.flush().expect("room on the disk");
}

const MIB: u64 = 1024 * 1024;

/// Beyond the longest retry.
const PATIENCE: Duration = Duration::from_mins(3);

/// Two ticks of a worker.
const LAST_WORDS: Duration = Duration::from_secs(2);
