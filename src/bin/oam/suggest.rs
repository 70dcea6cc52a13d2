//! `oam suggest`: the narrowest grants under which all recorded calls would still pass.
//!
//! Only grants are touched: who holds a role, and what rules say, stays as it is. What the records
//! do not tell is left as wide as it was, and said.

mod grants;
mod notes;
mod rewrite;
mod usage;

use std::io::Write as _;

use databricks_oam_filter::config::Configuration;
use serde_json::{Value, json};

use super::{Said, Unreadable, carrier};
use grants::NarrowedPolicy;
use usage::Usage;

pub(super) fn run(arguments: &super::Suggest) -> Result<Said, Unreadable> {
    let text = carrier::only(&arguments.config)?;
    let name = arguments.config.display();
    let configuration = Configuration::parse(text.as_bytes()).map_err(|error| {
        Unreadable(format!(
            "`{name}` is not valid, see `oam check {name}`:\n{error}"
        ))
    })?;
    let policy = &configuration.authorizer.policy;
    if policy.roles.is_empty() {
        return Err(Unreadable(format!(
            "`{name}` has no roles, so there are no grants to narrow"
        )));
    }
    let usage = Usage::read(policy, &arguments.sources, arguments.days)?;
    // Of no records at all follows that nothing is used: nobody should deploy that unseen.
    let is_known = usage.first.is_some();
    let narrowed = NarrowedPolicy::of(policy, &usage);
    let written = rewrite::Rewritten::of(&arguments.config, &text, &narrowed)?;
    let mut notes = notes::of(policy, &usage, &narrowed);
    notes.extend(written.notes);
    if arguments.json {
        let said = json!({
            "configuration": configuration_of(&written.configuration),
            "roles": narrowed.json(),
            "notes": notes,
            "records": usage.records,
            "calls": usage.calls,
        });
        let text = serde_json::to_string_pretty(&said).unwrap_or_default() + "\n";
        return Ok(Said::new(text, is_known));
    }
    for note in notes {
        let _ = writeln!(anstream::stderr(), "oam: {note}");
    }
    Ok(Said::new(written.text, is_known))
}

fn configuration_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
