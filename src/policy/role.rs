//! Functional roles: what the people and programs of one kind may hold at most, and who is one of
//! them.

use std::fmt;
use std::rc::Rc;

use crate::databricks::scope_set::ScopeSet;
use crate::issuer::access_token::{AccessToken, Groups};
use crate::issuer::dialect::ClaimPath;
use crate::request::workspace::WorkspaceId;

use super::workspace::WorkspaceSet;

/// A role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Role {
    /// Its name, in records and towards the upstream.
    pub name: Rc<str>,
    /// Who holds it: any of these.
    pub members: Vec<RoleMember>,
    /// What holders may use at most.
    pub grants: ScopeSet,
    /// Where it holds; everywhere, when absent.
    pub workspaces: Option<WorkspaceSet>,
}

/// A description of callers: every condition that it names must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RoleMember {
    /// The current actor.
    pub actor: Option<Box<str>>,
    /// A claim, and the value that it is or has.
    pub claim: Option<(ClaimPath, Box<str>)>,
    /// The client.
    pub client: Option<Box<str>>,
    /// A group of the subject's.
    pub group: Option<Box<str>>,
    /// The issuer.
    pub issuer: Option<Box<str>>,
    /// A role that the issuer assigned.
    pub role: Option<Box<str>>,
    /// The subject.
    pub subject: Option<Box<str>>,
}

impl Role {
    /// Whether the token's bearer is a member.
    pub fn has_member(&self, token: &AccessToken) -> bool {
        self.members.iter().any(|member| member.describes(token))
    }

    /// By which description the token's bearer is a member: the first that holds, in words.
    pub fn membership(&self, token: &AccessToken) -> Option<String> {
        let member = self.members.iter().find(|member| member.describes(token))?;
        Some(member.to_string())
    }

    /// Whether the role holds in this workspace, `None` being one that is not known.
    pub fn holds_in(&self, workspace: Option<WorkspaceId>) -> bool {
        match (&self.workspaces, workspace) {
            (None, _) => true,
            (Some(workspaces), Some(workspace)) => workspaces.contains(workspace),
            (Some(_), None) => false,
        }
    }
}

impl RoleMember {
    /// Whether every condition holds. A description without conditions describes nobody.
    fn describes(&self, token: &AccessToken) -> bool {
        *self != Self::default()
            && is(self.actor.as_deref(), token.actor.as_deref())
            && is(self.client.as_deref(), token.client.as_deref())
            && is(self.issuer.as_deref(), Some(&token.issuer))
            && is(self.subject.as_deref(), token.subject.as_deref())
            && has(self.group.as_deref(), groups(token))
            && has(self.role.as_deref(), &token.roles)
            && self
                .claim
                .as_ref()
                .is_none_or(|(path, value)| token.claims(path, value))
    }
}

/// In the words of the configuration: ``group `data-eng` ``.
impl fmt::Display for RoleMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            ("group", &self.group),
            ("role", &self.role),
            ("client", &self.client),
            ("subject", &self.subject),
            ("actor", &self.actor),
            ("issuer", &self.issuer),
        ];
        let mut separator = "";
        for (name, value) in named {
            if let Some(value) = value {
                write!(f, "{separator}{name} `{value}`")?;
                separator = ", ";
            }
        }
        match &self.claim {
            Some((path, value)) => write!(f, "{separator}claim {} `{value}`", path.join(".")),
            None => Ok(()),
        }
    }
}

/// Unknown groups are no groups here: what cannot be seen cannot grant.
pub(super) fn groups(token: &AccessToken) -> &[Box<str>] {
    match &token.groups {
        Groups::Known(groups) => groups,
        Groups::Unknown => &[],
    }
}

fn is(wanted: Option<&str>, found: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| found == Some(wanted))
}

fn has(wanted: Option<&str>, found: &[Box<str>]) -> bool {
    wanted.is_none_or(|wanted| found.iter().any(|name| &**name == wanted))
}
