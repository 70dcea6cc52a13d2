//! Why a caller does not hold a role, and what would have made a request allowed.

use std::cell::OnceCell;

use databricks_oam_filter::authorize::evidence::Evidence;
use databricks_oam_filter::authorize::{Authorizer, Decision, Verdict};
use databricks_oam_filter::databricks::scope_set::ScopeSet;
use databricks_oam_filter::denial::Denial;
use databricks_oam_filter::issuer::access_token::AccessToken;
use databricks_oam_filter::issuer::invalid_token::InvalidToken;
use databricks_oam_filter::policy::role::{Role, RoleMember};
use databricks_oam_filter::policy::{Policy, Requirement};
use databricks_oam_filter::request::RequestHead;
use databricks_oam_filter::request::credential::Scheme;
use databricks_oam_filter::request::envelope::Envelope;
use databricks_oam_filter::request::mcp::{Call, Tool};

use super::gateway::Request;
use super::suggestion;

/// The rules that apply to a request, each with the reading of its path under which it does.
pub(super) fn readings(
    authorizer: &Authorizer,
    request: &Request,
    evidence: &Evidence<'_>,
) -> Vec<(String, String)> {
    let Ok(head) = RequestHead::read(&request.headers, authorizer.max_token_bytes) else {
        return Vec::new();
    };
    let policy = &authorizer.policy;
    let issuer = evidence.token.as_ref().map(|token| &*token.issuer);
    let decoded = OnceCell::new();
    let call = Call {
        method: head.method,
        tool: Tool::read(&request.headers, &decoded),
    };
    let readings = policy.readings(call, head.path);
    let rules = policy.rules.applicable(&readings, issuer);
    let lists = [
        &rules.denying,
        &rules.denying_in_shadow,
        &rules.governing,
        &rules.with_shadow,
    ];
    let mut found: Vec<(String, String)> = Vec::new();
    for applied in lists.into_iter().flatten() {
        let reading = readings.under(applied.template).unwrap_or_default();
        let line = (applied.rule.name.to_string(), reading);
        if !found.contains(&line) {
            found.push(line);
        }
    }
    found
}

/// The roles that the caller does not hold, each with the reason.
pub(super) fn roles_not_held(policy: &Policy, evidence: &Evidence<'_>) -> Vec<(String, String)> {
    let (Some(token), Some(access)) = (&evidence.token, &evidence.effective_access) else {
        return Vec::new();
    };
    policy
        .roles
        .as_slice()
        .iter()
        .filter(|role| !access.roles.contains(&role.name))
        .map(|role| (role.name.to_string(), why_not(role, token)))
        .collect()
}

/// For each alternative, the conditions that do not hold.
fn why_not(role: &Role, token: &AccessToken) -> String {
    if role.has_member(token) {
        return "does not hold in this workspace".to_owned();
    }
    let alternatives: Vec<String> = role
        .members
        .iter()
        .map(|member| {
            conditions(member)
                .into_iter()
                .filter(|(_, condition)| !holds(condition, token))
                .map(|(text, _)| text)
                .collect::<Vec<_>>()
                .join(" and ")
        })
        .collect();
    if alternatives.is_empty() {
        return "has no members".to_owned();
    }
    format!("needs {}", alternatives.join(", or "))
}

/// The conditions of a member, each alone and in words.
fn conditions(member: &RoleMember) -> Vec<(String, RoleMember)> {
    let RoleMember {
        actor,
        claim,
        client,
        group,
        issuer,
        role,
        subject,
    } = member.clone();
    let none = RoleMember::default;
    let alone = [
        RoleMember { actor, ..none() },
        RoleMember { client, ..none() },
        RoleMember { group, ..none() },
        RoleMember { issuer, ..none() },
        RoleMember { role, ..none() },
        RoleMember { subject, ..none() },
        RoleMember { claim, ..none() },
    ];
    let named = alone.into_iter().filter(|alone| *alone != none());
    named.map(|alone| (alone.to_string(), alone)).collect()
}

fn holds(condition: &RoleMember, token: &AccessToken) -> bool {
    Role {
        name: "".into(),
        members: vec![condition.clone()],
        grants: ScopeSet::default(),
        workspaces: None,
    }
    .has_member(token)
}

/// What would have made the request allowed.
pub(super) fn remedies(
    authorizer: &Authorizer,
    request: &Request,
    decision: &Decision<'_>,
) -> Vec<String> {
    let evidence = &decision.evidence;
    match &decision.verdict {
        Verdict::Deny(Denial::DeniedByRule) | Verdict::Shadow(Denial::DeniedByRule, _) => {
            vec![
                "nothing that a caller could show: the rule denies it to everybody that it is for"
                    .to_owned(),
            ]
        }
        Verdict::Deny(Denial::Unmatched) | Verdict::Shadow(Denial::Unmatched, _) => {
            let envelope = Envelope::of(&request.headers, None);
            let meant = suggestion::for_path(&envelope.path());
            let meant = meant.map(|meant| format!("the path that was perhaps meant: {meant}"));
            let other = "a rule of your own for this path with `effect: require`, or another path: `oam catalogue` lists those that are known";
            meant.into_iter().chain([other.to_owned()]).collect()
        }
        Verdict::Deny(
            denial @ Denial::InvalidToken(InvalidToken::Audience | InvalidToken::Issuer),
        ) => configured(authorizer, evidence, denial),
        Verdict::Deny(
            Denial::InsufficientScope | Denial::RoleLacksScope | Denial::WorkspaceNotGranted,
        )
        | Verdict::Shadow(
            Denial::InsufficientScope | Denial::RoleLacksScope | Denial::WorkspaceNotGranted,
            _,
        ) => ungranted(authorizer, request, evidence),
        Verdict::Deny(Denial::KeysUnavailable) => {
            vec!["keys to verify the token with: give the issuer's JWK Set by `--jwks`".to_owned()]
        }
        Verdict::Deny(Denial::InvalidToken(InvalidToken::Withdrawn)) => {
            vec!["a token that the configuration's `withdrawn` does not cover".to_owned()]
        }
        Verdict::Deny(Denial::InvalidToken(InvalidToken::SenderConstrained)) => {
            vec![what_binds(evidence).to_owned()]
        }
        // The answer to the caller says it all.
        Verdict::Allow(_)
        | Verdict::Deny(_)
        | Verdict::Describe(_)
        | Verdict::Introduce(_)
        | Verdict::Return(_)
        | Verdict::Shadow(..) => Vec::new(),
    }
}

/// What would grant that which the caller lacks.
fn ungranted(authorizer: &Authorizer, request: &Request, evidence: &Evidence<'_>) -> Vec<String> {
    let policy = &authorizer.policy;
    let head = RequestHead::read(&request.headers, authorizer.max_token_bytes).ok();
    let issuer = evidence.token.as_ref().map(|token| &*token.issuer);
    let requirements = head.and_then(|head| {
        let decoded = OnceCell::new();
        let call = Call {
            method: head.method,
            tool: Tool::read(&request.headers, &decoded),
        };
        let applied = policy.apply(&policy.readings(call, head.path), issuer);
        applied.requirements
    });
    let requirements = requirements.unwrap_or_default();
    let missing = |requirement| missing(policy, evidence, requirement);
    requirements.iter().copied().flat_map(missing).collect()
}

/// What a bound token has to be shown with.
fn what_binds(evidence: &Evidence<'_>) -> &'static str {
    match evidence.token.as_ref().and_then(|token| token.key) {
        Some(_) if evidence.scheme == Scheme::Bearer => {
            "a DPoP proof for this request and this very token: give it by `--header 'DPoP: …'`, and the token by `--token`"
        }
        _ => {
            "a TLS connection with the certificate that the token is bound to, which cannot be shown here; a gateway sees it"
        }
    }
}

/// What the configuration has beside what the token has.
fn configured(authorizer: &Authorizer, evidence: &Evidence<'_>, denial: &Denial) -> Vec<String> {
    let claimed = evidence.unverified.as_ref();
    let has = claimed.map_or("", |claims| &*claims.issuer);
    let issuers: Vec<&str> = authorizer
        .issuers
        .iter()
        .map(|issuer| &*issuer.identifier)
        .collect();
    if matches!(denial, Denial::InvalidToken(InvalidToken::Issuer)) {
        let meant = suggestion::nearest(has, issuers.iter().copied());
        let meant = meant.map(|meant| {
            format!("the configured `{meant}` is not the token's `{has}`, to the letter")
        });
        let known = format!("a token of a configured issuer: {}", issuers.join(", "));
        return meant.into_iter().chain([known]).collect();
    }
    let issuer = authorizer
        .issuers
        .iter()
        .find(|issuer| *issuer.identifier == *has);
    let wanted = issuer.map_or_else(String::new, |issuer| issuer.audiences.join(", "));
    let found = claimed.map_or_else(String::new, |claims| claims.audiences.join(", "));
    vec![format!(
        "a token whose `aud` is one of the configured `{wanted}`: this one has `{found}`"
    )]
}

fn missing(policy: &Policy, evidence: &Evidence<'_>, requirement: Requirement<'_>) -> Vec<String> {
    let joiner = if matches!(requirement, Requirement::AnyOf(_)) {
        " or "
    } else {
        " and "
    };
    let needed = requirement.scopes().collect::<Vec<_>>().join(joiner);
    let mut missing = Vec::new();
    let held = evidence.token.as_ref();
    if let Some(scopes) = held.and_then(|token| token.scopes.as_ref())
        && !requirement.met_by(scopes)
    {
        missing.push(format!(
            "a token with the scope {needed}, asked of the issuer"
        ));
    }
    let granted = evidence
        .effective_access
        .as_ref()
        .map(|access| &access.role_grants);
    let from_roles = evidence
        .token
        .as_ref()
        .is_some_and(|token| token.scopes.is_none());
    if (from_roles || !policy.roles.is_empty())
        && !granted.is_some_and(|granted| requirement.met_by(granted))
    {
        let granting: Vec<&str> = policy
            .roles
            .as_slice()
            .iter()
            .filter(|role| requirement.met_by(&role.grants))
            .map(|role| &*role.name)
            .collect();
        missing.push(if granting.is_empty() {
            format!("a role that grants {needed}: none does")
        } else {
            format!("a role that grants {needed} here: {}", granting.join(", "))
        });
    }
    missing
}
