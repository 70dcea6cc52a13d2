//! What a decision comes to: what may go upstream is made ready, then comes the record, and then the request goes on or is answered.

use crate::answer::Answer;
use crate::audit::compact::Record;
use crate::authorize::{Decision, Identity, Permit, Verdict};
use crate::denial::Denial;
use crate::request::envelope::{Asker, Envelope};
use crate::request::{Headers, RequestError};
use crate::time::UnixTime;

use super::decision_id::DecisionId;
use super::host;
use super::metrics::Event;
use super::records::Written;
use super::waiting::Pending;
use super::worker::{Progress, Worker};

impl Worker {
    /// Makes the request what may go upstream, writes the record, and does what that says. Where a form is still to be judged, the record
    /// waits for that.
    ///
    /// In this order: while the host holds the request, nothing of it is on its way, whatever was done to its headers. So the record says
    /// what became of it in the end.
    pub(super) fn act(
        &self,
        decision: &mut Decision<'_>,
        request: &Pending,
        authorization: Option<&str>,
        now: Option<UnixTime>,
    ) -> Progress {
        let decision_id = request.form.unwrap_or_else(|| self.decision_ids.next());
        if let Verdict::Allow(permit) | Verdict::Shadow(_, permit) = &decision.verdict {
            let headers = &request.headers;
            let own = decision.authorization(headers);
            let authorization = authorization.or(own.as_deref());
            let is_prepared = self.prepare(permit, headers, decision_id)
                && authorization.is_none_or(|text| host::set_request_header(AUTHORIZATION, text));
            if !is_prepared {
                refuse_unprepared(decision, decision_id);
            } else if request.form.is_some() {
                return Progress::Permitted(decision_id);
            }
        }
        self.record(decision, request, decision_id, now);
        self.answer(decision, request, decision_id)
    }

    /// Writes the record of a decision. Where it would be missing the request is refused after all.
    pub(super) fn record(
        &self,
        decision: &mut Decision<'_>,
        request: &Pending,
        decision_id: DecisionId,
        now: Option<UnixTime>,
    ) {
        let envelope = Envelope::of(&request.headers, request.source_ip.as_deref());
        let digest = &self.configuration.digest;
        let record = Record::new(decision, &envelope, decision_id.as_str(), now, digest);
        let written = self.records.write(&record);
        if matches!(written, Written::Dropped | Written::Missing) {
            self.metrics.count(Event::RecordDropped);
        }
        if written == Written::Missing {
            decision.refuse(Denial::RecordUnavailable);
        }
        self.metrics.decided(decision);
    }

    /// Refuses a request for its trailers: the host does not let them be read and cleaned, or something stands in them that must not go on.
    /// Where its head has gone on, that was recorded as it was, under `recorded`; this record has the same name and says how it ended.
    pub(super) fn refuse_trailers(
        &self,
        request: &Pending,
        recorded: Option<DecisionId>,
        error: Option<RequestError>,
    ) -> Progress {
        let named = recorded.or(request.form);
        let decision_id = named.unwrap_or_else(|| self.decision_ids.next());
        let authorizer = &self.configuration.authorizer;
        let mut decision = match error {
            Some(error) => authorizer.refuse_trailers(error),
            None => authorizer.unjudged(Denial::Unprepared),
        };
        if matches!(decision.verdict, Verdict::Deny(Denial::Unprepared)) {
            refuse_unprepared(&mut decision, decision_id);
        }
        self.record(&mut decision, request, decision_id, host::now());
        self.answer(&decision, request, decision_id)
    }

    /// Answers the request of the current context here, unless it is let through.
    pub(super) fn answer(
        &self,
        decision: &Decision<'_>,
        request: &Pending,
        decision_id: DecisionId,
    ) -> Progress {
        let answer = match &decision.verdict {
            Verdict::Allow(_) | Verdict::Shadow(..) => return Progress::Permitted(decision_id),
            Verdict::Deny(denial) => {
                let asker = Asker::of(&request.headers);
                let resource = &self.configuration.resource;
                Answer::new(
                    denial,
                    &decision.evidence,
                    &asker,
                    decision_id.as_str(),
                    resource,
                )
            }
            Verdict::Describe(metadata) => Answer::describing(metadata),
            Verdict::Return(token) => Answer::returning(token),
        };
        match answer.grpc_status {
            Some(status) => host::reply_grpc(status, &answer.headers, &answer.body),
            None => host::reply(answer.status, &answer.headers, &answer.body),
        }
        Progress::Answered
    }

    /// Takes from the request what the caller may not say, and adds who is calling. `false` where the host did not let all of that be done.
    fn prepare(&self, permit: &Permit, headers: &Headers, decision_id: DecisionId) -> bool {
        let mut removed = headers.to_remove(permit.kept()).into_iter();
        if !removed.all(host::remove_request_header) {
            return false;
        }
        if !self.configuration.forward_identity {
            return true;
        }
        let set = |name, value: Option<&str>| {
            value.is_none_or(|value| host::set_request_header(name, value))
        };
        if !set("x-oam-decision-id", Some(decision_id.as_str())) {
            return false;
        }
        let Permit::Bearer(Identity {
            subject,
            client,
            issuer,
            roles,
        }) = permit
        else {
            return true;
        };
        set("x-oam-issuer", Some(issuer))
            && set("x-oam-subject", subject.as_deref())
            && set("x-oam-client", client.as_deref())
            && set("x-oam-roles", roles.as_deref())
    }
}

/// Refuses a request that the host does not let be made what may go upstream.
fn refuse_unprepared(decision: &mut Decision<'_>, decision_id: DecisionId) {
    log::error!(
        "a request is refused by decision {}, because the gateway does not let its headers or trailers be read and changed: is that allowed by `capability_restriction_config`?",
        decision_id.as_str()
    );
    decision.refuse(Denial::Unprepared);
}

/// As requests carry it.
const AUTHORIZATION: &str = "authorization";
