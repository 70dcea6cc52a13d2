//! The section `audit`.

use serde::Deserialize;

use super::defaults;

#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Audit {
    /// How records are written.
    #[serde(default)]
    pub(in crate::config) format: FormatName,
    /// Whether they go to the host's log.
    #[serde(default = "defaults::yes")]
    pub(in crate::config) log: bool,
    /// The level that they are written there at. Istio's gateways drop what is below `warning`,
    /// Envoy Gateway's what is below `warn`.
    #[serde(default)]
    pub(in crate::config) level: LevelName,
    /// Whether requests are refused whose decisions would leave no record. Means nothing without
    /// `log`.
    #[serde(default = "defaults::yes")]
    pub(in crate::config) required: bool,
    /// Whether records say what the policy judged by (groups, roles, the claims that roles name), so
    /// that a decision can be judged again.
    #[serde(default)]
    pub(in crate::config) inputs: bool,
    /// Keys the fingerprints by which records name static tokens. Give all gateways the same, and
    /// one token has one name on all of them.
    pub(in crate::config) fingerprint_key: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum LevelName {
    #[default]
    Info,
    Warn,
    Error,
    Critical,
}

#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(in crate::config) enum FormatName {
    #[default]
    Compact,
    Ocsf,
}
