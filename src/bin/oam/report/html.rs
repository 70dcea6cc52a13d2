//! A report as a page: one file without scripts, which needs no network and can be printed.

use askama::Template;

use super::chart::{self, Chart};
use super::tally::Report;
use super::view::{self, Section};

/// The page, with no more than so many rows in each table.
pub(super) fn write(report: &Report) -> Result<String, askama::Error> {
    let outcomes = &report.outcomes;
    let figure = |class, what, number| LargeFigure {
        class,
        what,
        number: view::number(number),
    };
    let tokens = u64::try_from(report.static_tokens.rows.len()).unwrap_or(u64::MAX);
    let page = Page {
        title: view::title(report),
        version: env!("CARGO_PKG_VERSION"),
        figures: vec![
            figure("allowed", "allowed", outcomes.allowed),
            figure("observed", "let through unverified", outcomes.observed),
            figure("refused", "refused", outcomes.refused),
            figure("shadowed", "let through in shadow mode", outcomes.shadowed),
            figure("observed", "static tokens", tokens),
            figure("refused", "records missing", report.sequence.missing),
        ],
        charts: chart::charts(&report.days),
        sections: view::sections(report, MOST_ROWS),
    };
    page.render()
}

/// What `templates/report.html` shows. All of it is escaped there.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    version: &'static str,
    figures: Vec<LargeFigure>,
    charts: Vec<Chart>,
    sections: Vec<Section>,
}

/// One number that stands large.
struct LargeFigure {
    class: &'static str,
    what: &'static str,
    number: String,
}

/// What a browser lays out in a second, and a person prints.
const MOST_ROWS: usize = 1000;
