//! Names for static tokens, by which records distinguish them without containing any.
//!
//! A name is an HMAC-SHA-256 over the token, shortened. The key comes from the configuration, so
//! that whoever has a record and finds a token cannot hold one against the other without it. Where
//! none is configured a fixed one takes its place: a token has 128 random bits, which nobody
//! guesses by their hash, and every worker, restart and gateway gives one token one name.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Gives names.
pub struct Fingerprints(Option<Hmac<Sha256>>);

impl Fingerprints {
    /// With the configured key, or the fixed one.
    pub fn new(key: Option<&str>) -> Self {
        // HMAC takes keys of every length.
        Self(Hmac::new_from_slice(key.unwrap_or(FIXED_KEY).as_bytes()).ok())
    }

    /// The name of a token.
    pub fn of(&self, token: &str) -> Option<String> {
        let mut mac = self.0.clone()?;
        mac.update(token.as_bytes());
        let code = mac.finalize().into_bytes();
        let mut name = [0; NAME_BYTES * 2];
        let name = base16ct::lower::encode_str(code.get(..NAME_BYTES)?, &mut name).ok()?;
        Some(name.to_owned())
    }
}

const FIXED_KEY: &str = "databricks-oam-filter credential fingerprint 1";

/// 64 bits meet by chance among four thousand million tokens; twice that never.
const NAME_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 §4.3, shortened to our length.
    #[test]
    fn a_name_is_an_hmac() {
        assert_eq!(
            Fingerprints::new(Some("Jefe")).of("what do ya want for nothing?"),
            Some("5bdcc146bf60754e6a042426089575c7".to_owned())
        );
    }

    #[test]
    fn one_token_has_one_name_for_each_key() {
        let name = |key: Option<&str>, token: &str| Fingerprints::new(key).of(token);
        let [one, other] = ["dapi1", "dapi2"];
        assert_eq!(name(None, one), name(None, one));
        assert_ne!(name(None, one), name(None, other));
        assert_ne!(name(None, one), name(Some("key"), one));
        assert_ne!(name(Some("another key"), one), name(Some("key"), one));
    }
}
