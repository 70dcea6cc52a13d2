//! Recorded calls, judged again by both configurations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use databricks_oam_filter::authorize::supposed::Passage;
use databricks_oam_filter::comparison::Sides;
use databricks_oam_filter::issuer::Issuer;
use databricks_oam_filter::policy::role::Member;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Configured;
use super::callers::describe_all;
use super::examples::{Opinion, passage};
use super::search::ChangeKind;
use crate::cli::gateway::{self, Gateway, Request, Session, Shown};
use crate::cli::recorded::{self, Recorded};
use crate::cli::{Unreadable, style};

/// What comes of recorded calls.
#[derive(Default)]
pub(super) struct Replayed {
    /// The records that were read.
    pub(super) records: usize,
    /// Those that OLD judges otherwise than they say, so that nothing follows from them.
    pub(super) not_reproduced: usize,
    pub(super) groups: BTreeMap<Group, Calls>,
}

/// Calls that change hands in the same way.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Group {
    pub(super) kind: ChangeKind,
    pub(super) what: String,
    pub(super) roles: Vec<String>,
    pub(super) old: &'static str,
    pub(super) new: &'static str,
}

/// How many of them there are.
#[derive(Default, Serialize)]
pub(super) struct Calls {
    pub(super) count: usize,
    /// Subjects, or clients where there is none.
    pub(super) callers: BTreeSet<String>,
    /// The latest of them.
    pub(super) last: String,
    pub(super) decision_id: String,
}

impl Replayed {
    /// Judges the calls of these files.
    pub(super) fn of(sides: &Sides<Configured>, files: &[PathBuf]) -> Result<Self, Unreadable> {
        let mut replayed = Self::default();
        let mut gateways = Sides {
            old: Judge::new(&sides.old.gateway),
            new: Judge::new(&sides.new.gateway),
        };
        for file in files {
            for record in recorded::all(file)? {
                replayed.add(&mut gateways, &record)?;
            }
        }
        Ok(replayed)
    }

    fn add(&mut self, gateways: &mut Sides<Judge<'_>>, record: &Value) -> Result<(), Unreadable> {
        self.records = self.records.saturating_add(1);
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some((old, new)) = gateways.old.judge(record)?.zip(gateways.new.judge(record)?) else {
            self.not_reproduced = self.not_reproduced.saturating_add(1);
            return Ok(());
        };
        let (was, old_passage) = old;
        let (is, new_passage) = new;
        if (was.decision, was.reason) != (text("decision"), text("reason")) {
            self.not_reproduced = self.not_reproduced.saturating_add(1);
            return Ok(());
        }
        let passages = Sides {
            old: old_passage,
            new: new_passage,
        };
        let Some(kind) = ChangeKind::of(passages) else {
            return Ok(());
        };
        let what = match text("operation") {
            "" => format!("{} {}", text("method"), text("path")),
            operation => operation.to_owned(),
        };
        let roles = record.get("roles").and_then(Value::as_array);
        let roles = roles.into_iter().flatten().filter_map(Value::as_str);
        let group = Group {
            kind,
            what,
            roles: roles.map(ToOwned::to_owned).collect(),
            old: was.reason,
            new: is.reason,
        };
        let calls = self.groups.entry(group).or_default();
        calls.count = calls.count.saturating_add(1);
        let caller = match text("subject") {
            "" => text("client"),
            subject => subject,
        };
        calls.callers.insert(caller.to_owned());
        if calls.last.as_str() <= text("time") {
            text("time").clone_into(&mut calls.last);
            text("decision_id").clone_into(&mut calls.decision_id);
        }
        Ok(())
    }

    /// Whether some call changes so.
    pub(super) fn has(&self, kind: ChangeKind) -> bool {
        self.groups.keys().any(|group| group.kind == kind)
    }

    /// Whether some call changes at all.
    pub(super) fn has_any(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The calls that change so.
    pub(super) fn calls(&self, kind: ChangeKind) -> usize {
        let groups = self.groups.iter().filter(|(group, _)| group.kind == kind);
        groups.fold(0, |sum, (_, calls)| sum.saturating_add(calls.count))
    }

    /// How much was replayed, in words.
    pub(super) fn words(&self) -> String {
        let mut words = format!("{} replayed", style::count(self.records, "record"));
        if self.not_reproduced > 0 {
            let _ = write!(
                words,
                "; {} of them could not be: they tell too little, or OLD judges otherwise than was recorded",
                self.not_reproduced
            );
        }
        words
    }
}

impl Group {
    /// In words.
    pub(super) fn words(&self, calls: &Calls) -> String {
        let roles = match self.roles.join(" and ") {
            none if none.is_empty() => String::new(),
            roles => format!(" ({roles})"),
        };
        format!(
            "{}{roles}: {} by {}, {} → {}, last {} (decision {})",
            self.what,
            style::count(calls.count, "call"),
            style::count(calls.callers.len(), "caller"),
            self.old,
            self.new,
            calls.last,
            calls.decision_id,
        )
    }
}

/// A gateway that judges one record after the other.
struct Judge<'g> {
    gateway: &'g Gateway,
    session: Option<Session>,
}

/// What a gateway says of a call, and whether that goes upstream.
type Reply = (Opinion, Passage);

impl<'g> Judge<'g> {
    const fn new(gateway: &'g Gateway) -> Self {
        Self {
            gateway,
            session: None,
        }
    }

    /// What comes of a recorded call; `None` where the record does not tell enough.
    fn judge(&mut self, record: &Value) -> Result<Option<Reply>, Unreadable> {
        let Some(request) = self.request(record)? else {
            return Ok(None);
        };
        let mut session = match self.session.take() {
            Some(session) if request.filled.is_some() => session,
            Some(_) | None => self.gateway.session(&request)?,
        };
        let verdict = session.decide(&request, |decision| {
            (Opinion::of(decision), passage(decision))
        })?;
        self.session = request.filled.is_some().then_some(session);
        Ok(Some(verdict))
    }

    fn request(&self, record: &Value) -> Result<Option<Request>, Unreadable> {
        let issuers = &self.gateway.authorizer.issuers;
        let Ok(recorded) = Recorded::of(record, issuers) else {
            return Ok(None);
        };
        let Recorded {
            method,
            url,
            at,
            mut shown,
            ..
        } = recorded;
        let credential = record.get("credential").and_then(Value::as_str);
        if !matches!(credential, Some("jwt" | "none")) {
            return Ok(None);
        }
        if let Shown::Claims(claims) = &mut shown
            && !record.get("inputs").is_some_and(Value::is_object)
            && !self.put_roles(record, claims)
        {
            return Ok(None);
        }
        let now = gateway::moment(at.as_deref())?;
        let headers = mcp_headers(record);
        Ok(Some(
            self.gateway.request(&method, &url, &headers, &shown, now)?,
        ))
    }

    /// Makes the caller hold the roles that were recorded, each by a member of it.
    fn put_roles(&self, record: &Value, claims: &mut Map<String, Value>) -> bool {
        let issuer = claims.get("iss").and_then(Value::as_str);
        let issuer = issuer.and_then(|name| {
            let mut issuers = self.gateway.authorizer.issuers.iter();
            issuers.find(|issuer: &&Issuer| *issuer.identifier == *name)
        });
        let Some(issuer) = issuer else {
            return false;
        };
        let names = record.get("roles").and_then(Value::as_array);
        let roles = self.gateway.authorizer.policy.roles.as_slice();
        for name in names.into_iter().flatten().filter_map(Value::as_str) {
            // Somebody else's role is not this side's: then nobody can tell who holds it.
            let role = roles.iter().find(|role| *role.name == *name);
            let is_possible = |member: &&Member| {
                let Member {
                    client,
                    issuer: wanted,
                    subject,
                    ..
                } = member;
                wanted
                    .as_deref()
                    .is_none_or(|wanted| *wanted == *issuer.identifier)
                    && client.is_none()
                    && subject.is_none()
            };
            let member = role.and_then(|role| role.members.iter().find(is_possible));
            if let Some(member) = member {
                describe_all(&[member], issuer, claims);
            }
        }
        true
    }
}

/// The headers that told of the MCP call.
fn mcp_headers(record: &Value) -> Vec<(String, String)> {
    let part = |name: &str| record.get("mcp").and_then(|mcp| mcp.get(name)?.as_str());
    let known = [
        ("mcp-protocol-version", part("version")),
        ("mcp-method", part("method")),
        ("mcp-name", part("name")),
    ];
    let known = known.into_iter();
    known
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect()
}
