//! One issuer's keys through time.

use crate::time::clock::Reading;
use crate::token::jwk_set::JwkSet;

use super::refresher::Refresher;
use super::source::KeySource;

/// The keys of one issuer, from the configuration or kept fresh.
pub(super) enum IssuerKeys {
    /// They never change.
    Inline(JwkSet),
    /// They are kept fresh.
    Remote(Box<Refresher>),
}

impl IssuerKeys {
    pub(super) fn new(source: KeySource) -> Self {
        match source {
            KeySource::Inline(set) => Self::Inline(set),
            KeySource::Remote(remote) => Self::Remote(Box::new(Refresher::new(remote))),
        }
    }

    pub(super) fn keys(&self, now: Reading) -> Option<&JwkSet> {
        match self {
            Self::Inline(set) => Some(set),
            Self::Remote(refresher) => refresher.keys(now),
        }
    }

    /// What keeps the keys fresh; `None` where nothing is fetched.
    pub(super) const fn refresher(&self) -> Option<&Refresher> {
        match self {
            Self::Inline(_) => None,
            Self::Remote(refresher) => Some(refresher),
        }
    }

    pub(super) const fn refresher_mut(&mut self) -> Option<&mut Refresher> {
        match self {
            Self::Inline(_) => None,
            Self::Remote(refresher) => Some(refresher),
        }
    }
}
