//! What is withdrawn, as people write it: one JSON object, in the configuration and in a list that
//! is fetched alike.
//!
//! Read strictly and to the end. A key that nobody knows may be a withdrawal with a typing error in
//! it, so it is an error.

use std::fmt;

use crate::time::{UnixTime, parse_moment};
use crate::token::json::{self, Json, Object};
use crate::token::text;

use super::{EntryError, Names, Withdrawn};

/// Reads the members of an object. `refuse` hears of everything that cannot be read, each with its
/// place below the object.
pub fn read(object: &Object, refuse: &mut dyn FnMut(&str, WithdrawalFault)) -> Withdrawn {
    let mut withdrawn = Withdrawn::default();
    for (key, value) in object.iter() {
        let names = Names::ALL.into_iter().find(|names| names.as_str() == key);
        if names.is_none() && key != ISSUED_BEFORE {
            refuse(printable(key), WithdrawalFault::UnknownKey);
            continue;
        }
        let Some(items) = value.as_array() else {
            refuse(key, WithdrawalFault::NotList);
            continue;
        };
        for (position, item) in items.iter().enumerate() {
            let added = match (names, item.as_str()) {
                (Some(names), Some(name)) => {
                    withdrawn.add(names, name).map_err(WithdrawalFault::Entry)
                }
                (Some(_), None) => Err(WithdrawalFault::NotText),
                (None, _) => add_issued_before(item, &mut withdrawn),
            };
            if let Err(fault) = added {
                refuse(&format!("{key}[{position}]"), fault);
            }
        }
    }
    withdrawn
}

/// Why something written is no withdrawal. What was written is not quoted: by mistake, it may be a
/// token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WithdrawalFault {
    /// An entry that no token can match.
    Entry(EntryError),
    /// Not a list.
    NotList,
    /// `issued_before` with something other than `time` and perhaps `issuer` and `subject`.
    NotLimit,
    /// `time` is no moment.
    NotMoment,
    /// Not a text.
    NotText,
    /// A key that means nothing.
    UnknownKey,
}

impl fmt::Display for WithdrawalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(EntryError::Fingerprint(error)) => {
                write!(f, "{error}: write what `printf %s \"$TOKEN\" | sha256sum` prints")
            }
            Self::Entry(error) => write!(f, "{error}"),
            Self::NotList => f.write_str("not a list"),
            Self::NotLimit => f.write_str(
                "not an object with `time`, and perhaps `issuer` and `subject`",
            ),
            Self::NotMoment => f.write_str(
                "`time` is not a moment: write it as `2026-11-23T12:00:00Z`, as a date, or in seconds since 1970",
            ),
            Self::NotText => f.write_str("not a text"),
            Self::UnknownKey => {
                f.write_str("unknown; there are issued_before")?;
                Names::ALL
                    .iter()
                    .try_for_each(|names| write!(f, ", {}", names.as_str()))
            }
        }
    }
}

fn add_issued_before(item: &Json, withdrawn: &mut Withdrawn) -> Result<(), WithdrawalFault> {
    let limit = item.as_object().ok_or(WithdrawalFault::NotLimit)?;
    let (mut issuer, mut subject, mut time) = (None, None, None);
    for (key, value) in limit.iter() {
        match key {
            "issuer" => issuer = Some(value.as_str().ok_or(WithdrawalFault::NotLimit)?),
            "subject" => subject = Some(value.as_str().ok_or(WithdrawalFault::NotLimit)?),
            "time" => time = Some(moment(value).ok_or(WithdrawalFault::NotMoment)?),
            _ => return Err(WithdrawalFault::NotLimit),
        }
    }
    let time = time.ok_or(WithdrawalFault::NotLimit)?;
    withdrawn
        .add_issued_before(issuer, subject, time)
        .map_err(WithdrawalFault::Entry)
}

/// Text as RFC 3339 writes it, or a `NumericDate`. Envoy hands over the numbers of a `Struct` as
/// floating point, so `1795435200.0` is one too.
fn moment(value: &Json) -> Option<UnixTime> {
    match value {
        Json::String(text) => parse_moment(text).ok(),
        Json::Unsigned(seconds) => UnixTime::from_seconds(*seconds),
        Json::Decimal(seconds) | Json::Float(seconds) => {
            UnixTime::from_seconds(json::whole(*seconds)?)
        }
        Json::Null | Json::Bool(_) | Json::Negative(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A key as a log takes it.
fn printable(key: &str) -> &str {
    text::checked(key, MAX_QUOTED_BYTES).unwrap_or("a key")
}

const ISSUED_BEFORE: &str = "issued_before";

/// Longer than every key that there is.
const MAX_QUOTED_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::text::TextError;

    fn faults(text: &str) -> Vec<(String, WithdrawalFault)> {
        let json = Json::parse(text.as_bytes()).unwrap();
        let mut faults = Vec::new();
        read(json.as_object().unwrap(), &mut |place, fault| {
            faults.push((place.to_owned(), fault));
        });
        faults
    }

    #[test]
    fn every_key_is_read() {
        let json = Json::parse(
            br#"{"clients":["c"],"key_ids":["k"],"subjects":["s"],"token_ids":["t","u"],
                 "tokens":["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
                 "issued_before":[{"issuer":"i","subject":"s","time":"2026-11-23T12:00:00Z"},{"time":1795435200},{"issuer":"i","time":1795435201.0}]}"#,
        )
        .unwrap();
        let time = |seconds| UnixTime::from_seconds(seconds).unwrap();
        let mut want = Withdrawn::default();
        for (names, name) in [
            (Names::Clients, "c"),
            (Names::KeyIds, "k"),
            (Names::Subjects, "s"),
            (Names::TokenIds, "t"),
            (Names::TokenIds, "u"),
            (
                Names::Tokens,
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
        ] {
            want.add(names, name).unwrap();
        }
        want.add_issued_before(Some("i"), Some("s"), time(1_795_435_200))
            .unwrap();
        want.add_issued_before(None, None, time(1_795_435_200))
            .unwrap();
        want.add_issued_before(Some("i"), None, time(1_795_435_201))
            .unwrap();
        let got = read(json.as_object().unwrap(), &mut |place, fault| {
            panic!("{place}: {fault}")
        });
        assert_eq!(got, want);
    }

    #[test]
    fn whatever_cannot_be_read_is_told_with_its_place() {
        use WithdrawalFault::{Entry, NotLimit, NotList, NotMoment, NotText, UnknownKey};
        let empty = Entry(EntryError::Text(TextError::Empty));
        #[rustfmt::skip]
        let cases: [(&str, &str, &[(&str, WithdrawalFault)]); 13] = [
            // name                    document                                             want
            ("nothing",                "{}",                                                &[]),
            ("a typing error",         r#"{"token_id":["t"]}"#,                             &[("token_id", UnknownKey)]),
            ("a line break in a key",  r#"{"a\nb":[]}"#,                                    &[("a key", UnknownKey)]),
            ("no list",                r#"{"clients":"c"}"#,                                &[("clients", NotList)]),
            ("null",                   r#"{"clients":null}"#,                               &[("clients", NotList)]),
            ("no text",                r#"{"clients":["c",7]}"#,                            &[("clients[1]", NotText)]),
            ("two empty texts",        r#"{"clients":[""],"subjects":["s",""]}"#,           &[("clients[0]", empty), ("subjects[1]", empty)]),
            ("no time",                r#"{"issued_before":[{"issuer":"i"}]}"#,             &[("issued_before[0]", NotLimit)]),
            ("no object",              r#"{"issued_before":["2026-11-23"]}"#,               &[("issued_before[0]", NotLimit)]),
            ("an unknown condition",   r#"{"issued_before":[{"time":1,"client":"c"}]}"#,    &[("issued_before[0]", NotLimit)]),
            ("an issuer of null",      r#"{"issued_before":[{"time":1,"issuer":null}]}"#,   &[("issued_before[0]", NotLimit)]),
            ("no moment",              r#"{"issued_before":[{"time":"yesterday"}]}"#,       &[("issued_before[0]", NotMoment)]),
            ("half a second",          r#"{"issued_before":[{"time":1.5}]}"#,               &[("issued_before[0]", NotMoment)]),
        ];
        for (name, document, want) in cases {
            let want: Vec<_> = want
                .iter()
                .map(|(place, fault)| ((*place).to_owned(), *fault))
                .collect();
            assert_eq!(faults(document), want, "{name}");
        }
    }
}
