//! One call that a client makes, as its package spells it.

use std::collections::BTreeSet;

/// A method and path template, and whence they come.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Call {
    /// Class or service, and method, as the package names them: `JobsAPI.run_now`.
    pub source: String,
    /// The HTTP method.
    pub method: String,
    /// The path, with names in braces.
    pub path: String,
    /// What the package says about the call.
    pub documentation: String,
    /// What its answer can hold that sounds like a credential or a link:
    /// `RecipientInfo.activation_url`.
    pub answers: BTreeSet<String>,
}

impl Call {
    /// The operation's name: `jobs.run-now`.
    pub fn operation(&self) -> String {
        let (service, call) = self.source.split_once('.').unwrap_or((&self.source, ""));
        let service = ["API", "Ext", "Service"]
            .iter()
            .find_map(|suffix| service.strip_suffix(suffix))
            .unwrap_or(service);
        format!("{}.{}", dashed(service), dashed(call))
    }
}

/// `ClusterPolicies`, `cluster_policies` and `clusterPolicies` as `cluster-policies`.
fn dashed(name: &str) -> String {
    let mut dashed = String::new();
    let mut characters = name.trim_matches('_').chars().peekable();
    let mut before = '_';
    while let Some(character) = characters.next() {
        let starts_word = character.is_uppercase()
            && (before.is_lowercase()
                || before.is_ascii_digit()
                || before.is_uppercase()
                    && characters.peek().is_some_and(|next| next.is_lowercase()));
        if starts_word {
            dashed.push('-');
        }
        dashed.extend(if character == '_' { '-' } else { character }.to_lowercase());
        before = character;
    }
    dashed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_named_after_the_call() {
        #[rustfmt::skip]
        let cases = [
            ("JobsAPI.run_now",                         "jobs.run-now"),
            ("IpAccessListsAPI.list",                   "ip-access-lists.list"),
            ("AccountIamV2API.get_user",                "account-iam-v2.get-user"),
            ("OAuthPublishedAppsAPI.list",              "o-auth-published-apps.list"),
            ("MlflowService.getTraceInfoV3",            "mlflow.get-trace-info-v3"),
            ("UcModelRegistryService.CreateRegisteredModel", "uc-model-registry.create-registered-model"),
            ("WorkspaceAPI.import_",                    "workspace.import"),
        ];
        for (source, want) in cases {
            let call = Call {
                source: source.to_owned(),
                ..Call::default()
            };
            assert_eq!(call.operation(), want, "{source}");
        }
    }
}
