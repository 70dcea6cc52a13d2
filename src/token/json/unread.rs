//! The parts of a JSON text that are left unread, so that one that cannot be read spoils nothing
//! but itself.
//!
//! Any kind of value is taken, and the reader asks for the one that it wants: `serde`'s own words
//! for a value of another kind would format floating point, 24 KB of the module.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The items of the only member of this name, of an object in whose text it is an array. Of more
/// than so many items the rest is passed over.
pub(in crate::token) fn items<'a>(
    text: &'a str,
    name: &str,
    most: usize,
) -> Option<Vec<&'a RawValue>> {
    let Unread::Object(found) = Unread::read(text, name, most)? else {
        return None;
    };
    let &[list] = &*found else {
        return None;
    };
    match Unread::read(list.get(), name, most)? {
        Unread::Array(items) => Some(items),
        Unread::Object(_) | Unread::Other => None,
    }
}

/// A value by its kind.
enum Unread<'a> {
    /// With its first items.
    Array(Vec<&'a RawValue>),
    /// With the first values of its members of one name.
    Object(Vec<&'a RawValue>),
    Other,
}

impl<'a> Unread<'a> {
    fn read(text: &'a str, name: &str, most: usize) -> Option<Self> {
        let mut source = serde_json::Deserializer::from_str(text);
        let read = source.deserialize_any(UnreadReader { name, most }).ok()?;
        source.end().ok()?;
        Some(read)
    }
}

struct UnreadReader<'n> {
    name: &'n str,
    most: usize,
}

impl<'de> Visitor<'de> for UnreadReader<'_> {
    type Value = Unread<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Unread<'de>, E> {
        Ok(Unread::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unread<'de>, E> {
        Ok(Unread::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unread<'de>, E> {
        Ok(Unread::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unread<'de>, E> {
        Ok(Unread::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unread<'de>, E> {
        Ok(Unread::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unread<'de>, E> {
        Ok(Unread::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Unread<'de>, A::Error> {
        let mut items = Vec::new();
        while items.len() < self.most {
            match source.next_element()? {
                Some(item) => items.push(item),
                None => return Ok(Unread::Array(items)),
            }
        }
        while source.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Unread::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Unread<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(name) = source.next_key::<Box<str>>()? {
            if *name == *self.name && values.len() < self.most {
                values.push(source.next_value()?);
            } else {
                source.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Unread::Object(values))
    }
}
