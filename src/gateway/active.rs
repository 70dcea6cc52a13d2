//! What the requests of one worker share: the configuration, the keys, and the requests that wait.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher as _, RandomState};
use std::rc::Rc;
use std::time::Duration;

use crate::authorize::form::TokenRequest;
use crate::authorize::replay::{Replays, SeenProofs};
use crate::authorize::verified::VerifiedTokens;
use crate::authorize::{self, Decision, Verification};
use crate::config::Configuration;
use crate::denial::Denial;
use crate::exchange::{Exchanger, Refusal};
use crate::gateway::waiting::{Awaited, Queue};
use crate::key_store::{IssuerIndex, KeyStore};
use crate::request::Headers;
use crate::request::form::room::{Room, Ticket};
use crate::time::UnixTime;
use crate::time::clock::Timer;
use crate::withdrawn::list::List;

use super::decision_id::{DecisionId, DecisionIds};
use super::engine::{self, Engine};
use super::exchange::{self, Onward};
use super::form::Announced;
use super::metrics::{Event, Metrics};
use super::records::Records;
use super::waiting::Pending;
use super::{contexts, host, shared};

/// One worker's state.
pub(super) struct Worker {
    pub(super) configuration: Configuration,
    pub(super) keys: RefCell<KeyStore>,
    /// Absent where none is polled.
    pub(super) withdrawals: Option<RefCell<List>>,
    engine: Engine,
    verified: RefCell<VerifiedTokens>,
    proofs: RefCell<SeenProofs>,
    exchanger: Option<RefCell<Exchanger>>,
    waiting: RefCell<Queue<Pending>>,
    pub(super) decision_ids: DecisionIds,
    /// What is held of token requests.
    pub(super) forms: Rc<RefCell<Room>>,
    tick_period: Cell<Duration>,
    pub(super) records: Records,
    pub(super) metrics: Metrics,
}

/// How far the judgement of a request has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    /// It was answered here.
    Answered,
    /// It goes upstream, by this decision.
    Permitted(DecisionId),
    /// It is not judged yet.
    Undecided,
    /// It was, and waits for what the judgement lacked; under its own number.
    Waits(u64),
}

impl Progress {
    /// Whether it goes upstream.
    pub(super) const fn is_permitted(self) -> bool {
        match self {
            Self::Permitted(_) => true,
            Self::Answered | Self::Undecided | Self::Waits(_) => false,
        }
    }
}

impl Worker {
    pub(super) fn new(mut configuration: Configuration) -> Self {
        let sources = std::mem::take(&mut configuration.key_sources);
        let random = RandomState::new();
        let exchanger = configuration.exchange.take().map(Exchanger::new);
        let issuers = configuration.authorizer.issuers.len();
        let queue = Queue::new(configuration.waiting.requests, configuration.waiting.time);
        let withdrawals = configuration.withdrawal_list.take();
        let withdrawals =
            withdrawals.map(|source| RefCell::new(List::new(source, random.hash_one(2_u8))));
        let engine = engine::prove(&configuration.authorizer.issuers);
        let verified = VerifiedTokens::new(configuration.verified, &RandomState::new());
        let records = Records::new(configuration.host_log);
        let mut keys = KeyStore::new(sources, random.hash_one(0_u8));
        if shared::may_be_trusted(&configuration) {
            keys.share(random.hash_one(3_u8));
        }
        Self {
            configuration,
            withdrawals,
            engine,
            verified: RefCell::new(verified),
            proofs: RefCell::new(SeenProofs::new(RandomState::new())),
            keys: RefCell::new(keys),
            exchanger: exchanger.map(RefCell::new),
            waiting: RefCell::new(queue),
            decision_ids: DecisionIds::new(random.hash_one(1_u8)),
            forms: Rc::default(),
            tick_period: Cell::new(Duration::ZERO),
            records,
            metrics: Metrics::new(issuers),
        }
    }

    /// What exchanges callers' tokens, where that is configured.
    pub(super) const fn exchanger(&self) -> Option<&RefCell<Exchanger>> {
        self.exchanger.as_ref()
    }

    /// How many issuers there are.
    pub(super) fn issuers(&self) -> usize {
        self.configuration.authorizer.issuers.len()
    }

    /// Asks the host for ticks of this period, unless it ticks so already: Envoy starts its timer anew each time it is asked, so asking
    /// with every request would put the next tick off for ever.
    pub(super) fn tick_every(&self, period: Duration) {
        if self.tick_period.replace(period) != period {
            host::set_tick_period(period);
        }
    }

    /// The moment at which something is to be fetched; `None` when nothing ever is.
    pub(super) fn next_due(&self) -> Option<UnixTime> {
        let list = self.withdrawals.as_ref();
        let list = list.map(|list| list.borrow().next_due());
        self.keys.borrow().next_due().into_iter().chain(list).min()
    }

    /// An issuer's identifier, for the log.
    pub(super) fn issuer(&self, index: IssuerIndex) -> &str {
        self.configuration
            .authorizer
            .issuers
            .get(index.0)
            .map_or("", |issuer| &*issuer.identifier)
    }

    /// Judges a request of the current context: acts on the verdict, or keeps the request until what it lacks has come.
    ///
    /// Yields the form too that it goes on with, if [`Worker::judge_form`] lets that; and of a head behind which something else may come,
    /// what is quoted of it.
    pub(super) fn judge(
        &self,
        context_id: u32,
        has_body: bool,
    ) -> (Progress, Option<Box<Announced>>, Headers) {
        let number = contexts::next_number();
        let headers = host::request_headers();
        let (source_ip, now) = (host::source_ip(), host::now());
        let announced = if has_body {
            let ticket = Ticket { context_id, number };
            self.announced(ticket, &headers, source_ip.as_ref(), now)
        } else {
            None
        };
        let announced = match announced {
            Some((form, Err(error))) => {
                let progress = self.judge_form(*form, context_id, Err(error));
                return (progress, None, Headers::default());
            }
            Some((form, Ok(()))) => Some(form),
            None => None,
        };
        let quoted = if has_body && announced.is_none() {
            headers.quoted()
        } else {
            Headers::default()
        };
        let request = Pending {
            context_id,
            number,
            headers,
            source_ip,
            deadline: None,
            form: announced.as_ref().map(|form| form.decision_id),
            arrived: None,
        };
        let progress = self.consider(request, now);
        let announced = announced.filter(|_| progress.is_permitted());
        (progress, announced, quoted)
    }

    /// Judges a request, and says how far that went.
    fn consider(&self, request: Pending, now: Option<UnixTime>) -> Progress {
        let Some(now) = now else {
            let authorizer = &self.configuration.authorizer;
            let mut decision = authorizer.unjudged(Denial::ClockUnavailable);
            return self.act(&mut decision, &request, None, now);
        };
        let mut decision = self.decide(request.number, &request.headers, now);
        if let Some(awaited) = decision.awaited
            && let Some(deadline) = self.may_wait_for_keys(&request, awaited, now)
        {
            return self.hold(request, Awaited::Keys(awaited), deadline, BUSY_TICK);
        }
        let mut authorization = None;
        if let Some(exchanger) = &self.exchanger {
            match exchange::onward(exchanger, &mut decision, &request.headers, now) {
                Onward::AsDecided => {}
                Onward::With(exchanged) => authorization = Some(exchanged),
                Onward::Waits(key) => {
                    let awaited = Awaited::Exchange(key);
                    if let Some(deadline) = self.may_wait(&request, awaited, now) {
                        return self.hold(request, awaited, deadline, SOON_TICK);
                    }
                    decision.refuse(Denial::Exchange(Refusal::Unavailable));
                }
            }
        }
        self.act(&mut decision, &request, authorization.as_deref(), Some(now))
    }

    fn decide(&self, number: u64, headers: &Headers, now: UnixTime) -> Decision<'_> {
        let authorizer = &self.configuration.authorizer;
        if self.records.are_impossible() {
            // Before anything is asked for on its behalf.
            return authorizer.unjudged(Denial::RecordUnavailable);
        }
        self.verifying(number, |by| authorizer.authorize(headers, by, now))
    }

    /// Decides a token request, by its head and by its form.
    pub(super) fn decide_form(
        &self,
        number: u64,
        request: TokenRequest<'_>,
        now: UnixTime,
    ) -> Decision<'_> {
        let authorizer = &self.configuration.authorizer;
        if self.records.are_impossible() {
            return authorizer.unjudged(Denial::RecordUnavailable);
        }
        self.verifying(number, |by| {
            let mut decision = authorizer.authorize(request.headers, by, now);
            authorizer.judge_form(&mut decision, request, by, now);
            decision
        })
    }

    /// Lends what tokens are verified with.
    fn verifying<T>(&self, number: u64, decide: impl FnOnce(&Verification<'_>) -> T) -> T {
        let withdrawals = self.withdrawals.as_ref().map(RefCell::borrow);
        decide(&Verification {
            keys: &self.keys.borrow(),
            verifier: &self.engine,
            verified: Some(&self.verified),
            withdrawals: withdrawals.as_deref(),
            certificate: &host::peer_certificate,
            encrypted: &host::is_encrypted,
            replays: Some(Replays {
                seen: &self.proofs,
                request: number,
            }),
        })
    }

    /// Keeps a request, and sees to it that a tick comes soon.
    pub(super) fn hold(
        &self,
        request: Pending,
        awaited: Awaited,
        deadline: Timer,
        tick: Duration,
    ) -> Progress {
        let (number, bytes) = (request.number, request.bytes());
        let push = |queue: &mut Queue<Pending>| queue.push(request, bytes, awaited, deadline);
        // Given back before the host is called.
        push(&mut self.waiting.borrow_mut());
        self.metrics.count(Event::Waited);
        let period = self.tick_period.get();
        // Never later: a tick that is put off with every request never comes.
        if period.is_zero() || tick < period {
            self.tick_every(tick);
        }
        Progress::Waits(number)
    }

    /// For how long a request may wait; `None` where there is no room, or its time is over.
    fn may_wait(&self, request: &Pending, awaited: Awaited, now: UnixTime) -> Option<Timer> {
        // A host that brings bodies to heads that it holds would not bring a form a second time. A
        // whole form waits as its head would.
        let form = request.arrived.as_ref();
        if request.form.is_some() && form.is_none_or(|form| form.body().is_err()) {
            return None;
        }
        let (deadline, bytes) = (request.deadline, request.bytes());
        let mut waiting = self.waiting.borrow_mut();
        waiting.may_wait(deadline, bytes, awaited, now)
    }

    /// For how long a request may wait for keys; `None` where it may not, or where waiting is of no use.
    pub(super) fn may_wait_for_keys(
        &self,
        request: &Pending,
        awaited: authorize::Awaited,
        now: UnixTime,
    ) -> Option<Timer> {
        // Once: what came has been judged by, and a key ID that is still unknown stays so.
        if request.deadline.is_some() {
            return None;
        }
        let deadline = self.may_wait(request, Awaited::Keys(awaited), now)?;
        let mut keys = self.keys.borrow_mut();
        let useful = match awaited {
            authorize::Awaited::First(issuer) => keys
                .expected_by(issuer, now)
                .is_some_and(|due| due.since(now) < self.configuration.waiting.time),
            authorize::Awaited::Newer(issuer) => keys.refresh_early(issuer, now),
        };
        useful.then_some(deadline)
    }

    /// Judges again the requests whose wait is over, and acts on the verdicts.
    pub(super) fn settle(&self, root_context_id: u32, now: Option<UnixTime>) {
        let ready = self.take_ready(now);
        if ready.is_empty() {
            return;
        }
        for request in ready {
            let context_id = request.context_id;
            let before = Progress::Waits(request.number);
            // The client may be gone, and its context with it.
            if !contexts::is_at(context_id, before) || !host::become_context(context_id) {
                continue;
            }
            let progress = if request.arrived.is_some() {
                self.consider_form(request, now)
            } else {
                self.consider(request, now)
            };
            let is_told = contexts::settle(context_id, before, progress);
            if is_told && progress.is_permitted() {
                host::resume_request();
            }
        }
        host::become_context(root_context_id);
    }

    fn take_ready(&self, now: Option<UnixTime>) -> Vec<Pending> {
        let is_over = |awaited, left| {
            now.is_none_or(|now| self.is_settled(awaited, now) || !self.comes(awaited, left, now))
        };
        let released = self.waiting.borrow_mut().take_ready(now, is_over);
        released.into_iter().map(Pending::from).collect()
    }

    /// Whether what is awaited has come, or failed to.
    fn is_settled(&self, awaited: Awaited, now: UnixTime) -> bool {
        match awaited {
            Awaited::Exchange(key) => self
                .exchanger
                .as_ref()
                .is_none_or(|exchanger| exchanger.borrow().is_settled(key, now)),
            Awaited::Keys(authorize::Awaited::First(issuer)) => {
                self.keys.borrow().keys(issuer, now).is_some()
            }
            Awaited::Keys(authorize::Awaited::Newer(issuer)) => {
                !self.keys.borrow().expects(issuer, now)
            }
        }
    }

    /// Whether what is awaited may come within so much time.
    fn comes(&self, awaited: Awaited, within: Duration, now: UnixTime) -> bool {
        match awaited {
            Awaited::Keys(authorize::Awaited::First(issuer)) => {
                let due = self.keys.borrow().expected_by(issuer, now);
                due.is_some_and(|due| due.since(now) < within)
            }
            Awaited::Exchange(_) | Awaited::Keys(authorize::Awaited::Newer(_)) => true,
        }
    }

    /// Forgets a request whose client is gone.
    pub(super) fn forget(&self, number: u64) {
        let is_gone = |request: &Pending| request.number == number;
        self.waiting.borrow_mut().forget(is_gone);
    }

    /// How soon to be called again.
    pub(super) fn tick_period(&self, now: Option<UnixTime>) -> Duration {
        let sends = self
            .exchanger
            .as_ref()
            .is_some_and(|exchanger| exchanger.borrow().is_due());
        if sends || !self.waiting.borrow().is_empty() || self.has_late_forms(now) {
            return BUSY_TICK;
        }
        let next = self.next_due().zip(now);
        next.map_or(IDLE_TICK, |(due, now)| {
            due.since(now).clamp(BUSY_TICK, IDLE_TICK)
        })
    }

    /// Hands over what was counted since the tick before.
    pub(super) fn flush_metrics(&self) {
        let (counts, fresh) = {
            let mut verified = self.verified.borrow_mut();
            (verified.counts(), verified.take_fresh())
        };
        self.metrics.flush(counts, &fresh);
    }
}

/// While something is awaited: as good as at once for a person, and nothing for a gateway.
pub(super) const BUSY_TICK: Duration = Duration::from_millis(10);

/// While something is to be sent, which goes out with the tick: a call belongs to the context that makes it, and a request's ends with its
/// client.
const SOON_TICK: Duration = Duration::from_millis(1);

/// Otherwise: keys are due to the second.
pub(super) const IDLE_TICK: Duration = Duration::from_secs(1);
