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
    let minutes = match minutes(std::env::args().skip(1)) {
        Ok(minutes) => minutes,
        Err(fault) => {
            eprintln!("scripts/soak: {fault}\nusage: scripts/soak [--minutes N]");
            return ExitCode::from(2);
        }
    };
    let verdict = soak(Duration::from_mins(minutes));
    print!("{verdict}");
    if verdict.faults().is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn soak(time: Duration) -> Verdict {
    let mut gateway = Gateway::start();
    let at_start = gateway.memory();
    let plan = Plan::of(time);
    let address = gateway.address();
    let (answers, most_memory) = std::thread::scope(|scope| {
        let clients = scope.spawn(|| traffic::send(address, RATE, time));
        let most_memory = plan.run(&mut gateway);
        (clients.join().expect("the clients end"), most_memory)
    });
    Verdict::reach(&gateway, &answers, [at_start, most_memory])
}

fn minutes(mut arguments: impl Iterator<Item = String>) -> Result<u64, String> {
    let Some(argument) = arguments.next() else {
        return Ok(1);
    };
    if argument != "--minutes" {
        return Err(format!("what is `{argument}`?"));
    }
    let number = arguments.next().and_then(|number| number.parse().ok());
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| "--minutes takes a number".to_owned())
}

/// Requests a second: what a busy workspace has, and little for a machine.
const RATE: u32 = 300;
