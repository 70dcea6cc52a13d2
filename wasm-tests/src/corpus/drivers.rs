//! The places that answer a case: the core itself, the built module in this process, and the built module in a real Envoy.

use std::net::SocketAddr;

use databricks_oam_filter::answer::Answer;
use databricks_oam_filter::audit::compact::Record;
use databricks_oam_filter::authorize::form::TokenRequest;
use databricks_oam_filter::authorize::{
    Decision, Identity, Permit, Verdict as CoreVerdict, Verification,
};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::key_store::KeyStore;
use databricks_oam_filter::key_store::fetch;
use databricks_oam_filter::request::Headers as CoreHeaders;
use databricks_oam_filter::request::envelope::{Asker, Envelope};
use databricks_oam_filter::request::form::{self, Form};
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::signature::RustCrypto;
use serde_json::{Value, json};

use super::Prepared;
use super::outcome::{Outcome, Upstream};
use crate::client::{self, Connection};
use crate::envoy::{Envoy, Setup, log};
use crate::host::{Answers, CalloutAnswer, Headers, Host, Reply, Verdict};
use crate::issuer::Issuer;
use crate::keys::jwk_set;
use crate::workspace::Workspace;

/// Answers cases for one configuration.
pub trait Driver {
    /// What it is called in messages.
    fn name(&self) -> &'static str;
    /// What comes of a request. `Err` is a status without a record: Envoy refused in its own name.
    fn answer(&mut self, request: &Prepared) -> Result<Outcome, u16>;
    /// What was said of the last request besides: in the log, and in what workers share.
    fn said(&self) -> String {
        String::new()
    }
}

/// The core, called as the filter calls it.
pub struct Core {
    configuration: Configuration,
    keys: KeyStore,
}

impl Core {
    /// Reads the configuration and fetches its keys.
    pub fn start(configuration: &Value) -> Result<Self, String> {
        let mut configuration = Configuration::parse(configuration.to_string().as_bytes())
            .map_err(|error| error.to_string())?;
        let keys = KeyStore::new(std::mem::take(&mut configuration.key_sources), 7);
        let mut core = Self {
            configuration,
            keys,
        };
        core.fetch(now());
        Ok(core)
    }

    fn fetch(&mut self, now: UnixTime) {
        while let Some(due) = self.keys.due(now) {
            let body = published(due.call.uri.path());
            let answer = fetch::Answer {
                status: 200,
                cache_control: None,
                age: None,
                body: &body,
            };
            self.keys
                .on_answer(&due, &answer, now)
                .expect("the keys of a corpus file are sound");
        }
    }

    fn outcome(&self, decision: &Decision<'_>, forwarded: Headers, head: &CoreHeaders) -> Outcome {
        let envelope = Envelope::of(head, Some("127.0.0.1"));
        let decision_id = "decision";
        let record = Record::new(
            decision,
            &envelope,
            decision_id,
            now(),
            &self.configuration.digest,
        );
        let audit = log::record(&record.to_line());
        match &decision.verdict {
            CoreVerdict::Allow(permit) | CoreVerdict::Shadow(_, permit) => {
                let mut sent = forwarded;
                if self.configuration.forward_identity {
                    sent.push((
                        "x-oam-decision-id".to_owned(),
                        decision_id.as_bytes().to_vec(),
                    ));
                    sent.extend(identity(permit));
                }
                Outcome::forwarded(Upstream::sent(&sent), audit)
            }
            CoreVerdict::Deny(denial) => {
                let resource = &self.configuration.resource;
                let answer = Answer::new(
                    denial,
                    &decision.evidence,
                    &Asker::of(head),
                    decision_id,
                    resource,
                );
                replied(answer, audit)
            }
            CoreVerdict::Describe(metadata) => replied(Answer::describing(metadata), audit),
            CoreVerdict::Return(token) => replied(Answer::returning(token), audit),
        }
    }
}

impl Driver for Core {
    fn name(&self) -> &'static str {
        "core"
    }

    fn answer(&mut self, request: &Prepared) -> Result<Outcome, u16> {
        let pairs = pairs(request);
        let headers = CoreHeaders::new(pairs.clone());
        let now = now();
        let authorizer = &self.configuration.authorizer;
        let by = Verification::afresh(&self.keys, &RustCrypto);
        let mut decision = authorizer.authorize(&headers, &by, now);
        let mut forwarded = pairs;
        if let CoreVerdict::Allow(permit) | CoreVerdict::Shadow(_, permit) = &decision.verdict {
            let removed = headers.to_remove(permit.kept());
            forwarded.retain(|(name, _)| !removed.contains(&name.as_str()));
            if let Some(authorization) = decision.authorization(&headers) {
                forwarded.retain(|(name, _)| name != "authorization");
                forwarded.push(("authorization".to_owned(), authorization.into_bytes()));
            }
        }
        if form::goes_to_token_endpoint(&headers) {
            let request = TokenRequest {
                headers: &headers,
                form: &Form::parse(&headers, &request.body),
                exchange: self.configuration.exchange.as_ref(),
            };
            authorizer.judge_form(&mut decision, request, &by, now);
        }
        Ok(self.outcome(&decision, forwarded, &headers))
    }
}

/// What comes of an answer of the core's.
fn replied(answer: Answer, audit: Option<Value>) -> Outcome {
    let headers = answer
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into_owned().into_bytes()));
    let reply = Reply {
        status: answer.status,
        headers: headers.collect(),
        body: answer.body.into_bytes(),
        grpc_status: answer.grpc_status.map_or(-1, i32::from),
    };
    Outcome::replied(&reply.settled(answer.grpc_status.is_some()), audit)
}

/// The headers that tell the upstream who is calling, as the contract names them. Spelled here a second time on purpose: a test that took
/// the names from what it tests would agree with any.
fn identity(permit: &Permit) -> Headers {
    let Permit::Bearer(Identity {
        subject,
        client,
        issuer,
        roles,
    }) = permit
    else {
        return Vec::new();
    };
    [
        ("x-oam-issuer", Some(issuer.to_string())),
        ("x-oam-subject", subject.as_ref().map(ToString::to_string)),
        ("x-oam-client", client.as_ref().map(ToString::to_string)),
        ("x-oam-roles", roles.as_ref().map(ToString::to_string)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?.into_bytes())))
    .collect()
}

/// What the [`Issuer`] publishes at a path.
pub(super) fn published(path: &str) -> Vec<u8> {
    let names = path.strip_prefix("/keys/").unwrap_or("acme-rsa").split(',');
    jwk_set(names).to_string().into_bytes()
}

fn now() -> UnixTime {
    u64::try_from(crate::paths::now())
        .ok()
        .and_then(UnixTime::from_seconds)
        .expect("a clock before the year 9999")
}

/// The module in this process.
pub struct InProcess {
    host: Host,
    lines: Vec<(u32, String)>,
}

impl InProcess {
    /// Starts the module. Its callouts are answered as by the [`Issuer`].
    pub fn start(configuration: &Value) -> Result<Self, String> {
        let answers: Answers = Box::new(|callout| CalloutAnswer::Answer {
            status: 200,
            headers: Vec::new(),
            body: published(&callout.path()),
        });
        let mut host = Host::start(&configuration.to_string(), &["issuer"], answers);
        if !host.configured() {
            return Err(format!("{:?}", host.take_log()));
        }
        host.tick();
        host.take_log();
        Ok(Self {
            host,
            lines: Vec::new(),
        })
    }
}

impl Driver for InProcess {
    fn name(&self) -> &'static str {
        "module"
    }

    fn answer(&mut self, request: &Prepared) -> Result<Outcome, u16> {
        let verdict = self.host.request(&pairs(request), &request.body);
        let lines = self.host.take_log();
        let mut records = lines.iter().filter_map(|(_, line)| log::record(line));
        let audit = records.next();
        assert_eq!(records.next(), None, "one record for each decision");
        self.lines.clone_from(&lines);
        Ok(match verdict {
            Verdict::Forward(headers) => Outcome::forwarded(Upstream::sent(&headers), audit),
            Verdict::Reply(reply) => Outcome::replied(&reply, audit),
            Verdict::Waiting => panic!("the request waits for ever; the module said {lines:?}"),
        })
    }

    fn said(&self) -> String {
        let metrics = self.host.metrics();
        let shared = self.host.shared_data();
        let shared = shared.iter().flat_map(|(key, value)| [key, value]);
        let shared: Vec<_> = shared.map(|bytes| String::from_utf8_lossy(bytes)).collect();
        format!("{:?} {metrics:?} {shared:?}", self.lines)
    }
}

/// A real Envoy with an issuer and a workspace.
pub struct InEnvoy {
    envoy: Envoy,
    workspace: Workspace,
    _issuer: Issuer,
    /// Where in the log the last request began.
    mark: usize,
}

impl InEnvoy {
    /// Starts them. Paths reach the filter untidied, as the other drivers see them.
    pub fn start(configuration: &Value) -> Result<Self, String> {
        let (issuer, workspace) = (Issuer::start(["acme-rsa"]), Workspace::start());
        let envoy = Setup::new(configuration.clone())
            .cluster("issuer", issuer.address())
            .cluster("workspace", workspace.address())
            .try_start()?;
        Ok(Self {
            envoy,
            workspace,
            _issuer: issuer,
            mark: 0,
        })
    }
}

impl Driver for InEnvoy {
    fn name(&self) -> &'static str {
        "Envoy"
    }

    fn answer(&mut self, request: &Prepared) -> Result<Outcome, u16> {
        let mark = self.envoy.log().mark();
        self.mark = mark;
        let answer = send(self.envoy.address(), request);
        let seen = self.workspace.take();
        assert!(seen.len() < 2, "one request became {}", seen.len());
        let audit = self.envoy.log().wait_for_audit(mark, 1).pop();
        if audit.is_none() && seen.is_empty() {
            return Err(answer.status);
        }
        Ok(Outcome::answered(&answer, seen.first(), audit))
    }

    fn said(&self) -> String {
        self.envoy.log().text_from(self.mark)
    }
}

fn send(address: SocketAddr, request: &Prepared) -> client::Answer {
    let mut headers: Vec<(&str, &[u8])> = vec![("host", request.authority.as_bytes())];
    headers.extend(
        request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    );
    let mut connection = Connection::open(address);
    connection.send(&client::request(
        &request.method,
        &request.target,
        &headers,
        &request.body,
    ));
    connection.answer(request.method == "HEAD")
}

/// The header map that a host shows for a request.
pub fn pairs(request: &Prepared) -> Headers {
    let pseudo = [
        (":authority", request.authority.as_bytes()),
        (":path", &request.target),
        (":method", request.method.as_bytes()),
        (":scheme", b"http"),
    ];
    let mut headers: Headers = pseudo
        .map(|(name, value)| (name.to_owned(), value.to_vec()))
        .into();
    headers.extend(
        request
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone())),
    );
    let request_id = json!("6f1d2c3b-0000-4000-8000-000000000001");
    headers.push(("x-forwarded-proto".to_owned(), b"http".to_vec()));
    headers.push((
        "x-request-id".to_owned(),
        request_id.as_str().unwrap_or_default().as_bytes().to_vec(),
    ));
    if !request.body.is_empty() {
        headers.push((
            "content-length".to_owned(),
            request.body.len().to_string().into_bytes(),
        ));
    }
    headers
}
