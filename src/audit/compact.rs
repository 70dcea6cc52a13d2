//! The compact record: one JSON object on one line.

use crate::authorize::{Decision, Permit, Verdict};
use crate::denial::Denial;
use crate::exchange::{OauthError, Refusal};
use crate::issuer::access_token::AccessToken;
use crate::policy::rule::Mode;
use crate::request::credential::CredentialKind;
use crate::request::envelope::Envelope;
use crate::time::UnixTime;
use crate::token::scope::Scope;

use crate::line::{Line, name};

/// A decision's record.
pub struct Record<'a> {
    decision: &'a Decision<'a>,
    envelope: &'a Envelope<'a>,
    decision_id: &'a str,
    now: UnixTime,
    config: &'a str,
}

impl<'a> Record<'a> {
    /// The record of a decision taken at `now` under the configuration whose digest begins with `config`.
    pub const fn new(
        decision: &'a Decision<'a>,
        envelope: &'a Envelope<'a>,
        decision_id: &'a str,
        now: UnixTime,
        config: &'a str,
    ) -> Self {
        Self {
            decision,
            envelope,
            decision_id,
            now,
            config,
        }
    }

    /// The line, without its line break.
    pub fn to_line(&self) -> String {
        let (evidence, envelope) = (&self.decision.evidence, self.envelope);
        let (word, reason) = words(&self.decision.verdict);
        let mut line = Line::new(name!("time"), &self.now.to_rfc3339());
        line.text(name!("decision"), word);
        line.text(
            name!("mode"),
            match evidence.mode {
                Mode::Enforce => "enforce",
                Mode::Shadow => "shadow",
            },
        );
        line.text(name!("reason"), reason);
        line.text(name!("decision_id"), self.decision_id);
        line.nullable(name!("request_id"), envelope.request_id.as_deref());
        line.text(name!("method"), &envelope.method);
        line.text(name!("path"), &envelope.path);
        self.write_policy(&mut line);
        self.write_caller(&mut line);
        self.write_credential(&mut line);
        line.optional(name!("exchanged_scope"), evidence.exchanged_scope);
        line.optional(
            name!("exchange_error"),
            exchange_error(&self.decision.verdict),
        );
        line.nullable(name!("source_ip"), envelope.source_ip);
        line.nullable(name!("user_agent"), envelope.user_agent.as_deref());
        line.text(name!("config"), self.config);
        line.finish()
    }

    /// What was asked for, and what the caller may.
    fn write_policy(&self, line: &mut Line) {
        let evidence = &self.decision.evidence;
        let standing = evidence.standing.as_ref();
        line.nullable(
            name!("operation"),
            evidence.operation.map(|operation| operation.name),
        );
        line.texts(
            name!("required_scopes"),
            evidence.required_scopes.iter().copied(),
        );
        line.texts(
            name!("effective_scopes"),
            standing
                .into_iter()
                .flat_map(|standing| standing.scopes.iter())
                .map(Scope::as_str),
        );
        line.nullable(name!("rule"), evidence.rule.map(|rule| &*rule.name));
        line.texts(
            name!("roles"),
            standing
                .into_iter()
                .flat_map(|standing| &standing.roles)
                .map(|name| &**name),
        );
    }

    /// Who a sound token says is calling.
    fn write_caller(&self, line: &mut Line) {
        let token = self.decision.evidence.token.as_deref();
        line.nullable(name!("issuer"), token.map(|token| &*token.issuer));
        let subject = token.and_then(|token| token.subject.as_deref());
        line.nullable(name!("subject"), subject);
        let client = token.and_then(|token| token.client.as_deref());
        line.nullable(name!("client"), client);
        let actor = token.and_then(|token| token.actor.as_deref());
        line.optional(name!("actor"), actor);
        if let Some(token) = token.filter(|token| !token.earlier_actors.is_empty()) {
            let actors = token.earlier_actors.iter().map(|actor| &**actor);
            line.texts(name!("earlier_actors"), actors);
        }
        let token_id = token.and_then(|token| token.token_id.as_deref());
        line.nullable(name!("token_id"), token_id);
        match token {
            Some(token) => line.number(name!("token_expires_at"), token.expires_at.seconds()),
            None => line.raw(name!("token_expires_at"), "null"),
        }
        if let Some(lifetime) = token.and_then(AccessToken::lifetime) {
            line.number(name!("token_lifetime"), lifetime.as_secs());
        }
        if token.is_some_and(|token| token.offline_access) {
            line.raw(name!("offline_access"), "true");
        }
    }

    /// What came with the request, and for which workspace.
    fn write_credential(&self, line: &mut Line) {
        let evidence = &self.decision.evidence;
        line.nullable(
            name!("credential"),
            evidence.credential.map(CredentialKind::as_str),
        );
        line.optional(
            name!("credential_fingerprint"),
            evidence.fingerprint.as_deref(),
        );
        if evidence.leaked {
            line.raw(name!("credential_leaked"), "true");
        }
        match evidence.workspace {
            Some(workspace) => line.text(name!("workspace"), &workspace.to_string()),
            None => line.raw(name!("workspace"), "null"),
        }
    }
}

/// The decision and its reason. What is on trial is recorded as what it would be.
pub const fn words(verdict: &Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Allow(Permit::Discovery | Permit::Public) => ("allow", "public"),
        Verdict::Allow(Permit::Bearer(_)) => ("allow", "permitted"),
        Verdict::Allow(Permit::Observed(kind)) => ("allow", kind.observed()),
        Verdict::Deny(denial) | Verdict::Shadow(denial, _) => ("deny", denial.code()),
        Verdict::Describe(_) => ("allow", "metadata"),
    }
}

/// Why the token endpoint refused, where it gave a reason that OAuth names.
fn exchange_error(verdict: &Verdict) -> Option<&'static str> {
    let Verdict::Deny(Denial::Exchange(Refusal::Refused(error))) = verdict else {
        return None;
    };
    error.map(OauthError::as_str)
}
