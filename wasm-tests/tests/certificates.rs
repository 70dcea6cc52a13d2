//! Tokens that are bound to a certificate (RFC 8705), over TLS that a real Envoy ends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use wasm_tests::client;
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::keys::{jwk_set, pem};
use wasm_tests::paths;
use wasm_tests::scene::{ISSUER, token_with};
use wasm_tests::token::proof;
use wasm_tests::workspace::Workspace;

#[test]
fn a_bound_token_comes_with_its_certificate() {
    let gateway = Gateway::start(&json!({ "require_client_certificate": true }));
    let (ada, bob) = (gateway.certificate(), gateway.certificate());
    let token = ada.bound(&json!({}));
    let free = token_with("acme-rsa", &json!({}));
    let constrained = (401, "sender_constrained".to_owned());
    let permitted = (200, "permitted".to_owned());
    for round in ["new", "remembered"] {
        assert_eq!(gateway.get(Some(&ada), &token), permitted, "{round}");
        assert_eq!(gateway.get(Some(&bob), &token), constrained, "{round}");
        assert_eq!(gateway.get(Some(&bob), &free), permitted, "{round}");
    }
    // Who has none does not get through the handshake.
    assert_eq!(gateway.get(None, &token), (0, String::new()));
    // What a header says of a certificate counts for nothing.
    let claimed = format!("Hash={}", ada.hexadecimal());
    let forged = [("x-forwarded-client-cert", claimed)];
    assert_eq!(gateway.get_with(Some(&bob), &token, &forged), constrained);
    let upstream = gateway.workspace.seen();
    assert_eq!(upstream.len(), 4, "{upstream:?}");
}

#[test]
fn where_certificates_are_asked_for_and_not_required() {
    let gateway = Gateway::start(&json!({ "require_client_certificate": false }));
    let ada = gateway.certificate();
    let token = ada.bound(&json!({}));
    let constrained = (401, "sender_constrained".to_owned());
    assert_eq!(gateway.get(None, &token), constrained);
    assert_eq!(
        gateway.get(Some(&ada), &token),
        (200, "permitted".to_owned())
    );
    assert_eq!(gateway.get(None, &token), constrained, "remembered");
}

/// The client has the key, and the issuer named the certificate: who else vouches for it does not
/// matter (RFC 8705 §2.2).
#[test]
fn a_certificate_that_its_holder_signed_does_as_well() {
    let gateway = Gateway::start(&json!({ "common_tls_context": {
        "validation_context": { "trust_chain_verification": "ACCEPT_UNTRUSTED" } } }));
    let (ada, bob) = (Certificate::self_signed(), Certificate::self_signed());
    let token = ada.bound(&json!({}));
    assert_eq!(
        gateway.get(Some(&ada), &token),
        (200, "permitted".to_owned())
    );
    let constrained = (401, "sender_constrained".to_owned());
    assert_eq!(gateway.get(Some(&bob), &token), constrained);
}

#[test]
fn a_token_that_is_bound_to_both_needs_both() {
    let gateway = Gateway::start(&json!({ "require_client_certificate": true }));
    let (ada, bob) = (gateway.certificate(), gateway.certificate());
    let jkt = json!({ "jkt": "7qovgQBbsdKfDGwmEUbaSgwYtPJMRpTyzIwng2sxCT4" });
    let token = ada.bound(&jkt);
    let proof = |uri: &str| proof::of("acme-p256", "GET", uri, &token, paths::now());
    let shown = |certificate, proof: String| {
        let authorization = ["DPoP ", &token].concat();
        let headers = [("authorization", authorization), ("dpop", proof)];
        gateway.send(certificate, &headers)
    };
    let https = "https://databricks.example.com/api/2.2/jobs/get";
    assert_eq!(
        shown(Some(&ada), proof(https)),
        (200, "permitted".to_owned())
    );
    let constrained = (401, "sender_constrained".to_owned());
    assert_eq!(shown(Some(&bob), proof(https)), constrained);
    assert_eq!(gateway.get(Some(&ada), &token), constrained);
    // Who signs for a request in the clear may be overheard, so it is not taken over TLS.
    let clear = https.replace("https", "http");
    assert_eq!(
        shown(Some(&ada), proof(&clear)),
        (401, "dpop_proof_for_another_uri".to_owned())
    );
}

/// A gateway that ends TLS, and the authority that signs for both sides.
struct Gateway {
    envoy: Envoy,
    workspace: Workspace,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Gateway {
    /// With these members of Envoy's `DownstreamTlsContext` besides.
    fn start(context: &Value) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Not the name that all of them have by default: a certificate of its issuer's name passes
        // for one that its holder signed.
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        let authority = CertifiedIssuer::self_signed(params, key()).expect("a certificate");
        let server_key = key();
        let server = CertificateParams::new(["databricks.example.com".to_owned()])
            .and_then(|params| params.signed_by(&server_key, &authority))
            .expect("a certificate");
        let mut tls = json!({
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [{
                    "certificate_chain": { "inline_string": pem("CERTIFICATE", server.der()) },
                    "private_key": { "inline_string": pem("PRIVATE KEY", server_key.serialized_der()) },
                }],
                "validation_context": { "trusted_ca": { "inline_string": pem("CERTIFICATE", authority.der()) } },
            },
        });
        for (name, value) in context.as_object().into_iter().flatten() {
            if name == "common_tls_context" {
                tls[name]["validation_context"] = value["validation_context"].clone();
            } else {
                tls[name] = value.clone();
            }
        }
        let configuration = json!({
            "issuers": [{ "issuer": ISSUER, "audiences": ["databricks"], "jwks": { "keys": jwk_set(["acme-rsa"]) } }],
        });
        let workspace = Workspace::start();
        let mut bootstrap = Setup::new(configuration)
            .cluster("workspace", workspace.address())
            .bootstrap();
        bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["transport_socket"] =
            json!({ "name": "envoy.transport_sockets.tls", "typed_config": tls });
        let envoy = Envoy::launch(&bootstrap, 1, None).unwrap_or_else(|log| panic!("{log}"));
        Self {
            envoy,
            workspace,
            authority,
        }
    }

    /// A client's certificate.
    fn certificate(&self) -> Certificate {
        let key = key();
        let certificate = CertificateParams::default()
            .signed_by(&key, &self.authority)
            .expect("a certificate");
        Certificate {
            der: certificate.der().clone(),
            key,
        }
    }

    /// Status and recorded reason for a bearer token.
    fn get(&self, certificate: Option<&Certificate>, token: &str) -> (u16, String) {
        self.get_with(certificate, token, &[])
    }

    fn get_with(
        &self,
        certificate: Option<&Certificate>,
        token: &str,
        headers: &[(&str, String)],
    ) -> (u16, String) {
        let bearer = ("authorization", ["Bearer ", token].concat());
        self.send(certificate, &[&[bearer], headers].concat())
    }

    /// Nothing, where the connection ends before there is an answer.
    fn send(&self, certificate: Option<&Certificate>, headers: &[(&str, String)]) -> (u16, String) {
        let mark = self.envoy.log().mark();
        let mut bytes: Vec<(&str, &[u8])> = vec![("connection", b"close")];
        bytes.extend(
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes())),
        );
        let request = client::request("GET", b"/api/2.2/jobs/get", &bytes, b"");
        let Some(status) = self.exchange(certificate, &request) else {
            return (0, String::new());
        };
        let records = self.envoy.log().wait_for_audit(mark, 1);
        let reason = records.last().map(|record| record["reason"].clone());
        let reason = reason.as_ref().and_then(Value::as_str);
        (status, reason.unwrap_or_default().to_owned())
    }

    /// The status of the answer, where one comes.
    fn exchange(&self, certificate: Option<&Certificate>, request: &[u8]) -> Option<u16> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.authority.der().clone())
            .expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots);
        let config = match certificate {
            Some(Certificate { der, key }) => {
                let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
                config
                    .with_client_auth_cert(vec![der.clone()], key)
                    .expect("a certificate and its key")
            }
            None => config.with_no_client_auth(),
        };
        let name = "databricks.example.com".try_into().expect("a host name");
        let mut connection = ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut stream = TcpStream::connect(self.envoy.address()).expect("Envoy listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut tls = Stream::new(&mut connection, &mut stream);
        let mut answer = Vec::new();
        // A refused handshake shows in either.
        if tls.write_all(request).is_err() || tls.read_to_end(&mut answer).is_err() {
            return None;
        }
        let status = answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
        std::str::from_utf8(status).ok()?.parse().ok()
    }
}

/// A client's certificate and its key.
struct Certificate {
    der: CertificateDer<'static>,
    key: KeyPair,
}

impl Certificate {
    fn self_signed() -> Self {
        let key = key();
        let certificate = CertificateParams::default()
            .self_signed(&key)
            .expect("a certificate");
        Self {
            der: certificate.der().clone(),
            key,
        }
    }

    /// A token that is bound to it, and to whatever else stands in `confirmation`.
    fn bound(&self, confirmation: &Value) -> String {
        let mut confirmation = confirmation.clone();
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(&self.der));
        confirmation["x5t#S256"] = json!(digest);
        token_with("acme-rsa", &json!({ "cnf": confirmation }))
    }

    fn hexadecimal(&self) -> String {
        let digits = |byte: &u8| format!("{byte:02x}");
        Sha256::digest(&self.der).iter().map(digits).collect()
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// However slow the machine.
const PATIENCE: Duration = Duration::from_secs(30);
