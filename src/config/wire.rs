//! `google.protobuf.Struct` as it goes over the wire, into the JSON that it stands for.
//!
//! Envoy hands a plugin the bytes of whatever message its `configuration` holds, so a `Struct`
//! arrives encoded and a `StringValue` as its text. The messages are those of protobuf's
//! `struct.proto`; their wire format is that of the Protocol Buffers encoding guide.

use crate::token::json::{self, Json, Member, Object};

/// Decodes a whole `Struct`; `None` for bytes that are not one.
pub(super) fn decode(bytes: &[u8]) -> Option<Json> {
    object(bytes, json::MAX_DEPTH).map(Json::Object)
}

/// `Struct { map<string, Value> fields = 1 }`. A name that comes twice is refused, as two keys of
/// JSON are.
fn object(bytes: &[u8], depth: usize) -> Option<Object> {
    let mut members: Vec<Member> = Vec::new();
    for field in Fields(bytes) {
        let (1, Field::Bytes(entry)) = field? else {
            return None;
        };
        let (mut name, mut value) = (Box::default(), Json::Null);
        for field in Fields(entry) {
            match field? {
                (1, Field::Bytes(text)) => name = text_of(text)?,
                (2, Field::Bytes(message)) => value = self::value(message, depth.checked_sub(1)?)?,
                _ => return None,
            }
        }
        members.push((name, value));
    }
    let object = Object::of(members);
    (!object.has_repeated_name()).then_some(object)
}

/// `Value { oneof: null = 1, number = 2, string = 3, bool = 4, Struct = 5, ListValue = 6 }`. Of
/// several the last counts, as protobuf has it.
fn value(bytes: &[u8], depth: usize) -> Option<Json> {
    let mut value = Json::Null;
    for field in Fields(bytes) {
        value = match field? {
            (1, Field::Varint(_)) => Json::Null,
            (2, Field::Fixed64(bits)) => number(f64::from_bits(bits))?,
            (3, Field::Bytes(text)) => Json::String(text_of(text)?),
            (4, Field::Varint(flag)) => Json::Bool(flag != 0),
            (5, Field::Bytes(message)) => Json::Object(object(message, depth)?),
            (6, Field::Bytes(message)) => Json::Array(list(message, depth)?),
            _ => return None,
        };
    }
    Some(value)
}

/// `ListValue { repeated Value values = 1 }`.
fn list(bytes: &[u8], depth: usize) -> Option<Vec<Json>> {
    let depth = depth.checked_sub(1)?;
    Fields(bytes)
        .map(|field| match field? {
            (1, Field::Bytes(message)) => value(message, depth),
            _ => None,
        })
        .collect()
}

/// A double; whole ones become whole numbers, since a `Struct` knows no others.
fn number(double: f64) -> Option<Json> {
    if !double.is_finite() {
        return None;
    }
    if double < 0.0 {
        let whole = json::whole(-double).and_then(|number| 0_i64.checked_sub_unsigned(number));
        return Some(whole.map_or(Json::Float(double), Json::Negative));
    }
    Some(json::whole(double).map_or(Json::Decimal(double), Json::Unsigned))
}

fn text_of(bytes: &[u8]) -> Option<Box<str>> {
    std::str::from_utf8(bytes).ok().map(Into::into)
}

/// A field's content, by its wire type.
enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message in order; ends with a `None` item at the first byte that is none.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Field<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn read(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.varint()?;
        let field = match tag & 0b111 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(*self.take_chunk()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (content, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Field::Bytes(content)
            }
            _ => return None,
        };
        Some((tag >> 3, field))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let &[byte] = self.take_chunk()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take_chunk<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(chunk)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = content.len();
        while length > 0x7f {
            bytes.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).unwrap());
        bytes.extend(content);
        bytes
    }

    /// Encodes as protobuf does.
    fn encode(value: &Value) -> Vec<u8> {
        match value {
            Value::Null => vec![1 << 3, 0],
            Value::Bool(flag) => vec![4 << 3, u8::from(*flag)],
            Value::Number(number) => {
                [&[2 << 3 | 1][..], &number.as_f64().unwrap().to_le_bytes()].concat()
            }
            Value::String(text) => field(3, text.as_bytes()),
            Value::Array(items) => field(
                6,
                &items
                    .iter()
                    .flat_map(|item| field(1, &encode(item)))
                    .collect::<Vec<_>>(),
            ),
            Value::Object(members) => field(5, &encode_struct(members)),
        }
    }

    pub(in super::super) fn encode_struct(members: &Map<String, Value>) -> Vec<u8> {
        let entry = |(name, value): (&String, &Value)| {
            field(
                1,
                &[field(1, name.as_bytes()), field(2, &encode(value))].concat(),
            )
        };
        members.iter().flat_map(entry).collect()
    }

    #[test]
    fn a_struct_is_the_json_that_it_stands_for() {
        let document = json!({
            "text": "ä", "long": "x".repeat(300), "whole": 16384, "negative": -1, "part": 0.5, "yes": true, "no": false, "nothing": null,
            "list": [1, [], {}, "a"], "object": {"a": {"b": []}}, "": "",
        });
        let want = Json::parse(document.to_string().as_bytes()).unwrap();
        let decoded = decode(&encode_struct(document.as_object().unwrap()));
        assert_eq!(decoded, Some(want));
        assert_eq!(decode(&[]), Some(Json::Object(Object::default())));
    }

    #[test]
    fn what_is_no_struct_is_none() {
        let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
        let twice = [field(1, &field(1, b"a")), field(1, &field(1, b"a"))].concat();
        #[rustfmt::skip]
        let cases: [(&str, Vec<u8>); 7] = [
            // name                  bytes
            ("JSON",                 b"{}".to_vec()),
            ("a cut field",          vec![0x0a, 5, 1]),
            ("an endless number",    vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            ("another field",        field(2, b"")),
            ("not UTF-8",            field(1, &field(1, b"\xff"))),
            ("one name twice",       twice),
            ("too deep",             encode_struct(json!({ "a": deep }).as_object().unwrap())),
        ];
        for (name, bytes) in cases {
            assert_eq!(decode(&bytes), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = decode(&bytes);
        }
    }
}
