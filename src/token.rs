//! From the bytes of a bearer token to verified, strictly parsed claims.
//!
//! Each type can only be made from the one before it, so a skipped check does not compile:
//!
//! ```text
//! bytes ──▶ BearerToken ──▶ Jws ──────────────▶ SignedPayload ──▶ Claims
//!           grammar, size   structure, header   signature         JSON, registered claims
//!                            ▲                   ▲
//!                            no payload accessor Jwk, from a JwkSet by our own admission
//! ```
//!
//! Beside it stands [`dpop`]: a JWT that brings its own key, to prove that whoever shows a token
//! holds it.
//!
//! This module knows the formats: RFC 6750 §2.1, RFC 7515 to 7519, RFC 8037, RFC 9449, and what RFC
//! 8725 takes away from them. It does not know whose key signed what, which issuer is trusted, nor
//! whether a token is still alive: it never looks at the clock.

pub mod algorithm;
mod base64url;
pub mod bearer;
pub mod claims;
pub mod dpop;
pub mod fingerprint;
mod integer_pair;
pub mod json;
pub mod jwk;
pub mod jwk_set;
pub mod jws;
mod numeric_date;
pub mod prints;
pub mod scope;
pub mod signature;
pub mod text;

pub use algorithm::{Algorithm, AlgorithmSet, Family};
pub use bearer::{BearerError, BearerToken};
pub use claims::{ClaimError, ClaimFault, Claims};
pub use json::{Json, JsonError};
pub use jwk::{Jwk, JwkError, KeyMaterial, Thumbprint};
pub use jwk_set::{IgnoredKey, JwkSet, JwkSetError};
pub use jws::{IssuerHint, Jws, JwsError, SignedPayload};
pub use scope::{Scope, ScopeError, ScopeListError};
pub use signature::{RustCrypto, SignatureError, Verifier};
pub use text::TextError;
