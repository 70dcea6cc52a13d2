//! The compact record: one JSON object on one line.

use serde::Serialize;

use crate::authorize::{Decision, Permit, Verdict};
use crate::denial::Denial;
use crate::exchange::{OauthError, Refusal};
use crate::issuer::access_token::AccessToken;
use crate::policy::rule::Mode;
use crate::request::credential::CredentialKind;
use crate::request::envelope::Envelope;
use crate::time::UnixTime;
use crate::token::scope::Scope;

/// A decision's record.
#[derive(Serialize)]
pub struct Record<'a> {
    time: String,
    decision: &'static str,
    mode: &'static str,
    reason: &'static str,
    decision_id: &'a str,
    request_id: Option<&'a str>,
    method: &'a str,
    path: &'a str,
    operation: Option<&'static str>,
    required_scopes: &'a [Box<str>],
    effective_scopes: Vec<&'a str>,
    rule: Option<&'a str>,
    roles: &'a [Box<str>],
    issuer: Option<&'a str>,
    subject: Option<&'a str>,
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    earlier_actors: &'a [Box<str>],
    token_id: Option<&'a str>,
    token_expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_lifetime: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offline_access: Option<bool>,
    credential: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_fingerprint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_leaked: Option<bool>,
    workspace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchanged_scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange_error: Option<&'static str>,
    source_ip: Option<&'a str>,
    user_agent: Option<&'a str>,
    config: &'a str,
}

impl<'a> Record<'a> {
    /// The record of a decision taken at `now` under the configuration whose digest begins with `config`.
    pub fn new(
        decision: &'a Decision<'_>,
        envelope: &'a Envelope,
        decision_id: &'a str,
        now: UnixTime,
        config: &'a str,
    ) -> Self {
        let evidence = &decision.evidence;
        let token = evidence.token.as_deref();
        let standing = evidence.standing.as_ref();
        let (word, reason) = words(&decision.verdict);
        Self {
            time: now.to_string(),
            decision: word,
            mode: match evidence.mode {
                Mode::Enforce => "enforce",
                Mode::Shadow => "shadow",
            },
            reason,
            decision_id,
            request_id: envelope.request_id.as_deref(),
            method: &envelope.method,
            path: &envelope.path,
            operation: evidence.operation.map(|operation| operation.name),
            required_scopes: &evidence.required_scopes,
            effective_scopes: standing
                .into_iter()
                .flat_map(|standing| standing.scopes.iter())
                .map(Scope::as_str)
                .collect(),
            rule: evidence.rule.map(|rule| &*rule.name),
            roles: standing
                .map(|standing| &*standing.roles)
                .unwrap_or_default(),
            issuer: token.map(|token| &*token.issuer),
            subject: token.and_then(|token| token.subject.as_deref()),
            client: token.and_then(|token| token.client.as_deref()),
            actor: token.and_then(|token| token.actor.as_deref()),
            earlier_actors: token
                .map(|token| &*token.earlier_actors)
                .unwrap_or_default(),
            token_id: token.and_then(|token| token.token_id.as_deref()),
            token_expires_at: token.map(|token| token.expires_at.seconds()),
            token_lifetime: token
                .and_then(AccessToken::lifetime)
                .map(|lifetime| lifetime.as_secs()),
            offline_access: token.and_then(|token| token.offline_access.then_some(true)),
            credential: evidence.credential.map(CredentialKind::as_str),
            credential_fingerprint: evidence.fingerprint.as_deref(),
            credential_leaked: evidence.leaked.then_some(true),
            workspace: evidence.workspace.map(|workspace| workspace.to_string()),
            exchanged_scope: evidence.exchanged_scope,
            exchange_error: exchange_error(&decision.verdict),
            source_ip: envelope.source_ip.as_deref(),
            user_agent: envelope.user_agent.as_deref(),
            config,
        }
    }

    /// The line, without its line break.
    pub fn to_line(&self) -> String {
        // Strings, numbers and lists of strings: there is nothing here that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
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
