//! Signs tokens with the keys in `tests/keys`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use databricks_oam_filter::token::algorithm::Family;
use databricks_oam_filter::token::{Algorithm, Jwk};
use p256::ecdsa::signature::Signer;
use rsa::BoxedUint;
use serde_json::Value;
use sha2::{Sha256, Sha384, Sha512};

/// A key with its private half, and the one algorithm it signs with here.
pub(crate) struct TestKey {
    pub(crate) algorithm: Algorithm,
    private: Value,
}

impl TestKey {
    /// One key of each kind.
    pub(crate) fn all() -> [Self; 4] {
        [
            Algorithm::Rs256,
            Algorithm::Es256,
            Algorithm::Es384,
            Algorithm::EdDsa,
        ]
        .map(Self::of)
    }

    /// One signer for each algorithm; the RSA key signs for six.
    pub(crate) fn of_every_algorithm() -> [Self; 9] {
        Algorithm::ALL.map(Self::of)
    }

    fn of(algorithm: Algorithm) -> Self {
        let text = match algorithm.family() {
            Family::EcP256 => include_str!("../keys/p-256.json"),
            Family::EcP384 => include_str!("../keys/p-384.json"),
            Family::Ed25519 => include_str!("../keys/ed25519.json"),
            Family::Rsa => include_str!("../keys/rsa.json"),
        };
        Self {
            algorithm,
            private: serde_json::from_str(text).unwrap(),
        }
    }

    /// The JWK without its private members.
    pub(crate) fn public_json(&self) -> Value {
        let mut public = self.private.clone();
        public
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !matches!(name.as_str(), "d" | "p" | "q"));
        public
    }

    pub(crate) fn public(&self) -> Jwk {
        Jwk::parse(self.public_json().to_string().as_bytes()).unwrap()
    }

    /// A compact JWS with the header that the key calls for.
    pub(crate) fn token(&self, payload: &str) -> String {
        let header = format!(
            r#"{{"alg":"{}","kid":{},"typ":"at+jwt"}}"#,
            self.algorithm, self.private["kid"]
        );
        self.sign(&header, payload)
    }

    /// A compact JWS with any header at all.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = self.signature(signed.as_bytes());
        format!("{signed}.{}", encode(signature))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        match self.algorithm {
            Algorithm::Rs256 => self.rsa().pkcs1v15_sign::<Sha256>(message).unwrap(),
            Algorithm::Rs384 => self.rsa().pkcs1v15_sign::<Sha384>(message).unwrap(),
            Algorithm::Rs512 => self.rsa().pkcs1v15_sign::<Sha512>(message).unwrap(),
            Algorithm::Ps256 => self.rsa().pss_sign::<Sha256>(message).unwrap(),
            Algorithm::Ps384 => self.rsa().pss_sign::<Sha384>(message).unwrap(),
            Algorithm::Ps512 => self.rsa().pss_sign::<Sha512>(message).unwrap(),
            Algorithm::Es256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&self.bytes("d")).unwrap();
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Algorithm::Es384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&self.bytes("d")).unwrap();
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Algorithm::EdDsa => {
                let seed = <[u8; 32]>::try_from(self.bytes("d")).unwrap();
                ed25519_dalek::SigningKey::from_bytes(&seed)
                    .sign(message)
                    .to_bytes()
                    .to_vec()
            }
        }
    }

    fn rsa(&self) -> rsa::PrivateKey {
        let number = |name| BoxedUint::from_be_slice_vartime(&self.bytes(name));
        let primes = vec![number("p"), number("q")];
        rsa::PrivateKey::from_components(number("n"), number("e"), number("d"), primes).unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        decode(self.private[name].as_str().unwrap())
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Claims that any reader would take.
pub(crate) const GOOD_CLAIMS: &str = r#"{"iss":"https://issuer.example.com","sub":"alice","aud":"databricks","exp":1795436400,"iat":1795432800,"scp":["jobs"]}"#;
