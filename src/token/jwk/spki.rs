//! A key as a `SubjectPublicKeyInfo` (RFC 5280 §4.1), which is how engines outside of the module
//! take it.

use der::{AnyRef, Decode as _, Encode as _, Tag};

use crate::token::integer_pair;

use super::KeyMaterial;

/// The DER of a key; empty, which no engine takes, of one that DER cannot hold.
pub(super) fn encode(material: &KeyMaterial) -> Box<[u8]> {
    let encoded = match material {
        KeyMaterial::EcP256(point) => key(EC_P256, point),
        KeyMaterial::EcP384(point) => key(EC_P384, point),
        KeyMaterial::Ed25519(point) => key(ED25519, point),
        // `RSAPublicKey`, RFC 8017 §A.1.1.
        KeyMaterial::Rsa { modulus, exponent } => {
            integer_pair::encode(modulus, exponent).and_then(|pair| key(RSA, &pair))
        }
    };
    encoded.unwrap_or_default().into()
}

fn key(algorithm: &[u8], key: &[u8]) -> der::Result<Vec<u8>> {
    // No bit of the last byte is unused.
    let bits = [&[0], key].concat();
    [
        AnyRef::from_der(algorithm)?,
        AnyRef::new(Tag::BitString, &bits)?,
    ]
    .to_der()
}

/// `AlgorithmIdentifier { id-ecPublicKey, secp256r1 }`, RFC 5480 §2.1.1.
const EC_P256: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07,
];

/// `AlgorithmIdentifier { id-ecPublicKey, secp384r1 }`.
const EC_P384: &[u8] = &[
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04,
    0x00, 0x22,
];

/// `AlgorithmIdentifier { id-Ed25519 }`, RFC 8410 §3.
const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];

/// `AlgorithmIdentifier { rsaEncryption, NULL }`, RFC 3279 §2.3.1.
const RSA: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use crate::token::jwk::Jwk;

    /// What `openssl pkey -pubin -outform DER` writes for the same keys.
    #[test]
    fn a_key_is_written_as_openssl_writes_it() {
        let cases = [
            (
                r#"{"kty":"EC","crv":"P-256","x":"jlM7b6C_e0YluzBmfAH7YH75-LioD-9bMAYocDGHsqM","y":"c-sdveAzGDZtBp-DpvWQAFPHNjPLBBshxV4ahsH0ALQ"}"#,
                "3059301306072a8648ce3d020106082a8648ce3d030107034200048e533b6fa0bf7b4625bb30667c01fb607ef9f8b8a80fef5b300628703187b2a373eb1dbde03318366d069f83a6f5900053c73633cb041b21c55e1a86c1f400b4",
            ),
            (
                r#"{"kty":"EC","crv":"P-384","x":"KDwdc2XOR4jyn46_I07f_q1v6Zf76l_6LVjMnfp7HFCLBVJvVbnrsgQPBbSPttDh","y":"lHXJkGHkG4i6Uu_bjBaQRxph2GfteZcp2cks0B29IlYw2E7eMqePnmRmTNrFEu-M"}"#,
                "3076301006072a8648ce3d020106052b8104002203620004283c1d7365ce4788f29f8ebf234edffead6fe997fbea5ffa2d58cc9dfa7b1c508b05526f55b9ebb2040f05b48fb6d0e19475c99061e41b88ba52efdb8c1690471a61d867ed799729d9c92cd01dbd225630d84ede32a78f9e64664cdac512ef8c",
            ),
            (
                r#"{"kty":"OKP","crv":"Ed25519","x":"6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw"}"#,
                "302a300506032b6570032100ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c",
            ),
            (
                r#"{"kty":"RSA","n":"sNaKfuoTvP25DgwkEGby5nzRnj6zyvAHg2sP9r1vnd3SDUqeGfRoCMQWRW061nZu-mHpEbU4e6zPXNXsdLfwkd90xh0PH1hjsDsAT5T-mydW_IwnXLaKaaxtRbRKmrGSnekcosYy3MmpE1MR_V1Ce-mMHbj3hWcCc2H1JLpOTDdln_JUUgNY9oq30NSutbvQ_EAW4PpR2I4LuRuYrSJngfVgGU6_YfBsOPaZVFGErENeifbHPOUJpGk-MdjWuHlkvJPA2QRBlfH1ONUiFoBgVAKJXIhHGk9XA7sC78UhQBpDK_fJX87l7sxSRH7CoFfBz1TEi7pHsHVMVbDt4YBkuQ","e":"AQAB"}"#,
                "30820122300d06092a864886f70d01010105000382010f003082010a0282010100b0d68a7eea13bcfdb90e0c241066f2e67cd19e3eb3caf007836b0ff6bd6f9dddd20d4a9e19f46808c416456d3ad6766efa61e911b5387baccf5cd5ec74b7f091df74c61d0f1f5863b03b004f94fe9b2756fc8c275cb68a69ac6d45b44a9ab1929de91ca2c632dcc9a9135311fd5d427be98c1db8f78567027361f524ba4e4c37659ff254520358f68ab7d0d4aeb5bbd0fc4016e0fa51d88e0bb91b98ad226781f560194ebf61f06c38f699545184ac435e89f6c73ce509a4693e31d8d6b87964bc93c0d9044195f1f538d5221680605402895c88471a4f5703bb02efc521401a432bf7c95fcee5eecc52447ec2a057c1cf54c48bba47b0754c55b0ede18064b90203010001",
            ),
        ];
        for (key, want) in cases {
            let mut got = String::new();
            for byte in Jwk::parse(key.as_bytes()).unwrap().spki() {
                write!(got, "{byte:02x}").unwrap();
            }
            assert_eq!(got, want, "{key}");
        }
    }
}
