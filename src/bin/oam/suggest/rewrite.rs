//! The configuration with other grants, written as it was: everything else in the file stays, down
//! to the comments.
//!
//! The text is changed where the grants stand, and read once more. Where that is not what was
//! meant, as with anchors or a configuration within a string, the configuration alone is printed.

use std::path::Path;

use serde_json::{Value, json};
use serde_saphyr::Spanned;

use super::grants::{NarrowedPolicy, NarrowedRole};
use crate::cli::surroundings::Layout;
use crate::cli::{Unreadable, carrier, file};

/// The result.
pub(super) struct Rewritten {
    pub(super) text: String,
    /// The plugin configuration alone, in JSON.
    pub(super) configuration: String,
    pub(super) notes: Vec<String>,
}

/// A part of a text, and what to put there.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

impl Rewritten {
    /// Writes new grants into a file whose configuration is `text`.
    pub(super) fn of(
        path: &Path,
        text: &str,
        narrowed: &NarrowedPolicy,
    ) -> Result<Self, Unreadable> {
        let configuration: Value = serde_json::from_str(text).unwrap_or_default();
        let wanted = with_grants(&configuration, narrowed);
        let path = carrier::file_of(path);
        let bytes = file::read(&path)?;
        let written = String::from_utf8(bytes).ok();
        let edited = written.and_then(|written| in_place(&written, &configuration, narrowed));
        let expected = |edited: &String| {
            let documents = file::documents_in(edited);
            documents.is_some_and(|documents| documents.iter().any(|value| holds(value, &wanted)))
        };
        let configuration = serde_json::to_string(&wanted).unwrap_or_default();
        if let Some(text) = edited.filter(expected) {
            return Ok(Self {
                text,
                configuration,
                notes: Vec::new(),
            });
        }
        let text = serde_json::to_string_pretty(&wanted).unwrap_or_default() + "\n";
        let note = "the grants could not be changed in place: this is the plugin configuration alone, as JSON, without comments";
        Ok(Self {
            text,
            configuration,
            notes: vec![note.to_owned()],
        })
    }
}

fn with_grants(configuration: &Value, narrowed: &NarrowedPolicy) -> Value {
    let mut configuration = configuration.clone();
    let roles = configuration.get_mut("roles").and_then(Value::as_array_mut);
    for (role, narrowed) in roles.into_iter().flatten().zip(&narrowed.roles) {
        let Some(grants) = role.get_mut("grants") else {
            continue;
        };
        let was = grants.as_array().into_iter().flatten();
        let was = was.filter_map(Value::as_str);
        let is: Vec<&String> = was.flat_map(|name| narrowed.replaced(name)).collect();
        *grants = json!(is);
    }
    configuration
}

/// Whether a value is this one, or has it somewhere.
fn holds(value: &Value, wanted: &Value) -> bool {
    value == wanted
        || match value {
            Value::Array(items) => items.iter().any(|item| holds(item, wanted)),
            Value::Object(members) => members.values().any(|member| holds(member, wanted)),
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => false,
        }
}

/// The text with the grants changed where they stand.
fn in_place(text: &str, configuration: &Value, narrowed: &NarrowedPolicy) -> Option<String> {
    let values = file::documents_in(text)?;
    let layouts = serde_saphyr::from_multiple::<Spanned<Layout>>(text).ok()?;
    if values.len() != layouts.len() {
        return None;
    }
    let mut documents = values.iter().zip(&layouts);
    let roles = documents.find_map(|(value, layout)| find(value, layout, configuration))?;
    let mut edits = Vec::new();
    let Layout::Items(roles) = &roles.value else {
        return None;
    };
    for (role, narrowed) in roles.iter().zip(&narrowed.roles) {
        let grants = member(&role.value, "grants")?;
        let Layout::Items(items) = &grants.value else {
            return None;
        };
        edits.extend(of_list(text, items, narrowed)?);
    }
    edits.sort_by_key(|edit| edit.start);
    let mut changed = String::with_capacity(text.len());
    let mut end = 0;
    for edit in edits {
        changed.push_str(text.get(end..edit.start)?);
        changed.push_str(&edit.text);
        end = edit.end;
    }
    changed.push_str(text.get(end..)?);
    Some(changed)
}

/// Where the roles of this configuration stand.
fn find<'l>(
    value: &Value,
    layout: &'l Spanned<Layout>,
    configuration: &Value,
) -> Option<&'l Spanned<Layout>> {
    if value == configuration {
        return member(&layout.value, "roles");
    }
    match (value, &layout.value) {
        (Value::Array(items), Layout::Items(layouts)) => {
            let mut items = items.iter().zip(layouts);
            items.find_map(|(item, layout)| find(item, layout, configuration))
        }
        (Value::Object(_), Layout::Members(members)) => members
            .iter()
            .find_map(|(name, layout)| find(value.get(name)?, layout, configuration)),
        _ => None,
    }
}

fn member<'l>(layout: &'l Layout, name: &str) -> Option<&'l Spanned<Layout>> {
    let Layout::Members(members) = layout else {
        return None;
    };
    let found = members.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value)
}

/// A grant, and where it stands.
struct Item<'t> {
    start: usize,
    end: usize,
    name: &'t str,
}

impl<'t> Item<'t> {
    fn of(text: &'t str, item: &Spanned<Layout>) -> Option<Self> {
        let span = item.referenced.span();
        let start = usize::try_from(span.byte_offset()?).ok()?;
        let length = usize::try_from(span.byte_len()?).ok()?;
        let end = start.checked_add(length)?;
        let name = text.get(start..end)?.trim_matches(['"', '\'']);
        Some(Self { start, end, name })
    }
}

/// The edits of one list of grants.
fn of_list(text: &str, items: &[Spanned<Layout>], role: &NarrowedRole) -> Option<Vec<Edit>> {
    let items = items.iter().map(|item| Item::of(text, item));
    let items: Vec<Item<'_>> = items.collect::<Option<_>>()?;
    let (Some(first), Some(last)) = (items.first(), items.last()) else {
        return Some(Vec::new());
    };
    let is_same = |item: &Item<'_>| role.replaced(item.name) == [item.name];
    if items.iter().all(is_same) {
        return Some(Vec::new());
    }
    let written = items.iter().flat_map(|item| role.replaced(item.name));
    let written: Vec<String> = written.map(quoted).collect();
    let before = text.get(..first.start)?.trim_end();
    let dash = before.strip_suffix('-');
    match dash {
        Some(before) if written.is_empty() => Some(vec![Edit {
            start: before.len(),
            end: last.end,
            text: "[]".to_owned(),
        }]),
        Some(before) => {
            let indent = before.rsplit('\n').next().unwrap_or_default();
            items
                .iter()
                .map(|item| of_line(text, item, role, indent))
                .collect()
        }
        None => Some(vec![Edit {
            start: first.start,
            end: last.end,
            text: written.join(", "),
        }]),
    }
}

/// The edit of an item on a line of its own, which keeps the comment behind it.
fn of_line(text: &str, item: &Item<'_>, role: &NarrowedRole, indent: &str) -> Option<Edit> {
    let scopes = role.replaced(item.name);
    let written: Vec<String> = scopes.iter().map(quoted).collect();
    if !written.is_empty() {
        let is_same = scopes == [item.name];
        let own = text.get(item.start..item.end)?.to_owned();
        return Some(Edit {
            start: item.start,
            end: item.end,
            text: if is_same {
                own
            } else {
                written.join(&format!("\n{indent}- "))
            },
        });
    }
    let before = text.get(..item.start)?;
    let start = before.rfind('\n').map_or(0, |end| end.saturating_add(1));
    let behind = text.get(item.end..)?;
    let rest = behind.find('\n');
    let rest = rest.map_or(behind.len(), |end| end.saturating_add(1));
    Some(Edit {
        start,
        end: item.end.saturating_add(rest),
        text: String::new(),
    })
}

/// A scope as JSON and YAML both write it.
fn quoted(scope: &String) -> String {
    json!(scope).to_string()
}
