//! The shipped query over records and Databricks' own audit log, run on tables with the columns
//! that Databricks documents.

use serde_json::{Value, json};
use wasm_tests::paths;
use wasm_tests::python::Python;

#[test]
fn who_went_round_the_gateway_is_found() {
    let query = std::fs::read_to_string(paths::root().join("envoy/collectors/audit-log.sql"));
    let query = query.expect("the query");
    let given = json!({ "query": query, "records": records(), "calls": calls() });
    let said = Python::with("duckdb").run("audit_log.py", &[], &given.to_string());
    let found: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    #[rustfmt::skip]
    let want = [
        json!(["recorded",                               "2026-11-20 12:00:00.900000", "ada@example.com", "jobs.list",             GATEWAY,        "d-1", "e-1"]),
        json!(["went round the gateway",                 "2026-11-20 12:00:00.900000", "ada@example.com", "secrets.getSecret",     "198.51.100.9", null,  "e-4"]),
        json!(["recorded",                               "2026-11-20 12:00:01",        "ada@example.com", "jobs.listRuns",         GATEWAY,        "d-1", "e-2"]),
        json!(["recorded",                               "2026-11-20 12:10:00.500000", "6a1f-etl",        "jobs.runNow",           GATEWAY,        "d-2", "e-3"]),
        json!(["recorded, not in the audit log",         "2026-11-20 12:20:00",        "bob@example.com", "clusters.list",         null,           "d-3", null]),
        json!(["through the gateway, without a record",  "2026-11-20 12:25:00",        "bob@example.com", "sqlStatements.execute", GATEWAY,        null,  "e-5"]),
        json!(["recorded",                               "2026-11-20 12:40:00.300000", "bob@example.com", "jobs.list",             GATEWAY,        "d-5", "e-7"]),
    ];
    assert_eq!(found, want);
}

#[rustfmt::skip]
fn records() -> [Value; 5] {
    [
        // Of this one the audit log has two calls: Databricks may write several for one request.
        record("d-1", "12:00:00.100", "allow", "enforce", "Ada@example.com", "jobs.list"),
        // A service principal, whom the audit log calls by its application ID.
        record("d-2", "12:10:00.000", "allow", "enforce", "etl-pipeline",    "jobs.run-now"),
        record("d-3", "12:20:00.000", "allow", "enforce", "bob@example.com", "clusters.list"),
        // Refused, so it never reached Databricks; and refused in shadow mode, so it did.
        record("d-4", "12:30:00.000", "deny",  "enforce", "bob@example.com", "jobs.list"),
        record("d-5", "12:40:00.000", "deny",  "shadow",  "bob@example.com", "jobs.list"),
    ]
}

#[rustfmt::skip]
fn calls() -> [Value; 7] {
    [
        call("e-1", "12:00:00.900", GATEWAY,        "ada@example.com", "jobs.list"),
        call("e-2", "12:00:01.000", GATEWAY,        "ada@example.com", "jobs.listRuns"),
        call("e-3", "12:10:00.500", GATEWAY,        "6a1f-etl",        "jobs.runNow"),
        // From somewhere else, at the very time of a recorded call and by the same person.
        call("e-4", "12:00:00.900", "198.51.100.9", "ada@example.com", "secrets.getSecret"),
        // From the gateway's address, long after the last record.
        call("e-5", "12:25:00.000", GATEWAY,        "bob@example.com", "sqlStatements.execute"),
        of_the_account(call("e-6", "12:26:00.000", "198.51.100.9", "bob@example.com", "accounts.login")),
        call("e-7", "12:40:00.300", GATEWAY,        "bob@example.com", "jobs.list"),
    ]
}

fn record(
    id: &str,
    time: &str,
    decision: &str,
    mode: &str,
    subject: &str,
    operation: &str,
) -> Value {
    json!({
        "time": format!("2026-11-20T{time}Z"), "decision": decision, "mode": mode,
        "decision_id": id, "operation": operation, "subject": subject, "client": "6a1f-etl",
        "workspace": null, "user_agent": "databricks-sdk-py/0.162.0",
    })
}

fn call(id: &str, time: &str, address: &str, email: &str, what: &str) -> Value {
    let (service, action) = what.split_once('.').expect("a service and its action");
    json!({
        "event_id": id, "event_time": format!("2026-11-20 {time}"), "source_ip_address": address,
        "email": email, "service_name": service, "action_name": action,
        "workspace_id": "1234567890123456", "audit_level": "WORKSPACE_LEVEL",
        "user_agent": "databricks-sdk-py/0.162.0",
    })
}

fn of_the_account(mut call: Value) -> Value {
    call["audit_level"] = json!("ACCOUNT_LEVEL");
    call["workspace_id"] = json!("0");
    call
}

/// One of the addresses in the query.
const GATEWAY: &str = "203.0.113.7";
