//! The signature algorithms that we verify: RFC 7518 §3.1 and RFC 8037 §3.1, less what RFC 8725
//! §3.2 advises against.
//!
//! `none` and the HMAC family have no variant, so no configuration and no token can name them.

use std::fmt;

/// A signature algorithm, as the JOSE header's `alg` names it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// `EdDSA`, here always on Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Every algorithm, in the order of RFC 7518.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Their `alg` values, in the same order.
    pub const NAMES: [&'static str; 9] = [
        Self::Rs256.as_str(),
        Self::Rs384.as_str(),
        Self::Rs512.as_str(),
        Self::Ps256.as_str(),
        Self::Ps384.as_str(),
        Self::Ps512.as_str(),
        Self::Es256.as_str(),
        Self::Es384.as_str(),
        Self::EdDsa.as_str(),
    ];

    /// Parses an `alg` value, exactly: RFC 7515 §4.1.1 makes it case-sensitive.
    pub fn parse(text: &str) -> Result<Self, AlgorithmError> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or(AlgorithmError)
    }

    /// The `alg` value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The kind of key that it takes.
    pub const fn family(self) -> Family {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                Family::Rsa
            }
            Self::Es256 => Family::EcP256,
            Self::Es384 => Family::EcP384,
            Self::EdDsa => Family::Ed25519,
        }
    }

    const fn bit(self) -> u16 {
        match self {
            Self::Rs256 => 1,
            Self::Rs384 => 1 << 1,
            Self::Rs512 => 1 << 2,
            Self::Ps256 => 1 << 3,
            Self::Ps384 => 1 << 4,
            Self::Ps512 => 1 << 5,
            Self::Es256 => 1 << 6,
            Self::Es384 => 1 << 7,
            Self::EdDsa => 1 << 8,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind of key, finer than `kty`: the curve decides which algorithms a key can serve.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Family {
    /// `EC` on P-256.
    EcP256,
    /// `EC` on P-384.
    EcP384,
    /// `OKP` on Ed25519.
    Ed25519,
    /// `RSA`.
    Rsa,
}

impl Family {
    /// The algorithms that a key of this kind can serve.
    pub fn algorithms(self) -> AlgorithmSet {
        Algorithm::ALL
            .into_iter()
            .filter(|algorithm| algorithm.family() == self)
            .collect()
    }
}

/// Which algorithms are allowed, for one issuer or one key.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// No algorithm.
    pub const EMPTY: Self = Self(0);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, algorithm: Algorithm) -> Self {
        Self(self.0 | algorithm.bit())
    }

    /// What both sets hold.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What this set holds and the other does not.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set holds the algorithm.
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// Whether the set holds none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The algorithms of the set, in the order of [`Algorithm::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .into_iter()
            .filter(move |&algorithm| self.contains(algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// A text that names none of our algorithms.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AlgorithmError;

impl fmt::Display for AlgorithmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an algorithm that is verified here; those are ")?;
        for (position, algorithm) in Algorithm::ALL.into_iter().enumerate() {
            write!(f, "{}`{algorithm}`", if position == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.as_str()), Ok(algorithm));
        }
        assert_eq!(Algorithm::NAMES, Algorithm::ALL.map(Algorithm::as_str));
    }

    #[test]
    fn no_other_name_is_an_algorithm() {
        let names = [
            "none",
            "None",
            "NONE",
            "nOnE",
            "",
            " RS256",
            "RS256 ",
            "rs256",
            "Rs256",
            "HS256",
            "HS384",
            "HS512",
            "ES512",
            "ES256K",
            "ES224",
            "RSA1_5",
            "RSA-OAEP",
            "Ed25519",
            "EDDSA",
            "eddsa",
            "RS256\0",
            "ＲＳ256",
        ];
        for name in names {
            assert_eq!(Algorithm::parse(name), Err(AlgorithmError), "{name}");
        }
    }

    #[test]
    fn the_error_lists_what_is_allowed() {
        let want = "not an algorithm that is verified here; those are `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, \
                    `ES256`, `ES384`, `EdDSA`";
        assert_eq!(AlgorithmError.to_string(), want);
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set: AlgorithmSet = [Algorithm::EdDsa, Algorithm::Rs256].into_iter().collect();
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Algorithm::Rs256, Algorithm::EdDsa]
        );
        assert!(AlgorithmSet::EMPTY.is_empty());
        for algorithm in Algorithm::ALL {
            assert!(
                AlgorithmSet::EMPTY.with(algorithm).iter().eq([algorithm]),
                "{algorithm}"
            );
            assert!(
                algorithm.family().algorithms().contains(algorithm),
                "{algorithm}"
            );
        }
        assert_eq!(
            Family::EcP256
                .algorithms()
                .intersection(Family::Rsa.algorithms()),
            AlgorithmSet::EMPTY
        );
        assert_eq!(
            Family::EcP256.algorithms().iter().collect::<Vec<_>>(),
            [Algorithm::Es256]
        );
    }
}
