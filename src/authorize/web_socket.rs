//! Whether a request may become a web socket: what passes then nobody judges.

use crate::databricks::Operation;
use crate::denial::Denial;
use crate::policy::{Applied, Governing, Readings, Rules};
use crate::request::{RequestError, RequestHead};

/// Refuses a request to become a web socket, unless its operation has one or the rules that govern
/// it say so of an operator's own path.
pub(super) fn check(
    head: &RequestHead<'_>,
    readings: &Readings<'_>,
    policy: &Applied<'_>,
) -> Result<(), Denial> {
    let is_known = readings.operation().is_some_and(Operation::has_web_socket);
    let say_so = |rules: &Rules<'_>| !rules.is_empty() && rules.iter().all(|rule| rule.websocket);
    let is_ruled = match &policy.governing {
        Governing::Rules(rules) => say_so(rules),
        // Those in shadow mode decide alone where nothing else matches.
        Governing::Unmatched => say_so(&policy.in_shadow),
        Governing::Operation(_) | Governing::Ambiguous => false,
    };
    // Nobody says who opens a public one.
    let may = (is_known || is_ruled) && !policy.governing.is_public();
    if head.is_to_web_socket && !may {
        return Err(RequestError::Upgrade.into());
    }
    Ok(())
}
