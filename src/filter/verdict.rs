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
        now: UnixTime,
    ) -> Progress {
        match (&decision.verdict, &request.form) {
            (Verdict::Allow(permit) | Verdict::Shadow(_, permit), form) => {
                let decision_id = match form {
                    Some(decision_id) => *decision_id,
                    None => self.record(decision, request, now),
                };
                self.prepare(permit, &request.headers, decision_id);
                if let Some(authorization) = authorization {
                    host::set_request_header("authorization", authorization);
                } else if let Some(authorization) = decision.authorization(&request.headers) {
                    host::set_request_header("authorization", &authorization);
                }
                Progress::Permitted
            }
            (Verdict::Deny(_) | Verdict::Describe(_), _) => {
                let decision_id = self.record(decision, request, now);
                self.answer(decision, request, decision_id)
            }
        }
    }

    /// Writes the record of a decision; the decision's name.
    pub(super) fn record(
        &self,
        decision: &Decision<'_>,
        request: &Pending,
        now: UnixTime,
    ) -> DecisionId {
        let decision_id = request.form.unwrap_or_else(|| self.decision_ids.next());
        self.metrics.decided(decision);
        if self.configuration.audit_log {
            let envelope = Envelope::of(&request.headers, request.source_ip.as_deref());
            let digest = &self.configuration.digest;
            let record = Record::new(decision, &envelope, decision_id.as_str(), now, digest);
            // One line's room for all records: they are written one after the other.
            let line = record.write_to(self.line.take());
            host::write_record(&line);
            self.line.set(line);
        }
        decision_id
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

    /// Takes from the request what the caller may not say, and adds who is calling.
    fn prepare(&self, permit: &Permit, headers: &Headers, decision_id: DecisionId) {
        for name in headers.to_remove(permit.kept()) {
            host::remove_request_header(name);
        }
        if !self.configuration.forward_identity {
            return;
        }
        host::set_request_header("x-oam-decision-id", decision_id.as_str());
        let Permit::Bearer(Identity {
            subject,
            client,
            issuer,
            roles,
        }) = permit
        else {
            return;
        };
        host::set_request_header("x-oam-issuer", issuer);
        if let Some(subject) = subject {
            host::set_request_header("x-oam-subject", subject);
        }
        if let Some(client) = client {
            host::set_request_header("x-oam-client", client);
        }
        if !roles.is_empty() {
            host::set_request_header("x-oam-roles", &roles.join(","));
        }
    }
}
