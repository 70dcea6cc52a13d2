//! What one line holds: an audit record in one of the forms in which logs are kept, or something
//! else.

use std::fmt;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::record::{Record, Text};
use super::{compact, ocsf, otlp};

/// What takes the records of a line. Breaking off is the taker's business alone.
pub(super) type Take<'t> = dyn FnMut(FoundInLine<'_>) -> ControlFlow<()> + 't;

/// What is found in a line.
pub(super) enum FoundInLine<'f> {
    Record(&'f Record<'f>),
    Broken(Fault),
    /// The module's word that records never arrived.
    Lost(&'f LossNotice),
}

/// The module's report to a collector of records that never arrived there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LossNotice {
    /// The same where it was sent again.
    pub(super) id: String,
    pub(super) records: u64,
}

/// Why a line, or one record in it, cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault(pub(super) String);

impl Fault {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        // The line within the text is always the first.
        let text = error.to_string();
        let text = text.rsplit_once(" at line 1 column ");
        Self(match text {
            Some((what, column)) => format!("{what} (byte {column} of it)"),
            None => error.to_string(),
        })
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Held {
    /// Records, good or broken.
    Records,
    /// Nothing that looks like one.
    Other,
    /// The taker has enough.
    Enough,
}

/// Hands over the records of a line.
pub(super) fn read(line: &[u8], take: &mut Take<'_>) -> Held {
    match std::str::from_utf8(line) {
        Ok(text) => within(text, 0, take),
        Err(_)
            if line
                .windows(MARK.len())
                .any(|bytes| bytes == MARK.as_bytes()) =>
        {
            broken(Fault::new("not UTF-8"), take)
        }
        Err(_) => Held::Other,
    }
}

/// The same of a text, which may lie in another record of a log.
pub(super) fn within(text: &str, depth: usize, take: &mut Take<'_>) -> Held {
    let text = text.trim_start_matches('\u{feff}').trim_ascii();
    if depth > MOST_WRAPPERS {
        return Held::Other;
    }
    if text.starts_with('{') {
        return object(text, depth, take);
    }
    // Behind the prefix of a gateway's log. What follows the record would be somebody else's: only
    // a record that ends its line was written by the module.
    let start = STARTS.iter().filter_map(|start| text.find(start)).min();
    match start.and_then(|start| text.get(start..)) {
        Some(rest) => object(rest, depth, take),
        None => Held::Other,
    }
}

/// The records of a JSON object.
fn object(text: &str, depth: usize, take: &mut Take<'_>) -> Held {
    let is_short = text.len() <= MOST_RECORD_BYTES;
    // Nearly all lines are bare records, so that is tried first.
    if let Some(record) = compact::read(text).filter(|_| is_short) {
        return taken(take(FoundInLine::Record(&record)));
    }
    let record = is_short.then(|| serde_json::from_str::<Record<'_>>(text));
    if let Some(Ok(record)) = record {
        return taken(take(FoundInLine::Record(&record)));
    }
    let members = match serde_json::from_str::<Members<'_>>(text) {
        Ok(members) => members,
        Err(error) => return broken(error.into(), take),
    };
    if let Some(resources) = members.resource_logs {
        return otlp::read(resources.get(), depth, take);
    }
    if !is_short {
        return broken(Fault::new(TOO_LONG), take);
    }
    if members.is_record {
        let why = record.and_then(Result::err).map(Fault::from);
        return broken(why.unwrap_or_else(|| Fault::new(TOO_LONG)), take);
    }
    if members.is_ocsf {
        return match ocsf::record(text) {
            Ok(Some(record)) => object(&record, MOST_WRAPPERS, take),
            Ok(None) => Held::Other,
            Err(fault) => broken(fault, take),
        };
    }
    match members.wrapped {
        Some(wrapped) if wrapped.get().starts_with('"') => {
            let inner = serde_json::from_str::<Text<'_>>(wrapped.get()).unwrap_or_default();
            within(inner.as_str(), depth.saturating_add(1), take)
        }
        Some(wrapped) => within(wrapped.get(), depth.saturating_add(1), take),
        None => Held::Other,
    }
}

/// Hands over a fault.
pub(super) fn broken(fault: Fault, take: &mut Take<'_>) -> Held {
    taken(take(FoundInLine::Broken(fault)))
}

pub(super) const fn taken(flow: ControlFlow<()>) -> Held {
    match flow {
        ControlFlow::Break(()) => Held::Enough,
        ControlFlow::Continue(()) => Held::Records,
    }
}

/// The members that identify the kind of an object.
#[derive(Default)]
struct Members<'a> {
    is_record: bool,
    is_ocsf: bool,
    resource_logs: Option<&'a RawValue>,
    /// The first member in which a record may lie, as a text or as an object: `log` of Docker,
    /// `message`, `jsonPayload`.
    wrapped: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            match name.as_str() {
                "decision_id" => members.is_record = true,
                "class_uid" => members.is_ocsf = true,
                "resourceLogs" | "resource_logs" => {
                    members.resource_logs = Some(map.next_value()?);
                    continue;
                }
                _ => {
                    let value: &RawValue = map.next_value()?;
                    if members.wrapped.is_none() && value.get().contains(MARK) {
                        members.wrapped = Some(value);
                    }
                    continue;
                }
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(members)
    }
}

/// How the module's formats begin: its own, and OCSF.
const STARTS: [&str; 2] = ["{\"time\":", "{\"category_uid\":"];

/// What every record has, and little else.
const MARK: &str = "decision_id";

/// A gateway's line in a container runtime's in a collector's, and one more.
const MOST_WRAPPERS: usize = 3;

/// Gateways take headers of 60 KiB, and what is recorded is a part of them.
pub(super) const MOST_RECORD_BYTES: usize = 1024 * 1024;
pub(super) const TOO_LONG: &str = "longer than 1 MiB: no record is";
