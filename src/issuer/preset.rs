//! The identity providers' dialects: what each one's tokens look like when nobody says otherwise.
//!
//! Sources are the providers' own documents; where a provider lets its customers choose, the preset takes the default, and the
//! configuration overrides it.

use crate::token::algorithm::{Algorithm, AlgorithmSet};

use super::dialect::{ClaimPath, Dialect, Purpose};

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
            purpose: None,
        };
        match self {
            Self::Auth0 => Dialect {
                roles: names(&["permissions"]),
                client: names(&["azp", "client_id"]),
                ..generic
            },
            Self::AwsIam | Self::GithubActions => workload(&[]),
            Self::Cognito => Dialect {
                groups: names(&["cognito:groups"]),
                roles: names(&["cognito:roles"]),
                audience_is_client: true,
                purpose: Some(COGNITO_PURPOSE),
                ..generic
            },
            Self::Entra => entra("azp", generic),
            Self::EntraV1 => entra("appid", generic),
            Self::Google => workload(&["azp"]),
            Self::Keycloak => Dialect {
                roles: vec![["realm_access", "roles"].map(Box::from).into()],
                client: names(&["azp", "client_id"]),
                purpose: Some(KEYCLOAK_PURPOSE),
                ..generic
            },
            Self::Okta => Dialect {
                scopes: names(&["scp"]),
                client: names(&["cid"]),
                ..generic
            },
            Self::Rfc9068 => Dialect {
                scopes: names(&["scope"]),
                client: names(&["client_id"]),
                required: &["aud", "sub", "client_id", "iat", "jti"],
                ..generic
            },
            Self::Databricks => Dialect {
                names_workspace: true,
                ..generic
            },
            Self::Generic | Self::Pingone => generic,
        }
    }
}

/// `sub` differs from application to application; `oid` is the same everywhere in the tenant, and the issuer names the tenant.
fn entra(client: &str, generic: Dialect) -> Dialect {
    Dialect {
        scopes: names(&["scp"]),
        client: names(&[client]),
        subject: names(&["oid", "sub"]),
        ..generic
    }
}

/// Tokens that say who a workload is and grant nothing.
fn workload(client: &[&str]) -> Dialect {
    Dialect {
        scopes: Vec::new(),
        groups: Vec::new(),
        roles: Vec::new(),
        client: names(client),
        subject: names(&["sub"]),
        audience_is_client: false,
        required: &[],
        names_workspace: false,
        purpose: None,
    }
}

fn names(names: &[&str]) -> Vec<ClaimPath> {
    names
        .iter()
        .map(|name| ClaimPath::from([Box::from(*name)]))
        .collect()
}

const COGNITO_PURPOSE: Purpose = Purpose {
    claim: "token_use",
    value: "access",
    required: true,
};

/// Older releases put `nonce` into access tokens too, but say `Bearer` in a claim named `typ`.
const KEYCLOAK_PURPOSE: Purpose = Purpose {
    claim: "typ",
    value: "Bearer",
    required: false,
};
