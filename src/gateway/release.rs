//! When a held request goes on: what it may wait for, when that has come, and who is judged next.

use std::time::Duration;

use crate::authorize;
use crate::exchange::Exchanger;
use crate::key_store::KeyStore;
use crate::time::UnixTime;
use crate::time::clock::Timer;

use super::active::Active;
use super::pending::Pending;
use super::waiting::Awaited;

impl Active {
    /// How long a request may wait; `None` where there is no room, or its time is over.
    pub(super) fn may_wait(
        &mut self,
        request: &Pending,
        awaited: Awaited,
        now: UnixTime,
    ) -> Option<Timer> {
        // A host that brings bodies to headers that it holds would not bring a form a second time.
        // A whole form waits as headers do.
        let form = request.form.as_ref();
        if request.decision_id.is_some() && form.is_none_or(|form| form.body().is_err()) {
            return None;
        }
        let (deadline, bytes) = (request.deadline, request.bytes());
        self.waiting.may_wait(deadline, bytes, awaited, now)
    }

    /// How long a request may wait for keys; `None` where it may not, or where waiting is of no
    /// use.
    pub(super) fn may_wait_for_keys(
        &mut self,
        request: &Pending,
        awaited: authorize::AwaitedKeys,
        now: UnixTime,
    ) -> Option<Timer> {
        // Once: it has been judged by what came, and a key ID that is still unknown stays so.
        if request.deadline.is_some() {
            return None;
        }
        let deadline = self.may_wait(request, Awaited::Keys(awaited), now)?;
        let useful = match awaited {
            authorize::AwaitedKeys::First(issuer) => self
                .keys
                .expected_by(issuer, now)
                .is_some_and(|due| due.since(now) < self.configuration.waiting.time),
            authorize::AwaitedKeys::Newer(issuer) => self.keys.refresh_early(issuer, now),
        };
        useful.then_some(deadline)
    }

    /// Takes the requests out of the queue whose wait is over.
    pub(super) fn take_ready(&mut self, now: Option<UnixTime>) -> Vec<Pending> {
        let (keys, exchanger) = (&self.keys, self.exchanger.as_ref());
        let released = self.waiting.take_ready(now, |awaited, left| {
            now.is_none_or(|now| {
                is_settled(awaited, keys, exchanger, now) || !comes(awaited, keys, left, now)
            })
        });
        for released in &released {
            self.metrics.waited(released.awaited, released.waited);
        }
        released.into_iter().map(Pending::from).collect()
    }

    /// Leaves requests that wait to another configuration, which judges them anew.
    pub(super) fn leave_waiting(self) -> Vec<Pending> {
        self.waiting.into_requests()
    }
}

/// Whether what is awaited has come, or failed to.
fn is_settled(
    awaited: Awaited,
    keys: &KeyStore,
    exchanger: Option<&Exchanger>,
    now: UnixTime,
) -> bool {
    match awaited {
        Awaited::Exchange(key) => exchanger.is_none_or(|exchanger| exchanger.is_settled(key, now)),
        Awaited::Keys(authorize::AwaitedKeys::First(issuer)) => keys.keys(issuer, now).is_some(),
        Awaited::Keys(authorize::AwaitedKeys::Newer(issuer)) => !keys.expects(issuer, now),
    }
}

/// Whether what is awaited may come within so much time.
fn comes(awaited: Awaited, keys: &KeyStore, within: Duration, now: UnixTime) -> bool {
    match awaited {
        Awaited::Keys(authorize::AwaitedKeys::First(issuer)) => {
            let due = keys.expected_by(issuer, now);
            due.is_some_and(|due| due.since(now) < within)
        }
        Awaited::Exchange(_) | Awaited::Keys(authorize::AwaitedKeys::Newer(_)) => true,
    }
}
