//! What a valid token must be besides: not withdrawn, in the right hands, and for the workspace
//! that the request is for.

use std::rc::Rc;

use crate::denial::Denial;
use crate::issuer::access_token::AccessToken;
use crate::issuer::invalid_token::InvalidToken;
use crate::policy::EffectiveAccess;
use crate::policy::workspace::WorkspaceError;
use crate::request::RequestHead;
use crate::request::workspace::WorkspaceId;
use crate::time::UnixTime;
use crate::token::bearer::BearerToken;
use crate::withdrawn::list::Stale;

use super::evidence::Evidence;
use super::gate::TokenPlace;
use super::sender;
use super::{Authorizer, Verification};

impl Authorizer {
    /// Whether a valid token is not withdrawn, and in the hands that it was given into.
    pub(super) fn still_holds(
        &self,
        token: &AccessToken,
        bearer: BearerToken<'_>,
        place: TokenPlace<'_>,
        by: &Verification<'_>,
        now: UnixTime,
    ) -> Result<(), Denial> {
        let listed = || {
            by.withdrawals
                .map_or(Ok(false), |list| list.has(token, bearer, now))
        };
        if self.withdrawn.has(token, bearer)
            || listed().map_err(|Stale| Denial::StaleWithdrawals)?
        {
            return Err(InvalidToken::Withdrawn.into());
        }
        sender::check(token, bearer, place, by, now)
    }

    /// The workspace that a request is for. At a host of several, a call that selects none is for
    /// the one that it is about.
    pub(super) fn workspace(
        &self,
        head: &RequestHead<'_>,
    ) -> Result<Option<WorkspaceId>, WorkspaceError> {
        let resolve = |id| self.workspaces.resolve(head.authority.as_ref(), id);
        match resolve(head.selector)? {
            None if head.about.is_some() => Ok(resolve(head.about).unwrap_or_default()),
            here => Ok(here),
        }
    }

    /// The effective access of a valid token in the workspace that a call is about, where it is
    /// for another one: such a call touches both, so that it must be permitted in both.
    pub(super) fn effective_access_there(
        &self,
        head: &RequestHead<'_>,
        here: Option<WorkspaceId>,
        token: &AccessToken,
    ) -> Option<(WorkspaceId, Rc<EffectiveAccess>)> {
        let there = head.about.filter(|about| Some(*about) != here)?;
        let distinguished = |id| self.policy.roles.distinguished(id);
        let differs = distinguished(Some(there)) != distinguished(here);
        let work_out = || {
            self.policy
                .effective_access(token, distinguished(Some(there)))
        };
        differs.then(|| (there, Rc::new(work_out())))
    }

    /// Refuses a valid token that is for another workspace: than the one that answers, or than the
    /// one that the call is about. A call to one about the other touches both.
    ///
    /// Here and not where tokens are verified: one that was verified before may be used at another
    /// host now.
    pub(super) fn issued_for(
        &self,
        token: Rc<AccessToken>,
        head: &RequestHead<'_>,
        workspace: Option<WorkspaceId>,
        evidence: &mut Evidence<'_>,
    ) -> Result<Rc<AccessToken>, Denial> {
        let is_meant = match workspace {
            Some(id) => self.workspaces.admit(&token.issued_for, id),
            None => self
                .workspaces
                .admit_at(&token.issued_for, head.authority.as_ref()),
        };
        // Without `workspaces` nothing is bound to one.
        let is_bound = !self.workspaces.all().is_empty();
        let there = head
            .about
            .filter(|about| is_bound && Some(*about) != workspace);
        let is_meant_there = there.is_none_or(|id| self.workspaces.admit(&token.issued_for, id));
        if is_meant && is_meant_there {
            return Ok(token);
        }
        evidence.workspace(if is_meant { there } else { workspace });
        evidence.token(token);
        Err(InvalidToken::Workspace.into())
    }
}
