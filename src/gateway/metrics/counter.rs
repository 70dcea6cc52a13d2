//! One counter, and one gauge, as the host has them.

use crate::gateway::host::{Host, MetricId, MetricKind};

use super::name::name;

/// What was counted and not handed over yet.
#[derive(Default)]
pub(super) struct Counter {
    /// Absent until it has a name with the host.
    id: Option<MetricId>,
    count: u64,
}

impl Counter {
    pub(super) fn new(name: &str, host: &dyn Host) -> Self {
        Self {
            id: Some(host.define_metric(MetricKind::Counter, name)),
            count: 0,
        }
    }

    pub(super) const fn add(&mut self, count: u64) {
        self.count = self.count.saturating_add(count);
    }

    pub(super) fn flush(&mut self, host: &dyn Host) {
        let count = std::mem::take(&mut self.count);
        if let Some(id) = self.id
            && count > 0
        {
            host.add_to_metric(id, count);
        }
    }

    /// The same, for one that may have no name yet.
    pub(super) fn flush_as(&mut self, host: &dyn Host, name: impl FnOnce() -> String) {
        if self.id.is_none() {
            self.id = Some(host.define_metric(MetricKind::Counter, &name()));
        }
        self.flush(host);
    }
}

/// Names a gauge and sets it.
pub(super) fn gauge(
    labels: &[(&str, &str)],
    metric: &str,
    value: u64,
    host: &dyn Host,
) -> MetricId {
    let gauge = host.define_metric(MetricKind::Gauge, &name(labels, metric));
    host.record_metric(gauge, value);
    gauge
}
