//! `oam diff`: what changes for whom between two configurations.

mod callers;
mod examples;
mod items;
mod lines;
mod others;
mod places;
mod print;
mod replay;
mod search;

use std::path::Path;

use databricks_oam_filter::comparison::samples;
use databricks_oam_filter::comparison::{Comparison, Sides};
use databricks_oam_filter::databricks::Catalogue;
use databricks_oam_filter::time::UnixTime;
use serde_json::Value;

use super::gateway::{self, Gateway};
use super::{Said, Unreadable, carrier};
use callers::People;
use examples::Change;
use lines::Context;
use places::Where;
use replay::Replayed;
use search::{ChangeKind, Search};

/// What a difference must be to make the answer no.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum FailOn {
    /// Any difference at all, other settings among them
    Any,
    /// Something goes upstream no longer
    LostAccess,
    /// Something goes upstream that did not
    NewAccess,
}

pub(super) fn run(arguments: &super::Diff) -> Result<Said, Unreadable> {
    let sides = Sides {
        old: Configured::open(&arguments.old)?,
        new: Configured::open(&arguments.new)?,
    };
    let now = gateway::moment(None)?;
    let mut report = DiffReport::of(&sides, now)?;
    if !arguments.records.is_empty() {
        report.replayed = Some(Replayed::of(&sides, &arguments.records)?);
    }
    let yes = !arguments.fail_on.is_some_and(|on| report.has(on));
    let text = if arguments.json {
        report.json()
    } else if arguments.markdown {
        report.markdown()
    } else {
        report.text()
    };
    Ok(Said::new(text, yes))
}

/// One configuration.
struct Configured {
    gateway: Gateway,
    /// The same as it was written.
    written: Value,
}

impl Configured {
    fn open(path: &Path) -> Result<Self, Unreadable> {
        let text = carrier::only(path)?;
        Ok(Self {
            gateway: Gateway::open(path, &[])?,
            written: serde_json::from_str(&text).unwrap_or_default(),
        })
    }
}

/// Everything that changes.
struct DiffReport {
    changes: Vec<Change>,
    others: Vec<String>,
    not_compared: Vec<String>,
    replayed: Option<Replayed>,
}

impl DiffReport {
    fn of(sides: &Sides<Configured>, now: UnixTime) -> Result<Self, Unreadable> {
        let authorizers = sides.as_ref().map(|side| &side.gateway.authorizer);
        let written = sides.as_ref().map(|side| &side.written);
        let comparison = Comparison::new(authorizers.old, authorizers.new);
        let requests = samples::of(authorizers, Catalogue::shared().operations().iter());
        let classes = comparison.classes(&requests);
        let people = People::of(authorizers, now);
        let places = Where::all(written);
        let search = Search {
            comparison: &comparison,
            classes: &classes,
            people: &people.all,
            places: &places,
            now,
        };
        let found = search.all();
        let operations = requests.iter();
        let operations: Vec<_> = operations
            .map(|request| (request, items::operation(request)))
            .collect();
        let context = Context {
            comparison: &comparison,
            requests: &operations,
            classes: &classes,
            people: &people.all,
            places: &places,
        };
        let mut changes = Vec::new();
        for line in context.lines(&found) {
            changes.push(Change::of(&line, &context, sides, now)?);
        }
        Ok(Self {
            changes,
            others: others::of(written),
            not_compared: people.not_compared,
            replayed: None,
        })
    }

    /// Whether there is a difference of this kind.
    fn has(&self, on: FailOn) -> bool {
        let changes = |kind: ChangeKind| self.changes.iter().any(|change| change.kind == kind);
        let calls = |kind: ChangeKind| {
            let replayed = self.replayed.as_ref();
            replayed.is_some_and(|replayed| replayed.has(kind))
        };
        match on {
            FailOn::Any => {
                !self.changes.is_empty()
                    || !self.others.is_empty()
                    || !self.not_compared.is_empty()
                    || self.replayed.as_ref().is_some_and(Replayed::has_any)
            }
            FailOn::LostAccess => changes(ChangeKind::LostAccess) || calls(ChangeKind::LostAccess),
            FailOn::NewAccess => changes(ChangeKind::NewAccess) || calls(ChangeKind::NewAccess),
        }
    }
}
