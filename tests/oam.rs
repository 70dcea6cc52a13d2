//! The command line, run as people run it.

#![cfg(test)]

#[path = "oam/begin.rs"]
mod begin;
#[path = "oam/book.rs"]
mod book;
#[path = "oam/check.rs"]
mod check;
#[path = "oam/codes.rs"]
mod codes;
#[path = "oam/cookbook.rs"]
mod cookbook;
#[path = "oam/diff.rs"]
mod diff;
#[path = "oam/explain.rs"]
mod explain;
#[path = "oam/manifests.rs"]
mod manifests;
#[path = "oam/monitoring.rs"]
mod monitoring;
#[path = "oam/ocsf.rs"]
mod ocsf;
#[path = "oam/odd_files.rs"]
mod odd_files;
#[path = "oam/pages.rs"]
mod pages;
#[path = "oam/planted.rs"]
mod planted;
#[path = "oam/planting.rs"]
mod planting;
#[path = "oam/report.rs"]
mod report;
#[path = "oam/schema.rs"]
mod schema;
#[path = "oam/shipped.rs"]
mod shipped;
#[path = "oam/suggest.rs"]
mod suggest;
#[path = "oam/suites.rs"]
mod suites;
#[path = "oam/year.rs"]
mod year;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run came to.
#[derive(Debug, Eq, PartialEq)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs `oam` in the root of the checkout.
fn oam(arguments: &[&str]) -> Ran {
    oam_with(arguments, b"")
}

/// Runs `oam` with something on its standard input.
fn oam_with(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_oam"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of this test run, of this name and text.
fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // In one piece: another test may have it read just now.
    let thread = std::thread::current().id();
    let piece = path.with_extension(format!("{thread:?}"));
    std::fs::write(&piece, text).unwrap();
    std::fs::rename(&piece, &path).unwrap();
    path
}

/// A path as an argument.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn usage_is_told_from_no() {
    for arguments in [
        &[][..],
        &["explain"],
        &["frobnicate"],
        &["check"],
        &["check", "/no/such/file"],
        &["test", "/no/such/file"],
    ] {
        let ran = oam(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}");
    }
    assert_eq!(
        oam(&["--version"]).out,
        concat!("oam ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn the_catalogue_is_searched_and_listed() {
    let ran = oam(&["catalogue", "GET", "/api/2.0/jobs/list?limit=5"]);
    assert_eq!(
        ran.out,
        "jobs.list  jobs:read  GET  /api/2.2/jobs/list  workspace\n1 operation\n"
    );
    let ran = oam(&["catalogue", "--json", "POST", "/api/2.1/jobs/run-now"]);
    let rows: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let want = serde_json::json!([{
        "name": "jobs.run-now", "method": "POST", "template": "/api/2.2/jobs/run-now", "area": "jobs",
        "access": "write", "level": "workspace", "scope": "jobs", "marks": ["runs-code"]
    }]);
    assert_eq!(rows, want);
    assert_eq!(oam(&["catalogue", "no-such-thing-at-all"]).code, Some(1));
    let all = oam(&["catalogue", "--json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&all.out).unwrap();
    assert!(rows.len() > 1000);
}
