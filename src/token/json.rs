//! JSON, read strictly: RFC 8259 with every liberty withdrawn that two readers could use
//! differently.
//!
//! A member name that repeats, at any depth and after unescaping, is an error: a signer and a
//! verifier that pick different ones disagree on what was signed. So are lone surrogates, bytes
//! that are not UTF-8, a byte order mark, trailing bytes, numbers beyond a double, and nesting that
//! only an attacker writes.

mod object;
mod reading;
mod unread;

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

pub use object::{Member, Object};
pub(in crate::token) use unread::items as unread_items;

/// A JSON value.
///
/// Invariant: at most [`MAX_DEPTH`] arrays and objects inside one another, so walking and dropping
/// it cannot exhaust the stack.
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
    /// A number of at least 0 that was written with a fraction, in a text whose numbers have no
    /// exponents.
    Decimal(f64),
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
        reading::only_value(text).map_err(|(fault, _)| fault)
    }

    /// The same, and with the fault where it is and what was expected there, for whoever writes the
    /// text.
    pub fn parse_with_place(bytes: &[u8]) -> Result<Self, (JsonError, String)> {
        let fault = JsonError::NotUtf8;
        let text = std::str::from_utf8(bytes).map_err(|error| (fault, error.to_string()))?;
        reading::only_value(text).map_err(|(fault, error)| (fault, error.to_string()))
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

    /// The integer, where this is one of at least 0 that was written as one: `1.0` and `1e0` are
    /// not.
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
            Self::Null
            | Self::Bool(_)
            | Self::Unsigned(_)
            | Self::Negative(_)
            | Self::Decimal(_)
            | Self::Float(_) => 0,
            Self::String(text) => text.len().saturating_add(ALLOCATION),
            Self::Array(items) => items
                .iter()
                .map(|item| item.bytes().saturating_add(size_of::<[Self; 2]>()))
                .fold(ALLOCATION, usize::saturating_add),
            Self::Object(members) => members.bytes(),
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

/// Fractions are left out: no policy asks about one, and writing them takes code that nothing else
/// in the module needs.
impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null | Self::Decimal(_) | Self::Float(_) => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Unsigned(number) => serializer.serialize_u64(*number),
            Self::Negative(number) => serializer.serialize_i64(*number),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(members) => members.serialize(serializer),
        }
    }
}

/// The value at the end of a path: the first name is a member, each further one a member of the
/// object before it.
pub fn at<'a, S: AsRef<str>>(object: &'a Object, path: &[S]) -> Option<&'a Json> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(object.get(first.as_ref())?, |value, name| {
            value.get(name.as_ref())
        })
}

/// The whole number that a double is, from 0 and within 64 bits.
pub fn whole(double: f64) -> Option<u64> {
    let is_whole = double.fract().abs().to_bits() == 0;
    let seconds = Duration::try_from_secs_f64(double).ok()?.as_secs();
    is_whole.then_some(seconds)
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

impl JsonError {
    /// The stable name of this fault, for the audit record.
    pub const fn code(self) -> &'static str {
        match self {
            Self::DuplicateMember => "duplicate_member",
            Self::Malformed => "not_json",
            Self::NotUtf8 => "not_utf8",
            Self::TooDeep => "too_deep",
        }
    }
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

/// What the allocator adds to each piece of memory, at most.
pub const ALLOCATION: usize = 16;

/// Arrays and objects inside one another. No identity provider comes near it; deep nesting exhausts
/// the stack of readers that recurse, as CVE-2026-48042 did to Envoy, and ours is one of them.
pub const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests;
