//! Whose engine verifies signatures: the host's where it has shown that it can, or our own.
//!
//! In the issuers' algorithms it is tried at the start, in others once a proof of possession comes that is signed with them.

use crate::issuer::Issuer;
use crate::token::algorithm::{Algorithm, AlgorithmSet};
use crate::token::signature::delegated::Delegated;

use super::host;

/// Both engines.
pub(super) type Engine = Delegated<fn(&[u8]) -> Option<Vec<u8>>>;

/// Finds out which of these issuers' signatures the host verifies, and says so in the log and in the statistics.
pub(super) fn prove(issuers: &[Issuer]) -> Engine {
    let used: AlgorithmSet = issuers
        .iter()
        .flat_map(|issuer| issuer.algorithms.iter())
        .collect();
    let engine: Engine = Delegated::prove(used, host::verify_signature);
    // A proof of possession is signed by its sender, with whatever algorithm that likes.
    let engine = engine.and_when_asked(Algorithm::ALL.into_iter().collect());
    for algorithm in used.iter() {
        let by_gateway = engine.proven().contains(algorithm);
        let verifier = if by_gateway {
            "the gateway"
        } else {
            "this module"
        };
        log::info!("signatures: {algorithm} is verified by {verifier}");
        for (verifier, serves) in [("gateway", by_gateway), ("module", !by_gateway)] {
            let gauge =
                host::define_gauge(&format!("oam_filter.signatures.{algorithm}.{verifier}"));
            host::record_metric(gauge, u64::from(serves));
        }
    }
    engine
}
