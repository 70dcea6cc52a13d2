//! What the class has no attribute for, by the names of the compact record.

use serde::Serialize;

use crate::audit::inputs::Inputs;
use crate::audit::list::RequiredScopes;
use crate::audit::record::{Record, claim_fault, words};
use crate::databricks::scope_set::ScopeSet;
use crate::policy::EffectiveAccess;
use crate::request::credential::CredentialKind;
use crate::request::envelope::McpCall;
use crate::token::jws::UnverifiedClaims;

/// Facts of a record without a home in the schema.
#[derive(Serialize)]
pub(super) struct Unmapped<'a> {
    decision: &'static str,
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim_fault: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mcp: Option<McpCall<'a>>,
    required_scopes: RequiredScopes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_scopes: Option<&'a ScopeSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_grants: Option<&'a ScopeSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_scopes: Option<&'a ScopeSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    earlier_actors: &'a [Box<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    token_lifetime: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offline_access: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_leaked: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unverified: Option<&'a UnverifiedClaims>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Inputs<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchanged_scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange_error: Option<&'static str>,
    worker: &'a str,
}

impl<'a> Unmapped<'a> {
    pub(super) fn of(record: &Record<'a>) -> Self {
        let (evidence, stamp) = (record.evidence(), record.stamp);
        let (decision, _) = words(&record.decision.verdict);
        let (claim, claim_fault) = claim_fault(&record.decision.verdict);
        let held = evidence
            .effective_access
            .as_deref()
            .map(EffectiveAccess::held_scopes);
        let token = evidence.token.as_deref();
        Self {
            decision,
            mode: record.mode(),
            claim,
            claim_fault,
            mcp: record.envelope.mcp(),
            required_scopes: RequiredScopes(evidence),
            token_scopes: held.as_ref().and_then(|held| held.token_scopes),
            role_grants: held.as_ref().and_then(|held| held.role_grants),
            effective_scopes: held.map(|held| held.effective_scopes),
            actor: token.and_then(|token| token.actor.as_deref()),
            earlier_actors: token.map_or(&[], |token| &token.earlier_actors),
            token_lifetime: token.and_then(|token| Some(token.lifetime()?.as_secs())),
            offline_access: token.and_then(|token| token.offline_access.then_some(true)),
            credential: evidence.credential.map(CredentialKind::as_str),
            credential_leaked: evidence.leaked.then_some(true),
            unverified: evidence.unverified.as_deref(),
            inputs: token.filter(|_| stamp.inputs).map(Inputs::of),
            exchanged_scope: evidence.exchanged_scope,
            exchange_error: record.exchange_error(),
            worker: stamp.worker,
        }
    }
}
