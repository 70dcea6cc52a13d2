//! What every record of a token's requests says of it, written once.

use serde::Serialize;

use crate::json_line::Members;

use super::AccessToken;

/// The members of a record that depend on the token alone.
#[derive(Serialize)]
struct Caller<'a> {
    issuer: &'a str,
    subject: Option<&'a str>,
    client: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    earlier_actors: &'a [Box<str>],
    token_id: Option<&'a str>,
    token_expires_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_lifetime: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offline_access: Option<bool>,
}

pub(super) fn of(token: &AccessToken) -> Members {
    Members::of(&Caller {
        issuer: &token.issuer,
        subject: token.subject.as_deref(),
        client: token.client.as_deref(),
        actor: token.actor.as_deref(),
        earlier_actors: &token.earlier_actors,
        token_id: token.token_id.as_deref(),
        token_expires_at: token.expires_at.seconds(),
        token_lifetime: token.lifetime().map(|lifetime| lifetime.as_secs()),
        offline_access: token.offline_access.then_some(true),
    })
}
