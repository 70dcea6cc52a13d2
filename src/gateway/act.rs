//! Carries out a decision: the headers are edited, then the record is written, and then the
//! request goes on or is answered.
//!
//! In this order: while the host holds the request, nothing of it is on its way, whatever was done
//! to its headers. So the record says what became of it in the end.

use crate::answer::Answer;
use crate::audit::otlp::Exporter;
use crate::audit::record::{Record, Stamp, words};
use crate::authorize::{Bearer, Decision, Permit, Verdict};
use crate::denial::Denial;
use crate::request::envelope::{Envelope, Recipient};
use crate::request::{COOKIE, Headers, RequestError};
use crate::time::UnixTime;

use super::active::{Active, BUSY_TICK};
use super::decision_id::DecisionId;
use super::host::{HeaderEdits, Host};
use super::metrics::Event;
use super::pending::Pending;
use super::records::Written;
use super::step::Step;
use super::stream::Stage;

impl Active {
    /// Makes the request what may go upstream, writes the record, and says what comes next. Where a
    /// form is still to be judged, the record waits for that.
    pub(super) fn act(
        &mut self,
        decision: &mut Decision<'_>,
        request: &Pending,
        authorization: Option<&str>,
        host: &dyn Host,
        now: Option<UnixTime>,
    ) -> (Stage, Step) {
        let decision_id = request
            .decision_id
            .unwrap_or_else(|| self.decision_ids.next());
        if let Some(permit) = decision.permit() {
            let own = permit.authorization(&request.headers);
            let authorization = authorization.or(own.as_deref());
            let edits = self.edits(permit, &request.headers, &decision_id, authorization);
            let is_plain = edits.removed.is_empty() && edits.set.is_empty();
            if !is_plain && !host.edit_headers(&edits) {
                refuse_unprepared(decision, decision_id);
            } else if request.decision_id.is_some() {
                return (Stage::Permitted(decision_id), Step::Forward);
            }
        }
        self.record(decision, request, decision_id, host, now);
        self.step(decision, request, decision_id)
    }

    /// Writes the record of a decision. Where it would be missing the request is refused after all.
    pub(super) fn record(
        &mut self,
        decision: &mut Decision<'_>,
        request: &Pending,
        decision_id: DecisionId,
        host: &dyn Host,
        now: Option<UnixTime>,
    ) {
        let envelope = Envelope::of(&request.headers, request.source_ip.as_deref());
        let digest = &self.configuration.digest;
        let record = Record {
            decision,
            envelope: &envelope,
            stamp: Stamp {
                time: now,
                decision_id: decision_id.as_str(),
                worker: decision_id.worker(),
                sequence: self.records.next_sequence(),
                config: digest,
                inputs: self.configuration.records.inputs,
            },
        };
        let written = self.records.write(&record, host);
        match written {
            Written::Dropped | Written::Missing => self.metrics.count(Event::RecordDropped),
            Written::Kept => self.metrics.count(Event::RecordWritten),
            Written::Unwanted => {}
        }
        if written == Written::Missing {
            decision.refuse(Denial::RecordUnavailable);
        }
        if self.configuration.records.access_log {
            let (_, reason) = words(&decision.verdict);
            host.annotate("oam_decision_id", decision_id.as_str());
            host.annotate("oam_reason", reason);
        }
        self.metrics.decided(decision);
        let exporter = self.records.exporter.as_ref();
        if exporter.is_some_and(Exporter::is_pressing) {
            self.tick_within(BUSY_TICK, host);
        }
    }

    /// Refuses a request for its trailers: they cannot be read and cleaned, or hold something that
    /// must not go on.
    ///
    /// Where its headers have gone on, that was recorded under `recorded`; this record has the same
    /// ID and says how the request ended.
    pub(super) fn refuse_trailers(
        &mut self,
        request: &Pending,
        recorded: Option<DecisionId>,
        error: Option<RequestError>,
        host: &dyn Host,
        now: Option<UnixTime>,
    ) -> (Stage, Step) {
        let decision_id = recorded
            .or(request.decision_id)
            .unwrap_or_else(|| self.decision_ids.next());
        let configuration = std::rc::Rc::clone(&self.configuration);
        let authorizer = &configuration.authorizer;
        let mut decision = match error {
            Some(error) => authorizer.refuse_trailers(error),
            None => authorizer.unjudged(Denial::Unprepared),
        };
        if matches!(decision.verdict, Verdict::Deny(Denial::Unprepared)) {
            refuse_unprepared(&mut decision, decision_id);
        }
        self.record(&mut decision, request, decision_id, host, now);
        self.step(&decision, request, decision_id)
    }

    /// The step that a recorded decision requires.
    pub(super) fn step(
        &self,
        decision: &Decision<'_>,
        request: &Pending,
        decision_id: DecisionId,
    ) -> (Stage, Step) {
        let answer = match &decision.verdict {
            Verdict::Allow(_) | Verdict::Shadow(..) => {
                return (Stage::Permitted(decision_id), Step::Forward);
            }
            Verdict::Deny(denial) => {
                let recipient = Recipient::of(&request.headers);
                let resource = &self.configuration.resource;
                let id = decision_id.as_str();
                Answer::new(denial, &decision.evidence, &recipient, id, resource)
            }
            Verdict::Describe(metadata) => Answer::describing(metadata),
            Verdict::Introduce(introduction) => {
                let resource = &self.configuration.resource;
                Answer::introducing(introduction, resource, decision_id.as_str())
            }
            Verdict::Return(token) => Answer::returning(token),
        };
        (Stage::Answered, Step::reply(answer))
    }

    /// What a permitted request loses that its caller may not say, and what is added of who is
    /// calling.
    fn edits<'r>(
        &self,
        permit: &'r Permit,
        headers: &'r Headers,
        decision_id: &'r DecisionId,
        authorization: Option<&'r str>,
    ) -> HeaderEdits<'r> {
        let mut edits = HeaderEdits {
            removed: headers.to_remove(permit.kept()),
            set: Vec::new(),
        };
        match permit.cookies() {
            Some("") => edits.removed.push(COOKIE),
            Some(cookies) => edits.set.push((COOKIE, cookies)),
            None => {}
        }
        if self.configuration.forward_identity {
            edits.set.push(("x-oam-decision-id", decision_id.as_str()));
            edits
                .set
                .extend(permit.bearer().into_iter().flat_map(identified));
        }
        edits
            .set
            .extend(authorization.map(|text| (AUTHORIZATION, text)));
        edits
    }
}

/// The headers that name the caller to the upstream.
fn identified(bearer: &Bearer) -> impl Iterator<Item = (&'static str, &str)> {
    let token = bearer.token();
    [
        ("x-oam-issuer", Some(&*token.issuer)),
        ("x-oam-subject", token.subject.as_deref()),
        ("x-oam-client", token.client.as_deref()),
        ("x-oam-roles", bearer.roles()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

/// Refuses a request whose headers or trailers the host does not let be edited.
fn refuse_unprepared(decision: &mut Decision<'_>, decision_id: DecisionId) {
    log::error!(
        "a request is refused by decision {}, because the gateway does not let its headers or trailers be read and changed: is that allowed by `capability_restriction_config`?",
        decision_id.as_str()
    );
    decision.refuse(Denial::Unprepared);
}

/// As requests carry it.
const AUTHORIZATION: &str = "authorization";
