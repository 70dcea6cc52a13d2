//! A gateway under load for as long as one likes, while all around it fails: does every decision
//! leave its record, and is what the collector never gets counted to the last one?
//!
//! A real Envoy with eight workers, a bounded rate of requests, a configuration that is replaced
//! again and again, and a plan of faults: an issuer that is down, a collector that is slow, asks
//! for patience, rejects, and is gone for a third of the time. At the end the gateway's log, the
//! collector and the metrics must agree.

use std::process::ExitCode;
use std::time::Duration;

mod collector;
mod gateway;
mod log;
mod plan;
mod traffic;
mod verdict;

use gateway::Gateway;
use plan::Plan;
use verdict::Verdict;

fn main() -> ExitCode {
    let time = match time(std::env::args().skip(1)) {
        Ok(time) => time,
        Err(fault) => {
            eprintln!("scripts/soak: {fault}\nusage: scripts/soak [--minutes N | --seconds N]");
            return ExitCode::from(2);
        }
    };
    let verdict = soak(time);
    print!("{verdict}");
    if verdict.faults().is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn soak(time: Duration) -> Verdict {
    let scale = if time < SHORT { HASTY } else { STEADY };
    let mut gateway = Gateway::start(scale);
    let at_start = gateway.memory();
    let plan = Plan::of(time);
    let address = gateway.address();
    let (answers, most_memory) = std::thread::scope(|scope| {
        let clients = scope.spawn(|| traffic::send(address, scale.rate, time));
        let most_memory = plan.run(&mut gateway);
        (clients.join().expect("the clients end"), most_memory)
    });
    Verdict::reach(&gateway, &answers, [at_start, most_memory])
}

fn time(mut arguments: impl Iterator<Item = String>) -> Result<Duration, String> {
    let Some(argument) = arguments.next() else {
        return Ok(Duration::from_mins(1));
    };
    let unit = match argument.as_str() {
        "--minutes" => Duration::from_mins(1),
        "--seconds" => Duration::from_secs(1),
        _ => return Err(format!("what is `{argument}`?")),
    };
    let number: Option<u32> = arguments.next().and_then(|number| number.parse().ok());
    number
        .filter(|number| *number > 0)
        .map(|number| unit * number)
        .ok_or_else(|| format!("{argument} takes a number"))
}

/// How large a run is.
#[derive(Clone, Copy, Debug)]
struct Scale {
    workers: u32,
    /// Requests a second.
    rate: u32,
    /// On each worker, and for each of two configurations while one replaces the other.
    queue_bytes: u64,
}

/// What a busy workspace has, and little for a machine.
const STEADY: Scale = Scale {
    workers: 8,
    rate: 300,
    queue_bytes: 1024 * 1024,
};

/// The least that a queue may have, and enough requests to fill it also in a short run.
const HASTY: Scale = Scale {
    workers: 2,
    rate: 600,
    queue_bytes: 512 * 1024,
};

const SHORT: Duration = Duration::from_mins(2);
