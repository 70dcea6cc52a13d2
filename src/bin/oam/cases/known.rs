//! Whether what a case expects can come of anything: a misspelt name would differ for ever, or be
//! overlooked.

use databricks_oam_filter::databricks::Catalogue;
use databricks_oam_filter::policy::Policy;
use databricks_oam_filter::token::scope::Scope;

use super::Expected;
use crate::cli::{Unreadable, suggestion};

/// Refuses names that nothing has.
pub(super) fn check(expected: &Expected, policy: &Policy) -> Result<(), Unreadable> {
    let operations: Vec<&str> = Catalogue::shared()
        .operations()
        .iter()
        .map(|operation| operation.name)
        .collect();
    let own_rules: Vec<&str> = policy
        .rules
        .rules()
        .iter()
        .map(|rule| &*rule.name)
        .collect();
    let known_roles: Vec<&str> = policy
        .roles
        .as_slice()
        .iter()
        .map(|role| &*role.name)
        .collect();
    let reasons: Vec<&str> = reasons().collect();
    one("reason", expected.reason.as_deref(), &reasons)?;
    one("mode", expected.mode.as_deref(), &["enforce", "shadow"])?;
    one("operation", expected.operation.as_deref(), &operations)?;
    one("rule", expected.rule.as_deref(), &own_rules)?;
    for role in expected.roles.iter().flatten() {
        one("role", Some(role), &known_roles)?;
    }
    for scope in expected.effective_scopes.iter().flatten() {
        if Scope::parse(scope).is_err() {
            return Err(Unreadable(format!(
                "expect.effective_scopes: `{scope}` is no scope"
            )));
        }
    }
    if expected
        .status
        .is_some_and(|status| !(100..600).contains(&status))
    {
        return Err(Unreadable("expect.status: no status of HTTP".to_owned()));
    }
    Ok(())
}

/// Nothing is expected by an empty name.
fn one(what: &str, wanted: Option<&str>, known: &[&str]) -> Result<(), Unreadable> {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty() && !known.contains(wanted)) else {
        return Ok(());
    };
    let meant = suggestion::nearest(wanted, known.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    Err(Unreadable(format!(
        "expect: no {what} is called `{wanted}`{meant}"
    )))
}

/// Every reason of a record: those of refusals from the page that has an entry for each, and those
/// of what passes.
fn reasons() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("../../../../docs/troubleshoot/reasons.md").lines();
    let refusals = lines.filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    refusals.chain(PASSING)
}

const PASSING: [&str; 8] = [
    "basic_observed",
    "credential_observed",
    "delta_sharing_recipient_observed",
    "metadata",
    "permitted",
    "personal_access_token_observed",
    "public",
    "self_service",
];
