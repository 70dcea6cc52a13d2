//! What becomes of credentials that nothing here can verify.

use crate::request::credential::CredentialKind;
use crate::time::UnixTime;

/// What becomes of each class of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Treatments {
    /// Personal access tokens, in Basic passwords too.
    pub personal_access_token: Treatment,
    /// User names and passwords.
    pub basic: Treatment,
    /// Bearer tokens of no known shape, those of Delta Sharing's recipients among them.
    pub opaque: Treatment,
}

/// What becomes of a class of credentials.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Treatment {
    /// Refused.
    #[default]
    Deny,
    /// Sent upstream, which alone can judge them, and recorded.
    Observe,
    /// Observed before this moment, refused from it on.
    Until(UnixTime),
}

impl Treatments {
    /// Whether a credential of this kind goes upstream for its own sake.
    ///
    /// An OAuth secret or a refresh token never does: neither is meant to be shown to anything but
    /// a token endpoint.
    pub fn admit(&self, kind: CredentialKind, now: UnixTime) -> bool {
        match self.of(kind) {
            Treatment::Deny => false,
            Treatment::Observe => true,
            Treatment::Until(end) => now < end,
        }
    }

    /// Until when credentials of this kind go upstream, where the configuration says when that
    /// ends.
    pub fn until(&self, kind: CredentialKind) -> Option<UnixTime> {
        match self.of(kind) {
            Treatment::Deny | Treatment::Observe => None,
            Treatment::Until(end) => Some(end),
        }
    }

    const fn of(&self, kind: CredentialKind) -> Treatment {
        match kind {
            CredentialKind::Basic => self.basic,
            CredentialKind::DeltaSharingRecipient | CredentialKind::Opaque => self.opaque,
            CredentialKind::PersonalAccessToken => self.personal_access_token,
            CredentialKind::Jwt
            | CredentialKind::None
            | CredentialKind::OauthSecret
            | CredentialKind::RefreshToken
            | CredentialKind::UnknownScheme => Treatment::Deny,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_own_treatment() {
        use CredentialKind::{
            Basic, DeltaSharingRecipient, Jwt, None, OauthSecret, Opaque, PersonalAccessToken,
            RefreshToken, UnknownScheme,
        };
        let at = |seconds| UnixTime::from_seconds(seconds).unwrap();
        let observed = Treatments {
            personal_access_token: Treatment::Until(at(100)),
            basic: Treatment::Observe,
            opaque: Treatment::Observe,
        };
        #[rustfmt::skip]
        let cases = [
            // kind                  at   observed  denied
            (Basic,                  200, true,     false),
            (DeltaSharingRecipient,  200, true,     false),
            (Opaque,                 200, true,     false),
            (PersonalAccessToken,    99,  true,     false),
            (PersonalAccessToken,    100, false,    false),
            (Jwt,                    0,   false,    false),
            (None,                   0,   false,    false),
            (OauthSecret,            0,   false,    false),
            (RefreshToken,           0,   false,    false),
            (UnknownScheme,          0,   false,    false),
        ];
        for (kind, seconds, want, denied) in cases {
            let name = kind.as_str();
            assert_eq!(observed.admit(kind, at(seconds)), want, "{name}");
            assert_eq!(
                Treatments::default().admit(kind, at(seconds)),
                denied,
                "{name}"
            );
        }
    }
}
