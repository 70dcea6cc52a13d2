//! A gateway without a network: a configuration, keys, and the same core that the module is made
//! of.

use std::path::Path;

use chrono::DateTime;
use databricks_oam_filter::answer::Resource;
use databricks_oam_filter::authorize::form::TokenRequest;
use databricks_oam_filter::authorize::{Authorizer, Decision, Verification};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::exchange::terms::Terms;
use databricks_oam_filter::key_store::KeyStore;
use databricks_oam_filter::key_store::source::KeySource;
use databricks_oam_filter::request::Headers;
use databricks_oam_filter::request::form::{self, Form};
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::jwk_set::JwkSet;
use databricks_oam_filter::token::signature::RustCrypto;
use databricks_oam_filter::withdrawn::list::Source;
use serde_json::{Map, Value};

use super::stand_in::{self, Unchecked};
use super::{Unreadable, carrier, file};

/// One configuration at work.
pub(super) struct Gateway {
    pub(super) authorizer: Authorizer,
    /// What it puts into answers.
    pub(super) resource: Resource,
    /// On what terms it exchanges tokens.
    exchange: Option<Terms>,
    keys: KeyStore,
    stand_ins: KeyStore,
    /// Where more of what is withdrawn would be had.
    pub(super) withdrawal_list: Option<Source>,
}

/// What a caller shows.
pub(super) enum Shown {
    Nothing,
    /// The claims of a token that nobody signed.
    Claims(Map<String, Value>),
    Token(String),
}

/// A request as it reaches the gateway.
pub(super) struct Request {
    pub(super) headers: Headers,
    /// The form of a token request; absent where there is none.
    pub(super) data: Option<String>,
    pub(super) now: UnixTime,
    /// The claims that were filled in; absent where none were given.
    pub(super) filled: Option<Vec<&'static str>>,
}

impl Gateway {
    /// The gateway of a configuration file. `jwks` are the key sets that it would fetch.
    pub(super) fn open(config: &Path, jwks: &[String]) -> Result<Self, Unreadable> {
        let text = carrier::only(config)?;
        let configuration = Configuration::parse(text.as_bytes()).map_err(|error| {
            let name = config.display();
            Unreadable(format!(
                "`{name}` is not sound, see `oam check {name}`:\n{error}"
            ))
        })?;
        let authorizer = configuration.authorizer;
        let resource = configuration.resource;
        let exchange = configuration.exchange;
        let mut sources = configuration.key_sources;
        for argument in jwks {
            give_keys(argument, &authorizer, &mut sources)?;
        }
        let stand_ins: Option<_> = authorizer.issuers.iter().map(stand_in::key).collect();
        let stand_ins = stand_ins.unwrap_or_default();
        Ok(Self {
            authorizer,
            resource,
            exchange,
            keys: KeyStore::new(sources, 0),
            stand_ins: KeyStore::new(stand_ins, 0),
            withdrawal_list: configuration.withdrawal_list,
        })
    }

    /// The request that a client would send.
    pub(super) fn request(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        shown: &Shown,
        now: UnixTime,
    ) -> Result<Request, Unreadable> {
        let (authority, target) = split_url(url)?;
        let mut pairs = vec![(":method".to_owned(), method.as_bytes().to_vec())];
        pairs.extend(
            authority.map(|authority| (":authority".to_owned(), authority.as_bytes().to_vec())),
        );
        pairs.push((":path".to_owned(), target.as_bytes().to_vec()));
        if let Some((scheme, _)) = url.split_once("://") {
            pairs.push((":scheme".to_owned(), scheme.as_bytes().to_vec()));
        }
        let header = |(name, value): &(String, String)| {
            (name.to_ascii_lowercase(), value.as_bytes().to_vec())
        };
        pairs.extend(headers.iter().map(header));
        let (token, filled) = match shown {
            Shown::Nothing => (None, None),
            Shown::Token(token) => (Some(token.clone()), None),
            Shown::Claims(claims) => {
                let (token, filled) = stand_in::token(claims, &self.authorizer.issuers, now);
                (Some(token), Some(filled))
            }
        };
        let is_proof = |(name, _): &(String, String)| name.eq_ignore_ascii_case("dpop");
        let scheme = if headers.iter().any(is_proof) {
            "DPoP"
        } else {
            "Bearer"
        };
        pairs.extend(token.map(|token| {
            (
                "authorization".to_owned(),
                format!("{scheme} {token}").into_bytes(),
            )
        }));
        Ok(Request {
            headers: Headers::new(pairs),
            data: None,
            now,
            filled,
        })
    }

    /// What the gateway does with it.
    pub(super) fn decide(&self, request: &Request) -> Decision<'_> {
        let Request {
            headers,
            data,
            now,
            filled,
        } = request;
        let by = if filled.is_some() {
            Verification::afresh(&self.stand_ins, &Unchecked)
        } else {
            Verification::afresh(&self.keys, &RustCrypto)
        };
        let mut decision = self.authorizer.authorize(headers, &by, *now);
        decision.evidence.exchanged_scope = self.exchanged_scope(&decision, headers);
        if form::goes_to_token_endpoint(headers) {
            let data = data.as_deref().unwrap_or_default();
            let request = TokenRequest {
                headers,
                form: &Form::parse(headers, data.as_bytes()),
                exchange: self.exchange.as_ref(),
            };
            self.authorizer
                .judge_form(&mut decision, request, &by, *now);
        }
        decision
    }

    /// The scope for which the token would be exchanged, if its owner and the token endpoint agree.
    fn exchanged_scope(&self, decision: &Decision<'_>, headers: &Headers) -> Option<&'static str> {
        let terms = self.exchange.as_ref()?;
        let bearer = decision.permit()?.bearer()?;
        terms
            .takes(&bearer.token().issuer)
            .then(|| terms.scope_for(headers))
    }
}

/// Puts the key set of `FILE` or `ISSUER=FILE` where a fetched one would be.
fn give_keys(
    argument: &str,
    authorizer: &Authorizer,
    sources: &mut [KeySource],
) -> Result<(), Unreadable> {
    let named = authorizer
        .issuers
        .iter()
        .enumerate()
        .find_map(|(position, issuer)| {
            let file = argument
                .strip_prefix(&*issuer.identifier)?
                .strip_prefix('=')?;
            Some((position, file))
        });
    let file = named.map_or(argument, |(_, file)| file);
    for (position, source) in sources.iter_mut().enumerate() {
        let is_meant = match named {
            Some((named, _)) => named == position,
            None => matches!(source, KeySource::Remote(_)),
        };
        if is_meant {
            let set = JwkSet::parse(&file::read(Path::new(file))?)
                .map_err(|error| Unreadable(format!("`{file}` is no JWK Set: {error}")))?;
            *source = KeySource::Inline(set);
        }
    }
    Ok(())
}

/// Authority and target of a URL, the target byte for byte.
fn split_url(url: &str) -> Result<(Option<&str>, &str), Unreadable> {
    if url.starts_with('/') {
        return Ok((None, url));
    }
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .ok_or_else(|| {
            Unreadable("the URL begins neither with `https://` nor with `/`".to_owned())
        })?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if authority.is_empty() || authority.contains('@') {
        return Err(Unreadable(
            "the URL names no host, or a user besides".to_owned(),
        ));
    }
    if target.is_empty() {
        return Ok((Some(authority), "/"));
    }
    if !target.starts_with('/') {
        return Err(Unreadable(
            "the URL has no path: write a `/` behind the host".to_owned(),
        ));
    }
    Ok((Some(authority), target))
}

/// A header from the text `name: value`.
pub(super) fn header(text: &str) -> Result<(String, String), Unreadable> {
    // A pseudo-header begins with a colon of its own.
    let colon = text.char_indices().skip(1).find(|(_, c)| *c == ':');
    let (name, value) = colon
        .and_then(|(at, _)| text.split_at_checked(at))
        .ok_or_else(|| Unreadable("a header is written as `name: value`".to_owned()))?;
    let value = value.strip_prefix(':').unwrap_or(value);
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// A moment from RFC 3339 text; now, when absent.
pub(super) fn moment(text: Option<&str>) -> Result<UnixTime, Unreadable> {
    let moment = match text {
        Some(text) => DateTime::parse_from_rfc3339(text)
            .map_err(|error| {
                Unreadable(format!(
                    "not a moment as 2026-11-23T12:00:00Z ({error}): `{text}`"
                ))
            })?
            .to_utc(),
        None => chrono::Utc::now(),
    };
    u64::try_from(moment.timestamp_millis())
        .ok()
        .and_then(UnixTime::from_millis)
        .ok_or_else(|| Unreadable("a moment before 1970 or after 9999".to_owned()))
}
