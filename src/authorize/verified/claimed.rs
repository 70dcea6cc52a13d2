//! What a refused token says of itself, read once.

use std::rc::Rc;

use crate::token::jws::UnverifiedClaims;

use super::super::Presented;
use super::VerifiedTokens;

impl VerifiedTokens {
    /// What a token says of itself, for the record of its refusal: read where it is not remembered
    /// with the token, and remembered then. A token may be long, and be refused again and again.
    pub(in crate::authorize) fn claimed(
        &mut self,
        token: Presented<'_>,
        read: impl FnOnce() -> Option<UnverifiedClaims>,
    ) -> Option<Rc<UnverifiedClaims>> {
        let place = self.place_of(token);
        let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) else {
            return read().map(Rc::new);
        };
        if let Some(claimed) = &entry.claimed {
            return Some(Rc::clone(claimed));
        }
        let claimed = Rc::new(read()?);
        let bytes = claimed.bytes();
        if entry.bytes.saturating_add(bytes) > self.limits.bytes {
            return Some(claimed);
        }
        entry.claimed = Some(Rc::clone(&claimed));
        for sum in [&mut entry.bytes, &mut self.bytes] {
            *sum = sum.saturating_add(bytes);
        }
        while self.bytes > self.limits.bytes {
            self.evict();
        }
        Some(claimed)
    }
}
