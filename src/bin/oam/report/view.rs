//! A report as sections of sentences and tables, for people: what text and page have in common.

mod sections;
mod words;

use super::tally::Report;
pub(super) use words::number;

/// One part of a report.
pub(super) struct Section {
    /// As an anchor.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it comes to.
    pub(super) sentences: Vec<String>,
    pub(super) grids: Vec<Grid>,
    /// How it is to be read, and what it cannot show.
    pub(super) notes: Vec<String>,
}

/// A table.
pub(super) struct Grid {
    pub(super) title: String,
    pub(super) columns: &'static [Column],
    /// A cell may have several lines.
    pub(super) rows: Vec<Vec<String>>,
    /// Rows that are not shown.
    pub(super) more: usize,
}

/// A column of a table.
#[derive(Clone, Copy)]
pub(super) enum Column {
    /// Text that people search for: it stays on one line.
    Key(&'static str),
    Number(&'static str),
    Text(&'static str),
    /// Text of short words, as names of reasons, which the page does not break.
    Words(&'static str),
}

impl Column {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Key(name) | Self::Number(name) | Self::Text(name) | Self::Words(name) => name,
        }
    }

    pub(super) const fn is_key(self) -> bool {
        matches!(self, Self::Key(_))
    }

    /// Of the page's cells.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Number(_) => "number",
            Self::Text(_) => "text",
            Self::Words(_) => "words",
        }
    }

    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Number(_))
    }
}

impl Grid {
    /// The first so many items, each as a row.
    pub(super) fn of<T>(
        title: impl Into<String>,
        columns: &'static [Column],
        items: &[T],
        most: usize,
        row: impl Fn(&T) -> Vec<String>,
    ) -> Self {
        Self {
            title: title.into(),
            columns,
            rows: items.iter().take(most).map(row).collect(),
            more: items.len().saturating_sub(most),
        }
    }
}

impl Section {
    const fn new(id: &'static str, title: &'static str) -> Self {
        Self {
            id,
            title,
            sentences: Vec::new(),
            grids: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn say(&mut self, sentence: impl Into<String>) {
        self.sentences.push(sentence.into());
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Adds a table, if it has a row.
    fn show(&mut self, grid: Grid) {
        if !grid.rows.is_empty() {
            self.grids.push(grid);
        }
    }
}

/// All sections, with no more than so many rows in each table.
pub(super) fn sections(report: &Report, most: usize) -> Vec<Section> {
    vec![
        sections::input(report, most),
        sections::sequence(&report.sequence, &report.input, most),
        sections::static_tokens(&report.static_tokens, most),
        sections::refused(&report.refused, most),
        sections::shadowed(&report.shadowed, most),
        sections::grants(&report.grants, most),
        sections::agents(&report.agents, most),
        sections::workspaces(report, most),
    ]
}

/// The title, with the time that the report is about.
pub(super) fn title(report: &Report) -> String {
    let occurrences = &report.input.occurrences;
    let records = words::count(occurrences.records, "record");
    match (occurrences.first, occurrences.last) {
        (Some(first), Some(last)) => {
            let (first, last) = (words::minute(first), words::minute(last));
            format!("Audit report: {records}, {first} to {last} UTC")
        }
        _ => format!("Audit report: {records}"),
    }
}
