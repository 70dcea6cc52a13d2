//! The shape of a configuration: every key and what it is for. Unknown keys are errors.

pub(super) mod audit;
mod defaults;

use serde::Deserialize;

use crate::token::json::Json;

use super::limits::Limits;
use super::value::{Aliases, ClaimName, Day, Span};

use audit::Audit;

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// What the gateway says of itself to clients that look up how to get a token.
    #[serde(default)]
    pub(super) resource: ResourceSection,
    /// Whose access tokens are taken.
    pub(super) issuers: Vec<IssuerSection>,
    /// What callers may hold at most, whatever their tokens carry. Without roles a token's scopes
    /// alone count.
    #[serde(default)]
    pub(super) roles: Vec<RoleSection>,
    /// The workspaces behind the gateway. Without any, requests are not bound to workspaces.
    #[serde(default)]
    pub(super) workspaces: Vec<WorkspaceSection>,
    /// What is decided beside the built-in catalogue of Databricks' operations.
    #[serde(default)]
    pub(super) policy: PolicySection,
    /// What becomes of credentials that are no OAuth access tokens.
    #[serde(default)]
    pub(super) credentials: Credentials,
    /// Exchange of the caller's token for one of Databricks' own (RFC 8693). Absent: the caller's
    /// own token goes upstream.
    pub(super) exchange: Option<ExchangeSection>,
    /// Valid tokens that are refused all the same.
    #[serde(default)]
    #[cfg_attr(schema, schemars(with = "super::schema::WithdrawnShape"))]
    pub(super) withdrawn: Option<Json>,
    /// Bounds, on each worker.
    #[serde(default)]
    pub(super) limits: Limits,
    /// The records of decisions.
    #[serde(default)]
    pub(super) audit: Audit,
    /// Where callers look up who they are and what they may do. Absent: nowhere.
    pub(super) self_service: Option<SelfServiceSection>,
    /// Whether the upstream gets the caller's identity, in `x-oam-*` headers.
    #[serde(default)]
    pub(super) forward_identity: bool,
    /// Whether the workers of a gateway share the issuers' keys through the host's shared data, so
    /// that one fetches for all. `false`: each fetches for itself, as it does in any case where the
    /// plugin has no `vm_id`.
    #[serde(default = "defaults::yes")]
    pub(super) share_keys: bool,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct SelfServiceSection {
    /// `GET <path>/me` with a valid token is answered by the gateway itself.
    pub(super) path: String,
}

#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceSection {
    /// The URL for which tokens are requested (RFC 8707), and at which the metadata document is
    /// served (RFC 9728).
    pub(super) identifier: Option<String>,
    /// Where people request the access that they lack; `{scopes}` stands for the scopes, and
    /// `{roles}` for the roles that would grant them.
    pub(super) access_request_url: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct IssuerSection {
    /// The `iss` of its tokens, to the letter.
    pub(super) issuer: String,
    /// The identity provider's dialect: where its tokens carry scopes, groups, roles and client.
    #[serde(default = "defaults::generic")]
    #[cfg_attr(schema, schemars(schema_with = "super::schema::preset"))]
    pub(super) preset: String,
    /// A token must name one of these in `aud`.
    #[serde(default)]
    pub(super) audiences: Vec<String>,
    /// The keys that verify its tokens.
    pub(super) jwks: JwksSection,
    /// The signature algorithms that count; by default the preset's.
    #[serde(default)]
    #[cfg_attr(schema, schemars(schema_with = "super::schema::algorithms"))]
    pub(super) algorithms: Option<Vec<String>>,
    /// The clients whose tokens count; none named means any.
    #[serde(default)]
    pub(super) clients: Vec<String>,
    /// How far the issuer's clock may differ from this one.
    #[serde(default = "defaults::clock_skew")]
    pub(super) clock_skew: Span,
    /// The longest that a token may live, from `iat` to `exp`. Absent: any time.
    pub(super) max_token_lifetime: Option<Span>,
    /// The `typ` that its tokens must have, as `at+jwt`. Absent: not checked.
    pub(super) token_type: Option<String>,
    /// Where its tokens carry what, instead of what the preset says. A list within is a path from
    /// the outermost object inwards.
    #[serde(default)]
    pub(super) claims: ClaimsSection,
    /// What its tokens' scopes mean.
    #[serde(default)]
    pub(super) scopes: ScopesSection,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct JwksSection {
    /// The Envoy cluster by which the keys are fetched.
    pub(super) cluster: Option<String>,
    /// Where the issuer publishes its keys. Absent: taken from its metadata document.
    pub(super) uri: Option<String>,
    /// The JWK Set itself, instead of `cluster` and `uri`.
    #[cfg_attr(schema, schemars(with = "Option<serde_json::Value>"))]
    pub(super) keys: Option<Json>,
    /// How long a fetch may take.
    #[serde(default = "defaults::timeout")]
    pub(super) timeout: Span,
    /// How often keys are fetched, where the answer does not say.
    #[serde(default = "defaults::refresh")]
    pub(super) refresh: Span,
    /// How long the last known keys serve when they cannot be fetched.
    #[serde(default = "defaults::max_stale")]
    pub(super) max_stale: Span,
}

#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimsSection {
    /// Scopes; the first claim that is there counts.
    pub(super) scopes: Option<Vec<ClaimName>>,
    /// Groups; all of these claims count.
    pub(super) groups: Option<Vec<ClaimName>>,
    /// The issuer's roles; all of these claims count.
    pub(super) roles: Option<Vec<ClaimName>>,
    /// The client; the first claim that is there counts.
    pub(super) client: Option<Vec<ClaimName>>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ScopesSection {
    /// `roles`: the issuer knows no scopes, and roles alone grant.
    pub(super) source: Option<ScopeSource>,
    /// What the issuer writes before Databricks' scopes. A scope without it is ignored.
    pub(super) prefix: Option<String>,
    /// The issuer's own names for Databricks' scopes.
    #[serde(default)]
    #[cfg_attr(
        schema,
        schemars(with = "std::collections::BTreeMap<String, Vec<String>>")
    )]
    pub(super) aliases: Aliases,
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
    /// Its name, in records.
    pub(super) name: String,
    /// Who holds it: any of these.
    pub(super) members: Vec<MemberSection>,
    /// The scopes that it grants: `jobs`, `jobs:data`, `jobs:read`, `all-apis`, or one of your own.
    pub(super) grants: Vec<String>,
    /// The workspaces in which it holds. Absent: all.
    pub(super) workspaces: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct MemberSection {
    /// The `sub` of the current actor (RFC 8693 `act`).
    pub(super) actor: Option<String>,
    /// A claim that has the `value`.
    pub(super) claim: Option<ClaimName>,
    /// The client.
    pub(super) client: Option<String>,
    /// A group.
    pub(super) group: Option<String>,
    /// The issuer.
    pub(super) issuer: Option<String>,
    /// A role that the issuer gives.
    pub(super) role: Option<String>,
    /// The `sub`.
    pub(super) subject: Option<String>,
    /// What the `claim` must have.
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct WorkspaceSection {
    /// Its number.
    pub(super) id: String,
    /// The hosts by which it is reached.
    pub(super) hosts: Vec<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct PolicySection {
    /// `shadow`: refusals of authorization are recorded and let through. Authentication is enforced
    /// all the same.
    #[serde(default)]
    pub(super) mode: ModeName,
    /// What becomes of requests that match neither rule nor operation.
    #[serde(default)]
    pub(super) unmatched: UnmatchedName,
    /// Your own rules. A deny rule wins over everything; among the others the most specific path
    /// does, and the catalogue judges the rest.
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
    /// Its name, in records.
    pub(super) name: String,
    /// `deny` refuses, `public` lets through without a token, `require` requires scopes.
    pub(super) effect: EffectName,
    /// Templates: `{id}` is one segment, `{name}:verb` one with a suffix, `{path=**}` the rest.
    pub(super) paths: Vec<String>,
    /// The methods that it is for. Absent: any.
    pub(super) methods: Option<Vec<String>>,
    /// The scopes to hold, all of them.
    pub(super) scopes: Option<Vec<String>>,
    /// The scopes of which to hold one.
    pub(super) any_scope: Option<Vec<String>>,
    /// The issuers whose tokens it is for. Absent: any.
    pub(super) issuers: Option<Vec<String>>,
    /// The MCP calls that it is for, by the headers of protocol 2026-07-28 or newer. Absent: any
    /// call.
    pub(super) mcp: Option<ToolsSection>,
    /// `shadow`: this rule's refusals are recorded and let through.
    pub(super) mode: Option<ModeName>,
    /// `true`: for the paths as they are written alone. Absent: for the operation, in every version
    /// of the API, under each of its paths, with a trailing slash and without.
    #[serde(default)]
    pub(super) exact: bool,
    /// Whether what a `require` rule lets through may become a web socket. Nobody judges what
    /// passes then.
    #[serde(default)]
    pub(super) websocket: bool,
}

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ToolsSection {
    /// Methods of JSON-RPC, as `tools/call`. Absent: any.
    pub(super) methods: Option<Vec<String>>,
    /// Names of tools, prompts or resources. Absent: any.
    pub(super) names: Option<Vec<String>>,
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
    /// Personal access tokens.
    #[serde(default)]
    pub(super) personal_access_token: TreatmentName,
    /// User name and password.
    #[serde(default)]
    pub(super) basic: TreatmentName,
    /// Bearer tokens that are neither JWTs nor personal access tokens.
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
    /// The Envoy cluster by which tokens are exchanged.
    pub(super) cluster: String,
    /// Databricks' token endpoint.
    pub(super) token_endpoint: String,
    /// The requested scope: `all-apis`, or what the operation needs.
    #[serde(default)]
    pub(super) scope: ExchangeScopeName,
    /// The service principal to act as, with workload identity federation.
    pub(super) client_id: Option<String>,
    /// The group to act as.
    pub(super) assume_group: Option<String>,
    /// Whose tokens are exchanged. Absent: all but Databricks' own.
    pub(super) issuers: Option<Vec<String>>,
    /// How long an exchange may take.
    #[serde(default = "defaults::timeout")]
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
