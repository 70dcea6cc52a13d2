//! The compact record: one JSON object on one line.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::json_line::JsonLine;
use crate::policy::standing::Written;
use crate::request::credential::CredentialKind;
use crate::request::envelope::{McpCall, Quoted};
use crate::time::{Rfc3339, UnixTime};
use crate::token::jws::UnverifiedClaims;

use super::inputs::Inputs;
use super::list::{RequiredScopes, WrittenList};
use super::record::{Record, claim_fault, words};

/// The record on a line, without its line break, in a reusable buffer.
pub fn line(record: &Record<'_>, buffer: Vec<u8>) -> Vec<u8> {
    let mut line = JsonLine::within(buffer);
    line.add(&Judged::of(record));
    match &record.evidence().token {
        Some(token) => line.add_written(token.written()),
        None => line.add(&Nobody::default()),
    }
    line.add(&Surroundings::of(record));
    line.finish()
}

/// What was decided of what, and what the caller may.
#[derive(Serialize)]
struct Judged<'a> {
    time: Option<Rfc3339>,
    decision: &'static str,
    mode: &'static str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_fault: Option<&'static str>,
    decision_id: &'a str,
    request_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    method: Cow<'a, str>,
    host: Option<Cow<'a, str>>,
    path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mcp: Option<McpCall<'a>>,
    operation: Option<&'static str>,
    required_scopes: RequiredScopes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_scopes: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_grants: Option<&'a RawValue>,
    effective_scopes: WrittenList<'a>,
    rule: Option<&'a str>,
    roles: WrittenList<'a>,
}

impl<'a> Judged<'a> {
    fn of(record: &Record<'a>) -> Self {
        let (evidence, envelope) = (record.evidence(), record.envelope);
        let (decision, reason) = words(&record.decision.verdict);
        let (claim, claim_fault) = claim_fault(&record.decision.verdict);
        let written: Option<&Written> = evidence.standing.as_deref().map(|held| &held.written);
        let (method, path) = match evidence.quoted.as_deref() {
            Some(Quoted { method, path }) => (Cow::from(&**method), Cow::from(&**path)),
            None => (envelope.method(), envelope.path()),
        };
        Self {
            time: record.stamp.time.map(UnixTime::rfc_3339),
            decision,
            mode: record.mode(),
            reason,
            claim,
            claim_fault,
            decision_id: record.stamp.decision_id,
            request_id: envelope.request_id(),
            trace_id: envelope.trace_id(),
            method,
            host: envelope.host(),
            path,
            mcp: envelope.mcp(),
            operation: evidence.operation.map(|operation| operation.name),
            required_scopes: RequiredScopes(evidence),
            token_scopes: written.and_then(|written| written.token_scopes.as_deref()),
            role_grants: written.and_then(|written| written.role_grants.as_deref()),
            effective_scopes: WrittenList(written.map(|written| &*written.scope_list)),
            rule: evidence.rule.map(|rule| &*rule.name),
            roles: WrittenList(written.map(|written| &*written.role_list)),
        }
    }
}

/// Who is calling where no valid token says so.
#[derive(Default, Serialize)]
struct Nobody {
    issuer: (),
    subject: (),
    client: (),
    token_id: (),
    token_expires_at: (),
}

/// What came with the request, for which workspace, and from where.
#[derive(Serialize)]
struct Surroundings<'a> {
    credential: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_fingerprint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_leaked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unverified: Option<&'a UnverifiedClaims>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Inputs<'a>>,
    workspace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchanged_scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange_error: Option<&'static str>,
    source_ip: Option<&'a str>,
    user_agent: Option<Cow<'a, str>>,
    worker: &'a str,
    sequence: u64,
    config: &'a str,
}

impl<'a> Surroundings<'a> {
    fn of(record: &Record<'a>) -> Self {
        let (evidence, envelope, stamp) = (record.evidence(), record.envelope, record.stamp);
        let token = evidence.token.as_deref().filter(|_| stamp.inputs);
        Self {
            credential: evidence.credential.map(CredentialKind::as_str),
            credential_fingerprint: evidence.fingerprint.as_deref(),
            credential_leaked: evidence.leaked.then_some(true),
            unverified: evidence.unverified.as_deref(),
            inputs: token.map(Inputs::of),
            workspace: evidence.workspace.map(|workspace| workspace.to_string()),
            exchanged_scope: evidence.exchanged_scope,
            exchange_error: record.exchange_error(),
            source_ip: envelope.source_ip,
            user_agent: envelope.user_agent(),
            worker: stamp.worker,
            sequence: stamp.sequence,
            config: stamp.config,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::record::Stamp;
    use crate::authorize::evidence::Evidence;
    use crate::authorize::{Decision, Verdict};
    use crate::denial::Denial;
    use crate::issuer::invalid_token::InvalidToken;
    use crate::policy::rule::Mode;
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
        let want = r#"{"time":null,"decision":"deny","mode":"enforce","reason":"unmatched","decision_id":"d","request_id":"r","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","method":"POST","host":"db.example","path":"/api/2.0/mcp/sql","mcp":{"method":"tools/call","name":"run_sql","version":"2026-07-28"},"operation":null,"required_scopes":[],"effective_scopes":[],"rule":null,"roles":[],"issuer":null,"subject":null,"client":null,"token_id":null,"token_expires_at":null,"credential":null,"workspace":null,"source_ip":"192.0.2.7","user_agent":"agent/1","worker":"w","sequence":7,"config":"c"}"#;
        assert_eq!(line, want);
    }

    fn line_of(denial: Denial, headers: &Headers, time: Option<UnixTime>) -> String {
        let decision = Decision {
            verdict: Verdict::Deny(denial),
            evidence: Evidence::new(Mode::Enforce),
            awaited: None,
        };
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
        String::from_utf8(line(&record, Vec::new())).unwrap()
    }
}
