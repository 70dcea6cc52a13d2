//! The corpus: whole-product cases, each answered by every driver, and alike.
//!
//! A file under `wasm-tests/corpus/` holds one plugin configuration and cases for it; this module
//! knows how such a file reads. What a driver makes of a case is an [`Outcome`](outcome::Outcome);
//! [`drivers`] has the drivers, [`check`] what is asserted, and [`oam`] what the command line says
//! of a case.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::keys;
use crate::paths;
use crate::reply::Headers;
use crate::token::{Token, proof};

pub mod check;
pub mod drivers;
pub mod oam;
pub mod outcome;

/// One file of the corpus.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What its cases are about.
    pub about: String,
    /// The plugin configuration, or the name of a file under `wasm-tests/configurations/`.
    pub configuration: Value,
    /// What every case starts from.
    #[serde(default)]
    pub defaults: Defaults,
    /// The cases.
    pub cases: Vec<Case>,
}

/// What every case of a file starts from.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// The token that a case's own is laid over.
    pub token: Token,
    /// The proof that a case's own is laid over.
    pub proof: Token,
    /// The request that a case's own is laid over.
    pub request: Request,
}

/// One case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The token; it goes into `authorization` unless the request says where. Absent: none.
    #[serde(default)]
    pub token: Option<Token>,
    /// A DPoP proof for the token. It goes into `dpop` unless the request says where, and the
    /// token's scheme is then `DPoP`.
    #[serde(default)]
    pub proof: Option<Token>,
    /// Further tokens, which a request names as `${token:name}`.
    #[serde(default)]
    pub tokens: BTreeMap<String, Token>,
    /// The request.
    #[serde(default)]
    pub request: Request,
    /// What must come of it.
    pub expect: Expect,
    /// The status with which Envoy itself refuses the request before the filter sees it.
    #[serde(default)]
    pub envoy_answers: Option<u16>,
}

/// A request. In its texts `${token}` is the token, `${proof}` the proof, `${repeat:TEXT:COUNT}` a
/// text so many times, and `\xNN` a byte.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// The method; `GET` when absent.
    pub method: Option<String>,
    /// Path and query.
    pub path: Option<String>,
    /// The host; `databricks.example.com` when absent.
    pub authority: Option<String>,
    /// Headers in order. A case's own follow the defaults'.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
}

/// What must come of a case. What is absent is not asserted, but all drivers must agree on it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The status, or a list of those that will do.
    #[serde(deserialize_with = "one_or_more")]
    pub status: Vec<u16>,
    /// The record's `decision`; by default `deny` unless the status is 200.
    pub decision: Option<String>,
    /// The record's `reason`.
    pub reason: Option<String>,
    /// The body's `error_code`; by default the one of the status.
    pub error_code: Option<String>,
    /// The `error` of an answer as RFC 6749 §5.2 has it, in place of the contract's.
    pub error: Option<String>,
    /// Whether the answer is the caller's own token.
    pub returned: bool,
    /// The record's `operation`.
    #[serde(deserialize_with = "present")]
    pub operation: Option<Value>,
    /// The whole challenge; `null` for none.
    #[serde(deserialize_with = "present")]
    pub www_authenticate: Option<Value>,
    /// The whole body of an answer.
    #[serde(deserialize_with = "present")]
    pub body: Option<Value>,
    /// Members of the record.
    pub audit: Map<String, Value>,
    /// Headers of the answer; `null` for one that must not be there.
    pub headers: Map<String, Value>,
    /// Headers that reach the upstream; `null` for one that must not.
    pub upstream: Map<String, Value>,
}

/// A request ready to be sent, and the secrets that no answer may repeat.
pub struct Prepared {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: Vec<u8>,
    /// The host.
    pub authority: String,
    /// The headers, names as written.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// The tokens in it.
    pub secrets: Vec<String>,
}

impl File {
    /// Reads a file.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Its plugin configuration, every `{"$test_keys": […]}` in it replaced by the JWK Set of these
    /// keys.
    pub fn plugin_configuration(&self) -> Value {
        let mut configuration = match &self.configuration {
            Value::String(name) => {
                let path = paths::tests("configurations").join(name);
                let text = std::fs::read_to_string(&path)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                serde_json::from_str(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            }
            inline => inline.clone(),
        };
        put_test_keys(&mut configuration);
        self.put_digests(&mut configuration);
        configuration
    }

    /// Replaces every `{"$sha256_of_token": …}` by the SHA-256 of that token, and
    /// `{"$sha256_of_signed": …}` by that of what is signed of it. Only of a token whose times and
    /// signature are the same whenever it is minted.
    fn put_digests(&self, value: &mut Value) {
        for (name, is_whole) in [("$sha256_of_token", true), ("$sha256_of_signed", false)] {
            if let Some(token) = value.get(name) {
                let token = serde_json::from_value(token.clone()).expect("a token");
                let text = self.defaults.token.with(&token).mint(0);
                let signed = text.rsplit_once('.').map_or("", |(signed, _)| signed);
                let digest = Sha256::digest(if is_whole { &text } else { signed });
                let mut digits = String::new();
                for byte in digest {
                    // Writing to a text does not fail.
                    let _ = write!(digits, "{byte:02x}");
                }
                *value = Value::String(digits);
                return;
            }
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.put_digests(item)),
            Value::Object(members) => members
                .values_mut()
                .for_each(|member| self.put_digests(member)),
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// A case's request, its tokens minted.
    pub fn prepare(&self, case: &Case, now: i64) -> Prepared {
        let mint = |token: &Token| self.defaults.token.with(token).mint(now);
        let mut tokens: BTreeMap<String, String> = case
            .tokens
            .iter()
            .map(|(name, token)| (format!("token:{name}"), mint(token)))
            .collect();
        if let Some(token) = &case.token {
            tokens.insert("token".to_owned(), mint(token));
        }
        if let Some(proof) = &case.proof {
            let token = tokens.get("token").map(String::as_str).unwrap_or_default();
            let proof = proof::mint(&self.defaults.proof.with(proof), token, now);
            tokens.insert("proof".to_owned(), proof);
        }
        let (own, base) = (&case.request, &self.defaults.request);
        let text = |own: &Option<String>, base: &Option<String>, default: &str| {
            own.as_ref()
                .or(base.as_ref())
                .cloned()
                .unwrap_or_else(|| default.to_owned())
        };
        let path = text(&own.path, &base.path, "/");
        let body = text(&own.body, &base.body, "");
        let mut headers: Vec<(String, String)> =
            [base.headers.clone(), own.headers.clone()].concat();
        let placed = headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("authorization") || value.contains("${token}")
        });
        if case.token.is_some()
            && !placed
            && !path.contains("${token}")
            && !body.contains("${token}")
        {
            let scheme = if case.proof.is_some() {
                "DPoP"
            } else {
                "Bearer"
            };
            headers.push(("authorization".to_owned(), format!("{scheme} ${{token}}")));
        }
        if case.proof.is_some() && !headers.iter().any(|(_, value)| value.contains("${proof}")) {
            headers.push(("dpop".to_owned(), "${proof}".to_owned()));
        }
        Prepared {
            method: text(&own.method, &base.method, "GET"),
            target: fill(&path, &tokens),
            authority: text(&own.authority, &base.authority, "databricks.example.com"),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name, fill(&value, &tokens)))
                .collect(),
            body: fill(&body, &tokens),
            secrets: tokens.into_values().collect(),
        }
    }
}

/// A member that is there, be it `null`.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn one_or_more<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        One(u16),
        More(Vec<u16>),
    }
    Ok(match Form::deserialize(deserializer)? {
        Form::One(status) => vec![status],
        Form::More(statuses) => statuses,
    })
}

/// Replaces every `{"$test_keys": […]}` by a JWK Set. A text names a test key, an object is a JWK
/// of its own.
fn put_test_keys(value: &mut Value) {
    if let Some(names) = value.get("$test_keys").and_then(Value::as_array) {
        let jwks: Vec<Value> = names
            .iter()
            .map(|name| {
                name.as_str()
                    .map_or_else(|| name.clone(), |name| keys::key(name).jwk.clone())
            })
            .collect();
        *value = serde_json::json!({ "keys": jwks });
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(put_test_keys),
        Value::Object(members) => members.values_mut().for_each(put_test_keys),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// Fills `${…}` and `\xNN`.
fn fill(text: &str, tokens: &BTreeMap<String, String>) -> Vec<u8> {
    let mut pieces = text.split("${");
    let mut bytes = unescape(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once('}').expect("`${` has its `}`");
        match name
            .strip_prefix("repeat:")
            .and_then(|rest| rest.rsplit_once(':'))
        {
            Some((unit, count)) => {
                bytes.extend(unescape(unit).repeat(count.parse().expect("a count")));
            }
            None => bytes.extend(
                tokens
                    .get(name)
                    .unwrap_or_else(|| panic!("no `{name}` in this case"))
                    .bytes(),
            ),
        }
        bytes.extend(unescape(rest));
    }
    bytes
}

fn unescape(text: &str) -> Vec<u8> {
    let mut pieces = text.split("\\x");
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}
