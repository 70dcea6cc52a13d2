//! `oam suggest`: narrower grants under which recorded calls still pass.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::ocsf::event;
use super::{Ran, file, oam, oam_with, text};

const CONFIGURATION: &str = r#"# Who may do what.
issuers:
  - { issuer: "https://a.example", audiences: [db], algorithms: [EdDSA], jwks: { keys: { keys: [{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }] } } }
roles:
  - name: analyst
    members: [{ group: red }]
    grants: ["jobs", sql, genie] # since spring
  - name: engineer
    members: [{ group: blue }]
    grants:
      - jobs # pipelines by night
      - clusters
      - own
  - name: admin
    members: [{ group: green }]
    grants: [all-apis]
  - name: auditor
    members: [{ group: grey }]
    grants: [billing]
policy:
  rules:
    - { name: app, effect: require, paths: ["/app/{path=**}"], scopes: [own] }
"#;

/// A record of a call that was permitted.
fn record(day: u32, roles: &[&str], method: &str, path: &str) -> Value {
    let expires_at = 1_900_000_000;
    json!({
        "time": format!("2026-10-{day:02}T12:00:00.000Z"), "decision": "allow", "mode": "enforce", "reason": "permitted",
        "decision_id": format!("d{day}"), "request_id": null, "method": method, "path": path, "operation": null,
        "required_scopes": [], "token_scopes": ["all-apis", "own"], "effective_scopes": [], "rule": null, "roles": roles,
        "issuer": "https://a.example", "subject": "ann", "client": "cli", "token_id": null, "token_expires_at": expires_at,
        "credential": "jwt", "workspace": null, "source_ip": null, "user_agent": null, "config": "0123456789ab"
    })
}

fn lines(records: &[Value]) -> String {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    lines.join("\n")
}

/// Calls of several roles, of which some are held together.
fn records() -> Vec<Value> {
    let mut records = vec![record(1, &["engineer"], "POST", "/api/2.2/jobs/run-now")];
    for day in 2..29 {
        records.extend([
            record(day, &["analyst"], "GET", "/api/2.2/jobs/list"),
            record(day, &["analyst"], "POST", "/api/2.0/sql/statements"),
            record(day, &["engineer"], "GET", "/api/2.1/clusters/get"),
            record(day, &["engineer"], "GET", "/app/start"),
            record(day, &["admin"], "GET", "/api/2.1/unity-catalog/catalogs"),
            record(day, &["admin"], "POST", "/api/2.1/clusters/create"),
            record(day, &["analyst", "engineer"], "GET", "/api/2.2/jobs/get"),
        ]);
    }
    records.push(record(28, &["former"], "GET", "/api/2.2/jobs/list"));
    records
}

fn suggest(config: &str, records: &str, more: &[&str]) -> Ran {
    let arguments = ["suggest", "--config", config, records];
    oam(&[&arguments, more].concat())
}

#[test]
fn the_narrower_configuration_lets_all_recorded_calls_pass() {
    let config = file("suggest.yaml", CONFIGURATION);
    let records = file("suggest.jsonl", &lines(&records()));
    let ran = suggest(text(&config), text(&records), &[]);
    let want = CONFIGURATION
        .replace(r#"["jobs", sql, genie]"#, r#"["jobs:read", "sql"]"#)
        .replace("      - clusters\n", "      - \"clusters:read\"\n")
        .replace(
            "grants: [all-apis]",
            r#"grants: ["clusters", "unity-catalog:read"]"#,
        )
        .replace("grants: [billing]", "grants: []");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.out, want);
    let notes = [
        "190 records from 2026-10-02T12:00:00.000Z",
        "role `analyst`: `jobs` → `jobs:read`",
        "role `analyst`: `genie` is unused, removed",
        "role `engineer`: `clusters` → `clusters:read`",
        "role `admin`: `all-apis` → `clusters`, `unity-catalog:read`",
        "role `admin`: the new grants also cover",
        "role `auditor` is unused",
        "rare duty: jobs.run-now by `engineer` was used once",
        "1 call by holders of `former`",
    ];
    for note in &notes[1..] {
        assert!(ran.err.contains(note), "{note}:\n{}", ran.err);
    }
    let narrower = file("suggest-narrower.yaml", &ran.out);
    let checked = oam(&["check", text(&narrower)]);
    assert_eq!(checked.code, Some(0), "{}", checked.out);
    let ran = oam(&[
        "diff",
        "--json",
        text(&config),
        text(&narrower),
        "--records",
        text(&records),
    ]);
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    let replayed = &said["replayed"];
    let counts = ["records", "not_reproduced", "lost_calls", "gained_calls"];
    let counts = counts.map(|name| &replayed[name]);
    assert_eq!(json!(counts), json!([191, 1, 0, 0]));
    // It is about something: without a grant that was needed, calls are lost.
    let without = file("suggest-without.yaml", &want.replace(", \"sql\"]", "]"));
    let arguments = ["diff", "--fail-on", "lost-access", "--json", text(&config)];
    let more = [text(&without), "--records", text(&records)];
    let ran = oam(&[&arguments[..], &more].concat());
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &said["replayed"]["lost_calls"]),
        (Some(1), &json!(27))
    );
}

#[test]
fn what_cannot_be_told_stays_as_wide_as_it_was() {
    let roles = r#"[{"name": "one", "members": [{"group": "red"}], "grants": ["jobs", "sql"]},
        {"name": "two", "members": [{"group": "blue"}], "grants": ["jobs", "all-apis"]}]"#;
    let issuer = r#"[{"issuer": "https://a.example", "audiences": ["db"], "algorithms": ["EdDSA"], "jwks": {"keys": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}}]"#;
    let configuration = format!(r#"{{"issuers": {issuer}, "roles": {roles}}}"#);
    let config = file("suggest-undecided.json", &configuration);
    let both = record(2, &["one", "two"], "POST", "/api/2.2/jobs/run-now");
    let old = record(1, &["one"], "POST", "/api/2.0/sql/statements");
    let recorded = file("suggest-undecided.jsonl", &lines(&[old, both]));
    let said = |more: &[&str]| {
        let ran = suggest(text(&config), text(&recorded), more);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        serde_json::from_str::<Value>(&ran.out).unwrap()
    };
    let grants = |said: &Value| {
        let roles = said["configuration"]["roles"].as_array().unwrap();
        json!(roles.iter().map(|role| &role["grants"]).collect::<Vec<_>>())
    };
    let whole = said(&["--json"]);
    assert_eq!(grants(&whole), json!([["jobs", "sql"], ["jobs"]]));
    let notes = whole["notes"].to_string();
    assert!(
        notes.contains("could not tell whether jobs.run-now was earned by it or by `two`"),
        "{notes}"
    );
    let late = said(&["--json", "--days", "0"]);
    assert_eq!(grants(&late), json!([["jobs"], ["jobs"]]));
    // As the input was: JSON.
    let narrower = configuration.replace(r#"["jobs", "all-apis"]"#, r#"["jobs"]"#);
    let ran = suggest(text(&config), text(&recorded), &[]);
    assert_eq!(ran.out, narrower);
}

/// As logs are kept: the suggestion is the same.
#[test]
fn records_are_read_from_whatever_carries_them() {
    let config = file("suggest-carriers.yaml", CONFIGURATION);
    let records = records();
    // As the module writes it: by its first member a record is known behind a prefix.
    let written = |record: &Value| {
        let mut rest = record.clone();
        let time = rest.as_object_mut().unwrap().remove("time").unwrap();
        let rest = rest.to_string();
        format!("{{\"time\":{time},{}", rest.strip_prefix('{').unwrap())
    };
    let each = |carried: &dyn Fn(String) -> String| {
        let lines: Vec<String> = records.iter().map(written).map(carried).collect();
        lines.join("\n").into_bytes()
    };
    let prefix = "[2026-10-01 12:00:00.000][17][info][wasm] [source/extensions/common/wasm/context.cc:1151] wasm log databricks-oam-filter: ";
    let in_envoys_log = |record: String| format!("{prefix}{record}");
    let body = |record: &Value| json!({ "body": { "stringValue": written(record) } });
    let exported: Vec<Value> = records.iter().map(body).collect();
    let batch = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": exported }] }] });
    let bare = each(&|record| record);
    let each_event = |carried: &dyn Fn(String) -> String| {
        let events: Vec<String> = records.iter().map(event).map(carried).collect();
        events.join("\n").into_bytes()
    };
    #[rustfmt::skip]
    let carriers = [
        ("bare lines",         bare.clone()),
        ("compressed",         compressed(&bare)),
        ("Envoy's log",        each(&in_envoys_log)),
        ("Docker's log",       each(&|record| json!({ "log": in_envoys_log(record), "stream": "stderr" }).to_string())),
        ("a collector's file", batch.to_string().into_bytes()),
        ("OCSF",               each_event(&|event| event)),
        ("OCSF, Envoy's log",  each_event(&in_envoys_log)),
    ];
    let want = suggest(
        text(&config),
        text(&file("suggest-bare.jsonl", &lines(&records))),
        &[],
    );
    assert!(want.out.contains(r#"["jobs:read", "sql"]"#), "{}", want.out);
    for (name, bytes) in carriers {
        let ran = oam_with(&["suggest", "--config", text(&config), "-"], &bytes);
        assert_eq!(ran, want, "{name}");
    }
}

/// So that nobody takes it for a suggestion in a pipeline.
#[test]
fn no_records_are_no() {
    let config = file("suggest-nothing.yaml", CONFIGURATION);
    let ran = oam_with(&["suggest", "--config", text(&config), "-"], b"starting\n");
    assert_eq!(ran.code, Some(1));
    let said = "oam: no records: nothing is known of what is used\n";
    assert!(ran.err.starts_with(said), "{}", ran.err);
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
