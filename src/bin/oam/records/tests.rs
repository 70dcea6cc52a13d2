use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// What is read of some bytes: the records' IDs with their lines, and what else was counted.
fn read(bytes: &[u8]) -> (Vec<(String, u64)>, Reading) {
    let (mut ids, mut reading) = (Vec::new(), Reading::default());
    let flow = reading.file(
        Path::new("f"),
        Cursor::new(bytes.to_vec()),
        &mut |record, place| {
            ids.push((record.decision_id.as_str().to_owned(), place.line));
            ControlFlow::Continue(())
        },
    );
    assert_eq!(flow, ControlFlow::Continue(()));
    (ids, reading)
}

fn record(id: &str) -> String {
    format!(
        r#"{{"time":"2026-11-23T12:00:00.123Z","decision":"deny","mode":"enforce","reason":"expired","decision_id":"{id}","method":"GET","path":"/a\"b"}}"#
    )
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn in_json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[test]
fn a_record_is_found_in_every_form() {
    let (a, b) = (record("a"), record("b"));
    let prefixed = format!("[2026-11-23 12:00:00.123][9][info][wasm] wasm log oam: {a}");
    let attributes = r#"[{"key":"time","value":{"stringValue":"2026-11-23T12:00:00.123Z"}},{"key":"decision","value":{"stringValue":"allow"}},{"key":"mode","value":{"stringValue":"enforce"}},{"key":"reason","value":{"stringValue":"permitted"}},{"key":"decision_id","value":{"stringValue":"a"}},{"key":"method","value":{"stringValue":"GET"}},{"key":"path","value":{"stringValue":"/"}},{"key":"sequence","value":{"intValue":"7"}},{"key":"roles","value":{"arrayValue":{"values":[{"stringValue":"r"}]}}},{"key":"mcp","value":{"kvlistValue":{"values":[{"key":"method","value":{"stringValue":"tools/call"}}]}}},{"key":"credential_leaked","value":{"boolValue":true}}]"#;
    let otlp = |records: &str| {
        format!(
            r#"{{"resourceLogs":[{{"resource":{{}},"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#
        )
    };
    let body = |text: &str| {
        format!(
            r#"{{"severityNumber":9,"body":{{"stringValue":{}}}}}"#,
            in_json(text)
        )
    };
    let pretty = serde_json::from_str::<serde_json::Value>(&otlp(&body(&a))).unwrap();
    let pretty = format!("{pretty:#}\n{pretty:#}\n");
    let ocsf = r#"{"class_uid":6003,"time":1795435200123,"action_id":3,"status_code":"role_lacks_scope","metadata":{"uid":"a","sequence":4},"http_request":{"http_method":"GET","url":{"path":"/"}},"api":{"operation":"jobs.list"},"unmapped":{"decision":"deny","mode":"shadow"}}"#;
    let reordered = r#"{"decision":"deny","decision_id":"a","method":"GET","mode":"enforce","path":"/","reason":"expired","time":"2026-11-23T12:00:00.123Z","later":{"member":[1]}}"#;
    #[rustfmt::skip]
    let cases = [
        // name                                  text
        // records
        ("bare lines",                           format!("{a}\n{b}\n"),                                   vec![("a", 1), ("b", 2)]),
        ("no line break at the end, empty lines", format!("\r\n{a}\r\n\n{b}"),                            vec![("a", 2), ("b", 4)]),
        ("in another order, with more members",  reordered.to_owned(),                                    vec![("a", 1)]),
        ("behind a gateway's prefix",            format!("[9][info] starting\n{prefixed}\n"),             vec![("a", 2)]),
        ("in a container's log",                 format!(r#"{{"log":{},"stream":"stderr"}}"#, in_json(&prefixed)), vec![("a", 1)]),
        ("in a collector's object",              format!(r#"{{"date":1.5,"kubernetes":{{"pod":"p"}},"jsonPayload":{a}}}"#), vec![("a", 1)]),
        ("OTLP, a text",                         otlp(&[body(&a), body(&prefixed)].join(",")),            vec![("a", 1), ("a", 1)]),
        ("OTLP, members",                        otlp(&format!(r#"{{"body":{{"kvlistValue":{{"values":{attributes}}}}}}}"#)), vec![("a", 1)]),
        ("OTLP, attributes",                     otlp(&format!(r#"{{"attributes":{attributes}}}"#)),      vec![("a", 1)]),
        ("OTLP, as protobuf spells it",          otlp(&body(&a)).replace("resourceLogs", "resource_logs").replace("scopeLogs", "scope_logs").replace("logRecords", "log_records").replace("stringValue", "string_value"), vec![("a", 1)]),
        ("OTLP, a document on each line",        [otlp(&body(&a)), otlp(&body(&b))].join("\n"),           vec![("a", 1), ("b", 2)]),
        ("OTLP, over several lines",             pretty,                                                  vec![("a", 1), ("a", 1)]),
        ("OCSF",                                 ocsf.to_owned(),                                         vec![("a", 1)]),
    ];
    for (name, text, want) in cases {
        let want: Vec<_> = want
            .iter()
            .map(|(id, line)| ((*id).to_owned(), *line))
            .collect();
        for bytes in [text.as_bytes().to_vec(), gzip(&text)] {
            let (ids, reading) = read(&bytes);
            assert_eq!(
                (ids, reading.first_broken),
                (want.clone(), vec![]),
                "{name}"
            );
        }
    }
    let members = [gzip(&format!("{a}\n")), gzip(&b)].concat();
    assert_eq!(read(&members).0, [("a".to_owned(), 1), ("b".to_owned(), 2)]);
}

#[test]
fn what_cannot_be_read_is_named_and_stops_nothing() {
    let (a, b) = (record("a"), record("b"));
    let cut = a.trim_end_matches('}');
    let (head, _) = a.split_at(40);
    let twice = a.replace(r#""method""#, r#""mode":"shadow","method""#);
    let huge = "x".repeat(1024 * 1024);
    let long = a.replace("GET", &huge);
    let too_long = a.replace("GET", &huge.repeat(32));
    #[rustfmt::skip]
    let cases: Vec<(&str, Vec<u8>, Option<&str>)> = vec![
        // name                     line                                                   why
        ("cut at its end",          cut.into(),                                            Some("EOF while parsing an object (byte 136 of it)")),
        ("cut early, prefixed",     format!("[9] {head}").into(),                          Some("EOF while parsing a string (byte 40 of it)")),
        ("more behind it",          format!("[9] {a} \"x\"").into(),                       Some("trailing characters (byte 139 of it)")),
        ("an unknown decision",     a.replace("deny", "perhaps").into(),                   Some("unknown variant `perhaps`, expected `allow` or `deny` (byte 55 of it)")),
        ("a member twice",          twice.into(),                                          Some("duplicate field `mode` (byte 113 of it)")),
        ("no reason",               a.replace("reason", "season").into(),                  Some("missing field `reason` (byte 137 of it)")),
        ("not UTF-8",               a.replace("GET", "\u{0}").into_bytes().iter().map(|&byte| if byte == 0 { 0xff } else { byte }).collect(), Some("not UTF-8")),
        ("longer than any record",  long.into(),                                           Some("longer than 1 MiB: no record is")),
        ("longer than any line",    too_long.into(),                                       Some("a line of more than 32 MiB")),
        ("another program's JSON",  r#"{"time":"2026-11-23T12:00:00Z","level":"info"}"#.into(), None),
        ("a text",                  "[9][info] starting".into(),                           None),
        ("no text at all",          vec![0xff, 0xfe],                                      None),
    ];
    for (name, line, why) in cases {
        let all = [b.as_bytes(), b"\n", &line, b"\n", b.as_bytes()].concat();
        let (ids, reading) = read(&all);
        let want = Reading {
            records: 2,
            other_lines: u64::from(why.is_none()),
            broken: u64::from(why.is_some()),
            first_broken: why
                .into_iter()
                .map(|why| Broken {
                    file: "f".to_owned(),
                    line: 2,
                    why: why.to_owned(),
                })
                .collect(),
            ..Reading::default()
        };
        assert_eq!(reading, want, "{name}");
        assert_eq!(ids, [("b".to_owned(), 1), ("b".to_owned(), 3)], "{name}");
    }
}

#[test]
fn a_cut_archive_gives_what_it_has() {
    let text: String = (0..9000)
        .map(|number| record(&number.to_string()) + "\n")
        .collect();
    let mut bytes = gzip(&text);
    bytes.truncate(bytes.len() / 2);
    let (ids, reading) = read(&bytes);
    assert!(ids.len() > 1000, "{}", ids.len());
    let last = reading.first_broken.last().unwrap();
    assert!(
        last.why.ends_with("the rest of the file was not read"),
        "{last:?}"
    );
}

#[test]
fn many_broken_lines_are_counted_and_few_named() {
    let (_, reading) = read("{\n".repeat(3).repeat(1000).as_bytes());
    assert_eq!((reading.broken, reading.first_broken.len()), (1, 1));
    let (_, reading) = read("{\"time\":\n".repeat(3000).as_bytes());
    assert_eq!(
        (reading.broken, reading.first_broken.len()),
        (3000, MOST_NAMED)
    );
}

#[test]
fn the_module_s_own_notices_of_dropped_records_are_counted() {
    let line = "[9][critical][wasm] wasm log: audit: decisions leave no record: the gateway's log drops lines of `audit.level`\n";
    let (_, reading) = read(line.as_bytes());
    assert_eq!((reading.other_lines, reading.drop_notices), (1, 1));
    let count = |name: &str, count: u64| {
        format!(
            r#"{{"key":"databricks_oam_filter.records.{name}","value":{{"intValue":"{count}"}}}}"#
        )
    };
    let event = |id: &str, dropped, rejected| {
        let uid = format!(r#"{{"key":"log.record.uid","value":{{"stringValue":"{id}"}}}}"#);
        format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"eventName":"databricks_oam_filter.records_lost","body":{{"stringValue":"lost"}},"attributes":[{uid},{},{}]}}]}}]}}]}}"#,
            count("dropped", dropped),
            count("rejected", rejected),
        )
    };
    // One that comes again is the same one.
    let events = [
        event("a-1", 40, 2),
        event("a-2", 40, 2),
        event("a-1", 40, 2),
    ]
    .join("\n");
    let (_, reading) = read(events.as_bytes());
    assert_eq!(
        (reading.other_lines, reading.broken, reading.lost),
        (0, 0, 84)
    );
}
