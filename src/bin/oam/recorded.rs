//! `oam explain --record`: the request and the caller of an audit record, to be judged again.

use std::ops::ControlFlow;
use std::path::Path;

use databricks_oam_filter::issuer::Issuer;
use databricks_oam_filter::issuer::dialect::{ClaimPath, Dialect};
use serde_json::{Map, Value, json};

use super::Unreadable;
use super::gateway::Shown;
use super::records::{Decided, PolicyInputs, Record, Sources, Text, shown};

/// What a record says of its request.
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) url: String,
    /// The moment of the decision.
    pub(super) at: Option<String>,
    pub(super) shown: Shown,
    /// What was decided then, with the roles that the caller held.
    pub(super) decided: String,
    /// What the record does not say, so that the answer may be another one.
    pub(super) unknown: Vec<&'static str>,
}

impl Recorded {
    /// Reads the first record of a file.
    pub(super) fn read(path: &Path, issuers: &[Issuer]) -> Result<Self, Unreadable> {
        let mut first = None;
        let reading = Sources::of(vec![path.to_owned()]).each(&mut |record, _| {
            first = Some(Self::of(record, issuers));
            ControlFlow::Break(())
        })?;
        first.ok_or_else(|| {
            let broken = reading.first_broken.first();
            let why = broken.map_or_else(String::new, |broken| {
                format!(" (line {}: {})", broken.line, broken.why)
            });
            Unreadable(format!("`{}` holds no audit record{why}", path.display()))
        })
    }

    /// What one record says.
    pub(super) fn of(record: &Record<'_>, issuers: &[Issuer]) -> Self {
        let mut unknown = vec!["the query"];
        let path = record.path.as_str();
        let url = if let Some(host) = &record.host {
            format!("https://{}{path}", host.as_str())
        } else {
            unknown.push("the host");
            path.to_owned()
        };
        let claimed = record.unverified.as_ref();
        let issuer = record.issuer.as_ref();
        let issuer = issuer.or_else(|| claimed?.issuer.as_ref());
        let proof = match issuer {
            Some(issuer) => Shown::Claims(claims(record, issuer.as_str(), issuers, &mut unknown)),
            None => Shown::Nothing,
        };
        let kind = record.credential.as_ref().map(Text::as_str);
        if issuer.is_none() && kind.is_some_and(|kind| kind != "none") {
            unknown.push("the credential");
        }
        let roles = shown(&texts(&record.roles).join(" ")).into_owned();
        let held = if roles.is_empty() { "no role" } else { &roles };
        let decision = match record.decision {
            Decided::Allow => "allow",
            Decided::Deny => "deny",
        };
        Self {
            method: record.method.as_str().to_owned(),
            url,
            decided: format!(
                "{decision}, {}, held by the caller: {held}",
                shown(record.reason.as_str())
            ),
            at: record.time.as_ref().map(|time| time.as_str().to_owned()),
            shown: proof,
            unknown,
        }
    }
}

/// The claims of the token in the record, each where its issuer would put it.
fn claims(
    record: &Record<'_>,
    issuer: &str,
    issuers: &[Issuer],
    unknown: &mut Vec<&'static str>,
) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), json!(issuer));
    let claimed = record.unverified.as_ref();
    let audiences = claimed.map(|claimed| texts(&claimed.audiences));
    let expires_at = record.token_expires_at;
    let issued_at = expires_at
        .zip(record.token_lifetime)
        .map(|(expires_at, lifetime)| expires_at.saturating_sub(lifetime));
    let id = record.token_id.as_ref().map(Text::as_str);
    let actor = record
        .actor
        .as_ref()
        .map(|actor| json!({ "sub": actor.as_str() }));
    for (name, value) in [
        ("jti", json!(id)),
        ("exp", json!(expires_at)),
        ("aud", json!(audiences)),
        ("iat", json!(issued_at)),
        ("act", json!(actor)),
    ] {
        if !value.is_null() {
            claims.insert(name.to_owned(), value);
        }
    }
    let known = issuers.iter().find(|known| *known.identifier == *issuer);
    if let Some(known) = known {
        put_caller(record, &known.dialect, &mut claims);
        put_scopes(record, known, &mut claims, unknown);
        put_inputs(record, &known.dialect, &mut claims, unknown);
    }
    claims
}

fn put_caller(record: &Record<'_>, dialect: &Dialect, claims: &mut Map<String, Value>) {
    let claimed = record.unverified.as_ref();
    let verified = record.subject.as_ref();
    let subject = verified
        .or_else(|| claimed?.subject.as_ref())
        .map(Text::as_str);
    let client = record.client.as_ref().map(Text::as_str);
    put(claims, dialect.subject.first(), &json!(subject));
    put(claims, dialect.client.first(), &json!(client));
}

fn put_scopes(
    record: &Record<'_>,
    issuer: &Issuer,
    claims: &mut Map<String, Value>,
    unknown: &mut Vec<&'static str>,
) {
    let scopes = record.token_scopes.as_ref().unwrap_or_else(|| {
        unknown.push("the token's scopes (the effective ones stand in)");
        &record.effective_scopes
    });
    let spelled: Vec<String> = scopes
        .iter()
        .map(Text::as_str)
        .map(|scope| {
            issuer
                .scopes
                .spell(scope)
                .unwrap_or_else(|| scope.to_owned())
        })
        .collect();
    put(
        claims,
        issuer.dialect.scopes.first(),
        &json!(spelled.join(" ")),
    );
}

fn put_inputs(
    record: &Record<'_>,
    dialect: &Dialect,
    claims: &mut Map<String, Value>,
    unknown: &mut Vec<&'static str>,
) {
    let Some(PolicyInputs {
        groups,
        roles,
        claims: others,
    }) = &record.inputs
    else {
        unknown.push("groups and other claims (`audit.inputs: true` would record them)");
        return;
    };
    let groups = groups.as_ref().map(|groups| texts(groups));
    put(claims, dialect.groups.first(), &json!(groups));
    put(claims, dialect.roles.first(), &json!(texts(roles)));
    let others = others.and_then(|others| serde_json::from_str::<Map<_, _>>(others.get()).ok());
    claims.extend(others.unwrap_or_default());
}

fn texts<'t>(texts: &'t [Text<'_>]) -> Vec<&'t str> {
    texts.iter().map(Text::as_str).collect()
}

/// Puts a value where a path leads.
pub(super) fn put(claims: &mut Map<String, Value>, path: Option<&ClaimPath>, value: &Value) {
    let Some((last, before)) = path.and_then(|path| path.split_last()) else {
        return;
    };
    if value.is_null() {
        return;
    }
    let mut here = claims;
    for name in before {
        let next = here.entry(name.to_string()).or_insert_with(|| json!({}));
        let Some(object) = next.as_object_mut() else {
            return;
        };
        here = object;
    }
    here.insert(last.to_string(), value.clone());
}
