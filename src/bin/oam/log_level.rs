//! Whether the platform that a manifest is for keeps audit records in its log, by the level that it
//! starts its gateways with.

use databricks_oam_filter::audit::host_log::LogLevel;
use databricks_oam_filter::config::Configuration;
use serde_json::Value;

use super::surroundings::{Document, Place, Step};

/// The kind of the manifest that this place is in; of several, one in the other, that of the
/// innermost which is for a platform.
pub(super) fn kind<'a>(documents: &'a [Document], place: &Place) -> Option<&'a str> {
    let mut here = Some(&documents.get(place.document)?.value);
    let mut found = None;
    for step in place.steps() {
        let kind = here.and_then(|value| value.get("kind")?.as_str());
        found = kind
            .filter(|kind| LogPlatform::of(kind).is_some())
            .or(found);
        here = here.and_then(|value: &Value| match step {
            Step::Item(position) => value.get(position),
            Step::Key(key) => value.get(key),
        });
    }
    found
}

/// What is wrong with a configuration in a manifest of this kind; `None` where the platform keeps
/// its records, or has no level of its own.
pub(super) fn check(kind: Option<&str>, configuration: &Configuration) -> Option<String> {
    let platform = LogPlatform::of(kind?)?;
    let records = &configuration.records;
    let level = records.log?;
    if level >= platform.least || records.collector.is_some() {
        return None;
    }
    let LogPlatform {
        name,
        setting,
        least,
    } = platform;
    let consequence = if records.required {
        "every request is refused (`record_unavailable`)"
    } else {
        "decisions leave no record"
    };
    Some(format!(
        "audit.level: `{}`: {name} keeps lines from `{setting}` on alone, so {consequence}; write `{}`",
        level.as_str(),
        least.as_str()
    ))
}

/// Who runs the gateway.
struct LogPlatform {
    name: &'static str,
    /// Its word for the level that its gateways log from.
    setting: &'static str,
    least: LogLevel,
}

impl LogPlatform {
    fn of(kind: &str) -> Option<Self> {
        let (name, setting) = match kind {
            "EnvoyFilter" | "TrafficExtension" | "WasmPlugin" => ("Istio", "warning"),
            "EnvoyExtensionPolicy" | "EnvoyPatchPolicy" => ("Envoy Gateway", "warn"),
            _ => return None,
        };
        Some(Self {
            name,
            setting,
            least: LogLevel::Warn,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_keeps_what_is_at_its_level_or_above() {
        let istio = |level: &str, consequence: &str| {
            Some(format!(
                "audit.level: `{level}`: Istio keeps lines from `warning` on alone, so {consequence}; write `warn`"
            ))
        };
        let refused = "every request is refused (`record_unavailable`)";
        let envoy_gateway = format!(
            "audit.level: `info`: Envoy Gateway keeps lines from `warn` on alone, so {refused}; write `warn`"
        );
        #[rustfmt::skip]
        let cases = [
            // kind                         audit                                  want
            (Some("EnvoyFilter"),           "{}",                                  istio("info", refused)),
            (Some("WasmPlugin"),            r#"{"level":"info"}"#,                 istio("info", refused)),
            (Some("TrafficExtension"),      r#"{"required":false}"#,               istio("info", "decisions leave no record")),
            (Some("EnvoyExtensionPolicy"),  "{}",                                  Some(envoy_gateway)),
            (Some("WasmPlugin"),            r#"{"level":"warn"}"#,                 None),
            (Some("WasmPlugin"),            r#"{"level":"critical"}"#,             None),
            (Some("WasmPlugin"),            r#"{"log":false}"#,                    None),
            (Some("Gateway"),               "{}",                                  None),
            (None,                          "{}",                                  None),
        ];
        for (kind, audit, want) in cases {
            let text = format!(
                r#"{{"issuers":[{{"issuer":"https://i.example","audiences":["a"],"jwks":{{"cluster":"c","uri":"https://i.example/k"}}}}],"audit":{audit}}}"#
            );
            let configuration = Configuration::parse(text.as_bytes()).unwrap();
            assert_eq!(check(kind, &configuration), want, "{kind:?} {audit}");
        }
    }
}
