//! Who did what in which workspace: all that went upstream.

use std::collections::BTreeMap;

use databricks_oam_filter::databricks::operation::Mark;
use databricks_oam_filter::databricks::{Access, Catalogue, Operation};
use schemars::JsonSchema;
use serde::Serialize;

use super::counts::Occurrences;
use super::names::{Name, Names};
use super::seen::Seen;
use super::table::{Counted, LeftOut, Table};
use super::who::{Caller, Who};

/// Counts requests that went upstream.
pub(super) struct Work {
    rows: Table<(Name, Who, Name), Worked>,
}

#[derive(Default)]
struct Worked(Occurrences);

/// What went upstream to one workspace.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct WorkspaceUse {
    /// Its ID; absent for requests that name none.
    pub(super) workspace: Option<String>,
    pub(super) records: u64,
    /// What runs code first, then what changes something, then what reads.
    pub(super) rows: Vec<CallerUse>,
}

/// One operation by one caller.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct CallerUse {
    /// What the operation does.
    pub(super) effect: EffectKind,
    /// Absent for requests that match none.
    pub(super) operation: Option<String>,
    pub(super) caller: Caller,
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
}

/// What an operation does, by the catalogue.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EffectKind {
    /// Runs code of the caller's choice: jobs, commands, statements.
    RunsCode,
    /// Changes something.
    Changes,
    /// Reads.
    Reads,
    /// In no catalogue.
    Unknown,
}

impl Work {
    pub(super) fn new() -> Self {
        Self {
            rows: Table::of_at_most(MOST_ROWS),
        }
    }

    pub(super) fn add(&mut self, seen: Seen<'_>) {
        if seen.outcome.went_upstream() {
            let key = (seen.workspace, seen.who, seen.operation);
            self.rows.row(key).0.add(seen.time);
        }
    }

    pub(super) fn finish(self, names: &Names) -> (Vec<WorkspaceUse>, LeftOut) {
        let (rows, left_out) = self.rows.finish();
        let effects = effects();
        let mut workspaces: BTreeMap<Option<String>, Vec<CallerUse>> = BTreeMap::new();
        for ((workspace, who, operation), Worked(occurrences)) in rows {
            let operation = names.optional(operation);
            let effect = operation.as_deref().and_then(|name| effects.get(name));
            workspaces
                .entry(names.optional(workspace))
                .or_default()
                .push(CallerUse {
                    effect: effect.copied().unwrap_or(EffectKind::Unknown),
                    operation,
                    caller: who.caller(names),
                    occurrences,
                });
        }
        let used = |(workspace, mut rows): (_, Vec<CallerUse>)| {
            // The rows of one kind stay in their order: the most frequent first.
            rows.sort_by_key(|row| row.effect);
            let sum = |sum: u64, row: &CallerUse| sum.saturating_add(row.occurrences.records);
            WorkspaceUse {
                workspace,
                records: rows.iter().fold(0, sum),
                rows,
            }
        };
        (workspaces.into_iter().map(used).collect(), left_out)
    }
}

/// What each operation of the catalogue does; of several of one name what does the most.
fn effects() -> BTreeMap<&'static str, EffectKind> {
    let mut effects = BTreeMap::new();
    for operation in Catalogue::shared().operations() {
        let effect = EffectKind::of(operation);
        let known = effects.entry(operation.name).or_insert(effect);
        *known = effect.min(*known);
    }
    effects
}

impl EffectKind {
    fn of(operation: &Operation) -> Self {
        match operation.access {
            _ if operation.marks.has(Mark::RunsCode) => Self::RunsCode,
            Access::Write => Self::Changes,
            Access::Read => Self::Reads,
        }
    }

    /// As a heading.
    pub(super) const fn heading(self) -> &'static str {
        match self {
            Self::RunsCode => "runs code",
            Self::Changes => "changes",
            Self::Reads => "reads",
            Self::Unknown => "not in the catalogue",
        }
    }
}

impl Counted for Worked {
    fn records(&self) -> u64 {
        self.0.records
    }
}

/// A thousand people with fifty operations each. A row has 150 bytes, and half a kilobyte in the
/// report.
const MOST_ROWS: usize = 50_000;
