//! Callouts under way: carries what the core asks for to the host, and each answer back to whoever asked.

use hashbrown::HashMap;

use crate::exchange::Errand;
use crate::key_store::fetch::Fetch;
use crate::time::UnixTime;
use crate::withdrawn::list::Poll;

use super::worker::Worker;
use super::{exchange, host, keys, withdrawals};

/// The calls under way, by the host's token.
#[derive(Default)]
pub(super) struct Callouts(HashMap<u32, Purpose>);

/// What a call is for, and what is needed to understand its answer.
pub(super) enum Purpose {
    /// An exchange of a token.
    Exchange(Errand),
    /// An issuer's keys, or the way to them.
    Keys(Fetch),
    /// The list of what is withdrawn.
    Withdrawals(Poll),
}

/// An answer that lies with the host, until the callback that announced it ends.
pub(super) struct Response {
    body_size: usize,
}

impl Callouts {
    /// Sends every call that is due, whatever for.
    pub(super) fn dispatch_due(&mut self, worker: &Worker, now: UnixTime) {
        keys::dispatch_due(self, worker, now);
        withdrawals::dispatch_due(self, worker, now);
        exchange::dispatch_due(self, worker, now);
    }

    /// Remembers what a call was sent for, `token_id` being the host's.
    pub(super) fn sent(&mut self, token_id: u32, purpose: Purpose) {
        self.0.insert(token_id, purpose);
    }

    /// Takes others in.
    pub(super) fn join(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Takes what came of a call.
    pub(super) fn on_response(
        &mut self,
        token_id: u32,
        headers: usize,
        body_size: usize,
        worker: &Worker,
        now: UnixTime,
    ) {
        // A callout that failed is reported without a header.
        let response = (headers > 0).then_some(Response { body_size });
        match self.0.remove(&token_id) {
            Some(Purpose::Exchange(errand)) => {
                exchange::on_response(&errand, response.as_ref(), worker, now);
            }
            Some(Purpose::Keys(fetch)) => keys::on_response(&fetch, response.as_ref(), worker, now),
            Some(Purpose::Withdrawals(poll)) => {
                withdrawals::on_response(&poll, response.as_ref(), worker);
            }
            None => {}
        }
    }
}

impl Response {
    /// `:status`; zero where it is none.
    pub(super) fn status(&self) -> u16 {
        self.header(":status")
            .and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok())
            .unwrap_or(0)
    }

    /// The first header of a name.
    #[expect(
        clippy::unused_self,
        reason = "only while there is an answer does the host hold its headers"
    )]
    pub(super) fn header(&self, name: &str) -> Option<Vec<u8>> {
        host::call_response_header(name)
    }

    /// The body, and of a longer one than `max_bytes` one byte more: enough to see that it is too long.
    pub(super) fn body(&self, max_bytes: usize) -> Vec<u8> {
        host::call_response_body(self.body_size.min(max_bytes.saturating_add(1)))
    }
}
