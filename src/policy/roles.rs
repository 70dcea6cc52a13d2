//! All roles, and which of them somebody holds: found without a look at those that nothing in the
//! token speaks of.
//!
//! Each condition that members name has a number. Whatever a token says is looked up once, which
//! yields the conditions that hold. A member is looked at where that one of its conditions holds
//! which the fewest others name, and then the rest of its conditions count.

use std::rc::Rc;

use hashbrown::HashMap;

use crate::databricks::scope_set::ScopeSet;
use crate::issuer::access_token::AccessToken;
use crate::issuer::dialect::ClaimPath;
use crate::request::workspace::WorkspaceId;
use crate::token::scope::Scope;

use super::role::{self, Role, RoleMember};
use super::workspace::WorkspaceSet;

/// Functional roles, in the configuration's order.
#[derive(Default)]
pub struct Roles {
    all: Vec<Role>,
    conditions: Conditions,
    /// The members that are looked at where a condition holds, by its number.
    found_by: Vec<Vec<Described>>,
    grants: Grants,
    /// The workspaces that some role names.
    workspaces: WorkspaceSet,
}

/// The roles that somebody holds in a workspace.
#[derive(Default)]
pub(super) struct HeldInWorkspace {
    /// Their names, in the configuration's order.
    pub(super) roles: Vec<Rc<str>>,
    /// What they grant together.
    pub(super) grants: ScopeSet,
    /// One is held, but not in this workspace.
    pub(super) elsewhere: bool,
}

impl Roles {
    /// These roles.
    pub fn new(roles: Vec<Role>) -> Self {
        let mut conditions = Conditions::default();
        let mut members = Vec::new();
        for (role, member) in in_order(&roles) {
            let conditions = conditions.numbers(member);
            members.push(Described { role, conditions });
        }
        let mut workspaces = WorkspaceSet::default();
        for named in roles.iter().filter_map(|role| role.workspaces.as_ref()) {
            for workspace in named.iter() {
                workspaces.insert(workspace);
            }
        }
        Self {
            found_by: by_rarest(members, conditions.count),
            grants: Grants::of(&roles),
            conditions,
            workspaces,
            all: roles,
        }
    }

    /// The roles, in order.
    pub fn as_slice(&self) -> &[Role] {
        &self.all
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What of a workspace makes a difference to the roles that are held there: `None` where no
    /// role names it.
    pub fn distinguished(&self, workspace: Option<WorkspaceId>) -> Option<WorkspaceId> {
        workspace.filter(|workspace| self.workspaces.contains(*workspace))
    }

    /// The roles that a token's bearer holds.
    pub(super) fn held_by(
        &self,
        token: &AccessToken,
        workspace: Option<WorkspaceId>,
    ) -> HeldInWorkspace {
        let is_described = self.described(token);
        let described = self.all.iter().enumerate().zip(is_described);
        let mut held = HeldInWorkspace::default();
        let mut here = Vec::new();
        for ((number, role), _) in described.filter(|(_, is_described)| *is_described) {
            if role.holds_in(workspace) {
                held.roles.push(Rc::clone(&role.name));
                here.push(number);
            } else {
                held.elsewhere = true;
            }
        }
        held.grants = match *here {
            // One role is what most callers have, and then nothing is copied.
            [one] => self.all.get(one).map(|role| role.grants.clone()),
            _ => Some(self.grants.united(&here)),
        }
        .unwrap_or_default();
        held
    }

    /// For each role, whether somebody is a member of it.
    fn described(&self, token: &AccessToken) -> Vec<bool> {
        let mut holds = vec![false; self.conditions.count];
        for condition in self.conditions.held_by(token) {
            if let Some(holds) = holds.get_mut(condition) {
                *holds = true;
            }
        }
        let all_hold = |member: &&Described| {
            let mut conditions = member.conditions.iter();
            conditions.all(|condition| holds.get(*condition) == Some(&true))
        };
        let mut described = vec![false; self.all.len()];
        let found = self.found_by.iter().zip(&holds);
        let looked_at = found.filter(|(_, holds)| **holds);
        for member in looked_at.flat_map(|(found, _)| found).filter(all_hold) {
            if let Some(described) = described.get_mut(member.role) {
                *described = true;
            }
        }
        described
    }
}

/// A member of a role, by numbers.
struct Described {
    role: usize,
    conditions: Box<[usize]>,
}

/// Every member, with the number of its role.
fn in_order(roles: &[Role]) -> impl Iterator<Item = (usize, &RoleMember)> {
    roles
        .iter()
        .enumerate()
        .flat_map(|(number, role)| role.members.iter().map(move |member| (number, member)))
}

/// Members by that one of their conditions which the fewest name. One without conditions describes
/// nobody.
fn by_rarest(members: Vec<Described>, conditions: usize) -> Vec<Vec<Described>> {
    let mut named = vec![0_usize; conditions];
    for &condition in members.iter().flat_map(|member| &member.conditions) {
        if let Some(count) = named.get_mut(condition) {
            *count = count.saturating_add(1);
        }
    }
    let mut found_by = Vec::new();
    found_by.resize_with(conditions, Vec::new);
    for member in members {
        let rarest = member
            .conditions
            .iter()
            .copied()
            .min_by_key(|&condition| named.get(condition).copied());
        if let Some(found) = rarest.and_then(|rarest| found_by.get_mut(rarest)) {
            found.push(member);
        }
    }
    found_by
}

/// Every condition that some member names, numbered from 0.
#[derive(Default)]
struct Conditions {
    actors: Numbers,
    claims: Vec<(ClaimPath, Numbers)>,
    clients: Numbers,
    groups: Numbers,
    issuers: Numbers,
    roles: Numbers,
    subjects: Numbers,
    count: usize,
}

type Numbers = HashMap<Box<str>, usize>;

impl Conditions {
    /// The numbers of a member's conditions, which are known from then on.
    fn numbers(&mut self, member: &RoleMember) -> Box<[usize]> {
        let named = [
            (&mut self.actors, &member.actor),
            (&mut self.clients, &member.client),
            (&mut self.groups, &member.group),
            (&mut self.issuers, &member.issuer),
            (&mut self.roles, &member.role),
            (&mut self.subjects, &member.subject),
        ];
        let mut numbers = Vec::new();
        let mut number = |known: &mut Numbers, text: &str| {
            let number = *known.entry(text.into()).or_insert_with(|| {
                let next = self.count;
                self.count = self.count.saturating_add(1);
                next
            });
            numbers.push(number);
        };
        for (known, text) in named {
            if let Some(text) = text {
                number(known, text);
            }
        }
        if let Some((path, value)) = &member.claim {
            let known = self.claims.iter().position(|(known, _)| known == path);
            let place = known.unwrap_or_else(|| {
                self.claims.push((path.clone(), Numbers::new()));
                self.claims.len().saturating_sub(1)
            });
            if let Some((_, known)) = self.claims.get_mut(place) {
                number(known, value);
            }
        }
        numbers.into()
    }

    /// The numbers of the conditions that hold of a token.
    fn held_by(&self, token: &AccessToken) -> impl Iterator<Item = usize> {
        let texts = [
            (&self.actors, token.actor.as_deref()),
            (&self.clients, token.client.as_deref()),
            (&self.issuers, Some(&*token.issuer)),
            (&self.subjects, token.subject.as_deref()),
        ];
        let lists = [
            (&self.groups, role::groups(token)),
            (&self.roles, &*token.roles),
        ];
        let texts = texts
            .into_iter()
            .filter_map(|(known, text)| known.get(text?).copied());
        let lists = lists.into_iter().flat_map(|(known, names)| {
            names
                .iter()
                .filter_map(move |name| known.get(&**name).copied())
        });
        let claims = self.claims.iter().flat_map(|(path, known)| {
            token
                .claim_texts(path)
                .filter_map(move |text| known.get(text).copied())
        });
        texts.chain(lists).chain(claims)
    }
}

/// What roles grant, each scope once, in order.
#[derive(Default)]
struct Grants {
    scopes: Vec<Scope>,
    /// For each role, the places of what it grants.
    of_roles: Vec<Box<[usize]>>,
}

impl Grants {
    fn of(roles: &[Role]) -> Self {
        let mut scopes: Vec<Scope> = roles
            .iter()
            .flat_map(|role| role.grants.iter())
            .cloned()
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        let places = |role: &Role| {
            let place = |scope| scopes.binary_search(scope).ok();
            role.grants.iter().filter_map(place).collect()
        };
        Self {
            of_roles: roles.iter().map(places).collect(),
            scopes,
        }
    }

    /// What these roles grant together.
    fn united(&self, roles: &[usize]) -> ScopeSet {
        let mut granted = vec![false; self.scopes.len()];
        let places = roles
            .iter()
            .filter_map(|&role| self.of_roles.get(role))
            .flatten();
        for &place in places {
            if let Some(granted) = granted.get_mut(place) {
                *granted = true;
            }
        }
        let scopes = self.scopes.iter().zip(granted);
        scopes
            .filter(|(_, granted)| *granted)
            .map(|(scope, _)| scope.clone())
            .collect()
    }
}
