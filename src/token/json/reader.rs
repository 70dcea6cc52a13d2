//! From text to value, in one pass.

use crate::bytes::{is_one_of, length_of_run};

use super::object::Member;
use super::{Json, JsonError, MAX_DEPTH, Object};

/// A text, and how far it was read.
pub(super) struct Reader<'a> {
    text: &'a str,
    place: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, place: 0 }
    }

    /// One value, behind which there is nothing.
    pub(super) fn only_value(mut self) -> Result<Json, JsonError> {
        let value = self.value(0)?;
        match self.skip_space() {
            None => Ok(value),
            Some(_) => Err(JsonError::Malformed),
        }
    }

    /// A value that stands inside `depth` others.
    fn value(&mut self, depth: usize) -> Result<Json, JsonError> {
        match self.skip_space() {
            Some(b'"') => self.string().map(Json::String),
            Some(b'{') => self.object(inside(depth)?),
            Some(b'[') => self.array(inside(depth)?),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) | None => Err(JsonError::Malformed),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.skip(1);
        let mut members: Vec<Member> = Vec::new();
        if self.skip_space() == Some(b'}') {
            self.skip(1);
            return Ok(Json::Object(Object::default()));
        }
        loop {
            if self.skip_space() != Some(b'"') {
                return Err(JsonError::Malformed);
            }
            let name = self.string()?;
            if members.len() < FEW && members.iter().any(|(other, _)| *other == name) {
                return Err(JsonError::DuplicateMember);
            }
            self.skip_space();
            self.expect(b':')?;
            members.push((name, self.value(depth)?));
            if !self.goes_on(b'}')? {
                break;
            }
        }
        if members.len() > FEW && has_repeated_name(&members) {
            return Err(JsonError::DuplicateMember);
        }
        Ok(Json::Object(Object::of(members)))
    }

    fn array(&mut self, depth: usize) -> Result<Json, JsonError> {
        self.skip(1);
        let mut items = Vec::new();
        if self.skip_space() == Some(b']') {
            self.skip(1);
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            if !self.goes_on(b']')? {
                return Ok(Json::Array(items));
            }
        }
    }

    /// Whether a comma comes next, and not the end.
    fn goes_on(&mut self, end: u8) -> Result<bool, JsonError> {
        let next = self.skip_space();
        self.skip(1);
        match next {
            Some(b',') => Ok(true),
            Some(byte) if byte == end => Ok(false),
            Some(_) | None => Err(JsonError::Malformed),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, JsonError> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(JsonError::Malformed);
        }
        self.skip(word.len());
        Ok(value)
    }

    fn string(&mut self) -> Result<Box<str>, JsonError> {
        self.skip(1);
        let run = self.plain_run()?;
        if self.peek() == Some(b'"') {
            self.skip(1);
            return Ok(run.into());
        }
        let mut text = run.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.skip(1);
                    return Ok(text.into());
                }
                Some(b'\\') => text.push(self.escaped()?),
                Some(_) | None => return Err(JsonError::Malformed),
            }
            text.push_str(self.plain_run()?);
        }
    }

    /// What stands in a string for itself, up to what does not.
    fn plain_run(&mut self) -> Result<&'a str, JsonError> {
        let length = length_of_run(self.rest(), |byte| {
            (byte >= b' ') & (byte != b'"') & (byte != b'\\')
        });
        let end = self.place.saturating_add(length);
        let run = self.text.get(self.place..end);
        self.place = end;
        run.ok_or(JsonError::Malformed)
    }

    fn escaped(&mut self) -> Result<char, JsonError> {
        self.skip(1);
        let name = self.peek();
        self.skip(1);
        Ok(match name {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte.into(),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.escaped_units(),
            Some(_) | None => return Err(JsonError::Malformed),
        })
    }

    /// A character from its UTF-16 code units: one, or a surrogate pair.
    fn escaped_units(&mut self) -> Result<char, JsonError> {
        let first = self.code_unit()?;
        let second = if matches!(first, 0xd800..=0xdbff) {
            self.expect(b'\\')?;
            self.expect(b'u')?;
            Some(self.code_unit()?)
        } else {
            None
        };
        let mut characters = char::decode_utf16([first].into_iter().chain(second));
        match (characters.next(), characters.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => Err(JsonError::Malformed),
        }
    }

    fn code_unit(&mut self) -> Result<u16, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = (unit << 4) | digit.ok_or(JsonError::Malformed)?;
            self.skip(1);
        }
        u16::try_from(unit).map_err(|_| JsonError::Malformed)
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let start = self.place;
        let is_negative = self.peek() == Some(b'-');
        if is_negative {
            self.skip(1);
        }
        let integer = match self.peek() {
            // Nothing follows a leading zero.
            Some(b'0') => {
                self.skip(1);
                Some(0)
            }
            _ => self.digits()?,
        };
        let mut is_integer = true;
        let mut is_decimal = false;
        if self.peek() == Some(b'.') {
            self.skip(1);
            self.digits()?;
            is_integer = false;
            is_decimal = !is_negative;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.skip(1);
            if let Some(b'+' | b'-') = self.peek() {
                self.skip(1);
            }
            self.digits()?;
            is_integer = false;
            is_decimal = false;
        }
        let integer = integer.filter(|_| is_integer);
        let value = match (is_negative, integer) {
            (false, Some(number)) => Some(Json::Unsigned(number)),
            (true, Some(1..)) => integer
                .and_then(|number| 0_i64.checked_sub_unsigned(number))
                .map(Json::Negative),
            _ => None,
        };
        let of = if is_decimal {
            Json::Decimal
        } else {
            Json::Float
        };
        let text = self.text.get(start..self.place).unwrap_or_default();
        value.map_or_else(|| float(text).map(of), Ok)
    }

    /// One digit or more, and what they come to, where 64 bits hold that.
    fn digits(&mut self) -> Result<Option<u64>, JsonError> {
        let start = self.place;
        let mut number: u64 = 0;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            number = number.wrapping_mul(10).wrapping_add((byte & 0xf).into());
            self.skip(1);
        }
        match self.text.get(start..self.place) {
            None | Some("") => Err(JsonError::Malformed),
            Some(digits) if digits.len() <= MAX_DIGITS => Ok(Some(number)),
            Some(digits) => Ok(digits.parse().ok()),
        }
    }

    /// The first byte that is no white space, now the next.
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            let byte = self.peek()?;
            if !is_one_of(byte, b" \t\n\r") {
                return Some(byte);
            }
            self.skip(1);
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(JsonError::Malformed);
        }
        self.skip(1);
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place).copied()
    }

    fn skip(&mut self, count: usize) {
        self.place = self.place.saturating_add(count);
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.place..).unwrap_or_default()
    }
}

/// The depth of what stands inside an array or object at this depth.
fn inside(depth: usize) -> Result<usize, JsonError> {
    let depth = depth.saturating_add(1);
    if depth > MAX_DEPTH {
        return Err(JsonError::TooDeep);
    }
    Ok(depth)
}

/// A number with a fraction or an exponent, or beyond 64 bits.
fn float(text: &str) -> Result<f64, JsonError> {
    match serde_json::from_str(text) {
        Ok(number) if f64::is_finite(number) => Ok(number),
        Ok(_) | Err(_) => Err(JsonError::Malformed),
    }
}

fn has_repeated_name(members: &[Member]) -> bool {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    let mut pairs = names.array_windows();
    pairs.any(|[one, other]| one == other)
}

/// Decimal digits of which 64 bits hold any.
const MAX_DIGITS: usize = 19;

/// Members among which a repeated name is found by looking at each. Beyond, that would cost the square of their number.
const FEW: usize = 16;
