//! The shape of a configuration: every key, every default. Unknown keys are errors.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::problem::{Place, Problems};
use super::value::{ClaimName, Count, Day, Span};

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(default)]
    pub(super) resource: ResourceSection,
    pub(super) issuers: Vec<IssuerSection>,
    #[serde(default)]
    pub(super) roles: Vec<RoleSection>,
    #[serde(default)]
    pub(super) workspaces: Vec<WorkspaceSection>,
    #[serde(default)]
    pub(super) policy: PolicySection,
    #[serde(default)]
    pub(super) credentials: Credentials,
    pub(super) exchange: Option<ExchangeSection>,
    #[serde(default)]
    #[cfg_attr(schema, schemars(with = "super::schema::Withdrawn"))]
    pub(super) withdrawn: Option<serde_json::Value>,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) audit: Audit,
    #[serde(default)]
    pub(super) forward_identity: bool,
}

impl Document {
    /// Refuses settings that this release does not carry out: to accept and ignore them would be a promise broken in silence.
    pub(super) fn refuse_what_is_to_come(&self, problems: &mut Problems) {
        let mut refuse = |present: bool, place: &str, remedy: &str| {
            if present {
                problems.add(
                    &Place::at(place),
                    format_args!("not carried out by this release: {remedy}"),
                );
            }
        };
        refuse(
            self.audit.format != RecordFormat::Compact,
            "audit.format",
            "write `compact`",
        );
    }
}

#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceSection {
    pub(super) identifier: Option<String>,
    pub(super) access_request_url: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct IssuerSection {
    pub(super) issuer: String,
    #[serde(default = "generic")]
    #[cfg_attr(schema, schemars(schema_with = "super::schema::preset"))]
    pub(super) preset: String,
    #[serde(default)]
    pub(super) audiences: Vec<String>,
    pub(super) jwks: JwksSection,
    #[serde(default)]
    #[cfg_attr(schema, schemars(schema_with = "super::schema::algorithms"))]
    pub(super) algorithms: Option<Vec<String>>,
    #[serde(default)]
    pub(super) clients: Vec<String>,
    #[serde(default = "default_clock_skew")]
    pub(super) clock_skew: Span,
    pub(super) max_token_lifetime: Option<Span>,
    pub(super) token_type: Option<String>,
    #[serde(default)]
    pub(super) claims: ClaimsSection,
    #[serde(default)]
    pub(super) scopes: ScopesSection,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct JwksSection {
    pub(super) cluster: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) keys: Option<serde_json::Value>,
    #[serde(default = "default_timeout")]
    pub(super) timeout: Span,
    #[serde(default = "default_refresh")]
    pub(super) refresh: Span,
    #[serde(default = "default_max_stale")]
    pub(super) max_stale: Span,
}

#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimsSection {
    pub(super) scopes: Option<Vec<ClaimName>>,
    pub(super) groups: Option<Vec<ClaimName>>,
    pub(super) roles: Option<Vec<ClaimName>>,
    pub(super) client: Option<Vec<ClaimName>>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ScopesSection {
    pub(super) source: Option<ScopeSource>,
    pub(super) prefix: Option<String>,
    #[serde(default)]
    pub(super) aliases: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum ScopeSource {
    Roles,
    Token,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RoleSection {
    pub(super) name: String,
    pub(super) members: Vec<MemberSection>,
    pub(super) grants: Vec<String>,
    pub(super) workspaces: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct MemberSection {
    pub(super) actor: Option<String>,
    pub(super) claim: Option<ClaimName>,
    pub(super) client: Option<String>,
    pub(super) group: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) role: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct WorkspaceSection {
    pub(super) id: String,
    pub(super) hosts: Vec<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct PolicySection {
    #[serde(default)]
    pub(super) mode: ModeName,
    #[serde(default)]
    pub(super) unmatched: UnmatchedName,
    #[serde(default)]
    pub(super) rules: Vec<RuleSection>,
}

#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeName {
    #[default]
    Enforce,
    Shadow,
}

#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum UnmatchedName {
    AllApis,
    #[default]
    Deny,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSection {
    pub(super) name: String,
    pub(super) effect: EffectName,
    pub(super) paths: Vec<String>,
    pub(super) methods: Option<Vec<String>>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) any_scope: Option<Vec<String>>,
    pub(super) issuers: Option<Vec<String>>,
    pub(super) mode: Option<ModeName>,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum EffectName {
    Deny,
    Public,
    Require,
}

#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    #[serde(default)]
    pub(super) personal_access_token: TreatmentName,
    #[serde(default)]
    pub(super) basic: TreatmentName,
    #[serde(default)]
    pub(super) opaque: TreatmentName,
}

/// What becomes of a class of credentials that are no OAuth access tokens.
#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum TreatmentName {
    #[default]
    Deny,
    Observe,
    /// Observed to the end of this day in UTC, denied afterwards.
    Until(Day),
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ExchangeSection {
    pub(super) cluster: String,
    pub(super) token_endpoint: String,
    #[serde(default)]
    pub(super) scope: ExchangeScopeName,
    pub(super) client_id: Option<String>,
    pub(super) assume_group: Option<String>,
    pub(super) issuers: Option<Vec<String>>,
    #[serde(default = "default_timeout")]
    pub(super) timeout: Span,
}

#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum ExchangeScopeName {
    #[default]
    AllApis,
    Operation,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    #[serde(default = "default_token_bytes")]
    pub(super) token_bytes: Count,
    #[serde(default = "default_waiting_requests")]
    pub(super) waiting_requests: Count,
    #[serde(default = "default_waiting_time")]
    pub(super) waiting_time: Span,
    #[serde(default = "default_cached_tokens")]
    pub(super) cached_tokens: Count,
    #[serde(default = "default_cached_bytes")]
    pub(super) cached_bytes: Count,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            token_bytes: default_token_bytes(),
            waiting_requests: default_waiting_requests(),
            waiting_time: default_waiting_time(),
            cached_tokens: default_cached_tokens(),
            cached_bytes: default_cached_bytes(),
        }
    }
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {
    #[serde(default)]
    format: RecordFormat,
    #[serde(default = "yes")]
    pub(super) log: bool,
    /// Keys the fingerprints by which records name static tokens. Give all gateways the same, and one token has one name on all of them.
    pub(super) fingerprint_key: Option<String>,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            format: RecordFormat::Compact,
            log: yes(),
            fingerprint_key: None,
        }
    }
}

#[derive(Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum RecordFormat {
    #[default]
    Compact,
    Ocsf,
}

fn generic() -> String {
    "generic".to_owned()
}

/// Two machines with working clocks are seconds apart; RFC 7519 §4.1.4 speaks of "no more than a few minutes".
const fn default_clock_skew() -> Span {
    Span::seconds(30)
}

const fn default_timeout() -> Span {
    Span::seconds(5)
}

const fn default_refresh() -> Span {
    Span::seconds(600)
}

const fn default_max_stale() -> Span {
    Span::seconds(86_400)
}

/// Entra's and Keycloak's largest tokens have 8 to 12 KiB.
const fn default_token_bytes() -> Count {
    Count(16_384)
}

const fn default_cached_tokens() -> Count {
    Count(10_000)
}

/// What 10,000 tokens of a common length take.
const fn default_cached_bytes() -> Count {
    Count(16_777_216)
}

const fn default_waiting_requests() -> Count {
    Count(1024)
}

const fn default_waiting_time() -> Span {
    Span::seconds(5)
}

const fn yes() -> bool {
    true
}
