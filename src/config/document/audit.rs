//! The section `audit`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::config::value::{Count, Span};

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
    /// Whether requests are refused whose decisions would leave no record. Written as `true` it
    /// needs `log` or `otlp`.
    #[serde(default)]
    #[cfg_attr(schema, schemars(default = "defaults::yes"))]
    pub(in crate::config) required: Option<bool>,
    /// Whether records say what the policy judged by (groups, roles, the claims that roles name),
    /// so that a decision can be judged again.
    #[serde(default)]
    pub(in crate::config) inputs: bool,
    /// Whether the gateway's own access log can show each decision's ID and reason, as
    /// `%FILTER_STATE(wasm.oam_decision_id:PLAIN)%` and `%FILTER_STATE(wasm.oam_reason:PLAIN)%`.
    #[serde(default)]
    pub(in crate::config) access_log: bool,
    /// The OpenTelemetry collector that gets records besides, over OTLP/HTTP. Absent: the host's
    /// log alone.
    pub(in crate::config) otlp: Option<OtlpSection>,
    /// Keys the fingerprints by which records name static tokens. Give all gateways the same, and
    /// one token has one name on all of them.
    pub(in crate::config) fingerprint_key: Option<String>,
}

impl Audit {
    /// Whether records go somewhere.
    pub(in crate::config) const fn goes_somewhere(&self) -> bool {
        self.log || self.otlp.is_some()
    }
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

/// Where records go besides the host's log.
#[derive(Deserialize)]
#[cfg_attr(schema, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct OtlpSection {
    /// Envoy's cluster for the callout.
    pub(in crate::config) cluster: String,
    /// Where the collector takes logs, `https://…/v1/logs`.
    pub(in crate::config) uri: String,
    /// Headers for the collector, a credential among them perhaps.
    #[serde(default)]
    pub(in crate::config) headers: BTreeMap<String, String>,
    /// How many bytes of records may wait on each worker. What does not fit is dropped and counted.
    #[serde(default = "defaults::otlp_queue_bytes")]
    pub(in crate::config) queue_bytes: Count,
    /// How long the collector may take for a batch.
    #[serde(default = "defaults::otlp_timeout")]
    pub(in crate::config) timeout: Span,
}
