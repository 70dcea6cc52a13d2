//! The tokens of a run, signed before anything is measured.

use std::thread;

use serde_json::json;
use wasm_tests::paths;
use wasm_tests::token::Token;

use crate::growth::COUNTS;

/// Tokens of one caller, each with an ID of its own.
pub(crate) struct Tokens {
    /// Valid ones.
    pub(crate) valid: Vec<String>,
    /// One that has expired.
    pub(crate) expired: String,
    /// By number, some of a caller in so many groups.
    pub(crate) grouped: Vec<(usize, Vec<String>)>,
}

impl Tokens {
    /// Signs so many, on every core.
    pub(crate) fn sign(count: usize) -> Self {
        let now = paths::now();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let share = count.div_ceil(cores);
        let valid = thread::scope(|scope| {
            let signers: Vec<_> = (0..count)
                .step_by(share.max(1))
                .map(|start| {
                    scope.spawn(move || {
                        (start..count.min(start + share))
                            .map(|number| valid(number).mint(now))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            signers
                .into_iter()
                .flat_map(|signer| signer.join().expect("a signer"))
                .collect()
        });
        let over = json!({ "iat": "now-7200", "exp": "now-3600" });
        let expired = self::valid(count).with(&Token::new("acme-rsa", &over));
        Self {
            valid,
            expired: expired.mint(now),
            grouped: COUNTS.map(|groups| (groups, grouped(groups, now))).into(),
        }
    }
}

fn grouped(groups: usize, now: i64) -> Vec<String> {
    let names: Vec<String> = (0..groups).map(|group| format!("g{group}")).collect();
    let over = Token::new("acme-rsa", &json!({ "groups": names }));
    (0..10)
        .map(|number| valid(number).with(&over).mint(now))
        .collect()
}

fn valid(number: usize) -> Token {
    Token::new(
        "acme-rsa",
        &json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "erin@example.com", "client_id": "etl", "jti": format!("token-{number:08}"),
            "iat": "now-60", "nbf": "now-60", "exp": "now+7200", "scope": "clusters jobs sql unity-catalog:read",
        }),
    )
}

/// Who issued them.
pub(crate) const ISSUER: &str = "https://issuer.example.com";

/// For whom.
pub(crate) const AUDIENCE: &str = "databricks";
