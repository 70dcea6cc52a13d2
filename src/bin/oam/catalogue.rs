//! `oam catalogue`: the operations of the Databricks API.

use std::fmt::Write as _;

use databricks_oam_filter::databricks::{Catalogue, Lookup, Mark, Operation, scope};
use databricks_oam_filter::path::Path;
use serde::Serialize;

use super::{Said, style};

pub(super) fn run(arguments: &super::Catalogue) -> Said {
    let found = find(&arguments.search);
    let any = !found.is_empty();
    if arguments.json {
        let rows: Vec<Row> = found.into_iter().map(Row::of).collect();
        let text = serde_json::to_string_pretty(&rows).unwrap_or_default();
        return Said::new(format!("{text}\n"), any);
    }
    Said::new(table(&found), any)
}

fn find(words: &[String]) -> Vec<&'static Operation> {
    let catalogue = Catalogue::shared();
    if let [method, target] = words
        && target.starts_with('/')
        && let Ok(path) = Path::parse(target.split('?').next().unwrap_or_default().as_bytes())
        && let Lookup::Found(operation) = catalogue.find(&method.to_ascii_uppercase(), &path)
    {
        return vec![operation];
    }
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let has_all = |operation: &&Operation| {
        let line = line(operation).join(" ").to_lowercase();
        words.iter().all(|word| line.contains(word))
    };
    let mut found: Vec<&Operation> = catalogue.operations().iter().filter(has_all).collect();
    found.sort_by_key(|operation| (operation.name, operation.template));
    found
}

/// An operation for machines.
#[derive(Serialize)]
struct Row {
    name: &'static str,
    method: &'static str,
    template: &'static str,
    area: &'static str,
    access: &'static str,
    level: &'static str,
    scope: Option<&'static str>,
    marks: Vec<&'static str>,
}

impl Row {
    fn of(operation: &Operation) -> Self {
        Self {
            name: operation.name,
            method: operation.method,
            template: operation.template,
            area: operation.area(),
            access: operation.access.as_str(),
            level: operation.level.as_str(),
            scope: scope::required(operation),
            marks: operation.marks.iter().map(Mark::as_str).collect(),
        }
    }
}

/// Name, scope, method, path, level, marks.
fn line(operation: &Operation) -> [String; 6] {
    let marks: Vec<&str> = operation.marks.iter().map(Mark::as_str).collect();
    [
        operation.name.to_owned(),
        scope::required(operation).unwrap_or("-").to_owned(),
        operation.method.to_owned(),
        operation.template.to_owned(),
        operation.level.as_str().to_owned(),
        marks.join(","),
    ]
}

fn table(operations: &[&Operation]) -> String {
    let lines: Vec<[String; 6]> = operations.iter().map(|operation| line(operation)).collect();
    let width = |column: usize| {
        let lengths = lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(String::len);
        lengths.max().unwrap_or_default()
    };
    let (names, scopes, methods, paths) = (width(0), width(1), width(2), width(3));
    let mut text = String::new();
    for [name, scope, method, path, level, marks] in &lines {
        let row = format!(
            "{name:<names$}  {scope:<scopes$}  {method:<methods$}  {path:<paths$}  {level} {marks}"
        );
        let _ = writeln!(text, "{}", row.trim_end());
    }
    let _ = writeln!(
        text,
        "{}",
        style::dim(style::count(lines.len(), "operation"))
    );
    text
}
