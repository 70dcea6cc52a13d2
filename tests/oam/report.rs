//! `oam report`.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::ocsf::event;
use super::year::{DELETED, Year};
use super::{Ran, file, oam, oam_with, text};

const OCTOBER: &str = "tests/oam/records/october.log";

/// The report on records from standard input.
fn report(records: &[u8], more: &[&str]) -> Value {
    let ran = oam_with(&[&["report", "--json"], more].concat(), records);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    serde_json::from_str(&ran.out).unwrap()
}

/// A record with other members than a plain one has.
fn record(members: &Value) -> String {
    let mut record = json!({
        "time": "2026-11-23T12:00:00.123Z", "decision": "allow", "mode": "enforce", "reason": "permitted",
        "decision_id": "d", "method": "GET", "path": "/",
    });
    let all = record.as_object_mut().unwrap();
    all.extend(members.as_object().unwrap().clone());
    format!("{record}\n")
}

#[test]
fn a_month_is_told_whole() {
    for (name, arguments) in [
        ("october.json", &["report", "--json", OCTOBER][..]),
        ("october.txt", &["report", OCTOBER]),
    ] {
        let ran = oam(arguments);
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/oam/records")
            .join(name);
        if std::env::var_os("OAM_WRITE_PAGES").is_some() {
            std::fs::write(&path, &ran.out).unwrap();
        }
        let want = Ran {
            code: Some(0),
            out: std::fs::read_to_string(&path).unwrap_or_default(),
            err: String::new(),
        };
        assert_eq!(
            ran, want,
            "{name}: `OAM_WRITE_PAGES=1 cargo test --test oam report` writes it anew"
        );
        let is_narrow = |line: &str| line.chars().count() <= 100;
        assert!(
            name != "october.txt" || ran.out.lines().all(is_narrow),
            "{}",
            ran.out
        );
    }
}

#[test]
fn what_is_printed_is_of_the_printed_schema() {
    let schema: Value = serde_json::from_str(&oam(&["schema", "--report"]).out).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for report in [
        report(record(&json!({})).as_bytes(), &[]),
        report(b"", &[OCTOBER]),
    ] {
        let faults: Vec<String> = schema
            .iter_errors(&report)
            .map(|fault| fault.to_string())
            .collect();
        assert_eq!(faults, [""; 0], "{report}");
    }
}

#[test]
fn a_report_of_nothing_is_no() {
    let ran = oam_with(&["report"], b"[9][info] starting\n");
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    assert!(ran.out.contains("Audit report: 0 records"), "{}", ran.out);
    for (arguments, said) in [
        (
            &["report", "/no/such/file"][..],
            "cannot read `/no/such/file`",
        ),
        (&["report", "tests"], "`tests` is a folder"),
        (&["report", "--since", "yesterday", OCTOBER], "not a moment"),
        (
            &["report", "--html", "/no/such/folder/a.html", OCTOBER],
            "cannot write",
        ),
    ] {
        let ran = oam(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_period_narrows_what_is_counted_and_not_what_is_missing() {
    let week = report(
        b"",
        &[
            "--since",
            "2026-10-20",
            "--until",
            "2026-10-27T00:00:00Z",
            OCTOBER,
        ],
    );
    let input = json!({
        "records": 10, "first": "2026-10-20T03:16:00.120Z", "last": "2026-10-25T03:15:00.120Z",
        "since": "2026-10-20T00:00:00.000Z", "until": "2026-10-27T00:00:00.000Z",
        "outside": 23, "without_time": 0, "broken": 1, "other_lines": 2, "drop_notices": 1, "lost": 0,
        "first_broken": [{"file": OCTOBER, "line": 37, "why": "EOF while parsing a value (byte 192 of it)"}],
    });
    assert_eq!(week["input"], input);
    assert_eq!(week["sequence"]["missing"], 3);
}

/// The same facts, so the same report and the same replay.
#[test]
fn ocsf_events_come_to_the_report_of_their_records() {
    let log = std::fs::read_to_string(OCTOBER).unwrap();
    let found = log.lines().filter_map(|line| line.split_once("oam oam: "));
    let found = found.filter_map(|(_, record)| serde_json::from_str::<Value>(record).ok());
    let records: Vec<Value> = found.collect();
    assert_eq!(records.len(), 34);
    let lines = |lines: Vec<String>| lines.join("\n").into_bytes();
    let compact = lines(records.iter().map(Value::to_string).collect());
    let events = lines(records.iter().map(event).collect());
    let want = report(&compact, &[]);
    assert_eq!(want["input"]["records"], 33);
    assert_eq!(report(&events, &[]), want);
    let replayed = |name: &str, records: &[u8]| {
        let file = file(name, std::str::from_utf8(records).unwrap());
        let [old, new] = ["before", "after"].map(|name| format!("tests/oam/review/{name}.yaml"));
        let ran = oam(&["diff", "--json", &old, &new, "--records", text(&file)]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{name}");
        serde_json::from_str::<Value>(&ran.out).unwrap()["replayed"].take()
    };
    let want = replayed("compact.jsonl", &compact);
    assert_eq!(want["records"], 34, "{want}");
    assert_eq!(replayed("ocsf.jsonl", &events), want);
}

#[test]
fn a_page_has_no_script_and_shows_what_callers_choose_as_text() {
    let hostile = "</td><script>alert(1)</script>\u{1b}[2J\u{202e}'\"&";
    let line = record(&json!({
        "user_agent": hostile, "source_ip": hostile, "workspace": hostile, "operation": hostile,
        "credential": "personal_access_token", "credential_fingerprint": hostile,
    }));
    let refused = record(&json!({
        "decision": "deny", "reason": hostile, "path": hostile, "rule": hostile, "decision_id": hostile,
        "unverified": {"issuer": hostile, "subject": hostile, "audiences": []},
        "mcp": {"method": hostile, "name": hostile, "version": hostile},
    }));
    let page = file("report.html", "");
    let ran = oam_with(
        &["report", "--html", text(&page)],
        [line, refused].concat().as_bytes(),
    );
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let page = std::fs::read_to_string(page).unwrap();
    for harm in [
        "<script", "</td><s", "\u{1b}", "\u{202e}", "http:", "https:", "src=", "url(", "@import",
    ] {
        assert!(!page.contains(harm), "{harm}");
        assert!(
            harm.is_ascii() && harm != "\u{1b}" || !ran.out.contains(harm),
            "{harm}"
        );
    }
    assert!(page.contains("&#60;script&#62;alert(1)"), "{page}");
    assert!(page.contains("<svg") && page.contains("@media print") && page.ends_with("</html>"));
}

#[test]
fn a_restart_is_no_gap_and_a_deleted_line_is_one() {
    let line = |worker: &str, config: &str, sequence: u64| {
        record(&json!({"worker": worker, "config": config, "sequence": sequence}))
    };
    let lines = [
        line("a", "1", 1),
        line("a", "1", 3),
        line("a", "2", 1),
        line("b", "1", 2),
        line("b", "1", 1),
        line("a", "1", 2),
        line("c", "1", 5),
        line("c", "1", 7),
        line("c", "1", 7),
        record(&json!({})),
    ];
    let found = report(lines.concat().as_bytes(), &[]);
    let time = "2026-11-23T12:00:00.123Z";
    let want = json!({
        "workers": 4, "numbered": 9, "unnumbered": 1, "unchecked": 0, "missing": 1, "duplicates": 1,
        "gaps": [{"worker": "c", "config": "1", "first": 6, "last": 6, "after": time, "before": time}],
        "late_beginnings": [{"worker": "c", "config": "1", "sequence": 5, "time": time}],
        "first_duplicates": [{"worker": "c", "config": "1", "sequence": 7, "file": "-", "line": 9}],
    });
    assert_eq!(found["sequence"], want);
    assert_eq!(found["outcomes"]["allowed"], 9);
}

#[test]
fn what_is_granted_is_what_all_records_of_a_role_have_in_common() {
    let held = |roles: Value, grants: Value, needed: &str| {
        record(
            &json!({"issuer": "i", "subject": "s", "config": "1", "roles": roles, "effective_scopes": grants, "required_scopes": [needed]}),
        )
    };
    let lines = [
        held(
            json!(["a", "b"]),
            json!(["jobs", "sql", "files"]),
            "jobs:read",
        ),
        held(json!(["a", "c"]), json!(["jobs", "genie"]), "genie"),
        held(json!(["b"]), json!(["files", "sql"]), "sql"),
    ];
    let found = report(lines.concat().as_bytes(), &[]);
    let rows: Vec<_> = found["grants"]["holders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|holder| {
            let grants = holder["grants"].as_array().unwrap().iter();
            let grants: Vec<_> = grants
                .map(|row| {
                    (
                        row["grant"].as_str().unwrap(),
                        row["used"]["records"].as_u64().unwrap(),
                    )
                })
                .collect();
            (
                holder["name"].as_str().unwrap(),
                holder["only_beside_others"].as_bool().unwrap(),
                grants,
            )
        })
        .collect();
    let want = vec![
        ("a", true, vec![("jobs", 1)]),
        ("b", false, vec![("files", 0), ("sql", 1)]),
        ("c", true, vec![("genie", 1), ("jobs", 0)]),
    ];
    assert_eq!(rows, want);
}

#[test]
fn a_flood_of_made_up_names_leaves_the_token_that_is_used() {
    let token = |fingerprint: &str, agent: &str| {
        record(&json!({
            "credential": "personal_access_token", "credential_fingerprint": fingerprint, "user_agent": agent,
            "source_ip": agent, "decision": "deny", "reason": "personal_access_token_refused",
        }))
    };
    let mut lines = String::new();
    for number in 0..40_000 {
        lines += &token(&format!("made up {number}"), &format!("agent {number}"));
        if number % 1000 == 0 {
            lines += &token("used", "agent");
        }
    }
    let found = report(lines.as_bytes(), &[]);
    let tokens = &found["static_tokens"];
    assert_eq!(
        (
            &tokens["rows"][0]["fingerprint"],
            &tokens["rows"][0]["records"]
        ),
        (&json!("used"), &json!(40))
    );
    let kept = tokens["rows"].as_array().unwrap().len();
    assert!(kept <= 5_000, "{kept}");
    let left_out = 40_001 - kept;
    assert_eq!(
        tokens["left_out"],
        json!({"rows": left_out, "records": left_out})
    );
    assert_eq!(found["refused"]["by_reason"][0]["records"], 40_040);
}

#[test]
fn a_made_up_year_has_the_line_missing_that_was_deleted() {
    let mut records = GzEncoder::new(Vec::new(), Compression::fast());
    Year::of(20_000).write(&mut records);
    let found = report(&records.finish().unwrap(), &[]);
    let gaps = found["sequence"]["gaps"].as_array().unwrap();
    assert_eq!(gaps.len(), 1);
    let (worker, number) = DELETED;
    let place = [&gaps[0]["worker"], &gaps[0]["first"], &gaps[0]["last"]];
    assert_eq!(
        place,
        [
            &json!(format!("{worker:016x}")),
            &json!(number),
            &json!(number)
        ]
    );
    assert_eq!(found["input"]["records"], 19_999);
}

/// Of ten million records, or of as many as `OAM_RECORDS` says. To be run with `--release`,
/// `--ignored` and `--nocapture`.
#[test]
#[ignore = "takes minutes and 10 GB; for figures"]
fn speed() {
    let lines = std::env::var("OAM_RECORDS").map_or(10_000_000, |text| text.parse().unwrap());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("year");
    std::fs::create_dir_all(&folder).unwrap();
    let plain = folder.join("records.jsonl");
    Year::of(lines).write(&mut BufWriter::new(File::create(&plain).unwrap()));
    let packed = folder.join("records.jsonl.gz");
    let mut encoder = GzEncoder::new(File::create(&packed).unwrap(), Compression::default());
    std::io::copy(&mut File::open(&plain).unwrap(), &mut encoder).unwrap();
    encoder.finish().unwrap();
    for path in [plain, packed] {
        measure(lines, &path);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Prints how fast a file is read, and how much memory that takes.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it measures time, for a person"
)]
fn measure(lines: u64, path: &Path) {
    let start = std::time::Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_oam"))
        .args(["report", "--json", path.to_str().unwrap()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = String::new();
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        if let Some(line) = text.lines().find(|line| line.starts_with("VmHWM:")) {
            line.clone_into(&mut peak);
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let seconds = start.elapsed().as_secs_f64();
    let name = path.file_name().unwrap().display();
    let length = path.metadata().unwrap().len();
    println!("{name}: {length} bytes, {seconds:.1} s for {lines} records, {peak}");
}
