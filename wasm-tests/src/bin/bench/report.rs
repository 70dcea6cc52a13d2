//! The report: a Markdown page and its chart.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use databricks_oam_filter::time::UnixTime;
use wasm_tests::envoy::install;
use wasm_tests::paths;

use crate::Options;
use crate::chart;
use crate::cpu;
use crate::extras::{Extras, RATE, TOKENS};
use crate::growth;
use crate::measure::{Measured, median, minimum};
use crate::target::{mebibytes, targets};

/// A run, told.
pub(crate) struct Report {
    measured: Vec<Measured>,
    extras: Option<Extras>,
    circumstances: String,
}

impl Report {
    /// Of these.
    pub(crate) fn new(measured: Vec<Measured>, extras: Option<Extras>, options: &Options) -> Self {
        let circumstances = format!(
            "{}, {}, Envoy {}, one worker, {} rounds of {} ms.",
            date(),
            machine(),
            install::version(),
            options.rounds,
            options.slot.as_millis()
        );
        Self {
            measured,
            extras,
            circumstances,
        }
    }

    /// Writes page and chart into a folder.
    pub(crate) fn write(&self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder in the checkout");
        std::fs::write(folder.join("benchmarks.md"), self.to_markdown()).expect("a file");
        chart::write(
            &folder.join("benchmarks.svg"),
            &self.measured,
            &self.circumstances,
        );
        if let Some(lines) = growth::lines(&self.measured) {
            growth::write(&folder.join("growth.svg"), &lines, &self.circumstances);
        }
    }

    /// The page.
    pub(crate) fn to_markdown(&self) -> String {
        let mut page = format!(
            "# What it costs\n\nBy `scripts/bench`: {}\n\n![Processor time for each request](benchmarks.svg)\n\n",
            self.circumstances
        );
        self.promises(&mut page);
        self.costs(&mut page);
        if growth::lines(&self.measured).is_some() {
            page.push_str("\n![Cost against groups and roles](growth.svg)\n");
        }
        if let Some(extras) = &self.extras {
            beside(extras, &mut page);
        }
        page.push_str(NOTES);
        page
    }

    fn costs(&self, page: &mut String) {
        page.push_str("\n| processor time for each request, µs | minimum | median | whole process, median |\n| --- | ---: | ---: | ---: |\n");
        for Measured {
            row,
            worker,
            process,
        } in &self.measured
        {
            line(
                page,
                &format!(
                    "| {} | {:.1} | {:.1} | {:.1} |",
                    row.name,
                    minimum(worker),
                    median(worker),
                    median(process)
                ),
            );
        }
    }

    fn promises(&self, page: &mut String) {
        page.push_str("| ratio of minima, or value | measured | at most | holds | host calls alone |\n| --- | ---: | ---: | --- | ---: |\n");
        for target in targets(&self.measured, self.extras.as_ref()) {
            let limit = if target.unit.is_empty() {
                format!("{:.2}", target.limit)
            } else {
                format!("{} {}", target.limit, target.unit)
            };
            let row = format!(
                "| {} | {} | {limit} | {} | {} |",
                target.what,
                target.shown(),
                target.verdict(),
                target.calls_alone_shown()
            );
            line(page, &row);
        }
    }
}

fn beside(extras: &Extras, page: &mut String) {
    line(
        page,
        &format!(
            "\n| latency at {RATE} requests a second, µs | p50 | p99 |\n| --- | ---: | ---: |"
        ),
    );
    for (name, half, most) in &extras.latency {
        line(
            page,
            &format!("| {name} | {} | {} |", half.as_micros(), most.as_micros()),
        );
    }
    memory(extras, page);
    once(extras, page);
}

fn memory(extras: &Extras, page: &mut String) {
    let [none, some, many] = TOKENS;
    line(
        page,
        &format!(
            "\n| memory of the process, MiB | {none} tokens | {some} | {many} |\n| --- | ---: | ---: | ---: |"
        ),
    );
    for (id, name, bytes) in &extras.memory {
        // The traffic of a row is not that of its name here: each token comes once.
        let name = if *id == "ours-many" {
            "**ours**"
        } else {
            name.trim_end_matches(", 10 tokens")
        };
        let values: Vec<String> = bytes
            .iter()
            .map(|bytes| format!("{:.1}", mebibytes(*bytes)))
            .collect();
        line(page, &format!("| {name} | {} |", values.join(" | ")));
    }
    line(
        page,
        "\n| memory of each further worker with 10,000 tokens, MiB | |\n| --- | ---: |",
    );
    for (id, bytes) in &extras.memory_of_a_worker {
        let name = if *id == "ours-many" {
            "**ours**"
        } else {
            "a module that does nothing"
        };
        line(page, &format!("| {name} | {:.1} |", mebibytes(*bytes)));
    }
}

fn once(extras: &Extras, page: &mut String) {
    let millis = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e3);
    let [alone, ours] = extras.start;
    line(page, "\n| | |\n| --- | ---: |");
    line(
        page,
        &format!(
            "| start to first answer, Envoy alone | {} ms |",
            millis(alone)
        ),
    );
    line(
        page,
        &format!(
            "| start to first answer, with the module | {} ms |",
            millis(ours)
        ),
    );
    line(
        page,
        &format!("| the module | {} KiB |", extras.module.div_ceil(1024)),
    );
    for (workers, fetches) in &extras.fetches {
        let workers = if *workers == 1 {
            "one worker".to_owned()
        } else {
            format!("{workers} workers")
        };
        line(
            page,
            &format!("| requests for the issuer's keys at the start, {workers} | {fetches} |"),
        );
    }
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a String takes everything");
}

fn date() -> String {
    let now = u64::try_from(paths::now())
        .ok()
        .and_then(UnixTime::from_seconds);
    let text = now.map(|now| now.to_string()).unwrap_or_default();
    text.split('T').next().unwrap_or_default().to_owned()
}

fn machine() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("a processor without a name", |(_, model)| model);
    let cores = cpu::cores();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}

const NOTES: &str = "
`Host calls alone` is what the ratio would be for a module that asks its host for the same (header map, client's address, time, record, and where it applies a verified signature
or an answer), and decides nothing: less than that no filter can cost that is loaded like this one.

Each row has an Envoy of its own with one worker on a core of its own, and the client on another, and every three rounds a new one, since one process
may differ from the next by some microseconds; the rows take turns, in another order each round, and the time is what the kernel counted for the worker's thread. Sixteen connections keep the worker busy. Requests are four operations
in turn (two that read, two that do, one with a name in its path), without bodies, and the router answers by itself, so that no row pays for an
upstream. Ours judges by the whole catalogue, counts, and writes its record to Envoy's log, which is a file; RBAC has the same catalogue, one
permission for each operation, made by `wasm-tests/src/bin/bench/rbac.rs`; the JSON access log is a file too, and what its own thread writes
counts for the whole process only. Tokens are RS256 with 2,048 bits. The eight workers share that one core, so each finds its caches full of
the others' code; the router's own row shows how much of that is Envoy's. The upstream is one more Envoy, whose
time is not counted: of a real request, what the filter adds is the difference of its two rows.

To measure on another machine: `scripts/bench`, ten minutes at most; `--keep` writes this page. What was tried, what it brought and what it did not:
[Decisions](decisions.md).
";
