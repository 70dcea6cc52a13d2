//! `oam explain --record`: the request and the caller that an audit record tells of, to be judged
//! again.

use std::path::Path;

use databricks_oam_filter::issuer::Issuer;
use databricks_oam_filter::issuer::dialect::{ClaimPath, Dialect};
use serde_json::{Map, Value, json};

use super::gateway::Shown;
use super::{Unreadable, file};

/// What a record tells of its request.
pub(super) struct Recorded {
    pub(super) method: String,
    pub(super) url: String,
    /// The moment of the decision.
    pub(super) at: Option<String>,
    pub(super) shown: Shown,
    /// What the record does not tell, so that the answer may be another one.
    pub(super) untold: Vec<&'static str>,
}

impl Recorded {
    /// Reads the first record of a file: a line of JSON, with whatever a gateway's log puts before
    /// it.
    pub(super) fn read(path: &Path, issuers: &[Issuer]) -> Result<Self, Unreadable> {
        let bytes = file::read(path)?;
        let text = String::from_utf8_lossy(&bytes);
        let record = text
            .lines()
            .find_map(record)
            .ok_or_else(|| Unreadable(format!("`{}` holds no audit record", path.display())))?;
        let text = |place: &str| at(&record, place).as_str();
        let part = |place: &str| {
            let missing = || Unreadable(format!("the record has no `{place}`"));
            text(place).ok_or_else(missing)
        };
        let (method, path) = (part("/method")?.to_owned(), part("/path")?);
        let mut untold = vec!["the query"];
        let url = if let Some(host) = text("/host") {
            format!("https://{host}{path}")
        } else {
            untold.push("the host");
            path.to_owned()
        };
        let issuer = text("/issuer").or_else(|| text("/unverified/issuer"));
        let shown = match issuer {
            Some(issuer) => Shown::Claims(claims(&record, issuer, issuers, &mut untold)),
            None => Shown::Nothing,
        };
        if issuer.is_none() && text("/credential").is_some_and(|kind| kind != "none") {
            untold.push("the credential");
        }
        Ok(Self {
            method,
            url,
            at: text("/time").map(ToOwned::to_owned),
            shown,
            untold,
        })
    }
}

/// The record that a line holds.
fn record(line: &str) -> Option<Value> {
    let start = line.find("{\"time\"")?;
    let mut values = serde_json::Deserializer::from_str(line.get(start..)?).into_iter::<Value>();
    let record = values.next()?.ok()?;
    record.get("decision_id").is_some().then_some(record)
}

/// The value at a place of the record.
fn at<'v>(record: &'v Value, place: &str) -> &'v Value {
    record.pointer(place).unwrap_or(&Value::Null)
}

/// The claims of the token that the record tells of, each where its issuer would put it.
fn claims(
    record: &Value,
    issuer: &str,
    issuers: &[Issuer],
    untold: &mut Vec<&'static str>,
) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("iss".to_owned(), json!(issuer));
    for (name, place) in [
        ("jti", "/token_id"),
        ("exp", "/token_expires_at"),
        ("aud", "/unverified/audiences"),
    ] {
        let value = at(record, place);
        if !value.is_null() {
            claims.insert(name.to_owned(), value.clone());
        }
    }
    let number = |place| at(record, place).as_u64();
    if let (Some(expires_at), Some(lifetime)) =
        (number("/token_expires_at"), number("/token_lifetime"))
    {
        let issued_at = expires_at.saturating_sub(lifetime);
        claims.insert("iat".to_owned(), json!(issued_at));
    }
    if let Some(actor) = at(record, "/actor").as_str() {
        claims.insert("act".to_owned(), json!({ "sub": actor }));
    }
    let known = issuers.iter().find(|known| *known.identifier == *issuer);
    if let Some(known) = known {
        put_caller(record, &known.dialect, &mut claims);
        put_scopes(record, known, &mut claims, untold);
        put_inputs(record, &known.dialect, &mut claims, untold);
    }
    claims
}

fn put_caller(record: &Value, dialect: &Dialect, claims: &mut Map<String, Value>) {
    let verified = at(record, "/subject");
    let subject = if verified.is_null() {
        at(record, "/unverified/subject")
    } else {
        verified
    };
    put(claims, dialect.subject.first(), subject);
    put(claims, dialect.client.first(), at(record, "/client"));
}

fn put_scopes(
    record: &Value,
    issuer: &Issuer,
    claims: &mut Map<String, Value>,
    untold: &mut Vec<&'static str>,
) {
    let mut scopes = at(record, "/token_scopes");
    if !scopes.is_array() {
        untold.push("the token's scopes (the effective ones stand in)");
        scopes = at(record, "/effective_scopes");
    }
    let scopes = scopes.as_array().into_iter().flatten();
    let spelled: Vec<String> = scopes
        .filter_map(Value::as_str)
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
    record: &Value,
    dialect: &Dialect,
    claims: &mut Map<String, Value>,
    untold: &mut Vec<&'static str>,
) {
    if !at(record, "/inputs").is_object() {
        untold.push("groups and other claims (`audit.inputs: true` would record them)");
        return;
    }
    put(claims, dialect.groups.first(), at(record, "/inputs/groups"));
    put(claims, dialect.roles.first(), at(record, "/inputs/roles"));
    let others = at(record, "/inputs/claims").as_object().cloned();
    claims.extend(others.unwrap_or_default());
}

/// Puts a value where a path leads.
fn put(claims: &mut Map<String, Value>, path: Option<&ClaimPath>, value: &Value) {
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
