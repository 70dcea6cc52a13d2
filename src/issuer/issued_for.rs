//! For which workspace Databricks issued a token.
//!
//! A workspace's own tokens have its ID in `aud` and its host in `iss`
//! (`https://<workspace>/oidc`). An account's tokens are issued under `/oidc/accounts/<account>`,
//! or have the account's ID, a UUID, in `aud`, and are good in every workspace of the account.
//! Service principals have UUIDs too: so a UUID is the account's where the configuration names it
//! as an audience, and nowhere beside the ID of a workspace.

use crate::request::workspace::WorkspaceId;

/// Where a token may be used, as far as it says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum IssuedFor {
    /// Everywhere: it is an account's, or no token of Databricks'.
    #[default]
    Everywhere,
    /// At the workspace with one of these IDs or, where it names none, at the one with this host.
    Workspace {
        /// The workspace IDs in its audience.
        ids: Vec<WorkspaceId>,
        /// The host of its issuer.
        host: Box<str>,
    },
}

impl IssuedFor {
    /// The issuer's host, where the token is a workspace's.
    pub fn host(&self) -> &str {
        match self {
            Self::Everywhere => "",
            Self::Workspace { host, .. } => host,
        }
    }

    /// Reads issuer and audience of a token that Databricks issued, `configured` being the
    /// audiences that are ours.
    pub(super) fn read(issuer: &str, audiences: &[Box<str>], configured: &[Box<str>]) -> Self {
        let rest = issuer.strip_prefix("https://").unwrap_or(issuer);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let ids: Vec<WorkspaceId> = audiences
            .iter()
            .filter_map(|audience| WorkspaceId::parse(audience))
            .collect();
        let names_account = || {
            let mut accounts = audiences.iter().filter(|audience| is_uuid(audience));
            ids.is_empty() && accounts.any(|account| configured.contains(account))
        };
        if path.starts_with("oidc/accounts/") || host.starts_with("accounts.") || names_account() {
            return Self::Everywhere;
        }
        Self::Workspace {
            ids,
            host: host.to_ascii_lowercase().into(),
        }
    }
}

/// RFC 9562 §4.
fn is_uuid(text: &str) -> bool {
    text.len() == UUID_BYTES
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

const UUID_BYTES: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "https://dbc-1.example/oidc";

    const ID: &str = "7a99b43c-b46c-432b-b0a7-814217701909";

    #[test]
    fn issuer_and_audience_name_a_workspace_or_an_account() {
        let id = |text| WorkspaceId::parse(text).unwrap();
        let workspace = |ids: &[WorkspaceId]| IssuedFor::Workspace {
            ids: ids.to_vec(),
            host: "dbc-1.example".into(),
        };
        let account = || IssuedFor::Everywhere;
        #[rustfmt::skip]
        let cases: [(&str, &str, &[&str], IssuedFor); 13] = [
            // name                            iss                                        aud
            // want
            ("a workspace's",                  "https://DBC-1.example/oidc",              &["7"],                                    workspace(&[id("7")])),
            ("of two workspaces",              WORKSPACE,                                 &["7", "db", "8"],                         workspace(&[id("7"), id("8")])),
            ("by its host",                    WORKSPACE,                                 &["db"],                                   workspace(&[])),
            ("an account's",                   "https://dbc-1.example/oidc/accounts/a",   &["7"],                                    account()),
            ("by the account host",            "https://accounts.cloud.example/oidc",     &["db"],                                   account()),
            ("by the account's ID",            WORKSPACE,                                 &[ID],                                     account()),
            ("that ID and another audience",   WORKSPACE,                                 &["db", ID],                               account()),
            ("that ID beside a workspace's",   WORKSPACE,                                 &["7", ID],                                workspace(&[id("7")])),
            ("that ID before a workspace's",   WORKSPACE,                                 &[ID, "7"],                                workspace(&[id("7")])),
            ("another UUID",                   WORKSPACE,                                 &["db", "00000000-b46c-432b-b0a7-814217701909"], workspace(&[])),
            ("another, beside a workspace's",  WORKSPACE,                                 &["7", "00000000-b46c-432b-b0a7-814217701909"], workspace(&[id("7")])),
            ("that ID in capitals",            WORKSPACE,                                 &["7A99B43C-B46C-432B-B0A7-814217701909"], workspace(&[])),
            ("nearly such an ID",              WORKSPACE,                                 &["7a99b43c-b46c-432b-b0a7x814217701909"], workspace(&[])),
        ];
        let boxed = |texts: &[&str]| -> Vec<Box<str>> {
            texts.iter().map(|text| Box::from(*text)).collect()
        };
        let configured = boxed(&["7", "db", ID]);
        for (name, issuer, audiences, want) in cases {
            let got = IssuedFor::read(issuer, &boxed(audiences), &configured);
            assert_eq!(got, want, "{name}");
        }
    }
}
