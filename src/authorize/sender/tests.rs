use std::cell::RefCell;
use std::hash::RandomState;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::authorize::replay::{Replays, SeenProofs};
use crate::authorize::{Authorizer, Verdict};
use crate::config::Configuration;
use crate::key_store::KeyStore;
use crate::token::algorithm::Algorithm;
use crate::token::fingerprint::Fingerprint;
use crate::token::jwk::Jwk;
use crate::token::signature::Verifier;

const NOW: u64 = 1_800_000_000;
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const JKT: &str = r#""jkt":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k""#;
const X5T: &str = r#""x5t#S256":"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0""#;

/// Takes every signature that is all zeros, so that tests need no private key.
struct Zeros;

impl Verifier for Zeros {
    fn verify(&self, _: Algorithm, _: &Jwk, _: &[u8], signature: &[u8]) -> bool {
        signature.iter().all(|&byte| byte == 0)
    }
}

struct Gateway {
    authorizer: Authorizer,
    keys: KeyStore,
}

impl Gateway {
    fn new() -> Self {
        let text = format!(
            r#"{{"issuers":[{{"issuer":"https://a.example","audiences":["db"],"algorithms":["EdDSA"],
                 "jwks":{{"keys":{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{X}"}}]}}}}}}]}}"#
        );
        let configuration = Configuration::parse(text.as_bytes()).unwrap();
        Self {
            authorizer: configuration.authorizer,
            keys: KeyStore::new(configuration.key_sources, 1),
        }
    }

    fn by(&self) -> Verification<'_> {
        Verification::afresh(&self.keys, &Zeros)
    }

    /// The reason of the record.
    fn judge(&self, pairs: &[(&str, &str)], by: &Verification<'_>) -> &'static str {
        let mut all = vec![
            (":method", "GET"),
            (":path", "/api/2.2/jobs/get"),
            (":authority", "db.example"),
        ];
        all.extend(pairs);
        let all = all
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let headers = Headers::new(all.collect());
        let now = UnixTime::from_seconds(NOW).unwrap();
        match self.authorizer.authorize(&headers, by, now).verdict {
            Verdict::Allow(_) => "allow",
            Verdict::Deny(denial) => denial.code(),
            Verdict::Describe(_)
            | Verdict::Introduce(_)
            | Verdict::Return(_)
            | Verdict::Shadow(..) => "something else",
        }
    }
}

fn jws(header: &str, payload: &str) -> String {
    [header.as_bytes(), payload.as_bytes(), &[0; 64]]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

fn token(confirmation: &str) -> String {
    let exp = NOW + 600;
    jws(
        r#"{"alg":"EdDSA"}"#,
        &format!(
            r#"{{"iss":"https://a.example","aud":"db","exp":{exp},"scope":"jobs"{confirmation}}}"#
        ),
    )
}

fn cnf(members: &[&str]) -> String {
    format!(r#","cnf":{{{}}}"#, members.join(","))
}

/// A proof for a token, with these times in it.
fn proof(token: &str, times: &str) -> String {
    use sha2::{Digest, Sha256};
    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(token));
    let header = format!(
        r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{{"kty":"OKP","crv":"Ed25519","x":"{X}"}}}}"#
    );
    let uri = "https://db.example/api/2.2/jobs/get";
    let payload = format!(r#"{{"jti":"p","htm":"GET","htu":"{uri}","ath":"{ath}",{times}}}"#);
    jws(&header, &payload)
}

#[test]
fn a_bound_token_comes_with_what_it_is_bound_to() {
    #[derive(Clone, Copy, Eq, PartialEq)]
    enum Side {
        Nothing,
        Own,
        Other,
    }
    use Side::{Nothing, Other, Own};
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &str, Side, Side, &str); 16] = [
        // name                           cnf           scheme    certificate  proof     want
        ("free",                          &[],          "Bearer", Nothing,     Nothing,  "allow"),
        ("free, with all of it",          &[],          "Bearer", Own,         Own,      "allow"),
        ("free, as a bound one",          &[],          "DPoP",   Nothing,     Own,      "token_not_bound"),
        ("a key",                         &[JKT],       "DPoP",   Nothing,     Own,      "allow"),
        ("a key, without proof",          &[JKT],       "DPoP",   Nothing,     Nothing,  "dpop_proof_missing"),
        ("a key, another token's proof",  &[JKT],       "DPoP",   Nothing,     Other,    "dpop_proof_for_another_token"),
        ("a key, plainly",                &[JKT],       "Bearer", Nothing,     Own,      "sender_constrained"),
        ("a certificate",                 &[X5T],       "Bearer", Own,         Nothing,  "allow"),
        ("a certificate, another",        &[X5T],       "Bearer", Other,       Nothing,  "sender_constrained"),
        ("a certificate, none",           &[X5T],       "Bearer", Nothing,     Nothing,  "sender_constrained"),
        ("a certificate, with a proof",   &[X5T],       "DPoP",   Own,         Own,      "token_not_bound"),
        ("both",                          &[X5T, JKT],  "DPoP",   Own,         Own,      "allow"),
        ("both, no certificate",          &[X5T, JKT],  "DPoP",   Nothing,     Own,      "sender_constrained"),
        ("both, another certificate",     &[X5T, JKT],  "DPoP",   Other,       Own,      "sender_constrained"),
        ("both, no proof",                &[X5T, JKT],  "DPoP",   Own,         Nothing,  "dpop_proof_missing"),
        ("both, plainly",                 &[JKT, X5T],  "Bearer", Own,         Own,      "sender_constrained"),
    ];
    let gateway = Gateway::new();
    let times = format!(r#""iat":{NOW}"#);
    for (name, bound_to, scheme, certificate, proven, want) in cases {
        let confirmation = if bound_to.is_empty() {
            String::new()
        } else {
            cnf(bound_to)
        };
        let token = token(&confirmation);
        let authorization = format!("{scheme} {token}");
        let proof = proof(if proven == Own { &token } else { "a.b.c" }, &times);
        let mut headers = vec![("authorization", authorization.as_str())];
        if proven != Nothing {
            headers.push(("dpop", &proof));
        }
        let by = Verification {
            certificate: match certificate {
                Nothing => &|| None,
                Own => {
                    &|| Fingerprint::from_base64url("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0")
                }
                Other => &|| Fingerprint::parse(&"0".repeat(64)).ok(),
            },
            ..gateway.by()
        };
        let got = gateway.judge(&headers, &by);
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn a_proof_is_fresh() {
    let at = |moment: u64| format!(r#""iat":{moment}"#);
    let until = |moment: u64| format!(r#""iat":{NOW},"exp":{moment}"#);
    #[rustfmt::skip]
    let cases = [
        // name                       times            want
        ("just made",                 at(NOW),         "allow"),
        ("as old as may be",          at(NOW - 60),    "allow"),
        ("a second older",            at(NOW - 61),    "dpop_proof_expired"),
        ("from the beginning",        at(0),           "dpop_proof_expired"),
        ("as far ahead as may be",    at(NOW + 10),    "allow"),
        ("a second further",          at(NOW + 11),    "dpop_proof_issued_in_future"),
        ("from the end of time",      at(253_402_300_799), "dpop_proof_issued_in_future"),
        ("ends in a second",          until(NOW + 1),  "allow"),
        ("ends now",                  until(NOW),      "dpop_proof_expired"),
    ];
    let gateway = Gateway::new();
    let token = token(&cnf(&[JKT]));
    let authorization = format!("DPoP {token}");
    for (name, times, want) in cases {
        let proof = proof(&token, &times);
        let headers = [("authorization", &*authorization), ("dpop", &proof)];
        assert_eq!(gateway.judge(&headers, &gateway.by()), want, "{name}");
    }
}

#[test]
fn only_a_good_proof_is_remembered() {
    let gateway = Gateway::new();
    let token = token(&cnf(&[JKT]));
    let authorization = format!("DPoP {token}");
    let seen = RefCell::new(SeenProofs::new(RandomState::new()));
    let stale = proof(&token, &format!(r#""iat":{}"#, NOW - 61));
    let good = proof(&token, &format!(r#""iat":{NOW}"#));
    for (name, proof, request, want) in [
        ("stale", &stale, 1, "dpop_proof_expired"),
        ("of the same ID", &good, 2, "allow"),
        ("judged again", &good, 2, "allow"),
        ("again", &good, 3, "dpop_proof_replayed"),
    ] {
        let headers = [("authorization", &*authorization), ("dpop", proof)];
        let by = Verification {
            replays: Some(Replays {
                seen: &seen,
                request,
            }),
            ..gateway.by()
        };
        assert_eq!(gateway.judge(&headers, &by), want, "{name}");
    }
}
