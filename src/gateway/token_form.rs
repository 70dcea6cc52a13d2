//! The form of a token request: awaited with the headers before it, and arrived.

use std::cell::RefCell;
use std::rc::Rc;

use crate::request::Headers;
use crate::request::form::FormError;

use super::decision_id::DecisionId;
use super::held_forms::HeldForms;
use super::host::StreamId;
use super::pending::Pending;

/// A form that is still to come, and the headers before it, which were permitted.
pub(super) struct AwaitedForm {
    pub(super) number: u64,
    pub(super) headers: Headers,
    pub(super) source_ip: Option<String>,
    pub(super) decision_id: DecisionId,
    pub(super) place: HeldPlace,
    /// How much of it has come.
    pub(super) came: usize,
}

/// A request's place among those that are held; given up with it.
pub(super) struct HeldPlace {
    pub(super) number: u64,
    pub(super) held: Rc<RefCell<HeldForms>>,
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        // Nothing is borrowed of it where a place is given up.
        if let Ok(mut held) = self.held.try_borrow_mut() {
            held.leave(self.number);
        }
    }
}

/// What came of a form that is not awaited any more.
pub(super) struct ArrivedForm {
    body: Result<Vec<u8>, FormError>,
    _place: HeldPlace,
}

impl ArrivedForm {
    /// The form, if it came as a whole.
    pub(super) fn body(&self) -> Result<&[u8], FormError> {
        self.body.as_deref().map_err(|error| *error)
    }
}

impl AwaitedForm {
    /// The request with what came of its form; without, where that is not judged.
    pub(super) fn with_form(
        self,
        stream: StreamId,
        body: Option<Result<Vec<u8>, FormError>>,
    ) -> Pending {
        let place = self.place;
        Pending {
            stream,
            number: self.number,
            headers: self.headers,
            source_ip: self.source_ip,
            deadline: None,
            decision_id: Some(self.decision_id),
            form: body.map(|body| ArrivedForm {
                body,
                _place: place,
            }),
        }
    }
}
