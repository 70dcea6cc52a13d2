//! The form of a token request, judged once it has come: which credentials a token endpoint may be shown.

use crate::denial::Denial;
use crate::request::RequestError;
use crate::request::credential::CredentialKind;
use crate::request::form::{Form, FormError};
use crate::time::UnixTime;

use super::{Authorizer, Decision, Permit, Verdict};

impl Authorizer {
    /// Judges the form behind a head that was let through. A head that was refused stays refused.
    pub fn judge_form(
        &self,
        decision: &mut Decision<'_>,
        form: &Result<Form<'_>, FormError>,
        now: UnixTime,
    ) {
        if matches!(decision.verdict, Verdict::Deny(_) | Verdict::Describe(_)) {
            return;
        }
        let form = match form {
            Ok(form) => form,
            Err(error) => return decision.refuse(RequestError::Form(*error).into()),
        };
        let Some(shown) = form.credential() else {
            return;
        };
        let evidence = &mut decision.evidence;
        // What stands where it belongs does not hide what the head brought.
        if !shown.belongs || matches!(evidence.credential, None | Some(CredentialKind::None)) {
            evidence.credential(shown.kind);
            evidence.fingerprint(shown.token.and_then(|token| self.fingerprints.of(token)));
        }
        if shown.belongs {
            return;
        }
        if shown.kind.is_for_token_endpoints() {
            evidence.leaked();
        }
        if !self.treatments.admit(shown.kind, now) {
            return decision.refuse(Denial::UnsupportedCredential(shown.kind));
        }
        if let Verdict::Allow(permit) = &mut decision.verdict {
            evidence.shadowed();
            *permit = Permit::Observed(shown.kind);
        }
    }
}
