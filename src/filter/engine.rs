//! Whose engine verifies signatures: the host's where it has shown that it can, or our own.

use crate::issuer::Issuer;
use crate::token::algorithm::AlgorithmSet;
use crate::token::signature::delegated::Delegated;

use super::host;

/// Both engines.
pub(super) type Engine = Delegated<fn(&[u8]) -> Option<Vec<u8>>>;

/// Finds out which of these issuers' signatures the host verifies, and says so in the log.
pub(super) fn prove(issuers: &[Issuer]) -> Engine {
    let used: AlgorithmSet = issuers
        .iter()
        .flat_map(|issuer| issuer.algorithms.iter())
        .collect();
    let asked = if host::keeps_signatures() {
        AlgorithmSet::EMPTY
    } else {
        used
    };
    let engine: Engine = Delegated::prove(asked, host::verify_signature);
    for algorithm in used.iter() {
        let verifier = if engine.proven().contains(algorithm) {
            "the gateway"
        } else {
            "this module"
        };
        log::info!("signatures: {algorithm} is verified by {verifier}");
    }
    engine
}
