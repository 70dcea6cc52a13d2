//! What a caller comes to in a workspace: the roles held, and the scopes that token and roles allow.

use std::rc::Rc;

use crate::databricks::scope_set::ScopeSet;

use super::Requirement;

/// The roles that a caller holds, and what they come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standing {
    /// The names of the roles held, in the configuration's order.
    pub roles: Vec<Rc<str>>,
    /// What token and roles allow together, as a list: for records. No decision reads it.
    pub scopes: ScopeSet,
    /// What the roles held grant together.
    pub role_grants: ScopeSet,
    /// A role that is held, but not in this workspace.
    pub elsewhere: bool,
    /// The scopes of the token; `None` where the issuer grants none and roles alone do.
    token_scopes: Option<ScopeSet>,
    /// Whether roles are configured, or asked for by the issuer: what they do not grant is not allowed.
    limited: bool,
}

impl Standing {
    /// What the roles held and a token's scopes come to: both must grant, each where it counts. Roles count where there are `any_roles`
    /// at all, and alone where the token's issuer grants no scopes.
    pub(super) fn new(held: Held, token_scopes: Option<ScopeSet>, any_roles: bool) -> Self {
        let Held {
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
        Self {
            roles,
            scopes,
            role_grants,
            elsewhere,
            token_scopes,
            limited,
        }
    }

    /// Whether the caller may do what needs this: what is needed must be granted by the token and by the roles, each read by itself.
    pub fn satisfies(&self, requirement: &Requirement<'_>) -> bool {
        let grants = |what: &dyn Fn(&ScopeSet) -> bool| {
            self.token_scopes.as_ref().is_none_or(what)
                && (!self.limited || what(&self.role_grants))
        };
        match requirement {
            Requirement::AnyOf(scopes) => scopes
                .iter()
                .any(|scope| grants(&|held| held.covers(scope.as_str()))),
            Requirement::AllApis
            | Requirement::AllOf(_)
            | Requirement::AnyToken
            | Requirement::Operation(_) => grants(&|held| requirement.met_by(held)),
        }
    }
}

/// The roles that somebody holds.
#[derive(Default)]
pub(super) struct Held {
    /// Their names, in the configuration's order.
    pub(super) roles: Vec<Rc<str>>,
    /// What they grant together.
    pub(super) grants: ScopeSet,
    /// One is held, but not in this workspace.
    pub(super) elsewhere: bool,
}
