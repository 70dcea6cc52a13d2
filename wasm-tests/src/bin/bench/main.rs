//! What the filter costs, beside Envoy's own filters that do the same, in a real Envoy on this
//! machine.
//!
//! One Envoy for each row of the table, all with one worker, whose thread has a core to itself
//! while the client has another. The rows take turns, in another order each round, so that whatever
//! else the machine does meets them all alike; what counts is the processor time of the worker's
//! thread for each request. `--short` asks only whether every row still answers as it should.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use wasm_tests::paths;

mod calls;
mod chart;
mod cpu;
mod extras;
mod filters;
mod growth;
mod load;
mod measure;
mod rbac;
mod report;
mod row;
mod target;
mod tokens;
mod upstream;

use filters::Modules;
use measure::Measured;
use report::Report;
use row::Row;
use tokens::Tokens;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(fault) => {
            eprintln!("scripts/bench: {fault}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    // Whatever is started from here on stays off the workers' core.
    cpu::pin_client();
    let folder = paths::root().join("target/bench");
    let modules = Modules::write(&folder);
    let rows: Vec<Row> = row::rows(&modules)
        .into_iter()
        .filter(|row| options.chosen(row.id))
        .collect();
    if options.short {
        short(&rows, &folder)
    } else {
        full(rows, &modules, &options, &folder);
        ExitCode::SUCCESS
    }
}

/// Every row once, for its answers alone.
fn short(rows: &[Row], folder: &Path) -> ExitCode {
    let tokens = Tokens::sign(40);
    let mut valid = true;
    for row in rows {
        let answers = measure::check(row, &tokens, folder);
        let right = answers.wrong == 0 && answers.count > 0;
        valid &= right;
        let verdict = if right {
            format!("ok, {} answers {}", answers.count, row.status)
        } else {
            format!(
                "FAILED: {} of {} answers are not {}, but {}",
                answers.wrong, answers.count, row.status, answers.other
            )
        };
        println!("{:<20} {verdict}", row.id);
    }
    for fault in extras::check(&tokens) {
        valid = false;
        println!("FAILED: {fault}");
    }
    if valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The whole table.
fn full(rows: Vec<Row>, modules: &Modules, options: &Options, folder: &Path) {
    eprintln!("Signing {} tokens ...", options.tokens);
    let tokens = Tokens::sign(options.tokens);
    let measured: Vec<Measured> = measure::measure(rows, &tokens, options, folder);
    let extras =
        (options.only.is_empty()).then(|| extras::measure(modules, &tokens, options.slot, folder));
    let report = Report::new(measured, extras, options);
    print!("{}", report.to_markdown());
    let mut folders = vec![folder.to_owned()];
    if options.keep {
        folders.push(paths::root().join("docs"));
    }
    for folder in folders {
        report.write(&folder);
        eprintln!("written: {}", folder.join("benchmarks.md").display());
    }
}

/// What was asked for.
pub(crate) struct Options {
    /// Whether time is left unjudged.
    short: bool,
    /// Whether the copies in the checkout are replaced.
    keep: bool,
    /// Rows by ID; all when empty.
    only: Vec<String>,
    /// How often every row has its turn.
    pub(crate) rounds: usize,
    /// How long a turn is.
    pub(crate) slot: Duration,
    /// How many tokens are signed in advance.
    pub(crate) tokens: usize,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            short: false,
            keep: false,
            only: Vec::new(),
            rounds: 12,
            slot: Duration::from_millis(600),
            tokens: 12_000,
        };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let value = arguments.next().and_then(|value| value.parse::<u32>().ok());
                value
                    .filter(|value| *value > 0)
                    .ok_or(format!("{argument} takes a number"))
            };
            match argument.as_str() {
                "--short" => options.short = true,
                "--keep" => options.keep = true,
                "--rounds" => options.rounds = number()? as usize,
                "--slot-ms" => options.slot = Duration::from_millis(number()?.into()),
                "--tokens" => options.tokens = number()? as usize,
                "--only" => {
                    let rows = arguments.next().ok_or("--only takes rows, as in a,b")?;
                    options.only = rows.split(',').map(ToOwned::to_owned).collect();
                }
                _ => return Err(format!("what is `{argument}`?")),
            }
        }
        Ok(options)
    }

    fn chosen(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == id)
    }
}

const USAGE: &str = "\
usage: scripts/bench [--keep] [--rounds N] [--slot-ms N] [--tokens N] [--only ROW,…]
       scripts/bench --short [--only ROW,…]
  --short   every row once, to see that it answers as it should
  --keep    writes docs/benchmarks.md and docs/benchmarks.svg too, not only target/bench";
