//! The clients: what they show, what they send, and when they leave.

use databricks_oam_filter::gateway::host::StreamId;
use databricks_oam_filter::gateway::{Head, Step};
use databricks_oam_filter::request::Headers;
use serde_json::json;

use crate::action::{Call, Token};
use crate::check::Violation;
use crate::token::{self, Minted};
use crate::world::{PLUGIN, World};

/// A client whose request is on its way.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) token: Option<usize>,
    pub(crate) call: Call,
    pub(crate) progress: Progress,
    pub(crate) records: u32,
    /// Since when it waits for the gateway, by the true time.
    pub(crate) held_since: Option<u64>,
    /// The body that it sends, of a form.
    pub(crate) form: Vec<u8>,
}

/// How far a client's request has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Progress {
    /// The gateway takes its form.
    AwaitsForm,
    /// It has its answer.
    Answered,
    /// It went upstream.
    Forwarded,
    /// The gateway holds it.
    Held,
}

impl World {
    pub(crate) fn send(&mut self, place: usize, token: Token, call: Call) -> Result<(), Violation> {
        let token = self.token(token);
        let text = token
            .and_then(|token| self.tokens.get(token))
            .map(|token| token.text.clone());
        let Some(worker) = self.workers.get_mut(place) else {
            return Ok(());
        };
        let numbers = 1000_u32..;
        let free = numbers
            .map(StreamId)
            .find(|stream| !self.clients.contains_key(&(place, *stream)));
        let Some(stream) = free else {
            return Ok(());
        };
        let (headers, form) = request(call, text.as_deref());
        let client = Client {
            token,
            call,
            progress: Progress::Held,
            records: 0,
            held_since: None,
            form,
        };
        self.clients.insert((place, stream), client);
        worker.host.current.set(Some(stream));
        worker.gateway.begin(stream, PLUGIN, &worker.host);
        let head = Head {
            headers,
            source_ip: Some(format!("192.0.2.{}", stream.0 % 250)),
            has_body: call == Call::TokenEndpoint,
        };
        let step = worker.gateway.on_head(stream, head, &worker.host);
        self.collect(place)?;
        if let (Call::TokenEndpoint, Step::Forward) = (call, &step) {
            let now = self.now;
            if let Some(client) = self.clients.get_mut(&(place, stream)) {
                client.progress = Progress::AwaitsForm;
                client.held_since = Some(now);
            }
            return Ok(());
        }
        self.take(place, stream, step)
    }

    /// More of some client's form comes.
    pub(crate) fn body(&mut self, pick: usize, is_whole: bool) -> Result<(), Violation> {
        let awaits =
            |(_, client): &(&(usize, StreamId), &Client)| client.progress == Progress::AwaitsForm;
        let awaiting: Vec<_> = self
            .clients
            .iter()
            .filter(awaits)
            .map(|(key, _)| *key)
            .collect();
        let Some((place, stream)) = pick
            .checked_rem(awaiting.len())
            .and_then(|place| awaiting.get(place).copied())
        else {
            return Ok(());
        };
        let (Some(worker), Some(client)) = (
            self.workers.get_mut(place),
            self.clients.get(&(place, stream)),
        ) else {
            return Ok(());
        };
        let came = if is_whole {
            client.form.len()
        } else {
            client.form.len() / 2
        };
        let bytes = client.form.get(..came).unwrap_or_default().to_vec();
        worker.host.current.set(Some(stream));
        worker.host.body.replace(bytes);
        let step = worker.gateway.on_body(stream, came, is_whole, &worker.host);
        self.collect(place)?;
        if !is_whole && step == Step::Hold {
            return Ok(());
        }
        if let Some(client) = self.clients.get_mut(&(place, stream)) {
            client.progress = Progress::Held;
            client.held_since = None;
        }
        self.take(place, stream, step)
    }

    pub(crate) fn leave(&mut self, pick: usize) -> Result<(), Violation> {
        let key = pick
            .checked_rem(self.clients.len())
            .and_then(|place| self.clients.keys().nth(place).copied());
        match key {
            Some((place, stream)) => self.end(place, stream),
            None => Ok(()),
        }
    }

    /// The token that a client shows.
    fn token(&mut self, token: Token) -> Option<usize> {
        let (issuer, is_forged, has_scope, lifetime) = match token {
            Token::Again(pick) => return pick.checked_rem(self.tokens.len()),
            Token::Nothing => return None,
            Token::Expired(issuer) => (issuer, false, true, 0),
            Token::Forged(issuer) => (issuer, true, true, LIFETIME),
            Token::Fresh(issuer) => (issuer, false, true, LIFETIME),
            Token::Narrow(issuer) => (issuer, false, false, LIFETIME),
        };
        let key = self.servers.issuers.get(issuer)?.key;
        let now = self.process.borrow().wall.checked_div(1000)?;
        let expires_at = if lifetime == 0 {
            now.saturating_sub(3600)
        } else {
            now.saturating_add(lifetime)
        };
        let id = format!("t{}", self.tokens.len());
        let claims = json!({
            "iss": token::issuer(issuer), "aud": "databricks", "sub": "somebody", "jti": id,
            "exp": expires_at, "scope": if has_scope { "jobs" } else { "sql" },
        });
        self.tokens.push(Minted {
            text: token::sign(issuer, key, &claims, is_forged),
            id,
            issuer,
            key,
            expires_at,
            is_forged,
            has_scope,
        });
        self.tokens.len().checked_sub(1)
    }
}

/// The headers of a call, and its form.
fn request(call: Call, token: Option<&str>) -> (Headers, Vec<u8>) {
    let (method, path) = match call {
        Call::Operation => ("GET", "/api/2.2/jobs/get"),
        Call::TokenEndpoint => ("POST", "/oidc/v1/token"),
    };
    let mut pairs = vec![
        (":method", method.to_owned()),
        (":path", path.to_owned()),
        (":authority", "databricks.example.com".to_owned()),
        (":scheme", "https".to_owned()),
    ];
    let mut form = String::new();
    match (call, token) {
        (Call::Operation, Some(token)) => pairs.push(("authorization", format!("Bearer {token}"))),
        (Call::Operation, None) => {}
        (Call::TokenEndpoint, token) => {
            pairs.push((
                "content-type",
                "application/x-www-form-urlencoded".to_owned(),
            ));
            let token = token.unwrap_or_default();
            form = format!("{EXCHANGE}&subject_token={token}");
        }
    }
    let pairs = pairs.into_iter();
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.into_bytes()));
    (Headers::new(pairs.collect()), form.into_bytes())
}

/// The fields of a token exchange before its subject.
const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=urn:ietf:params:oauth:token-type:jwt";

/// Of tokens, in seconds.
const LIFETIME: u64 = 1800;
