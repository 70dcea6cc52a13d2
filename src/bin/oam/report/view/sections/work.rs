//! What agents did, and who did what where.

use std::collections::BTreeMap;

use super::super::super::agents::{AgentReport, AgentRow, CallRow};
use super::super::super::counts::Occurrences;
use super::super::super::tally::Report;
use super::super::super::workspaces::{CallerUse, EffectKind};
use super::super::Column::{self, Key, Number, Text};
use super::super::words::{count, first, frequent, last, left_out, named, number, outcomes};
use super::super::{Grid, Section};
use super::access::length;

pub(in super::super) fn agents(report: &AgentReport, most: usize) -> Section {
    let mut section = Section::new("agents", "Agents and MCP calls");
    if report.agents.is_empty() && report.calls.is_empty() {
        section.say("No record names an actor or an MCP call.");
        return section;
    }
    section.say(format!(
        "{}, {}.",
        count(length(&report.agents), "agent"),
        count(length(&report.calls), "different call")
    ));
    section.show(Grid::of(
        "Agents",
        AGENTS,
        &report.agents,
        most,
        |row: &AgentRow| {
            let earlier = match frequent(&row.earlier_actors) {
                none if none.is_empty() => none,
                earlier => format!("\nbefore it: {earlier}"),
            };
            vec![
                format!("{}{earlier}", row.actor),
                outcomes(&row.outcomes),
                frequent(&row.subjects),
                frequent(&row.operations),
                last(&row.occurrences),
            ]
        },
    ));
    section.show(Grid::of(
        "MCP calls",
        CALLS,
        &report.calls,
        most,
        |row: &CallRow| {
            vec![
                row.call.clone(),
                named(row.caller.as_ref()),
                outcomes(&row.outcomes),
                frequent(&row.subjects),
                last(&row.occurrences),
            ]
        },
    ));
    section.note("An agent is the actor of a delegated token; an MCP call without one is listed by its client. The tool's name is from the request's headers, which the server holds against the body.");
    section.notes.extend(
        [&report.agents_left_out, &report.calls_left_out]
            .into_iter()
            .filter_map(left_out),
    );
    section
}

pub(in super::super) fn workspaces(report: &Report, most: usize) -> Section {
    let mut section = Section::new("workspaces", "Who did what in which workspace");
    if report.workspaces.is_empty() {
        section.say("No request went upstream.");
    }
    for workspace in &report.workspaces {
        let name = workspace.workspace.as_deref();
        let name = name.map_or_else(
            || "No workspace named".to_owned(),
            |id| format!("Workspace {id}"),
        );
        let title = format!(
            "{name}: {} that went upstream",
            count(workspace.records, "request")
        );
        let operations = by_operation(&workspace.rows);
        section.show(Grid::of(
            title,
            OPERATIONS,
            &operations,
            most,
            OperationRow::cells,
        ));
        section.show(Grid::of(
            format!("{name}, by caller"),
            WORK,
            &workspace.rows,
            most,
            |row: &CallerUse| {
                vec![
                    row.effect.heading().to_owned(),
                    named(row.operation.as_ref()),
                    row.caller.line(),
                    number(row.occurrences.records),
                    first(&row.occurrences),
                    last(&row.occurrences),
                ]
            },
        ));
    }
    section.note("What runs code comes first, then what changes something, then what reads.");
    section.notes.extend(left_out(&report.workspaces_left_out));
    section
}

/// One operation in one workspace.
struct OperationRow<'r> {
    effect: EffectKind,
    operation: Option<&'r String>,
    callers: u64,
    occurrences: Occurrences,
}

/// The operations in the order of their effects, the most frequent of each first. However many
/// callers there are, each operation is on the page.
fn by_operation(rows: &[CallerUse]) -> Vec<OperationRow<'_>> {
    let mut operations = BTreeMap::new();
    for row in rows {
        let key = (row.effect, row.operation.as_ref());
        let operation = operations.entry(key).or_insert(OperationRow {
            effect: row.effect,
            operation: row.operation.as_ref(),
            callers: 0,
            occurrences: Occurrences::default(),
        });
        operation.callers = operation.callers.saturating_add(1);
        operation.occurrences.merge(&row.occurrences);
    }
    let mut operations: Vec<OperationRow<'_>> = operations.into_values().collect();
    operations.sort_by_key(|row| (row.effect, std::cmp::Reverse(row.occurrences.records)));
    operations
}

impl OperationRow<'_> {
    fn cells(&self) -> Vec<String> {
        vec![
            self.effect.heading().to_owned(),
            named(self.operation),
            number(self.occurrences.records),
            number(self.callers),
            last(&self.occurrences),
        ]
    }
}

const OPERATIONS: &[Column] = &[
    Text("effect"),
    Text("operation"),
    Number("records"),
    Number("callers"),
    Key("last"),
];
const AGENTS: &[Column] = &[
    Text("agent"),
    Text("records"),
    Text("for"),
    Text("operations"),
    Key("last"),
];
const CALLS: &[Column] = &[
    Text("call"),
    Text("by"),
    Text("records"),
    Text("for"),
    Key("last"),
];
const WORK: &[Column] = &[
    Text("effect"),
    Text("operation"),
    Text("caller"),
    Number("records"),
    Key("first"),
    Key("last"),
];
