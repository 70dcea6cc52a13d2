//! What happens when: faults, and configurations that replace one another.

use std::time::{Duration, Instant};

use wasm_tests::issuer::Behaviour;

use crate::collector::Mood;
use crate::gateway::Gateway;

/// The faults of a run, in order.
pub(crate) struct Plan {
    time: Duration,
    /// From which part of the time on, in thousandths, and what.
    steps: Vec<(u32, Step)>,
}

/// Something that is from then on.
#[derive(Clone, Copy, Debug)]
enum Step {
    Collector(Mood),
    /// Connections to the collector are closed as they come.
    CollectorGone(bool),
    /// The issuer answers with an error.
    IssuerDown(bool),
}

impl Plan {
    pub(crate) fn of(time: Duration) -> Self {
        let steps = vec![
            (80, Step::Collector(Mood::Busy)),
            (130, Step::Collector(Mood::Well)),
            (180, Step::Collector(Mood::Picky)),
            (240, Step::Collector(Mood::Well)),
            (280, Step::IssuerDown(true)),
            (333, Step::CollectorGone(true)),
            (450, Step::IssuerDown(false)),
            (667, Step::CollectorGone(false)),
            (780, Step::Collector(Mood::Slow)),
            (840, Step::Collector(Mood::Well)),
        ];
        Self { time, steps }
    }

    /// Runs it; the most memory that the gateway had.
    pub(crate) fn run(&self, gateway: &mut Gateway) -> u64 {
        let started = Instant::now();
        let mut steps = self.steps.iter().peekable();
        let mut configured = started;
        let mut most_memory = 0;
        let period = (self.time / CONFIGURATIONS).min(LONGEST_PERIOD);
        while started.elapsed() < self.time {
            let part = |thousandths: u32| self.time * thousandths / 1000;
            while let Some((_, step)) = steps.next_if(|(from, _)| part(*from) <= started.elapsed())
            {
                eprintln!("{:>5} s: {step:?}", started.elapsed().as_secs());
                gateway.apply(*step);
            }
            if configured.elapsed() >= period {
                configured = Instant::now();
                gateway.reconfigure();
            }
            most_memory = most_memory.max(gateway.memory());
            std::thread::sleep(Duration::from_millis(200));
        }
        most_memory
    }
}

impl Gateway {
    fn apply(&self, step: Step) {
        match step {
            Step::Collector(mood) => self.collector.is(mood),
            Step::CollectorGone(gone) => self.collector.door().shut(gone),
            Step::IssuerDown(true) => {
                self.issuer.script().behaviour = Behaviour::Status(503);
            }
            Step::IssuerDown(false) => self.issuer.script().behaviour = Behaviour::Ok,
        }
    }
}

/// In a short run.
const CONFIGURATIONS: u32 = 8;

/// How long a configuration stays in a long run.
const LONGEST_PERIOD: Duration = Duration::from_secs(15);
