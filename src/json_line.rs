//! A JSON object on one line, put together from parts that serde writes.
//!
//! A part that is the same for many objects is written once, as [`Members`], and appended to each:
//! what a token says of its bearer stands in the record of every request that carries it.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// An object under way: everything but its closing brace.
pub(crate) struct JsonLine(Vec<u8>);

/// Members of an object, written before: JSON without the braces around it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Members(Box<str>);

impl JsonLine {
    /// An empty object, in a reusable buffer.
    pub(crate) fn within(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.reserve(USUAL_BYTES);
        buffer.push(b'{');
        Self(buffer)
    }

    /// Adds the members of what serializes as an object.
    pub(crate) fn add(&mut self, part: &impl Serialize) {
        let start = self.0.len();
        let is_written = serde_json::to_writer(&mut self.0, part).is_ok();
        if !is_written || self.0.len() <= start.saturating_add(EMPTY.len()) {
            // Nothing that we write fails; what did would leave half an object.
            self.0.truncate(start);
            return;
        }
        self.0.pop();
        if start == 1 {
            self.0.remove(0);
        } else if let Some(brace) = self.0.get_mut(start) {
            *brace = b',';
        }
    }

    /// Adds members that were written before.
    pub(crate) fn add_written(&mut self, members: &Members) {
        if self.0.len() > 1 && !members.0.is_empty() {
            self.0.push(b',');
        }
        self.0.extend_from_slice(members.0.as_bytes());
    }

    /// The whole object, without a line break.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.0.push(b'}');
        self.0
    }
}

impl Members {
    /// Writes the members of what serializes as an object.
    pub(crate) fn of(part: &impl Serialize) -> Self {
        let text = to_text(part);
        let inside = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'));
        Self(inside.unwrap_or_default().into())
    }

    /// How many bytes they take.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// The JSON of a value of our own, none of which fails to serialize.
pub(crate) fn to_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The same, to be put into other JSON.
pub(crate) fn to_raw(value: &(impl Serialize + ?Sized)) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

const EMPTY: &str = "{}";

/// Records of calls without long names fit.
const USUAL_BYTES: usize = 1280;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn parts_make_one_object() {
        let map = |names: &[&'static str]| -> BTreeMap<&'static str, u8> {
            names.iter().map(|name| (*name, 1)).collect()
        };
        let written = |names| Members::of(&map(names));
        #[rustfmt::skip]
        let cases = [
            // first        written        last          want
            (map(&["a"]),   written(&["b"]), map(&["c", "d"]), r#"{"a":1,"b":1,"c":1,"d":1}"#),
            (map(&[]),      written(&["b"]), map(&["c"]),      r#"{"b":1,"c":1}"#),
            (map(&[]),      written(&[]),    map(&["c"]),      r#"{"c":1}"#),
            (map(&["a"]),   written(&[]),    map(&["c"]),      r#"{"a":1,"c":1}"#),
            (map(&["a"]),   written(&[]),    map(&[]),         r#"{"a":1}"#),
            (map(&[]),      written(&[]),    map(&[]),         "{}"),
        ];
        for (first, written, last, want) in cases {
            let mut line = JsonLine::within(b"of another line".to_vec());
            line.add(&first);
            line.add_written(&written);
            line.add(&last);
            assert_eq!(String::from_utf8(line.finish()), Ok(want.to_owned()));
        }
    }
}
