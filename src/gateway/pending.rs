//! A request under judgement, with all that is needed to judge it again.

use crate::request::Headers;
use crate::time::clock::Timer;

use super::decision_id::DecisionId;
use super::host::StreamId;
use super::stream::Quoted;
use super::token_form::ArrivedForm;
use super::waiting::Released;

/// A request under judgement.
pub(super) struct Pending {
    /// The host's number of it, which the host may use again.
    pub(super) stream: StreamId,
    /// The gateway's number of it: no other request has it.
    pub(super) number: u64,
    pub(super) headers: Headers,
    pub(super) source_ip: Option<String>,
    /// How long it may wait, however often; set when it first does.
    pub(super) deadline: Option<Timer>,
    /// The ID of its decision, where its form is judged with its headers; the record waits for
    /// that.
    pub(super) decision_id: Option<DecisionId>,
    /// What came of its form, once that is not awaited any more.
    pub(super) form: Option<ArrivedForm>,
}

impl Pending {
    /// A request of which no more is left than what is quoted of it.
    pub(super) fn quoted(stream: StreamId, number: u64, quoted: Option<Box<Quoted>>) -> Self {
        let (headers, source_ip) = match quoted {
            Some(quoted) => (quoted.headers, quoted.source_ip),
            None => (Headers::default(), None),
        };
        Self {
            stream,
            number,
            headers,
            source_ip,
            deadline: None,
            decision_id: None,
            form: None,
        }
    }

    /// How many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        let form = self.form.as_ref().and_then(|form| form.body().ok());
        let form_bytes = form.map_or(0, <[u8]>::len);
        self.headers.bytes().saturating_add(form_bytes)
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
