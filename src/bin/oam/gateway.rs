//! The gateway that the module is made of, on a laptop: a configuration file, keys, and no network.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use databricks_oam_filter::answer::Resource;
use databricks_oam_filter::audit::host_log::LogLevel;
use databricks_oam_filter::audit::record::Record;
use databricks_oam_filter::audit::settings::RecordSettings;
use databricks_oam_filter::authorize::{Authorizer, Decision};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::gateway::host::{PluginId, StreamId};
use databricks_oam_filter::gateway::local_host::LocalHost;
use databricks_oam_filter::gateway::{self as door, Head, Step};
use databricks_oam_filter::key_store::source::KeySource;
use databricks_oam_filter::request::{Headers, form};
use databricks_oam_filter::time::{UnixTime, parse_moment};
use databricks_oam_filter::token::jwk_set::JwkSet;
use databricks_oam_filter::token::signature::{RustCrypto, Verifier};
use databricks_oam_filter::withdrawn::list::ListSource;
use serde_json::{Map, Value};

use super::stand_in::{self, Unchecked};
use super::{Unreadable, carrier, file};

/// One configuration, and what a gateway would fetch for it.
pub(super) struct Gateway {
    text: String,
    pub(super) authorizer: Authorizer,
    /// What it puts into answers.
    pub(super) resource: Resource,
    /// Where more of what is withdrawn would be had.
    pub(super) withdrawal_list: Option<ListSource>,
    keys: Vec<GivenKeys>,
}

/// A key set in the place of one that would be fetched.
struct GivenKeys {
    /// The position of its issuer; absent where it is every issuer's whose keys are fetched.
    position: Option<usize>,
    body: Vec<u8>,
}

/// A gateway at work.
pub(super) struct Session(door::Gateway);

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
                "`{name}` is not valid, see `oam check {name}`:\n{error}"
            ))
        })?;
        let authorizer = configuration.authorizer;
        let keys = jwks
            .iter()
            .map(|argument| GivenKeys::of(argument, &authorizer));
        Ok(Self {
            keys: keys.collect::<Result<_, _>>()?,
            text,
            authorizer,
            resource: configuration.resource,
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

    /// What `read` says of the decision on a request, which nothing came before.
    pub(super) fn decide<T>(
        &self,
        request: &Request,
        read: impl FnOnce(&Decision<'_>) -> T,
    ) -> Result<T, Unreadable> {
        self.session(request)?.decide(request, read)
    }

    /// The gateway at work, for this request and others like it.
    pub(super) fn session(&self, request: &Request) -> Result<Session, Unreadable> {
        let mut gateway = door::Gateway::default();
        let configuration = self.configuration(request.filled.is_some())?;
        let host = LocalHost::new(request.now, request.engine(), |_, _| ());
        gateway.configure(PLUGIN, Some(configuration), &host);
        Ok(Session(gateway))
    }

    /// The configuration, with the keys that were given; with stand-ins for all of them where
    /// nobody signed the token.
    fn configuration(&self, is_unsigned: bool) -> Result<Configuration, Unreadable> {
        let mut configuration = Configuration::parse(self.text.as_bytes())
            .map_err(|error| Unreadable(error.to_string()))?;
        // The decision is read from its record.
        configuration.records = RecordSettings {
            log: Some(LogLevel::Info),
            collector: None,
            ..configuration.records
        };
        // Nothing is waited for that cannot come.
        configuration.waiting.time = SHORTEST_WAIT;
        if is_unsigned {
            let stand_ins: Option<_> = self.authorizer.issuers.iter().map(stand_in::key).collect();
            configuration.key_sources = stand_ins.unwrap_or_default();
            return Ok(configuration);
        }
        for given in &self.keys {
            for (position, source) in configuration.key_sources.iter_mut().enumerate() {
                let is_meant = match given.position {
                    Some(named) => named == position,
                    None => matches!(source, KeySource::Remote(_)),
                };
                if is_meant {
                    *source = KeySource::Inline(given.set()?);
                }
            }
        }
        Ok(configuration)
    }
}

impl Session {
    /// What `read` says of the decision on a request, as it is recorded.
    pub(super) fn decide<T>(
        &mut self,
        request: &Request,
        read: impl FnOnce(&Decision<'_>) -> T,
    ) -> Result<T, Unreadable> {
        let (read, found) = (Cell::new(Some(read)), Cell::new(None));
        let on_record = |record: &Record<'_>, _: &str| {
            if let Some(read) = read.take() {
                found.set(Some(read(record.decision)));
            }
        };
        self.pass(
            request,
            &LocalHost::new(request.now, request.engine(), on_record),
        );
        found
            .take()
            .ok_or_else(|| Unreadable("the gateway came to no decision".to_owned()))
    }

    fn pass(&mut self, request: &Request, host: &LocalHost<'_>) {
        let gateway = &mut self.0;
        let form = request.data.as_deref().unwrap_or_default().as_bytes();
        let has_body = form::goes_to_token_endpoint(&request.headers);
        host.hold_body(form);
        let head = Head {
            headers: request.headers.clone(),
            source_ip: None,
            has_body,
        };
        gateway.begin(STREAM, PLUGIN, host);
        let mut step = gateway.on_head(STREAM, head, host);
        if has_body && step == Step::Forward {
            step = gateway.on_body(STREAM, form.len(), true, host);
        }
        if step != Step::Hold {
            return;
        }
        gateway.on_tick(PLUGIN, host);
        for (id, call) in host.take_sent() {
            // What Databricks would say of an exchange nobody knows here; suppose that it agrees.
            host.hold_answer(EXCHANGED);
            gateway.on_answer(PLUGIN, id, call.method == "POST", host);
        }
        if gateway.next_ready(PLUGIN, host).is_none() {
            host.set_clock(request.now.after(SHORTEST_WAIT));
            gateway.on_tick(PLUGIN, host);
            gateway.next_ready(PLUGIN, host);
        }
    }
}

impl Request {
    /// What verifies its token.
    fn engine(&self) -> fn() -> Box<dyn Verifier> {
        match self.filled {
            Some(_) => || Box::new(Unchecked),
            None => || Box::new(RustCrypto),
        }
    }
}

impl GivenKeys {
    /// The key set of `FILE` or `ISSUER=FILE`.
    fn of(argument: &str, authorizer: &Authorizer) -> Result<Self, Unreadable> {
        let issuers = authorizer.issuers.iter().enumerate();
        let mut named = issuers.filter_map(|(position, issuer)| {
            let file = argument
                .strip_prefix(&*issuer.identifier)?
                .strip_prefix('=')?;
            Some((position, file))
        });
        let named = named.next_back();
        let file = named.map_or(argument, |(_, file)| file);
        let given = Self {
            position: named.map(|(position, _)| position),
            body: file::read(Path::new(file))?,
        };
        given
            .set()
            .map_err(|error| Unreadable(format!("`{file}` is no JWK Set: {}", error.0)))?;
        Ok(given)
    }

    fn set(&self) -> Result<JwkSet, Unreadable> {
        JwkSet::parse(&self.body).map_err(|error| Unreadable(error.to_string()))
    }
}

/// The one plugin, and the one request.
const PLUGIN: PluginId = PluginId(1);
const STREAM: StreamId = StreamId(2);

/// In place of `limits.waiting_time`.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// A token endpoint's yes (RFC 8693 §2.2.1).
const EXCHANGED: &[u8] = br#"{"access_token":"exchanged","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}"#;

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
    match text {
        Some(text) => parse_moment(text).map_err(|error| Unreadable(format!("{error}: `{text}`"))),
        None => clock().ok_or_else(|| {
            Unreadable("this machine's clock is not between 1970 and 9999".to_owned())
        }),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command that is not given the time takes this machine's"
)]
fn clock() -> Option<UnixTime> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    UnixTime::from_millis(u64::try_from(since.as_millis()).ok()?)
}
