//! Metrics of the access tokens of an issuer, counted once for each: when its signature was
//! verified.

use crate::authorize::verified::Fresh;
use crate::gateway::host::{Host, MetricId, MetricKind};

use super::counter::Counter;
use super::name::{self, name};

/// The metrics of one issuer's tokens.
pub(super) struct Tokens {
    /// A histogram of `exp` less `iat`, in seconds. The gateway's own default buckets fit: from one
    /// second to an hour, a day and more.
    lifetime: MetricId,
    /// Tokens that were granted `offline_access`.
    offline_access: Counter,
}

impl Tokens {
    /// Names the metrics of this issuer's tokens.
    pub(super) fn of(issuer: &str, host: &dyn Host) -> Self {
        let labels = [("issuer", issuer)];
        Self {
            lifetime: host
                .define_metric(MetricKind::Histogram, &name(&labels, name::TOKEN_LIFETIME)),
            offline_access: Counter::new(&name(&labels, name::OFFLINE_ACCESS), host),
        }
    }

    /// Tells of one.
    pub(super) fn verified(&mut self, token: &Fresh, host: &dyn Host) {
        if let Some(lifetime) = token.lifetime {
            host.record_metric(self.lifetime, lifetime.as_secs());
        }
        if token.offline_access {
            self.offline_access.add(1);
        }
    }

    /// What it counts.
    pub(super) const fn counter(&mut self) -> &mut Counter {
        &mut self.offline_access
    }
}
