use serde_json::{Value, json};

use super::*;
use crate::audit::record::Stamp;
use crate::authorize::Decision;
use crate::denial::Denial;
use crate::issuer::invalid_token::InvalidToken;
use crate::request::{Headers, RequestError};

fn event(denial: Denial, headers: &[(&str, &str)]) -> Value {
    let pairs = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    let headers = Headers::new(pairs.collect());
    let decision = Decision::refusal(denial);
    let record = Record {
        decision: &decision,
        envelope: &Envelope::of(&headers, Some("192.0.2.7")),
        stamp: Stamp {
            time: UnixTime::from_seconds(1_800_000_000),
            decision_id: "d",
            worker: "w",
            sequence: 7,
            config: "c",
            inputs: false,
        },
    };
    serde_json::from_str(&line(&record)).unwrap()
}

#[test]
fn a_refusal_is_an_event_of_api_activity() {
    let headers = [
        (":method", "DELETE"),
        (":path", "/a"),
        (":authority", "db.example"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
        ("user-agent", "sdk/1"),
        ("x-request-id", "r"),
    ];
    let want = json!({
        "category_uid": 6,
        "class_uid": 6003,
        "activity_id": 4,
        "type_uid": 600_304,
        "time": 1_800_000_000_000_u64,
        "metadata": {
            "version": "1.9.0",
            "product": {
                "name": "databricks-oam-filter",
                "vendor_name": "databricks-oam-filter",
                "version": env!("CARGO_PKG_VERSION"),
            },
            "profiles": ["security_control", "trace"],
            "uid": "d",
            "original_event_uid": "d",
            "correlation_uid": "r",
            "event_code": "unmatched",
            "log_name": "audit",
            "sequence": 7,
        },
        "severity_id": 2,
        "status_id": 2,
        "action_id": 2,
        "disposition_id": 2,
        "status_code": "unmatched",
        "actor": {"user": {"name": "unknown"}},
        "api": {"operation": "unknown", "request": {"uid": "r"}},
        "src_endpoint": {"ip": "192.0.2.7"},
        "dst_endpoint": {"hostname": "db.example"},
        "http_request": {
            "http_method": "DELETE",
            "url": {"path": "/a"},
            "user_agent": "sdk/1",
            "uid": "r",
        },
        "authorizations": [{
            "decision": "deny",
            "policy": {"name": "catalogue", "type": "catalogue", "version": "c", "is_applied": true},
        }],
        "trace": {"uid": "4bf92f3577b34da6a3ce929d0e0e4736"},
        "unmapped": {
            "decision": "deny",
            "mode": "enforce",
            "required_scopes": [],
            "worker": "w",
        },
    });
    assert_eq!(event(Denial::Unmatched, &headers), want);
}

#[test]
fn refusals_are_disposed_of_by_their_kind() {
    #[rustfmt::skip]
    let cases = [
        // denial                                        severity, disposition
        (Denial::DeniedByRule,                           2, 2),
        (Denial::InsufficientScope,                      2, 2),
        (Denial::MissingCredentials,                     2, 26),
        (Denial::InvalidToken(InvalidToken::Expired),    2, 26),
        (Denial::InvalidGrant(Denial::NoRole.into()),    2, 2),
        (Denial::AmbiguousPath,                          2, 25),
        (Denial::Request(RequestError::NoMethod),        3, 27),
        (Denial::KeysUnavailable,                        3, 27),
    ];
    for (denial, severity, disposition) in cases {
        let name = denial.code();
        let event = event(denial, &[]);
        let found = [&event["severity_id"], &event["disposition_id"]];
        assert_eq!(found, [&json!(severity), &json!(disposition)], "{name}");
    }
}
