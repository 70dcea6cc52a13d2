//! One audit record, as it was read: all members that `oam schema --record` lists.
//!
//! Texts are borrowed from the line where nothing in them was escaped. Members that this version
//! does not know are skipped, and all that older records lack may be absent.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// One decision.
#[derive(Clone, Debug, Deserialize)]
#[expect(
    dead_code,
    reason = "it is the whole record, whichever part of it a command reads"
)]
pub(crate) struct Record<'a> {
    #[serde(borrow)]
    pub(crate) time: Option<Text<'a>>,
    pub(crate) decision: Decided,
    pub(crate) mode: Enforcement,
    #[serde(borrow)]
    pub(crate) reason: Text<'a>,
    #[serde(borrow)]
    pub(crate) decision_id: Text<'a>,
    #[serde(borrow)]
    pub(crate) method: Text<'a>,
    #[serde(borrow)]
    pub(crate) path: Text<'a>,
    #[serde(borrow)]
    pub(crate) claim: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) claim_fault: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) request_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) trace_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) host: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) mcp: Option<McpFacts<'a>>,
    #[serde(borrow)]
    pub(crate) operation: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) required_scopes: Vec<Text<'a>>,
    /// Absent where it is the same as the effective scopes.
    #[serde(borrow)]
    pub(crate) token_scopes: Option<Vec<Text<'a>>>,
    /// Absent where it is the same as the effective scopes.
    #[serde(borrow)]
    pub(crate) role_grants: Option<Vec<Text<'a>>>,
    #[serde(borrow, default)]
    pub(crate) effective_scopes: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(crate) rule: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) roles: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(crate) issuer: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) subject: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) client: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) actor: Option<Text<'a>>,
    /// The latest first.
    #[serde(borrow, default)]
    pub(crate) earlier_actors: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(crate) token_id: Option<Text<'a>>,
    pub(crate) token_expires_at: Option<u64>,
    pub(crate) token_lifetime: Option<u64>,
    #[serde(default)]
    pub(crate) offline_access: bool,
    #[serde(borrow)]
    pub(crate) credential: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) credential_fingerprint: Option<Text<'a>>,
    #[serde(default)]
    pub(crate) credential_leaked: bool,
    #[serde(borrow)]
    pub(crate) unverified: Option<UnverifiedFacts<'a>>,
    #[serde(borrow)]
    pub(crate) inputs: Option<PolicyInputs<'a>>,
    #[serde(borrow)]
    pub(crate) workspace: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) exchanged_scope: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) exchange_error: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) source_ip: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) user_agent: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) worker: Option<Text<'a>>,
    /// Counts from 1, without gaps, for each worker and configuration.
    pub(crate) sequence: Option<u64>,
    #[serde(borrow)]
    pub(crate) config: Option<Text<'a>>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decided {
    Allow,
    Deny,
}

/// Whether the decision was carried out. A denial in shadow mode went upstream.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Enforcement {
    Enforce,
    Shadow,
}

/// The MCP call that the request's headers name.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct McpFacts<'a> {
    #[serde(borrow)]
    pub(crate) method: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) version: Option<Text<'a>>,
}

/// What a refused token claims, which nobody verified.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct UnverifiedFacts<'a> {
    #[serde(borrow)]
    pub(crate) issuer: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) subject: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) audiences: Vec<Text<'a>>,
}

/// What the policy judged the caller by.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PolicyInputs<'a> {
    /// Absent where the token says that it does not list them.
    #[serde(borrow)]
    pub(crate) groups: Option<Vec<Text<'a>>>,
    #[serde(borrow, default)]
    pub(crate) roles: Vec<Text<'a>>,
    /// An object.
    #[serde(borrow)]
    pub(crate) claims: Option<&'a RawValue>,
}

/// A text, borrowed where it can be.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Text<'a> {
    /// One in which nothing is escaped.
    pub(super) const fn borrowed(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A text as commands show it: its beginning, without what would steer a terminal or turn the
/// direction of what follows.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let start = beginning(text);
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte);
    if start.len() == text.len() && text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let harmless = |c: char| {
        if steers(c) {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    };
    let mut clean: String = start.chars().map(harmless).collect();
    if start.len() < text.len() {
        clean.push('…');
    }
    Cow::Owned(clean)
}

/// As much of a text as is shown.
pub(crate) fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MOST_SHOWN))
        .unwrap_or(text)
}

fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// In bytes. Nobody reads more, and some callers choose how long their names are.
const MOST_SHOWN: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_choose_is_shown_without_harm() {
        let long = "é".repeat(61);
        #[rustfmt::skip]
        let cases = [
            // name                text                 want
            ("a name",             "ana@acme.example",  "ana@acme.example".to_owned()),
            ("other letters",      "日本",               "日本".to_owned()),
            ("colours",            "\u{1b}[31mred",     "\u{fffd}[31mred".to_owned()),
            ("a line break",       "a\nb",              "a\u{fffd}b".to_owned()),
            ("from right to left", "a\u{202e}b",        "a\u{fffd}b".to_owned()),
            ("too long",           &long,               "é".repeat(60) + "…"),
        ];
        for (name, text, want) in cases {
            assert_eq!(shown(text), want, "{name}");
        }
    }
}
