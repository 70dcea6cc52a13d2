//! Reading a type out of a JSON value, and where in the value it failed.
//!
//! `serde_path_to_error` does this for every format, by wrapping each visitor in another one: 80 KiB of the module for a configuration of
//! this size. Here there is one format, so the place is noted where the value is walked.

use std::cell::RefCell;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Error, Map, Value};

/// One step into a document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// To an item of a list.
    Item(usize),
    /// To the value under a key.
    Key(String),
}

/// Reads a value; where it does not fit, why, and the way to what does not.
pub(super) fn read<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T, (Error, Vec<Step>)> {
    let way = RefCell::new(Vec::new());
    T::deserialize(Located { value, way: &way }).map_err(|error| (error, way.into_inner()))
}

/// A value, and the way to it. Steps are taken back only where all went well, so that after a failure they lead to it.
#[derive(Clone, Copy)]
struct Located<'de, 'w> {
    value: &'de Value,
    way: &'w RefCell<Vec<Step>>,
}

impl<'de, 'w> Located<'de, 'w> {
    fn step<T>(
        self,
        step: Step,
        value: &'de Value,
        read: impl FnOnce(Located<'de, 'w>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.way.borrow_mut().push(step);
        let read = read(Located { value, ..self })?;
        self.way.borrow_mut().pop();
        Ok(read)
    }
}

impl<'de> Deserializer<'de> for Located<'de, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => number.deserialize_any(visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items {
                at: self,
                items: items.iter().enumerate(),
            }),
            Value::Object(members) => visitor.visit_map(Entries {
                at: self,
                rest: members.iter(),
                at_hand: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_none(),
            Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// A list is no object, although `serde` would take one for its members in order.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.value.is_array() {
            return Err(Error::invalid_type(Unexpected::Seq, &visitor));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::String(_) => visitor.visit_enum(Variant {
                at: self,
                content: None,
            }),
            Value::Object(members) => visitor.visit_enum(Variant {
                at: self,
                content: one(members),
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                self.deserialize_any(visitor)
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The only member of an object.
fn one(members: &Map<String, Value>) -> Option<(&String, &Value)> {
    let mut members = members.iter();
    members.next().filter(|_| members.next().is_none())
}

struct Items<'de, 'w> {
    at: Located<'de, 'w>,
    items: std::iter::Enumerate<std::slice::Iter<'de, Value>>,
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some((position, item)) = self.items.next() else {
            return Ok(None);
        };
        self.at
            .step(Step::Item(position), item, |item| seed.deserialize(item))
            .map(Some)
    }
}

struct Entries<'de, 'w> {
    at: Located<'de, 'w>,
    rest: serde_json::map::Iter<'de>,
    at_hand: Option<(&'de String, &'de Value)>,
}

impl<'de> MapAccess<'de> for Entries<'de, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.at_hand = self.rest.next();
        let Some((key, value)) = self.at_hand else {
            return Ok(None);
        };
        self.at
            .step(Step::Key(key.clone()), value, |_| {
                seed.deserialize(StrDeserializer::new(key))
            })
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let (key, value) = self
            .at_hand
            .take()
            .ok_or_else(|| Error::custom("a value without its key"))?;
        self.at.step(Step::Key(key.clone()), value, |value| {
            seed.deserialize(value)
        })
    }
}

/// A variant by its name, or by the only key of an object that holds its content.
struct Variant<'de, 'w> {
    at: Located<'de, 'w>,
    content: Option<(&'de String, &'de Value)>,
}

impl<'de, 'w> EnumAccess<'de> for Variant<'de, 'w> {
    type Error = Error;
    type Variant = Content<'de, 'w>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'de, 'w>), Error> {
        let ((Some((name, _)), _) | (None, Value::String(name))) = (self.content, self.at.value)
        else {
            let expected = &"a name, or an object with one key";
            return Err(Error::invalid_type(Unexpected::Map, expected));
        };
        let variant = seed.deserialize(StrDeserializer::<Error>::new(name))?;
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
    content: Option<(&'de String, &'de Value)>,
}

impl<'de> VariantAccess<'de> for Content<'de, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            None => Ok(()),
            Some(_) => Err(Error::invalid_type(Unexpected::Map, &"a name alone")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        let Some((name, content)) = self.content else {
            return Err(Error::invalid_type(
                Unexpected::UnitVariant,
                &"an object with one key",
            ));
        };
        self.at.step(Step::Key(name.clone()), content, |content| {
            seed.deserialize(content)
        })
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        Err(Error::invalid_type(Unexpected::TupleVariant, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        Err(Error::invalid_type(Unexpected::StructVariant, &visitor))
    }
}
