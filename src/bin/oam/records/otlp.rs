//! Records within OpenTelemetry's JSON: an `ExportLogsServiceRequest`, or a line of a collector's
//! file exporter.
//!
//! A log record holds ours as its body's text, as its body's members, or as its attributes. However
//! many a document has, one at a time is held in memory.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::line::{self, Fault, FoundInLine, Held, LossNotice, MOST_RECORD_BYTES, TOO_LONG, Take};
use super::record::Text;

/// Hands over the records of what `resourceLogs` holds.
pub(super) fn read(resources: &str, depth: usize, take: &mut Take<'_>) -> Held {
    let mut walk = Walk {
        depth,
        take,
        held: Held::Other,
    };
    let mut deserializer = serde_json::Deserializer::from_str(resources);
    let read = Level {
        names: LEVELS,
        walk: &mut walk,
    }
    .deserialize(&mut deserializer);
    match (read, walk.held) {
        (Ok(()), held) | (Err(_), held @ Held::Enough) => held,
        (Err(error), _) => line::broken(error.into(), take),
    }
}

/// What goes on from one log record to the next.
struct Walk<'w, 't> {
    depth: usize,
    take: &'w mut Take<'t>,
    held: Held,
}

impl Walk<'_, '_> {
    /// Hands over what one log record holds; `false` where that is enough.
    fn log_record(&mut self, text: &str) -> bool {
        let held = match LogRecord::parse(text) {
            Err(fault) => line::broken(fault, self.take),
            Ok(log) if log.event_name == LOSSES => {
                line::taken((self.take)(FoundInLine::Lost(&log.notice())))
            }
            Ok(log) => line::within(&log.text(), self.depth.saturating_add(1), self.take),
        };
        if held != Held::Other {
            self.held = held;
        }
        held != Held::Enough
    }
}

/// A list at one of the [`LEVELS`].
struct Level<'l, 'w, 't> {
    names: &'static [[&'static str; 2]],
    walk: &'l mut Walk<'w, 't>,
}

impl<'de> DeserializeSeed<'de> for Level<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((names, below)) = self.names.split_first() else {
            while let Some(record) = list.next_element::<&RawValue>()? {
                if !self.walk.log_record(record.get()) {
                    return Err(serde::de::Error::custom("enough"));
                }
            }
            return Ok(());
        };
        while list
            .next_element_seed(Within {
                names,
                below,
                walk: self.walk,
            })?
            .is_some()
        {}
        Ok(())
    }
}

/// An object in which one member is a list.
struct Within<'l, 'w, 't> {
    names: &'static [&'static str; 2],
    below: &'static [[&'static str; 2]],
    walk: &'l mut Walk<'w, 't>,
}

impl<'de> DeserializeSeed<'de> for Within<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Within<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Text<'de>>()? {
            if self.names.contains(&name.as_str()) {
                map.next_value_seed(Level {
                    names: self.below,
                    walk: self.walk,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A log record, as far as it is read.
#[derive(Deserialize)]
struct LogRecord {
    #[serde(default)]
    body: Value,
    #[serde(default)]
    attributes: Value,
    #[serde(default, alias = "event_name", rename = "eventName")]
    event_name: String,
}

impl LogRecord {
    fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > MOST_RECORD_BYTES {
            return Err(Fault::new(TOO_LONG));
        }
        Ok(serde_json::from_str(text)?)
    }

    /// The module's report of records that never arrived.
    fn notice(self) -> LossNotice {
        let attributes = members(self.attributes);
        let id = attributes.get(UID).and_then(Value::as_str);
        let counts = (LOST.iter()).filter_map(|name| attributes.get(*name)?.as_u64());
        LossNotice {
            id: id.unwrap_or_default().to_owned(),
            records: counts.fold(0, u64::saturating_add),
        }
    }

    /// The text in which our record would be.
    fn text(self) -> String {
        match plain(self.body) {
            Value::String(text) => text,
            body @ Value::Object(_) => body.to_string(),
            Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) => {
                Value::Object(members(self.attributes)).to_string()
            }
        }
    }
}

/// What an `AnyValue` stands for.
fn plain(value: Value) -> Value {
    let Value::Object(members) = value else {
        return Value::Null;
    };
    let Some((kind, value)) = members.into_iter().next() else {
        return Value::Null;
    };
    match kind.as_str() {
        "stringValue" | "string_value" | "boolValue" | "bool_value" => value,
        // 64-bit numbers are texts in the JSON of protobuf.
        "intValue" | "int_value" => {
            match value.as_str().and_then(|text| text.parse::<i64>().ok()) {
                Some(number) => Value::from(number),
                None => value,
            }
        }
        "arrayValue" | "array_value" => {
            Value::Array(values(value).into_iter().map(plain).collect())
        }
        "kvlistValue" | "kvlist_value" => Value::Object(members_of(value)),
        _ => Value::Null,
    }
}

/// The list under `values`.
fn values(mut value: Value) -> Vec<Value> {
    match value.get_mut("values").map(Value::take) {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    }
}

fn members_of(value: Value) -> Map<String, Value> {
    members(Value::Array(values(value)))
}

/// The members that a list of `KeyValue` stands for.
fn members(list: Value) -> Map<String, Value> {
    let Value::Array(list) = list else {
        return Map::new();
    };
    let member = |mut entry: Value| {
        let key = entry.get("key")?.as_str()?.to_owned();
        let value = plain(entry.get_mut("value").map(Value::take)?);
        Some((key, value))
    };
    list.into_iter().filter_map(member).collect()
}

/// The event by which the module reports lost records to a collector, its ID and its counts.
const LOSSES: &str = "databricks_oam_filter.records_lost";
const UID: &str = "log.record.uid";
const LOST: [&str; 2] = [
    "databricks_oam_filter.records.dropped",
    "databricks_oam_filter.records.rejected",
];

/// The lists from `resourceLogs` down, in both spellings of protobuf's JSON.
const LEVELS: &[[&str; 2]] = &[["scopeLogs", "scope_logs"], ["logRecords", "log_records"]];
