//! What a signature proved of a token, and whether that still holds.

use std::rc::Rc;

use crate::issuer::IssuerIndex;
use crate::issuer::access_token::AccessToken;
use crate::issuer::invalid_token::InvalidToken;
use crate::token::claims::Times;
use crate::token::json::ALLOCATION;
use crate::token::jwk::Thumbprint;

/// What a token turned out to be, and by which key.
pub(in crate::authorize) struct VerifiedProof {
    /// Whose token it is.
    pub(in crate::authorize) issuer: IssuerIndex,
    /// The key that signed it.
    pub(in crate::authorize) key: Thumbprint,
    /// The issuer's generation of keys in which that was last seen to hold.
    pub(in crate::authorize) generation: u64,
    /// What was proved.
    pub(in crate::authorize) fact: Fact,
}

/// What a signature proved.
#[derive(Clone)]
pub(in crate::authorize) enum Fact {
    /// The token is refused for this, in its time.
    Refused(Times, InvalidToken),
    /// The token is valid, in its time.
    Valid(Rc<AccessToken>),
    /// The token was used out of its time, and what else may be wrong with it is not known.
    Untimely(Times),
}

/// Whether what is known still holds.
pub(in crate::authorize) enum Recall<T> {
    /// It never will again.
    Gone,
    /// It does, and comes to this.
    Holds(T),
    /// That takes a closer look, at the token itself.
    Unsure,
}

impl Fact {
    /// Whether nothing of it depends on the name of the key, or the key has this one.
    pub(in crate::authorize) fn is_under(&self, key_id: Option<&str>) -> bool {
        match self {
            Self::Refused(..) | Self::Untimely(_) => true,
            Self::Valid(token) => token.key_id.as_deref() == key_id,
        }
    }

    /// When the token is in its time.
    pub(in crate::authorize) fn times(&self) -> Times {
        match self {
            Self::Refused(times, _) | Self::Untimely(times) => *times,
            Self::Valid(token) => token.times(),
        }
    }

    /// About the memory that it takes besides itself.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Refused(_, InvalidToken::Claims(error)) => error
                .claim()
                .map_or(0, |name| name.len().saturating_add(ALLOCATION)),
            Self::Refused(..) | Self::Untimely(_) => 0,
            Self::Valid(token) => token.bytes(),
        }
    }
}
