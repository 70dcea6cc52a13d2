//! What a request may wait for.

use crate::issuer::IssuerIndex;

/// Keys that a request may wait for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AwaitedKeys {
    /// The issuer's first, or its first usable ones since they grew too old.
    First(IssuerIndex),
    /// Newer ones: the token names a key that the issuer's set does not have.
    Newer(IssuerIndex),
}

impl AwaitedKeys {
    /// Whose keys they are.
    pub const fn issuer(self) -> IssuerIndex {
        match self {
            Self::First(issuer) | Self::Newer(issuer) => issuer,
        }
    }
}
