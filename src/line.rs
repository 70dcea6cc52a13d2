//! A JSON object on one line, written member by member straight into its text.
//!
//! Every request writes its record so, and every refusal its answer: it costs one allocation and about an instruction for each byte. Names of members are our own and need
//! no escaping; values are escaped as RFC 8259 §7 asks.

/// A line under way.
pub(crate) struct Line(String);

/// The name of a member, as it stands behind another one.
#[derive(Clone, Copy)]
pub(crate) struct Name(pub(crate) &'static str);

/// The [`Name`] of this text, put together by the compiler.
macro_rules! name {
    ($name:literal) => {
        $crate::line::Name(concat!(",\"", $name, "\":"))
    };
}
pub(crate) use name;

impl Line {
    /// An object whose first member is this text.
    pub(crate) fn new(name: Name, value: &str) -> Self {
        let mut text = String::with_capacity(USUAL_BYTES);
        text.push('{');
        text.push_str(name.0.trim_start_matches(','));
        let mut line = Self(text);
        line.quoted(value);
        line
    }

    /// A text.
    pub(crate) fn text(&mut self, name: Name, value: &str) {
        self.0.push_str(name.0);
        self.quoted(value);
    }

    /// A text, or `null`.
    pub(crate) fn nullable(&mut self, name: Name, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.raw(name, "null"),
        }
    }

    /// A text, where there is one.
    pub(crate) fn optional(&mut self, name: Name, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A list of texts.
    pub(crate) fn texts<'t>(&mut self, name: Name, values: impl IntoIterator<Item = &'t str>) {
        self.0.push_str(name.0);
        self.0.push('[');
        for (position, value) in values.into_iter().enumerate() {
            if position > 0 {
                self.0.push(',');
            }
            self.quoted(value);
        }
        self.0.push(']');
    }

    /// A number.
    pub(crate) fn number(&mut self, name: Name, value: u64) {
        self.raw(name, itoa::Buffer::new().format(value));
    }

    /// What is JSON already.
    pub(crate) fn raw(&mut self, name: Name, json: &str) {
        self.0.push_str(name.0);
        self.0.push_str(json);
    }

    /// The whole line, without its line break.
    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn quoted(&mut self, value: &str) {
        self.0.push('"');
        let mut rest = value;
        while let Some((plain, escaped, after)) = split_at_escape(rest) {
            self.0.push_str(plain);
            self.escape(escaped);
            rest = after;
        }
        self.0.push_str(rest);
        self.0.push('"');
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

/// What stands before the first byte that is to be escaped, that byte, and what follows it; `None` where there is none.
fn split_at_escape(text: &str) -> Option<(&str, u8, &str)> {
    let bytes = text.as_bytes();
    // Eight bytes at a time, for as long as there is nothing in them.
    let (words, _) = bytes.as_chunks::<8>();
    let plain = words.iter().take_while(|word| is_plain(**word)).count();
    let at = bytes
        .iter()
        .enumerate()
        .skip(plain.saturating_mul(8))
        .find_map(|(at, byte)| is_escaped(*byte).then_some(at))?;
    let (before, rest) = text.split_at_checked(at)?;
    let escaped = *rest.as_bytes().first()?;
    Some((before, escaped, rest.get(1..)?))
}

/// Whether none of eight bytes is to be escaped.
fn is_plain(bytes: [u8; 8]) -> bool {
    let word = u64::from_le_bytes(bytes);
    // The highest bit of a byte is set where that byte, taken for itself, was less than what is taken away; what borrows from its
    // neighbour only ever adds a finding. Bytes past ASCII have the bit set before and are left out.
    let below = |word: u64, limit: u64| word.wrapping_sub(limit) & !word & HIGH_BITS;
    let found = below(word, EACH * 0x20)
        | below(word ^ (EACH * 0x22), EACH)
        | below(word ^ (EACH * 0x5c), EACH);
    found == 0
}

const fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// One in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// The highest bit of each byte.
const HIGH_BITS: u64 = EACH * 0x80;

/// What nearly every record fits into.
const USUAL_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_stand_in_the_order_in_which_they_are_written() {
        let mut line = Line::new(name!("a"), "x");
        line.nullable(name!("b"), None);
        line.nullable(name!("c"), Some("y"));
        line.optional(name!("d"), None);
        line.texts(name!("e"), ["p", "q"]);
        line.texts(name!("f"), []);
        line.number(name!("g"), u64::MAX);
        line.raw(name!("h"), "true");
        assert_eq!(
            line.finish(),
            r#"{"a":"x","b":null,"c":"y","e":["p","q"],"f":[],"g":18446744073709551615,"h":true}"#
        );
    }

    proptest! {
        #[test]
        fn texts_are_escaped_as_another_writer_does(text in prop_oneof![any::<String>(), "[ -~]{0,40}", "[\"\\\\\\x00-\\x20a]{0,30}"]) {
            let line = Line::new(name!("a"), &text);
            prop_assert_eq!(line.finish(), serde_json::json!({ "a": text }).to_string());
        }
    }
}
