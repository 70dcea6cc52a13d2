//! The identity providers' dialects: what each one's tokens look like when nobody says otherwise.
//!
//! Sources are the providers' own documents; where a provider lets its customers choose, the preset
//! takes the default, and the configuration overrides it.

use crate::token::algorithm::{Algorithm, AlgorithmSet};

use super::dialect::{ClaimPath, Dialect, Distinction};

/// A provider, or a profile that several follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Preset {
    /// Auth0, default token profile.
    Auth0,
    /// AWS IAM outbound identity federation (`sts:GetWebIdentityToken`).
    AwsIam,
    /// Amazon Cognito user pools.
    Cognito,
    /// Databricks itself.
    Databricks,
    /// Microsoft Entra ID, v2.0 tokens.
    Entra,
    /// Microsoft Entra ID, v1.0 tokens.
    EntraV1,
    /// Nobody in particular.
    Generic,
    /// GitHub Actions' OIDC tokens.
    GithubActions,
    /// Google service accounts' ID tokens: Google's access tokens are opaque.
    Google,
    /// Keycloak.
    Keycloak,
    /// Okta, custom authorization servers.
    Okta,
    /// PingOne.
    Pingone,
    /// RFC 9068, JWT profile for OAuth 2.0 access tokens.
    Rfc9068,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 13] = [
        Self::Auth0,
        Self::AwsIam,
        Self::Cognito,
        Self::Databricks,
        Self::Entra,
        Self::EntraV1,
        Self::Generic,
        Self::GithubActions,
        Self::Google,
        Self::Keycloak,
        Self::Okta,
        Self::Pingone,
        Self::Rfc9068,
    ];

    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth0 => "auth0",
            Self::AwsIam => "aws_iam",
            Self::Cognito => "cognito",
            Self::Databricks => "databricks",
            Self::Entra => "entra",
            Self::EntraV1 => "entra_v1",
            Self::Generic => "generic",
            Self::GithubActions => "github_actions",
            Self::Google => "google",
            Self::Keycloak => "keycloak",
            Self::Okta => "okta",
            Self::Pingone => "pingone",
            Self::Rfc9068 => "rfc9068",
        }
    }

    /// The signature algorithms that its tokens come with.
    pub const fn algorithms(self) -> AlgorithmSet {
        let rs256 = AlgorithmSet::EMPTY.with(Algorithm::Rs256);
        match self {
            Self::AwsIam => rs256.with(Algorithm::Es384),
            Self::Databricks | Self::Generic | Self::Keycloak | Self::Rfc9068 => {
                rs256.with(Algorithm::Es256)
            }
            Self::Auth0
            | Self::Cognito
            | Self::Entra
            | Self::EntraV1
            | Self::GithubActions
            | Self::Google
            | Self::Okta
            | Self::Pingone => rs256,
        }
    }

    /// The `typ` that its tokens must have, where the profile says so.
    pub const fn token_type(self) -> Option<&'static str> {
        if matches!(self, Self::Rfc9068) {
            Some("at+jwt")
        } else {
            None
        }
    }

    /// Whether its tokens carry no scopes, so that only roles can grant.
    pub const fn grants_no_scopes(self) -> bool {
        matches!(self, Self::AwsIam | Self::GithubActions | Self::Google)
    }

    /// How it spells its claims.
    pub fn dialect(self) -> Dialect {
        let generic = Dialect {
            scopes: names(&["scope", "scp"]),
            groups: names(&["groups"]),
            roles: names(&["roles"]),
            client: names(&["client_id", "azp"]),
            subject: names(&["sub"]),
            audience_is_client: false,
            required: &[],
            names_workspace: false,
            distinction: Distinction::Appearance,
        };
        match self {
            Self::Auth0 => Dialect {
                roles: names(&["permissions"]),
                client: names(&["azp", "client_id"]),
                // Without a scope, tokens of people have `permissions`, and those of applications
                // `gty`.
                distinction: Distinction::AnyClaim(&["scope", "permissions", "gty"]),
                ..generic
            },
            Self::AwsIam | Self::GithubActions => workload(&[], None),
            Self::Cognito => Dialect {
                groups: names(&["cognito:groups"]),
                roles: names(&["cognito:roles"]),
                audience_is_client: true,
                distinction: Distinction::Purpose("token_use", &["access"]),
                ..generic
            },
            // An application's token has no `scp`, and ID tokens have `roles` and `groups` too.
            Self::Entra => entra("azp", &["azp", "scp"], generic),
            Self::EntraV1 => entra("appid", &["appid", "scp"], generic),
            Self::Google => workload(&["azp"], Some(GOOGLE_CLIENTS)),
            Self::Keycloak => Dialect {
                roles: vec![["realm_access", "roles"].map(Box::from).into()],
                client: names(&["azp", "client_id"]),
                // Older releases put `nonce` into access tokens too.
                distinction: Distinction::Purpose("typ", &["Bearer", "DPoP"]),
                ..generic
            },
            Self::Okta => Dialect {
                scopes: names(&["scp"]),
                client: names(&["cid"]),
                distinction: Distinction::AnyClaim(&["cid", "scp"]),
                ..generic
            },
            Self::Rfc9068 => Dialect {
                scopes: names(&["scope"]),
                client: names(&["client_id"]),
                required: &["aud", "sub", "client_id", "iat", "jti"],
                // Where the configuration requires another type.
                distinction: Distinction::AnyClaim(&["client_id"]),
                ..generic
            },
            Self::Databricks => Dialect {
                names_workspace: true,
                distinction: Distinction::AnyClaim(&["scope"]),
                ..generic
            },
            Self::Pingone => Dialect {
                distinction: Distinction::AnyClaim(&["client_id", "scope"]),
                ..generic
            },
            Self::Generic => generic,
        }
    }
}

/// `sub` differs from application to application; `oid` is the same everywhere in the tenant, and
/// the issuer names the tenant.
fn entra(client: &str, marks: &'static [&'static str], generic: Dialect) -> Dialect {
    Dialect {
        distinction: Distinction::AnyClaim(marks),
        scopes: names(&["scp"]),
        client: names(&[client]),
        subject: names(&["oid", "sub"]),
        ..generic
    }
}

/// Tokens that say who a workload is and grant nothing. Their issuers sign no others, but for those
/// of people, where any sign in there.
fn workload(client: &[&str], of_people: Option<&'static str>) -> Dialect {
    Dialect {
        scopes: Vec::new(),
        groups: Vec::new(),
        roles: Vec::new(),
        client: names(client),
        subject: names(&["sub"]),
        audience_is_client: false,
        required: &[],
        names_workspace: false,
        distinction: Distinction::OnlyKind(of_people),
    }
}

fn names(names: &[&str]) -> Vec<ClaimPath> {
    names
        .iter()
        .map(|name| ClaimPath::from([Box::from(*name)]))
        .collect()
}

/// The end of every ID of a client by which people sign in; a service account's tokens name the
/// account itself.
const GOOGLE_CLIENTS: &str = ".apps.googleusercontent.com";

#[cfg(test)]
mod tests;
