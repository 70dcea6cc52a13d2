//! Which engine verifies signatures: the host's where it has shown that it can, or our own.
//!
//! In the issuers' algorithms the host's engine is tried at the start, in others once a proof of
//! possession comes that is signed with them.

use crate::issuer::Issuer;
use crate::token::algorithm::AlgorithmSet;
use crate::token::signature::Verifier;

use super::host::{Host, MetricKind};
use super::metrics::name::{SIGNATURE_ENGINE, name};

/// Finds out which of these issuers' signatures the host verifies, and says so in the log and in
/// the metrics.
pub(super) fn start(issuers: &[Issuer], host: &dyn Host) -> Box<dyn Verifier> {
    let used: AlgorithmSet = issuers
        .iter()
        .flat_map(|issuer| issuer.algorithms.iter())
        .collect();
    let engine = host.engine(used);
    for algorithm in used.iter() {
        let is_by_host = engine.by_host.contains(algorithm);
        let verifier = if is_by_host {
            "the gateway"
        } else {
            "this module"
        };
        log::info!("signatures: {algorithm} is verified by {verifier}");
        let algorithm = algorithm.to_string();
        for (engine, serves) in [("gateway", is_by_host), ("module", !is_by_host)] {
            let labels = [("algorithm", &*algorithm), ("engine", engine)];
            let gauge = host.define_metric(MetricKind::Gauge, &name(&labels, SIGNATURE_ENGINE));
            host.record_metric(gauge, u64::from(serves));
        }
    }
    engine.verifier
}
