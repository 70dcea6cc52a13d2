//! Recorded calls, judged again by both configurations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use databricks_oam_filter::authorize::passage::Passage;
use databricks_oam_filter::comparison::Sides;
use databricks_oam_filter::issuer::Issuer;
use databricks_oam_filter::policy::role::RoleMember;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Configured;
use super::callers::describe_all;
use super::examples::{Opinion, passage};
use super::search::ChangeKind;
use crate::cli::gateway::{self, Gateway, Request, Session, Shown};
use crate::cli::recorded::Recorded;
use crate::cli::records::{Decided, Record, Sources, Text};
use crate::cli::{Unreadable, style};

/// What comes of recorded calls.
#[derive(Default)]
pub(super) struct Replayed {
    /// The records that were read.
    pub(super) records: usize,
    /// Those that OLD judges otherwise than they say, so that nothing follows from them.
    pub(super) not_reproduced: usize,
    /// Lines that look like records and cannot be read.
    pub(super) broken: u64,
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
        let mut failed = None;
        let reading = Sources::of(files.to_vec()).each(&mut |record, _| match replayed
            .add(&mut gateways, record)
        {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        replayed.broken = reading.broken;
        failed.map_or(Ok(replayed), Err)
    }

    fn add(
        &mut self,
        gateways: &mut Sides<Judge<'_>>,
        record: &Record<'_>,
    ) -> Result<(), Unreadable> {
        self.records = self.records.saturating_add(1);
        let Some((old, new)) = gateways.old.judge(record)?.zip(gateways.new.judge(record)?) else {
            self.not_reproduced = self.not_reproduced.saturating_add(1);
            return Ok(());
        };
        let decided = match record.decision {
            Decided::Allow => "allow",
            Decided::Deny => "deny",
        };
        let (was, old_passage) = old;
        let (is, new_passage) = new;
        if (was.decision, was.reason) != (decided, record.reason.as_str()) {
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
        let what = match &record.operation {
            None => format!("{} {}", record.method.as_str(), record.path.as_str()),
            Some(operation) => operation.as_str().to_owned(),
        };
        let group = Group {
            kind,
            what,
            roles: record
                .roles
                .iter()
                .map(|name| name.as_str().to_owned())
                .collect(),
            old: was.reason,
            new: is.reason,
        };
        let calls = self.groups.entry(group).or_default();
        calls.count = calls.count.saturating_add(1);
        let caller = record.subject.as_ref().or(record.client.as_ref());
        calls
            .callers
            .extend(caller.map(|caller| caller.as_str().to_owned()));
        let time = record
            .time
            .as_ref()
            .map_or_else(String::new, |time| time.as_str().to_owned());
        if calls.last <= time {
            calls.last = time;
            record
                .decision_id
                .as_str()
                .clone_into(&mut calls.decision_id);
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
        if self.broken > 0 {
            let _ = write!(words, "; {} more cannot be read", self.broken);
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

    /// What comes of a recorded call; `None` where the record does not say enough.
    fn judge(&mut self, record: &Record<'_>) -> Result<Option<Reply>, Unreadable> {
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

    fn request(&self, record: &Record<'_>) -> Result<Option<Request>, Unreadable> {
        let issuers = &self.gateway.authorizer.issuers;
        let Recorded {
            method,
            url,
            at,
            mut shown,
            ..
        } = Recorded::of(record, issuers);
        let credential = record.credential.as_ref().map(Text::as_str);
        if !matches!(credential, Some("jwt" | "none")) {
            return Ok(None);
        }
        if let Shown::Claims(claims) = &mut shown
            && record.inputs.is_none()
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
    fn put_roles(&self, record: &Record<'_>, claims: &mut Map<String, Value>) -> bool {
        let issuer = claims.get("iss").and_then(Value::as_str);
        let issuer = issuer.and_then(|name| {
            let mut issuers = self.gateway.authorizer.issuers.iter();
            issuers.find(|issuer: &&Issuer| *issuer.identifier == *name)
        });
        let Some(issuer) = issuer else {
            return false;
        };
        let roles = self.gateway.authorizer.policy.roles.as_slice();
        for name in record.roles.iter().map(Text::as_str) {
            // Somebody else's role is not this side's: then nobody knows who holds it.
            let role = roles.iter().find(|role| *role.name == *name);
            let is_possible = |member: &&RoleMember| {
                let RoleMember {
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

/// The headers that named the MCP call.
fn mcp_headers(record: &Record<'_>) -> Vec<(String, String)> {
    let Some(mcp) = &record.mcp else {
        return Vec::new();
    };
    let known = [
        ("mcp-protocol-version", &mcp.version),
        ("mcp-method", &mcp.method),
        ("mcp-name", &mcp.name),
    ];
    let known = known.into_iter();
    known
        .filter_map(|(name, value)| Some((name.to_owned(), value.as_ref()?.as_str().to_owned())))
        .collect()
}
