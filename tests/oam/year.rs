//! A year of audit records, as many as are wanted, the same at every run.
//!
//! What is rare in it stands at known places, so that a test can ask for it.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "in a test that panic is a failure"
)]

use std::io::Write;

use databricks_oam_filter::time::UnixTime;

#[path = "../stand_in/dice.rs"]
mod dice;

use dice::Dice;

/// Writes records.
pub(crate) struct Year {
    dice: Dice,
    records: u64,
    workers: [u64; WORKERS],
}

/// What a record says of who requested what.
struct YearRequest {
    /// Position in [`OPERATIONS`].
    operation: usize,
    /// Position in [`DECISIONS`].
    decision: usize,
    person: usize,
}

impl Year {
    /// Of so many records.
    pub(crate) fn of(records: u64) -> Self {
        Self {
            dice: Dice(1),
            records,
            workers: [0; WORKERS],
        }
    }

    /// All of them. Of the number 1,000 of the first worker nothing is written.
    pub(crate) fn write(mut self, into: &mut impl Write) {
        for number in 0..self.records {
            let worker = self.dice.below(WORKERS);
            self.workers[worker] += 1;
            let line = self.line(number, worker);
            if (worker, self.workers[worker]) != DELETED {
                into.write_all(line.as_bytes()).unwrap();
            }
        }
    }

    fn line(&mut self, number: u64, worker: usize) -> String {
        let second = START + YEAR * number / self.records;
        let time = UnixTime::from_millis(second * 1000 + number % 1000).unwrap();
        let request = YearRequest {
            operation: self.dice.below(OPERATIONS.len()),
            decision: [0, 0, 0, 0, 0, 0, 1, 2, 3, 4][self.dice.below(10)],
            person: self.dice.below(400),
        };
        let (method, path, operation, scope) = OPERATIONS[request.operation];
        let (decision, mode, reason) = DECISIONS[request.decision];
        let (sequence, person) = (self.workers[worker], request.person);
        format!(
            "{{\"time\":\"{time}\",\"decision\":\"{decision}\",\"mode\":\"{mode}\",\"reason\":\"{reason}\",\"decision_id\":\"{number:032x}\",\"request_id\":\"5f1c2a9e-{person:04}-4d1b-9f0e-{number:012x}\",\"trace_id\":\"{number:032x}\",\"host\":\"dbx-{}.example.com\",\"method\":\"{method}\",\"path\":\"{path}\",\"operation\":\"{operation}\",\"required_scopes\":[\"{scope}\"],{}\"workspace\":\"{}\",\"source_ip\":\"10.1.{}.{}\",\"user_agent\":\"{}\",\"worker\":\"{worker:016x}\",\"sequence\":{sequence},\"config\":\"1f0c2d3e4a5b\"}}\n",
            person % 5,
            Self::caller(&request, number),
            1_234_567_890 + person % 5,
            person / 250,
            person % 250,
            AGENTS[person % AGENTS.len()],
        )
    }

    fn caller(request: &YearRequest, number: u64) -> String {
        let YearRequest {
            person, decision, ..
        } = request;
        if *decision == 4 {
            return format!(
                "\"effective_scopes\":[],\"rule\":null,\"roles\":[],\"issuer\":null,\"subject\":null,\"client\":null,\"token_id\":null,\"token_expires_at\":null,\"credential\":\"personal_access_token\",\"credential_fingerprint\":\"{:032x}\",",
                person % 40
            );
        }
        let actor = match person % 20 {
            0 => "\"actor\":\"agent-7\",",
            _ => "",
        };
        let (role, grants) = ROLES[person % ROLES.len()];
        format!(
            "\"token_scopes\":[\"all-apis\"],\"effective_scopes\":{grants},\"rule\":null,\"roles\":[\"{role}\"],\"issuer\":\"https://acme.okta.com/oauth2/aus1a2b3c4d5\",\"subject\":\"person{person}@acme.example.com\",\"client\":\"client-{}\",{actor}\"token_id\":\"AT.{number:020x}\",\"token_expires_at\":1795436400,\"token_lifetime\":3600,\"credential\":\"jwt\",",
            person % 7
        )
    }
}

/// 2026-01-01T00:00:00Z.
const START: u64 = 1_767_225_600;
const YEAR: u64 = 365 * 86_400;
const WORKERS: usize = 8;

/// The worker and the number of which no record is written.
pub(crate) const DELETED: (usize, u64) = (0, 1000);

const OPERATIONS: [(&str, &str, &str, &str); 6] = [
    ("GET", "/api/2.2/jobs/list", "jobs.list", "jobs:read"),
    ("POST", "/api/2.2/jobs/run-now", "jobs.run-now", "jobs"),
    (
        "POST",
        "/api/2.0/sql/statements",
        "statement-execution.execute-statement",
        "sql",
    ),
    (
        "GET",
        "/api/2.1/unity-catalog/tables",
        "tables.list",
        "unity-catalog:read",
    ),
    (
        "GET",
        "/api/2.0/preview/scim/v2/Me",
        "current-user.me",
        "scim:read",
    ),
    (
        "POST",
        "/api/2.1/clusters/start",
        "clusters.start",
        "clusters",
    ),
];

const DECISIONS: [(&str, &str, &str); 5] = [
    ("allow", "enforce", "permitted"),
    ("deny", "enforce", "role_lacks_scope"),
    ("deny", "enforce", "insufficient_scope"),
    ("deny", "shadow", "denied_by_rule"),
    ("allow", "shadow", "personal_access_token_observed"),
];

const ROLES: [(&str, &str); 3] = [
    (
        "analyst",
        r#"["genie","jobs:read","sql","unity-catalog:read"]"#,
    ),
    (
        "data-engineer",
        r#"["clusters","jobs","pipelines","sql","unity-catalog:read","workspace"]"#,
    ),
    ("platform-admin", r#"["all-apis"]"#),
];

const AGENTS: [&str; 4] = [
    "databricks-sdk-py/0.71.0 python/3.12.4 os/linux auth/oauth-m2m",
    "databricks-cli/0.275.0 databricks-sdk-go/0.90.0 go/1.25.1 os/darwin cmd/jobs_run-now auth/databricks-cli",
    "DatabricksJDBCDriverOSS/3.0.1 Java/21",
    "curl/8.5.0",
];
