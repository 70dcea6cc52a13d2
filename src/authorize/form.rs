//! The form of a token request, judged once it has come: which credentials a token endpoint may be shown.

use crate::denial::Denial;
use crate::request::RequestError;
use crate::request::credential::CredentialKind;
use crate::request::form::{Form, FormError, Shown};
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
        let is_admitted = |shown: &Shown<'_>| self.treatments.admit(shown.kind, now);
        // The worst of them: what is admitted must not hide what is not.
        let worst = form.credentials().max_by_key(|shown| match shown.belongs {
            true => Place::Right,
            false if is_admitted(shown) => Place::Admitted,
            false => Place::Wrong,
        });
        let Some(shown) = worst else {
            return;
        };
        let evidence = &mut decision.evidence;
        if form
            .credentials()
            .any(|shown| !shown.belongs && shown.kind.is_for_token_endpoints())
        {
            evidence.leaked();
        }
        // What stands where it belongs does not hide what the head brought.
        if !shown.belongs || matches!(evidence.credential, None | Some(CredentialKind::None)) {
            evidence.credential(shown.kind);
            evidence.fingerprint(shown.token.and_then(|token| self.fingerprints.of(token)));
        }
        if shown.belongs {
            return;
        }
        if !is_admitted(&shown) {
            return decision.refuse(Denial::UnsupportedCredential(shown.kind));
        }
        if let Verdict::Allow(permit) = &mut decision.verdict {
            evidence.shadowed();
            *permit = Permit::Observed(shown.kind);
        }
    }
}

/// Where a credential of a form stands, from good to bad.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Place {
    Right,
    Admitted,
    Wrong,
}
