//! What was done, and what came of it, in the numbers of the schema.

use serde::Serialize;

use crate::audit::record::Record;
use crate::authorize::Verdict;
use crate::databricks::{Access, Operation};
use crate::denial::Kind;

use super::CLASS;

/// `activity_id`, and `type_uid` which follows from it.
#[derive(Serialize)]
pub(super) struct Activity {
    activity_id: u32,
    type_uid: u32,
}

impl Activity {
    /// The activity of an operation, or of a method where there is none.
    pub(super) fn of(operation: Option<&Operation>, method: &str) -> Self {
        let reads = operation.is_some_and(|operation| operation.access == Access::Read);
        let activity_id = match (method, operation) {
            _ if reads => READ,
            ("GET" | "HEAD" | "OPTIONS", None) => READ,
            ("POST", _) => CREATE,
            ("PUT" | "PATCH", _) => UPDATE,
            ("DELETE", _) => DELETE,
            _ => OTHER,
        };
        Self {
            activity_id,
            type_uid: CLASS.saturating_mul(100).saturating_add(activity_id),
        }
    }
}

/// Whether it was let through, by the profile `security_control`.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(super) struct Outcome {
    severity_id: u32,
    status_id: u32,
    action_id: u32,
    disposition_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_alert: Option<bool>,
}

impl Outcome {
    pub(super) fn of(record: &Record<'_>) -> Self {
        let is_leak = record.evidence().leaked;
        let (status_id, action_id, disposition_id) = match &record.decision.verdict {
            Verdict::Allow(_) | Verdict::Describe(_) | Verdict::Introduce(_) => {
                (SUCCESS, ALLOWED, DISPOSED_ALLOWED)
            }
            Verdict::Return(token) if token.shadowed().is_none() => {
                (SUCCESS, ALLOWED, DISPOSED_ALLOWED)
            }
            Verdict::Return(_) | Verdict::Shadow(..) => (SUCCESS, OBSERVED, LOGGED),
            Verdict::Deny(denial) => (FAILURE, DENIED, disposition(denial.cause().kind())),
        };
        Self {
            severity_id: match (is_leak, disposition_id) {
                (true, _) => HIGH,
                (false, ERROR) => MEDIUM,
                (false, DISPOSED_ALLOWED) => INFORMATIONAL,
                (false, _) => LOW,
            },
            status_id,
            action_id,
            disposition_id,
            is_alert: is_leak.then_some(true),
        }
    }
}

const fn disposition(kind: Kind) -> u32 {
    match kind {
        Kind::Forbidden | Kind::InsufficientScope => BLOCKED,
        Kind::InvalidToken | Kind::MissingCredentials | Kind::InvalidGrant => UNAUTHORIZED,
        Kind::InvalidRequest | Kind::RequestTimeout => REJECTED,
        Kind::Internal | Kind::Unavailable => ERROR,
    }
}

// `activity_id`
const CREATE: u32 = 1;
const READ: u32 = 2;
const UPDATE: u32 = 3;
const DELETE: u32 = 4;
const OTHER: u32 = 99;

// `severity_id`
const INFORMATIONAL: u32 = 1;
const LOW: u32 = 2;
const MEDIUM: u32 = 3;
const HIGH: u32 = 4;

// `status_id`
const SUCCESS: u32 = 1;
const FAILURE: u32 = 2;

// `action_id`
const ALLOWED: u32 = 1;
const DENIED: u32 = 2;
const OBSERVED: u32 = 3;

// `disposition_id`
const DISPOSED_ALLOWED: u32 = 1;
const BLOCKED: u32 = 2;
const LOGGED: u32 = 17;
const REJECTED: u32 = 25;
const UNAUTHORIZED: u32 = 26;
const ERROR: u32 = 27;
