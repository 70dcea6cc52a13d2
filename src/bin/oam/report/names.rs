//! Texts that occur in millions of records, each kept once and named by a number.
//!
//! Only what a configuration or a valid token says belongs here: names of operations, roles and
//! rules, issuers, subjects and clients. What anybody may send would fill it.

use hashbrown::HashMap;

use super::super::records::{Text, beginning, shown};

/// A text, by its number. The order is that of first occurrence.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Name(u32);

impl Name {
    /// No text.
    pub(super) const NONE: Self = Self(0);
    /// One of those for which there is no room.
    const OTHER: Self = Self(1);

    /// Whether it is one of those for which there was no room.
    pub(super) const fn is_other(self) -> bool {
        self.0 == Self::OTHER.0
    }

    /// Whether there is none.
    pub(super) const fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }
}

/// The texts.
pub(super) struct Names {
    numbers: HashMap<Box<str>, Name>,
    texts: Vec<Box<str>>,
    /// Occurrences of texts for which there was no room.
    pub(super) left_out: u64,
}

impl Names {
    pub(super) fn new() -> Self {
        Self {
            numbers: HashMap::new(),
            texts: vec!["".into(), OTHER.into()],
            left_out: 0,
        }
    }

    /// The number of a text, or of its beginning where it is long.
    pub(super) fn of(&mut self, text: &str) -> Name {
        let text = beginning(text);
        if let Some(name) = self.numbers.get(text) {
            return *name;
        }
        if self.texts.len() >= MOST {
            self.left_out = self.left_out.saturating_add(1);
            return Name::OTHER;
        }
        let name = Name(u32::try_from(self.texts.len()).unwrap_or(u32::MAX));
        self.texts.push(shown(text).into());
        self.numbers.insert(text.into(), name);
        name
    }

    /// The same, where there may be none.
    pub(super) fn of_optional(&mut self, text: Option<&Text<'_>>) -> Name {
        text.map_or(Name::NONE, |text| self.of(text.as_str()))
    }

    /// The text; empty where there is none.
    pub(super) fn text(&self, name: Name) -> &str {
        let position = usize::try_from(name.0).unwrap_or(usize::MAX);
        self.texts.get(position).map_or(OTHER, |text| text)
    }

    /// The text; `None` where there is none.
    pub(super) fn optional(&self, name: Name) -> Option<String> {
        (!name.is_none()).then(|| self.text(name).to_owned())
    }
}

/// A hundred thousand people and workloads, and half as many names again. With texts as long as
/// they can be that is 50 MiB, in practice 15.
const MOST: usize = 150_000;

const OTHER: &str = "(others)";
