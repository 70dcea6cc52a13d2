//! JSON, read strictly: RFC 8259 with every liberty withdrawn that two readers could use differently.
//!
//! A member name that repeats, at any depth and after unescaping, is an error: a signer and a verifier that pick different ones
//! disagree on what was signed. So are lone surrogates, bytes that are not UTF-8, a byte order mark, trailing bytes, numbers beyond
//! a double, and nesting that only an attacker writes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// The members of a JSON object. Ordered by name, which also bounds the cost of finding a repeated one.
pub type Object = BTreeMap<Box<str>, Json>;

/// A JSON value.
///
/// Invariant: at most [`MAX_DEPTH`] arrays and objects inside one another, so walking and dropping it cannot exhaust the stack.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of at least 0, written without fraction and exponent.
    Unsigned(u64),
    /// An integer below 0, written without fraction and exponent.
    Negative(i64),
    /// Every other number, integers beyond 64 bits and `-0` among them.
    Float(f64),
    /// A string.
    String(Box<str>),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(Object),
}

impl Json {
    /// Parses one JSON text, all of the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let text = std::str::from_utf8(bytes).map_err(|_| JsonError::NotUtf8)?;
        let fault = Cell::new(JsonError::Malformed);
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let seed = Value {
            depth: 0,
            fault: &fault,
        };
        let value = seed
            .deserialize(&mut deserializer)
            .map_err(|_| fault.get())?;
        deserializer.end().map_err(|_| JsonError::Malformed)?;
        Ok(value)
    }

    /// The member of this name, where this is an object that has one.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }

    /// The string, where this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self {
            Some(text)
        } else {
            None
        }
    }

    /// The boolean, where this is one.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self {
            Some(*value)
        } else {
            None
        }
    }

    /// The integer, where this is one of at least 0 that was written as one: `1.0` and `1e0` are not.
    pub const fn as_u64(&self) -> Option<u64> {
        if let Self::Unsigned(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The items, where this is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self {
            Some(items)
        } else {
            None
        }
    }

    /// About the memory that the value takes beyond its own place.
    fn bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Unsigned(_) | Self::Negative(_) | Self::Float(_) => {
                0
            }
            Self::String(text) => text.len().saturating_add(ALLOCATION),
            Self::Array(items) => items
                .iter()
                .map(|item| item.bytes().saturating_add(size_of::<[Self; 2]>()))
                .fold(ALLOCATION, usize::saturating_add),
            Self::Object(members) => bytes(members),
        }
    }

    /// The members, where this is an object.
    pub const fn as_object(&self) -> Option<&Object> {
        if let Self::Object(members) = self {
            Some(members)
        } else {
            None
        }
    }
}

/// The value at the end of a path: the first name is a member, each further one a member of the object before it.
pub fn at<'a, S: AsRef<str>>(object: &'a Object, path: &[S]) -> Option<&'a Json> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(object.get(first.as_ref())?, |value, name| {
            value.get(name.as_ref())
        })
}

/// About the memory that an object's members take, rather too much than too little.
pub fn bytes(object: &Object) -> usize {
    // A node of the tree has room for eleven members, and five of them at least, the first one aside.
    let nodes = object.len().div_ceil(5);
    let node = size_of::<(Box<str>, Json)>().saturating_mul(12);
    object
        .iter()
        .map(|(name, value)| {
            name.len()
                .saturating_add(ALLOCATION)
                .saturating_add(value.bytes())
        })
        .fold(nodes.saturating_mul(node), usize::saturating_add)
}

/// Why bytes are not JSON that we read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JsonError {
    /// An object names a member twice.
    DuplicateMember,
    /// Not JSON: syntax, a lone surrogate, a number beyond a double, bytes behind the value.
    Malformed,
    /// Not UTF-8.
    NotUtf8,
    /// More than [`MAX_DEPTH`] arrays and objects inside one another.
    TooDeep,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateMember => f.write_str("a JSON object names a member twice"),
            Self::Malformed => f.write_str("not JSON"),
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::TooDeep => write!(f, "JSON nested more than {MAX_DEPTH} deep"),
        }
    }
}

/// Reads one value that stands inside `depth` others.
///
/// serde's errors are texts; the reasons of our own pass beside them, in `fault`.
#[derive(Clone, Copy)]
struct Value<'a> {
    depth: usize,
    fault: &'a Cell<JsonError>,
}

impl Value<'_> {
    /// The seed for the values inside an array or object that is being entered.
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.saturating_add(1);
        if depth > MAX_DEPTH {
            return Err(self.refuse(JsonError::TooDeep));
        }
        Ok(Self { depth, ..self })
    }

    fn refuse<E: serde::de::Error>(self, fault: JsonError) -> E {
        self.fault.set(fault);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Json;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Unsigned(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(u64::try_from(number).map_or(Json::Negative(number), Json::Unsigned))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Json, E> {
        if number.is_finite() {
            Ok(Json::Float(number))
        } else {
            Err(E::custom("beyond a double"))
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let item = self.inside()?;
        let mut array = Vec::new();
        while let Some(value) = items.next_element_seed(item)? {
            array.push(value);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let member = self.inside()?;
        let mut object = Object::new();
        while let Some(name) = members.next_key::<Box<str>>()? {
            if object.contains_key(&name) {
                return Err(self.refuse(JsonError::DuplicateMember));
            }
            object.insert(name, members.next_value_seed(member)?);
        }
        Ok(Json::Object(object))
    }
}

/// What the allocator adds to each piece of memory, at most.
pub const ALLOCATION: usize = 16;

/// Arrays and objects inside one another. No identity provider comes near it; deep nesting exhausts the stack of readers that recurse,
/// as CVE-2026-48042 did to Envoy, and ours is one of them.
pub const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests;
