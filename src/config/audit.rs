//! From the section `audit` to where records go.

use std::time::Duration;

use crate::audit::host_log::LogLevel;
use crate::audit::otlp::{Collector, CollectorHeader, MAX_BATCH_BYTES};
use crate::audit::settings::{RecordFormat, RecordSettings};
use crate::callout::uri::HttpsUri;
use crate::request::fingerprint::Fingerprints;

use super::code::ProblemCode;
use super::document::audit::{Audit, FormatName, LevelName, OtlpSection};
use super::issuer::SHORTEST_TIMEOUT;
use super::problem::{Place, Problems};
use super::value::Bounded as _;

impl Audit {
    #[inline(never)]
    pub(super) fn settings(&self, problems: &mut Problems) -> RecordSettings {
        let level = match self.level {
            LevelName::Info => LogLevel::Info,
            LevelName::Warn => LogLevel::Warn,
            LevelName::Error => LogLevel::Error,
            LevelName::Critical => LogLevel::Critical,
        };
        // Whoever writes both means one of them otherwise, and must not learn which from records
        // that are missing.
        if self.required == Some(true) && !self.goes_somewhere() {
            problems.add(
                &Place::at("audit.required"),
                ProblemCode::RecordsNowhere,
                "`true`, and records go nowhere: set `audit.log: true`, add `audit.otlp`, or write `required: false`",
            );
        }
        let collector = self.otlp.as_ref();
        RecordSettings {
            format: match self.format {
                FormatName::Compact => RecordFormat::Compact,
                FormatName::Ocsf => RecordFormat::Ocsf,
            },
            log: self.log.then_some(level),
            collector: collector.and_then(|section| section.collector(problems)),
            required: self.required.unwrap_or(true),
            inputs: self.inputs,
            access_log: self.access_log,
        }
    }

    #[inline(never)]
    pub(super) fn fingerprints(&self, problems: &mut Problems) -> Fingerprints {
        let key = self.fingerprint_key.as_deref();
        if key.is_some_and(|key| key.len() < FINGERPRINT_KEY_BYTES) {
            problems.add(
                &Place::at("audit.fingerprint_key"), ProblemCode::SecretShort,
                format_args!(
                    "shorter than {FINGERPRINT_KEY_BYTES} characters, so it could be guessed: write what `openssl rand -hex 32` prints"
                ),
            );
        }
        Fingerprints::new(key)
    }
}

impl OtlpSection {
    fn collector(&self, problems: &mut Problems) -> Option<Collector> {
        let place = Place::at("audit.otlp");
        if self.cluster.is_empty() {
            problems.add(
                &place.key("cluster"),
                ProblemCode::Empty,
                "empty: name the cluster that leads to the collector",
            );
        }
        let uri = problems.take(&place.key("uri"), &self.uri, HttpsUri::parse(&self.uri));
        let bounds = MAX_BATCH_BYTES..=MOST_QUEUE_BYTES;
        let queue_place = place.key("queue_bytes");
        let queue_bytes = self.queue_bytes.within(bounds, &queue_place, problems);
        let timeout_place = place.key("timeout");
        let bounds = SHORTEST_TIMEOUT..=LONGEST_TIMEOUT;
        let timeout = self.timeout.within(bounds, &timeout_place, problems);
        let headers = self.headers.iter().filter_map(|(name, value)| {
            let fault = header_fault(name, value);
            if let Some(fault) = fault {
                problems.add(
                    &place.key("headers").key(name),
                    ProblemCode::ValueMalformed,
                    fault,
                );
            }
            fault.is_none().then(|| CollectorHeader {
                name: name.as_str().into(),
                value: value.as_str().into(),
            })
        });
        Some(Collector {
            headers: headers.collect(),
            cluster: self.cluster.as_str().into(),
            uri: uri?,
            queue_bytes: queue_bytes?,
            timeout: timeout?,
        })
    }
}

/// What is wrong with a header for the collector. The value may be a secret, so nothing quotes it.
fn header_fault(name: &str, value: &str) -> Option<&'static str> {
    let in_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    if name.is_empty() || !name.bytes().all(in_name) {
        Some("not the name of a header in lower case")
    } else if OURS.contains(&name) {
        Some("set by the module itself: remove it")
    } else if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        Some("its value has characters that no header may have")
    } else {
        None
    }
}

/// Headers that no operator chooses: they follow from what is sent.
const OURS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];

/// On each worker. More than a gateway should hold for a collector that is down.
const MOST_QUEUE_BYTES: usize = 256 * 1024 * 1024;

/// A batch that takes longer is sent again.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);

/// 128 bits, if they are written as hexadecimal digits.
const FINGERPRINT_KEY_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Configuration;
    use crate::config::problem::ConfigError;
    use crate::config::tests::{problems, with};

    fn read(section: &str) -> Result<RecordSettings, ConfigError> {
        let text = with(&format!(r#","audit":{{{section}}}"#));
        Configuration::parse(text.as_bytes()).map(|configuration| configuration.records)
    }

    #[test]
    fn records_go_where_and_as_the_section_says() {
        let usual = RecordSettings {
            format: RecordFormat::Compact,
            log: Some(LogLevel::Info),
            collector: None,
            required: true,
            inputs: false,
            access_log: false,
        };
        let collector = Collector {
            cluster: "c".into(),
            uri: HttpsUri::parse("https://c.example/v1/logs").unwrap(),
            headers: Vec::new(),
            queue_bytes: 4_194_304,
            timeout: Duration::from_secs(5),
        };
        let at = |level| RecordSettings {
            log: Some(level),
            ..usual.clone()
        };
        let to = |collector| RecordSettings {
            collector: Some(collector),
            ..usual.clone()
        };
        let whole = Collector {
            headers: vec![CollectorHeader {
                name: "authorization".into(),
                value: "Bearer s".into(),
            }],
            queue_bytes: 1_048_576,
            timeout: Duration::from_secs(2),
            ..collector.clone()
        };
        #[rustfmt::skip]
        let cases = [
            // section                                                        want
            (r#""level":"info""#,                                             at(LogLevel::Info)),
            (r#""level":"warn""#,                                             at(LogLevel::Warn)),
            (r#""level":"error""#,                                            at(LogLevel::Error)),
            (r#""level":"critical""#,                                         at(LogLevel::Critical)),
            (r#""required":false"#,                                           RecordSettings { required: false, ..usual.clone() }),
            (r#""log":false"#,                                                RecordSettings { log: None, ..usual.clone() }),
            (r#""log":false,"required":false"#,                               RecordSettings { log: None, required: false, ..usual.clone() }),
            (r#""log":false,"required":true,"otlp":{"cluster":"c","uri":"https://c.example/v1/logs"}"#, RecordSettings { log: None, ..to(collector.clone()) }),
            (r#""inputs":true"#,                                              RecordSettings { inputs: true, ..usual.clone() }),
            (r#""access_log":true"#,                                          RecordSettings { access_log: true, ..usual.clone() }),
            (r#""format":"ocsf""#,                                            RecordSettings { format: RecordFormat::Ocsf, ..usual.clone() }),
            (r#""otlp":{"cluster":"c","uri":"https://c.example/v1/logs"}"#,   to(collector)),
            (r#""otlp":{"cluster":"c","uri":"https://c.example/v1/logs","headers":{"authorization":"Bearer s"},"queue_bytes":1048576,"timeout":"2s"}"#, to(whole)),
        ];
        for (section, want) in cases {
            assert_eq!(read(section), Ok(want), "{section}");
        }
    }

    #[test]
    fn errors_name_their_place_and_no_secret() {
        let otlp = |more: &str| {
            with(&format!(
                r#","audit":{{"otlp":{{"cluster":"c","uri":"https://c.example/v1/logs"{more}}}}}"#
            ))
        };
        #[rustfmt::skip]
        let cases = [
            // configuration                                                   its one problem
            (with(r#","audit":{"log":false,"required":true}"#),                 "audit.required: `true`, and records go nowhere: set `audit.log: true`, add `audit.otlp`, or write `required: false`"),
            (with(r#","audit":{"otlp":{"cluster":"c"}}"#),                      "audit.otlp: missing field `uri`"),
            (with(r#","audit":{"otlp":{"cluster":"","uri":"https://c.example/"}}"#), "audit.otlp.cluster: empty: name the cluster that leads to the collector"),
            (with(r#","audit":{"otlp":{"cluster":"c","uri":"http://c.example/"}}"#), "audit.otlp.uri: not an https URL: `http://c.example/`"),
            (otlp(r#","queue_bytes":1"#),                                      "audit.otlp.queue_bytes: must be between 524288 and 268435456"),
            (otlp(r#","timeout":"0s""#),                                       "audit.otlp.timeout: must be between 50ms and 1m"),
            (otlp(r#","headers":{"Authorization":"secret"}"#),                 "audit.otlp.headers.Authorization: not the name of a header in lower case"),
            (otlp(r#","headers":{"content-type":"secret"}"#),                  "audit.otlp.headers.content-type: set by the module itself: remove it"),
            (otlp(r#","headers":"x-key: secret""#),                              "audit.otlp.headers: invalid type: a text, expected a map"),
            (otlp(r#","headers":{"x-key":"secret\n"}"#),                       "audit.otlp.headers.x-key: its value has characters that no header may have"),
        ];
        for (text, want) in cases {
            assert_eq!(problems(&text), [want], "{text}");
        }
    }
}
