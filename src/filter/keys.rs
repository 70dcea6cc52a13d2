//! Callouts for keys: carries the key store's wishes to the host, and the answers back.

use hashbrown::HashMap;

use crate::key_store::Fetched;
use crate::key_store::fetch::{Answer, Fetch};
use crate::time::UnixTime;
use crate::token::jwk_set;

use super::host;
use super::worker::Worker;

/// The fetches under way, by the host's token.
#[derive(Default)]
pub(super) struct Callouts(HashMap<u32, Fetch>);

impl Callouts {
    /// Sends every fetch that is due.
    pub(super) fn dispatch_due(&mut self, worker: &Worker, now: UnixTime) {
        // No more rounds than issuers: where the host has no clock, everything would be due for ever.
        for _ in 0..worker.issuers() {
            let Some(fetch) = worker.keys.borrow_mut().due(now) else {
                return;
            };
            if let Some(token_id) = host::dispatch(&fetch) {
                self.0.insert(token_id, fetch);
            } else {
                log::warn!(
                    "keys of `{}`: the gateway has no cluster `{}` with a host in it: check `jwks.cluster`",
                    worker.issuer(fetch.issuer),
                    fetch.cluster
                );
                worker.keys.borrow_mut().on_failure(&fetch, now);
            }
        }
    }

    /// Takes what came of a fetch.
    pub(super) fn on_response(
        &mut self,
        token_id: u32,
        headers: usize,
        body_size: usize,
        worker: &Worker,
        now: UnixTime,
    ) {
        let Some(fetch) = self.0.remove(&token_id) else {
            return;
        };
        let issuer = worker.issuer(fetch.issuer);
        // A callout that failed is reported without a header.
        if headers == 0 {
            log::warn!(
                "keys of `{issuer}`: no answer from cluster `{}` within {} ms, or the connection was reset",
                fetch.cluster,
                fetch.timeout.as_millis()
            );
            worker.keys.borrow_mut().on_failure(&fetch, now);
            return;
        }
        let status = host::call_response_header(":status");
        let cache_control = host::call_response_header("cache-control");
        let age = host::call_response_header("age");
        // One byte past the limit shows that it is past the limit; more would only be copied.
        let body = host::call_response_body(body_size.min(jwk_set::MAX_BYTES.saturating_add(1)));
        let answer = Answer {
            status: status.as_deref().map_or(0, parse_status),
            cache_control: cache_control.as_deref(),
            age: age.as_deref(),
            body: &body,
        };
        match worker.keys.borrow_mut().on_answer(&fetch, &answer, now) {
            Ok(Fetched::Address) => {}
            Ok(Fetched::Keys { admitted, ignored }) => {
                log::info!("keys of `{issuer}`: {admitted} fetched");
                for reason in ignored.iter().take(MAX_IGNORED_LOGGED) {
                    log::info!("keys of `{issuer}`: one is not used: {reason}");
                }
            }
            Err(failure) => log::warn!(
                "keys of `{issuer}`: not fetched from `{}`: {failure}",
                fetch.uri
            ),
        }
    }
}

fn parse_status(text: &[u8]) -> u16 {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// Enough to see what is wrong with a set.
const MAX_IGNORED_LOGGED: usize = 8;
