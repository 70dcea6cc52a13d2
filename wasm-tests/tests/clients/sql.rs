//! `databricks-sql-connector`: Thrift, after an exchange that the driver asks the gateway for by
//! itself.

use serde_json::{Value, json};
use wasm_tests::python::Python;
use wasm_tests::python::service::Service;

use crate::gateway::{Gateway, PERSONAL, lacking};

#[test]
fn the_driver_gets_its_rows_or_the_reason() {
    let python = Python::with("sql");
    let warehouse = Service::start(&python, "warehouse.py");
    let gateway = Gateway::before(warehouse.address());
    let rows = json!({ "returned": [[1]], "warnings": 0 });
    let refused = |status: u16, message: &str, warnings: u8| {
        let message = format!("Error during request to server: {message} ");
        json!({ "raised": "databricks.sql.exc.RequestError", "message": message, "status": status, "warnings": warnings })
    };
    let scope = lacking(
        "scientist",
        "sql-thrift.call-warehouse needs `sql`.",
        "`data-engineer`, `analyst`, `admin`",
    );
    let expired = "The access token has expired: get a new one from your identity provider.";
    // A token that is valid gets itself back. One that is not is refused there too, and the driver
    // makes do with what it has.
    #[rustfmt::skip]
    let cases = [
        // caller      what the driver says            the records' reasons
        ("engineer",   rows,                           [&["public"], ["permitted"; 8].as_slice()].concat()),
        ("scientist",  refused(403, &scope, 0),        vec!["public", "role_lacks_scope"]),
        ("expired",    refused(401, expired, 1),       vec!["token_expired", "token_expired"]),
        ("static",     refused(401, PERSONAL, 0),      vec!["personal_access_token_refused"]),
    ];
    for (caller, want, reasons) in cases {
        let mark = gateway.envoy.log().mark();
        assert_eq!(gateway.run(&python, "sql.py", caller), want, "{caller}");
        let records = gateway.envoy.log().wait_for_audit(mark, reasons.len());
        let found: Vec<&str> = records
            .iter()
            .filter_map(|record| record["reason"].as_str())
            .collect();
        assert_eq!(found, reasons, "{caller}");
        let asked = records[0]["path"] == "/oidc/v1/token";
        assert_eq!(asked, caller != "static", "{caller}");
    }
    let seen = warehouse.take();
    let calls: Vec<&str> = seen
        .iter()
        .filter_map(|request| request["call"].as_str())
        .collect();
    assert_eq!(calls, CALLS);
    for request in &seen {
        let path = request["path"].as_str().unwrap_or_default();
        // Of the forms the one whose token was no good.
        if path != "/oidc/v1/token" {
            gateway.assert_exchanged(&authorization(request));
        }
    }
}

fn authorization(request: &Value) -> Vec<&str> {
    let values = request["authorization"].as_array();
    values
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// One statement, from session to session's end.
const CALLS: [&str; 7] = [
    "OpenSession",
    "ExecuteStatement",
    "GetOperationStatus",
    "GetResultSetMetadata",
    "FetchResults",
    "CloseOperation",
    "CloseSession",
];
