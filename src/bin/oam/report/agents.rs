//! Agents, for whom they act, and the MCP calls that they and other clients make.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::records::shown;
use super::counts::{FewTexts, Frequent, Occurrences, Outcomes};
use super::names::{Name, Names};
use super::seen::{Seen, or_empty};
use super::table::{Counted, LeftOut, Table};

/// Counts what agents did.
pub(super) struct AgentCounts {
    agents: Table<Agent, AgentWork>,
    calls: Table<(Agent, Box<str>), AgentWork>,
}

/// The actor of a delegated token, or the client that calls an MCP server without one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Agent {
    issuer: Name,
    actor: Name,
    client: Name,
}

#[derive(Default)]
struct AgentWork {
    occurrences: Occurrences,
    outcomes: Outcomes,
    subjects: FewTexts,
    earlier_actors: FewTexts,
    operations: FewTexts,
}

/// Agents and MCP calls.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct AgentReport {
    /// Whoever acts for a subject (`actor`), the most active first.
    pub(super) agents: Vec<AgentRow>,
    pub(super) agents_left_out: LeftOut,
    /// MCP calls by agent, or by client where no agent is named.
    pub(super) calls: Vec<CallRow>,
    pub(super) calls_left_out: LeftOut,
}

/// One agent.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct AgentRow {
    /// The `actor` of its tokens.
    pub(super) actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issuer: Option<String>,
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
    pub(super) outcomes: Outcomes,
    /// For whom it acts.
    pub(super) subjects: Vec<Frequent>,
    /// Who acted before it.
    pub(super) earlier_actors: Vec<Frequent>,
    pub(super) operations: Vec<Frequent>,
}

/// One MCP call by one agent.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct CallRow {
    /// The agent, or the client where no agent is named.
    pub(super) caller: Option<String>,
    /// The method and what it names, as `tools/call drop_table`.
    pub(super) call: String,
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
    pub(super) outcomes: Outcomes,
    /// For whom.
    pub(super) subjects: Vec<Frequent>,
}

impl AgentCounts {
    pub(super) fn new() -> Self {
        Self {
            agents: Table::of_at_most(MOST_AGENTS),
            calls: Table::of_at_most(MOST_CALLS),
        }
    }

    pub(super) fn add(&mut self, seen: &Seen<'_>, names: &mut Names) {
        let record = seen.record;
        if record.actor.is_none() && record.mcp.is_none() {
            return;
        }
        let agent = Agent {
            issuer: names.of_optional(record.issuer.as_ref()),
            actor: names.of_optional(record.actor.as_ref()),
            client: names.of_optional(record.client.as_ref()),
        };
        if record.actor.is_some() {
            self.agents.row(agent).add(seen);
        }
        if let Some(mcp) = &record.mcp {
            let (method, name) = (or_empty(mcp.method.as_ref()), or_empty(mcp.name.as_ref()));
            let call = format!("{} {}", shown(method), shown(name));
            self.calls.row((agent, call.trim_end().into())).add(seen);
        }
    }

    pub(super) fn finish(self, names: &Names) -> AgentReport {
        let (agents, agents_left_out) = self.agents.finish();
        let (calls, calls_left_out) = self.calls.finish();
        let agent = |(agent, work): (Agent, AgentWork)| AgentRow {
            actor: names.text(agent.actor).to_owned(),
            client: names.optional(agent.client),
            issuer: names.optional(agent.issuer),
            occurrences: work.occurrences,
            outcomes: work.outcomes,
            subjects: work.subjects.finish(),
            earlier_actors: work.earlier_actors.finish(),
            operations: work.operations.finish(),
        };
        let call = |((agent, call), work): ((Agent, Box<str>), AgentWork)| CallRow {
            caller: names
                .optional(agent.actor)
                .or_else(|| names.optional(agent.client)),
            call: call.into(),
            occurrences: work.occurrences,
            outcomes: work.outcomes,
            subjects: work.subjects.finish(),
        };
        AgentReport {
            agents: agents.into_iter().map(agent).collect(),
            agents_left_out,
            calls: calls.into_iter().map(call).collect(),
            calls_left_out,
        }
    }
}

impl AgentWork {
    fn add(&mut self, seen: &Seen<'_>) {
        let record = seen.record;
        self.occurrences.add(seen.time);
        self.outcomes.add(seen.outcome);
        for (texts, text) in [
            (&mut self.subjects, &record.subject),
            (&mut self.operations, &record.operation),
        ] {
            if let Some(text) = text {
                texts.add(text.as_str(), MOST_TEXTS);
            }
        }
        for earlier in &record.earlier_actors {
            self.earlier_actors.add(earlier.as_str(), MOST_TEXTS);
        }
    }
}

impl Counted for AgentWork {
    fn records(&self) -> u64 {
        self.occurrences.records
    }
}

/// Their names come from valid tokens.
const MOST_AGENTS: usize = 2_000;

/// Callers choose what they call. A row has a kilobyte, or six with texts as long as they can be.
const MOST_CALLS: usize = 4_000;

/// Of each kind of text on a row.
const MOST_TEXTS: usize = 10;
