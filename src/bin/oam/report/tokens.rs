//! Static tokens: which are still used, by what, from where, and for what.

use std::collections::BTreeMap;

use databricks_oam_filter::time::UnixTime;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::records::shown;
use super::counts::{FewTexts, Frequent, Occurrences, Outcomes};
use super::seen::{Seen, or_empty};
use super::table::{Counted, LeftOut, Table};

/// Counts uses of static tokens.
pub(super) struct TokenUses {
    tokens: Table<(Box<str>, Box<str>), TokenUse>,
}

/// The uses of one token.
#[derive(Default)]
struct TokenUse {
    occurrences: Occurrences,
    outcomes: Outcomes,
    is_leaked: bool,
    months: BTreeMap<String, u64>,
    user_agents: FewTexts,
    addresses: FewTexts,
    operations: FewTexts,
    workspaces: FewTexts,
}

/// The static tokens that were shown.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct StaticTokens {
    /// One row for each token, those with the most records first.
    pub(super) rows: Vec<StaticToken>,
    pub(super) left_out: LeftOut,
}

/// One static token.
#[derive(Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct StaticToken {
    /// Its class, as `personal_access_token`.
    pub(super) credential: String,
    /// Its name in records; absent where the credential is too short to have one, as a password:
    /// then all of its class are counted together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fingerprint: Option<String>,
    #[serde(flatten)]
    pub(super) occurrences: Occurrences,
    pub(super) outcomes: Outcomes,
    /// Whether it was shown where it must be taken for known to others.
    pub(super) leaked: bool,
    /// Records by month, as `2026-11`.
    pub(super) months: BTreeMap<String, u64>,
    /// What the clients call themselves.
    pub(super) user_agents: Vec<Frequent>,
    /// Where they are.
    pub(super) addresses: Vec<Frequent>,
    pub(super) operations: Vec<Frequent>,
    pub(super) workspaces: Vec<Frequent>,
}

impl TokenUses {
    pub(super) fn new() -> Self {
        Self {
            tokens: Table::of_at_most(MOST_TOKENS),
        }
    }

    pub(super) fn add(&mut self, seen: &Seen<'_>) {
        let record = seen.record;
        let (class, fingerprint) = (
            or_empty(record.credential.as_ref()),
            &record.credential_fingerprint,
        );
        if fingerprint.is_none() && !STATIC.contains(&class) {
            return;
        }
        let key = (
            shown(class).into(),
            shown(or_empty(fingerprint.as_ref())).into(),
        );
        let token = self.tokens.row(key);
        token.occurrences.add(seen.time);
        token.outcomes.add(seen.outcome);
        token.is_leaked |= record.credential_leaked;
        if let Some(month) = seen.time.map(UnixTime::rfc_3339) {
            let month = month.as_str().get(..MONTH).unwrap_or_default();
            if token.months.len() < MOST_MONTHS || token.months.contains_key(month) {
                let count = token.months.entry(month.to_owned()).or_default();
                *count = count.saturating_add(1);
            }
        }
        for (texts, text) in [
            (&mut token.user_agents, &record.user_agent),
            (&mut token.addresses, &record.source_ip),
            (&mut token.operations, &record.operation),
            (&mut token.workspaces, &record.workspace),
        ] {
            if let Some(text) = text {
                texts.add(text.as_str(), MOST_TEXTS);
            }
        }
    }

    pub(super) fn finish(self) -> StaticTokens {
        let (rows, left_out) = self.tokens.finish();
        let row = |((credential, fingerprint), token): (_, TokenUse)| {
            StaticToken::of(credential, fingerprint, token)
        };
        StaticTokens {
            rows: rows.into_iter().map(row).collect(),
            left_out,
        }
    }
}

impl StaticToken {
    fn of(credential: Box<str>, fingerprint: Box<str>, token: TokenUse) -> Self {
        Self {
            credential: credential.into(),
            fingerprint: (!fingerprint.is_empty()).then(|| fingerprint.into()),
            occurrences: token.occurrences,
            outcomes: token.outcomes,
            leaked: token.is_leaked,
            user_agents: token.user_agents.finish(),
            addresses: token.addresses.finish(),
            operations: token.operations.finish(),
            workspaces: token.workspaces.finish(),
            months: token.months,
        }
    }
}

impl Counted for TokenUse {
    fn records(&self) -> u64 {
        self.occurrences.records
    }
}

/// Classes of credentials that stay the same from one request to the next.
const STATIC: [&str; 6] = [
    "basic",
    "delta_sharing_recipient",
    "oauth_secret",
    "opaque",
    "personal_access_token",
    "refresh_token",
];

/// Anybody can make up a token with each request. A row has a kilobyte, or five with texts as long
/// as they can be.
const MOST_TOKENS: usize = 5_000;

/// Of each kind of text on a row.
const MOST_TEXTS: usize = 8;

/// Three years: further ones are in the sum alone.
const MOST_MONTHS: usize = 36;

/// `2026-11`.
const MONTH: usize = 7;
