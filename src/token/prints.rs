//! The fingerprints by which a token is known, however its signature is written.
//!
//! A signature need not have one spelling. Whoever has an ECDSA signature (r, s) has (r, n − s)
//! too, by the same key over the same text, and needs no key for it (RFC 6979 and JOSE leave open
//! which half s is in). RSA's and Ed25519's have one alone: out of range is refused, and so is
//! base64url with stray bits. So a token that is listed by its SHA-256 is looked for in both of its
//! spellings, and what has to be the same for all of them goes by what was signed.

use super::bearer::BearerToken;
use super::fingerprint::Fingerprint;
use super::jws::Jws;

/// What is known of one token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TokenPrints {
    /// Of the whole token, as it was sent.
    pub sent: Fingerprint,
    /// Of what was signed: header and payload, with the dot between them.
    pub signed: Fingerprint,
    /// Of the whole token with its signature in the other spelling, where there is one.
    respelled: Option<Fingerprint>,
}

impl TokenPrints {
    /// Of this token.
    pub fn of(token: BearerToken<'_>) -> Self {
        let respelled = Jws::parse(&token).ok().and_then(|jws| jws.respelled());
        Self {
            sent: Fingerprint::of(token),
            signed: Fingerprint::of_signed(token),
            respelled: respelled.map(|text| Fingerprint::over(text.as_bytes())),
        }
    }

    /// Those under which somebody may have listed it.
    pub fn iter(&self) -> impl Iterator<Item = &Fingerprint> {
        [&self.sent, &self.signed]
            .into_iter()
            .chain(&self.respelled)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    use super::*;

    /// A token of this algorithm whose signature is these bytes.
    fn token(algorithm: &str, signature: &[u8]) -> String {
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let [header, payload, signature] =
            [header.as_bytes(), b"{}", signature].map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("{header}.{payload}.{signature}")
    }

    fn prints(text: &str) -> TokenPrints {
        TokenPrints::of(BearerToken::parse(text.as_bytes(), usize::MAX).unwrap())
    }

    /// r = 1 and this s, each of so many bytes.
    fn pair(bytes: usize, s: &[u8]) -> Vec<u8> {
        let number = |digits: &[u8]| {
            let zeros = vec![0; bytes.saturating_sub(digits.len())];
            [&zeros, digits].concat()
        };
        [number(&[1]), number(s)].concat()
    }

    /// SEC 2 §2.4.2, less 2.
    const P256_LESS_2: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f,
    ];

    #[test]
    fn both_spellings_of_a_signature_are_one_token() {
        let low = token("ES256", &pair(32, &[2]));
        let high = token("ES256", &pair(32, &P256_LESS_2));
        let [one, other] = [&low, &high].map(|text| prints(text));
        assert_ne!(one.sent, other.sent);
        assert_eq!(one.signed, other.signed);
        assert_eq!(one.respelled, Some(other.sent));
        assert_eq!(other.respelled, Some(one.sent));
        let all = |prints: &TokenPrints| {
            let mut all: Vec<_> = prints.iter().copied().collect();
            all.sort_unstable();
            all
        };
        assert_eq!(all(&one), all(&other));
    }

    #[test]
    fn only_ecdsa_has_two() {
        #[rustfmt::skip]
        let cases = [
            // name                   token                                    want
            ("ES256",                 token("ES256", &pair(32, &[2])),          3),
            ("ES384",                 token("ES384", &pair(48, &[2])),          3),
            ("s of zero",             token("ES256", &pair(32, &[0])),          2),
            ("of another length",     token("ES256", &[1; 63]),                 2),
            ("ES384, as short",       token("ES384", &pair(32, &[2])),          2),
            ("EdDSA",                 token("EdDSA", &pair(32, &[2])),          2),
            ("RS256, as short",       token("RS256", &pair(32, &[2])),          2),
            ("no algorithm of ours",  token("ES256K", &pair(32, &[2])),         2),
            ("no JWS",                "opaque".to_owned(),                     2),
        ];
        for (name, text, want) in cases {
            assert_eq!(prints(&text).iter().count(), want, "{name}");
        }
    }

    #[test]
    fn what_was_signed_is_what_a_shell_prints() {
        // printf %s "${TOKEN%.*}" | sha256sum
        let want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let want = Fingerprint::parse(want).unwrap();
        assert_eq!(prints("abc.x").signed, want);
        assert_eq!(prints("abc").signed, want);
        assert_ne!(prints("abc.x").sent, want);
    }

    proptest! {
        #[test]
        fn spelling_a_token_twice_otherwise_gives_it_back(s in prop::array::uniform32(1_u8..)) {
            let text = token("ES256", &pair(32, &s));
            if let Ok(jws) = Jws::parse(&BearerToken::parse(text.as_bytes(), usize::MAX).unwrap())
                && let Some(other) = jws.respelled()
            {
                let other = BearerToken::parse(other.as_bytes(), usize::MAX).unwrap();
                prop_assert_eq!(Jws::parse(&other).ok().unwrap().respelled(), Some(text));
            }
        }
    }
}
