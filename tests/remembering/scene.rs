//! Configurations, tokens and keys, as dice have them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::START;
use crate::dice::Dice;
use crate::keys::{thumbprint_byte, x};

/// Three issuers of which two may have the same keys; rules of every kind, or none.
pub(crate) fn configuration(dice: &mut Dice) -> Value {
    let issuers: Value = (0..3)
        .map(|number| {
            json!({
                "issuer": issuer(number), "audiences": ["db"], "algorithms": ["EdDSA"], "claims": { "groups": ["groups"] },
                "jwks": { "cluster": "c", "uri": format!("{}/keys", issuer(number)), "refresh": "5m", "max_stale": "10m" }
            })
        })
        .collect();
    let all = [
        json!({ "name": "no-delete", "effect": "deny", "paths": ["/api/2.2/jobs/delete"] }),
        json!({ "name": "secrets", "effect": "require", "paths": ["/api/2.0/secrets/get"], "scopes": ["secret.admin"] }),
        json!({ "name": "health", "effect": "public", "paths": ["/healthz"], "methods": ["GET"] }),
        json!({ "name": "mine", "effect": "require", "paths": ["/mine/{path=**}"], "any_scope": ["jobs", "own"] }),
        json!({ "name": "trial", "effect": "deny", "paths": ["/api/2.2/jobs/run-now"], "mode": "shadow" }),
        json!({ "name": "of-0", "effect": "require", "paths": ["/apps/{path=**}"], "scopes": ["own"], "issuers": [issuer(0)] }),
        json!({ "name": "not-1", "effect": "deny", "paths": ["/api/2.2/jobs/get"], "issuers": [issuer(1)] }),
        json!({ "name": "tool", "effect": "require", "paths": ["/apps/tool/{path=**}"], "scopes": ["jobs"], "mcp": { "methods": ["tools/call"], "names": ["run"] } }),
    ];
    let often = [2, 2, 2, 2, 2, 3, 3, 3];
    let rules: Value = all
        .into_iter()
        .zip(often)
        .filter(|(_, sides)| dice.below(*sides) > 0)
        .map(|(rule, _)| rule)
        .collect();
    let mut configuration = json!({
        "issuers": issuers,
        "policy": { "rules": rules, "mode": (one_of(dice, ["enforce", "enforce", "shadow"])), "unmatched": (one_of(dice, ["deny", "all-apis"])) },
        "limits": { "cached_tokens": (one_of(dice, [0, 3, 1000])), "token_bytes": (one_of(dice, [512, 4096, 4096])) },
        "withdrawn": { "list": { "cluster": "s", "uri": "https://s.example/w", "poll": "10s", "max_stale": "60s", "when_stale": (one_of(dice, ["ignore", "refuse"])) } },
    });
    if dice.below(2) == 0 {
        configuration["workspaces"] = json!([
            { "id": "1", "hosts": ["a.example", "ab.example"] }, { "id": "2", "hosts": ["b.example", "ab.example"] }
        ]);
        configuration["roles"] = json!([
            { "name": "one", "members": [{ "group": "g0" }], "grants": ["jobs", "own"], "workspaces": ["1"] },
            { "name": "two", "members": [{ "group": "g1" }], "grants": ["jobs:read", "files", "sql"] },
        ]);
    }
    configuration
}

/// One of few tokens, so that most come again.
pub(crate) fn token(dice: &mut Dice) -> String {
    let number = one_of(dice, [0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    let key = number % 3;
    let header = json!({ "alg": "EdDSA", "kid": format!("k{key}") });
    let expires = if number == 5 {
        START - 100
    } else {
        START + 1500
    };
    let scopes = ["jobs", "jobs:read files own", "all-apis secret.admin"];
    let mut claims = json!({
        "iss": issuer(number % 4), "aud": "db", "exp": expires, "iat": START - 3000, "sub": format!("s-{number}"), "jti": format!("t-{number}"),
        "scope": (scopes[number % 3]), "groups": [format!("g{}", number % 2)],
        "client_id": "quote\"d",
    });
    if number % 4 == 3 && dice.below(3) > 0 {
        claims["iss"] = json!(issuer(0));
    }
    if number == 7 {
        claims["act"] = json!({ "sub": "agent\\1", "act": { "sub": "earlier" } });
    }
    let mut signature = vec![9; 64];
    signature[0] = thumbprint_byte(usize::from(number == 6).saturating_add(key));
    signature[63] = u8::try_from(number).unwrap();
    [
        header.to_string().into_bytes(),
        claims.to_string().into_bytes(),
        signature,
    ]
    .map(|part| URL_SAFE_NO_PAD.encode(part))
    .join(".")
}

/// Another character somewhere, the end aside, by which tokens are found.
pub(crate) fn mangled(token: &str, dice: &mut Dice) -> String {
    let place = dice.below(token.len().saturating_sub(20));
    let mut bytes = token.as_bytes().to_vec();
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn issuer(number: usize) -> String {
    format!("https://{number}.example")
}

/// Of four keys one may be missing.
pub(crate) fn key_set(missing: usize) -> Value {
    let keys = (0..4).filter(|number| *number != missing || missing == 0);
    let keys: Value = keys
        .map(|number| json!({ "kty": "OKP", "crv": "Ed25519", "x": x(number), "kid": format!("k{number}") }))
        .collect();
    json!({ "keys": keys })
}

/// One of these.
pub(crate) fn one_of<T: Copy, const N: usize>(dice: &mut Dice, values: [T; N]) -> T {
    values[dice.below(N)]
}
