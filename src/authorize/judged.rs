//! A request on its way to a verdict, and its caller.

use std::cell::Cell;
use std::rc::Rc;

use crate::issuer::access_token::AccessToken;
use crate::policy::EffectiveAccess;
use crate::request::Headers;
use crate::request::credential::Scheme;
use crate::time::UnixTime;

use super::authorizer::Verification;
use super::awaited::AwaitedKeys;

/// A request that is judged, and what verifies its token.
pub(super) struct Judged<'j> {
    pub(super) headers: &'j Headers,
    pub(super) by: &'j Verification<'j>,
    pub(super) now: UnixTime,
    /// Keys that might change the decision if they came.
    pub(super) awaited: Cell<Option<AwaitedKeys>>,
}

/// Somebody whose token is valid.
pub(super) struct KnownCaller {
    pub(super) token: Rc<AccessToken>,
    pub(super) access: Rc<EffectiveAccess>,
    pub(super) scheme: Scheme,
}
