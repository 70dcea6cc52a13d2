//! A report on a terminal, no wider than 100 columns.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table as TextTable, TableStyle,
};

use super::super::style;
use super::tally::Report;
use super::view::{self, Grid, Section};

/// The text, with no more than so many rows in each table.
pub(super) fn write(report: &Report, most: usize) -> String {
    let mut text = format!("{}\n", style::good(view::title(report)));
    for section in view::sections(report, most) {
        put_section(&mut text, &section);
    }
    text
}

fn put_section(text: &mut String, section: &Section) {
    text.extend(["\n", &style::good(section.title), "\n"]);
    for sentence in &section.sentences {
        put_lines(text, sentence, str::to_owned);
    }
    for grid in &section.grids {
        put_grid(text, grid);
    }
    for note in &section.notes {
        put_lines(text, note, |line| style::dim(line));
    }
}

fn put_grid(text: &mut String, grid: &Grid) {
    let mut table = TextTable::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(grid.columns.iter().map(|column| column.name()))
        .add_rows(&grid.rows);
    for (column, kind) in table.column_iter_mut().zip(grid.columns) {
        if kind.is_number() {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if kind.is_key() {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let lines: Vec<String> = table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    text.extend(["\n", &grid.title, "\n", &lines.concat()]);
    if grid.more > 0 {
        let more = format!("{} more: --rows N, --html or --json shows them", grid.more);
        text.extend([&style::dim(more), "\n"]);
    }
}

/// A sentence on lines that are not too long.
fn put_lines(text: &mut String, sentence: &str, paint: impl Fn(&str) -> String) {
    let mut line = String::new();
    for word in sentence.split(' ') {
        let length = line.chars().count().saturating_add(word.chars().count());
        if !line.is_empty() && length >= usize::from(WIDTH) {
            *text += &(paint(&line) + "\n");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    *text += &(paint(&line) + "\n");
}

/// A line below the names of the columns.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Of a terminal that is not wide.
const WIDTH: u16 = 100;
