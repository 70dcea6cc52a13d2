//! The record as an event of the Open Cybersecurity Schema Framework: API Activity, class 6003 of
//! version 1.9.0.
//!
//! Profiles: `security_control` always, `trace` with a `traceparent`, `ai_operation` for calls of
//! MCP servers. What the class has no attribute for stands under `unmapped`, by the names of the
//! compact record.

mod activity;
mod actor;
mod unmapped;

use std::borrow::Cow;

use serde::Serialize;

use crate::databricks::Operation;
use crate::json_line::to_text;
use crate::request::envelope::Envelope;
use crate::time::UnixTime;

use super::record::{Record, words};

use activity::{Activity, Outcome};
use actor::{Actor, Agent};
use unmapped::Unmapped;

/// The event on a line, without its line break.
pub fn line(record: &Record<'_>) -> String {
    to_text(&ApiActivity::of(record))
}

/// An event of class 6003.
#[derive(Serialize)]
struct ApiActivity<'a> {
    category_uid: u32,
    class_uid: u32,
    #[serde(flatten)]
    activity: Activity,
    /// Milliseconds since 1970; 0 where the gateway has no clock.
    time: u64,
    metadata: EventMetadata<'a>,
    #[serde(flatten)]
    outcome: Outcome,
    status_code: &'static str,
    actor: Actor<'a>,
    api: Api<'a>,
    src_endpoint: SourceEndpoint<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dst_endpoint: Option<HostEndpoint<'a>>,
    http_request: HttpRequest<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<WorkspaceResource>,
    authorizations: Vec<Authorization<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Uid<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ai_agent: Option<Agent<'a>>,
    unmapped: Unmapped<'a>,
}

impl<'a> ApiActivity<'a> {
    fn of(record: &Record<'a>) -> Self {
        let (evidence, envelope) = (record.evidence(), record.envelope);
        let (_, reason) = words(&record.decision.verdict);
        let workspace = evidence.workspace.iter();
        Self {
            category_uid: CATEGORY,
            class_uid: CLASS,
            activity: Activity::of(evidence.operation, &envelope.method()),
            time: record.stamp.time.map_or(0, UnixTime::millis),
            metadata: EventMetadata::of(record, reason),
            outcome: Outcome::of(record),
            status_code: reason,
            actor: Actor::of(evidence),
            api: Api {
                operation: evidence
                    .operation
                    .map_or(UNKNOWN, |operation| operation.name),
                service: (evidence.operation)
                    .map(Operation::area)
                    .filter(|area| !area.is_empty())
                    .map(|name| NameOnly { name }),
                request: envelope.request_id().map(|uid| Uid { uid }),
            },
            src_endpoint: match envelope.source_ip {
                Some(ip) => SourceEndpoint::Ip(ip),
                None => SourceEndpoint::Name(UNKNOWN),
            },
            dst_endpoint: envelope.host().map(|hostname| HostEndpoint { hostname }),
            http_request: HttpRequest::of(envelope),
            resources: workspace.map(WorkspaceResource::of).collect(),
            authorizations: Authorization::all(record),
            trace: envelope.trace_id().map(|uid| Uid { uid: uid.into() }),
            ai_agent: envelope.mcp().and_then(|_| Agent::of(evidence)),
            unmapped: Unmapped::of(record),
        }
    }
}

/// Of an event: whose, which one, and by which schema.
#[derive(Serialize)]
struct EventMetadata<'a> {
    version: &'static str,
    product: Product,
    profiles: Vec<&'static str>,
    uid: &'a str,
    original_event_uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_uid: Option<Cow<'a, str>>,
    event_code: &'static str,
    log_name: &'static str,
    sequence: u64,
}

impl<'a> EventMetadata<'a> {
    fn of(record: &Record<'a>, reason: &'static str) -> Self {
        let (envelope, evidence) = (record.envelope, record.evidence());
        let profiles = [
            (true, "security_control"),
            (envelope.trace_id().is_some(), "trace"),
            (
                envelope.mcp().is_some() && Agent::of(evidence).is_some(),
                "ai_operation",
            ),
        ];
        let profiles = profiles.into_iter().filter(|(is_used, _)| *is_used);
        Self {
            version: VERSION,
            product: Product {
                name: env!("CARGO_PKG_NAME"),
                vendor_name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            },
            profiles: profiles.map(|(_, profile)| profile).collect(),
            uid: record.stamp.decision_id,
            original_event_uid: record.stamp.decision_id,
            correlation_uid: envelope.request_id(),
            event_code: reason,
            log_name: "audit",
            sequence: record.stamp.sequence,
        }
    }
}

/// This module.
#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

/// The call of Databricks' API.
#[derive(Serialize)]
struct Api<'a> {
    operation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<NameOnly>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Uid<'a>>,
}

#[derive(Serialize)]
struct NameOnly {
    name: &'static str,
}

#[derive(Serialize)]
struct Uid<'a> {
    uid: Cow<'a, str>,
}

/// The client.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum SourceEndpoint<'a> {
    Ip(&'a str),
    Name(&'static str),
}

/// The gateway, as the client called it.
#[derive(Serialize)]
struct HostEndpoint<'a> {
    hostname: Cow<'a, str>,
}

/// The request, as far as records quote it.
#[derive(Serialize)]
struct HttpRequest<'a> {
    http_method: Cow<'a, str>,
    url: UrlPath<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct UrlPath<'a> {
    path: Cow<'a, str>,
}

impl<'a> HttpRequest<'a> {
    fn of(envelope: &Envelope<'a>) -> Self {
        Self {
            http_method: envelope.method(),
            url: UrlPath {
                path: envelope.path(),
            },
            user_agent: envelope.user_agent(),
            uid: envelope.request_id(),
        }
    }
}

/// The workspace that the call is for.
#[derive(Serialize)]
struct WorkspaceResource {
    #[serde(rename = "type")]
    kind: &'static str,
    uid: String,
    role_id: u32,
}

impl WorkspaceResource {
    fn of(workspace: &impl ToString) -> Self {
        Self {
            kind: "databricks_workspace",
            uid: workspace.to_string(),
            role_id: TARGET,
        }
    }
}

/// What took part in the decision: the rule, or the catalogue; and the roles held.
#[derive(Serialize)]
struct Authorization<'a> {
    decision: &'static str,
    policy: AppliedPolicy<'a>,
}

#[derive(Serialize)]
struct AppliedPolicy<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'a str,
    is_applied: bool,
}

impl<'a> Authorization<'a> {
    fn all(record: &Record<'a>) -> Vec<Self> {
        let evidence = record.evidence();
        let (decision, _) = words(&record.decision.verdict);
        let of = |name: &'a str, kind| Self {
            decision,
            policy: AppliedPolicy {
                name,
                kind,
                version: record.stamp.config,
                is_applied: record.mode() == "enforce",
            },
        };
        let judge = match evidence.rule {
            Some(rule) => of(&rule.name, "rule"),
            None => of("catalogue", "catalogue"),
        };
        let roles = evidence
            .effective_access
            .iter()
            .flat_map(|held| &held.roles);
        [judge]
            .into_iter()
            .chain(roles.map(|role| of(role, "role")))
            .collect()
    }
}

const VERSION: &str = "1.9.0";

/// Application Activity.
const CATEGORY: u32 = 6;

/// API Activity.
const CLASS: u32 = 6003;

/// `role_id` of what a call is made for.
const TARGET: u32 = 1;

/// Where a required attribute has no value.
const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests;
