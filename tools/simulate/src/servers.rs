//! The servers that the gateway asks: two issuers, the list of revoked tokens, Databricks' token
//! endpoint.

use serde_json::json;

use crate::action::{ISSUERS, Mood, Server};
use crate::token;
use crate::worker::{Answer, Sent};

/// Every server, and since when each is as it is.
pub(crate) struct Servers {
    pub(crate) issuers: Vec<IssuerServer>,
    pub(crate) list: State,
    pub(crate) token_endpoint: State,
    /// The IDs of revoked tokens, in their order.
    pub(crate) revoked: Vec<String>,
    /// Answers of the token endpoint so far.
    exchanged: u32,
}

/// A server's mood, and since when it answers as it should within two seconds.
#[derive(Clone, Copy)]
pub(crate) struct State {
    pub(crate) mood: Mood,
    pub(crate) well_since: Option<u64>,
}

/// An issuer.
pub(crate) struct IssuerServer {
    pub(crate) state: State,
    /// The key that it signs with.
    pub(crate) key: u32,
    /// The keys that it publishes, each with the moment at which that began.
    pub(crate) published: Vec<(u32, u64)>,
    /// When each key was last handed to the process.
    pub(crate) served: Vec<(u32, u64)>,
}

/// When an answer reaches the gateway, and what it is; `None` for a failure.
pub(crate) type Delivery = (u64, Option<Answer>);

impl Servers {
    pub(crate) fn new() -> Self {
        let state = State {
            mood: Mood::Up(5),
            well_since: Some(0),
        };
        let issuer = || IssuerServer {
            state,
            key: 0,
            published: vec![(0, 0)],
            served: Vec::new(),
        };
        Self {
            issuers: (0..ISSUERS).map(|_| issuer()).collect(),
            list: state,
            token_endpoint: state,
            revoked: Vec::new(),
            exchanged: 0,
        }
    }

    pub(crate) fn state(&mut self, server: Server) -> Option<&mut State> {
        match server {
            Server::Issuer(issuer) => self.issuers.get_mut(issuer).map(|issuer| &mut issuer.state),
            Server::List => Some(&mut self.list),
            Server::TokenEndpoint => Some(&mut self.token_endpoint),
        }
    }

    /// Changes a server's mood.
    pub(crate) fn set(&mut self, server: Server, mood: Mood, now: u64) {
        if let Some(state) = self.state(server) {
            let is_well = matches!(mood, Mood::Up(0..500) | Mood::Twice);
            state.well_since = match state.well_since {
                Some(since) if is_well => Some(since),
                _ => is_well.then_some(now),
            };
            state.mood = mood;
        }
    }

    /// The issuer signs by its next key.
    pub(crate) fn rotate(&mut self, issuer: usize, keeps: bool, now: u64) {
        if let Some(issuer) = self.issuers.get_mut(issuer) {
            let former = issuer.key;
            issuer.key = issuer.key.wrapping_add(1);
            issuer.published.retain(|(key, _)| keeps && *key == former);
            issuer.published.push((issuer.key, now));
        }
    }

    /// What comes of a callout.
    pub(crate) fn serve(&mut self, server: Server, sent: &Sent, now: u64) -> Vec<Delivery> {
        let mood = self.state(server).map_or(Mood::Dead, |state| state.mood);
        let at = |delay: u64| now.saturating_add(delay);
        let failure = (at(sent.timeout), None);
        match mood {
            Mood::Dead | Mood::NoHost => vec![failure],
            Mood::Garbled => vec![(at(5), Some(answer(200, "<html>".to_owned())))],
            Mood::Status(status) => vec![(at(5), Some(answer(status, "{}".to_owned())))],
            Mood::Up(delay) if delay >= sent.timeout => vec![failure],
            Mood::Up(delay) => vec![(at(delay), Some(self.answer(server, sent, now)))],
            Mood::Twice => {
                let answer = self.answer(server, sent, now);
                vec![(at(5), Some(answer.clone())), (at(9), Some(answer))]
            }
        }
    }

    fn answer(&mut self, server: Server, sent: &Sent, now: u64) -> Answer {
        match server {
            Server::Issuer(number) => {
                let Some(issuer) = self.issuers.get_mut(number) else {
                    return Answer::default();
                };
                for (key, _) in &issuer.published {
                    issuer.served.retain(|(known, _)| known != key);
                    issuer.served.push((*key, now));
                }
                let keys = issuer.published.iter();
                let keys: Vec<_> = keys.map(|(key, _)| token::jwk(number, *key)).collect();
                answer(200, json!({ "keys": keys }).to_string())
            }
            Server::List => answer(200, json!({ "token_ids": self.revoked }).to_string()),
            Server::TokenEndpoint => {
                let form = String::from_utf8_lossy(&sent.body);
                let mut fields = form.split('&');
                let subject = fields.find_map(|field| field.strip_prefix("subject_token="));
                self.exchanged = self.exchanged.wrapping_add(1);
                let text = exchanged(subject.unwrap_or_default(), self.exchanged);
                let body = json!({
                    "access_token": text, "token_type": "Bearer", "expires_in": 600,
                    "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                });
                answer(200, body.to_string())
            }
        }
    }
}

/// The token that is given for a subject's: by its end one sees whose it is.
fn exchanged(subject: &str, number: u32) -> String {
    let signature = subject.rsplit('.').next().unwrap_or_default();
    format!("exchanged-{number}-{signature}")
}

/// Whether an `Authorization` is what was given for this token.
pub(crate) fn is_exchanged_for(authorization: &str, subject: &str) -> bool {
    let signature = subject.rsplit('.').next().unwrap_or_default();
    authorization.starts_with("Bearer exchanged-") && authorization.ends_with(signature)
}

fn answer(status: u16, body: String) -> Answer {
    Answer {
        status,
        headers: Vec::new(),
        body: body.into_bytes(),
    }
}
