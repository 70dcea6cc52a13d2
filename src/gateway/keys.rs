//! Callouts for keys: carries the key store's wishes out, and the answers back.

use crate::key_store::Fetched;
use crate::key_store::fetch::{Answer, Fetch};
use crate::time::UnixTime;
use crate::token::jwk_set;

use super::callouts::{Callouts, Purpose, Response};
use super::worker::Worker;
use super::{host, shared};

/// Sends every fetch that is due.
pub(super) fn dispatch_due(callouts: &mut Callouts, worker: &Worker, now: UnixTime) {
    shared::consult(worker, now);
    // No more rounds than issuers: where the host has no clock, everything would be due for ever.
    for _ in 0..worker.issuers() {
        let Some(fetch) = worker.keys.borrow_mut().due(now) else {
            return;
        };
        if let Some(token_id) = host::dispatch(&fetch.call) {
            callouts.sent(token_id, Purpose::Keys(fetch));
        } else {
            log::warn!(
                "keys of `{}`: the gateway has no cluster `{}` with a host in it: check `jwks.cluster`",
                worker.issuer(fetch.issuer),
                fetch.call.cluster
            );
            worker.keys.borrow_mut().on_unsent(&fetch, now);
            worker.metrics.failed(fetch.issuer);
            // Another worker may have a way to it.
            shared::consult(worker, now);
        }
    }
}

/// Takes what came of a fetch; `None` when nothing did.
pub(super) fn on_response(
    fetch: &Fetch,
    response: Option<&Response>,
    worker: &Worker,
    now: UnixTime,
) {
    let issuer = worker.issuer(fetch.issuer);
    let Some(response) = response else {
        log::warn!(
            "keys of `{issuer}`: no answer from cluster `{}` within {} ms, or the connection was reset",
            fetch.call.cluster,
            fetch.call.timeout.as_millis()
        );
        worker.keys.borrow_mut().on_failure(fetch, now);
        worker.metrics.failed(fetch.issuer);
        return;
    };
    let cache_control = response.header("cache-control");
    let age = response.header("age");
    let body = response.body(jwk_set::MAX_BYTES);
    let answer = Answer {
        status: response.status(),
        cache_control: cache_control.as_deref(),
        age: age.as_deref(),
        body: &body,
    };
    let fetched = worker.keys.borrow_mut().on_answer(fetch, &answer, now);
    match fetched {
        Ok(Fetched::Address) => {}
        Ok(Fetched::Keys { admitted, ignored }) => {
            worker.metrics.fetched(fetch.issuer, now);
            log::info!("keys of `{issuer}`: {admitted} fetched");
            for reason in ignored.iter().take(MAX_IGNORED_LOGGED) {
                log::info!("keys of `{issuer}`: one is not used: {reason}");
            }
        }
        Err(failure) => {
            worker.metrics.failed(fetch.issuer);
            log::warn!(
                "keys of `{issuer}`: not fetched from `{}`: {failure}",
                fetch.call.uri
            );
        }
    }
}

/// Enough to see what is wrong with a set.
const MAX_IGNORED_LOGGED: usize = 8;
