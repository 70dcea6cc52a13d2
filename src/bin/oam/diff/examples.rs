//! An example for each line, judged by both gateways as `oam explain` does it.

use databricks_oam_filter::audit::record::words;
use databricks_oam_filter::authorize::passage::Passage;
use databricks_oam_filter::authorize::{Decision, Verdict};
use databricks_oam_filter::comparison::Sides;
use databricks_oam_filter::comparison::samples::SampleRequest;
use databricks_oam_filter::databricks::Operation;
use databricks_oam_filter::request::mcp;
use databricks_oam_filter::time::UnixTime;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Configured;
use super::lines::{Context, Line};
use super::places::Where;
use super::search::{ChangeKind, Found, Sender};
use crate::cli::Unreadable;
use crate::cli::gateway::{Gateway, Shown};

/// One line, with its example.
pub(super) struct Change {
    pub(super) kind: ChangeKind,
    pub(super) who: Vec<String>,
    pub(super) issuers: Vec<String>,
    pub(super) workspaces: Vec<String>,
    pub(super) is_narrow: bool,
    pub(super) scopes: Vec<String>,
    pub(super) what: Vec<String>,
    pub(super) operations: Vec<&'static str>,
    pub(super) paths: Vec<String>,
    /// Absent where no single request shows it.
    pub(super) example: Option<Example>,
}

/// A request that the two judge differently.
#[derive(Serialize)]
pub(super) struct Example {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<String>,
    /// The claims of the caller's token; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) claims: Option<Map<String, Value>>,
    /// Why each side judges as it does.
    pub(super) old: Opinion,
    pub(super) new: Opinion,
}

/// What one side says.
#[derive(Serialize)]
pub(super) struct Opinion {
    pub(super) decision: &'static str,
    pub(super) mode: &'static str,
    pub(super) reason: &'static str,
}

impl Change {
    pub(super) fn of(
        line: &Line<'_>,
        context: &Context<'_, '_, '_>,
        sides: &Sides<Configured>,
        now: UnixTime,
    ) -> Result<Self, Unreadable> {
        let mut example = None;
        let mut tried: Vec<&&Found> = line.found.iter().collect();
        tried.sort_by_key(|found| context.shown(found).map(order));
        for found in tried.into_iter().take(MOST_TRIED) {
            example = Example::of(found, context, sides, now)?;
            if example.is_some() {
                break;
            }
        }
        Ok(Self {
            kind: line.kind,
            who: line.who.clone(),
            issuers: line.issuers.clone(),
            workspaces: line.workspaces.clone(),
            is_narrow: line.is_narrow,
            scopes: line.scopes.clone(),
            what: line.items.words(),
            operations: line.items.operations.iter().copied().collect(),
            paths: line.items.paths.keys().cloned().collect(),
            example,
        })
    }
}

impl<'r> Context<'_, '_, 'r> {
    /// The request of a difference that people understand best.
    fn shown(&self, found: &Found) -> Option<Sent<'r>> {
        let class = self.classes.get(found.class)?;
        let members = class.members.iter();
        let members = members.filter_map(|member| self.requests.get(*member).copied());
        members.min_by_key(|sent| order(*sent))
    }
}

/// A sample request, and its operation.
type Sent<'r> = (&'r SampleRequest, Option<&'static Operation>);

/// Operations as they are written before other spellings, calls before permissions on them, short
/// paths before long ones.
fn order((request, operation): Sent<'_>) -> (bool, bool, bool, usize) {
    let is_aside = operation.is_some_and(|operation| operation.template.contains("/permissions/"));
    let ends_in_slash = request.path.ends_with('/');
    (
        !request.is_plain,
        is_aside,
        ends_in_slash,
        request.path.len(),
    )
}

impl Example {
    /// The example of one difference, if both gateways judge it as was found.
    fn of(
        found: &Found,
        context: &Context<'_, '_, '_>,
        sides: &Sides<Configured>,
        now: UnixTime,
    ) -> Result<Option<Self>, Unreadable> {
        let request = context.shown(found);
        let (Some((request, operation)), Some(place)) = (request, context.places.get(found.place))
        else {
            return Ok(None);
        };
        let template = operation.map(|operation| operation.template);
        let url = place.url(&with_workspace(&request.path, template, place));
        let mut headers = place.headers();
        headers.extend(tool_headers(request));
        let authorizers = context.comparison.sides();
        let (shown, claims) = match found.who {
            Sender::Person(number) => {
                let Some(person) = context.people.get(number) else {
                    return Ok(None);
                };
                let scopes: Vec<&str> = found.scopes.iter().map(String::as_str).collect();
                let claims = person.claims(authorizers, &scopes);
                (Shown::Claims(claims.clone()), Some(claims))
            }
            Sender::Nobody => (Shown::Nothing, None),
            Sender::Static(class) => {
                headers.push(("authorization".to_owned(), class.example().to_owned()));
                (Shown::Nothing, None)
            }
        };
        let judge = |gateway: &Gateway| {
            let request = gateway.request(&request.method, &url, &headers, &shown, now)?;
            gateway.decide(&request, |decision| {
                (Opinion::of(decision), passage(decision))
            })
        };
        let (old, old_passage) = judge(&sides.old.gateway)?;
        let (new, new_passage) = judge(&sides.new.gateway)?;
        let judged = Sides {
            old: old_passage,
            new: new_passage,
        };
        Ok((judged == found.passages).then(|| Self {
            method: request.method.to_string(),
            url,
            headers: headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect(),
            claims,
            old,
            new,
        }))
    }
}

impl Opinion {
    pub(super) fn of(decision: &Decision<'_>) -> Self {
        let (word, reason) = words(&decision.verdict);
        let is_shadowed = matches!(decision.verdict, Verdict::Shadow(..));
        Self {
            decision: word,
            mode: if is_shadowed { "shadow" } else { "enforce" },
            reason,
        }
    }
}

/// Whether a request that was decided so goes upstream.
pub(super) const fn passage(decision: &Decision<'_>) -> Passage {
    match &decision.verdict {
        Verdict::Deny(_) => Passage::Refused,
        Verdict::Shadow(..) => Passage::Shadowed,
        Verdict::Allow(_) | Verdict::Describe(_) | Verdict::Introduce(_) | Verdict::Return(_) => {
            Passage::Passes
        }
    }
}

/// A path with the workspace's own ID where it names one.
fn with_workspace(path: &str, template: Option<&str>, place: &Where) -> String {
    let (Some(template), Some(id)) = (template, &place.id) else {
        return path.to_owned();
    };
    let parts = path.split('/').zip(template.split('/'));
    let filled = parts.map(|(text, name)| {
        if name.starts_with("{workspace") && name.ends_with("id}") {
            id
        } else {
            text
        }
    });
    let filled: Vec<&str> = filled.collect();
    let rest = path.split('/').skip(filled.len());
    filled.into_iter().chain(rest).collect::<Vec<_>>().join("/")
}

/// The headers that name an MCP call.
fn tool_headers(request: &SampleRequest) -> Vec<(String, String)> {
    let Some(tool) = &request.tool else {
        return Vec::new();
    };
    let mut headers = vec![
        ("mcp-protocol-version".to_owned(), mcp::VERSION.to_owned()),
        ("mcp-method".to_owned(), tool.method.to_string()),
    ];
    let name = tool.name.iter();
    headers.extend(name.map(|name| ("mcp-name".to_owned(), mcp::encoded(name))));
    headers
}

/// Differences of one line of which an example is sought.
const MOST_TRIED: usize = 20;
