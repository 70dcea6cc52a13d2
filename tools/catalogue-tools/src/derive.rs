//! From calls to the list of operations: one operation for one method and resource, with area,
//! access, level and marks.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use databricks_oam_filter::path::template::{Segment, Template};

use crate::call::Call;
use crate::names;
use crate::review;
use crate::rules::Rules;

/// One line of the list.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Row {
    /// The operation's name.
    pub name: String,
    /// The path template.
    pub template: String,
    /// The HTTP method, or `*`.
    pub method: String,
    /// The area, or `any-token` or `no-token`.
    pub area: String,
    /// `read` or `write`.
    pub access: String,
    /// `workspace` or `account`.
    pub level: String,
    /// The marks.
    pub marks: BTreeSet<String>,
    /// What the answer can hold that sounds like a credential or a link.
    pub answers: BTreeSet<String>,
}

impl Row {
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<_> = line.split('\t').map(str::to_owned).collect();
        let [name, method, template, area, access, level, marks] =
            <[String; 7]>::try_from(fields).ok()?;
        let marks = marks
            .split(',')
            .filter(|&mark| mark != "-")
            .map(str::to_owned)
            .collect();
        Some(Self {
            name,
            template,
            method,
            area,
            access,
            level,
            marks,
            answers: BTreeSet::new(),
        })
    }

    /// The row as it is kept.
    pub fn line(&self) -> String {
        let marks: Vec<_> = self.marks.iter().map(String::as_str).collect();
        let marks = if marks.is_empty() {
            "-".to_owned()
        } else {
            marks.join(",")
        };
        let fields = [
            &self.name,
            &self.method,
            &self.template,
            &self.area,
            &self.access,
            &self.level,
            &marks,
        ];
        fields.map(String::as_str).join("\t")
    }
}

/// What was derived.
pub struct Derived {
    /// The operations, in order.
    pub rows: Vec<Row>,
    /// The areas, and whether each is documented.
    pub areas: BTreeMap<String, bool>,
    /// What is wrong, for whoever runs this: each names a call or a line and the remedy.
    pub errors: Vec<String>,
}

impl Derived {
    /// The list as it is kept in `operations.tsv`.
    pub fn operations(&self) -> String {
        self.rows.iter().map(|row| row.line() + "\n").collect()
    }

    /// The list as it is kept in `areas.tsv`.
    pub fn areas(&self) -> String {
        let line = |(area, documented): (&String, &bool)| {
            let documented = if *documented {
                "documented"
            } else {
                "undocumented"
            };
            format!("{area}:read\t{documented}\n")
        };
        self.areas.iter().map(line).collect()
    }
}

/// Derives the list. Where several calls make the same request, the first of the sorted calls names
/// the operation, unless the list kept by hand does.
pub fn derive(mut calls: Vec<Call>, rules: &Rules) -> Derived {
    let mut errors = Vec::new();
    let mut found = BTreeMap::new();
    for line in Rules::by_hand() {
        let row = Row::parse(line).and_then(|row| Some((key(&row.method, &row.template)?, row)));
        match row {
            Some((key, mut row)) => {
                row.marks
                    .extend(rules.marks(&row.name).into_iter().map(str::to_owned));
                if found.insert(key, row).is_some() {
                    errors.push(format!("rules: the same request twice: {line}"));
                }
            }
            None => errors.push(format!("rules: not an operation: {line}")),
        }
    }
    calls.sort_by_cached_key(|call| (rank(call), call.operation(), call.path.clone()));
    for (call, template) in expand(&calls, rules, &mut errors) {
        let Some(key) = key(&call.method, &template) else {
            errors.push(format!("not a template: {template} ({})", call.source));
            continue;
        };
        match found.entry(key) {
            Entry::Occupied(mut entry) => entry.get_mut().answers.extend(call.answers.clone()),
            Entry::Vacant(entry) => match row(call, template, rules) {
                Ok(row) => _ = entry.insert(row),
                Err(error) => errors.push(error),
            },
        }
    }
    let mut rows: Vec<_> = found.into_values().collect();
    rows.sort();
    errors.extend(review::unmarked(&rows, rules));
    errors.extend(
        rules
            .unused()
            .into_iter()
            .map(|line| format!("{line}: no operation of this kind any more")),
    );
    errors.extend(namesakes(&rows));
    let areas = areas(&rows);
    Derived {
        rows,
        areas,
        errors,
    }
}

/// The calls with the templates that they stand for.
pub fn expand<'a>(
    calls: &'a [Call],
    rules: &Rules,
    errors: &mut Vec<String>,
) -> Vec<(&'a Call, String)> {
    let mut expanded = Vec::new();
    errors.extend(names::unsaid(calls, rules));
    for call in calls {
        match names::templates(call, rules) {
            Ok(templates) => {
                expanded.extend(templates.into_iter().map(|template| (call, template)));
            }
            Err(error) => errors.push(error),
        }
    }
    expanded
}

/// What makes two requests the same operation: the method, and the template without version and
/// names.
pub fn key(method: &str, template: &str) -> Option<(String, String)> {
    let parsed = Template::parse(template).ok()?;
    let shape = parsed.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Name => "/{}".to_owned(),
        Segment::Verb(verb) => format!("/{{}}{verb}"),
        Segment::Rest => "/**".to_owned(),
    });
    Some((
        method.to_owned(),
        without_version(&shape.collect::<String>()).to_owned(),
    ))
}

/// A path behind `/api/<version>`, or whole where it has none.
fn without_version(path: &str) -> &str {
    let resource = path
        .strip_prefix("/api/")
        .and_then(|rest| rest.split_once('/'));
    match resource {
        Some((version, resource))
            if version.starts_with(|character: char| character.is_ascii_digit()) =>
        {
            let start = path.len().saturating_sub(resource.len()).saturating_sub(1);
            path.get(start..).unwrap_or(path)
        }
        _ => path,
    }
}

/// Which of several calls that make the same request gives the operation its name: the particular
/// before the general, the plain before the revised, the one that speaks for itself before its
/// proxy.
fn rank(call: &Call) -> (bool, bool, bool) {
    let operation = call.operation();
    let is_other = !call.source.contains("API.");
    let is_general = operation.starts_with("permissions.");
    let is_later =
        operation.contains("-v2.") || operation.ends_with("-v3") || operation.contains("-proxy");
    (is_other, is_general, is_later)
}

/// The call's name; but permissions of one kind of object bear the name of their kind, as those do
/// that have calls of their own.
fn operation_name(call: &Call, template: &str) -> String {
    let name = call.operation();
    let kind = template
        .split_once("/permissions/")
        .filter(|_| matches!(name.split('.').next(), Some("permissions" | "workspace")))
        .and_then(|(_, rest)| rest.split_once("/{"))
        .map(|(kind, _)| kind.replace('/', "-"));
    match (kind, name.split_once('.')) {
        (Some(kind), Some((_, "get" | "set" | "update"))) if !kind.starts_with('{') => {
            format!(
                "{kind}.{}-permissions",
                name.rsplit('.').next().unwrap_or_default()
            )
        }
        (Some(kind), Some((_, call))) if !kind.starts_with('{') => format!("{kind}.{call}"),
        _ => name,
    }
}

fn row(call: &Call, template: String, rules: &Rules) -> Result<Row, String> {
    let name = operation_name(call, &template);
    let Some(area) = rules.area(without_version(&template)) else {
        return Err(format!(
            "{} {template} ({}): add its area to `rules/areas.tsv`",
            call.method, call.source
        ));
    };
    let access = rules.access(&name).unwrap_or(match call.method.as_str() {
        "GET" | "HEAD" => "read",
        _ => "write",
    });
    let level = if template.contains("/accounts/{") {
        "account"
    } else {
        "workspace"
    };
    let mut marks: BTreeSet<_> = rules.marks(&name).into_iter().map(str::to_owned).collect();
    if !area.is_documented {
        marks.insert("undocumented".to_owned());
    }
    Ok(Row {
        name,
        template,
        method: call.method.clone(),
        area: area.area.to_owned(),
        access: access.to_owned(),
        level: level.to_owned(),
        marks,
        answers: call.answers.clone(),
    })
}

/// Names that two unlike operations bear. Several paths of one operation have its area, access and
/// method in common.
fn namesakes(rows: &[Row]) -> Vec<String> {
    // Whoever wrote one of them by hand knows of the other: one operation may be served by the
    // account's host and by the workspace's.
    let by_hand: BTreeSet<String> = Rules::by_hand()
        .filter_map(Row::parse)
        .map(|row| row.template)
        .collect();
    let is_by_hand = |row: &Row| by_hand.contains(&row.template);
    let unlike = |pair: &&[Row]| match pair {
        [left, right] if left.name == right.name => {
            let elsewhere = left.level != right.level && !is_by_hand(left) && !is_by_hand(right);
            left.area != right.area || elsewhere
        }
        _ => false,
    };
    let named = |pair: &[Row]| {
        pair.first()
            .map(|row| format!("{}: two operations have this name", row.name))
    };
    rows.windows(2).filter(unlike).filter_map(named).collect()
}

fn areas(rows: &[Row]) -> BTreeMap<String, bool> {
    let mut areas = BTreeMap::new();
    for row in rows
        .iter()
        .filter(|row| !matches!(row.area.as_str(), "any-token" | "no-token"))
    {
        let documented = areas.entry(row.area.clone()).or_insert(false);
        *documented |= !row.marks.contains("undocumented");
    }
    areas
}

#[cfg(test)]
mod tests;
