//! One fetch: the request, and its possible outcomes.

use std::fmt;

use crate::callout::CalloutRequest;
use crate::callout::flight;
use crate::callout::uri::UriError;
use crate::issuer::IssuerIndex;
use crate::token::jwk_set::JwkSetError;

/// A document to fetch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fetch {
    /// For which issuer.
    pub issuer: IssuerIndex,
    /// What to request, and from where.
    pub call: CalloutRequest,
    /// Tells this fetch from an earlier one of the same issuer whose answer may still come.
    pub(super) number: u64,
}

/// An HTTP answer, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyAnswer<'a> {
    /// `:status`.
    pub status: u16,
    /// `Cache-Control`.
    pub cache_control: Option<&'a [u8]>,
    /// `Age`.
    pub age: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

/// What a useful answer brought.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fetched {
    /// The address of the keys; fetching them is due at once.
    Address,
    /// Keys, and how many entries of the document were passed over.
    Keys {
        /// Keys admitted.
        admitted: usize,
        /// Entries ignored, with reasons, for the log.
        ignored: Vec<String>,
    },
}

/// Why a fetch brought nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FetchFailure {
    /// It was given up before, or never sent.
    GivenUp,
    /// The metadata's `jwks_uri` is not one.
    KeysAddress(UriError),
    /// The document holds no key that may be used.
    Keys(JwkSetError),
    /// What was answered is not an issuer's metadata.
    NotMetadata,
    /// The metadata is another issuer's.
    OtherIssuer,
    /// The answer's status was not 200.
    Status(u16),
    /// The answer is larger than such a document is.
    TooLarge,
}

impl fmt::Display for FetchFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GivenUp => f.write_str(flight::GIVEN_UP),
            Self::KeysAddress(error) => write!(f, "the metadata's `jwks_uri` is {error}: set `jwks.uri`"),
            Self::Keys(error) => write!(f, "{error}"),
            Self::NotMetadata => f.write_str("the answer is not an issuer's metadata with `issuer` and `jwks_uri`: set `jwks.uri`"),
            Self::OtherIssuer => f.write_str(
                "the metadata names another `issuer` than the configuration: make the two identical, byte for byte",
            ),
            Self::Status(503) => {
                f.write_str("answered 503: the cluster could not reach the issuer, or the issuer is down; see the cluster's statistics")
            }
            Self::Status(status) => write!(f, "answered {status} in place of 200: check `jwks.uri` and the cluster's host name"),
            Self::TooLarge => f.write_str("the answer is larger than any such document: check `jwks.uri`"),
        }
    }
}
