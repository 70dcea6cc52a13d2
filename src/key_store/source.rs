//! Where one issuer's keys come from.

use std::time::Duration;

use crate::callout::uri::{HttpsUri, UriError};
use crate::token::jwk_set::JwkSet;

use super::metadata;

/// Where an issuer's keys come from, as configured.
pub enum KeySource {
    /// From the configuration itself; they change with it and never expire.
    Inline(JwkSet),
    /// From the issuer, over HTTP.
    Remote(Remote),
}

/// A document that is fetched and fetched again.
pub struct Remote {
    pub(super) cluster: Box<str>,
    pub(super) issuer: Box<str>,
    pub(super) addresses: Addresses,
    pub(super) timeout: Duration,
    pub(super) refresh: Duration,
    pub(super) max_stale: Duration,
}

/// What is known of where the keys are.
pub(super) enum Addresses {
    /// The configuration says.
    Known(HttpsUri),
    /// The issuer's metadata says; these are the places to look for it.
    Discovered([HttpsUri; 2]),
}

/// The times of a [`Remote`].
pub struct Schedule {
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// How long keys are fresh when the answer does not say.
    pub refresh: Duration,
    /// How long keys are used past their last fetch when no other succeeds.
    pub max_stale: Duration,
}

impl Remote {
    /// Keys of `issuer`, requested from `cluster`; without a `uri` the issuer's metadata names it,
    /// and then the issuer must be an https URL.
    pub fn new(
        cluster: &str,
        issuer: &str,
        uri: Option<HttpsUri>,
        schedule: &Schedule,
    ) -> Result<Self, UriError> {
        let addresses = match uri {
            Some(uri) => Addresses::Known(uri),
            None => Addresses::Discovered(metadata::addresses(issuer)?),
        };
        Ok(Self {
            cluster: cluster.into(),
            issuer: issuer.into(),
            addresses,
            timeout: schedule.timeout,
            refresh: schedule.refresh,
            max_stale: schedule.max_stale,
        })
    }
}
