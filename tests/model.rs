//! The policy once more, slowly: straight from the words of the contract, with loops over lists and
//! texts.
//!
//! Nothing here knows of indices, sets of scopes or packed lists; of the library it takes the list
//! of operations alone. Random policies and requests must come out the same in both.

#![cfg(test)]

#[path = "stand_in/dice.rs"]
mod dice;
#[path = "model/pairs.rs"]
mod pairs;
#[path = "model/paths.rs"]
mod paths;
#[path = "model/readings.rs"]
mod readings;
#[path = "model/slow.rs"]
mod slow;
#[path = "model/templates.rs"]
mod templates;
#[path = "model/world.rs"]
mod world;

use std::collections::BTreeMap;

use databricks_oam_filter::audit::record::words;
use databricks_oam_filter::authorize::{Verdict, Verification};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::key_store::KeyStore;
use databricks_oam_filter::request::Headers;
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::algorithm::Algorithm;
use databricks_oam_filter::token::jwk::Jwk;
use databricks_oam_filter::token::signature::Verifier;

use dice::Dice;
use slow::Answer;
use world::World;

/// Takes every signature: here only the policy is of interest.
struct Any;

impl Verifier for Any {
    fn verify(&self, _: Algorithm, _: &Jwk, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

/// Policies, and requests to each.
const POLICIES: u64 = 5_000;
const REQUESTS: usize = 24;

#[test]
fn the_fast_policy_agrees_with_the_slow_one() {
    let now = UnixTime::from_seconds(world::NOW).unwrap();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut judged = 0_u64;
    for seed in 0..POLICIES {
        let mut dice = Dice(seed);
        let world = World::random(&mut dice);
        let text = world.configuration();
        let conflict = slow::conflict(&world.rules);
        let configuration = match Configuration::parse(text.as_bytes()) {
            Ok(configuration) => configuration,
            Err(error) => {
                assert!(conflict, "seed {seed}: {error}\n{text}");
                *seen.entry("conflict".to_owned()).or_default() += 1;
                continue;
            }
        };
        assert!(
            !conflict,
            "seed {seed}: two rules conflict, and nothing is said\n{text}"
        );
        let keys = KeyStore::new(configuration.key_sources, 0);
        for _ in 0..REQUESTS {
            let request = World::request(&mut dice);
            let headers = Headers::new(request.headers());
            let decision = configuration.authorizer.authorize(
                &headers,
                &Verification::afresh(&keys, &Any),
                now,
            );
            let (_, reason) = words(&decision.verdict);
            let fast = Answer {
                reason: reason.to_owned(),
                passes: !matches!(decision.verdict, Verdict::Deny(_)),
                rule: decision.evidence.rule.map(|rule| rule.name.to_string()),
                operation: decision
                    .evidence
                    .operation
                    .map(|operation| operation.name.to_owned()),
            };
            let slow = slow::judge(&world, &request);
            assert_eq!(fast, slow, "seed {seed}: {request:?}\n{text}");
            let effect = if fast.passes { "passes" } else { "stays" };
            *seen.entry(format!("{reason}, {effect}")).or_default() += 1;
            judged += 1;
        }
    }
    assert!(judged >= 100_000, "{judged}");
    // A model that only ever says one thing agrees with anything.
    for outcome in OUTCOMES {
        assert!(
            seen.get(outcome).is_some_and(|count| *count > 100),
            "{outcome}: {seen:?}"
        );
    }
}

/// What must come up often.
const OUTCOMES: [&str; 17] = [
    "mcp_headers_required, stays",
    "mcp_headers_required, passes",
    "conflict",
    "public, passes",
    "permitted, passes",
    "missing_credentials, stays",
    "denied_by_rule, stays",
    "denied_by_rule, passes",
    "insufficient_scope, stays",
    "insufficient_scope, passes",
    "role_lacks_scope, stays",
    "role_lacks_scope, passes",
    "unmatched, stays",
    "unmatched, passes",
    "workspace_not_granted, stays",
    "unknown_workspace, stays",
    "unknown_workspace, passes",
];
