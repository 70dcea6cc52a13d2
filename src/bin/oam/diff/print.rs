//! A comparison as people and machines read it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::DiffReport;
use super::examples::{Change, Example, Opinion};
use super::search::ChangeKind;
use crate::cli::style;

impl DiffReport {
    fn is_empty(&self) -> bool {
        let replayed = self.replayed.as_ref();
        self.changes.is_empty()
            && self.others.is_empty()
            && self.not_compared.is_empty()
            && replayed.is_none()
    }

    /// For terminals.
    pub(super) fn text(&self) -> String {
        if self.is_empty() {
            return format!("{NOTHING}\n");
        }
        let mut text = String::new();
        for (kind, title) in KINDS {
            let changes: Vec<&Change> = self.of_kind(kind).collect();
            if !changes.is_empty() {
                let _ = writeln!(text, "{}", painted(kind, title));
            }
            for change in changes {
                let _ = writeln!(text, "  {}", change.words());
                match &change.example {
                    Some(example) => {
                        let _ = writeln!(
                            text,
                            "{}",
                            style::dim(example.text("    e.g. ", "         "))
                        );
                    }
                    None => {
                        let _ = writeln!(text, "    {NO_EXAMPLE}");
                    }
                }
            }
        }
        for (title, lines) in self.lists() {
            if !lines.is_empty() {
                let _ = writeln!(text, "{title}");
            }
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
        }
        text
    }

    /// For a comment on a pull request.
    pub(super) fn markdown(&self) -> String {
        let mut text = "## Access changes\n\n".to_owned();
        if self.is_empty() {
            let _ = writeln!(text, "{NOTHING}");
            return text;
        }
        if self.changes.is_empty() {
            let _ = writeln!(text, "{NO_ACCESS}\n");
        }
        for (kind, title) in KINDS {
            let changes: Vec<&Change> = self.of_kind(kind).collect();
            if !changes.is_empty() {
                let _ = writeln!(text, "### {title}\n");
            }
            for change in &changes {
                let _ = writeln!(text, "- {}", change.words());
                if let Some(example) = &change.example {
                    let summary = example.summary();
                    let _ = writeln!(
                        text,
                        "  <details><summary>Example: {}</summary>\n\n  ```text\n{}\n  ```\n\n  </details>",
                        escaped(&summary),
                        example.text("  ", "  ")
                    );
                }
            }
            if !changes.is_empty() {
                text.push('\n');
            }
        }
        for (title, lines) in self.lists() {
            if !lines.is_empty() {
                let _ = writeln!(text, "### {title}\n");
                for line in &lines {
                    let _ = writeln!(text, "- {line}");
                }
                text.push('\n');
            }
        }
        text
    }

    /// For machines.
    pub(super) fn json(&self) -> String {
        let changes = self.changes.iter().map(Change::json);
        let mut value = json!({
            "changes": changes.collect::<Vec<_>>(),
            "others": self.others,
            "not_compared": self.not_compared,
        });
        if let (Some(replayed), Some(object)) = (&self.replayed, value.as_object_mut()) {
            let groups = replayed.groups.iter().map(|(group, calls)| {
                json!({
                    "kind": group.kind.as_str(), "what": group.what, "roles": group.roles,
                    "old": group.old, "new": group.new, "calls": calls.count,
                    "callers": calls.callers, "last": calls.last, "decision_id": calls.decision_id,
                })
            });
            let replayed = json!({
                "records": replayed.records,
                "not_reproduced": replayed.not_reproduced,
                "lost_calls": replayed.calls(ChangeKind::LostAccess),
                "gained_calls": replayed.calls(ChangeKind::NewAccess),
                "groups": groups.collect::<Vec<_>>(),
            });
            object.insert("replayed".to_owned(), replayed);
        }
        serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"
    }

    fn of_kind(&self, kind: ChangeKind) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.kind == kind)
    }

    /// What is reported beside access, by title.
    fn lists(&self) -> Vec<(&'static str, Vec<String>)> {
        let replayed = self.replayed.iter().flat_map(|replayed| {
            let all = KINDS.into_iter().flat_map(|(kind, title)| {
                let groups = replayed.groups.iter();
                let groups = groups.filter(move |(group, _)| group.kind == kind);
                groups.map(move |(group, calls)| {
                    format!("{}: {}", title.to_lowercase(), group.words(calls))
                })
            });
            let lost = style::count(replayed.calls(ChangeKind::LostAccess), "lost call");
            all.chain([format!("{lost}; {}", replayed.words())])
        });
        vec![
            ("Recorded calls", replayed.collect()),
            ("Other changes", self.others.clone()),
            ("Not compared", self.not_compared.clone()),
        ]
    }
}

impl Change {
    /// In one line.
    fn words(&self) -> String {
        let mut words = format!("{}: {}", self.who.join(", "), self.what.join("; "));
        if !self.workspaces.is_empty() {
            let many = if self.workspaces.len() == 1 { "" } else { "s" };
            let _ = write!(words, ", in workspace{many} {}", self.workspaces.join(", "));
        }
        if !self.issuers.is_empty() {
            let _ = write!(words, ", with tokens of {}", self.issuers.join(", "));
        }
        if self.is_narrow && self.scopes.is_empty() {
            words.push_str(", for tokens that lack the scope");
        } else if self.is_narrow {
            let scopes: Vec<String> = self.scopes.iter().map(|text| format!("`{text}`")).collect();
            let _ = write!(
                words,
                ", for tokens with no more than {}",
                scopes.join(", ")
            );
        }
        words
    }

    fn json(&self) -> Value {
        json!({
            "kind": self.kind.as_str(), "who": self.who, "issuers": self.issuers,
            "workspaces": self.workspaces, "lacks_scopes": self.is_narrow, "scopes": self.scopes,
            "what": self.what,
            "operations": self.operations, "paths": self.paths, "example": self.example,
        })
    }
}

impl Example {
    fn summary(&self) -> String {
        let Self {
            method,
            url,
            old,
            new,
            ..
        } = self;
        format!("{method} {url}, {} → {}", old.words(), new.words())
    }

    /// The request and its caller, as `oam explain` takes them.
    fn text(&self, first: &str, indent: &str) -> String {
        let mut lines = vec![format!("{first}{}", self.summary())];
        lines.extend(
            self.headers
                .iter()
                .map(|header| format!("{indent}{header}")),
        );
        let claims = self.claims.as_ref();
        let claims = claims.map(|claims| Value::Object(claims.clone()));
        lines.extend(claims.map(|claims| format!("{indent}claims {claims}")));
        lines.join("\n")
    }
}

impl Opinion {
    fn words(&self) -> String {
        let shadow = if self.mode == "shadow" {
            ", not enforced"
        } else {
            ""
        };
        format!("{} ({}{shadow})", self.decision, self.reason)
    }
}

fn painted(kind: ChangeKind, title: &str) -> String {
    match kind {
        ChangeKind::NewAccess => style::warning(title),
        ChangeKind::LostAccess => style::bad(title),
        ChangeKind::NewlyShadowed | ChangeKind::NoLongerShadowed => style::dim(title),
    }
}

/// A text in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

const KINDS: [(ChangeKind, &str); 4] = [
    (ChangeKind::NewAccess, "New access"),
    (ChangeKind::LostAccess, "Lost access"),
    (
        ChangeKind::NewlyShadowed,
        "Would be refused now, if enforced",
    ),
    (
        ChangeKind::NoLongerShadowed,
        "Would no longer be refused, if enforced",
    ),
];

const NOTHING: &str = "No difference: the same requests pass for the same callers, and every other setting is the same.";

const NO_ACCESS: &str = "The same requests pass for the same callers.";

const NO_EXAMPLE: &str = "no single request shows it";
