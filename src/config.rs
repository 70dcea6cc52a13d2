//! From the text of a configuration to what judges by it.
//!
//! Parsing has two steps. `document` holds the shape: every key, every default, unknown keys
//! refused. The other files give it meaning and refuse what cannot be meant. Errors of both steps
//! are reported all at once, each with its place and its remedy.
//!
//! `#[inline(never)]` keeps the parts apart: as one function they took V8 a seventh of the start to
//! compile.

mod audit;
pub mod code;
mod digest;
mod document;
mod exchange;
mod issuer;
mod limits;
mod located;
mod null;
mod policy;
pub mod problem;
mod rule;
#[cfg(schema)]
pub mod schema;
mod self_service;
mod shape;
mod shape_error;
mod value;
pub mod warning;
mod wire;
mod withdrawn;

use std::time::Duration;

use crate::answer::Resource;
use crate::answer::message::{ROLES, SCOPES};
use crate::audit::settings::RecordSettings;
use crate::authorize::{Authorizer, verified};
use crate::callout::uri::HttpsUri;
use crate::exchange::terms::Terms;
use crate::issuer::Issuer;
use crate::key_store::source::KeySource;
use crate::resource::{Identifier, ProtectedResource};
use crate::token::json::{Json, JsonError};
use crate::withdrawn::list;

use document::Document;
use limits::CheckedLimits;
use problem::{ConfigError, Place, Problems};
use warning::Warning;

/// Everything that a configuration makes.
pub struct Configuration {
    /// Judges requests.
    pub authorizer: Authorizer,
    /// Where the issuers' keys come from, in the authorizer's order.
    pub key_sources: Vec<KeySource>,
    /// Where more of what is withdrawn is to be had.
    pub withdrawal_list: Option<list::ListSource>,
    /// On what terms callers' tokens are exchanged; they go upstream themselves, when absent.
    pub exchange: Option<Terms>,
    /// What answers say besides.
    pub resource: Resource,
    /// How long and how many requests may wait.
    pub waiting: Waiting,
    /// How many verified tokens are remembered.
    pub verified: verified::MemoryLimits,
    /// Whether the upstream gets the caller's identity.
    pub forward_identity: bool,
    /// Whether the workers share the issuers' keys with one another.
    pub share_keys: bool,
    /// How records are written, and where to.
    pub records: RecordSettings,
    /// The first 12 hexadecimal digits of the configuration's SHA-256, keys in order and white
    /// space left out.
    pub digest: String,
    /// What it says that can hardly be meant.
    pub warnings: Vec<Warning>,
}

/// Bounds for requests that wait for keys, or for their token to be exchanged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// How many, on each worker.
    pub requests: usize,
    /// How long each.
    pub time: Duration,
}

impl Configuration {
    /// Parses a plugin configuration: JSON text, or an encoded `google.protobuf.Struct`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        let value = match Json::parse_with_place(bytes) {
            Ok(value) => value,
            Err((JsonError::Malformed | JsonError::NotUtf8, place)) => {
                wire::decode(bytes).ok_or_else(|| ConfigError::not_json(&place))?
            }
            Err((fault, _)) => return Err(ConfigError::repeats(fault)),
        };
        let digest = digest::of(&value);
        let mut problems = Problems::default();
        let configuration = shape::read(value, &mut problems)
            .and_then(|document| Self::build(document, digest, &mut problems));
        match (problems.into_error(), configuration) {
            (None, Some(configuration)) => Ok(configuration),
            (Some(error), _) => Err(error),
            (None, None) => Err(ConfigError::unexplained()),
        }
    }

    #[inline(never)]
    fn build(document: Document, digest: String, problems: &mut Problems) -> Option<Self> {
        let warnings = warning::all(&document);
        let known: Vec<Box<str>> = document
            .issuers
            .iter()
            .map(|issuer| issuer.issuer.as_str().into())
            .collect();
        let limits = document.limits.check(problems);
        let treatments = policy::treatments(&document.credentials, problems);
        let fingerprints = document.audit.fingerprints(problems);
        let records = document.audit.settings(problems);
        let mut resource = document.resource.build(problems);
        let exchange = document
            .exchange
            .and_then(|section| exchange::build(section, &document.issuers, problems));
        let workspaces = policy::workspaces(document.workspaces, problems);
        let policy = policy::build(
            document.policy,
            document.roles,
            &known,
            &workspaces,
            problems,
        );
        let (withdrawn, withdrawal_list) = withdrawn::build(document.withdrawn, &known, problems);
        let issuers = issuer::build(document.issuers, policy.roles.as_slice(), problems);
        let (issuers, key_sources): (Vec<Issuer>, _) = issuers.into_iter().unzip();
        resource.know(&issuers, exchange.is_some());
        let published = resource
            .identifier
            .clone()
            .map(|identifier| ProtectedResource::new(identifier, &issuers));
        let limits = limits?;
        Some(Self {
            authorizer: Authorizer {
                self_service: self_service::build(document.self_service, problems),
                issuers,
                policy,
                resource: published,
                workspaces,
                withdrawn,
                max_token_bytes: limits.token_bytes,
                treatments,
                fingerprints,
            },
            key_sources,
            withdrawal_list,
            exchange,
            resource,
            waiting: limits.waiting(),
            verified: limits.verified(),
            forward_identity: document.forward_identity,
            share_keys: document.share_keys,
            records,
            digest,
            warnings,
        })
    }
}

impl CheckedLimits {
    const fn waiting(&self) -> Waiting {
        Waiting {
            requests: self.waiting_requests,
            time: self.waiting_time,
        }
    }

    const fn verified(&self) -> verified::MemoryLimits {
        verified::MemoryLimits {
            tokens: self.cached_tokens,
            bytes: self.cached_bytes,
        }
    }
}

impl document::ResourceSection {
    #[inline(never)]
    fn build(self, problems: &mut Problems) -> Resource {
        let identifier = self.identifier.and_then(|identifier| {
            let place = Place::at("resource.identifier");
            problems.take(&place, &identifier, Identifier::parse(&identifier))
        });
        let access_request_url = self.access_request_url.and_then(|url| {
            let place = Place::at("resource.access_request_url");
            let filled = url.replace(SCOPES, "").replace(ROLES, "");
            problems.take(&place, &url, HttpsUri::parse(&filled))?;
            Some(url.into())
        });
        Resource {
            identifier,
            access_request_url,
            ..Resource::default()
        }
    }
}

#[cfg(test)]
mod tests;
