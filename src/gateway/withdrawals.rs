//! Callouts for the list of what is withdrawn: carries its polls out, and the answers back.

use std::cell::RefCell;
use std::fmt;

use crate::time::UnixTime;
use crate::withdrawn::list::{self, Answer, List, Poll, Polled};

use super::callouts::{Callouts, Purpose, Response};
use super::host;
use super::worker::Worker;

/// Sends the poll that is due.
pub(super) fn dispatch_due(callouts: &mut Callouts, worker: &Worker, now: UnixTime) {
    let Some(list) = &worker.withdrawals else {
        return;
    };
    let Some(poll) = list.borrow_mut().due(now) else {
        return;
    };
    if let Some(token_id) = host::dispatch(&poll.call) {
        callouts.sent(token_id, Purpose::Withdrawals(poll));
    } else {
        list.borrow_mut().on_failure(&poll);
        let cluster = &poll.call.cluster;
        warn(
            list,
            format_args!(
                "the gateway has no cluster `{cluster}` with a host in it: check `withdrawn.list.cluster`"
            ),
        );
    }
}

/// Takes what came of a poll; `None` when nothing did.
pub(super) fn on_response(poll: &Poll, response: Option<&Response>, worker: &Worker) {
    let Some(list) = &worker.withdrawals else {
        return;
    };
    let Some(response) = response else {
        list.borrow_mut().on_failure(poll);
        warn(
            list,
            format_args!(
                "no answer from cluster `{}` within {} ms, or the connection was reset",
                poll.call.cluster,
                poll.call.timeout.as_millis()
            ),
        );
        return;
    };
    let tag = response.header("etag");
    let body = response.body(list::MAX_BYTES);
    let answer = Answer {
        status: response.status(),
        tag: tag.as_deref(),
        body: &body,
    };
    let polled = list.borrow_mut().on_answer(poll, &answer);
    match polled {
        Ok(Polled::Unchanged) => {}
        Ok(Polled::New(entries)) => log::info!("withdrawn: a list of {entries} entries"),
        Err(failure) => warn(list, format_args!("`{}`: {failure}", poll.call.uri)),
    }
}

/// Fewer and fewer times while it goes on: every second of an outage on every worker would fill the log.
fn warn(list: &RefCell<List>, why: fmt::Arguments<'_>) {
    let (failures, is_known) = {
        let list = list.borrow();
        (list.failures(), list.is_known())
    };
    if !failures.is_power_of_two() {
        return;
    }
    let consequence = if is_known {
        "the last good one holds"
    } else {
        "there was none yet, so tokens are judged without"
    };
    log::warn!("withdrawn: no new list, {consequence}: {why}");
}
