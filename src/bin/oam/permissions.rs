//! `oam permissions`: what one caller may do, operation by operation, and what is missing for the
//! rest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use databricks_oam_filter::authorize::{Decision, Verdict};
use databricks_oam_filter::databricks::operation::OperationRequirement;
use databricks_oam_filter::databricks::{Catalogue, Operation};
use databricks_oam_filter::denial::Denial;
use serde::Serialize;
use serde_json::Value;

use super::gateway::{self, Gateway};
use super::{Said, Unreadable, carrier, explain, style};

pub(super) fn run(arguments: &super::Permissions) -> Result<Said, Unreadable> {
    let gateway = Gateway::open(&arguments.config, &arguments.jwks)?;
    let now = gateway::moment(arguments.at.as_deref())?;
    let shown = explain::shown(&arguments.proof)?;
    let workspace = Workspace::chosen(&carrier::only(&arguments.config)?, arguments)?;
    let (mut rows, mut session) = (Vec::new(), None);
    for operation in Catalogue::shared().operations() {
        if operation.requirement == OperationRequirement::NoToken {
            continue;
        }
        let method = match operation.method {
            "*" => "POST",
            method => method,
        };
        let request = gateway.request(method, &workspace.url(operation), &[], &shown, now)?;
        let mut at_work = match session.take() {
            Some(session) => session,
            None => gateway.session(&request)?,
        };
        rows.push(at_work.decide(&request, |decision| PermissionRow::of(operation, decision))?);
        session = Some(at_work);
    }
    // Whoever shows nothing valid may do nothing, and for one reason.
    let refused = rows
        .iter()
        .all(|row| row.missing == Some(Missing::Authentication));
    rows.sort_by_key(|row| (row.area, row.operation, row.template));
    let text = if arguments.json {
        serde_json::to_string_pretty(&rows).unwrap_or_default() + "\n"
    } else if refused {
        let reason = rows.first().map_or("", |row| row.reason);
        format!("{}: nothing is valid to judge by\n", style::bad(reason))
    } else {
        table(&rows)
    };
    Ok(Said::new(text, !refused))
}

/// The workspace that the calls are for.
struct Workspace {
    host: Option<String>,
    id: String,
}

impl Workspace {
    /// The one that is named, else the configuration's first, if it has any.
    fn chosen(text: &str, arguments: &super::Permissions) -> Result<Self, Unreadable> {
        let configuration: Value = serde_json::from_str(text).unwrap_or_default();
        let all = configuration.get("workspaces").and_then(Value::as_array);
        let id = |entry: &Value| {
            let id = entry.get("id").unwrap_or(&Value::Null);
            id.as_str()
                .map_or_else(|| id.to_string(), ToOwned::to_owned)
        };
        let mut entries = all.into_iter().flatten();
        let chosen = match &arguments.workspace {
            Some(wanted) => {
                let found = entries.find(|entry| id(entry) == *wanted);
                if found.is_none() && all.is_some() {
                    let text = format!("no workspace has the ID `{wanted}` in the configuration");
                    return Err(Unreadable(text));
                }
                found
            }
            None => entries.next(),
        };
        Ok(Self {
            host: chosen.and_then(|entry| Some(entry.pointer("/hosts/0")?.as_str()?.to_owned())),
            id: chosen
                .map(id)
                .or_else(|| arguments.workspace.clone())
                .unwrap_or_else(|| "1".to_owned()),
        })
    }

    /// A URL of the operation here, its names filled in.
    fn url(&self, operation: &Operation) -> String {
        let fill = |segment: &str| {
            let Some((before, rest)) = segment.split_once('{') else {
                return segment.to_owned();
            };
            let (name, behind) = rest.split_once('}').unwrap_or((rest, ""));
            let value = if name.starts_with("workspace") {
                &self.id
            } else {
                "1"
            };
            [before, value, behind].concat()
        };
        let path: Vec<String> = operation.template.split('/').map(fill).collect();
        let path = path.join("/");
        match &self.host {
            Some(host) => format!("https://{host}{path}"),
            None => path,
        }
    }
}

/// What is missing.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
enum Missing {
    /// Anything to judge by.
    Authentication,
    /// A rule denies it, or none opens it.
    Rule,
    Role,
    Scope,
}

/// One operation.
#[derive(Serialize)]
struct PermissionRow {
    area: &'static str,
    operation: &'static str,
    method: &'static str,
    template: &'static str,
    allowed: bool,
    missing: Option<Missing>,
    reason: &'static str,
    required_scopes: Vec<String>,
    /// The roles that would do.
    roles: Vec<String>,
}

impl PermissionRow {
    fn of(operation: &'static Operation, decision: &Decision<'_>) -> Self {
        let (denial, allowed) = match &decision.verdict {
            Verdict::Deny(denial) => (Some(denial), false),
            Verdict::Shadow(denial, _) => (Some(denial), true),
            Verdict::Allow(_)
            | Verdict::Describe(_)
            | Verdict::Introduce(_)
            | Verdict::Return(_) => (None, true),
        };
        let evidence = &decision.evidence;
        Self {
            area: operation.area(),
            operation: operation.name,
            method: operation.method,
            template: operation.template,
            allowed,
            missing: denial.map(|denial| Missing::by(denial, evidence.token.is_some())),
            reason: denial.map_or("permitted", Denial::code),
            required_scopes: evidence.required_scopes().map(ToOwned::to_owned).collect(),
            roles: evidence
                .granting_roles
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }
}

impl Missing {
    fn by(denial: &Denial, is_known: bool) -> Self {
        let is_scope = matches!(denial, Denial::InsufficientScope);
        let is_role = matches!(
            denial,
            Denial::NoRole | Denial::RoleLacksScope | Denial::WorkspaceNotGranted
        );
        match (is_scope, is_role, is_known) {
            (true, _, _) => Self::Scope,
            (false, true, _) => Self::Role,
            (false, false, true) => Self::Rule,
            (false, false, false) => Self::Authentication,
        }
    }
}

/// By area: what is allowed, and for the rest what is missing.
fn table(rows: &[PermissionRow]) -> String {
    let mut areas: BTreeMap<&str, Vec<&PermissionRow>> = BTreeMap::new();
    for row in rows {
        areas.entry(row.area).or_default().push(row);
    }
    let mut text = String::new();
    for (area, rows) in areas {
        let allowed = rows.iter().filter(|row| row.allowed).count();
        let figure = format!("{allowed} of {}", rows.len());
        let figure = match allowed {
            0 => style::bad(figure),
            all if all == rows.len() => style::good(figure),
            _ => style::warning(figure),
        };
        let area = if area.is_empty() {
            "for any valid token"
        } else {
            area
        };
        let _ = writeln!(text, "{area}: {figure}");
        let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for row in rows {
            let names = groups.entry(row.label()).or_default();
            if !names.contains(&row.operation) {
                names.push(row.operation);
            }
        }
        for (label, names) in groups {
            let _ = writeln!(text, "  {label}: {}", names.join(" "));
        }
    }
    text
}

impl PermissionRow {
    /// What the operations of one line have in common.
    fn label(&self) -> String {
        let scopes = self.required_scopes.join(" ");
        let roles = match self.roles.join(" or ") {
            none if none.is_empty() => String::new(),
            roles => format!(" ({roles} would do)"),
        };
        match self.missing {
            None => "allowed".to_owned(),
            Some(_) if self.allowed => format!("allowed in shadow mode ({})", self.reason),
            Some(Missing::Scope) => format!("missing: the scope {scopes} in the token"),
            Some(Missing::Role) => format!("missing: a role that grants {scopes}{roles}"),
            Some(Missing::Rule | Missing::Authentication) => format!("refused: {}", self.reason),
        }
    }
}
