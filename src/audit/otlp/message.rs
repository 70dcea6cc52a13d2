//! The messages of OpenTelemetry's protocol that records travel in: the fields that we set, by
//! their numbers in `opentelemetry/proto/{collector/logs,logs,common,resource}/v1`.

use prost::Message;

use crate::time::UnixTime;

use super::Exported;
use super::losses::Notice;

/// A batch of records, or of notices.
pub(super) struct Batch<'a, I> {
    pub(super) records: I,
    pub(super) notices: &'a [Notice],
    pub(super) now: UnixTime,
}

impl<'a, I: Iterator<Item = &'a Exported>> Batch<'a, I> {
    /// The body of the request.
    pub(super) fn encode(self) -> Vec<u8> {
        let now = nanoseconds(self.now);
        let records = self.records.map(|record| LogRecord::of(record, now));
        let notices = self.notices.iter();
        let notices = notices.map(|notice| LogRecord::of_notice(notice, now));
        let log_records = records.chain(notices).collect();
        let request = ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource: Some(OtlpResource {
                    attributes: vec![text("service.name", env!("CARGO_PKG_NAME"))],
                }),
                scope_logs: vec![ScopeLogs {
                    scope: Some(InstrumentationScope {
                        name: env!("CARGO_PKG_NAME").to_owned(),
                        version: env!("CARGO_PKG_VERSION").to_owned(),
                    }),
                    log_records,
                }],
            }],
        };
        request.encode_to_vec()
    }
}

/// How many records the collector rejected, and why.
pub(super) fn rejected(body: &[u8]) -> (u64, String) {
    let partial = ExportLogsServiceResponse::decode(body)
        .ok()
        .and_then(|response| response.partial_success)
        .unwrap_or_default();
    let rejected = u64::try_from(partial.rejected_log_records).unwrap_or(0);
    let reason = partial.error_message.chars().filter(|c| !c.is_control());
    (rejected, reason.take(MAX_REASON_CHARS).collect())
}

#[derive(Clone, PartialEq, Message)]
struct ExportLogsServiceRequest {
    #[prost(message, repeated, tag = "1")]
    resource_logs: Vec<ResourceLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceLogs {
    #[prost(message, optional, tag = "1")]
    resource: Option<OtlpResource>,
    #[prost(message, repeated, tag = "2")]
    scope_logs: Vec<ScopeLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct OtlpResource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeLogs {
    #[prost(message, optional, tag = "1")]
    scope: Option<InstrumentationScope>,
    #[prost(message, repeated, tag = "2")]
    log_records: Vec<LogRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct InstrumentationScope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
struct LogRecord {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    severity_number: i32,
    #[prost(string, tag = "3")]
    severity_text: String,
    #[prost(message, optional, tag = "5")]
    body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    attributes: Vec<KeyValue>,
    #[prost(bytes = "vec", tag = "9")]
    trace_id: Vec<u8>,
    #[prost(fixed64, tag = "11")]
    observed_time_unix_nano: u64,
    #[prost(string, tag = "12")]
    event_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

/// One of the kinds of value, of which we write two.
#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    string: Option<String>,
    #[prost(int64, optional, tag = "3")]
    integer: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct ExportLogsServiceResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_log_records: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

impl LogRecord {
    fn of(record: &Exported, now: u64) -> Self {
        let (severity_number, severity_text) = if record.is_allowed { INFO } else { WARN };
        Self {
            time_unix_nano: record.time.map_or(0, nanoseconds),
            severity_number,
            severity_text: severity_text.to_owned(),
            body: Some(AnyValue {
                string: Some(record.line.clone().into()),
                integer: None,
            }),
            attributes: Vec::new(),
            trace_id: record.trace_id.as_deref().map_or(Vec::new(), trace_id),
            observed_time_unix_nano: now,
            event_name: "databricks_oam_filter.decision".to_owned(),
        }
    }

    /// What is said of records that will not arrive.
    fn of_notice(notice: &Notice, now: u64) -> Self {
        let losses = notice.losses;
        let (severity_number, severity_text) = ERROR;
        let number = |key: &str, count: u64| KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue {
                string: None,
                integer: Some(i64::try_from(count).unwrap_or(i64::MAX)),
            }),
        };
        Self {
            time_unix_nano: now,
            severity_number,
            severity_text: severity_text.to_owned(),
            body: Some(AnyValue {
                string: Some("audit records were lost on their way to this collector".to_owned()),
                integer: None,
            }),
            attributes: vec![
                text(UID, &notice.id),
                number("databricks_oam_filter.records.dropped", losses.dropped),
                number("databricks_oam_filter.records.rejected", losses.rejected),
            ],
            trace_id: Vec::new(),
            observed_time_unix_nano: now,
            event_name: "databricks_oam_filter.records_lost".to_owned(),
        }
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            string: Some(value.to_owned()),
            integer: None,
        }),
    }
}

fn nanoseconds(time: UnixTime) -> u64 {
    time.millis().saturating_mul(NANOSECONDS_EACH)
}

/// The bytes of a trace's ID; none where these are not its digits.
fn trace_id(digits: &str) -> Vec<u8> {
    let mut bytes = [0; TRACE_ID_BYTES];
    let bytes = base16ct::mixed::decode(digits, &mut bytes);
    bytes.map(<[u8]>::to_vec).unwrap_or_default()
}

/// W3C Trace Context §3.2.2.3.
const TRACE_ID_BYTES: usize = 16;

/// OpenTelemetry's semantic conventions, log attributes: records with the same one are the same.
const UID: &str = "log.record.uid";

/// In a millisecond.
const NANOSECONDS_EACH: u64 = 1_000_000;

// `severity_number` and `severity_text`
const INFO: (i32, &str) = (9, "INFO");
const WARN: (i32, &str) = (13, "WARN");
const ERROR: (i32, &str) = (17, "ERROR");

/// Of what a collector says of its reason: enough for a line of a log.
const MAX_REASON_CHARS: usize = 200;

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The lines of the records in a request, or its notices of losses.
    pub(in crate::audit::otlp) fn lines(body: &[u8]) -> Vec<String> {
        let request = ExportLogsServiceRequest::decode(body).unwrap();
        let logs = request.resource_logs.into_iter();
        let scopes = logs.flat_map(|logs| logs.scope_logs);
        let records = scopes.flat_map(|logs| logs.log_records);
        records.map(line).collect()
    }

    fn line(record: LogRecord) -> String {
        if record.event_name == "databricks_oam_filter.decision" {
            return record.body.and_then(|body| body.string).unwrap();
        }
        let value = |name: &str| {
            let of_name = |attribute: &&KeyValue| attribute.key == name;
            let found = record.attributes.iter().find(of_name).unwrap();
            found.value.clone().unwrap()
        };
        let count = |name: &str| {
            let name = format!("databricks_oam_filter.records.{name}");
            value(&name).integer.unwrap()
        };
        let id = value("log.record.uid").string.unwrap();
        let id = id.trim_start_matches('0');
        let (dropped, rejected) = (count("dropped"), count("rejected"));
        format!("notice {id}: {dropped} dropped, {rejected} rejected")
    }

    #[test]
    fn a_record_keeps_its_time_its_severity_and_its_trace() {
        let record = |is_allowed, trace_id: Option<&str>| Exported {
            time: UnixTime::from_millis(1_800_000_000_123),
            is_allowed,
            trace_id: trace_id.map(Into::into),
            line: "{}".into(),
        };
        let found = LogRecord::of(&record(true, Some("00ff")), 5);
        let want = LogRecord {
            time_unix_nano: 1_800_000_000_123_000_000,
            severity_number: 9,
            severity_text: "INFO".to_owned(),
            body: Some(AnyValue {
                string: Some("{}".to_owned()),
                integer: None,
            }),
            attributes: Vec::new(),
            trace_id: vec![0, 255],
            observed_time_unix_nano: 5,
            event_name: "databricks_oam_filter.decision".to_owned(),
        };
        assert_eq!(found, want);
        let found = LogRecord::of(&record(false, None), 5);
        let want = LogRecord {
            severity_number: 13,
            severity_text: "WARN".to_owned(),
            trace_id: Vec::new(),
            ..want
        };
        assert_eq!(found, want);
    }
}
