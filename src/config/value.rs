//! The kinds of value that the configuration is made of, where JSON's own do not do.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::issuer::dialect::ClaimPath;
use crate::time::{UnixTime, parse_date, parse_duration};
use crate::token::json;

use super::code::ProblemCode;
use super::problem::{Place, Problems};

/// A value that has a least and a most.
pub(super) trait Bounded: Sized {
    /// What it is read into.
    type Value: PartialOrd;

    /// The value, where there is one at all that the bounds could hold.
    fn value(self) -> Option<Self::Value>;

    /// A bound as configurations write it.
    fn spelled(value: &Self::Value) -> String;

    /// The value, or a note that it is out of bounds.
    fn within(
        self,
        bounds: RangeInclusive<Self::Value>,
        place: &Place,
        problems: &mut Problems,
    ) -> Option<Self::Value> {
        let value = self.value().filter(|value| bounds.contains(value));
        if value.is_none() {
            let [least, most] = [bounds.start(), bounds.end()].map(Self::spelled);
            problems.add(
                place,
                ProblemCode::OutOfBounds,
                format_args!("must be between {least} and {most}"),
            );
        }
        value
    }
}

/// A duration text, as `30s`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Span(pub(super) Duration);

impl Span {
    pub(super) const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Bounded for Span {
    type Value = Duration;

    fn value(self) -> Option<Duration> {
        Some(self.0)
    }

    /// In the largest unit that leaves no fraction.
    fn spelled(value: &Duration) -> String {
        let millis = value.as_millis();
        let fits = |(each, _): &&(u128, &str)| millis > 0 && millis.is_multiple_of(*each);
        let (each, unit) = UNITS.iter().find(fits).unwrap_or(&(1, "ms"));
        let count = millis.checked_div(*each).unwrap_or_default();
        format!("{count}{unit}")
    }
}

/// The units of durations in milliseconds, the largest first.
const UNITS: [(u128, &str); 4] = [(3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")];

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration with its unit, as in `30s`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                parse_duration(text)
                    .map(Span)
                    .map_err(|error| E::custom(format_args!("{error}: `{text}`")))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// A day, as `2027-01-31`.
#[derive(Clone, Debug, serde::Deserialize, Eq, PartialEq)]
pub(super) struct Day(String);

impl Day {
    /// The end of the day in UTC, or a note that there is no such day.
    pub(super) fn end(&self, place: &Place, problems: &mut Problems) -> Option<UnixTime> {
        let day = parse_date(&self.0).ok_or("not a date, as `2027-01-31`");
        let day = problems.take(place, &self.0, day)?;
        Some(day.after(Duration::from_hours(24)))
    }
}

/// A whole number. Envoy hands over the numbers of a `Struct` as floating point, so `16384.0` is
/// one too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Count(pub(super) u64);

impl Bounded for Count {
    type Value = usize;

    fn value(self) -> Option<usize> {
        usize::try_from(self.0).ok()
    }

    fn spelled(value: &usize) -> String {
        value.to_string()
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Count, E> {
                Ok(Count(number))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Count, E> {
                json::whole(number)
                    .map(Count)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }
        }
        deserializer.deserialize_u64(Number)
    }
}

/// Names with what each stands for, in the order of the document.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Aliases(pub(super) Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Aliases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Aliases;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Aliases, A::Error> {
                let mut aliases = Vec::new();
                while let Some(entry) = entries.next_entry()? {
                    aliases.push(entry);
                }
                Ok(Aliases(aliases))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// A claim's name, or the list of names that lead to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ClaimName(pub(super) ClaimPath);

impl<'de> Deserialize<'de> for ClaimName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrPath;
        impl<'de> Visitor<'de> for NameOrPath {
            type Value = ClaimName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a claim's name, or a list of names from the outermost object inwards")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ClaimName, E> {
                if text.is_empty() {
                    return Err(E::invalid_value(de::Unexpected::Str(text), &self));
                }
                Ok(ClaimName([Box::from(text)].into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<ClaimName, A::Error> {
                let mut path: Vec<Box<str>> = Vec::new();
                while let Some(name) = names.next_element()? {
                    path.push(name);
                }
                if path.is_empty() {
                    return Err(de::Error::invalid_value(de::Unexpected::Seq, &self));
                }
                Ok(ClaimName(path.into()))
            }
        }
        deserializer.deserialize_any(NameOrPath)
    }
}
