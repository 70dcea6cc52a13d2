//! What roles grant, and which of it was used.
//!
//! A record names the roles that its caller holds, and what these grant together. Of one role that
//! is as much as every record of somebody who holds it shows: exactly what it grants once
//! somebody holds it alone. Without roles, the same of the scopes in each client's tokens.

use std::collections::{BTreeMap, BTreeSet};

use databricks_oam_filter::databricks::scope;
use databricks_oam_filter::databricks::{Catalogue, Operation};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::records::{Record, Text, beginning, shown};
use super::counts::{FewTexts, Frequent, Occurrences, Outcome};
use super::names::{Name, Names};
use super::seen::{Seen, or_empty};
use super::table::{Counted, LeftOut, Table};

/// Counts what grants are used for.
pub(super) struct GrantUses {
    holders: Table<(HolderKind, Name), Holder>,
}

/// What holds grants.
#[derive(Clone, Copy, Debug, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HolderKind {
    /// A role of the configuration.
    Role,
    /// A client, where no role is held: what its tokens carry.
    Client,
}

#[derive(Default)]
struct Holder {
    occurrences: Occurrences,
    subjects: FewTexts,
    /// By configuration.
    granted: BTreeMap<Name, Granted>,
    /// The scopes that allowed requests needed.
    scopes: BTreeMap<Name, Occurrences>,
    /// The operations of those that needed what the catalogue says.
    operations: BTreeMap<Name, Occurrences>,
}

/// What is granted under one configuration, as far as records show.
struct Granted {
    occurrences: Occurrences,
    /// Whether somebody held it without any other role.
    is_alone: bool,
    grants: Vec<Box<str>>,
}

/// Grants and their use.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct GrantReport {
    /// Roles, and clients that hold none, by name.
    pub(super) holders: Vec<HolderRow>,
    pub(super) left_out: LeftOut,
}

/// A role or a client.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct HolderRow {
    pub(super) kind: HolderKind,
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
    /// Who held it.
    pub(super) subjects: Vec<Frequent>,
    /// Whether nobody held it without other roles: then some grants may be those of the others.
    pub(super) only_beside_others: bool,
    pub(super) grants: Vec<GrantRow>,
}

/// One grant of one role.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct GrantRow {
    pub(super) grant: String,
    /// The records of callers who had it.
    pub(super) granted: Occurrences,
    /// Allowed requests that needed it, or a part of it; 0 records: it was never used.
    pub(super) used: Occurrences,
    /// What they needed.
    pub(super) used_as: Vec<String>,
}

impl GrantUses {
    pub(super) fn new() -> Self {
        Self {
            holders: Table::of_at_most(MOST_HOLDERS),
        }
    }

    pub(super) fn add(&mut self, seen: &Seen<'_>, names: &mut Names) {
        let record = seen.record;
        if record.issuer.is_none() {
            return;
        }
        for role in &record.roles {
            let key = (HolderKind::Role, names.of(role.as_str()));
            let grants = record
                .role_grants
                .as_ref()
                .unwrap_or(&record.effective_scopes);
            let holder = self.holders.row(key);
            holder.add(seen, grants, record.roles.len() == 1, names);
        }
        if let (true, Some(client)) = (
            record.roles.is_empty() && !record.effective_scopes.is_empty(),
            &record.client,
        ) {
            let key = (HolderKind::Client, names.of(client.as_str()));
            let grants = record
                .token_scopes
                .as_ref()
                .unwrap_or(&record.effective_scopes);
            self.holders.row(key).add(seen, grants, true, names);
        }
    }

    pub(super) fn finish(self, names: &Names) -> GrantReport {
        let (mut holders, left_out) = self.holders.finish();
        holders.sort_by_key(|((kind, name), _)| (*kind, names.text(*name).to_owned()));
        let operations = operations();
        let row = |((kind, name), holder): &((HolderKind, Name), Holder)| HolderRow {
            kind: *kind,
            name: names.text(*name).to_owned(),
            occurrences: holder.occurrences,
            subjects: holder.subjects.finish(),
            only_beside_others: !holder.granted.values().any(|granted| granted.is_alone),
            grants: holder.rows(names, &operations),
        };
        GrantReport {
            holders: holders.iter().map(row).collect(),
            left_out,
        }
    }
}

impl Holder {
    fn add(&mut self, seen: &Seen<'_>, grants: &[Text<'_>], is_alone: bool, names: &mut Names) {
        let record = seen.record;
        self.occurrences.add(seen.time);
        self.subjects
            .add(or_empty(record.subject.as_ref()), MOST_TEXTS);
        let granted = self.under(seen.config, grants);
        granted.occurrences.add(seen.time);
        granted.is_alone |= is_alone;
        granted.keep(grants);
        if seen.outcome == Outcome::Allowed {
            self.add_use(record, seen, names);
        }
    }

    fn add_use(&mut self, record: &Record<'_>, seen: &Seen<'_>, names: &mut Names) {
        for scope in &record.required_scopes {
            count(&mut self.scopes, names.of(scope.as_str()), seen);
        }
        if record.rule.is_none() && !seen.operation.is_none() {
            count(&mut self.operations, seen.operation, seen);
        }
    }

    /// What is known to be granted under a configuration.
    fn under(&mut self, config: Name, grants: &[Text<'_>]) -> &mut Granted {
        if self.granted.len() >= MOST_CONFIGS && !self.granted.contains_key(&config) {
            self.granted.pop_first();
        }
        let texts = || {
            grants
                .iter()
                .take(MOST_GRANTS)
                .map(|grant| beginning(grant.as_str()).into())
        };
        self.granted.entry(config).or_insert_with(|| Granted {
            occurrences: Occurrences::default(),
            is_alone: false,
            grants: texts().collect(),
        })
    }

    fn rows(&self, names: &Names, operations: &Operations) -> Vec<GrantRow> {
        let all = self.granted.values().flat_map(|granted| &granted.grants);
        let all: BTreeSet<&str> = all.map(|grant| &**grant).collect();
        all.into_iter()
            .map(|grant| self.row(grant, names, operations))
            .collect()
    }

    fn row(&self, grant: &str, names: &Names, operations: &Operations) -> GrantRow {
        let mut row = GrantRow {
            grant: shown(grant).into(),
            granted: Occurrences::default(),
            used: Occurrences::default(),
            used_as: Vec::new(),
        };
        let holds = |granted: &&Granted| granted.grants.iter().any(|held| **held == *grant);
        for granted in self.granted.values().filter(holds) {
            row.granted.merge(&granted.occurrences);
        }
        for (name, occurrences) in &self.scopes {
            let scope = names.text(*name);
            if scope::implies(grant, scope) {
                row.add_use(scope, occurrences);
            }
        }
        if row.used.records == 0 {
            // A grant of a part of an area implies no scope of the area, and covers operations.
            for (name, occurrences) in &self.operations {
                let name = names.text(*name);
                let all = operations.get(name).into_iter().flatten();
                if all.copied().any(|operation| is_needed(grant, operation)) {
                    row.add_use(name, occurrences);
                }
            }
        }
        row.used_as.sort_unstable();
        row
    }
}

impl GrantRow {
    fn add_use(&mut self, name: &str, occurrences: &Occurrences) {
        self.used.merge(occurrences);
        if self.used_as.len() < MOST_TEXTS {
            self.used_as.push(name.to_owned());
        }
    }
}

impl Granted {
    /// Keeps of the grants those that another record has too.
    fn keep(&mut self, others: &[Text<'_>]) {
        let mut position = 0_usize;
        self.grants.retain(|grant| {
            let is = |other: &Text<'_>| beginning(other.as_str()) == &**grant;
            // Lists of the same roles have the same order.
            let stays = others.get(position).is_some_and(is) || others.iter().any(is);
            position = position.saturating_add(1);
            stays
        });
    }
}

fn count(uses: &mut BTreeMap<Name, Occurrences>, name: Name, seen: &Seen<'_>) {
    if uses.len() < MOST_USES || uses.contains_key(&name) {
        uses.entry(name).or_default().add(seen.time);
    }
}

/// The operations of each name.
type Operations = BTreeMap<&'static str, Vec<&'static Operation>>;

fn operations() -> Operations {
    let mut operations = Operations::new();
    for operation in Catalogue::shared().operations() {
        operations
            .entry(operation.name)
            .or_default()
            .push(operation);
    }
    operations
}

fn is_needed(grant: &str, operation: &Operation) -> bool {
    !operation.area().is_empty() && scope::covers(grant, operation)
}

impl Counted for Holder {
    fn records(&self) -> u64 {
        self.occurrences.records
    }
}

/// Roles come from configurations, clients from valid tokens. A row has a few kilobytes.
const MOST_HOLDERS: usize = 2_000;

/// Configurations under which a role's grants are kept apart: the last so many.
const MOST_CONFIGS: usize = 8;

/// More scopes than there are areas.
const MOST_GRANTS: usize = 100;

/// More operations than anybody uses, and of the scopes all.
const MOST_USES: usize = 500;

const MOST_TEXTS: usize = 8;
