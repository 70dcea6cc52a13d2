//! The compact record: one JSON object on one line.

use crate::authorize::evidence::RequestedOperation;
use crate::json_line::{JsonLine, Name, Value, name, to_text};
use crate::request::credential::CredentialKind;
use crate::time::{Rfc3339, UnixTime};

use super::inputs::Inputs;
use super::record::{Record, claim_fault, words};

/// The record on a line, without its line break, in a reusable buffer.
pub fn line(record: &Record<'_>, buffer: String) -> String {
    let mut line = JsonLine::within(buffer);
    add_request(record, &mut line);
    add_policy(record, &mut line);
    match &record.evidence().token {
        Some(token) => line.add_written(token.written()),
        None => line.add(&NOBODY),
    }
    add_credential(record, &mut line);
    add_surroundings(record, &mut line);
    line.finish()
}

/// What was decided of which request.
fn add_request(record: &Record<'_>, line: &mut JsonLine) {
    let (evidence, envelope) = (record.evidence(), record.envelope);
    let (decision, reason) = words(&record.decision.verdict);
    let (claim, fault) = claim_fault(&record.decision.verdict);
    let time = record.stamp.time.map(UnixTime::rfc_3339);
    let (request_id, host) = (envelope.request_id(), envelope.host());
    line.add(&[
        (
            name!("time"),
            Value::nullable(time.as_ref().map(Rfc3339::as_str)),
        ),
        (name!("decision"), Value::Word(decision)),
        (name!("mode"), Value::Word(record.mode())),
        (name!("reason"), Value::Word(reason)),
        (name!("claim"), Value::optional(claim)),
        (name!("claim_fault"), Value::optional(fault)),
        (name!("decision_id"), Value::Word(record.stamp.decision_id)),
        (name!("request_id"), Value::nullable(request_id.as_deref())),
        (name!("trace_id"), Value::optional(envelope.trace_id())),
        (name!("host"), Value::nullable(host.as_deref())),
    ]);
    match evidence.written_operation.members() {
        Some(written) => line.add_written(written),
        None => RequestedOperation {
            method: &envelope.method(),
            path: &envelope.path(),
            operation: evidence.operation,
            requirements: &evidence.requirements,
        }
        .add_to(line),
    }
    if let Some(call) = envelope.mcp() {
        line.add(&[(name!("mcp"), Value::Json(&to_text(&call)))]);
    }
}

/// What the caller may.
fn add_policy(record: &Record<'_>, line: &mut JsonLine) {
    let evidence = record.evidence();
    let held = evidence
        .effective_access
        .as_deref()
        .map(|held| &held.written);
    match held {
        Some(held) => line.add_written(&held.scopes),
        None => line.add(&[(name!("effective_scopes"), NONE)]),
    }
    line.add(&[(
        name!("rule"),
        Value::nullable(evidence.rule.map(|rule| &*rule.name)),
    )]);
    match held {
        Some(held) => line.add_written(&held.held),
        None => line.add(&[(name!("roles"), NONE)]),
    }
}

/// What the request was shown with, and what nobody verified.
fn add_credential(record: &Record<'_>, line: &mut JsonLine) {
    let evidence = record.evidence();
    let credential = evidence.credential.map(CredentialKind::as_str);
    let unverified = evidence.unverified.as_deref().map(to_text);
    let token = evidence.token.as_deref().filter(|_| record.stamp.inputs);
    let inputs = token.map(|token| to_text(&Inputs::of(token)));
    line.add(&[
        (name!("credential"), Value::nullable(credential)),
        (
            name!("credential_fingerprint"),
            Value::optional(evidence.fingerprint.as_deref()),
        ),
        (
            name!("credential_leaked"),
            Value::optional_json(evidence.leaked.then_some("true")),
        ),
        (
            name!("unverified"),
            Value::optional_json(unverified.as_deref()),
        ),
        (name!("inputs"), Value::optional_json(inputs.as_deref())),
    ]);
}

/// For which workspace, from where, and which record it is.
fn add_surroundings(record: &Record<'_>, line: &mut JsonLine) {
    let (evidence, stamp) = (record.evidence(), record.stamp);
    let workspace = evidence.workspace.map(|workspace| workspace.to_string());
    let user_agent = record.envelope.user_agent();
    line.add(&[
        (name!("workspace"), Value::nullable(workspace.as_deref())),
        (
            name!("exchanged_scope"),
            Value::optional(evidence.exchanged_scope),
        ),
        (
            name!("exchange_error"),
            Value::optional(record.exchange_error()),
        ),
        (
            name!("source_ip"),
            Value::nullable(record.envelope.source_ip),
        ),
        (name!("user_agent"), Value::nullable(user_agent.as_deref())),
        (name!("worker"), Value::Word(stamp.worker)),
        (name!("sequence"), Value::Number(stamp.sequence)),
        (name!("config"), Value::Word(stamp.config)),
    ]);
}

/// Who is calling where no valid token says so.
const NOBODY: [(Name, Value<'static>); 5] = [
    (name!("issuer"), NULL),
    (name!("subject"), NULL),
    (name!("client"), NULL),
    (name!("token_id"), NULL),
    (name!("token_expires_at"), NULL),
];

const NULL: Value<'static> = Value::Json("null");

/// An empty list.
const NONE: Value<'static> = Value::Json("[]");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::record::Stamp;
    use crate::authorize::Decision;
    use crate::denial::Denial;
    use crate::issuer::invalid_token::InvalidToken;
    use crate::request::Headers;
    use crate::request::envelope::Envelope;
    use crate::token::claims::{ClaimError, ClaimFault};
    use crate::token::json::JsonError;

    #[test]
    fn a_record_names_the_claim_and_the_fault_and_no_time_without_a_clock() {
        let claim = |name: &str, fault| ClaimError::Claim {
            name: name.into(),
            fault,
        };
        let of = |error| Denial::InvalidToken(InvalidToken::Claims(error));
        let now = UnixTime::from_seconds(1_800_000_000);
        #[rustfmt::skip]
        let cases = [
            // denial                                                now   beginning of the record
            (Denial::ClockUnavailable,                               None, r#"{"time":null,"decision":"deny","mode":"enforce","reason":"clock_unavailable","decision_id":"#),
            (of(claim("a\".b", ClaimFault::WrongType)),              now,  r#"{"time":"2027-01-15T08:00:00.000Z","decision":"deny","mode":"enforce","reason":"malformed_claims","claim":"a\".b","claim_fault":"wrong_type","decision_id":"#),
            (of(ClaimError::Json(JsonError::TooDeep)),               now,  r#"{"time":"2027-01-15T08:00:00.000Z","decision":"deny","mode":"enforce","reason":"malformed_claims","claim_fault":"too_deep","decision_id":"#),
            (Denial::InvalidToken(InvalidToken::MissingClaim("iat")), now, r#"{"time":"2027-01-15T08:00:00.000Z","decision":"deny","mode":"enforce","reason":"missing_claim","claim":"iat","claim_fault":"missing","decision_id":"#),
        ];
        for (denial, time, want) in cases {
            let line = line_of(denial, &Headers::default(), time);
            assert_eq!(line.get(..want.len()), Some(want), "{line}");
        }
    }

    #[test]
    fn a_record_quotes_the_request() {
        let pairs = [
            (":method", "POST"),
            (":path", "/api/2.0/mcp/sql?secret"),
            (":authority", "db.example"),
            (
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "run_sql"),
            ("user-agent", "agent/1"),
            ("x-request-id", "r"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let line = line_of(Denial::Unmatched, &Headers::new(pairs.to_vec()), None);
        let want = r#"{"time":null,"decision":"deny","mode":"enforce","reason":"unmatched","decision_id":"d","request_id":"r","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","host":"db.example","method":"POST","path":"/api/2.0/mcp/sql","operation":null,"required_scopes":[],"mcp":{"method":"tools/call","name":"run_sql","version":"2026-07-28"},"effective_scopes":[],"rule":null,"roles":[],"issuer":null,"subject":null,"client":null,"token_id":null,"token_expires_at":null,"credential":null,"workspace":null,"source_ip":"192.0.2.7","user_agent":"agent/1","worker":"w","sequence":7,"config":"c"}"#;
        assert_eq!(line, want);
    }

    fn line_of(denial: Denial, headers: &Headers, time: Option<UnixTime>) -> String {
        let decision = Decision::refusal(denial);
        let record = Record {
            decision: &decision,
            envelope: &Envelope::of(headers, Some("192.0.2.7")),
            stamp: Stamp {
                time,
                decision_id: "d",
                worker: "w",
                sequence: 7,
                config: "c",
                inputs: false,
            },
        };
        line(&record, String::new())
    }
}
