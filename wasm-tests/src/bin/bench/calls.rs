//! Modules that make the host calls of ours and decide nothing: a filter that asks and records as
//! much cannot cost less.

use std::cell::RefCell;
use std::fmt::Write as _;

use databricks_oam_filter::token::signature::delegated::Delegated;
use databricks_oam_filter::token::{Algorithm, AlgorithmSet};
use wasm_tests::header_map;

/// Lets every request through.
pub(crate) fn permitting() -> Vec<u8> {
    ending_in("(func $end (result i32) (i32.const 0))")
}

/// Has the host verify an RS256 signature besides, as for a token that is new; always the same one.
pub(crate) fn verifying() -> Vec<u8> {
    let arguments = arguments_of_verify_signature();
    ending_in(&format!(
        r#"(data (i32.const {FURTHER}) "{data}")
           (func $end (result i32)
             (drop (call $foreign_function (i32.const 1040) (i32.const 16) (i32.const {FURTHER}) (i32.const {size}) (i32.const 24) (i32.const 28)))
             (i32.const 0))"#,
        data = escaped(&arguments),
        size = arguments.len(),
    ))
}

/// Refuses every request, as ours refuses one with an expired token.
pub(crate) fn refusing() -> Vec<u8> {
    let headers = header_map::serialize(&HEADERS);
    ending_in(&format!(
        r#"(data (i32.const {FURTHER}) "{headers}{body}")
           (func $end (result i32)
             (drop (call $answer (i32.const 401) (i32.const 0) (i32.const 0) (i32.const {at}) (i32.const {size}) (i32.const {FURTHER}) (i32.const {headers_size}) (i32.const -1)))
             (i32.const 1))"#,
        headers = escaped(&headers),
        headers_size = headers.len(),
        body = escaped(BODY.as_bytes()),
        at = FURTHER + headers.len(),
        size = BODY.len(),
    ))
}

/// The calls of every request, and then `$end`.
fn ending_in(end: &str) -> Vec<u8> {
    let module = concat!(include_str!("calls.wat"), "\n").to_owned() + end;
    wat::parse_str(module).expect("the text of a module")
}

/// What ours passes to the host with a valid signature, a key of 2,048 bits being proven.
fn arguments_of_verify_signature() -> Vec<u8> {
    let asked = RefCell::new(Vec::new());
    Delegated::prove(AlgorithmSet::EMPTY.with(Algorithm::Rs256), |arguments| {
        asked.borrow_mut().push(arguments.to_vec());
        None
    });
    let mut asked = asked.into_inner().into_iter();
    asked.next().expect("a valid signature comes first")
}

/// Bytes as a string of WebAssembly's text format.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "\\{byte:02x}").expect("a String takes everything");
    }
    text
}

/// Where that begins which not every module needs.
const FURTHER: usize = 4096;

const HEADERS: [(&str, &str); 3] = [
    ("www-authenticate", r#"Bearer error="invalid_token""#),
    ("content-type", "application/json"),
    ("cache-control", "no-store"),
];

const BODY: &str = r#"{"error_code":"UNAUTHENTICATED","message":"The access token has expired: get a new one from your identity provider. This call needs `jobs`.","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"token_expired","domain":"databricks-oam-filter","metadata":{"decision_id":"087d937635df681c000000000000a308","required_scopes":"jobs"}}]}"#;
