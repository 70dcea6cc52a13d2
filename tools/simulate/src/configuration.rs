//! The configurations that workers get.

use serde_json::{Value, json};

use crate::action::Variant;
use crate::token;

/// A configuration.
pub(crate) fn configuration(variant: Variant) -> Value {
    let issuer = |number: usize| {
        json!({
            "issuer": token::issuer(number), "audiences": ["databricks"], "algorithms": ["EdDSA"],
            "clock_skew": "30s",
            "jwks": {
                "cluster": format!("issuer-{number}"), "uri": format!("{}/keys", token::issuer(number)),
                "timeout": "2s", "refresh": "60s", "max_stale": "5m",
            },
        })
    };
    let list = json!({
        "cluster": "list", "uri": "https://list.example.com/revoked.json", "poll": "10s",
        "max_stale": "1m", "when_stale": "refuse",
    });
    let mut configuration = json!({
        "issuers": [issuer(0), issuer(1)],
        "withdrawn": { "list": list },
        "limits": { "waiting_requests": MAX_WAITING, "waiting_time": "5s", "cached_tokens": 20 },
    });
    match variant {
        Variant::Plain => {}
        Variant::Exchange => {
            configuration["exchange"] = json!({
                "cluster": "databricks", "token_endpoint": "https://dbc.example.com/oidc/v1/token",
            });
        }
        Variant::OneIssuer => {
            configuration["issuers"] = json!([issuer(0)]);
            configuration["withdrawn"] = json!({});
        }
        Variant::Denying => {
            let deny =
                json!({ "name": "no-jobs", "effect": "deny", "paths": ["/api/2.2/jobs/get"] });
            configuration["policy"] = json!({ "rules": [deny] });
        }
        Variant::Refused => configuration["issuers"] = json!([]),
    }
    configuration
}

/// Whether a worker polls the list of revoked tokens.
pub(crate) fn has_list(variant: Option<Variant>) -> bool {
    variant.is_some_and(|variant| variant != Variant::OneIssuer)
}

/// What a worker may hold.
pub(crate) const MAX_WAITING: usize = 64;
