//! Who used what, what was refused, and what is granted.

use std::collections::BTreeMap;

use super::super::super::grants::{GrantReport, GrantRow, HolderKind, HolderRow};
use super::super::super::refusals::{Grouped, Refusal, Refusals, RefusedCaller};
use super::super::super::tokens::{StaticToken, StaticTokens};
use super::super::Column::{self, Key, Number, Text, Words};
use super::super::words::{count, first, frequent, last, left_out, named, number, outcomes};
use super::super::{Grid, Section};

pub(in super::super) fn static_tokens(tokens: &StaticTokens, most: usize) -> Section {
    let mut section = Section::new("static-tokens", "Static tokens");
    let rows = &tokens.rows;
    if rows.is_empty() {
        section.say("No record has a static token.");
        return section;
    }
    let used = rows
        .iter()
        .filter(|row| row.outcomes.went_upstream() > 0)
        .count();
    section.say(format!(
        "{} were shown; {used} of them went upstream.",
        count(length(rows), "static token")
    ));
    let months = by_month(rows);
    // Enough on the page, and few on a terminal.
    let named = most / 4;
    let cells = |row: &MonthRow<'_>| row.cells(named);
    section.show(Grid::of("By month", MONTHS, &months, most, cells));
    section.show(Grid::of(
        "By token",
        TOKENS,
        rows,
        most,
        |row: &StaticToken| {
            let fingerprint = row.fingerprint.as_deref().unwrap_or("no fingerprint");
            let leaked = if row.leaked {
                "\nleaked: revoke it"
            } else {
                ""
            };
            let months = row.months.iter();
            let months = months.map(|(month, records)| format!("\n{month}: {}", number(*records)));
            let months = months.collect::<String>();
            vec![
                format!("{}\n{fingerprint}{leaked}", row.credential),
                format!(
                    "{}\nlast {}{months}",
                    outcomes(&row.outcomes),
                    last(&row.occurrences)
                ),
                format!(
                    "{}\n{}",
                    frequent(&row.user_agents),
                    frequent(&row.addresses)
                ),
                format!("{}\n{}", frequent(&row.operations), workspace_list(row)),
            ]
        },
    ));
    section.note("A fingerprint names a token without holding it. The user agent is what the client says of itself.");
    section.notes.extend(left_out(&tokens.left_out));
    section
}

/// The static tokens of one month.
struct MonthRow<'r> {
    month: &'r str,
    records: u64,
    /// Fingerprints, or classes where there is none; those with the most records first.
    tokens: Vec<(&'r str, u64)>,
}

/// The latest month first.
fn by_month(rows: &[StaticToken]) -> Vec<MonthRow<'_>> {
    let mut months: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
    for row in rows {
        let name = row.fingerprint.as_ref().unwrap_or(&row.credential);
        for (month, records) in &row.months {
            months.entry(month).or_default().push((name, *records));
        }
    }
    let months = months.into_iter().rev();
    months
        .map(|(month, tokens)| MonthRow::of(month, tokens))
        .collect()
}

impl<'r> MonthRow<'r> {
    fn of(month: &'r str, mut tokens: Vec<(&'r str, u64)>) -> Self {
        tokens.sort_by_key(|(_, records)| std::cmp::Reverse(*records));
        let records = tokens.iter().map(|(_, records)| *records);
        Self {
            month,
            records: records.fold(0, u64::saturating_add),
            tokens,
        }
    }

    /// With the names of no more than so many tokens.
    fn cells(&self, most: usize) -> Vec<String> {
        let named = self.tokens.iter().take(most);
        let mut which: Vec<String> = named
            .map(|(name, records)| format!("{name} ({})", number(*records)))
            .collect();
        let more = self.tokens.len().saturating_sub(most);
        if more > 0 {
            which.push(format!("{more} more"));
        }
        vec![
            self.month.to_owned(),
            number(length(&self.tokens)),
            number(self.records),
            which.join("\n"),
        ]
    }
}

fn workspace_list(row: &StaticToken) -> String {
    let line = |workspace: &_| format!("workspace {}", frequent(std::slice::from_ref(workspace)));
    row.workspaces
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

pub(in super::super) fn refused(refusals: &Refusals, most: usize) -> Section {
    let mut section = Section::new("refused", "Refused: what, to whom and why");
    if refusals.by_reason.is_empty() {
        section.say("Nothing was refused.");
        return section;
    }
    let callers = count(length(&refusals.by_caller), "caller");
    section.say(format!(
        "{} of {callers}.",
        count(sum(&refusals.by_reason), "request")
    ));
    show_refusals(&mut section, refusals, most);
    section.note("Callers that are `unverified` are named by tokens that were refused: anybody can write such a name.");
    section
}

pub(in super::super) fn shadowed(refusals: &Refusals, most: usize) -> Section {
    let mut section = Section::new("shadowed", "What would break if it were enforced");
    if refusals.by_reason.is_empty() {
        section.say("Nothing was let through in shadow mode that enforcement would refuse.");
        return section;
    }
    let callers = count(length(&refusals.by_caller), "caller");
    section.say(format!(
        "{} of {callers} went upstream in shadow mode alone.",
        count(sum(&refusals.by_reason), "request")
    ));
    section.show(grouped("By rule", "rule", &refusals.by_rule, most));
    show_refusals(&mut section, refusals, most);
    section.note(
        "A rule of `none` is the catalogue or the roles, in the shadow mode of the whole policy.",
    );
    section
}

fn show_refusals(section: &mut Section, refusals: &Refusals, most: usize) {
    section.show(grouped("By reason", "reason", &refusals.by_reason, most));
    section.show(Grid::of(
        "By caller",
        REFUSED_CALLERS,
        &refusals.by_caller,
        most,
        |row: &RefusedCaller| {
            vec![
                row.caller.line(),
                number(row.occurrences.records),
                row.reasons.join("\n"),
                last(&row.occurrences),
            ]
        },
    ));
    section.show(grouped(
        "By operation",
        "operation",
        &refusals.by_operation,
        most,
    ));
    section.show(Grid::of(
        "One by one",
        REFUSALS,
        &refusals.rows,
        most,
        |row: &Refusal| {
            vec![
                row.caller.line(),
                row.reason.clone(),
                requested(row),
                number(row.occurrences.records),
                last(&row.occurrences),
                row.decision_id.clone(),
            ]
        },
    ));
    section.notes.extend(left_out(&refusals.left_out));
}

fn grouped(title: &'static str, what: &'static str, groups: &[Grouped], most: usize) -> Grid {
    let columns = match what {
        "reason" => BY_REASON,
        "rule" => BY_RULE,
        _ => BY_OPERATION,
    };
    Grid::of(title, columns, groups, most, |group: &Grouped| {
        let callers = u64::try_from(group.callers).unwrap_or(u64::MAX);
        vec![
            named(group.name.as_ref()),
            number(group.occurrences.records),
            number(callers),
            first(&group.occurrences),
            last(&group.occurrences),
        ]
    })
}

/// The requested operation, what it requires, and which rule decided.
fn requested(row: &Refusal) -> String {
    let mut text = row
        .operation
        .as_ref()
        .or(row.path.as_ref())
        .cloned()
        .unwrap_or_default();
    if !row.required_scopes.is_empty() {
        text.extend(["\nneeds ", &row.required_scopes.join(" ")]);
    }
    for (what, name) in [("rule", &row.rule), ("workspace", &row.workspace)] {
        if let Some(name) = name {
            text.extend(["\n", what, " ", name]);
        }
    }
    text
}

pub(in super::super) fn grants(grants: &GrantReport, most: usize) -> Section {
    let mut section = Section::new("grants", "What is granted, and what was used");
    let all: Vec<(&HolderRow, &GrantRow)> = grants
        .holders
        .iter()
        .flat_map(|holder| holder.grants.iter().map(move |grant| (holder, grant)))
        .collect();
    if all.is_empty() {
        section.say("No record tells of grants.");
        return section;
    }
    let (unused, used): (Vec<_>, Vec<_>) = all
        .iter()
        .copied()
        .partition(|(_, grant)| grant.used.records == 0);
    section.say(format!(
        "{} of {} were never used.",
        unused.len(),
        count(length(&all), "grant")
    ));
    section.show(Grid::of(
        "Granted and never used",
        UNUSED,
        &unused,
        most,
        |(holder, grant)| {
            vec![
                holder_name(holder),
                grant.grant.clone(),
                number(grant.granted.records),
                last(&grant.granted),
                frequent(&holder.subjects),
            ]
        },
    ));
    section.show(Grid::of("Used", USED, &used, most, |(holder, grant)| {
        vec![
            holder_name(holder),
            grant.grant.clone(),
            grant.used_as.join("\n"),
            number(grant.used.records),
            last(&grant.used),
        ]
    }));
    section.note("Records tell what callers held who called. A role that none of them holds, and what is granted to it, is in no record: `oam suggest` reads the configuration too. What was not used in this time may still be needed, once a year for example.");
    section.note("A grant that shows as used was needed by a request that it covers; another role may have covered that too. Of a role that is held beside others alone, some grants may be those of the others.");
    section.notes.extend(left_out(&grants.left_out));
    section
}

fn holder_name(holder: &HolderRow) -> String {
    let beside = if holder.only_beside_others {
        "\n(held beside others)"
    } else {
        ""
    };
    match holder.kind {
        HolderKind::Role => format!("role {}{beside}", holder.name),
        HolderKind::Client => format!("client {}", holder.name),
    }
}

pub(super) fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

fn sum(groups: &[Grouped]) -> u64 {
    groups
        .iter()
        .map(|group| group.occurrences.records)
        .fold(0, u64::saturating_add)
}

const MONTHS: &[Column] = &[
    Key("month"),
    Number("tokens"),
    Number("records"),
    Key("which"),
];
const TOKENS: &[Column] = &[Key("token"), Words("records"), Text("by"), Text("for")];
const BY_REASON: &[Column] = &[
    Words("reason"),
    Number("records"),
    Number("callers"),
    Key("first"),
    Key("last"),
];
const BY_RULE: &[Column] = &[
    Text("rule"),
    Number("records"),
    Number("callers"),
    Key("first"),
    Key("last"),
];
const BY_OPERATION: &[Column] = &[
    Text("operation"),
    Number("records"),
    Number("callers"),
    Key("first"),
    Key("last"),
];
const REFUSED_CALLERS: &[Column] = &[
    Text("caller"),
    Number("records"),
    Words("reasons"),
    Key("last"),
];
const REFUSALS: &[Column] = &[
    Text("caller"),
    Words("reason"),
    Text("requested"),
    Number("records"),
    Key("last"),
    Key("its decision"),
];
const UNUSED: &[Column] = &[
    Text("role or client"),
    Text("grant"),
    Number("held in records"),
    Key("last held"),
    Text("by"),
];
const USED: &[Column] = &[
    Text("role or client"),
    Text("grant"),
    Text("needed as"),
    Number("records"),
    Key("last"),
];
