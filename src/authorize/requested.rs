//! What is requested, and what the policy says of it whoever sends it.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::policy::{Applied, Policy, Readings};
use crate::request::envelope;
use crate::request::mcp::{Call, Tool};
use crate::request::{Headers, RequestError, RequestHead};

use super::Authorizer;
use super::evidence::{Evidence, RequestedOperation};
use super::judged::Judged;

impl Authorizer {
    /// Refuses a token of a configured issuer that stands beside the credential of the request, by
    /// these issuers: whoever took it there would take what nobody verified.
    pub(super) fn refuse_second_tokens(&self, issuers: &[Box<str>]) -> Result<(), RequestError> {
        if issuers.iter().any(|issuer| self.trusts(issuer)) {
            return Err(RequestError::SecondToken);
        }
        Ok(())
    }

    /// Whether an issuer is one of the configured ones.
    pub(super) fn trusts(&self, issuer: &str) -> bool {
        self.issuers
            .iter()
            .any(|known| *known.identifier == *issuer)
    }

    /// What the policy says of a request by the rules for an issuer, or for nobody known, and
    /// notes that; of one that came before, what it said then.
    pub(super) fn requested<'a, 'h>(
        &'a self,
        request: &Judged<'h>,
        head: &RequestHead<'h>,
        decoded: &'h OnceCell<String>,
        issuer: Option<&Rc<str>>,
        evidence: &mut Evidence<'a>,
    ) -> (Readings<'h>, Applied<'a>) {
        let (call, path) = (self.call(head, request.headers, decoded), head.path);
        let remembered = request
            .by
            .verified
            .filter(|_| Policy::may_be_said_again(call, &path));
        if let Some(remembered) = remembered
            && let remembered = remembered.borrow()
            && let Some(rulings) = remembered.rulings()
            && let Some((ruling, written)) = rulings.find(call.method, path.as_str(), issuer)
        {
            let (readings, applied) = self.policy.rule(ruling, call, path);
            evidence.governing(&applied.governing, applied.requirements.as_ref());
            evidence.written_operation(written);
            return (readings, applied);
        }
        let readings = self.policy.readings(call, path);
        let applied = self.policy.apply(&readings, issuer.map(|issuer| &**issuer));
        evidence.governing(&applied.governing, applied.requirements.as_ref());
        if let Some(remembered) = remembered
            && let Some(rulings) = remembered.borrow_mut().rulings_mut()
        {
            let (method, path) = (call.method, path.as_str());
            let operation = || RequestedOperation {
                method,
                path,
                operation: evidence.operation,
                requirements: &evidence.requirements,
            };
            let written =
                || envelope::quotes_both_whole(method, path).then(|| operation().written());
            let said = || (self.policy.ruling(&readings, &applied), written());
            rulings.note(method, path, issuer, said);
        }
        (readings, applied)
    }

    /// What is called. Headers of MCP are looked at where a rule is about them.
    pub(super) fn call<'h>(
        &self,
        head: &RequestHead<'h>,
        headers: &'h Headers,
        decoded: &'h OnceCell<String>,
    ) -> Call<'h> {
        let tool = if self.policy.rules.depends_on_tools() {
            Tool::read(headers, decoded)
        } else {
            Tool::Unknown
        };
        Call {
            method: head.method,
            tool,
        }
    }
}
