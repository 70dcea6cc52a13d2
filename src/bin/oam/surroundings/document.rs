//! The documents that were read, and the line on which each of their values stands.

use std::path::PathBuf;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::place::{Place, Step};

/// One document of one file.
pub(in crate::cli) struct Document {
    pub(in crate::cli) file: PathBuf,
    pub(in crate::cli) value: Value,
    /// Absent where the reader that knows lines cannot read it.
    pub(in crate::cli) layout: Option<Spanned<Layout>>,
}

impl Document {
    /// The line of a place in it, or of what is nearest above.
    pub(in crate::cli) fn line(&self, place: &Place) -> Option<u64> {
        let mut here = self.layout.as_ref()?;
        for step in place.steps() {
            let next = match (step, &here.value) {
                (Step::Item(position), Layout::Items(items)) => items.get(*position),
                (Step::Key(key), Layout::Members(members)) => {
                    let member = members.iter().find(|(name, _)| name == key);
                    member.map(|(_, value)| value)
                }
                _ => None,
            };
            match next {
                Some(next) => here = next,
                None => break,
            }
        }
        let line = here.referenced.line();
        (line > 0).then_some(line)
    }
}

/// A value without what it says: only how it is laid out.
pub(in crate::cli) enum Layout {
    Items(Vec<Spanned<Layout>>),
    Leaf,
    Members(Vec<(String, Spanned<Layout>)>),
}

impl<'de> Deserialize<'de> for Layout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LayoutVisitor)
    }
}

struct LayoutVisitor;

impl<'de> Visitor<'de> for LayoutVisitor {
    type Value = Layout;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Layout, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Layout::Members(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Layout, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Layout::Items(items))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }

    fn visit_str<E>(self, _: &str) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }

    fn visit_unit<E>(self) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }

    fn visit_none<E>(self) -> Result<Layout, E> {
        Ok(Layout::Leaf)
    }
}
