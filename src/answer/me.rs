//! Who a caller is and what it may do, as JSON or as a page.

use std::collections::BTreeMap;
use std::rc::Rc;

use askama::Template;
use serde::Serialize;

use crate::authorize::introduction::Introduction;
use crate::databricks::{Catalogue, Operation};
use crate::json_line::to_text;
use crate::policy::Requirement;
use crate::time::{Rfc3339, UnixTime};
use crate::token::scope::Scope;

use super::message::{ROLES, SCOPES};
use super::{Answer, Resource};

impl Answer {
    /// The answer of self-service to a caller. Nobody else may see it, so nothing keeps it.
    pub fn introducing(
        introduction: &Introduction,
        resource: &Resource,
        decision_id: &str,
    ) -> Self {
        let me = Me::of(introduction, resource, decision_id);
        let (content_type, body) = if introduction.reads_pages {
            ("text/html; charset=utf-8", me.render().unwrap_or_default())
        } else {
            ("application/json", to_text(&me))
        };
        Self {
            status: 200,
            headers: vec![
                ("content-type", content_type.into()),
                ("cache-control", "no-store".into()),
                ("vary", "accept, authorization".into()),
                ("content-security-policy", PAGE_POLICY.into()),
                ("x-content-type-options", "nosniff".into()),
            ],
            body,
            grpc_status: None,
            reason: "self_service",
        }
    }
}

/// What a caller gets.
#[derive(Serialize, Template)]
#[template(path = "me.html")]
struct Me<'a> {
    subject: Option<&'a str>,
    client: Option<&'a str>,
    issuer: &'a str,
    token_expires_at: Rfc3339,
    workspace: Option<String>,
    roles: Vec<HeldRole<'a>>,
    token_scopes: Option<Vec<&'a str>>,
    effective_scopes: Vec<&'a str>,
    areas: Vec<AreaAccess>,
    decision_id: &'a str,
}

/// A role that the caller holds, and by which of its members.
#[derive(Serialize)]
struct HeldRole<'a> {
    name: &'a str,
    because: &'a str,
}

/// What the caller may do of an area.
#[derive(Serialize)]
struct AreaAccess {
    area: &'static str,
    access: AreaReach,
    /// How many operations the caller's scopes allow. Rules of the gateway may allow more or less.
    operations: usize,
    of: usize,
    /// What all of the area would take.
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<MissingGrant>,
    /// Where that may be requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
}

/// How much of an area is allowed.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum AreaReach {
    All,
    None,
    Some,
}

/// What is missing.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum MissingGrant {
    Role,
    Scope,
}

impl<'a> Me<'a> {
    fn of(introduction: &'a Introduction, resource: &Resource, decision_id: &'a str) -> Self {
        let (token, access) = (&introduction.token, &introduction.effective_access);
        let role = |(name, because): &'a (Rc<str>, String)| HeldRole { name, because };
        let token_scopes = token.scopes.as_ref();
        Self {
            subject: token.subject.as_deref(),
            client: token.client.as_deref(),
            issuer: &token.issuer,
            token_expires_at: UnixTime::rfc_3339(token.expires_at),
            workspace: introduction
                .workspace
                .map(|workspace| workspace.to_string()),
            roles: introduction.roles.iter().map(role).collect(),
            token_scopes: token_scopes.map(|scopes| scopes.iter().map(Scope::as_str).collect()),
            effective_scopes: access.scopes.iter().map(Scope::as_str).collect(),
            areas: areas(introduction, resource),
            decision_id,
        }
    }
}

/// Every area, with what the caller's scopes allow of it.
fn areas(introduction: &Introduction, resource: &Resource) -> Vec<AreaAccess> {
    let mut areas: BTreeMap<&'static str, Vec<&'static Operation>> = BTreeMap::new();
    for operation in Catalogue::shared().operations() {
        let known = areas.entry(operation.area()).or_default();
        if !operation.area().is_empty() && known.iter().all(|other| other.name != operation.name) {
            known.push(operation);
        }
    }
    areas.remove("");
    let of_area = |(area, operations): (&'static str, Vec<&'static Operation>)| {
        let needs = |operation: &&&'static Operation| Requirement::of_operation(operation);
        let access = &introduction.effective_access;
        let refused: Vec<_> = operations
            .iter()
            .filter(|operation| !access.satisfies(&needs(operation)))
            .collect();
        let lacks_scope =
            |operation: &&&&'static Operation| !access.token_satisfies(&needs(operation));
        let missing = match (refused.is_empty(), refused.iter().find(lacks_scope)) {
            (true, _) => None,
            (false, Some(_)) => Some(MissingGrant::Scope),
            (false, None) => Some(MissingGrant::Role),
        };
        let allowed = operations.len().saturating_sub(refused.len());
        AreaAccess {
            area,
            access: match allowed {
                0 => AreaReach::None,
                all if all == operations.len() => AreaReach::All,
                _ => AreaReach::Some,
            },
            operations: allowed,
            of: operations.len(),
            missing,
            request: missing.and_then(|_| resource.request_for(introduction, area)),
        }
    };
    // What is allowed stands first, each by name. To sort by that is 5 KB of the module.
    let areas = areas.into_iter().map(of_area);
    let (mut allowed, others): (Vec<_>, Vec<_>) = areas.partition(|area| area.operations > 0);
    allowed.extend(others);
    allowed
}

impl Resource {
    /// Where the scope of an area may be requested, in the spelling of the caller's issuer.
    fn request_for(&self, introduction: &Introduction, area: &str) -> Option<String> {
        let url = self.access_request_url.as_ref()?;
        let mut scope = String::new();
        let spelled = self.spelled_by(&introduction.token.issuer, area);
        crate::callout::form::escape(&spelled, &mut scope);
        Some(url.replace(SCOPES, &scope).replace(ROLES, ""))
    }
}

impl AreaReach {
    const fn as_str(self) -> &'static str {
        match self {
            Self::All => "everything",
            Self::None => "nothing",
            Self::Some => "some of it",
        }
    }
}

impl MissingGrant {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Role => "a role",
            Self::Scope => "a scope in the token",
        }
    }
}

/// The page needs nothing from anywhere, and no other may show it in a frame.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

#[cfg(test)]
mod tests;
