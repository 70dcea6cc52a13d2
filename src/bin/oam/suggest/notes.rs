//! What is to be said of a suggestion: what changed, what deserves a second look, and what the
//! records do not show.

use std::time::Duration;

use databricks_oam_filter::policy::Policy;

use super::grants::{NarrowedPolicy, NarrowedRole, added};
use super::usage::Usage;
use crate::cli::style;

/// Everything, line by line.
pub(super) fn of(policy: &Policy, usage: &Usage, narrowed: &NarrowedPolicy) -> Vec<String> {
    let mut notes = vec![window(usage)];
    for (place, role) in narrowed.roles.iter().enumerate() {
        of_role(role, usage.held.contains(&place), &mut notes);
    }
    rare(policy, usage, &mut notes);
    unknown(usage, &mut notes);
    notes
}

fn window(usage: &Usage) -> String {
    let (Some(first), Some(last)) = (usage.first, usage.last) else {
        return "no records: nothing is known of what is used".to_owned();
    };
    let days = last.since(first).as_secs() / SECONDS_OF_DAY;
    let old = match usage.old {
        0 => String::new(),
        old => format!(
            "; {} older than the window left out",
            style::count(old, "record")
        ),
    };
    format!(
        "{} from {first} to {last}, {}, {} with a role{old}. What is done less often than that is not in them",
        style::count(usage.records, "record"),
        style::count(usize::try_from(days).unwrap_or(usize::MAX), "day"),
        style::count(usage.calls, "call"),
    )
}

fn of_role(role: &NarrowedRole, is_held: bool, notes: &mut Vec<String>) {
    let name = &role.name;
    if role.is_unused() && !role.grants.is_empty() {
        let how = if is_held {
            "used nothing of it"
        } else {
            "was seen"
        };
        notes.push(format!(
            "role `{name}` is unused: no member {how}. It is left without grants; remove it once its members are known to do without"
        ));
        return;
    }
    for grant in &role.grants {
        let was = &grant.was;
        if grant.is.is_empty() {
            notes.push(format!("role `{name}`: `{was}` is unused, removed"));
        } else if grant.is != [was.clone()] {
            notes.push(format!("role `{name}`: `{was}` → {}", quoted(&grant.is)));
        }
    }
    let more = added(role);
    if !more.is_empty() {
        notes.push(format!(
            "role `{name}`: the new grants also cover {}, for which Databricks documents no scope, so that `all-apis` does not. Check with `oam diff`",
            more.join(", ")
        ));
    }
    for undecided in &role.undecided {
        notes.push(format!(
            "role `{name}`: could not tell whether {} was earned by it or by {}, which its caller held too ({}): kept in each",
            undecided.what,
            quoted(&undecided.with),
            style::count(undecided.calls, "call")
        ));
    }
}

/// What was seen once, or not of late: it may be a duty that comes round once a quarter.
fn rare(policy: &Policy, usage: &Usage, notes: &mut Vec<String>) {
    let (Some(first), Some(last)) = (usage.first, usage.last) else {
        return;
    };
    let early = first.after(Duration::from_secs(last.since(first).as_secs() / 3));
    let roles = policy.roles.as_slice();
    for ((need, candidates), seen) in &usage.needs {
        let when = if seen.calls == 1 {
            format!("used once, at {}", seen.last)
        } else if seen.last <= early && first < last {
            format!("last used early in the window, at {}", seen.last)
        } else {
            continue;
        };
        let names = candidates.iter().filter_map(|place| roles.get(*place));
        let names: Vec<String> = names.map(|role| role.name.to_string()).collect();
        notes.push(format!(
            "rare duty: {} by {} was {when}: there may be others like it that these records missed",
            need.name(),
            quoted(&names)
        ));
    }
}

fn unknown(usage: &Usage, notes: &mut Vec<String>) {
    if usage.unknown > 0 {
        notes.push(format!(
            "could not tell: {} without a time",
            style::count(usage.unknown, "record")
        ));
    }
    if usage.broken > 0 {
        notes.push(format!(
            "could not tell: {} records cannot be read",
            usage.broken
        ));
    }
    for (role, calls) in &usage.unknown_roles {
        notes.push(format!(
            "could not tell: {} by holders of `{role}`, a role that the configuration does not have",
            style::count(*calls, "call")
        ));
    }
    if usage.unexplained > 0 {
        notes.push(format!(
            "could not tell: {} that the grants of the roles held today do not explain: they were decided by another configuration, or not enforced",
            style::count(usage.unexplained, "call")
        ));
    }
}

fn quoted(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
    texts.join(", ")
}

const SECONDS_OF_DAY: u64 = 86_400;
