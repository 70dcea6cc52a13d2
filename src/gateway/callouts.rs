//! The callout engine: sends what is due, for keys, exchanges, the list of revoked tokens and the
//! collector of records, and takes what came of it.
//!
//! When a callout is due, and what its answer means, is the business of who wants it. Everything
//! between, from the cluster that is not there to the answer that never comes, is done here for
//! all.

use hashbrown::HashMap;

use crate::audit::otlp::{ExportFailure, Receipt, Shipment};
use crate::callout::CalloutRequest;
use crate::exchange::{ExchangeCallout, Exchanger, Failure};
use crate::issuer::IssuerIndex;
use crate::key_store::fetch::Fetched;
use crate::key_store::fetch::{Fetch, KeyAnswer};
use crate::time::UnixTime;
use crate::token::jwk_set;
use crate::withdrawn::list::{self, ListAnswer, Poll, Polled};

use super::active::Active;
use super::host::{CalloutId, Host};
use super::metrics::{Event, KeyEvent};

/// The callouts under way.
pub(super) type Callouts = HashMap<CalloutId, Purpose>;

/// What a callout is for, and what is needed to understand its answer.
pub(super) enum Purpose {
    /// An exchange of a token.
    Exchange(ExchangeCallout),
    /// An issuer's keys, or the way to them.
    Keys(Fetch),
    /// The list of revoked tokens.
    List(Poll),
    /// Records for the collector.
    Records(Shipment),
}

impl Purpose {
    const fn call(&self) -> &CalloutRequest {
        match self {
            Self::Exchange(callout) => &callout.call,
            Self::Keys(fetch) => &fetch.call,
            Self::List(poll) => &poll.call,
            Self::Records(shipment) => &shipment.call,
        }
    }

    /// The key of the configuration that names its cluster.
    const fn setting(&self) -> &'static str {
        match self {
            Self::Exchange(_) => "exchange.cluster",
            Self::Keys(_) => "jwks.cluster",
            Self::List(_) => "withdrawn.list.cluster",
            Self::Records(_) => "audit.otlp.cluster",
        }
    }
}

impl Active {
    /// Sends every callout that is due.
    pub(super) fn send_due(&mut self, host: &dyn Host, now: UnixTime) {
        self.consult(host, now);
        // No more than one fetch for each issuer: where the clock stands still after a failure,
        // another would be due for ever.
        for _ in 0..self.configuration.authorizer.issuers.len() {
            let Some(fetch) = self.keys.due(now) else {
                break;
            };
            self.send(Purpose::Keys(fetch), host, now);
        }
        if let Some(poll) = self.list.as_mut().and_then(|list| list.due(now)) {
            self.send(Purpose::List(poll), host, now);
        }
        let exporter = self.records.exporter.as_mut();
        if let Some(shipment) = exporter.and_then(|exporter| exporter.due(now)) {
            self.send(Purpose::Records(shipment), host, now);
        }
        while let Some(callout) = (self.exchanger.as_mut()).and_then(|exchanger| exchanger.due(now))
        {
            self.send(Purpose::Exchange(callout), host, now);
        }
    }

    fn send(&mut self, purpose: Purpose, host: &dyn Host, now: UnixTime) {
        if let Some(id) = host.send(purpose.call()) {
            self.callouts.insert(id, purpose);
            return;
        }
        let why = format!(
            "the gateway has no cluster `{}` with a host in it: check `{}`",
            purpose.call().cluster,
            purpose.setting()
        );
        if let Purpose::Keys(fetch) = &purpose {
            self.keys.on_unsent(fetch, now);
            self.metrics.count_keys(KeyEvent::Failed, fetch.issuer);
            self.warn(&purpose, &why);
            // Another worker may have a way to it.
            self.consult(host, now);
        } else {
            self.fail(&purpose, now);
            self.warn(&purpose, &why);
        }
    }

    /// Takes what came of a callout: an answer that lies with the host, or nothing.
    pub(super) fn take_answer(
        &mut self,
        id: CalloutId,
        is_answered: bool,
        host: &dyn Host,
        now: UnixTime,
    ) {
        let Some(purpose) = self.callouts.remove(&id) else {
            return;
        };
        if !is_answered {
            self.fail(&purpose, now);
            let call = purpose.call();
            let why = format!(
                "no answer from cluster `{}` within {} ms, or the connection was reset",
                call.cluster,
                call.timeout.as_millis()
            );
            return self.warn(&purpose, &why);
        }
        let read = match &purpose {
            Purpose::Exchange(callout) => self.take_exchange(callout, host, now),
            Purpose::Keys(fetch) => self.take_keys(fetch, host, now),
            Purpose::List(poll) => self.take_list(poll, host, now),
            Purpose::Records(shipment) => self.take_receipt(shipment, host, now),
        };
        if let Err(failure) = read {
            let uri = &purpose.call().uri;
            let path = uri.path().split('?').next().unwrap_or_default();
            self.warn(
                &purpose,
                &format!("`https://{}{path}`: {failure}", uri.authority()),
            );
        }
    }

    /// Takes the failure of a callout that had no answer.
    fn fail(&mut self, purpose: &Purpose, now: UnixTime) {
        match purpose {
            Purpose::Exchange(callout) => {
                self.metrics.count(Event::ExchangeFailed);
                if let Some(exchanger) = &mut self.exchanger {
                    exchanger.on_failure(callout, now);
                }
            }
            Purpose::Keys(fetch) => {
                self.keys.on_failure(fetch, now);
                self.metrics.count_keys(KeyEvent::Failed, fetch.issuer);
            }
            Purpose::List(poll) => {
                self.metrics.count(Event::ListFailed);
                if let Some(list) = &mut self.list {
                    list.on_failure(poll);
                }
            }
            Purpose::Records(shipment) => {
                self.metrics.count(Event::BatchFailed);
                if let Some(exporter) = &mut self.records.exporter {
                    exporter.on_failure(shipment, now);
                }
            }
        }
    }

    fn take_exchange(
        &mut self,
        callout: &ExchangeCallout,
        host: &dyn Host,
        now: UnixTime,
    ) -> Result<(), String> {
        let Some(exchanger) = &mut self.exchanger else {
            return Ok(());
        };
        let body = host.answer_body(enough(Exchanger::MAX_ANSWER_BYTES));
        let taken = exchanger.on_answer(callout, status(host), &body, now);
        self.metrics.count(match &taken {
            Ok(()) => Event::Exchanged,
            Err(Failure::Refused(..)) => Event::ExchangeRefused,
            Err(
                Failure::NoAnswer | Failure::Status(_) | Failure::GivenUp | Failure::Unusable(_),
            ) => Event::ExchangeFailed,
        });
        taken.map_err(|failure| failure.to_string())
    }

    fn take_keys(&mut self, fetch: &Fetch, host: &dyn Host, now: UnixTime) -> Result<(), String> {
        let [cache_control, age] = ["cache-control", "age"].map(|name| host.answer_header(name));
        let body = host.answer_body(enough(jwk_set::MAX_BYTES));
        let answer = KeyAnswer {
            status: status(host),
            cache_control: cache_control.as_deref(),
            age: age.as_deref(),
            body: &body,
        };
        match self.keys.on_answer(fetch, &answer, now) {
            Ok(Fetched::Address) => Ok(()),
            Ok(Fetched::Keys { admitted, ignored }) => {
                self.metrics.fetched(fetch.issuer, host, now);
                let issuer = self.issuer(fetch.issuer);
                log::info!("keys of `{issuer}`: {admitted} fetched");
                for reason in ignored.iter().take(MAX_IGNORED_LOGGED) {
                    log::info!("keys of `{issuer}`: one is not used: {reason}");
                }
                Ok(())
            }
            Err(failure) => {
                self.metrics.count_keys(KeyEvent::Failed, fetch.issuer);
                Err(failure.to_string())
            }
        }
    }

    fn take_list(&mut self, poll: &Poll, host: &dyn Host, now: UnixTime) -> Result<(), String> {
        let Some(list) = &mut self.list else {
            return Ok(());
        };
        let tag = host.answer_header("etag");
        let body = host.answer_body(enough(list::MAX_BYTES));
        let answer = ListAnswer {
            status: status(host),
            tag: tag.as_deref(),
            body: &body,
        };
        match list.on_answer(poll, &answer) {
            Ok(Polled::Unchanged) => {
                self.metrics.polled(None, host, now);
                Ok(())
            }
            Ok(Polled::New(entries)) => {
                self.metrics.polled(Some(entries), host, now);
                log::info!("withdrawn: a list of {entries} entries");
                Ok(())
            }
            Err(failure) => {
                self.metrics.count(Event::ListFailed);
                Err(failure.to_string())
            }
        }
    }

    fn take_receipt(
        &mut self,
        shipment: &Shipment,
        host: &dyn Host,
        now: UnixTime,
    ) -> Result<(), String> {
        let Some(exporter) = &mut self.records.exporter else {
            return Ok(());
        };
        let retry_after = host.answer_header("retry-after");
        let body = host.answer_body(MAX_RECEIPT_BYTES);
        let answer = Receipt {
            status: status(host),
            retry_after: retry_after.as_deref(),
            body: &body,
        };
        let taken = exporter.on_answer(shipment, &answer, now);
        self.metrics.count(match &taken {
            Ok(()) => Event::BatchSent,
            Err(ExportFailure::Partial(..) | ExportFailure::Refused(_)) => Event::BatchRejected,
            Err(ExportFailure::Later(_) | ExportFailure::GivenUp) => Event::BatchFailed,
        });
        taken.map_err(|failure| failure.to_string())
    }

    /// Says in the log what a callout failed of.
    fn warn(&self, purpose: &Purpose, why: &str) {
        match (purpose, &self.list) {
            (Purpose::Exchange(_), _) => log::warn!("exchange: {why}"),
            (Purpose::Keys(fetch), _) => {
                log::warn!("keys of `{}`: {why}", self.issuer(fetch.issuer));
            }
            (Purpose::Records(_), _) => {
                let exporter = self.records.exporter.as_ref();
                if exporter.is_some_and(|exporter| is_news(exporter.troubles())) {
                    log::warn!("audit.otlp: {why}");
                }
            }
            // Fewer and fewer times while it goes on: every second of an outage on every worker
            // would fill the log.
            (Purpose::List(_), Some(list)) if list.failures().is_power_of_two() => {
                let consequence = if list.is_known() {
                    "the last good one holds"
                } else {
                    "there was none yet, so tokens are judged without"
                };
                log::warn!("withdrawn: no new list, {consequence}: {why}");
            }
            (Purpose::List(_), _) => {}
        }
    }

    /// An issuer's identifier, for the log.
    pub(super) fn issuer(&self, index: IssuerIndex) -> &str {
        let issuers = &self.configuration.authorizer.issuers;
        issuers
            .get(index.0)
            .map_or("", |issuer| &*issuer.identifier)
    }
}

/// The status of the answer at hand; zero where it has none.
fn status(host: &dyn Host) -> u16 {
    host.answer_header(":status")
        .and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok())
        .unwrap_or(0)
}

/// Fewer and fewer times while it goes on.
const fn is_news(failures: u32) -> bool {
    failures == 0 || failures.is_power_of_two()
}

/// One byte more than may be there: enough to see that it is too long.
const fn enough(max_bytes: usize) -> usize {
    max_bytes.saturating_add(1)
}

/// A collector answers with a few bytes.
const MAX_RECEIPT_BYTES: usize = 4096;

/// Enough to see what is wrong with a set.
const MAX_IGNORED_LOGGED: usize = 8;
