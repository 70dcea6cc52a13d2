//! By which bearer tokens are read, those aside that were read before.

use crate::token::bearer::BearerToken;

/// Tokens that were read before.
pub trait KnownTokens {
    /// The token that a text is, byte for byte, if it is one of these: a JWT within the limit.
    fn recognize<'t>(&self, text: &'t [u8]) -> Option<BearerToken<'t>>;
}

/// None.
pub(super) struct NoTokens;

impl KnownTokens for NoTokens {
    fn recognize<'t>(&self, _: &'t [u8]) -> Option<BearerToken<'t>> {
        None
    }
}

/// By which a bearer token is read: the most bytes that it may have, and those that were read
/// before.
#[derive(Clone, Copy)]
pub(super) struct TokenReader<'k> {
    pub(super) max_bytes: usize,
    pub(super) known: &'k dyn KnownTokens,
}

impl TokenReader<'_> {
    /// Reads each token anew.
    pub(super) const fn afresh(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            known: &NoTokens,
        }
    }
}
