//! What self-service reports to callers: who they are by their token, and what they may do here.

use std::rc::Rc;

use crate::denial::Denial;
use crate::issuer::access_token::AccessToken;
use crate::policy::rule::Mode;
use crate::policy::workspace::WorkspaceError;
use crate::policy::{Applied, EffectiveAccess, Policy};
use crate::request::mcp::Call;
use crate::request::workspace::WorkspaceId;
use crate::request::{Headers, RequestHead};

use super::evidence::Evidence;
use super::judged::KnownCaller;
use super::permission::denied;
use super::{Authorizer, Verdict};

/// What is reported to one caller. Made where the caller's token was verified, and nowhere else.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// The caller's token.
    pub token: Rc<AccessToken>,
    /// The caller's effective access in the workspace.
    pub effective_access: Rc<EffectiveAccess>,
    /// The workspace that the request is for.
    pub workspace: Option<WorkspaceId>,
    /// The roles held, each with what the caller holds it by.
    pub roles: Vec<(Rc<str>, String)>,
    /// Whether the caller reads pages, and not JSON.
    pub reads_pages: bool,
}

impl Authorizer {
    /// Whether a request is for self-service: asks who its caller is, by whatever method.
    pub(super) fn is_self_service(&self, head: &RequestHead<'_>) -> bool {
        let service = self.self_service.as_ref();
        service.is_some_and(|service| head.path.as_str() == &*service.me)
    }

    /// Tells a caller who it is. Like any request it is subject to deny rules; unlike any other it
    /// never goes upstream, whichever rule opens its path.
    pub(super) fn introduce<'a>(
        &'a self,
        (call, headers): (Call<'_>, &Headers),
        policy: &Applied<'a>,
        workspace: Result<Option<WorkspaceId>, WorkspaceError>,
        caller: KnownCaller,
        evidence: &mut Evidence<'a>,
    ) -> Result<Verdict, Denial> {
        let KnownCaller { token, access, .. } = caller;
        evidence.token(Rc::clone(&token));
        evidence.effective_access(Rc::clone(&access));
        let workspace = match workspace {
            Err(error) if self.policy.mode == Mode::Enforce => return Err(error.into()),
            workspace => workspace.unwrap_or_default(),
        };
        evidence.workspace(workspace);
        if let Some(rule) = policy.denying {
            evidence.rule(rule);
            if rule.mode == Mode::Enforce && self.policy.mode == Mode::Enforce {
                return Err(denied(rule, call));
            }
        }
        if !matches!(call.method, "GET" | "HEAD") {
            return Err(Denial::Unmatched);
        }
        Ok(Verdict::Introduce(Box::new(Introduction {
            roles: roles(&self.policy, &access, &token),
            reads_pages: reads_pages(headers),
            token,
            effective_access: access,
            workspace,
        })))
    }
}

/// The roles held, each with the condition by which the caller is a member.
fn roles(policy: &Policy, access: &EffectiveAccess, token: &AccessToken) -> Vec<(Rc<str>, String)> {
    let of_name = |name: &Rc<str>| {
        let role = policy.roles.as_slice().iter();
        let role = role.filter(|role| role.name == *name);
        let members = role.filter_map(|role| role.membership(token));
        (Rc::clone(name), members.collect::<Vec<_>>().join("; "))
    };
    access.roles.iter().map(of_name).collect()
}

/// Whether `Accept` names pages before anything else, as browsers do.
fn reads_pages(headers: &Headers) -> bool {
    headers
        .first("accept")
        .is_some_and(|accept| accept.trim_ascii_start().starts_with(b"text/html"))
}
