//! The effective access of a token is worked out by an index and remembered. Both must say what
//! the plain computation says: each role, each of its members, each condition in turn, and then
//! each scope against each.

#![cfg(test)]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::RandomState;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use databricks_oam_filter::authorize::Verification;
use databricks_oam_filter::authorize::verified::{MemoryLimits, VerifiedTokens};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::databricks::{Catalogue, Operation, scope};
use databricks_oam_filter::issuer::access_token::AccessToken;
use databricks_oam_filter::key_store::KeyStore;
use databricks_oam_filter::policy::{EffectiveAccess, Policy, Requirement};
use databricks_oam_filter::request::Headers;
use databricks_oam_filter::request::workspace::WorkspaceId;
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::algorithm::Algorithm;
use databricks_oam_filter::token::jwk::Jwk;
use databricks_oam_filter::token::scope::Scope;
use databricks_oam_filter::token::signature::Verifier;
use proptest::collection::vec;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest,
};
use proptest::sample::{select, subsequence};
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_remembered_is_what_is_computed(
        policies in vec(policy(), 1..3),
        tokens in vec(token(), 1..5),
        events in vec((any::<usize>(), 0..HOSTS.len(), 0..12_usize), 1..60),
        bytes in select(vec![0_usize, 3_000, 8_000, 1_000_000]),
    ) {
        let mut gateways = policies.iter().cycle();
        let mut gateway = Gateway::new(gateways.next().unwrap(), bytes);
        for (pick, host, event) in events {
            if event == 0 {
                // Another configuration: nothing that was remembered outlives the old one.
                gateway = Gateway::new(gateways.next().unwrap(), bytes);
            }
            let token = &tokens[pick.checked_rem(tokens.len()).unwrap()];
            gateway.judge(token, HOSTS[host])?;
        }
    }
}

/// What is remembered of a token used in more and more workspaces: some more for each, up to four,
/// and all of it counted.
#[test]
fn what_is_remembered_is_counted() {
    let members = json!([{"group": "red"}]);
    let roles: Vec<Value> = (0..500)
        .map(|number| json!({"name": format!("role-{number}"), "members": members, "grants": ["jobs"], "workspaces": IDS}))
        .collect();
    let gateway = Gateway::new(&configuration(&roles, true, "token"), 1_000_000);
    let token = json!({"iss": ISSUERS[0], "aud": "db", "exp": NOW + 60, "groups": ["red"], "scope": "jobs"});
    let bytes: Vec<usize> = HOSTS
        .iter()
        .flat_map(|host| [host, host])
        .map(|host| {
            gateway.judge(&token, host).unwrap();
            gateway.verified.borrow().bytes()
        })
        .collect();
    let one = bytes[2].saturating_sub(bytes[0]);
    let texts = 2 * roles.len() * "role-100,".len();
    assert!(one > texts && one < 3 * texts, "{one} of {texts}");
    let want: Vec<usize> = [0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3]
        .map(|more| bytes[0].saturating_add(one.saturating_mul(more)))
        .into();
    assert_eq!(bytes, want);
}

/// A configuration with all that is remembered under it.
struct Gateway {
    configuration: Configuration,
    keys: KeyStore,
    verified: RefCell<VerifiedTokens>,
    bytes: usize,
}

impl Gateway {
    fn new(policy: &Value, bytes: usize) -> Self {
        let mut configuration = Configuration::parse(policy.to_string().as_bytes()).unwrap();
        let keys = KeyStore::new(std::mem::take(&mut configuration.key_sources), 0);
        let limits = MemoryLimits { tokens: 3, bytes };
        let verified = VerifiedTokens::new(limits, &RandomState::new());
        Self {
            configuration,
            keys,
            verified: RefCell::new(verified),
            bytes,
        }
    }

    fn judge(&self, token: &Value, host: &str) -> Result<(), TestCaseError> {
        let by = Verification {
            verified: Some(&self.verified),
            ..Verification::afresh(&self.keys, &Any)
        };
        let now = UnixTime::from_seconds(NOW).unwrap();
        let authorizer = &self.configuration.authorizer;
        let decision = authorizer.authorize(&headers(token, host), &by, now);
        let evidence = decision.evidence;
        let (token, access) = (evidence.token.unwrap(), evidence.effective_access.unwrap());
        Plain::of(&authorizer.policy, &token, evidence.workspace).agrees_with(&access)?;
        prop_assert!(self.verified.borrow().bytes() <= self.bytes);
        Ok(())
    }
}

/// The plain computation.
struct Plain {
    roles: Vec<String>,
    grants: BTreeSet<String>,
    elsewhere: bool,
    /// What must all cover an operation.
    sides: Vec<BTreeSet<String>>,
}

impl Plain {
    fn of(policy: &Policy, token: &AccessToken, workspace: Option<WorkspaceId>) -> Self {
        let all = policy.roles.as_slice();
        let held = || all.iter().filter(|role| role.has_member(token));
        let here = || held().filter(|role| role.holds_in(workspace));
        let texts =
            |scopes: &mut dyn Iterator<Item = &Scope>| scopes.map(ToString::to_string).collect();
        let grants: BTreeSet<String> = texts(&mut here().flat_map(|role| role.grants.iter()));
        let scopes = token
            .scopes
            .as_ref()
            .map(|scopes| texts(&mut scopes.iter()));
        let limited = !all.is_empty() || scopes.is_none();
        Self {
            roles: here().map(|role| role.name.to_string()).collect(),
            elsewhere: held().count() > here().count(),
            sides: scopes
                .into_iter()
                .chain(limited.then(|| grants.clone()))
                .collect(),
            grants,
        }
    }

    fn agrees_with(&self, access: &EffectiveAccess) -> Result<(), TestCaseError> {
        let texts = |scopes: &mut dyn Iterator<Item = &Scope>| -> BTreeSet<String> {
            scopes.map(ToString::to_string).collect()
        };
        let roles: Vec<String> = access.roles.iter().map(ToString::to_string).collect();
        prop_assert_eq!(&roles, &self.roles);
        prop_assert_eq!(access.elsewhere, self.elsewhere);
        prop_assert_eq!(&texts(&mut access.role_grants.iter()), &self.grants);
        let written = &access.written;
        prop_assert_eq!(
            written.roles.as_deref().unwrap_or_default(),
            roles.join(",")
        );
        let effective = texts(&mut access.scopes.iter());
        let held = serde_json::to_value(access.held_scopes()).unwrap();
        prop_assert_eq!(&held["effective_scopes"], &json!(effective));
        for listed in &effective {
            let implied =
                |side: &BTreeSet<String>| side.iter().any(|held| scope::implies(held, listed));
            prop_assert!(self.sides.iter().all(implied), "{listed} in {effective:?}");
        }
        for operation in operations() {
            let covers =
                |held: &BTreeSet<String>| held.iter().any(|held| scope::covers(held, operation));
            let want = self.sides.iter().all(covers);
            let name = operation.name;
            prop_assert_eq!(
                access.satisfies(&Requirement::Operation(operation)),
                want,
                "{}",
                name
            );
            // A list cannot say more than a scope can; what it says of operations with a scope of
            // their own is all there is.
            prop_assert!(!want || covers(&effective), "{name} by {effective:?}");
        }
        for needed in SCOPES {
            let needed = [
                Scope::parse(needed).unwrap(),
                Scope::parse("jobs:read").unwrap(),
            ];
            let does = |held: &BTreeSet<String>, needed: &Scope| {
                held.iter()
                    .any(|held| scope::implies(held, needed.as_str()))
            };
            let satisfied = |needed: &Scope| self.sides.iter().all(|side| does(side, needed));
            prop_assert_eq!(
                access.satisfies(&Requirement::AllOf(&needed)),
                needed.iter().all(satisfied)
            );
            prop_assert_eq!(
                access.satisfies(&Requirement::AnyOf(&needed)),
                needed.iter().any(satisfied)
            );
        }
        let all_apis = self.sides.iter().all(|side| side.contains("all-apis"));
        prop_assert_eq!(access.satisfies(&Requirement::AllApis), all_apis);
        Ok(())
    }
}

/// Operations of every kind that a scope may cover or not.
fn operations() -> impl Iterator<Item = &'static Operation> {
    let names = [
        "jobs.list",
        "jobs.run-now",
        "files.create-download-url",
        "tables.get",
        "schemas.get",
        "driver-proxy.call",
        "zerobus.call",
    ];
    let all = Catalogue::shared().operations().iter();
    all.filter(move |operation| names.contains(&operation.name))
}

fn policy() -> impl Strategy<Value = Value> {
    let roles = vec((vec(member(), 0..4), scopes(), workspaces()), 0..7);
    (roles, any::<bool>(), any::<bool>()).prop_map(|(roles, bound, from_roles)| {
        let roles: Vec<Value> = (0..)
            .zip(roles)
            .map(|(number, (members, grants, workspaces))| {
                let mut role =
                    json!({"name": format!("role-{number}"), "members": members, "grants": grants});
                if let Some(workspaces) = workspaces.filter(|_| bound) {
                    role["workspaces"] = workspaces;
                }
                role
            })
            .collect();
        let source = if from_roles && !roles.is_empty() {
            "roles"
        } else {
            "token"
        };
        configuration(&roles, bound, source)
    })
}

fn configuration(roles: &[Value], bound: bool, source: &str) -> Value {
    let issuers = ISSUERS.map(|issuer| {
        json!({
            "issuer": issuer, "audiences": ["db"], "algorithms": ["EdDSA"], "scopes": {"source": source},
            "claims": {"groups": ["groups"], "roles": ["roles"]},
            "jwks": {"keys": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}
        })
    });
    let workspaces: Vec<Value> = HOSTS
        .iter()
        .zip(IDS)
        .filter(|_| bound)
        .map(|(host, id)| json!({"id": id, "hosts": [host]}))
        .collect();
    json!({"issuers": issuers, "roles": roles, "workspaces": workspaces})
}

/// Some of the conditions that there are.
fn member() -> impl Strategy<Value = Value> {
    let conditions = vec![
        ("group", select(&WORDS[..]).prop_map(Value::from).boxed()),
        ("role", select(&WORDS[..]).prop_map(Value::from).boxed()),
        ("subject", select(&WORDS[..]).prop_map(Value::from).boxed()),
        ("client", select(&WORDS[..]).prop_map(Value::from).boxed()),
        ("actor", select(&WORDS[..]).prop_map(Value::from).boxed()),
        ("issuer", select(&ISSUERS[..]).prop_map(Value::from).boxed()),
        (
            "claim",
            select(vec![json!(["dept"]), json!(["org", "unit"])]).boxed(),
        ),
    ];
    let chosen = subsequence(conditions, 1..4);
    (chosen, select(&WORDS[..])).prop_flat_map(|(chosen, value)| {
        let mut member: Vec<_> = chosen
            .into_iter()
            .map(|(name, value)| (Just(name), value))
            .collect();
        if member.iter().any(|(name, _)| name.0 == "claim") {
            member.push((Just("value"), Just(json!(value)).boxed()));
        }
        member.prop_map(|pairs| {
            pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()
        })
    })
}

fn token() -> impl Strategy<Value = Value> {
    let words = || subsequence(WORDS.to_vec(), 0..=3);
    let word = || select(&WORDS[..]);
    let named = (select(&ISSUERS[..]), word(), word(), word());
    (named, words(), words(), words(), word(), scopes()).prop_map(|((issuer, subject, client, actor), groups, roles, dept, unit, scopes)| {
        json!({
            "iss": issuer, "aud": "db", "exp": NOW + 60, "sub": subject, "client_id": client, "act": {"sub": actor}, "groups": groups,
            "roles": roles, "dept": dept, "org": {"unit": unit}, "scope": scopes
        })
    })
}

fn scopes() -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(SCOPES.to_vec(), 0..6)
}

fn workspaces() -> impl Strategy<Value = Option<Value>> {
    subsequence(IDS.to_vec(), 0..3).prop_map(|ids| (!ids.is_empty()).then(|| json!(ids)))
}

fn headers(claims: &Value, host: &str) -> Headers {
    let parts = [
        br#"{"alg":"EdDSA"}"#.to_vec(),
        claims.to_string().into_bytes(),
        vec![0; 64],
    ];
    let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let pairs = [
        (":method", "GET".to_owned()),
        (":path", "/api/2.2/jobs/get".to_owned()),
        (":authority", host.to_owned()),
        ("authorization", format!("Bearer {token}")),
    ];
    Headers::new(
        pairs
            .map(|(name, value)| (name.to_owned(), value.into_bytes()))
            .into(),
    )
}

/// Takes every signature.
struct Any;

impl Verifier for Any {
    fn verify(&self, _: Algorithm, _: &Jwk, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

const ISSUERS: [&str; 2] = ["https://a.example", "https://b.example"];
const WORDS: [&str; 4] = ["red", "green", "blue", "grey"];
const IDS: [&str; 6] = ["1", "2", "3", "4", "5", "6"];
const HOSTS: [&str; 6] = [
    "1.example",
    "2.example",
    "3.example",
    "4.example",
    "5.example",
    "6.example",
];

/// Of every kind.
const SCOPES: [&str; 20] = [
    "jobs",
    "jobs:data",
    "jobs:read",
    "files",
    "files:data",
    "files:read",
    "unity-catalog",
    "unity-catalog:data",
    "unity-catalog:read",
    "catalog.tables",
    "catalog.tables:data",
    "catalog.tables:read",
    "catalog.schemas",
    "clusters",
    "zerobus",
    "all-apis",
    "own",
    "own:read",
    "own:data",
    "zerobus:read",
];
