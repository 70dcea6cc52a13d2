//! The members of an object.

use std::slice;

use serde::{Serialize, Serializer};

use super::{ALLOCATION, Json};

/// The members of a JSON object, as they were written.
///
/// Most have about ten, which are looked through faster than a tree or a table finds one.
///
/// Invariant: what was read ([`Json::parse`]) has each name once.
#[derive(Clone, Debug, Default)]
pub struct Object(Vec<Member>);

/// A name and its value.
pub type Member = (Box<str>, Json);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Object {
    /// Of these, whose names differ.
    pub const fn of(members: Vec<Member>) -> Self {
        Self(members)
    }

    /// The value of the member of this name.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let mut members = self.0.iter();
        let (_, value) = members.find(|(other, _)| **other == *name)?;
        Some(value)
    }

    /// Whether there is a member of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Takes the member of this name out.
    pub fn remove(&mut self, name: &str) -> Option<Json> {
        let place = self.0.iter().position(|(other, _)| **other == *name)?;
        let (_, value) = self.0.remove(place);
        Some(value)
    }

    /// Every member.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Every member, as it stands in memory.
    pub fn members(&self) -> slice::Iter<'_, Member> {
        self.0.iter()
    }

    /// The value of the member of this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        let mut members = self.0.iter_mut();
        let (_, value) = members.find(|(other, _)| **other == *name)?;
        Some(value)
    }

    /// Puts a member in, in the place of the one that has its name.
    pub fn insert(&mut self, name: &str, value: Json) {
        match self.get_mut(name) {
            Some(place) => *place = value,
            None => self.0.push((name.into(), value)),
        }
    }

    /// How many members there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every member, ordered by name.
    pub fn in_order(&self) -> Vec<(&str, &Json)> {
        let mut members: Vec<_> = self.iter().collect();
        members.sort_unstable_by_key(|(name, _)| *name);
        members
    }

    /// Whether two members have one name.
    pub fn has_repeated_name(&self) -> bool {
        let members = self.in_order();
        let mut pairs = members.array_windows();
        pairs.any(|[(one, _), (other, _)]| one == other)
    }

    /// About the memory that they take, rather too much than too little.
    pub fn bytes(&self) -> usize {
        let places = self.0.capacity().saturating_mul(size_of::<Member>());
        self.iter()
            .map(|(name, value)| {
                name.len()
                    .saturating_add(ALLOCATION)
                    .saturating_add(value.bytes())
            })
            .fold(places.saturating_add(ALLOCATION), usize::saturating_add)
    }
}

impl FromIterator<Member> for Object {
    fn from_iter<I: IntoIterator<Item = Member>>(members: I) -> Self {
        Self(members.into_iter().collect())
    }
}

/// The order of members means nothing (RFC 8259 §4).
impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && (self.iter()).all(|(name, value)| other.get(name) == Some(value))
    }
}
