//! What requests are judged by: one configuration, and what verifies their tokens.

use std::cell::RefCell;

use crate::issuer::Issuer;
use crate::key_store::KeyStore;
use crate::policy::Policy;
use crate::policy::credential::Treatments;
use crate::policy::workspace::Workspaces;
use crate::request::fingerprint::Fingerprints;
use crate::resource::ProtectedResource;
use crate::token::fingerprint::Fingerprint;
use crate::token::signature::Verifier;
use crate::withdrawn::Withdrawn;
use crate::withdrawn::list::List;

use super::replay::Replays;
use super::verified::VerifiedTokens;

/// Judges requests by one configuration.
pub struct Authorizer {
    /// Whose tokens are taken, in the key store's order.
    pub issuers: Vec<Issuer>,
    /// What they may be used for.
    pub policy: Policy,
    /// What is published of it; nothing, when absent.
    pub resource: Option<ProtectedResource>,
    /// The workspaces that the gateway stands before.
    pub workspaces: Workspaces,
    /// The valid tokens that are refused all the same.
    pub withdrawn: Withdrawn,
    /// The most bytes that a bearer token may have.
    pub max_token_bytes: usize,
    /// What becomes of credentials that nothing here can verify.
    pub treatments: Treatments,
    /// Names for static tokens, in records.
    pub fingerprints: Fingerprints,
    /// Where callers look up who they are; nowhere, when absent.
    pub self_service: Option<SelfService>,
}

/// What tokens are verified with.
#[derive(Clone, Copy)]
pub struct Verification<'a> {
    /// The issuers' keys.
    pub keys: &'a KeyStore,
    /// The engine.
    pub verifier: &'a dyn Verifier,
    /// What was verified before under the same configuration; absent where everything is verified
    /// each time.
    pub verified: Option<&'a RefCell<VerifiedTokens>>,
    /// The list of what is withdrawn besides what the configuration withdraws; absent where none is
    /// polled.
    pub withdrawals: Option<&'a List>,
    /// The certificate of the client's own connection, whose key it has proved to hold. Asked for a
    /// token that is bound to one.
    pub certificate: &'a dyn Fn() -> Option<Fingerprint>,
    /// Whether that connection is TLS. Asked where a proof is for a URI without.
    pub encrypted: &'a dyn Fn() -> bool,
    /// The proofs that were seen before; absent where each is taken for new.
    pub replays: Option<Replays<'a>>,
}

/// Where callers look up who they are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SelfService {
    /// The path, `/.oam/me` say. Nothing of Databricks' is there.
    pub me: Box<str>,
}

impl<'a> Verification<'a> {
    /// Each time anew, with these keys and this engine.
    pub const fn afresh(keys: &'a KeyStore, verifier: &'a dyn Verifier) -> Self {
        Self {
            keys,
            verifier,
            verified: None,
            withdrawals: None,
            certificate: &no_certificate,
            encrypted: &not_encrypted,
            replays: None,
        }
    }
}

fn no_certificate() -> Option<Fingerprint> {
    None
}

fn not_encrypted() -> bool {
    false
}
