//! The compact record: one JSON object on one line.

use crate::authorize::{Decision, Grounds, Verdict};
use crate::denial::Denial;
use crate::exchange::{OauthError, Refusal};
use crate::policy::rule::Mode;
use crate::request::credential::CredentialKind;
use crate::request::envelope::Envelope;
use crate::time::{Rfc3339, UnixTime};
use crate::token::jws::UnverifiedClaims;

use crate::line::{Line, Value, name};

/// A decision's record.
pub struct Record<'a> {
    decision: &'a Decision<'a>,
    envelope: &'a Envelope<'a>,
    decision_id: &'a str,
    now: Option<UnixTime>,
    config: &'a str,
}

impl<'a> Record<'a> {
    /// The record of a decision taken at `now`, or without a clock, under the configuration whose
    /// digest begins with `config`.
    pub fn new(
        decision: &'a Decision<'a>,
        envelope: &'a Envelope<'a>,
        decision_id: &'a str,
        now: impl Into<Option<UnixTime>>,
        config: &'a str,
    ) -> Self {
        Self {
            decision,
            envelope,
            decision_id,
            now: now.into(),
            config,
        }
    }

    /// The decision that it is of.
    pub const fn decision(&self) -> &Decision<'a> {
        self.decision
    }

    /// The line, without its line break.
    pub fn to_line(&self) -> String {
        self.write_to(String::new())
    }

    /// The line, in the room of another text.
    pub fn write_to(&self, room: String) -> String {
        let time = self.now.map(UnixTime::rfc_3339);
        let time = time.as_ref().map(Rfc3339::as_str);
        let mut line = Line::within(room, name!("time"), time);
        self.write_request(&mut line);
        self.write_policy(&mut line);
        self.write_caller(&mut line);
        self.write_end(&mut line);
        line.finish()
    }

    /// What was decided of what.
    fn write_request(&self, line: &mut Line) {
        let (evidence, envelope) = (&self.decision.evidence, self.envelope);
        let (word, reason) = words(&self.decision.verdict);
        let mode = match evidence.mode {
            Mode::Enforce => "enforce",
            Mode::Shadow => "shadow",
        };
        let operation = evidence.operation.map(|operation| operation.name);
        let (claim, fault) = claim_fault(&self.decision.verdict);
        let request_id = envelope.request_id();
        line.write(&[
            (name!("decision"), Value::Word(word)),
            (name!("mode"), Value::Word(mode)),
            (name!("reason"), Value::Word(reason)),
            (name!("claim"), Value::optional(claim)),
            (name!("claim_fault"), Value::optional(fault)),
            (name!("decision_id"), Value::Word(self.decision_id)),
            (name!("request_id"), Value::nullable(request_id.as_deref())),
        ]);
        match &evidence.quoted {
            Some(quoted) => line.written(quoted),
            None => line.write(&[
                (name!("method"), Value::Text(&envelope.method())),
                (name!("path"), Value::Text(&envelope.path())),
            ]),
        }
        line.write(&[(name!("operation"), Value::nullable(operation))]);
    }

    /// What was asked for, and what the caller may.
    fn write_policy(&self, line: &mut Line) {
        let evidence = &self.decision.evidence;
        let written = evidence.standing.as_ref().map(|standing| &standing.written);
        let (scopes, roles) = match written {
            Some(written) => (&*written.scope_list, &*written.role_list),
            None => ("[]", "[]"),
        };
        line.texts(name!("required_scopes"), evidence.required_scopes());
        line.write(&[
            (name!("effective_scopes"), Value::Json(scopes)),
            (
                name!("rule"),
                Value::nullable(evidence.rule.map(|rule| &*rule.name)),
            ),
            (name!("roles"), Value::Json(roles)),
        ]);
    }

    /// Who a sound token says is calling.
    fn write_caller(&self, line: &mut Line) {
        line.written(match &self.decision.evidence.token {
            Some(token) => token.written(),
            None => NOBODY,
        });
    }

    /// What came with the request, for which workspace, and from where.
    fn write_end(&self, line: &mut Line) {
        let (evidence, envelope) = (&self.decision.evidence, self.envelope);
        let credential = evidence.credential.map(CredentialKind::as_str);
        let user_agent = envelope.user_agent();
        let workspace = evidence.workspace.map(|workspace| workspace.to_string());
        line.write(&[
            (name!("credential"), Value::nullable(credential)),
            (
                name!("credential_fingerprint"),
                Value::optional(evidence.fingerprint.as_deref()),
            ),
            (
                name!("credential_leaked"),
                Value::where_true(evidence.leaked),
            ),
        ]);
        if let Some(claims) = &evidence.unverified {
            write_unverified(line, claims);
        }
        line.write(&[
            (name!("workspace"), Value::nullable(workspace.as_deref())),
            (
                name!("exchanged_scope"),
                Value::optional(evidence.exchanged_scope),
            ),
            (
                name!("exchange_error"),
                Value::optional(exchange_error(&self.decision.verdict)),
            ),
            (name!("source_ip"), Value::nullable(envelope.source_ip)),
            (name!("user_agent"), Value::nullable(user_agent.as_deref())),
            (name!("config"), Value::Word(self.config)),
        ]);
    }
}

/// What a token says of itself that nobody verified.
fn write_unverified(line: &mut Line, claims: &UnverifiedClaims) {
    line.json(name!("unverified"), r#"{"issuer":"#);
    line.value(&claims.issuer);
    line.write(&[(name!("subject"), Value::nullable(claims.subject.as_deref()))]);
    line.texts(
        name!("audiences"),
        claims.audiences.iter().map(|audience| &**audience),
    );
    line.close();
}

/// The decision and its reason. What is on trial is recorded as what it would be.
pub fn words(verdict: &Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Return(token) => match token.shadowed() {
            Some(denial) => ("deny", denial.code()),
            None => ("allow", "public"),
        },
        Verdict::Allow(permit) => match permit.grounds() {
            Grounds::Bearer => ("allow", "permitted"),
            Grounds::Discovery | Grounds::Public => ("allow", "public"),
            Grounds::Observed(kind) => ("allow", kind.observed()),
        },
        Verdict::Deny(denial) | Verdict::Shadow(denial, _) => ("deny", denial.code()),
        Verdict::Describe(_) => ("allow", "metadata"),
    }
}

/// The claim for which a token was refused, where it is one, and what is wrong with it. Never what
/// it holds.
pub fn claim_fault(verdict: &Verdict) -> (Option<&str>, Option<&'static str>) {
    let Verdict::Deny(denial) = verdict else {
        return (None, None);
    };
    if let Denial::InvalidToken(reason) = denial.cause() {
        reason.fault()
    } else {
        (None, None)
    }
}

/// Why the token endpoint refused, where it gave a reason that OAuth names.
fn exchange_error(verdict: &Verdict) -> Option<&'static str> {
    let Verdict::Deny(Denial::Exchange(Refusal::Refused(error))) = verdict else {
        return None;
    };
    error.map(OauthError::as_str)
}

/// What a record says of its caller where no sound token says who that is.
const NOBODY: &str =
    r#","issuer":null,"subject":null,"client":null,"token_id":null,"token_expires_at":null"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorize::evidence::Evidence;
    use crate::issuer::invalid_token::InvalidToken;
    use crate::request::Headers;
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
        for (denial, now, want) in cases {
            let decision = Decision {
                verdict: Verdict::Deny(denial),
                evidence: Evidence::new(Mode::Enforce),
                awaited: None,
            };
            let headers = Headers::default();
            let envelope = Envelope::of(&headers, None);
            let line = Record::new(&decision, &envelope, "d", now, "c").to_line();
            assert_eq!(line.get(..want.len()), Some(want), "{line}");
        }
    }
}
