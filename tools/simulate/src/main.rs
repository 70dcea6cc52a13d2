//! Runs the gateway in a simulated process: workers, shared data, issuers, a token endpoint, a list
//! of revoked tokens, clients, a clock and configurations, each slow, dead, garbled, early, late or
//! twice.
//!
//! Everything follows from a seed. A run that violates an invariant is shrunk and printed.

mod action;
mod check;
mod client;
mod configuration;
mod planted;
mod servers;
mod shrink;
mod token;
mod worker;
mod world;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use planted::Planted;

/// Simulates the gateway and holds it to its invariants.
#[derive(Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// What everything follows from; a fresh one when absent
    #[arg(long)]
    seed: Option<u64>,
    /// How many events to go on for
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Plants a fault, or each in turn with `all`, and expects that it is found
    #[arg(long)]
    planted: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..));
    let mut out = io::stdout();
    let done = match &arguments.planted {
        Some(name) => find_planted(name, seed, arguments.events, &mut out),
        None => simulate(seed, arguments.events, &mut out),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

/// Runs until so many events have happened; `false` where something was violated.
fn simulate(seed: u64, events: u64, out: &mut impl io::Write) -> io::Result<bool> {
    let (played, found) = search(seed, events, None);
    let Some(found) = found else {
        writeln!(out, "{played} events of seed {seed}: every invariant holds")?;
        return Ok(true);
    };
    writeln!(out, "seed {seed}, run {}: {}", found.run, found.violation)?;
    for line in shrink::trace(
        &shrink::shrink(&found.actions, &found.violation, None),
        None,
    ) {
        writeln!(out, "{line}")?;
    }
    Ok(false)
}

/// Looks for planted faults; `false` where one is not found.
fn find_planted(name: &str, seed: u64, events: u64, out: &mut impl io::Write) -> io::Result<bool> {
    let mut all_found = true;
    let mut any = false;
    for (known, fault) in Planted::ALL {
        if name != "all" && name != known {
            continue;
        }
        any = true;
        let (played, found) = search(seed, events, Some(fault));
        let what = found.map_or("NOT FOUND".to_owned(), |found| found.violation.to_string());
        all_found &= what != "NOT FOUND";
        writeln!(out, "{known}, after {played} events: {what}")?;
    }
    if !any {
        writeln!(out, "no planted fault is called `{name}`")?;
    }
    Ok(any && all_found)
}

/// A run that violates something.
struct Found {
    run: u64,
    actions: Vec<action::Action>,
    violation: check::Violation,
}

fn search(seed: u64, events: u64, planted: Option<Planted>) -> (u64, Option<Found>) {
    let mut played = 0_u64;
    let mut run = 0;
    while played < events {
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(run));
        let actions = action::list(&mut rng, ACTIONS);
        let (count, violation) = shrink::play(&actions, planted);
        played = played.saturating_add(count);
        if let Some(violation) = violation {
            let found = Found {
                run,
                actions,
                violation,
            };
            return (played, Some(found));
        }
        run = run.wrapping_add(1);
    }
    (played, None)
}

/// In one run: enough for an issuer to fail and to recover several times, and few enough to shrink
/// soon.
const ACTIONS: usize = 600;
