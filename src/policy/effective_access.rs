//! A caller's effective access in a workspace: the roles held, and the scopes that token and roles
//! allow.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use serde::Serialize;

use crate::databricks::Operation;
use crate::databricks::scope_set::ScopeSet;
use crate::json_line::Members;
use crate::token::json::ALLOCATION;
use crate::token::scope::Scope;

use super::Requirement;
use super::roles::HeldInWorkspace;

/// The roles that a caller holds, and the scopes that are effective. It follows from the
/// configuration, the token and the workspace alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EffectiveAccess {
    /// The names of the roles held, in the configuration's order.
    pub roles: Vec<Rc<str>>,
    /// What token and roles allow together, as a list: for records. No decision reads it.
    pub scopes: ScopeSet,
    /// What the roles held grant together.
    pub role_grants: ScopeSet,
    /// A role that is held, but not in this workspace.
    pub elsewhere: bool,
    /// The same, as records and headers say it.
    pub written: WrittenAccess,
    /// The scopes of the token; `None` where the issuer grants none and roles alone do.
    token_scopes: Option<ScopeSet>,
    /// Whether roles are configured, or required by the issuer: what they do not grant is not
    /// allowed.
    limited: bool,
    /// Operations that were found to be allowed.
    allowed: Allowed,
}

/// Some of the operations that a caller may use. It only spares looking again, so it makes no two
/// values of effective access differ.
#[derive(Clone, Default)]
struct Allowed([Cell<Option<&'static Operation>>; OPERATIONS]);

/// What is reported of effective access with every request, written once.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WrittenAccess {
    /// The names of the roles held, between commas; absent where there are none.
    pub roles: Option<Rc<str>>,
    /// The same, as a member of a record.
    pub(crate) held: Members,
    /// [`HeldScopes`], as members of a record.
    pub(crate) scopes: Members,
}

/// The scopes that are effective, and where they come from.
#[derive(Clone, Debug, Serialize)]
pub struct HeldScopes<'a> {
    /// The token's scopes, where they are not the effective ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_scopes: Option<&'a ScopeSet>,
    /// What the roles grant, where roles count and that is not what is effective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_grants: Option<&'a ScopeSet>,
    /// The effective scopes.
    pub effective_scopes: &'a ScopeSet,
}

/// The roles held.
#[derive(Serialize)]
struct HeldRoles<'a> {
    roles: Vec<&'a str>,
}

impl EffectiveAccess {
    /// The effective access of the roles held and a token's scopes: both must grant, each where it
    /// counts. Roles count where there are `any_roles` at all, and alone where the token's issuer
    /// grants no scopes.
    pub(super) fn new(
        held: HeldInWorkspace,
        token_scopes: Option<ScopeSet>,
        any_roles: bool,
    ) -> Self {
        let HeldInWorkspace {
            roles,
            grants: role_grants,
            elsewhere,
        } = held;
        let limited = any_roles || token_scopes.is_none();
        let scopes = match &token_scopes {
            None => role_grants.clone(),
            Some(scopes) if !limited => scopes.clone(),
            Some(scopes) => scopes.intersection(&role_grants),
        };
        let mut access = Self {
            roles,
            scopes,
            role_grants,
            elsewhere,
            token_scopes,
            limited,
            allowed: Allowed::default(),
            written: WrittenAccess::default(),
        };
        access.written = WrittenAccess::of(&access);
        access
    }

    /// The effective scopes, and where they come from.
    pub fn held_scopes(&self) -> HeldScopes<'_> {
        let is_narrowed = |scopes: &&ScopeSet| **scopes != self.scopes;
        HeldScopes {
            token_scopes: self.token_scopes.as_ref().filter(is_narrowed),
            role_grants: Some(&self.role_grants)
                .filter(|_| self.limited)
                .filter(is_narrowed),
            effective_scopes: &self.scopes,
        }
    }

    /// Whether the caller may do what needs this: what is needed must be granted by the token and
    /// by the roles, each read by itself.
    pub fn satisfies(&self, requirement: &Requirement<'_>) -> bool {
        let grants = |what: &dyn Fn(&ScopeSet) -> bool| {
            self.token_scopes.as_ref().is_none_or(what)
                && (!self.limited || what(&self.role_grants))
        };
        match requirement {
            Requirement::AnyOf(scopes) => scopes
                .iter()
                .any(|scope| grants(&|held| held.covers(scope.as_str()))),
            Requirement::AllApis | Requirement::AllOf(_) | Requirement::AnyToken => {
                grants(&|held| requirement.met_by(held))
            }
            Requirement::Operation(operation) => self
                .allowed
                .has(operation, || grants(&|held| requirement.met_by(held))),
        }
    }

    /// Of somebody who holds roles of these names, which grant nothing.
    #[cfg(test)]
    pub(crate) fn holding(names: &[&str]) -> Self {
        let held = HeldInWorkspace {
            roles: names.iter().map(|name| Rc::from(*name)).collect(),
            ..HeldInWorkspace::default()
        };
        Self::new(held, None, true)
    }

    /// Whether it allows the same as `other`, under one policy.
    pub fn allows_the_same_as(&self, other: &Self) -> bool {
        self.role_grants == other.role_grants
            && self.token_scopes == other.token_scopes
            && self.limited == other.limited
            && self.elsewhere == other.elsewhere
            && self.roles.is_empty() == other.roles.is_empty()
    }

    /// Whether the token alone would do, roles left out of account.
    pub fn token_satisfies(&self, requirement: &Requirement<'_>) -> bool {
        let token_scopes = self.token_scopes.as_ref();
        token_scopes.is_none_or(|held| requirement.met_by(held))
    }

    /// Whether the roles held would do, where roles count.
    pub fn roles_satisfy(&self, requirement: &Requirement<'_>) -> bool {
        !self.limited || requirement.met_by(&self.role_grants)
    }

    /// Those scopes of what a call needs that are not held.
    pub fn lacks<'r>(&self, requirement: Requirement<'r>) -> impl Iterator<Item = &'r str> {
        let is_whole = self.satisfies(&requirement);
        let is_held = move |scope: &str| {
            let covers = |held: &ScopeSet| held.covers(scope);
            // Scopes of which one will do are requested together.
            matches!(requirement, Requirement::AllOf(_))
                && self.token_scopes.as_ref().is_none_or(covers)
                && (!self.limited || covers(&self.role_grants))
        };
        requirement
            .scopes()
            .filter(move |scope| !is_whole && !is_held(scope))
    }

    /// About the memory that it takes, rather too much than too little.
    pub fn bytes(&self) -> usize {
        let WrittenAccess {
            roles,
            held,
            scopes,
        } = &self.written;
        let texts = [
            roles.as_deref().map_or(0, str::len),
            held.bytes(),
            scopes.bytes(),
        ]
        .into_iter()
        .map(|bytes| bytes.saturating_add(ALLOCATION));
        let listed = [self.scopes.as_slice(), self.role_grants.as_slice()]
            .map(|scopes| size_of_val(scopes).saturating_add(ALLOCATION));
        // All other texts are the token's or the configuration's.
        let is_new = |scope: &&Scope| {
            let scopes = self.token_scopes.iter().chain([&self.role_grants]);
            !scopes
                .into_iter()
                .any(|known| known.contains(scope.as_str()))
        };
        let narrowed = self
            .scopes
            .iter()
            .filter(is_new)
            .map(|scope| scope.as_str().len().saturating_add(ALLOCATION));
        let roles = self.roles.capacity().saturating_mul(size_of::<Rc<str>>());
        texts.chain(listed).chain(narrowed).fold(
            size_of::<Self>()
                .saturating_add(roles)
                .saturating_add(ALLOCATION),
            usize::saturating_add,
        )
    }
}

impl Allowed {
    /// Whether an operation is among them, or is found to be one.
    fn has(&self, operation: &'static Operation, is_found: impl FnOnce() -> bool) -> bool {
        let address = std::ptr::from_ref(operation).addr();
        let place = address.checked_div(size_of::<Operation>());
        let place = place.and_then(|place| self.0.get(place % OPERATIONS));
        let Some(place) = place else {
            return is_found();
        };
        if place
            .get()
            .is_some_and(|known| std::ptr::eq(known, operation))
        {
            return true;
        }
        let is_found = is_found();
        if is_found {
            place.set(Some(operation));
        }
        is_found
    }
}

impl PartialEq for Allowed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Allowed {}

impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

/// Most callers use few.
const OPERATIONS: usize = 8;

impl WrittenAccess {
    fn of(access: &EffectiveAccess) -> Self {
        let roles: Vec<&str> = access.roles.iter().map(|name| &**name).collect();
        Self {
            roles: (!roles.is_empty()).then(|| roles.join(",").into()),
            held: Members::of(&HeldRoles { roles }),
            scopes: Members::of(&access.held_scopes()),
        }
    }
}
