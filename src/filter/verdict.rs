//! What a decision comes to: its record first, and then the answer, or what goes upstream.

use crate::answer::Answer;
use crate::audit::compact::Record;
use crate::authorize::{Decision, Identity, Permit, Verdict};
use crate::request::Headers;
use crate::request::envelope::{Asker, Envelope};
use crate::time::UnixTime;

use super::decision_id::DecisionId;
use super::host;
use super::waiting::Pending;
use super::worker::{Progress, Worker};

impl Worker {
    /// Writes the record and then does what it says. Where a form is still to be judged, the record waits for that.
    pub(super) fn act(
        &self,
        decision: &Decision<'_>,
        request: &Pending,
        authorization: Option<&str>,
        now: Option<UnixTime>,
    ) -> Progress {
        match (&decision.verdict, &request.form) {
            (Verdict::Allow(permit) | Verdict::Shadow(_, permit), form) => {
                let (decision_id, is_recorded) = match form {
                    Some(decision_id) => (*decision_id, true),
                    None => self.record(decision, request, now),
                };
                let is_prepared = is_recorded
                    && self.prepare(permit, &request.headers, decision_id)
                    && match (authorization, decision.authorization(&request.headers)) {
                        (Some(exchanged), _) => host::set_request_header(AUTHORIZATION, exchanged),
                        (None, Some(own)) => host::set_request_header(AUTHORIZATION, &own),
                        (None, None) => true,
                    };
                if is_prepared {
                    Progress::Permitted
                } else {
                    unprepared(Some(decision_id))
                }
            }
            (Verdict::Deny(_) | Verdict::Describe(_), _) => {
                let (decision_id, _) = self.record(decision, request, now);
                self.answer(decision, request, decision_id)
            }
        }
    }

    /// Writes the record of a decision; the decision's name, and whether the host took the record, without which nothing passes.
    pub(super) fn record(
        &self,
        decision: &Decision<'_>,
        request: &Pending,
        now: Option<UnixTime>,
    ) -> (DecisionId, bool) {
        let decision_id = request.form.unwrap_or_else(|| self.decision_ids.next());
        self.metrics.decided(decision);
        let mut is_recorded = true;
        if self.configuration.audit_log {
            let envelope = Envelope::of(&request.headers, request.source_ip.as_deref());
            let digest = &self.configuration.digest;
            let record = Record::new(decision, &envelope, decision_id.as_str(), now, digest);
            // One line's room for all records: they are written one after the other.
            let line = record.write_to(self.line.take());
            is_recorded = host::write_record(&line);
            self.line.set(line);
        }
        (decision_id, is_recorded)
    }

    /// Answers the request of the current context here, unless it is let through.
    pub(super) fn answer(
        &self,
        decision: &Decision<'_>,
        request: &Pending,
        decision_id: DecisionId,
    ) -> Progress {
        let answer = match &decision.verdict {
            Verdict::Allow(_) | Verdict::Shadow(..) => return Progress::Permitted,
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
        let roles = (!roles.is_empty()).then(|| roles.join(","));
        set("x-oam-issuer", Some(issuer))
            && set("x-oam-subject", subject.as_deref())
            && set("x-oam-client", client.as_deref())
            && set("x-oam-roles", roles.as_deref())
    }
}

/// Answers a request that the host does not let be recorded, or made what may go upstream; after this decision, where one is at hand.
pub(super) fn unprepared(decision_id: Option<DecisionId>) -> Progress {
    let decision = decision_id.map_or_else(String::new, |decision_id| {
        format!(" after decision {}", decision_id.as_str())
    });
    log::error!(
        "a request is refused{decision}, because the gateway does not let it be recorded, or its headers or trailers be read and changed: is that allowed by `capability_restriction_config`?"
    );
    host::reply_unable("This gateway could not prepare the request.");
    Progress::Answered
}

/// As requests carry it.
const AUTHORIZATION: &str = "authorization";
