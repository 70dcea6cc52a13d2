//! Tokens as they are verified, for statistics: kept until somebody takes them.

use std::time::Duration;

use crate::issuer::IssuerIndex;
use crate::issuer::access_token::AccessToken;

/// What metrics report of a token whose signature was verified.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fresh {
    /// Whose it is.
    pub issuer: IssuerIndex,
    /// How long it lives from first to last; `None` where it does not say since when.
    pub lifetime: Option<Duration>,
    /// Whether it was granted `offline_access`.
    pub offline_access: bool,
}

impl Fresh {
    pub(super) fn of(issuer: IssuerIndex, token: &AccessToken) -> Self {
        Self {
            issuer,
            lifetime: token.lifetime(),
            offline_access: token.offline_access,
        }
    }
}

/// As many as a worker verifies in a second; what nobody took by then is not reported.
pub(super) const MAX_FRESH: usize = 16 * 1024;
