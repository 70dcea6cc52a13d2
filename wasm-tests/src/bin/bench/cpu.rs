//! What the system knows of a process: which cores it runs on, the time its threads took, its
//! memory.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::thread::{CpuSet, Pid, sched_setaffinity};

/// How the names of Envoy's threads begin that serve requests.
const WORKER: &str = "wrk:worker_";

/// One thread.
struct Thread {
    id: u32,
    name: String,
    folder: PathBuf,
}

/// The processor time that a process has taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// Its workers.
    pub(crate) worker: Duration,
    /// All its threads.
    pub(crate) process: Duration,
}

impl Used {
    /// Up to now. A thread's time is exact once it sleeps.
    pub(crate) fn by(process: u32) -> Self {
        let mut used = Self::default();
        for thread in threads(process) {
            let time = time(&thread.folder);
            used.process += time;
            if thread.name.starts_with(WORKER) {
                used.worker += time;
            }
        }
        used
    }

    /// Since then.
    pub(crate) fn since(self, start: Self) -> Self {
        Self {
            worker: self.worker.saturating_sub(start.worker),
            process: self.process.saturating_sub(start.process),
        }
    }
}

/// Gives Envoy's workers the last core for themselves, and its other threads the rest. Without a
/// second core nothing is pinned.
pub(crate) fn pin(process: u32) {
    let Some(last) = last_core() else {
        return;
    };
    for thread in threads(process) {
        if thread.name.starts_with(WORKER) {
            bind(thread.id, &[last]);
        } else {
            bind(thread.id, &(0..last).collect::<Vec<_>>());
        }
    }
}

/// Keeps this process off the worker's core; threads that it starts later inherit that.
pub(crate) fn pin_client() {
    if let Some(last) = last_core() {
        bind(std::process::id(), &(0..last).collect::<Vec<_>>());
    }
}

/// Lets a process run on every core.
pub(crate) fn free(process: u32) {
    if let Some(last) = last_core() {
        bind(process, &(0..=last).collect::<Vec<_>>());
    }
}

fn last_core() -> Option<usize> {
    let cores = cores();
    (cores > 1).then(|| cores - 1)
}

/// The cores that this process had when it began.
pub(crate) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

fn bind(thread: u32, cores: &[usize]) {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    let thread = i32::try_from(thread).ok().and_then(Pid::from_raw);
    if let Err(error) = sched_setaffinity(thread, &set) {
        eprintln!("bench: a thread could not be bound to cores {cores:?}: {error}");
    }
}

/// The memory of a process that is in use, in bytes.
pub(crate) fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.expect("the kernel tells a process's memory") * 1024
}

fn threads(process: u32) -> Vec<Thread> {
    let Ok(folders) = std::fs::read_dir(format!("/proc/{process}/task")) else {
        return Vec::new();
    };
    folders
        .filter_map(|folder| {
            let folder = folder.ok()?.path();
            Some(Thread {
                id: folder.file_name()?.to_str()?.parse().ok()?,
                name: std::fs::read_to_string(folder.join("comm"))
                    .ok()?
                    .trim()
                    .to_owned(),
                folder,
            })
        })
        .collect()
}

/// Nanoseconds where the kernel counts them, ticks of a hundredth second where not.
fn time(thread: &std::path::Path) -> Duration {
    let first = |text: &str| text.split_ascii_whitespace().next()?.parse().ok();
    if let Some(nanoseconds) = std::fs::read_to_string(thread.join("schedstat"))
        .ok()
        .and_then(|text| first(&text))
    {
        return Duration::from_nanos(nanoseconds);
    }
    let stat = std::fs::read_to_string(thread.join("stat")).unwrap_or_default();
    // The name may hold anything, so count from its end: user and system time are fields 14 and 15.
    let ticks = stat.rsplit_once(") ").map_or(0, |(_, fields)| {
        let fields = fields.split(' ').skip(11).take(2);
        fields
            .filter_map(|field| field.parse::<u64>().ok())
            .sum::<u64>()
    });
    Duration::from_millis(10) * u32::try_from(ticks).unwrap_or(u32::MAX)
}
