//! From text to value. `serde_json` reads; what it lets pass and we do not is refused on the way.

use std::cell::{Cell, OnceCell};
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::object::Member;
use super::{Json, JsonError, MAX_DEPTH, Object};

/// One value, behind which there is nothing. With the fault comes what `serde_json` says of it, its
/// place included.
pub(super) fn only_value(text: &str) -> Result<Json, (JsonError, serde_json::Error)> {
    let reading = JsonReading::of(text);
    let mut source = serde_json::Deserializer::from_str(text);
    reading
        .inside(0)
        .deserialize(&mut source)
        .and_then(|json| source.end().map(|()| json))
        .map_err(|error| (reading.fault.get(), error))
}

/// Out of a document that is read already.
impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        JsonReading::of("").inside(0).deserialize(source)
    }
}

/// What is known of the whole text.
struct JsonReading<'a> {
    text: &'a str,
    /// Why reading ended, where it did.
    fault: Cell<JsonError>,
    has_exponent: OnceCell<bool>,
}

impl<'a> JsonReading<'a> {
    const fn of(text: &'a str) -> Self {
        Self {
            text,
            fault: Cell::new(JsonError::Malformed),
            has_exponent: OnceCell::new(),
        }
    }

    const fn inside(&self, depth: usize) -> ValueReader<'_> {
        ValueReader {
            reading: self,
            depth,
        }
    }

    fn fail<E: serde::de::Error>(&self, fault: JsonError) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

/// Reads a value that stands inside so many others.
#[derive(Clone, Copy)]
struct ValueReader<'a> {
    reading: &'a JsonReading<'a>,
    depth: usize,
}

impl ValueReader<'_> {
    /// What reads the values of this array or object.
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.reading.fail(JsonError::TooDeep));
        }
        Ok(Self {
            depth: self.depth.saturating_add(1),
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for ValueReader<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Json, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueReader<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
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
        Ok(Json::Negative(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        let has_exponent = || has_exponent(self.reading.text);
        // From here on it may be an integer beyond 64 bits.
        let is_decimal = number.is_sign_positive()
            && number < BEYOND_INTEGERS
            && !self.reading.has_exponent.get_or_init(has_exponent);
        Ok(if is_decimal {
            Json::Decimal(number)
        } else {
            Json::Float(number)
        })
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Json, A::Error> {
        let reader = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = source.next_element_seed(reader)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Json, A::Error> {
        let reader = self.deeper()?;
        let mut members: Vec<Member> = Vec::new();
        while let Some(name) = source.next_key::<Box<str>>()? {
            if members.len() < FEW && members.iter().any(|(other, _)| *other == name) {
                return Err(self.reading.fail(JsonError::DuplicateMember));
            }
            members.push((name, source.next_value_seed(reader)?));
        }
        let object = Object::of(members);
        if object.len() > FEW && object.has_repeated_name() {
            return Err(self.reading.fail(JsonError::DuplicateMember));
        }
        Ok(Json::Object(object))
    }
}

/// Whether any number of a JSON text has an exponent: outside strings, `e` stands behind a digit
/// nowhere else.
fn has_exponent(text: &str) -> bool {
    let mut is_text = false;
    let mut before = b' ';
    for byte in text.bytes() {
        match (is_text, before, byte) {
            // What this one stands for, and that it ends nothing, is not this function's business.
            (true, b'\\', _) => {
                before = b' ';
                continue;
            }
            (_, _, b'"') => is_text = !is_text,
            (false, b'0'..=b'9', b'e' | b'E') => return true,
            _ => {}
        }
        before = byte;
    }
    false
}

/// 2^64.
const BEYOND_INTEGERS: f64 = 18_446_744_073_709_551_616.0;

/// Members among which a repeated name is found by looking at each. Beyond, that would cost the
/// square of their number.
const FEW: usize = 16;
