//! Who called, as far as a valid token says so.

use serde::Serialize;

use crate::authorize::evidence::Evidence;
use crate::issuer::access_token::AccessToken;

use super::UNKNOWN;

/// The caller.
#[derive(Serialize)]
pub(super) struct Actor<'a> {
    user: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idp: Option<IdentityProvider<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Session<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum User<'a> {
    /// Nobody is known.
    Name(&'static str),
    Uid(&'a str),
}

#[derive(Serialize)]
struct IdentityProvider<'a> {
    uid: &'a str,
}

/// The token, as the session that it stands for.
#[derive(Serialize)]
struct Session<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_uid: Option<&'a str>,
}

impl<'a> Actor<'a> {
    pub(super) fn of(evidence: &'a Evidence<'_>) -> Self {
        let token = evidence.token.as_deref();
        let fingerprint = evidence.fingerprint.as_deref();
        let session = Session {
            uid: token.and_then(|token| token.token_id.as_deref()),
            issuer: token.map(|token| &*token.issuer),
            expiration_time: token.map(|token| token.expires_at.millis()),
            credential_uid: fingerprint,
        };
        Self {
            user: token
                .and_then(|token| token.subject.as_deref())
                .map_or(User::Name(UNKNOWN), User::Uid),
            app_uid: token.and_then(|token| token.client.as_deref()),
            idp: token.map(|token| IdentityProvider { uid: &token.issuer }),
            session: (token.is_some() || fingerprint.is_some()).then_some(session),
        }
    }
}

/// Whoever calls an MCP server: the current actor, or else the client.
#[derive(Serialize)]
pub(super) struct Agent<'a> {
    uid: &'a str,
}

impl<'a> Agent<'a> {
    pub(super) fn of(evidence: &'a Evidence<'_>) -> Option<Self> {
        let token: &AccessToken = evidence.token.as_deref()?;
        let uid = token.actor.as_deref().or(token.client.as_deref())?;
        Some(Self { uid })
    }
}
