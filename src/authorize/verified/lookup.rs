//! A token that is shown now, and whether it is one of those that were verified before.

use std::cell::{Cell, RefCell};

use crate::request::token_reader::KnownTokens;
use crate::token::bearer::BearerToken;

use super::VerifiedTokens;

/// The look at the token of one request.
pub(in crate::authorize) struct TokenLookup<'m> {
    /// Absent where nothing is remembered.
    among: Option<&'m RefCell<VerifiedTokens>>,
    recognized: Cell<Option<EntryId>>,
}

/// A token as it is shown.
#[derive(Clone, Copy)]
pub(in crate::authorize) struct Presented<'t> {
    /// Its text.
    pub(in crate::authorize) text: BearerToken<'t>,
    /// Its entry, where the text has been held against that.
    pub(super) entry: Option<EntryId>,
}

/// An entry of [`VerifiedTokens`]. Only comparing all of a text makes one.
#[derive(Clone, Copy)]
pub(super) struct EntryId {
    /// Where it was then.
    pub(super) place: usize,
    pub(super) number: u64,
}

impl<'m> TokenLookup<'m> {
    /// Of a token that may be one of these.
    pub(in crate::authorize) const fn new(among: Option<&'m RefCell<VerifiedTokens>>) -> Self {
        Self {
            among,
            recognized: Cell::new(None),
        }
    }

    /// The token that was read by this look.
    pub(in crate::authorize) const fn presented<'t>(&self, text: BearerToken<'t>) -> Presented<'t> {
        Presented {
            text,
            entry: self.recognized.get(),
        }
    }
}

impl KnownTokens for TokenLookup<'_> {
    fn recognize<'t>(&self, text: &'t [u8]) -> Option<BearerToken<'t>> {
        let (token, entry) = self.among?.borrow().recognize(text)?;
        self.recognized.set(Some(entry));
        Some(token)
    }
}

impl<'t> From<BearerToken<'t>> for Presented<'t> {
    fn from(text: BearerToken<'t>) -> Self {
        Self { text, entry: None }
    }
}
