//! What serves a plugin's requests under an accepted configuration: keys, caches, the queue,
//! counts.

use std::cell::RefCell;
use std::hash::RandomState;
use std::rc::Rc;
use std::time::Duration;

use crate::audit::otlp::Exporter;
use crate::authorize::form::TokenRequest;
use crate::authorize::replay::{Replays, SeenProofs};
use crate::authorize::verified::VerifiedTokens;
use crate::authorize::{Authorizer, Decision, Verification};
use crate::config::Configuration;
use crate::denial::Denial;
use crate::exchange::{Exchanger, Refusal};
use crate::key_store::KeyStore;
use crate::request::form::{self, Form};
use crate::time::UnixTime;
use crate::time::clock::Timer;
use crate::token::signature::Verifier;
use crate::withdrawn::list::List;

use super::callouts::Callouts;
use super::decision_id::DecisionIds;
use super::exchange::{self, Onward};
use super::held_forms::{HeldForms, Ticket};
use super::host::Host;
use super::metrics::Metrics;
use super::pending::Pending;
use super::records::Records;
use super::step::Step;
use super::stream::Stage;
use super::waiting::{Awaited, Queue};
use super::{engine, sharing};

/// What serves under one configuration.
pub(super) struct Active {
    pub(super) configuration: Rc<Configuration>,
    pub(super) keys: KeyStore,
    /// Absent where no list of revoked tokens is polled.
    pub(super) list: Option<List>,
    verifier: Box<dyn Verifier>,
    verified: RefCell<VerifiedTokens>,
    proofs: RefCell<SeenProofs>,
    pub(super) exchanger: Option<Exchanger>,
    pub(super) callouts: Callouts,
    pub(super) waiting: Queue<Pending>,
    pub(super) held_forms: Rc<RefCell<HeldForms>>,
    pub(super) decision_ids: DecisionIds,
    pub(super) records: Records,
    pub(super) metrics: Metrics,
    tick_period: Duration,
}

impl Active {
    pub(super) fn new(mut configuration: Configuration, host: &dyn Host) -> Self {
        let issuers = &configuration.authorizer.issuers;
        let verifier = engine::start(issuers, host);
        let sources = std::mem::take(&mut configuration.key_sources);
        let mut keys = KeyStore::new(sources, host.seed());
        if sharing::is_safe(&configuration, host) {
            keys.share(host.seed());
        }
        let metrics = Metrics::new(&configuration, &keys, host);
        let list = configuration.withdrawal_list.take();
        Self {
            keys,
            list: list.map(|source| List::new(source, host.seed())),
            verifier,
            verified: RefCell::new(VerifiedTokens::new(
                configuration.verified,
                &RandomState::new(),
            )),
            proofs: RefCell::new(SeenProofs::new(RandomState::new())),
            exchanger: configuration.exchange.take().map(Exchanger::new),
            callouts: Callouts::default(),
            waiting: Queue::new(configuration.waiting.requests, configuration.waiting.time),
            held_forms: Rc::default(),
            decision_ids: DecisionIds::new(host.seed()),
            records: Records::new(&configuration.records, host),
            metrics,
            tick_period: Duration::ZERO,
            configuration: Rc::new(configuration),
        }
    }

    /// Judges a request whose headers have come; with its form, where one is announced.
    pub(super) fn judge(
        &mut self,
        request: Pending,
        has_body: bool,
        host: &dyn Host,
        now: Option<UnixTime>,
    ) -> (Stage, Step) {
        let ticket = Ticket {
            stream: request.stream,
            number: request.number,
        };
        let (headers, source_ip) = (&request.headers, request.source_ip.as_ref());
        let announced = match now {
            Some(now) if has_body => self.announced_form(ticket, headers, source_ip, now),
            Some(_) | None => None,
        };
        let Some((awaited, entered)) = announced else {
            return self.judge_headers(request, host, now);
        };
        if let Err(error) = entered {
            let request = awaited.with_form(request.stream, Some(Err(error)));
            return self.judge_form(request, host, now);
        }
        let request = Pending {
            decision_id: Some(awaited.decision_id),
            ..request
        };
        match self.judge_headers(request, host, now) {
            (Stage::Permitted(_), step) => (Stage::AwaitsForm(awaited), step),
            refused => refused,
        }
    }

    /// Judges a request by its headers, and says how far that went.
    pub(super) fn judge_headers(
        &mut self,
        request: Pending,
        host: &dyn Host,
        now: Option<UnixTime>,
    ) -> (Stage, Step) {
        let configuration = Rc::clone(&self.configuration);
        let authorizer = &configuration.authorizer;
        let Some(now) = now else {
            let mut decision = authorizer.unjudged(Denial::ClockUnavailable);
            return self.act(&mut decision, &request, None, host, now);
        };
        let mut decision = self.decide(authorizer, &request, host, now);
        if let Some(awaited) = decision.awaited
            && let Some(deadline) = self.may_wait_for_keys(&request, awaited, now)
        {
            return self.hold(request, Awaited::Keys(awaited), deadline, BUSY_TICK, host);
        }
        let mut authorization = None;
        if let Some(exchanger) = &mut self.exchanger {
            match exchange::onward(exchanger, &mut decision, &request.headers, now) {
                Onward::AsDecided => {}
                Onward::With(exchanged) => authorization = Some(exchanged),
                Onward::Waits(key) => {
                    let awaited = Awaited::Exchange(key);
                    if let Some(deadline) = self.may_wait(&request, awaited, now) {
                        return self.hold(request, awaited, deadline, SOON_TICK, host);
                    }
                    decision.refuse(Denial::Exchange(Refusal::Unavailable));
                }
            }
        }
        let authorization = authorization.as_deref();
        self.act(&mut decision, &request, authorization, host, Some(now))
    }

    /// Decides a request by its headers.
    fn decide<'a>(
        &self,
        authorizer: &'a Authorizer,
        request: &Pending,
        host: &dyn Host,
        now: UnixTime,
    ) -> Decision<'a> {
        let (number, headers) = (request.number, &request.headers);
        if let Some(exchanger) = &self.exchanger
            && request.decision_id.is_none()
            && form::goes_to_token_endpoint(headers)
        {
            // No body follows, which is a form without fields.
            let request = TokenRequest {
                headers,
                form: &Form::parse(headers, &[]),
                exchange: Some(exchanger.terms()),
            };
            return self.decide_form(authorizer, number, request, host, now);
        }
        if self.records.are_impossible() {
            // Before anything is requested on its behalf.
            return authorizer.unjudged(Denial::RecordUnavailable);
        }
        self.verifying(number, host, |by| authorizer.authorize(headers, by, now))
    }

    /// Decides a token request, by its headers and by its form.
    pub(super) fn decide_form<'a>(
        &self,
        authorizer: &'a Authorizer,
        number: u64,
        request: TokenRequest<'_>,
        host: &dyn Host,
        now: UnixTime,
    ) -> Decision<'a> {
        if self.records.are_impossible() {
            return authorizer.unjudged(Denial::RecordUnavailable);
        }
        self.verifying(number, host, |by| {
            let mut decision = authorizer.authorize(request.headers, by, now);
            authorizer.judge_form(&mut decision, request, by, now);
            decision
        })
    }

    /// Lends what tokens are verified with.
    fn verifying<T>(
        &self,
        number: u64,
        host: &dyn Host,
        decide: impl FnOnce(&Verification<'_>) -> T,
    ) -> T {
        decide(&Verification {
            keys: &self.keys,
            verifier: &*self.verifier,
            verified: Some(&self.verified),
            withdrawals: self.list.as_ref(),
            certificate: &|| host.peer_certificate(),
            encrypted: &|| host.is_encrypted(),
            replays: Some(Replays {
                seen: &self.proofs,
                request: number,
            }),
        })
    }

    /// Holds a request, and sees to it that a tick comes soon.
    pub(super) fn hold(
        &mut self,
        request: Pending,
        awaited: Awaited,
        deadline: Timer,
        tick: Duration,
        host: &dyn Host,
    ) -> (Stage, Step) {
        let (number, bytes) = (request.number, request.bytes());
        self.waiting.push(request, bytes, awaited, deadline);
        self.tick_within(tick, host);
        (Stage::Waits(number), Step::Hold)
    }

    /// Sees to it that the next tick is no further away than this.
    pub(super) fn tick_within(&mut self, period: Duration, host: &dyn Host) {
        // Never later: a tick that is put off with every request never comes.
        if self.tick_period.is_zero() || period < self.tick_period {
            self.tick_every(period, host);
        }
    }

    /// The moment at which something is to be fetched; `None` when nothing ever is.
    fn next_due(&self) -> Option<UnixTime> {
        let list = self.list.as_ref().map(List::next_due);
        let exporter = self.records.exporter.as_ref();
        let records = exporter.and_then(Exporter::next_due);
        self.keys
            .next_due()
            .into_iter()
            .chain(list)
            .chain(records)
            .min()
    }

    /// Asks the host for ticks as often as they are needed next.
    pub(super) fn tick_as_needed(&mut self, host: &dyn Host, now: Option<UnixTime>) {
        let sends = self.exchanger.as_ref().is_some_and(Exchanger::is_due);
        let is_late = now.is_some_and(|now| !self.held_forms.borrow().late(now).is_empty());
        let period = if sends || is_late || !self.waiting.is_empty() {
            BUSY_TICK
        } else {
            let next = self.next_due().zip(now);
            next.map_or(IDLE_TICK, |(due, now)| {
                due.since(now).clamp(BUSY_TICK, IDLE_TICK)
            })
        };
        self.tick_every(period, host);
    }

    /// Asks the host for ticks of this period, unless it ticks so already: Envoy starts its timer
    /// anew each time a tick is requested, so that a call with every request would put the next
    /// tick off for ever.
    fn tick_every(&mut self, period: Duration, host: &dyn Host) {
        if self.tick_period != period {
            self.tick_period = period;
            host.tick_every(period);
        }
    }

    /// Hands over what was counted since this was last called.
    pub(super) fn flush_metrics(&mut self, host: &dyn Host) {
        let verified = self.verified.get_mut();
        let (counts, fresh) = (verified.counts(), verified.take_fresh());
        if let Some(exporter) = &mut self.records.exporter {
            self.metrics.exported(exporter.take_tally());
        }
        self.metrics.flush(counts, &fresh, host);
    }
}

/// While something is awaited: as good as at once for a person, and nothing for a gateway.
pub(super) const BUSY_TICK: Duration = Duration::from_millis(10);

/// While something is to be sent, which goes out with the tick: a callout belongs to the context
/// that sends it, and a request's ends with its client.
const SOON_TICK: Duration = Duration::from_millis(1);

/// Otherwise: keys are due to the second.
const IDLE_TICK: Duration = Duration::from_secs(1);
