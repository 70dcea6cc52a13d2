//! What this module logs goes to the host's log, its last words too.

use host_calls::Level;
use log::{LevelFilter, Log, Metadata, Record};

/// Writes to the host's log.
struct Logger;

/// From now on.
pub(super) fn install() {
    // Nobody else has one.
    let _ = log::set_logger(&Logger);
    log::set_max_level(LevelFilter::Info);
    std::panic::set_hook(Box::new(|panic| {
        let _ = host_calls::log(Level::Critical, &panic.to_string());
    }));
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = match record.level() {
                log::Level::Trace => Level::Trace,
                log::Level::Debug => Level::Debug,
                log::Level::Info => Level::Info,
                log::Level::Warn => Level::Warn,
                log::Level::Error => Level::Error,
            };
            // To a host that takes no lines this could not be logged.
            let _ = host_calls::log(level, &record.args().to_string());
        }
    }

    fn flush(&self) {}
}
