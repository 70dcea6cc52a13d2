//! What each step of a decision costs: reading the head, the token, its signature, its claims, the
//! policy, the record; and the whole.

#![cfg(test)]

#[expect(dead_code, reason = "the tests of tokens sign with every algorithm")]
#[path = "../tests/token/signing.rs"]
mod signing;

use std::cell::RefCell;
use std::hash::RandomState;
use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use databricks_oam_filter::audit::compact;
use databricks_oam_filter::audit::record::{Record, Stamp};
use databricks_oam_filter::authorize::Verification;
use databricks_oam_filter::authorize::verified::VerifiedTokens;
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::key_store::KeyStore;
use databricks_oam_filter::request::envelope::Envelope;
use databricks_oam_filter::request::mcp::Call;
use databricks_oam_filter::request::{Headers, RequestHead};
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::Jws;
use databricks_oam_filter::token::bearer::BearerToken;
use databricks_oam_filter::token::claims::Claims;
use databricks_oam_filter::token::signature::RustCrypto;
use serde_json::json;

use signing::TestKey;

fn steps(criterion: &mut Criterion) {
    let world = World::new();
    let bearer = BearerToken::parse(world.token.as_bytes(), MAX_TOKEN_BYTES).unwrap();
    let jws = Jws::parse(&bearer).unwrap();
    let head = RequestHead::read(&world.headers, MAX_TOKEN_BYTES).unwrap();
    let policy = &world.configuration.authorizer.policy;
    let issuer = &world.configuration.authorizer.issuers[0];
    let key = world.key.public();
    let payload = || jws.verify(&key, &RustCrypto).unwrap();
    let claims = Claims::parse(payload()).unwrap();
    let access = issuer.validate(jws.token_type(), &claims, now()).unwrap();

    let mut group = criterion.benchmark_group("step");
    group.bench_function("head", |bencher| {
        bencher.iter(|| RequestHead::read(black_box(&world.headers), MAX_TOKEN_BYTES).is_ok());
    });
    group.bench_function("jws", |bencher| {
        bencher.iter(|| Jws::parse(black_box(&bearer)).is_ok());
    });
    group.bench_function("claims", |bencher| {
        bencher.iter_batched(payload, Claims::parse, BatchSize::SmallInput);
    });
    group.bench_function("validation", |bencher| {
        bencher.iter(|| issuer.validate(jws.token_type(), black_box(&claims), now()));
    });
    group.bench_function("operation and rules", |bencher| {
        bencher.iter(|| {
            let issuer = Some(&*access.issuer);
            let readings = policy.readings(Call::of(head.method), black_box(head.path));
            policy.apply(&readings, issuer).denying.is_some()
        });
    });
    group.bench_function("scopes", |bencher| {
        bencher.iter(|| policy.effective_access(black_box(&access), None));
    });
    group.bench_function("record", |bencher| {
        let verified = world.verified();
        let by = world.verification(&verified);
        let decision = world
            .configuration
            .authorizer
            .authorize(&world.headers, &by, now());
        bencher.iter(|| {
            let envelope = Envelope::of(black_box(&world.headers), Some("192.0.2.7"));
            let record = Record {
                decision: &decision,
                envelope: &envelope,
                stamp: Stamp {
                    time: Some(now()),
                    decision_id: "0123456789abcdef0123456789abcdef",
                    worker: "0123456789abcdef",
                    sequence: 1,
                    config: DIGEST,
                    inputs: false,
                },
            };
            compact::line(&record, String::new())
        });
    });
    group.finish();
}

fn signatures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("signature");
    for key in TestKey::all() {
        let token = key.token(signing::GOOD_CLAIMS);
        let bearer = BearerToken::parse(token.as_bytes(), MAX_TOKEN_BYTES).unwrap();
        let jws = Jws::parse(&bearer).unwrap();
        let public = key.public();
        let name = BenchmarkId::from_parameter(key.algorithm);
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&jws).verify(&public, &RustCrypto).is_ok());
        });
    }
    group.finish();
}

fn decisions(criterion: &mut Criterion) {
    let world = World::new();
    let authorizer = &world.configuration.authorizer;
    let mut group = criterion.benchmark_group("decision");
    group.bench_function("token verified before", |bencher| {
        let verified = world.verified();
        let by = world.verification(&verified);
        bencher.iter(|| {
            authorizer
                .authorize(black_box(&world.headers), &by, now())
                .verdict
        });
    });
    group.bench_function("token verified each time", |bencher| {
        let by = Verification::afresh(&world.keys, &RustCrypto);
        bencher.iter(|| {
            authorizer
                .authorize(black_box(&world.headers), &by, now())
                .verdict
        });
    });
    group.finish();
}

/// A configuration, its keys, a request that it permits.
struct World {
    configuration: Configuration,
    keys: KeyStore,
    key: TestKey,
    token: String,
    headers: Headers,
}

impl World {
    fn new() -> Self {
        let [key, ..] = TestKey::all();
        let configuration = json!({
            "issuers": [{
                "issuer": "https://issuer.example.com",
                "audiences": ["databricks"],
                "jwks": { "keys": { "keys": [key.public_json()] } },
            }],
            "roles": [{ "name": "engineer", "members": [{ "group": "data-eng" }], "grants": ["jobs", "sql", "unity-catalog:read"] }],
        });
        let mut configuration = Configuration::parse(configuration.to_string().as_bytes()).unwrap();
        let sources = std::mem::take(&mut configuration.key_sources);
        let claims = json!({
            "iss": "https://issuer.example.com", "aud": "databricks", "sub": "erin@example.com", "client_id": "etl", "jti": "t-1",
            "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 3600, "scope": "clusters jobs sql", "groups": ["data-eng"],
        });
        let token = key.token(&claims.to_string());
        let bearer = format!("Bearer {token}");
        let pairs = [
            (":authority", "databricks.example.com"),
            (":path", "/api/2.2/jobs/run-now"),
            (":method", "POST"),
            (":scheme", "https"),
            (
                "user-agent",
                "databricks-sdk-py/0.67.0 python/3.12.3 os/linux",
            ),
            ("accept", "application/json"),
            ("authorization", &*bearer),
            ("content-length", "13"),
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", "https"),
            ("x-request-id", "0d3f3f5e-8c5d-4d2f-9b5e-0d6d3c1b2a19"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        Self {
            configuration,
            keys: KeyStore::new(sources, 1),
            key,
            token,
            headers: Headers::new(pairs.into()),
        }
    }

    fn verified(&self) -> RefCell<VerifiedTokens> {
        RefCell::new(VerifiedTokens::new(
            self.configuration.verified,
            &RandomState::new(),
        ))
    }

    fn verification<'a>(&'a self, verified: &'a RefCell<VerifiedTokens>) -> Verification<'a> {
        Verification {
            verified: Some(verified),
            ..Verification::afresh(&self.keys, &RustCrypto)
        }
    }
}

fn now() -> UnixTime {
    UnixTime::from_seconds(NOW).unwrap()
}

const NOW: u64 = 1_800_000_000;
const MAX_TOKEN_BYTES: usize = 16 * 1024;
const DIGEST: &str = "ff9ef6c48820";

criterion_group!(benches, steps, signatures, decisions);
criterion_main!(benches);
