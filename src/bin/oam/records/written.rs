//! What the module writes, read again: both formats say the same.

use std::cell::RefCell;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use databricks_oam_filter::audit::record::{Record as WrittenRecord, Stamp};
use databricks_oam_filter::audit::{compact, ocsf};
use databricks_oam_filter::request::envelope::Envelope;
use databricks_oam_filter::time::parse_moment;
use serde_json::json;

use super::Reading;
use crate::cli::gateway::{Gateway, Shown};

/// What the reader makes of one line, written out.
fn read(line: &[u8]) -> String {
    let (mut reading, mut read) = (Reading::default(), String::new());
    let prefixed = [b"[9][info][wasm] wasm log oam: ", line].concat();
    let _ = reading.file(Path::new("f"), Cursor::new(prefixed), &mut |record, _| {
        read = format!("{record:#?}");
        ControlFlow::Continue(())
    });
    assert_eq!(reading.first_broken, []);
    read
}

#[test]
fn both_formats_are_read_alike() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/envoy/policies/okta.yaml");
    let gateway = Gateway::open(Path::new(config), &[]).unwrap();
    let now = parse_moment("2026-11-23T12:00:00Z").unwrap();
    let claims = json!({
        "sub": "ana", "cid": "bi", "groups": ["dbx-analysts"], "scp": ["databricks:jobs"], "jti": "t",
        "act": {"sub": "agent", "act": {"sub": "earlier"}},
    });
    let claims = claims.as_object().unwrap();
    let (odd, plain) = (odd(), plain());
    #[rustfmt::skip]
    let cases = [
        // method  path                          shown                            some of what is
        // read
        ("POST",   "/api/2.2/jobs/run-now",      Shown::Claims(claims.clone()),   "role_lacks_scope"),
        ("GET",    "/api/2.2/jobs/list",         Shown::Claims(claims.clone()),   "permitted"),
        ("POST",   "/api/2.0/token/create",      Shown::Claims(claims.clone()),   "no-token-minting"),
        ("GET",    "/api/2.2/jobs/list",         Shown::Nothing,                  "missing_credentials"),
        ("GET",    "/healthz",                   Shown::Nothing,                  "public"),
        ("GET",    "/a/b",                       Shown::Token("dapi0123456789abcdef0123456789abcdef".to_owned()), "personal_access_token_refused"),
    ];
    let cases = cases.iter().flat_map(|case| [(case, &odd), (case, &plain)]);
    for (sequence, ((method, path, shown, want), headers)) in (1..).zip(cases) {
        let url = format!("https://databricks.example.com{path}");
        let request = gateway.request(method, &url, headers, shown, now).unwrap();
        let lines = RefCell::new((Vec::new(), Vec::new()));
        gateway
            .decide(&request, |decision| {
                let record = WrittenRecord {
                    decision,
                    envelope: &Envelope::of(&request.headers, Some("192.0.2.7")),
                    stamp: Stamp {
                        time: Some(now),
                        decision_id: "d",
                        worker: "00000000000000aa",
                        sequence,
                        config: "c",
                        inputs: true,
                    },
                };
                lines.replace((
                    compact::line(&record, String::new()).into_bytes(),
                    ocsf::line(&record).into_bytes(),
                ));
            })
            .unwrap();
        let (compact, ocsf) = lines.into_inner();
        assert_eq!(read(&compact), read(&ocsf), "{path}");
        // Without escapes, its own reader reads it: members are in their order.
        let text = std::str::from_utf8(&compact).unwrap();
        let is_plain = headers.len() == plain.len();
        assert_eq!(super::compact::read(text).is_some(), is_plain, "{text}");
        assert!(read(&compact).contains(want), "{path}: {}", read(&compact));
    }
}

/// Headers whose values are escaped in a record, or that it tells of in an object.
fn odd() -> Vec<(String, String)> {
    owned(&[
        ("user-agent", "sdk/1 \"quoted\""),
        ("x-request-id", "r"),
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "drop_table"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
    ])
}

fn plain() -> Vec<(String, String)> {
    owned(&[("user-agent", "sdk/1"), ("x-request-id", "r")])
}

fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    let headers = headers.iter();
    headers
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}
