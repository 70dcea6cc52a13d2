//! Who may do what: roles narrow scopes, rules and the catalogue say which scope a request needs.
//!
//! The policy never sees a token's text or a key. It is asked which rules and which operation speak of this request
//! ([`Policy::governing`], [`Policy::denying`], [`Policy::trial`]), which scopes this caller effectively holds
//! ([`Policy::effective_scopes`]), and whether these cover what is needed ([`Requirement::met_by`]).

pub mod credential;
pub mod role;
pub mod rule;
pub mod workspace;

use std::rc::Rc;

use crate::databricks::scope::{self, ALL_APIS};
use crate::databricks::scope_set::ScopeSet;
use crate::databricks::{self, Catalogue, Lookup, Operation, operation};
use crate::issuer::access_token::AccessToken;
use crate::path::Path;
use crate::request::mcp::Call;
use crate::request::workspace::WorkspaceId;
use crate::token::scope::Scope;

use role::Role;
use rule::{Effect, Governed, Mode, Rule, RuleBook, Trials};

/// Everything that decides what a sound token may do.
pub struct Policy {
    /// Databricks' operations.
    pub catalogue: &'static Catalogue,
    /// The operator's own rules.
    pub rules: RuleBook,
    /// Functional roles; none means that tokens are not narrowed.
    pub roles: Vec<Role>,
    /// Whether refusals of authorization are enforced.
    pub mode: Mode,
    /// What becomes of requests that match neither rule nor operation.
    pub unmatched: Unmatched,
}

/// What becomes of requests that nothing describes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unmatched {
    /// Whoever holds `all-apis` may send them.
    AllApis,
    /// They are refused.
    Deny,
}

/// What governs a request.
#[derive(Clone, Copy)]
pub enum Governing<'a> {
    /// A percent-escape stands where no other reader could be trusted to read it as we do.
    Ambiguous,
    /// An operation of the catalogue.
    Operation(&'static Operation),
    /// A rule of the operator's.
    Rule(&'a Rule),
    /// Nothing.
    Unmatched,
}

/// What a request needs its caller to hold.
#[derive(Clone, Copy, Debug)]
pub enum Requirement<'a> {
    /// `all-apis` itself.
    AllApis,
    /// Every one of these.
    AllOf(&'a [Scope]),
    /// One of these.
    AnyOf(&'a [Scope]),
    /// A sound token, whatever it grants.
    AnyToken,
    /// What the operation's scope covers.
    Operation(&'static Operation),
}

/// The roles that a caller holds, and what they come to.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// The names of the roles held, in the configuration's order.
    pub roles: Vec<Rc<str>>,
    /// What the caller may use.
    pub scopes: ScopeSet,
    /// What the roles held grant together.
    pub role_grants: ScopeSet,
    /// A role that is held, but not in this workspace.
    pub elsewhere: bool,
}

/// What a request asks for, and what the catalogue says of that; looked up once.
#[derive(Clone, Copy)]
pub struct Asked<'r> {
    /// The call.
    pub call: Call<'r>,
    /// The path.
    pub path: Path<'r>,
    found: Lookup,
}

impl Policy {
    /// Looks up what a request asks for.
    pub fn asked<'r>(&self, call: Call<'r>, path: Path<'r>) -> Asked<'r> {
        let found = self.catalogue.find(call.method, &path);
        Asked { call, path, found }
    }

    /// The most specific rule for the request, or else the operation that it is; rules on trial left out. Rules that are narrowed to
    /// issuers count only where `issuer` is one of them.
    ///
    /// A rule for an operation's documented path holds in every version in which the catalogue knows the operation, and with the trailing
    /// slash that some clients send: another spelling of a call is no way around a rule for it. A rule for an older version is for that
    /// one alone.
    pub fn governing<'a>(&'a self, asked: &Asked<'_>, issuer: Option<&str>) -> Governing<'a> {
        let Asked { call, path, found } = asked;
        if databricks::is_alias(path) || self.rules.misreads(path) {
            return Governing::Ambiguous;
        }
        if !self.rules.is_empty()
            && let Some(found) = self.rules.find(*call, path, issuer, Trials::LeftOut)
        {
            return found.into();
        }
        let operation = match *found {
            Lookup::Found(operation) => operation,
            Lookup::Unknown => return Governing::Unmatched,
            Lookup::Ambiguous => return Governing::Ambiguous,
        };
        self.under_documented_path(operation, path, |twin| {
            let found = self.rules.find(*call, twin, issuer, Trials::LeftOut)?;
            (found.rule.effect != Effect::Public).then(|| found.into())
        })
        .unwrap_or(Governing::Operation(operation))
    }

    /// The rule on trial that would govern the request if it were enforced.
    pub fn trial(&self, asked: &Asked<'_>, issuer: &str) -> Option<&Rule> {
        if self.rules.is_empty() {
            return None;
        }
        let found = self
            .rules
            .find(asked.call, &asked.path, Some(issuer), Trials::Included)?;
        (found.rule.mode == Mode::Shadow).then_some(found.rule)
    }

    /// The deny rule that applies, enforced ones before those on trial; to a path with a trailing slash also one for the path without.
    pub fn denying(&self, asked: &Asked<'_>, issuer: Option<&str>) -> Option<&Rule> {
        if self.rules.is_empty() {
            return None;
        }
        let Asked { call, path, found } = asked;
        let as_written = self.rules.denying(*call, path, issuer);
        if as_written.is_some_and(|rule| rule.mode == Mode::Enforce) {
            return as_written;
        }
        let twin = match *found {
            Lookup::Found(operation) => self.under_documented_path(operation, path, |twin| {
                self.rules.denying(*call, twin, issuer)
            }),
            Lookup::Ambiguous | Lookup::Unknown => None,
        };
        let without_slash = || {
            let trimmed = path.without_trailing_slash()?;
            self.rules.denying(*call, &trimmed, issuer)
        };
        let other = twin.or_else(without_slash);
        match (as_written, other) {
            (Some(_), Some(other)) if other.mode == Mode::Enforce => Some(other),
            (Some(as_written), _) => Some(as_written),
            (None, other) => other,
        }
    }

    /// Looks a request up under the path that the catalogue documents for its operation, where it was sent under another.
    fn under_documented_path<T>(
        &self,
        operation: &Operation,
        path: &Path<'_>,
        look_up: impl FnOnce(&Path<'_>) -> Option<T>,
    ) -> Option<T> {
        if self.rules.is_empty() {
            return None;
        }
        look_up(&databricks::in_documented_version(operation, path)?)
    }

    /// Scopes in the token ∩ grants of the roles held; the token's alone where no roles are configured, the roles' alone where the issuer
    /// grants no scopes, nothing where there is neither.
    pub fn effective_scopes(
        &self,
        token: &AccessToken,
        workspace: Option<WorkspaceId>,
    ) -> Standing {
        let mut standing = Standing::default();
        for role in self.roles.iter().filter(|role| role.has_member(token)) {
            if role.holds_in(workspace) {
                // One role is what most callers have, and then nothing is copied.
                if standing.roles.is_empty() {
                    standing.role_grants = role.grants.clone();
                } else {
                    standing.role_grants.extend(&role.grants);
                }
                standing.roles.push(Rc::clone(&role.name));
            } else {
                standing.elsewhere = true;
            }
        }
        standing.scopes = match &token.scopes {
            None => standing.role_grants.clone(),
            Some(scopes) if self.roles.is_empty() => scopes.clone(),
            Some(scopes) => scopes.intersection(&standing.role_grants),
        };
        standing
    }

    /// What a request needs that is governed so; `None` where nothing that a token grants would do.
    pub fn requirement<'a>(&self, governing: Governing<'a>) -> Option<Requirement<'a>> {
        match governing {
            Governing::Operation(operation) => Some(match operation.requirement {
                operation::Requirement::AnyToken | operation::Requirement::NoToken => {
                    Requirement::AnyToken
                }
                operation::Requirement::Scope(_) => Requirement::Operation(operation),
            }),
            Governing::Rule(rule) => match &rule.effect {
                Effect::RequireAll(scopes) => Some(Requirement::AllOf(scopes)),
                Effect::RequireAny(scopes) => Some(Requirement::AnyOf(scopes)),
                Effect::Public => Some(Requirement::AnyToken),
                Effect::Deny => None,
            },
            Governing::Unmatched if self.unmatched == Unmatched::AllApis => {
                Some(Requirement::AllApis)
            }
            Governing::Unmatched | Governing::Ambiguous => None,
        }
    }
}

impl<'a> From<Governed<'a>> for Governing<'a> {
    fn from(found: Governed<'a>) -> Self {
        if found.ambiguous {
            Self::Ambiguous
        } else {
            Self::Rule(found.rule)
        }
    }
}

impl Governing<'_> {
    /// Whether nobody needs to say who they are.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Operation(operation) => operation.requirement == operation::Requirement::NoToken,
            Self::Rule(rule) => rule.effect == Effect::Public,
            Self::Ambiguous | Self::Unmatched => false,
        }
    }
}

impl<'a> Requirement<'a> {
    /// Whether the scopes held are enough.
    pub fn met_by(&self, held: &ScopeSet) -> bool {
        match self {
            Self::AllApis => held.contains(ALL_APIS),
            Self::AllOf(scopes) => scopes.iter().all(|scope| held.covers(scope)),
            Self::AnyOf(scopes) => scopes.iter().any(|scope| held.covers(scope)),
            Self::AnyToken => true,
            Self::Operation(operation) => held.covers_operation(operation),
        }
    }

    /// The scopes to ask for, for challenges and records.
    pub fn scopes(self) -> impl Iterator<Item = &'a str> {
        let (one, listed): (_, &[Scope]) = match self {
            Self::AllApis => (Some(ALL_APIS), &[]),
            Self::AllOf(scopes) | Self::AnyOf(scopes) => (None, scopes),
            Self::AnyToken => (None, &[]),
            Self::Operation(operation) => (scope::required(operation), &[]),
        };
        one.into_iter().chain(listed.iter().map(Scope::as_str))
    }
}
