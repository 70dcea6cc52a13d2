//! A request under judgement, with all that is needed to judge it again.

use crate::gateway::waiting::Released;
use crate::request::Headers;
use crate::time::clock::Timer;

use super::decision_id::DecisionId;
use super::form::Arrived;
use super::{contexts, host};

/// A request under judgement.
pub(super) struct Pending {
    pub(super) context_id: u32,
    /// What tells it from every other request of this VM ([`contexts::next_number`](super::contexts::next_number)).
    pub(super) number: u64,
    pub(super) headers: Headers,
    pub(super) source_ip: Option<String>,
    /// For how long it may wait, however often; set when it first does.
    pub(super) deadline: Option<Timer>,
    /// The decision's name, where a form is to be judged with the head; its record waits for that.
    pub(super) form: Option<DecisionId>,
    /// What came of that form, once it is not awaited any more.
    pub(super) arrived: Option<Arrived>,
}

impl Pending {
    /// How many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        let form = self.arrived.as_ref().and_then(|form| form.body().ok());
        self.headers
            .bytes()
            .saturating_add(form.map_or(0, <[u8]>::len))
    }
}

impl Pending {
    /// A request of which there is no more than is quoted of it.
    pub(super) fn quoted(context_id: u32, quoted: Headers) -> Self {
        Self {
            context_id,
            number: contexts::next_number(),
            headers: quoted,
            source_ip: host::source_ip(),
            deadline: None,
            form: None,
            arrived: None,
        }
    }
}

impl From<Released<Self>> for Pending {
    fn from(released: Released<Self>) -> Self {
        Self {
            deadline: Some(released.deadline),
            ..released.request
        }
    }
}
