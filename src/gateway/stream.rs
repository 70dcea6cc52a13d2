//! One request on its way, from its first header to its end.

use crate::request::Headers;

use super::decision_id::DecisionId;
use super::host::PluginId;
use super::step::Step;
use super::token_form::AwaitedForm;

/// A request on its way.
pub(super) struct Stream {
    pub(super) plugin: PluginId,
    pub(super) stage: Stage,
    /// What records and answers quote of the headers, where trailers may follow: the host does not
    /// hand headers over again.
    pub(super) quoted: Option<Box<Quoted>>,
}

/// How far a request has come.
pub(super) enum Stage {
    /// It was answered here.
    Answered,
    /// Its headers were permitted, and its form is to come.
    AwaitsForm(Box<AwaitedForm>),
    /// Its headers have not come yet.
    New,
    /// It goes upstream, by this decision.
    Permitted(DecisionId),
    /// It waits in the queue, under this number.
    Waits(u64),
}

/// What is quoted of a request's headers, and its client's address.
pub(super) struct Quoted {
    pub(super) headers: Headers,
    pub(super) source_ip: Option<String>,
}

impl Stream {
    pub(super) const fn new(plugin: PluginId) -> Self {
        Self {
            plugin,
            stage: Stage::New,
            quoted: None,
        }
    }

    /// What becomes of its body, where nobody has to read that.
    ///
    /// While the headers wait, on hosts that bring the body all the same, a body that does not fit
    /// into the host's buffers must not end the request with an answer of the host's own.
    pub(super) const fn body_step(&self) -> Step {
        match self.stage {
            Stage::Permitted(_) => Step::Forward,
            Stage::Waits(_) => Step::HoldBody,
            Stage::Answered | Stage::AwaitsForm(_) | Stage::New => Step::Hold,
        }
    }
}
