//! Tokens that are bound to a key or a certificate (RFC 8705, RFC 9449).

use serde_json::{Value, json};
use wasm_tests::paths;
use wasm_tests::scene::{token, token_with};
use wasm_tests::token::proof;

use crate::{inline, request, status};

#[test]
fn every_one_byte_change_of_a_good_proof_is_refused() {
    let mut host = inline();
    let token = token_with("acme-rsa", &json!({ "cnf": { "jkt": ED25519 } }));
    let proof = proof::of("acme-ed25519", "GET", JOB, &token, paths::now());
    let mut show = |proof: &[u8]| {
        let mut headers = request(&token);
        headers.retain(|(name, _)| name != "authorization");
        let authorization = ["DPoP ", &token].concat();
        headers.push(("authorization".to_owned(), authorization.into_bytes()));
        headers.push(("dpop".to_owned(), proof.to_vec()));
        status(&host.request(&headers, b""))
    };
    for position in 0..proof.len() {
        for byte in [b'A', b'_', b',', 0xff] {
            let mut changed = proof.clone().into_bytes();
            if std::mem::replace(&mut changed[position], byte) != byte {
                assert_eq!(show(&changed), 401, "byte {position} as {byte}");
            }
        }
    }
    assert_eq!(show(proof.as_bytes()), 200, "and none of them used it up");
    assert_eq!(show(proof.as_bytes()), 401);
}

/// RFC 8705 §3.1. What a header says of a certificate counts for nothing.
#[test]
fn a_token_that_is_bound_to_a_certificate_comes_over_its_connection() {
    const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let bound = |confirmation: Value| token_with("acme-rsa", &json!({ "cnf": confirmation }));
    let own = bound(json!({ "x5t#S256": "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" }));
    let other = bound(json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }));
    let key = bound(json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }));
    let mut host = inline();
    let mut ask = |digest: &str, token: &str| {
        host.set_property("connection.sha256_peer_certificate_digest", digest);
        let mut headers = request(token);
        let header = format!("Hash={DIGEST}");
        headers.push(("x-forwarded-client-cert".to_owned(), header.into_bytes()));
        status(&host.request(&headers, b""))
    };
    for (name, digest, token, want) in [
        ("no certificate", "", &own, 401),
        ("its certificate", DIGEST, &own, 200),
        ("without it, although it was taken before", "", &own, 401),
        ("another certificate", DIGEST, &other, 401),
        (
            "a certificate for a token that is bound to a key",
            DIGEST,
            &key,
            401,
        ),
        (
            "a certificate that nobody asks for",
            DIGEST,
            &token("acme-rsa"),
            200,
        ),
    ] {
        assert_eq!(ask(digest, token), want, "{name}");
    }
}

/// What anybody can write into a header says nothing of the connection.
#[test]
fn a_proof_for_a_request_in_the_clear_is_not_taken_over_tls() {
    let token = token_with("acme-rsa", &json!({ "cnf": { "jkt": P256 } }));
    let mut host = inline();
    let mut ask = |scheme: &str, tls: &str| {
        host.set_property("connection.tls_version", tls);
        let uri = format!("{scheme}://databricks.example.com/api/2.2/jobs/get");
        let proof = proof::of("acme-p256", "GET", &uri, &token, paths::now());
        let mut headers = request(&token);
        headers.retain(|(name, _)| name != "authorization" && name != ":scheme");
        headers.extend(
            [
                (":scheme", "http"),
                ("x-forwarded-proto", "http"),
                ("authorization", &["DPoP ", &token].concat()),
                ("dpop", &proof),
            ]
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())),
        );
        status(&host.request(&headers, b""))
    };
    for (scheme, tls, want) in [
        ("http", "", 200),
        ("http", "TLSv1.3", 401),
        ("https", "TLSv1.3", 200),
        ("https", "", 200),
    ] {
        assert_eq!(ask(scheme, tls), want, "{scheme} {tls}");
    }
}

/// The thumbprint of `acme-p256`.
const P256: &str = "7qovgQBbsdKfDGwmEUbaSgwYtPJMRpTyzIwng2sxCT4";

/// The thumbprint of `acme-ed25519`.
const ED25519: &str = "zvKLXlPsEsgrhsqxXATHPNLil3Ufiw3i74qTpXzL6jw";

/// What requests of this file ask for, as their client names it.
const JOB: &str = "https://databricks.example.com/api/2.2/jobs/get";
