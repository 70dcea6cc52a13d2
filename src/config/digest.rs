//! The digest that identifies a configuration in records.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::token::fingerprint;
use crate::token::json::{self, Json};

/// The first 12 hexadecimal digits of the SHA-256 of a configuration. A map's order, which Envoy
/// does not keep, does not change it.
pub(super) fn of(document: &Json) -> String {
    let text = serde_json::to_string(&Ordered(document)).unwrap_or_default();
    let mut digest = String::new();
    fingerprint::digest_onto(&mut digest, text.as_bytes(), DIGEST_BYTES);
    digest
}

/// A document with the members of every object in order. A fraction, which no setting has, stands
/// as its bits: to format it is 16 KB of the module.
struct Ordered<'a>(&'a Json);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Json::Null => target.serialize_unit(),
            Json::Bool(value) => target.serialize_bool(*value),
            Json::Unsigned(number) => target.serialize_u64(*number),
            Json::Negative(number) => target.serialize_i64(*number),
            Json::Decimal(number) | Json::Float(number) => {
                target.serialize_u64(json::whole(*number).unwrap_or(number.to_bits()))
            }
            Json::String(text) => target.serialize_str(text),
            Json::Array(items) => target.collect_seq(items.iter().map(Ordered)),
            Json::Object(members) => {
                let mut map = target.serialize_map(Some(members.len()))?;
                for (name, value) in members.in_order() {
                    map.serialize_entry(name, &Ordered(value))?;
                }
                map.end()
            }
        }
    }
}

const DIGEST_BYTES: usize = 6;
