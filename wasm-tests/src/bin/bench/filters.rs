//! The filters that are compared, as Envoy's configuration has them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Bytes;
use serde_json::{Value, json};
use wasm_tests::envoy::Setup;
use wasm_tests::keys::jwk_set;
use wasm_tests::paths;
use wasm_tests::serve::Server;
use wasm_tests::token_endpoint::TokenEndpoint;

use crate::calls;
use crate::tokens::{AUDIENCE, ISSUER};
use crate::upstream::Upstream;

/// Where the JWT filter leaves the claims.
pub(crate) const METADATA_KEY: &str = "claims";

/// How many of the functional roles the caller holds.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    /// Every one.
    All,
    /// One.
    One,
}

/// Our module, and copies of it and of others that rows want.
pub(crate) struct Modules {
    folder: PathBuf,
    ours: PathBuf,
    endpoint: TokenEndpoint,
    collector: Server,
    upstream: Upstream,
}

impl Modules {
    /// Writes them to this folder.
    pub(crate) fn write(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder under target");
        let empty = wat::parse_str(include_str!("empty.wat")).expect("the text of a module");
        let modules = [
            (EMPTY, empty),
            (PERMITTING, calls::permitting()),
            (VERIFYING, calls::verifying()),
            (REFUSING, calls::refusing()),
            (FALLBACK, without_host_engine(paths::module_bytes())),
        ];
        for (name, module) in modules {
            std::fs::write(folder.join(name), module).expect("a file under target");
        }
        Self {
            folder: folder.to_owned(),
            ours: paths::module(),
            endpoint: TokenEndpoint::start(),
            collector: Server::start(Router::new().fallback(|_: Bytes| async {})),
            upstream: Upstream::start(),
        }
    }

    /// The module that does nothing.
    pub(crate) fn empty(&self) -> Value {
        wasm(&self.folder.join(EMPTY), &json!({}))
    }

    /// The one that makes the host calls of a permitted request.
    pub(crate) fn permitting(&self) -> Value {
        wasm(&self.folder.join(PERMITTING), &json!({}))
    }

    /// The one that has a signature verified besides.
    pub(crate) fn verifying(&self) -> Value {
        wasm(&self.folder.join(VERIFYING), &json!({}))
    }

    /// The one that makes the host calls of a refused request.
    pub(crate) fn refusing(&self) -> Value {
        wasm(&self.folder.join(REFUSING), &json!({}))
    }

    /// Ours.
    pub(crate) fn ours(&self) -> Value {
        wasm(&self.ours, &configuration())
    }

    /// Ours, which exchanges tokens through the cluster [`EXCHANGE`].
    pub(crate) fn ours_exchanging(&self) -> Value {
        let mut configuration = configuration();
        configuration["exchange"] = json!({ "cluster": EXCHANGE, "token_endpoint": "https://dbc-1.cloud.databricks.com/oidc/v1/token" });
        wasm(&self.ours, &configuration)
    }

    /// Where tokens are exchanged.
    pub(crate) fn token_endpoint(&self) -> SocketAddr {
        self.endpoint.address()
    }

    /// Ours with this section `audit`.
    pub(crate) fn ours_with_audit(&self, audit: Value) -> Value {
        let mut configuration = configuration();
        configuration["audit"] = audit;
        wasm(&self.ours, &configuration)
    }

    /// The section `audit.otlp` that leads to [`Modules::collector`].
    pub(crate) fn to_collector(&self) -> Value {
        json!({ "cluster": COLLECTOR, "uri": format!("https://{}/v1/logs", self.collector()), "queue_bytes": 64 * 1024 * 1024 })
    }

    /// A collector that keeps nothing.
    pub(crate) fn collector(&self) -> SocketAddr {
        self.collector.address()
    }

    /// The cluster that leads to a stand-in for a workspace.
    pub(crate) fn upstream(&self) -> Value {
        self.upstream.cluster()
    }

    /// Ours with this many rules of the operator's beside the catalogue.
    pub(crate) fn ours_with_rules(&self, count: usize) -> Value {
        let rule = |number: usize| json!({ "name": format!("app-{number}"), "effect": "require", "paths": [format!("/apps/app-{number}/{{path=**}}")], "scopes": ["apps"] });
        let mut configuration = configuration();
        configuration["policy"]["rules"] = (0..count).map(rule).collect();
        wasm(&self.ours, &configuration)
    }

    /// Ours with this many functional roles, of which the caller in the first group holds one or
    /// all.
    pub(crate) fn ours_with_roles(&self, count: usize, held: Held) -> Value {
        let role = |number: usize| {
            let group = match held {
                Held::One if number > 0 => format!("another-{number}"),
                Held::All | Held::One => "g0".to_owned(),
            };
            json!({ "name": format!("role-{number}"), "members": [{ "group": group }], "grants": ["clusters", "jobs", "sql", "unity-catalog:read"] })
        };
        let mut configuration = configuration();
        configuration["issuers"][0]["claims"] = json!({ "groups": ["groups"] });
        configuration["roles"] = (0..count).map(role).collect();
        wasm(&self.ours, &configuration)
    }

    /// Ours where the host verifies no signatures.
    pub(crate) fn fallback(&self) -> Value {
        wasm(&self.folder.join(FALLBACK), &configuration())
    }
}

/// The plugin configuration: the whole catalogue, audit on.
pub(crate) fn configuration() -> Value {
    json!({
        "issuers": [{ "issuer": ISSUER, "preset": "generic", "audiences": [AUDIENCE], "jwks": { "keys": jwk_set(["acme-rsa"]) } }],
        "policy": { "mode": "enforce", "unmatched": "deny" },
    })
}

/// The JWT filter: how many tokens its cache takes, and whether it leaves the claims for others.
pub(crate) fn jwt(cached: Option<u32>, claims: bool) -> Value {
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": { "inline_string": jwk_set(["acme-rsa"]).to_string() },
        "forward": true,
    });
    if let Some(size) = cached {
        provider["jwt_cache_config"] = json!({ "jwt_cache_size": size });
    }
    if claims {
        provider["payload_in_metadata"] = json!(METADATA_KEY);
        provider["normalize_payload_in_metadata"] = json!({ "space_delimited_claims": ["scope"] });
    }
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "acme": provider },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "acme" } }],
        },
    })
}

/// The record of a request that Envoy itself writes, with what ours says as far as Envoy's filters
/// know it.
pub(crate) fn access_log(file: &Path) -> Value {
    let claim = |name: &str| {
        format!("%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:{METADATA_KEY}:{name})%")
    };
    json!([{
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": file,
            "log_format": { "json_format": {
                "time": "%START_TIME%",
                "status": "%RESPONSE_CODE%",
                "reason": "%RESPONSE_CODE_DETAILS%",
                "request_id": "%REQ(X-REQUEST-ID)%",
                "method": "%REQ(:METHOD)%",
                "path": "%REQ(:PATH)%",
                "scopes": claim("scope"),
                "issuer": claim("iss"),
                "subject": claim("sub"),
                "client": claim("client_id"),
                "token_id": claim("jti"),
                "token_expires_at": claim("exp"),
                "source_ip": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                "user_agent": "%REQ(USER-AGENT)%",
            } },
        },
    }])
}

/// The sample's filter with this module and this configuration.
fn wasm(module: &Path, configuration: &Value) -> Value {
    let bootstrap = Setup::new(configuration.clone()).bootstrap();
    let mut filter = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"]
        [0]["typed_config"]["http_filters"][0]
        .clone();
    filter["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = json!(module);
    filter
}

/// The module with another name for the host's function, which no host has: it then verifies by
/// itself.
fn without_host_engine(mut module: Vec<u8>) -> Vec<u8> {
    let places: Vec<usize> = module
        .windows(HOST_FUNCTION.len())
        .enumerate()
        .filter(|(_, window)| window == HOST_FUNCTION)
        .map(|(place, _)| place)
        .collect();
    for place in places {
        module[place..place + NO_FUNCTION.len()].copy_from_slice(NO_FUNCTION);
    }
    module
}

/// The cluster that leads to [`Modules::token_endpoint`].
pub(crate) const EXCHANGE: &str = "databricks";

/// The cluster that leads to [`Modules::collector`].
pub(crate) const COLLECTOR: &str = "collector";

const EMPTY: &str = "empty.wasm";
const PERMITTING: &str = "calls-permitting.wasm";
const VERIFYING: &str = "calls-verifying.wasm";
const REFUSING: &str = "calls-refusing.wasm";
const FALLBACK: &str = "fallback.wasm";
const HOST_FUNCTION: &[u8; 16] = b"verify_signature";
const NO_FUNCTION: &[u8; 16] = b"absent_signature";
