//! What was refused, to whom and why; and the same for what shadow mode let through.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::super::records::shown;
use super::counts::Occurrences;
use super::names::{Name, Names};
use super::seen::Seen;
use super::table::{Counted, LeftOut, Table};
use super::who::{Caller, Who};

/// Counts refusals of one kind.
pub(super) struct RefusalCounts {
    rows: Table<Key, Refused>,
    /// These are counted whatever the table has room for.
    reasons: BTreeMap<Name, Occurrences>,
    operations: BTreeMap<Name, Occurrences>,
    rules: BTreeMap<Name, Occurrences>,
}

/// What is counted together.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Key {
    who: Who,
    reason: Name,
    operation: Name,
    rule: Name,
    workspace: Name,
}

#[derive(Default)]
struct Refused {
    occurrences: Occurrences,
    /// The last one's ID, by which the record is found.
    decision_id: String,
    /// What the last one would have needed.
    required_scopes: Vec<String>,
    /// Where there is no operation.
    path: String,
}

/// Refusals, or what would be refused.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Refusals {
    /// By reason; exact.
    pub(super) by_reason: Vec<Grouped>,
    /// By the rule that decided; exact. What the catalogue or the roles refuse has none.
    pub(super) by_rule: Vec<Grouped>,
    /// By operation; exact. Requests that no operation matches have none.
    pub(super) by_operation: Vec<Grouped>,
    /// By caller: the sums of `rows`.
    pub(super) by_caller: Vec<RefusedCaller>,
    /// By caller, reason, operation, rule and workspace, the most frequent first.
    pub(super) rows: Vec<Refusal>,
    pub(super) left_out: LeftOut,
}

/// The refusals that have one thing in common.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Grouped {
    /// The reason, the rule or the operation; absent where there is none.
    pub(super) name: Option<String>,
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
    /// Different callers among `rows`.
    pub(super) callers: usize,
}

/// The refusals of one caller.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct RefusedCaller {
    pub(super) caller: Caller,
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
    pub(super) reasons: Vec<String>,
}

/// What was refused to one caller for one reason.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Refusal {
    pub(super) caller: Caller,
    pub(super) reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operation: Option<String>,
    /// The path of the last such request, where it is no operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workspace: Option<String>,
    /// What the operation needs.
    pub(super) required_scopes: Vec<String>,
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
    /// Of the last record.
    pub(super) decision_id: String,
}

impl RefusalCounts {
    pub(super) fn new() -> Self {
        Self {
            rows: Table::of_at_most(MOST_ROWS),
            reasons: BTreeMap::new(),
            operations: BTreeMap::new(),
            rules: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, seen: &Seen<'_>, names: &mut Names) {
        let record = seen.record;
        let key = Key {
            who: seen.who.clone(),
            reason: names.of(record.reason.as_str()),
            operation: seen.operation,
            rule: names.of_optional(record.rule.as_ref()),
            workspace: seen.workspace,
        };
        for (sums, name) in [
            (&mut self.reasons, key.reason),
            (&mut self.operations, key.operation),
            (&mut self.rules, key.rule),
        ] {
            sums.entry(name).or_default().add(seen.time);
        }
        let has_operation = !key.operation.is_none();
        let row = self.rows.row(key);
        let is_last = seen.time >= row.occurrences.last;
        row.occurrences.add(seen.time);
        if is_last {
            row.decision_id = shown(record.decision_id.as_str()).into();
            row.required_scopes = record
                .required_scopes
                .iter()
                .take(MOST_SCOPES)
                .map(|scope| shown(scope.as_str()).into())
                .collect();
            if !has_operation {
                row.path = shown(record.path.as_str()).into();
            }
        }
    }

    pub(super) fn finish(self, names: &Names) -> Refusals {
        let (rows, left_out) = self.rows.finish();
        let by = |sums: &BTreeMap<Name, Occurrences>, part: fn(&Key) -> Name| {
            let mut callers: BTreeMap<Name, BTreeSet<&Who>> = BTreeMap::new();
            for (key, _) in &rows {
                callers.entry(part(key)).or_default().insert(&key.who);
            }
            let group = |(name, occurrences): (&Name, &Occurrences)| Grouped {
                name: names.optional(*name),
                occurrences: *occurrences,
                callers: callers.get(name).map_or(0, BTreeSet::len),
            };
            let mut groups: Vec<Grouped> = sums.iter().map(group).collect();
            groups.sort_by(|a, b| {
                (b.occurrences.records, &a.name).cmp(&(a.occurrences.records, &b.name))
            });
            groups
        };
        Refusals {
            by_reason: by(&self.reasons, |key| key.reason),
            by_rule: by(&self.rules, |key| key.rule),
            by_operation: by(&self.operations, |key| key.operation),
            by_caller: by_caller(&rows, names),
            rows: rows
                .iter()
                .map(|(key, row)| row.refusal(key, names))
                .collect(),
            left_out,
        }
    }
}

/// The sums of each caller's rows.
fn by_caller(rows: &[(Key, Refused)], names: &Names) -> Vec<RefusedCaller> {
    let mut callers: BTreeMap<&Who, (Occurrences, BTreeSet<Name>)> = BTreeMap::new();
    for (key, row) in rows {
        let (occurrences, reasons) = callers.entry(&key.who).or_default();
        occurrences.merge(&row.occurrences);
        reasons.insert(key.reason);
    }
    let refused_caller =
        |(who, (occurrences, reasons)): (&Who, (Occurrences, BTreeSet<Name>))| RefusedCaller {
            caller: who.caller(names),
            occurrences,
            reasons: reasons
                .into_iter()
                .map(|reason| names.text(reason).to_owned())
                .collect(),
        };
    let mut refused: Vec<RefusedCaller> = callers.into_iter().map(refused_caller).collect();
    refused.sort_by(|a, b| {
        (b.occurrences.records, &a.caller).cmp(&(a.occurrences.records, &b.caller))
    });
    refused
}

impl Refused {
    fn refusal(&self, key: &Key, names: &Names) -> Refusal {
        Refusal {
            caller: key.who.caller(names),
            reason: names.text(key.reason).to_owned(),
            operation: names.optional(key.operation),
            path: (!self.path.is_empty()).then(|| self.path.clone()),
            rule: names.optional(key.rule),
            workspace: names.optional(key.workspace),
            required_scopes: self.required_scopes.clone(),
            occurrences: self.occurrences,
            decision_id: self.decision_id.clone(),
        }
    }
}

impl Counted for Refused {
    fn records(&self) -> u64 {
        self.occurrences.records
    }
}

/// Whoever is refused chooses who they claim to be. A row has half a kilobyte, or two with texts as
/// long as they can be.
const MOST_ROWS: usize = 15_000;

/// Rules may require any number; a report shows a few.
const MOST_SCOPES: usize = 8;
