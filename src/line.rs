//! A JSON object on one line, written member by member straight into its text.
//!
//! Every request writes its record so, into the room of the one before, and every refusal its
//! answer. Names of members are our own and need no escaping; values are escaped as RFC 8259 §7
//! asks.

use crate::bytes::{self, is_one_of, is_within};

/// A line under way.
pub(crate) struct Line(String);

/// The name of a member, as it stands behind another one and before a text: the quotation mark of
/// that is part of it.
#[derive(Clone, Copy)]
pub(crate) struct Name(pub(crate) &'static str);

/// The [`Name`] of this text, put together by the compiler.
macro_rules! name {
    ($name:literal) => {
        $crate::line::Name(concat!(",\"", $name, "\":\""))
    };
}
pub(crate) use name;

/// What a member holds.
#[derive(Clone, Copy)]
pub(crate) enum Value<'v> {
    /// The member is left out.
    Absent,
    /// `null`, `true`, an object: what is JSON already.
    Json(&'v str),
    /// A number.
    Number(u64),
    /// A text.
    Text(&'v str),
    /// A text that has nothing to escape: a word of our own.
    Word(&'v str),
}

impl<'v> Value<'v> {
    /// `null`.
    pub(crate) const NULL: Self = Self::Json("null");

    /// A text, or `null`.
    pub(crate) fn nullable(text: Option<&'v str>) -> Self {
        text.map_or(Self::NULL, Self::Text)
    }

    /// A text, where there is one.
    pub(crate) fn optional(text: Option<&'v str>) -> Self {
        text.map_or(Self::Absent, Self::Text)
    }

    /// `true`, where it is.
    pub(crate) const fn where_true(is: bool) -> Self {
        if is { Self::Json("true") } else { Self::Absent }
    }
}

impl Line {
    /// An object whose first member is this text.
    pub(crate) fn new(name: Name, value: &str) -> Self {
        Self::within(String::new(), name, Some(value))
    }

    /// The same, or `null`, in the room of another text.
    pub(crate) fn within(room: String, name: Name, value: Option<&str>) -> Self {
        let mut text = room;
        text.clear();
        text.reserve(USUAL_BYTES);
        text.push('{');
        let name = name.0.trim_start_matches(',');
        let mut line = Self(text);
        match value {
            Some(value) => {
                line.0.push_str(name);
                line.end(value);
            }
            None => line.append(&[name.strip_suffix('"').unwrap_or(name), "null"]),
        }
        line
    }

    /// Members, in this order.
    ///
    /// All of a record in one loop: what runs once for each request is met cold each time, and a
    /// call for each member would cost more than the member.
    #[inline(never)]
    pub(crate) fn write(&mut self, members: &[(Name, Value<'_>)]) {
        for (name, value) in members {
            match *value {
                Value::Absent => {}
                Value::Number(number) => self.number(*name, number),
                Value::Json(json) => self.json(*name, json),
                Value::Text(text) if !is_plain(text) => self.text(*name, text),
                Value::Text(text) | Value::Word(text) => self.append(&[name.0, text, "\""]),
            }
        }
    }

    /// Members that were written before, by [`members`].
    pub(crate) fn written(&mut self, members: &str) {
        self.append(&[members]);
    }

    #[inline(never)]
    fn append(&mut self, pieces: &[&str]) {
        for piece in pieces {
            self.0.push_str(piece);
        }
    }

    /// A list of texts.
    pub(crate) fn texts<'t>(&mut self, name: Name, values: impl IntoIterator<Item = &'t str>) {
        self.json(name, "");
        self.list(values);
    }

    fn list<'t>(&mut self, values: impl IntoIterator<Item = &'t str>) {
        self.0.push('[');
        for (position, value) in values.into_iter().enumerate() {
            self.0.push_str(if position > 0 { ",\"" } else { "\"" });
            self.end(value);
        }
        self.0.push(']');
    }

    /// A text.
    #[inline(never)]
    pub(crate) fn text(&mut self, name: Name, value: &str) {
        self.0.push_str(name.0);
        self.end(value);
    }

    /// What is JSON already.
    pub(crate) fn json(&mut self, name: Name, json: &str) {
        self.append(&[name.0.strip_suffix('"').unwrap_or(name.0), json]);
    }

    /// A text that stands behind a name which was written with what came before.
    pub(crate) fn value(&mut self, value: &str) {
        self.0.push('"');
        self.end(value);
    }

    /// The end of an object within the line.
    pub(crate) fn close(&mut self) {
        self.0.push('}');
    }

    /// The whole line, without its line break.
    pub(crate) fn finish(self) -> String {
        self.finish_with("}")
    }

    /// The whole line, whose last members are in objects of their own.
    pub(crate) fn finish_with(mut self, brackets: &str) -> String {
        self.0.push_str(brackets);
        self.0
    }

    #[inline(never)]
    fn number(&mut self, name: Name, value: u64) {
        self.json(name, itoa::Buffer::new().format(value));
    }

    /// A text behind its quotation mark.
    #[inline(never)]
    fn end(&mut self, value: &str) {
        let mut rest = value;
        while let Some((plain, escaped, after)) = split_at_escape(rest) {
            self.0.push_str(plain);
            self.escape(escaped);
            rest = after;
        }
        self.append(&[rest, "\""]);
    }

    fn escape(&mut self, byte: u8) {
        self.0.push('\\');
        match byte {
            b'"' | b'\\' => self.0.push(char::from(byte)),
            b'\n' => self.0.push('n'),
            b'\r' => self.0.push('r'),
            b'\t' => self.0.push('t'),
            0x08 => self.0.push('b'),
            0x0c => self.0.push('f'),
            byte => {
                self.0.push_str("u00");
                for digit in [byte >> 4, byte & 0xf] {
                    self.0.extend(char::from_digit(digit.into(), 16));
                }
            }
        }
    }
}

/// A list of texts, for [`Value::Json`].
pub(crate) fn list<'t>(values: impl IntoIterator<Item = &'t str>) -> String {
    let mut line = Line(String::new());
    line.list(values);
    line.0
}

/// Members with a comma before each, for [`Line::written`].
pub(crate) fn members(members: &[(Name, Value<'_>)]) -> String {
    let mut line = Line(String::new());
    line.write(members);
    line.0
}

/// What stands before the first byte that is to be escaped, that byte, and what follows it; `None`
/// where there is none.
fn split_at_escape(text: &str) -> Option<(&str, u8, &str)> {
    let bytes = text.as_bytes();
    let at = bytes::length_of_run(bytes, |byte| !is_escaped(byte));
    let (before, rest) = text.split_at_checked(at)?;
    let escaped = *rest.as_bytes().first()?;
    Some((before, escaped, rest.get(1..)?))
}

fn is_plain(text: &str) -> bool {
    bytes::has_only(text.as_bytes(), |byte| !is_escaped(byte))
}

fn is_escaped(byte: u8) -> bool {
    is_within(byte, 0, 0x1f) | is_one_of(byte, b"\"\\")
}

/// What nearly every record fits into.
const USUAL_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_stand_in_the_order_in_which_they_are_written() {
        let mut line = Line::new(name!("a"), "x");
        line.write(&[
            (name!("b"), Value::nullable(None)),
            (name!("c"), Value::nullable(Some("y"))),
            (name!("d"), Value::optional(None)),
            (name!("d"), Value::where_true(false)),
        ]);
        line.texts(name!("e"), ["p", "q"]);
        line.texts(name!("f"), []);
        line.write(&[(name!("l"), Value::Json(&list(["p", "\n"])))]);
        line.write(&[
            (name!("g"), Value::Number(u64::MAX)),
            (name!("h"), Value::where_true(true)),
            (name!("i"), Value::Word("z")),
            (name!("j"), Value::Text("\"")),
        ]);
        assert_eq!(
            line.finish(),
            r#"{"a":"x","b":null,"c":"y","e":["p","q"],"f":[],"l":["p","\n"],"g":18446744073709551615,"h":true,"i":"z","j":"\""}"#
        );
    }

    proptest! {
        #[test]
        fn texts_are_escaped_as_another_writer_does(text in prop_oneof![any::<String>(), "[ -~]{0,40}", "[\"\\\\\\x00-\\x20a]{0,30}"]) {
            let mut line = Line::new(name!("a"), &text);
            line.write(&[(name!("b"), Value::Text(&text))]);
            prop_assert_eq!(line.finish(), serde_json::json!({ "a": text, "b": text }).to_string());
        }
    }
}
