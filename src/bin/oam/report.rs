//! `oam report`: what a year of audit records tells an auditor.
//!
//! Records are read one at a time and counted in tables that no caller can make grow without end.

mod agents;
mod chart;
mod counts;
mod days;
mod grants;
mod html;
mod moments;
mod names;
mod refusals;
mod runs;
mod seen;
mod sequence;
mod table;
mod tally;
mod text;
mod tokens;
mod view;
mod who;
mod workspaces;

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use databricks_oam_filter::time::parse_moment;

use super::records::Sources;
use super::{Said, Unreadable};
use tally::{Period, Report, Tally};

/// Arguments of `report`.
#[derive(Args)]
pub(super) struct ReportArguments {
    #[command(flatten)]
    sources: Sources,
    /// Count only records from this moment on: 2026-10-01, or 2026-10-01T06:00:00Z
    #[arg(long, value_name = "RFC3339")]
    since: Option<String>,
    /// Count only records before this moment
    #[arg(long, value_name = "RFC3339")]
    until: Option<String>,
    /// Rows of each table in the text; the page has 1,000, the JSON all
    #[arg(long, value_name = "N", default_value_t = 20)]
    rows: usize,
    /// Also write the report as a page, without scripts
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &ReportArguments) -> Result<Said, Unreadable> {
    let moment = |text: &Option<String>| {
        let moment = text.as_deref().map(parse_moment).transpose();
        moment.map_err(|error| Unreadable(error.to_string()))
    };
    let mut tally = Tally::new(Period {
        since: moment(&arguments.since)?,
        until: moment(&arguments.until)?,
    });
    let reading = arguments.sources.each(&mut |record, place| {
        tally.add(record, place);
        ControlFlow::Continue(())
    })?;
    let report = tally.finish(reading);
    if let Some(path) = &arguments.html {
        let page = html::write(&report).map_err(|error| Unreadable(error.to_string()))?;
        let unwritable = |error| Unreadable(format!("cannot write `{}`: {error}", path.display()));
        std::fs::write(path, page).map_err(unwritable)?;
    }
    let text = if arguments.json {
        serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
    } else {
        text::write(&report, arguments.rows)
    };
    Ok(Said::new(text, report.input.occurrences.records > 0))
}

/// The JSON Schema of what `--json` prints.
pub(super) fn schema() -> String {
    let schema = schemars::schema_for!(Report);
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}
