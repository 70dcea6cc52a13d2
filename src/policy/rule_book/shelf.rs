//! The rules of one place in the index, sorted by what they are narrowed to.
//!
//! Operators write one rule for each issuer, or for each MCP tool, of one path. A request asks for
//! those of its own issuer and tool alone, so that it costs the same however many there are.

use crate::by_name::ByName;
use crate::databricks;
use crate::path::template::{Segment, Template};
use crate::request::mcp::Tool;

use super::super::reading;
use super::super::rule::{Rule, Tools};

/// The places of rules whose paths differ in no more than version, case and trailing slash.
#[derive(Default)]
pub(super) struct Shelf {
    open: Vec<usize>,
    narrowed: Option<Box<Narrowed>>,
}

#[derive(Default)]
struct Narrowed {
    /// Rules for certain issuers, by each of them.
    by_issuer: ByName<Vec<usize>>,
    /// Rules for named MCP tools, by each name.
    by_tool: ByName<Vec<usize>>,
    /// Of the rules for named tools, one of each kind: a request that does not name its tool is
    /// refused for any of them.
    unknown: Vec<usize>,
}

impl Shelf {
    /// Puts a place of this rule in. `is_alike` says of an earlier place whether the same requests
    /// are refused for it when they do not name their tool.
    pub(super) fn put(&mut self, place: usize, rule: &Rule, is_alike: impl Fn(usize) -> bool) {
        let names = match &rule.mcp {
            Some(Tools { names, .. }) => names.as_ref(),
            None => None,
        };
        if let Some(names) = names {
            let narrowed = self.narrowed.get_or_insert_default();
            for name in names {
                add(&mut narrowed.by_tool, name, place);
            }
            if !narrowed.unknown.iter().any(|&other| is_alike(other)) {
                narrowed.unknown.push(place);
            }
        } else if let Some(issuers) = &rule.issuers {
            let narrowed = self.narrowed.get_or_insert_default();
            for issuer in issuers {
                add(&mut narrowed.by_issuer, issuer, place);
            }
        } else {
            self.open.push(place);
        }
    }

    /// Visits the places of rules that may be for this tool and this issuer.
    pub(super) fn visit(&self, tool: Tool<'_>, issuer: Option<&str>, take: impl FnMut(usize)) {
        let Some(narrowed) = &self.narrowed else {
            return self.open.iter().copied().for_each(take);
        };
        let of_issuer = issuer.and_then(|issuer| narrowed.by_issuer.get(issuer));
        let of_tool = match tool {
            Tool::Known { name, .. } => name.and_then(|name| narrowed.by_tool.get(name)),
            Tool::Unknown => Some(&narrowed.unknown),
        };
        let lists = [Some(&self.open), of_issuer, of_tool];
        lists
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .for_each(take);
    }

    /// Every place, some more than once.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> {
        let narrowed = self.narrowed.iter().flat_map(|narrowed| {
            let by_issuer = narrowed.by_issuer.values();
            by_issuer.chain(narrowed.by_tool.values()).flatten()
        });
        self.open.iter().chain(narrowed).copied()
    }
}

fn add(lists: &mut ByName<Vec<usize>>, name: &str, place: usize) {
    lists.update(name, Vec::new, |places| places.push(place));
}

/// Where the shelf of a template is, whatever its version of the API, its case and its trailing
/// slash.
pub(super) fn segments_of(template: &Template) -> Vec<Segment> {
    let segments = match template.segments() {
        [segments @ .., Segment::Literal(last)] if last.is_empty() && !segments.is_empty() => {
            segments
        }
        segments => segments,
    };
    let is_api = segments.first().is_some_and(reading::may_be_api);
    let shelved = |(position, segment): (usize, &Segment)| match segment {
        Segment::Literal(text) if is_api && position == 1 && databricks::is_version(text) => {
            Segment::Name
        }
        Segment::Literal(text) => Segment::Literal(text.to_ascii_lowercase().into()),
        Segment::Verb(text) => Segment::Verb(text.to_ascii_lowercase().into()),
        Segment::Name => Segment::Name,
        Segment::Rest => Segment::Rest,
    };
    segments.iter().enumerate().map(shelved).collect()
}
