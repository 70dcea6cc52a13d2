//! Credentials that nothing here can verify: which of them go upstream all the same.

use crate::databricks::operation::Mark;
use crate::denial::{Denial, Forbidden};
use crate::issuer::invalid_token::InvalidToken;
use crate::policy::rule::Mode;
use crate::policy::workspace::WorkspaceError;
use crate::policy::{Applied, Governing, Readings};
use crate::request::RequestHead;
use crate::request::credential::{Credential, CredentialForm, CredentialKind, Unverifiable};
use crate::time::UnixTime;

use super::evidence::Evidence;
use super::permission::is_undescribed;
use super::{Authorizer, Permit, Verdict, web_socket};

impl Authorizer {
    /// Notes what the request carries. Where clients sign in it is judged by its class as it is
    /// elsewhere: nobody asks for a token there, and what nobody judged must not go upstream.
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
        let found = match credential {
            Credential::Unverifiable(found) => found,
            Credential::Oversized if signs_in => return Err(InvalidToken::Oversized.into()),
            Credential::Jwt(..) | Credential::None | Credential::Oversized => return Ok(()),
        };
        if let Some(token) = &found.token {
            evidence.fingerprint(self.fingerprints.of(token));
        }
        let belongs = is_client_authentication(found, governing);
        if kind.is_for_token_endpoints() && !belongs {
            evidence.leaked();
        }
        let is_admitted =
            || found.form != CredentialForm::Other && self.treatments.admit(kind, now);
        if !signs_in || belongs || is_admitted() {
            return Ok(());
        }
        Err(Denial::UnsupportedCredential(kind))
    }

    /// Judges a request that shows no token which could be verified; `is_self_service` where its
    /// sender asks who it is, which no other credential proves.
    pub(super) fn without_token<'a>(
        &'a self,
        (head, readings): (&RequestHead<'_>, &Readings<'_>),
        policy: &Applied<'a>,
        is_self_service: bool,
        now: UnixTime,
        evidence: &mut Evidence<'a>,
    ) -> Result<Verdict, Denial> {
        if !is_self_service {
            if let Credential::Unverifiable(found) = &head.credential {
                return self.observe((head, readings), policy, found, now, evidence);
            }
            // Without this rule nobody would have to authenticate.
            if let Some(rule) = policy.denying.filter(|_| policy.governing.is_public()) {
                evidence.rule(rule);
            }
        }
        Err(unidentified(&head.credential))
    }

    /// Lets a credential through that nothing here can verify, where its class is only observed.
    ///
    /// Nobody knows who sends it, so no scope can be required and no rule for an issuer's tokens
    /// applies. What is refused to everybody stays refused.
    fn observe<'a>(
        &'a self,
        (head, readings): (&RequestHead<'_>, &Readings<'_>),
        policy: &Applied<'a>,
        found: &Unverifiable,
        now: UnixTime,
        evidence: &mut Evidence<'a>,
    ) -> Result<Verdict, Denial> {
        let kind = found.kind;
        if found.form == CredentialForm::Other || !self.treatments.admit(kind, now) {
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
        if is_undescribed(policy) && enforced(Mode::Enforce) {
            return Err(Denial::Unidentified(kind, Forbidden::Unmatched));
        }
        evidence.shadowed();
        Ok(Verdict::Allow(Permit::observed(kind)))
    }
}

/// Whether a client shows a token endpoint its ID and secret, by Basic (RFC 6749 §2.3.1).
fn is_client_authentication(found: &Unverifiable, governing: &Governing<'_>) -> bool {
    let is_token_endpoint = match governing {
        Governing::Operation(operation) => operation.marks.has(Mark::MintsCredentials),
        Governing::Rules(_) | Governing::Ambiguous | Governing::Unmatched => false,
    };
    governing.is_public()
        && is_token_endpoint
        && found.form == CredentialForm::Basic
        && matches!(
            found.kind,
            CredentialKind::Basic | CredentialKind::OauthSecret
        )
}

/// Why a credential does not prove who sends it.
const fn unidentified(credential: &Credential<'_>) -> Denial {
    match credential {
        Credential::Jwt(..) | Credential::None => Denial::MissingCredentials,
        Credential::Oversized => Denial::InvalidToken(InvalidToken::Oversized),
        Credential::Unverifiable(found) => Denial::UnsupportedCredential(found.kind),
    }
}
