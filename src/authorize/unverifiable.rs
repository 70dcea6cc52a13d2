//! Credentials that nothing here can verify: which of them go upstream all the same.

use crate::denial::{Denial, Forbidden};
use crate::policy::rule::Mode;
use crate::policy::workspace::WorkspaceError;
use crate::policy::{Applied, Governing, Readings};
use crate::request::RequestHead;
use crate::request::credential::{Credential, CredentialKind, Form, Unverifiable};
use crate::time::UnixTime;

use super::evidence::Evidence;
use super::{Authorizer, Permit, Verdict, web_socket};

impl Authorizer {
    /// Notes what the request carries, and refuses what even a sign-in page has no use for.
    pub(super) fn classify(
        &self,
        credential: &Credential<'_>,
        governing: &Governing<'_>,
        now: UnixTime,
        evidence: &mut Evidence<'_>,
    ) -> Result<(), Denial> {
        let kind = credential.kind();
        let signs_in = matches!(governing, Governing::Operation(_)) && governing.is_public();
        evidence.credential(kind);
        if let Credential::Jwt(_, scheme) = credential {
            evidence.scheme(*scheme);
        }
        let Credential::Unverifiable(found) = credential else {
            return Ok(());
        };
        if let Some(token) = &found.token {
            evidence.fingerprint(self.fingerprints.of(token));
        }
        // Clients show a token endpoint their ID and secret by Basic (RFC 6749 §2.3.1).
        let belongs = signs_in && found.form == Form::Basic && kind == CredentialKind::OauthSecret;
        if kind.is_for_token_endpoints() && !belongs {
            evidence.leaked();
        }
        if !signs_in || found.token.is_none() || belongs || self.treatments.admit(kind, now) {
            return Ok(());
        }
        Err(Denial::UnsupportedCredential(kind))
    }

    /// Lets a credential through that nothing here can verify, where its class is only observed.
    ///
    /// Nobody knows who sends it, so no scope can be asked for and no rule for an issuer's tokens applies. What is refused to everybody
    /// stays refused.
    pub(super) fn observe<'a>(
        &'a self,
        (head, readings): (&RequestHead<'_>, &Readings<'_>),
        policy: &Applied<'a>,
        found: &Unverifiable<'_>,
        now: UnixTime,
        evidence: &mut Evidence<'a>,
    ) -> Result<Verdict, Denial> {
        let kind = found.kind;
        if found.form == Form::Other || !self.treatments.admit(kind, now) {
            return Err(Denial::UnsupportedCredential(kind));
        }
        if matches!(policy.governing, Governing::Ambiguous) {
            return Err(Denial::AmbiguousPath);
        }
        web_socket::check(head, readings, policy)?;
        let enforced = |mode: Mode| mode == Mode::Enforce && self.policy.mode == Mode::Enforce;
        match self.workspace(head) {
            Ok(workspace) => evidence.workspace(workspace),
            Err(WorkspaceError::Unknown) if enforced(Mode::Enforce) => {
                return Err(Denial::Unidentified(kind, Forbidden::UnknownWorkspace));
            }
            Err(WorkspaceError::Unknown) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(rule) = policy.denying {
            evidence.rule(rule);
            if enforced(rule.mode) {
                return Err(Denial::Unidentified(kind, Forbidden::ByRule));
            }
        }
        evidence.shadowed();
        Ok(Verdict::Allow(Permit::Observed(kind)))
    }
}
