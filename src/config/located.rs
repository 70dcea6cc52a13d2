//! Reading a type out of a JSON value, and where in the value it failed.
//!
//! `serde_path_to_error` does this for every format, by wrapping each visitor in another one: 80
//! KiB of the module for a configuration of this size. Here there is one format, so the place is
//! noted where the value is walked.

use std::cell::RefCell;

use serde::de::value::{StrDeserializer, U64Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::token::json::{Json, Member, Object};

use super::shape_error::ShapeError;

/// One step into a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum DocumentStep {
    /// To an item of a list.
    Item(usize),
    /// To the value under a key.
    Key(Box<str>),
}

/// Reads a value; where it does not fit, why, and the way to what does not.
pub(super) fn read<'de, T: Deserialize<'de>>(
    value: &'de Json,
) -> Result<T, (ShapeError, Vec<DocumentStep>)> {
    let way = RefCell::new(Vec::new());
    T::deserialize(Located { value, way: &way }).map_err(|error| (error, way.into_inner()))
}

/// A value, and the way to it. Steps are taken back only where all went well, so that after a
/// failure they lead to it.
#[derive(Clone, Copy)]
struct Located<'de, 'w> {
    value: &'de Json,
    way: &'w RefCell<Vec<DocumentStep>>,
}

/// Each of these is one function for all types, of which there are sixty.
impl<'de> Located<'de, '_> {
    /// The value at the end of a step.
    #[inline(never)]
    fn enter(self, step: DocumentStep, value: &'de Json) -> Self {
        self.way.borrow_mut().push(step);
        Self { value, ..self }
    }

    /// Takes the last step back.
    #[inline(never)]
    fn leave(self) {
        self.way.borrow_mut().pop();
    }

    /// Takes the last step back from a value that could be read.
    fn left<T>(self, read: T) -> T {
        self.leave();
        read
    }

    /// The members of an object that has no others than these.
    fn object(
        self,
        names: &'static [&'static str],
        expected: &dyn Expected,
    ) -> Result<&'de Object, ShapeError> {
        let Json::Object(members) = self.value else {
            return Err(self.is_no(expected));
        };
        match members
            .members()
            .find(|(name, _)| !names.contains(&&**name))
        {
            None => Ok(members),
            Some((name, _)) => {
                self.way.borrow_mut().push(DocumentStep::Key(name.clone()));
                Err(ShapeError::unknown_field(name, names))
            }
        }
    }

    fn is_no(self, expected: &dyn Expected) -> ShapeError {
        let found = match self.value {
            Json::Null => Unexpected::Unit,
            Json::Bool(value) => Unexpected::Bool(*value),
            Json::Unsigned(number) => Unexpected::Unsigned(*number),
            Json::Negative(number) => Unexpected::Signed(*number),
            Json::Decimal(number) | Json::Float(number) => Unexpected::Float(*number),
            Json::String(text) => Unexpected::Str(text),
            Json::Array(_) => Unexpected::Seq,
            Json::Object(_) => Unexpected::Map,
        };
        ShapeError::invalid_type(found, expected)
    }
}

impl<'de> Deserializer<'de> for Located<'de, '_> {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self.value {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Unsigned(number) => visitor.visit_u64(*number),
            Json::Negative(number) => visitor.visit_i64(*number),
            Json::Decimal(number) | Json::Float(number) => visitor.visit_f64(*number),
            Json::String(text) => visitor.visit_borrowed_str(text),
            Json::Array(items) => visitor.visit_seq(Items {
                at: self,
                items: items.iter().enumerate(),
            }),
            Json::Object(members) => visitor.visit_map(Entries {
                at: self,
                rest: members.members(),
                at_hand: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        if *self.value == Json::Null {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        visitor.visit_newtype_struct(self)
    }

    /// By the members in the order of the type, of which `serde` has the shorter half of a derived
    /// reader: whoever looks up names has to compare them with all that there are, once for each
    /// type, in 40 KB of the module.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        let members = self.object(names, &visitor)?;
        let mut fields = StructFields {
            at: self,
            members,
            names: names.iter(),
            absent: "",
        };
        visitor
            .visit_seq(&mut fields)
            .map_err(|error| error.or_missing(fields.absent))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        let content = match self.value {
            Json::String(_) => None,
            Json::Object(members) => one(members),
            Json::Null
            | Json::Bool(_)
            | Json::Unsigned(_)
            | Json::Negative(_)
            | Json::Decimal(_)
            | Json::Float(_)
            | Json::Array(_) => return Err(self.is_no(&visitor)),
        };
        visitor.visit_enum(Variant {
            at: self,
            names,
            content,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The only member of an object.
fn one(members: &Object) -> Option<&Member> {
    match members.members().as_slice() {
        [member] => Some(member),
        _ => None,
    }
}

/// The members of an object in the order of a type.
struct StructFields<'de, 'w> {
    at: Located<'de, 'w>,
    members: &'de Object,
    names: std::slice::Iter<'static, &'static str>,
    /// The last that was looked up and is not there.
    absent: &'static str,
}

impl<'de> SeqAccess<'de> for StructFields<'de, '_> {
    type Error = ShapeError;

    /// None for a member that is not there, and the next one may be. A member that may be absent
    /// without a default reads as `null`.
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ShapeError> {
        let Some((value, is_absent)) = self.advance() else {
            return Ok(None);
        };
        match seed.deserialize(value) {
            Ok(read) => Ok(Some(self.at.left(read))),
            Err(_) if is_absent => Ok(self.at.left(None)),
            Err(error) => Err(error),
        }
    }
}

impl<'de, 'w> StructFields<'de, 'w> {
    /// The next member's value, and whether `null` stands for one that is not there.
    #[inline(never)]
    fn advance(&mut self) -> Option<(Located<'de, 'w>, bool)> {
        let name = self.names.next()?;
        let found = self.members.get(name);
        if found.is_none() {
            self.absent = name;
        }
        let step = DocumentStep::Key((*name).into());
        let value = self.at.enter(step, found.unwrap_or(&Json::Null));
        Some((value, found.is_none()))
    }
}

struct Items<'de, 'w> {
    at: Located<'de, 'w>,
    items: std::iter::Enumerate<std::slice::Iter<'de, Json>>,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = ShapeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ShapeError> {
        let Some((position, item)) = self.items.next() else {
            return Ok(None);
        };
        let read = seed.deserialize(self.at.enter(DocumentStep::Item(position), item))?;
        Ok(Some(self.at.left(read)))
    }
}

struct Entries<'de, 'w> {
    at: Located<'de, 'w>,
    rest: std::slice::Iter<'de, Member>,
    at_hand: Option<&'de Member>,
}

impl<'de> MapAccess<'de> for Entries<'de, '_> {
    type Error = ShapeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ShapeError> {
        self.at_hand = self.rest.next();
        let Some((key, value)) = self.at_hand else {
            return Ok(None);
        };
        self.at.enter(DocumentStep::Key(key.clone()), value);
        let read = seed.deserialize(StrDeserializer::new(key))?;
        Ok(Some(self.at.left(read)))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, ShapeError> {
        let (key, value) = self
            .at_hand
            .take()
            .ok_or_else(|| ShapeError::custom("a value without its key"))?;
        let read = seed.deserialize(self.at.enter(DocumentStep::Key(key.clone()), value))?;
        Ok(self.at.left(read))
    }
}

/// A variant by its name, or by the only key of an object that holds its content.
struct Variant<'de, 'w> {
    at: Located<'de, 'w>,
    names: &'static [&'static str],
    content: Option<&'de Member>,
}

impl<'de, 'w> EnumAccess<'de> for Variant<'de, 'w> {
    type Error = ShapeError;
    type Variant = Content<'de, 'w>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'de, 'w>), ShapeError> {
        let ((Some((name, _)), _) | (None, Json::String(name))) = (self.content, self.at.value)
        else {
            let expected = &"a name, or an object with one key";
            return Err(ShapeError::invalid_type(Unexpected::Map, expected));
        };
        let position = (0..).zip(self.names).find(|(_, known)| ***known == **name);
        let (position, _) =
            position.ok_or_else(|| ShapeError::unknown_variant(name, self.names))?;
        let variant = seed.deserialize(U64Deserializer::<ShapeError>::new(position))?;
        Ok((
            variant,
            Content {
                at: self.at,
                content: self.content,
            },
        ))
    }
}

struct Content<'de, 'w> {
    at: Located<'de, 'w>,
    content: Option<&'de Member>,
}

impl<'de> VariantAccess<'de> for Content<'de, '_> {
    type Error = ShapeError;

    fn unit_variant(self) -> Result<(), ShapeError> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(ShapeError::invalid_type(Unexpected::Map, &"a name alone")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, ShapeError> {
        let Some((name, content)) = self.content else {
            return Err(ShapeError::invalid_type(
                Unexpected::UnitVariant,
                &"an object with one key",
            ));
        };
        let read = seed.deserialize(self.at.enter(DocumentStep::Key(name.clone()), content))?;
        Ok(self.at.left(read))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ShapeError> {
        Err(ShapeError::invalid_type(Unexpected::TupleVariant, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        Err(ShapeError::invalid_type(
            Unexpected::StructVariant,
            &visitor,
        ))
    }
}
