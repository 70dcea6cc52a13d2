//! What is withdrawn: valid tokens that are refused all the same.
//!
//! A signature says who made a token, and nothing of what has happened since: a laptop was stolen,
//! a signing key was copied, a client was found to leak. [`Withdrawn`] holds what a security team
//! says of that. It is consulted for every request, also about those whose token was verified
//! before, and each question is a few looks into hash tables, however long the lists are.

pub mod document;
pub mod list;

use std::fmt;

use hashbrown::HashSet;

use crate::by_name::{self, ByName};
use crate::issuer::access_token::AccessToken;
use crate::time::UnixTime;
use crate::token::bearer::BearerToken;
use crate::token::fingerprint::{Fingerprint, FingerprintError};
use crate::token::text::{self, TextError};

/// Tokens that are refused although they are valid.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Withdrawn {
    clients: by_name::NameSet,
    key_ids: by_name::NameSet,
    subjects: by_name::NameSet,
    token_ids: by_name::NameSet,
    tokens: HashSet<Fingerprint>,
    issued_before: IssuedBefore,
    entries: usize,
}

/// The lists of names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Names {
    /// To whom a token was given.
    Clients,
    /// The `kid` of the key that signed a token.
    KeyIds,
    /// Whom a token is about, or who acts for them.
    Subjects,
    /// `jti`.
    TokenIds,
    /// The SHA-256 of a whole token, whichever way its signature was written then, or of what was
    /// signed of it.
    Tokens,
}

impl Names {
    /// All lists.
    pub const ALL: [Self; 5] = [
        Self::Clients,
        Self::KeyIds,
        Self::Subjects,
        Self::TokenIds,
        Self::Tokens,
    ];

    /// The key under which it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::KeyIds => "key_ids",
            Self::Subjects => "subjects",
            Self::TokenIds => "token_ids",
            Self::Tokens => "tokens",
        }
    }
}

impl Withdrawn {
    /// Whether a valid token is withdrawn, `bearer` being the token as it was sent.
    pub fn has(&self, token: &AccessToken, bearer: BearerToken<'_>) -> bool {
        !self.is_empty() && self.lists(token, bearer)
    }

    fn lists(&self, token: &AccessToken, bearer: BearerToken<'_>) -> bool {
        let lists = |set: &by_name::NameSet, name: Option<&str>| {
            !set.is_empty() && name.is_some_and(|name| set.get(name).is_some())
        };
        lists(&self.token_ids, token.token_id.as_deref())
            || lists(&self.subjects, token.subject.as_deref())
            || lists(&self.subjects, token.actor.as_deref())
            || lists(&self.clients, token.client.as_deref())
            || lists(&self.key_ids, token.key_id.as_deref())
            || self.issued_before.has(token)
            || (!self.tokens.is_empty() && {
                let mut prints = token.prints(bearer).iter();
                prints.any(|print| self.tokens.contains(print))
            })
    }

    /// Withdraws the tokens that have this name.
    pub fn add(&mut self, names: Names, name: &str) -> Result<(), EntryError> {
        self.make_room()?;
        let set = match names {
            Names::Clients => &mut self.clients,
            Names::KeyIds => &mut self.key_ids,
            Names::Subjects => &mut self.subjects,
            Names::TokenIds => &mut self.token_ids,
            Names::Tokens => {
                self.tokens.insert(Fingerprint::parse(name)?);
                return Ok(());
            }
        };
        set.add(checked(name)?);
        Ok(())
    }

    /// Withdraws the tokens issued before `time`: those of the issuer and about the subject, where
    /// one is named.
    pub fn add_issued_before(
        &mut self,
        issuer: Option<&str>,
        subject: Option<&str>,
        time: UnixTime,
    ) -> Result<(), EntryError> {
        self.make_room()?;
        let issuer = issuer.map(checked).transpose()?;
        let subject = subject.map(checked).transpose()?;
        let add = |limits: &mut IssuedLimits| limits.add(subject, time);
        match issuer {
            Some(issuer) => {
                let by_issuer = &mut self.issued_before.by_issuer;
                by_issuer.update(issuer, IssuedLimits::default, add);
            }
            None => add(&mut self.issued_before.any_issuer),
        }
        Ok(())
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.entries
    }

    /// Whether nothing is withdrawn.
    pub const fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// The issuers that some entry names.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.issued_before
            .by_issuer
            .iter()
            .map(|(issuer, _)| issuer)
    }

    fn make_room(&mut self) -> Result<(), EntryError> {
        if self.entries >= MAX_ENTRIES {
            return Err(EntryError::TooMany);
        }
        self.entries = self.entries.saturating_add(1);
        Ok(())
    }
}

/// Why an entry can withdraw nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EntryError {
    /// Not a fingerprint of a token.
    Fingerprint(FingerprintError),
    /// Not a text that a token could hold.
    Text(TextError),
    /// More than [`MAX_ENTRIES`].
    TooMany,
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fingerprint(error) => write!(f, "{error}"),
            Self::Text(error) => write!(f, "{error}: no token can match it"),
            Self::TooMany => write!(
                f,
                "more than {MAX_ENTRIES} entries: withdraw the client, the key or all that was issued before a time"
            ),
        }
    }
}

impl From<FingerprintError> for EntryError {
    fn from(error: FingerprintError) -> Self {
        Self::Fingerprint(error)
    }
}

/// The moments before which tokens must not have been issued.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct IssuedBefore {
    any_issuer: IssuedLimits,
    by_issuer: ByName<IssuedLimits>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct IssuedLimits {
    any_subject: Option<UnixTime>,
    by_subject: ByName<UnixTime>,
}

impl IssuedBefore {
    fn has(&self, token: &AccessToken) -> bool {
        let limit = [Some(&self.any_issuer), self.by_issuer.get(&token.issuer)]
            .into_iter()
            .flatten()
            .filter_map(|limits| limits.of(token))
            .max();
        // A token that does not say when it was issued cannot show that it was issued later.
        limit.is_some_and(|limit| token.issued_at.is_none_or(|issued_at| issued_at < limit))
    }
}

impl IssuedLimits {
    fn add(&mut self, subject: Option<&str>, time: UnixTime) {
        let later = |limit: &mut UnixTime| *limit = time.max(*limit);
        match subject {
            Some(subject) => self.by_subject.update(subject, || time, later),
            None => later(self.any_subject.get_or_insert(time)),
        }
    }

    fn of(&self, token: &AccessToken) -> Option<UnixTime> {
        // Whoever acts for the subject is meant as well, as by `subjects`.
        let named = [token.subject.as_deref(), token.actor.as_deref()];
        let of = |subject: &str| self.by_subject.get(subject).copied();
        let limits = named.into_iter().flatten().filter_map(of);
        limits.max().max(self.any_subject)
    }
}

fn checked(text: &str) -> Result<&str, EntryError> {
    text::checked(text, text::MAX_CLAIM_BYTES).map_err(EntryError::Text)
}

/// Some 10 MiB on each worker. Who has to withdraw more tokens than this one by one is better
/// served by a time.
pub const MAX_ENTRIES: usize = 100_000;

#[cfg(test)]
mod tests;
