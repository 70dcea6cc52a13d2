//! What a configuration says that is valid and can hardly be meant, where telling so would cost the
//! module more than it is worth there.

use databricks_oam_filter::databricks::{Catalogue, Lookup};
use databricks_oam_filter::path::Path;
use serde_json::Value;

use super::suggestion;
use super::surroundings::Code;

/// One line for each, beginning with its place.
pub(super) fn all(text: &str) -> Vec<(Code, String)> {
    let configuration: Value = serde_json::from_str(text).unwrap_or_default();
    let items = |place: &str| {
        let list = configuration.pointer(place).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let (issuers, rules) = (items("/issuers"), items("/policy/rules"));
    let issuers = issuers
        .iter()
        .enumerate()
        .filter_map(|(position, issuer)| entra(position, issuer));
    let rules = rules
        .iter()
        .enumerate()
        .flat_map(|(position, rule)| misspelt(position, rule));
    issuers.chain(rules).collect()
}

/// Entra's two generations of tokens have two issuers, and no token has the name that stands for
/// all tenants.
fn entra(position: usize, issuer: &Value) -> Option<(Code, String)> {
    let identifier = issuer.get("issuer")?.as_str()?;
    let preset = issuer
        .get("preset")
        .and_then(Value::as_str)
        .unwrap_or("generic");
    let place = format!("issuers[{position}].issuer");
    let of_all = ["common", "organizations", "consumers"];
    let rest = identifier
        .strip_prefix("https://login.microsoftonline.com/")
        .or_else(|| identifier.strip_prefix("https://sts.windows.net/"))?;
    let tenant = rest.split('/').next().unwrap_or_default();
    let is_first = identifier.starts_with("https://sts.windows.net/");
    if of_all.contains(&tenant) {
        return Some((
            Code::EntraAnyTenant,
            format!(
                "{place}: `{tenant}` stands for every tenant, and no token has it in `iss`; write the ID of your tenant"
            ),
        ));
    }
    match (is_first, preset) {
        (true, "entra_v1") | (false, "entra") => None,
        (true, _) => Some((
            Code::EntraVersion,
            format!(
                "{place}: `sts.windows.net` issues Entra's tokens of version 1.0; write `preset: entra_v1`, or set the application's `requestedAccessTokenVersion` to 2 and write `https://login.microsoftonline.com/{tenant}/v2.0`"
            ),
        )),
        (false, _) => Some((
            Code::EntraVersion,
            format!(
                "{place}: this is the issuer of Entra's tokens of version 2.0; write `preset: entra`"
            ),
        )),
    }
}

/// A path of a rule that looks like one of Databricks' and is none.
fn misspelt(position: usize, rule: &Value) -> Vec<(Code, String)> {
    let paths = rule
        .get("paths")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate();
    let doubtful = paths.filter_map(|(number, path)| {
        let path = path.as_str().filter(|path| path.starts_with("/api/"))?;
        if path.contains("{path=**}") || path.contains("{version}") || is_known(path) {
            return None;
        }
        let meant = suggestion::for_path(path)?;
        Some((Code::PathUnknown, format!(
            "policy.rules[{position}].paths[{number}]: the catalogue has no operation at `{path}`; did you mean `{meant}`?"
        )))
    });
    doubtful.collect()
}

/// Whether some operation is at a path, names filled in, by whichever method.
fn is_known(path: &str) -> bool {
    let filled: String = path
        .split('/')
        .map(|segment| match (segment.find('{'), segment.find('}')) {
            (Some(start), Some(end)) => {
                let before = segment.get(..start).unwrap_or_default();
                let behind = segment
                    .get(end..)
                    .unwrap_or_default()
                    .trim_start_matches('}');
                format!("{before}1{behind}")
            }
            _ => segment.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("/");
    let methods = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];
    Path::parse(filled.as_bytes()).is_ok_and(|path| {
        methods
            .iter()
            .any(|method| matches!(Catalogue::shared().find(method, &path), Lookup::Found(_)))
    })
}
