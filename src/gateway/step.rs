//! What the host is to do with a request next.

use std::borrow::Cow;

use crate::answer::Answer;

/// The next step of a request, after its record where it has one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// It goes on, and with it what was held of it.
    Forward,
    /// It is held.
    Hold,
    /// It is held, and its sender waits once the host's buffers are full, instead of being refused
    /// by the host.
    HoldBody,
    /// It is answered here, and nothing of it goes on.
    Reply(Box<Answer>),
}

impl Step {
    pub(super) fn reply(answer: Answer) -> Self {
        Self::Reply(Box::new(answer))
    }

    /// The answer of a gateway without a valid configuration: it refuses every request.
    pub(super) fn unconfigured() -> Self {
        let body = r#"{"error_code":"INTERNAL_ERROR","message":"This gateway's policy could not be loaded.","details":[]}"#;
        Self::reply(Answer {
            status: 500,
            headers: vec![("content-type", Cow::Borrowed("application/json"))],
            body: body.to_owned(),
            grpc_status: None,
            reason: "unconfigured",
        })
    }
}
