//! What the policy said of requests that came before, found by their method and path, and the
//! issuer by whose rules it was said.
//!
//! Each has one place, by its hash, and is put there when it comes for the second time: paths that
//! come once cost no memory and drive nothing out, and there are no more entries than places.

use std::rc::Rc;

use crate::json_line::Members;
use crate::policy::ruling::Ruling;

use super::mixed;

/// A worker's memory of what the policy says.
pub(in crate::authorize) struct Rulings {
    key: u64,
    places: Vec<RulingSlot>,
}

#[derive(Default)]
struct RulingSlot {
    /// The hash of the request that was not found here last.
    missed: u64,
    known: Option<Box<KnownRuling>>,
}

struct KnownRuling {
    method: Box<str>,
    path: Box<str>,
    /// Absent where it was said of nobody known.
    issuer: Option<Rc<str>>,
    ruling: Ruling,
    /// The requested operation as records have it, where they quote method and path as they are.
    written: Option<Rc<Members>>,
}

impl Rulings {
    /// Remembers nothing yet. Callers who do not know the key cannot choose whose place they take.
    pub(super) const fn new(key: u64) -> Self {
        Self {
            key,
            places: Vec::new(),
        }
    }

    /// What was said of a request of this method and path, and what records say of it.
    pub(in crate::authorize) fn find(
        &self,
        method: &str,
        path: &str,
        issuer: Option<&Rc<str>>,
    ) -> Option<(&Ruling, Option<&Rc<Members>>)> {
        let hash = self.hash(method, path, issuer);
        let known = self.places.get(place_of(hash))?.known.as_deref()?;
        (*known.method == *method && *known.path == *path && known.issuer.as_ref() == issuer)
            .then_some((&known.ruling, known.written.as_ref()))
    }

    /// Notes what was said of a request that was not found.
    pub(in crate::authorize) fn note(
        &mut self,
        method: &str,
        path: &str,
        issuer: Option<&Rc<str>>,
        said: impl FnOnce() -> (Ruling, Option<Members>),
    ) {
        if method.len().saturating_add(path.len()) > MAX_BYTES {
            return;
        }
        if self.places.is_empty() {
            self.places.resize_with(PLACES, RulingSlot::default);
        }
        let hash = self.hash(method, path, issuer);
        let Some(place) = self.places.get_mut(place_of(hash)) else {
            return;
        };
        if place.missed != hash {
            place.missed = hash;
            return;
        }
        let (ruling, written) = said();
        place.known = Some(Box::new(KnownRuling {
            method: method.into(),
            path: path.into(),
            issuer: issuer.cloned(),
            ruling,
            written: written.map(Rc::new),
        }));
    }

    #[inline]
    fn hash(&self, method: &str, path: &str, issuer: Option<&Rc<str>>) -> u64 {
        let words = |text: &str, hash| {
            text.as_bytes().chunks(WORD).fold(hash, |hash, chunk| {
                let mut word = [0; WORD];
                for (to, from) in word.iter_mut().zip(chunk) {
                    *to = *from;
                }
                mixed(hash ^ u64::from_le_bytes(word))
            })
        };
        let issuer = issuer.map_or("", |issuer| issuer);
        words(issuer, words(path, words(method, self.key)))
    }
}

fn place_of(hash: u64) -> usize {
    usize::try_from(hash % PLACES_MODULUS).unwrap_or_default()
}

const WORD: usize = 8;

/// More than a workspace's callers use at one time.
const PLACES: usize = 512;

const PLACES_MODULUS: u64 = 512;

/// Longer than nearly every path without names of its callers'. With as many as there are places,
/// that is 200 KiB.
const MAX_BYTES: usize = 160;
