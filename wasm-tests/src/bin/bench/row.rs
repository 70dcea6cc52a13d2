//! The rows of the table: what stands before the router, what is sent to it, and what must come of
//! that.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};
use wasm_tests::client::request;
use wasm_tests::envoy::{Envoy, Setup, cluster};

use crate::filters::{self, Held, Modules};
use crate::rbac;
use crate::tokens::Tokens;
use crate::upstream::{BODY, UPSTREAM};

/// One row.
pub(crate) struct Row {
    /// How targets and the command line call it.
    pub(crate) id: &'static str,
    /// How the table calls it.
    pub(crate) name: &'static str,
    /// What is sent.
    pub(crate) traffic: Traffic,
    /// The status that every answer must have.
    pub(crate) status: u16,
    filters: Vec<Value>,
    access_log: bool,
    /// What the filter calls, by its cluster's name.
    called: Option<(&'static str, SocketAddr)>,
    workers: u32,
    /// Where requests go on to, with bodies; absent where the router answers by itself.
    upstream: Option<Value>,
}

/// What the clients of a row send: four operations in turn, with these tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Traffic {
    /// One expired token, again and again.
    Expired,
    /// Some tokens in turn, of a caller in so many groups.
    Grouped(usize),
    /// So many tokens in turn, all of which were sent before.
    Known(usize),
    /// Every token once.
    New,
    /// No token.
    None,
}

/// Every row, cheapest first in each group.
pub(crate) fn rows(modules: &Modules) -> Vec<Row> {
    let cached = || filters::jwt(Some(CACHED), false);
    let claims = || filters::jwt(Some(CACHED), true);
    let uncached_claims = || filters::jwt(None, true);
    let row = |id, name, traffic, status, filters| Row {
        id,
        name,
        traffic,
        status,
        filters,
        access_log: false,
        called: None,
        workers: 1,
        upstream: None,
    };
    let known = Traffic::Known(10);
    #[rustfmt::skip]
    let rows = vec![
        row("router",            "router alone",                                                             known,                  200, vec![]),
        row("router-8-workers",  "router alone, 8 workers",                                                  known,                  200, vec![]).of_workers(8),
        row("empty",             "a module that does nothing",                                               known,                  200, vec![modules.empty()]),
        row("calls",             "a module that makes the host calls of **ours** and nothing else",          known,                  200, vec![modules.permitting()]),
        row("calls-verify",      "… one of which verifies a signature",                                      Traffic::New,           200, vec![modules.verifying()]),
        row("calls-refuse",      "… one of which refuses the request",                                       Traffic::Expired,       401, vec![modules.refusing()]),
        row("ours-warm",         "**ours**, 10 tokens",                                                      known,                  200, vec![modules.ours()]),
        row("ours-many",         "**ours**, 10,000 tokens",                                                  Traffic::Known(10_000), 200, vec![modules.ours()]),
        row("ours-exchange",     "**ours**, 10 tokens, exchanged for Databricks' own",                       known,                  200, vec![modules.ours_exchanging()]).calling(filters::EXCHANGE, modules.token_endpoint()),
        row("ours-access-log",   "**ours**, 10 tokens, decisions shown to the access log",                   known,                  200, vec![modules.ours_with_audit(json!({ "access_log": true }))]),
        row("ours-ocsf",         "**ours**, 10 tokens, records as OCSF",                                     known,                  200, vec![modules.ours_with_audit(json!({ "format": "ocsf" }))]),
        row("ours-otlp",         "**ours**, 10 tokens, records to a collector as well",                      known,                  200, vec![modules.ours_with_audit(json!({ "otlp": modules.to_collector() }))]).calling(filters::COLLECTOR, modules.collector()),
        row("ours-8-workers",    "**ours**, 10 tokens, 8 workers",                                           known,                  200, vec![modules.ours()]).of_workers(8),
        row("ours-new",          "**ours**, every token new",                                                Traffic::New,           200, vec![modules.ours()]),
        row("ours-fallback",     "**ours**, every token new, signatures verified in wasm",                   Traffic::New,           200, vec![modules.fallback()]),
        row("ours-expired",      "**ours**, an expired token again and again",                               Traffic::Expired,       401, vec![modules.ours()]),
        row("ours-none",         "**ours**, no token",                                                       Traffic::None,          401, vec![modules.ours()]),
        row("ours-10-rules",     "**ours**, 10 rules beside the catalogue",                                  known,                  200, vec![modules.ours_with_rules(10)]),
        row("ours-10k-rules",    "**ours**, 10,000 rules beside the catalogue",                              known,                  200, vec![modules.ours_with_rules(10_000)]),
        row("ours-1-group",      "**ours**, 1 group and 1 role",                                             Traffic::Grouped(1),    200, vec![modules.ours_with_roles(1, Held::One)]),
        row("ours-10-groups",    "**ours**, 10 groups and 10 roles, one of them held",                       Traffic::Grouped(10),   200, vec![modules.ours_with_roles(10, Held::One)]),
        row("ours-100-groups",   "**ours**, 100 groups and 100 roles, one of them held",                     Traffic::Grouped(100),  200, vec![modules.ours_with_roles(100, Held::One)]),
        row("ours-1000-groups",  "**ours**, 1,000 groups and 1,000 roles, one of them held",                 Traffic::Grouped(1000), 200, vec![modules.ours_with_roles(1000, Held::One)]),
        row("ours-10-held",      "**ours**, 10 roles held",                                                  Traffic::Grouped(1),    200, vec![modules.ours_with_roles(10, Held::All)]),
        row("ours-100-held",     "**ours**, 100 roles held",                                                 Traffic::Grouped(1),    200, vec![modules.ours_with_roles(100, Held::All)]),
        row("ours-1000-held",    "**ours**, 1,000 roles held",                                               Traffic::Grouped(1),    200, vec![modules.ours_with_roles(1000, Held::All)]),
        row("upstream",          "router alone, bodies of 1 KiB to and from an upstream by HTTP/2 and TLS",  known,                  200, vec![]).forwarding(modules.upstream()),
        row("calls-upstream",    "a module that makes the host calls of **ours** and nothing else, the same",  known,                  200, vec![modules.permitting()]).forwarding(modules.upstream()),
        row("ours-upstream",     "**ours**, 10 tokens, the same",                                            known,                  200, vec![modules.ours()]).forwarding(modules.upstream()),
        row("jwt-warm",          "`jwt_authn` with its cache, 10 tokens",                                    known,                  200, vec![cached()]),
        row("jwt-claims",        "… and claims as metadata",                                                 known,                  200, vec![claims()]),
        row("jwt-new",           "`jwt_authn` with its cache, every token new",                              Traffic::New,           200, vec![cached()]),
        row("jwt-uncached",      "`jwt_authn` without cache",                                                known,                  200, vec![filters::jwt(None, false)]),
        row("jwt-expired",       "`jwt_authn` with its cache, an expired token again and again",             Traffic::Expired,       401, vec![cached()]),
        row("list",              "`jwt_authn` with its cache + RBAC list",                                   known,                  200, vec![claims(), rbac::list()]),
        row("list-log",          "`jwt_authn` with its cache + RBAC list + JSON access log",                 known,                  200, vec![claims(), rbac::list()]).recorded(),
        row("tree",              "`jwt_authn` with its cache + RBAC matcher tree",                           known,                  200, vec![claims(), rbac::tree()]),
        row("tree-log",          "`jwt_authn` with its cache + RBAC matcher tree + JSON access log",         known,                  200, vec![claims(), rbac::tree()]).recorded(),
        row("tree-log-uncached", "`jwt_authn` without cache + RBAC matcher tree + JSON access log",          Traffic::New,           200, vec![uncached_claims(), rbac::tree()]).recorded(),
    ];
    rows
}

impl Row {
    /// The same, with Envoy's own record of each request.
    fn recorded(self) -> Self {
        Self {
            access_log: true,
            ..self
        }
    }

    /// The same, whose filter calls somebody through this cluster.
    fn calling(self, cluster: &'static str, address: SocketAddr) -> Self {
        Self {
            called: Some((cluster, address)),
            ..self
        }
    }

    /// The same with so many workers.
    fn of_workers(self, workers: u32) -> Self {
        Self { workers, ..self }
    }

    /// The same, whose requests have bodies and go on to this cluster.
    fn forwarding(self, upstream: Value) -> Self {
        Self {
            upstream: Some(upstream),
            ..self
        }
    }

    /// Envoy with this row's filters.
    pub(crate) fn start(&self, folder: &Path) -> Envoy {
        self.start_with(self.workers, folder)
    }

    /// The same, with so many workers.
    pub(crate) fn start_with(&self, workers: u32, folder: &Path) -> Envoy {
        let access_log = folder.join(format!("{}.access.log", self.id));
        let mut bootstrap = bootstrap(&self.filters);
        let clusters = self.called.iter();
        bootstrap["static_resources"]["clusters"] = clusters
            .map(|(name, address)| cluster(name, *address))
            .chain(self.upstream.clone())
            .collect();
        if self.upstream.is_some() {
            manager(&mut bootstrap)["route_config"]["virtual_hosts"][0]["routes"] = json!([{
                "match": { "prefix": "/" },
                "route": { "cluster": UPSTREAM },
            }]);
        }
        if self.access_log {
            manager(&mut bootstrap)["access_log"] = filters::access_log(&access_log);
        }
        let log = folder.join(format!("{}.log", self.id));
        drop(std::fs::remove_file(&log));
        drop(std::fs::remove_file(&access_log));
        Envoy::launch(&bootstrap, workers, Some(&log)).unwrap_or_else(|error| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let end = lines[lines.len().saturating_sub(5)..].join("\n");
            panic!("{}: Envoy did not start: {error}\n{end}", self.name)
        })
    }

    /// The requests of one round. Those of [`Traffic::New`] are not repeated, so each round has its
    /// share of the tokens.
    pub(crate) fn requests(&self, tokens: &Tokens, round: usize, rounds: usize) -> Vec<Vec<u8>> {
        let share = tokens.valid.len() / rounds.max(1);
        let bearers: Vec<Option<&str>> = match self.traffic {
            Traffic::None => vec![None; OPERATIONS.len()],
            Traffic::Expired => vec![Some(tokens.expired.as_str()); OPERATIONS.len()],
            Traffic::Grouped(groups) => {
                let grouped = tokens.grouped.iter().find(|(count, _)| *count == groups);
                known(grouped.map_or(&[], |(_, tokens)| tokens), 10)
            }
            Traffic::Known(count) => known(&tokens.valid, count),
            Traffic::New => tokens
                .valid
                .iter()
                .skip(share * round)
                .take(share)
                .map(|token| Some(token.as_str()))
                .collect(),
        };
        bearers
            .into_iter()
            .zip(OPERATIONS.iter().cycle())
            .map(|(bearer, (method, path))| {
                let body = self.upstream.as_ref().map_or(&[][..], |_| &BODY);
                call(method, path, bearer, body)
            })
            .collect()
    }
}

/// Each token with each operation, but for no more requests than needed where there are many
/// tokens.
fn known(tokens: &[String], count: usize) -> Vec<Option<&str>> {
    let tokens = tokens.iter().take(count);
    let repeats = if count > OPERATIONS.len() * 10 {
        1
    } else {
        10 * OPERATIONS.len()
    };
    let all = tokens.len() * repeats;
    tokens
        .map(|token| Some(token.as_str()))
        .cycle()
        .take(all)
        .collect()
}

/// The bootstrap of the sample with these filters, and a router that answers by itself.
pub(crate) fn bootstrap(filters: &[Value]) -> Value {
    let mut bootstrap = Setup::sample().bootstrap();
    bootstrap["static_resources"]["clusters"] = json!([]);
    // The longest templates of the catalogue are larger regular expressions than Envoy takes by
    // default.
    bootstrap["layered_runtime"]["layers"][0]["static_layer"]["re2"] =
        json!({ "max_program_size": { "error_level": 1000, "warn_level": 1000 } });
    let manager = manager(&mut bootstrap);
    let filters_of_sample = manager["http_filters"].as_array();
    let router = filters_of_sample.and_then(|all| all.last()).cloned();
    let filters: Vec<Value> = filters.iter().cloned().chain(router).collect();
    manager["http_filters"] = json!(filters);
    manager["route_config"]["virtual_hosts"][0]["routes"] = json!([{
        "match": { "prefix": "/" },
        "direct_response": { "status": 200, "body": { "inline_string": "{}" } },
    }]);
    bootstrap
}

pub(crate) fn manager(bootstrap: &mut Value) -> &mut Value {
    &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
}

fn call(method: &str, path: &str, bearer: Option<&str>, body: &[u8]) -> Vec<u8> {
    let bearer = bearer.map(|token| format!("Bearer {token}"));
    let mut headers: Vec<(&str, &[u8])> = vec![
        (
            "user-agent",
            b"databricks-sdk-py/0.67.0 python/3.12.3 os/linux",
        ),
        ("accept", b"application/json"),
    ];
    if let Some(bearer) = &bearer {
        headers.push(("authorization", bearer.as_bytes()));
    }
    if method == "GET" {
        return request(method, path.as_bytes(), &headers, b"");
    }
    let length = body.len().to_string();
    headers.push(("content-length", length.as_bytes()));
    request(method, path.as_bytes(), &headers, body)
}

/// Two that read and two that do, from three areas; one of them has a name in its path.
const OPERATIONS: [(&str, &str); 4] = [
    ("GET", "/api/2.2/jobs/get"),
    ("POST", "/api/2.0/sql/statements"),
    ("GET", "/api/2.1/unity-catalog/tables/main.sales.orders"),
    ("POST", "/api/2.2/jobs/run-now"),
];

/// Tokens that the cache of `jwt_authn` takes: as many as ours.
const CACHED: u32 = 10_000;
