//! What an identity provider changes in the shipped files: where its keys are, and by what its
//! callers are distinguished.

use databricks_oam_filter::callout::uri::HttpsUri;
use databricks_oam_filter::issuer::preset::Preset;

use crate::cli::{Init, Unreadable};

/// One provider, as the shipped files name it.
pub(super) struct Provider {
    preset: Preset,
    /// Where its keys are; absent where they are found through the issuer's metadata.
    keys: Option<String>,
    /// The host that the gateway calls.
    host: String,
}

impl Provider {
    pub(super) fn of(preset: Preset, issuer: &str) -> Result<Self, Unreadable> {
        let bare = issuer.trim_end_matches('/');
        let below = |path: &str| Some(format!("{bare}{path}"));
        let tenant = bare
            .trim_end_matches("/v2.0")
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let entra = |path: &str| Some(format!("https://login.microsoftonline.com/{tenant}{path}"));
        let keys = match preset {
            Preset::Auth0 | Preset::AwsIam | Preset::Cognito => below("/.well-known/jwks.json"),
            Preset::Entra => entra("/discovery/v2.0/keys"),
            Preset::EntraV1 => entra("/discovery/keys"),
            Preset::GithubActions => below("/.well-known/jwks"),
            Preset::Google => Some("https://www.googleapis.com/oauth2/v3/certs".to_owned()),
            Preset::Keycloak => below("/protocol/openid-connect/certs"),
            Preset::Okta => below("/v1/keys"),
            Preset::Pingone => below("/jwks"),
            Preset::Databricks | Preset::Generic | Preset::Rfc9068 => None,
        };
        if matches!(preset, Preset::Entra | Preset::EntraV1)
            && ["common", "organizations"].contains(&tenant)
        {
            let text = format!(
                "--issuer: `{tenant}` stands for every tenant, and no token has it in `iss`: write your tenant's ID"
            );
            return Err(Unreadable(text));
        }
        let uri = keys.as_deref().unwrap_or(issuer);
        let uri = HttpsUri::parse(uri).map_err(|error| Unreadable(format!("{error}: `{uri}`")))?;
        Ok(Self {
            preset,
            keys,
            host: uri.authority().to_owned(),
        })
    }

    /// Whether its tokens are exchanged: Databricks' own need not be.
    pub(super) fn is_exchanged(&self) -> bool {
        self.preset != Preset::Databricks
    }

    /// Two roles to begin with, by what this provider's tokens say of a caller.
    pub(super) fn roles(&self) -> [&'static str; 7] {
        let [engineers, analysts] = match self.preset {
            Preset::AwsIam => [
                "    members: [{ subject: \"arn:aws:iam::123456789012:role/data-engineer\" }]",
                "    members: [{ subject: \"arn:aws:iam::123456789012:role/analyst\" }]",
            ],
            Preset::GithubActions => [
                "    members: [{ subject: \"repo:acme/etl:ref:refs/heads/main\" }]",
                "    members: [{ subject: \"repo:acme/reports:ref:refs/heads/main\" }]",
            ],
            Preset::Google | Preset::Databricks | Preset::Pingone => [
                "    members: [{ subject: etl@example.com }]",
                "    members: [{ subject: ada@example.com }]",
            ],
            // It names groups by their object IDs, and an application's roles by their values.
            Preset::Entra | Preset::EntraV1 => [
                "    members: [{ role: Databricks.Operator }]",
                "    members: [{ role: Databricks.Analyst }]",
            ],
            Preset::Auth0 | Preset::Keycloak => [
                "    members: [{ role: data-engineer }]",
                "    members: [{ role: analyst }]",
            ],
            Preset::Okta => [
                "    members: [{ group: dbx-data-engineers }]",
                "    members: [{ group: dbx-analysts }]",
            ],
            Preset::Cognito | Preset::Generic | Preset::Rfc9068 => [
                "    members: [{ group: data-eng }]",
                "    members: [{ group: analysts }]",
            ],
        };
        [
            "roles:",
            "  - name: data-engineer",
            engineers,
            "    grants: [jobs, clusters, sql, \"unity-catalog:read\"]",
            "  - name: analyst",
            analysts,
            "    grants: [sql, \"jobs:read\"]",
        ]
    }

    /// How its scopes are spelled, where its page in the documentation has them spelled otherwise
    /// than Databricks' own.
    pub(super) const fn scopes(&self) -> Option<&'static str> {
        match self.preset {
            Preset::Auth0 | Preset::Keycloak | Preset::Okta => {
                Some("scopes: { prefix: \"databricks:\" }")
            }
            Preset::Entra | Preset::EntraV1 => Some(
                "scopes: { aliases: { Databricks.Use: [sql, jobs, clusters, genie, unity-catalog], Databricks.Read: [\"sql:read\", \"jobs:read\", \"clusters:read\", \"unity-catalog:read\"] } }",
            ),
            Preset::AwsIam
            | Preset::Cognito
            | Preset::Databricks
            | Preset::Generic
            | Preset::GithubActions
            | Preset::Google
            | Preset::Pingone
            | Preset::Rfc9068 => None,
        }
    }

    /// A line of a shipped file with these names in place of its own.
    pub(super) fn line(&self, line: &str, arguments: &Init) -> String {
        let keys = self.keys.as_ref();
        let uri = |quote: &str| {
            keys.map_or_else(String::new, |keys| format!(", uri: {quote}{keys}{quote}"))
        };
        let mut line = line
            .replace(&format!(", uri: {KEYS}"), &uri(""))
            .replace(&format!(", uri: \"{KEYS}\""), &uri("\""))
            .replace(ISSUER, &arguments.issuer)
            .replace("preset: okta", &format!("preset: {}", self.preset.as_str()))
            .replace(
                "audiences: [databricks]",
                &format!("audiences: [\"{}\"]", arguments.audience),
            )
            .replace(ISSUER_HOST, &self.host)
            .replace(WORKSPACE, &arguments.host)
            .replace(NAME, &arguments.name)
            .replace(MODULE, "../databricks_oam_filter.wasm");
        // Commands in comments: from within the folder that is written.
        for (checkout, here) in COMMANDS {
            line = line.replace(checkout, here);
        }
        for names in ["cluster: okta", "cluster_name: okta", "name: okta"] {
            let (key, _) = names.split_once("okta").unwrap_or((names, ""));
            let is_whole = |rest: &str| {
                !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '-')
            };
            if let Some((before, rest)) = line.split_once(names)
                && is_whole(rest)
            {
                line = format!("{before}{key}issuer{rest}");
            }
        }
        line
    }
}

/// What commands in the shipped files' comments name, and what they are to name in the folder.
const COMMANDS: [(&str, &str); 3] = [
    (
        "check --strict envoy/production.yaml envoy/production/*.yaml",
        "check --strict production.yaml production/*.yaml",
    ),
    ("apply -k envoy/istio/base", "apply -k ."),
    ("envoy/envoy-gateway/base", "."),
];

/// What the shipped files say.
const ISSUER: &str = "https://acme.okta.com/oauth2/aus1a2b3";
const ISSUER_HOST: &str = "acme.okta.com";
const KEYS: &str = "https://acme.okta.com/oauth2/aus1a2b3/v1/keys";
const MODULE: &str = "../../target/wasm32-wasip1/release/databricks_oam_filter.wasm";
const NAME: &str = "databricks.example.com";
const WORKSPACE: &str = "dbc-a1b2c3d4-e5f6.cloud.databricks.com";
