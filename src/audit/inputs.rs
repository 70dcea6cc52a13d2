//! What the policy judged a caller by, so that a record can be judged again.

use serde::Serialize;

use crate::issuer::access_token::{AccessToken, Groups};
use crate::token::json::Object;

/// The claims by which groups, roles and members are decided.
#[derive(Serialize)]
pub(super) struct Inputs<'a> {
    /// Absent where the token says that it does not list them.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<&'a [Box<str>]>,
    roles: &'a [Box<str>],
    /// Those that the roles of the configuration match.
    claims: &'a Object,
}

impl<'a> Inputs<'a> {
    pub(super) fn of(token: &'a AccessToken) -> Self {
        Self {
            groups: match &token.groups {
                Groups::Known(groups) => Some(groups),
                Groups::Unknown => None,
            },
            roles: &token.roles,
            claims: token.kept_claims(),
        }
    }
}
