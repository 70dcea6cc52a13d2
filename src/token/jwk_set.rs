//! A JWK Set: RFC 7517 §5, which says to ignore the keys one does not understand, each alone.

use std::fmt;

use crate::token::algorithm::Algorithm;
use crate::token::json::{self, Json};
use crate::token::jwk::{Jwk, JwkError};

/// The usable keys of one issuer.
///
/// Invariant: at least one key; no two of them share a `kid` and an algorithm.
#[derive(Clone, Debug)]
pub struct JwkSet {
    keys: Vec<Jwk>,
    ignored: Vec<IgnoredKey>,
}

impl JwkSet {
    /// Parses a JWK Set document of at most [`MAX_BYTES`]. An entry that cannot be used is ignored
    /// alone, whatever is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, JwkSetError> {
        if bytes.len() > MAX_BYTES {
            return Err(JwkSetError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| JwkSetError::Malformed)?;
        let entries =
            json::unread_items(text, "keys", MOST_ENTRIES).ok_or(JwkSetError::Malformed)?;
        let entries = entries.into_iter();
        Self::of(
            entries
                .map(|entry| Jwk::parse(entry.get().as_bytes()))
                .collect(),
        )
    }

    /// The same of a document that is read already.
    pub fn admit(document: &Json) -> Result<Self, JwkSetError> {
        let entries = document.get("keys").and_then(Json::as_array);
        let entries = entries.ok_or(JwkSetError::Malformed)?;
        Self::of(entries.iter().map(Jwk::admit).collect())
    }

    fn of(entries: Vec<Result<Jwk, JwkError>>) -> Result<Self, JwkSetError> {
        if entries.len() > MAX_KEYS {
            return Err(JwkSetError::TooManyKeys);
        }
        let mut admitted = Vec::new();
        let mut ignored = Vec::new();
        for (position, entry) in entries.into_iter().enumerate() {
            match entry {
                Ok(key) => admitted.push((position, key)),
                Err(reason) => ignored.push(IgnoredKey { position, reason }),
            }
        }
        let keys = drop_ambiguous(&admitted, &mut ignored);
        if keys.is_empty() {
            return Err(JwkSetError::NoUsableKey(ignored));
        }
        Ok(Self { keys, ignored })
    }

    /// The keys, in the order of the document.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// Whether both sets verify the same signatures in the same order.
    pub fn has_same_keys_as(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len()
            && self
                .keys
                .iter()
                .zip(&other.keys)
                .all(|(one, other)| one.thumbprint() == other.thumbprint() && same_use(one, other))
    }

    /// The entries that are not used, and why.
    pub fn ignored(&self) -> &[IgnoredKey] {
        &self.ignored
    }

    /// The keys that can have made a token's signature, at most [`MAX_CANDIDATES`] of them: those
    /// with the token's `kid`, then those with none. A token without `kid` may be by any key that
    /// fits.
    pub fn candidates<'a>(
        &'a self,
        key_id: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a Jwk> {
        let fitting = move || self.keys.iter().filter(move |key| key.fits(algorithm));
        let named = fitting().filter(move |key| key_id.is_none() || key.key_id() == key_id);
        let nameless = fitting().filter(move |key| key_id.is_some() && key.key_id().is_none());
        named.chain(nameless).take(MAX_CANDIDATES)
    }
}

/// An entry that is not used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct IgnoredKey {
    /// Its position in the document, from 0.
    pub position: usize,
    /// Why it is not used.
    pub reason: JwkError,
}

impl fmt::Display for IgnoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys[{}]: {}", self.position, self.reason)
    }
}

/// Why a document gives no keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum JwkSetError {
    /// Not a JSON object with one array `keys`.
    Malformed,
    /// Every entry was ignored, for these reasons, or there was none.
    NoUsableKey(Vec<IgnoredKey>),
    /// More than [`MAX_BYTES`] bytes, this many.
    TooLarge(usize),
    /// More than [`MAX_KEYS`] entries.
    TooManyKeys,
}

impl fmt::Display for JwkSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => {
                f.write_str("not a JWK Set: a JSON object with an array `keys` is expected")
            }
            Self::NoUsableKey(ignored) => {
                f.write_str("no usable key")?;
                for (position, key) in ignored.iter().take(SHOWN_REASONS).enumerate() {
                    write!(f, "{}{key}", if position == 0 { ": " } else { "; " })?;
                }
                Ok(())
            }
            Self::TooLarge(length) => write!(
                f,
                "a JWK Set of {length} bytes is over the limit of {MAX_BYTES}"
            ),
            Self::TooManyKeys => write!(f, "a JWK Set of more than {MAX_KEYS} keys"),
        }
    }
}

/// A `kid` and an algorithm have to name one key. Where they name several, none of these is used:
/// to take the first would let the order of the document decide. The same key twice is one key.
fn drop_ambiguous(admitted: &[(usize, Jwk)], ignored: &mut Vec<IgnoredKey>) -> Vec<Jwk> {
    let clashes = |one: &Jwk, other: &Jwk| {
        one.key_id().is_some()
            && one.key_id() == other.key_id()
            && !one.algorithms().intersection(other.algorithms()).is_empty()
    };
    let mut keys: Vec<Jwk> = Vec::with_capacity(admitted.len());
    for (position, key) in admitted {
        let ambiguous = admitted
            .iter()
            .any(|(_, other)| clashes(key, other) && key.thumbprint() != other.thumbprint());
        let repeated = keys
            .iter()
            .any(|kept| kept.thumbprint() == key.thumbprint() && same_use(kept, key));
        if ambiguous {
            let place = ignored.partition_point(|known| known.position < *position);
            let reason = JwkError::RepeatedKeyId;
            ignored.insert(
                place,
                IgnoredKey {
                    position: *position,
                    reason,
                },
            );
        } else if !repeated {
            keys.push(key.clone());
        }
    }
    keys
}

fn same_use(one: &Jwk, other: &Jwk) -> bool {
    one.key_id() == other.key_id() && one.algorithms() == other.algorithms()
}

/// Bytes of a document: identity providers send 1 to 20 KiB.
pub const MAX_BYTES: usize = 1_048_576;

/// Entries of a document.
pub const MAX_KEYS: usize = 1024;

/// Entries that are kept of a document. The last one shows that there were too many; a megabyte of
/// commas buys no memory.
const MOST_ENTRIES: usize = MAX_KEYS + 1;

/// Signatures one set may cost a request: a caller who omits `kid` chooses how many keys are tried,
/// and one RSA check takes 1.4 ms of a worker inside wasm.
pub const MAX_CANDIDATES: usize = 4;

/// A log line shows so many reasons.
const SHOWN_REASONS: usize = 8;

#[cfg(test)]
mod tests;
