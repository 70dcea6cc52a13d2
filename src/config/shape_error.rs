//! Why a value of a configuration does not fit its place, in words and as a code.

use std::fmt;

use serde::de::{Error as _, Expected, Unexpected};

use super::code::ProblemCode;

/// Why a value does not fit.
#[derive(Debug)]
pub(super) struct ShapeError {
    code: ProblemCode,
    text: String,
}

impl ShapeError {
    /// In `serde`'s own words, but for fractions: to format floating point is 16 KB of the module.
    fn of(what: &str, found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(value) => format!("boolean `{value}`"),
            Unexpected::Unsigned(number) => format!("integer `{number}`"),
            Unexpected::Signed(number) => format!("integer `{number}`"),
            // It may be a secret that stands where it should not.
            Unexpected::Str(_) if what == "type" => "a text".to_owned(),
            Unexpected::Str(text) => format!("string {text:?}"),
            Unexpected::Float(_) => "a number with a fraction".to_owned(),
            Unexpected::Unit => "null".to_owned(),
            Unexpected::Seq => "sequence".to_owned(),
            Unexpected::Map => "map".to_owned(),
            Unexpected::UnitVariant => "a name alone".to_owned(),
            Unexpected::Bytes(_)
            | Unexpected::Char(_)
            | Unexpected::Enum
            | Unexpected::NewtypeStruct
            | Unexpected::NewtypeVariant
            | Unexpected::Option
            | Unexpected::Other(_)
            | Unexpected::StructVariant
            | Unexpected::TupleVariant => "something else".to_owned(),
        };
        let code = if what == "type" {
            ProblemCode::TypeWrong
        } else {
            ProblemCode::ValueMalformed
        };
        let text = format!("invalid {what}: {found}, expected {expected}");
        Self { code, text }
    }

    /// In `serde`'s own words.
    fn unknown(code: ProblemCode, what: &str, name: &str, known: &[&str]) -> Self {
        let known = match known {
            [] => format!("there are no {what}s"),
            [one] => format!("expected `{one}`"),
            [one, other] => format!("expected `{one}` or `{other}`"),
            several => format!("expected one of `{}`", several.join("`, `")),
        };
        let text = format!("unknown {what} `{name}`, {known}");
        Self { code, text }
    }

    /// What kind of problem it is.
    pub(super) const fn code(&self) -> ProblemCode {
        self.code
    }

    /// Itself, or that there is no member of this name.
    pub(super) fn or_missing(self, name: &'static str) -> Self {
        if self.text.is_empty() {
            Self::missing_field(name)
        } else {
            self
        }
    }
}

impl serde::de::Error for ShapeError {
    fn custom<T: fmt::Display>(text: T) -> Self {
        let (code, text) = (ProblemCode::ValueMalformed, text.to_string());
        Self { code, text }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of("type", found, expected)
    }

    /// What a derived reader says where a member lacks.
    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        let (code, text) = (ProblemCode::KeyMissing, String::new());
        Self { code, text }
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Self::unknown(ProblemCode::ValueUnknown, "variant", name, known)
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self::unknown(ProblemCode::KeyUnknown, "field", name, known)
    }

    fn missing_field(name: &'static str) -> Self {
        let text = format!("missing field `{name}`");
        let code = ProblemCode::KeyMissing;
        Self { code, text }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of("value", found, expected)
    }
}

impl std::error::Error for ShapeError {}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
