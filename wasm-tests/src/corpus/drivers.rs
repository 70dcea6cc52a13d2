//! The places that answer a case: the core itself, the built module in this process, and the built
//! module in a real Envoy.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use databricks_oam_filter::answer::Answer;
use databricks_oam_filter::audit::record::Record;
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::gateway::host::{PluginId, StreamId};
use databricks_oam_filter::gateway::local_host::LocalHost;
use databricks_oam_filter::gateway::{Gateway, Head, Step};
use databricks_oam_filter::request::Headers as CoreHeaders;
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::signature::RustCrypto;
use serde_json::{Value, json};

use super::Prepared;
use super::outcome::{Outcome, Upstream};
use crate::client::{self, Connection};
use crate::envoy::{Envoy, Setup, log};
use crate::header_map::has_body;
#[cfg(feature = "host")]
use crate::host::{Answers, CalloutAnswer, Host, Verdict};
use crate::issuer::Issuer;
use crate::keys::jwk_set;
use crate::reply::{Headers, Reply};
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

/// The gateway in this process, under a host of its own.
pub struct Core {
    gateway: Gateway,
    host: LocalHost<'static>,
    records: Rc<RefCell<Vec<String>>>,
    /// The last record's line.
    line: String,
}

impl Core {
    /// Reads the configuration and fetches its keys.
    pub fn start(configuration: &Value) -> Result<Self, String> {
        let configuration = Configuration::parse(configuration.to_string().as_bytes())
            .map_err(|error| error.to_string())?;
        let records = Rc::<RefCell<Vec<String>>>::default();
        let written = Rc::clone(&records);
        let on_record = move |_: &Record<'_>, line: &str| {
            written.borrow_mut().push(line.to_owned());
        };
        let mut core = Self {
            gateway: Gateway::default(),
            host: LocalHost::new(now(), || Box::new(RustCrypto), on_record),
            records,
            line: String::new(),
        };
        core.gateway
            .configure(PLUGIN, Some(configuration), &core.host);
        core.live();
        Ok(core)
    }

    /// Ticks, and answers callouts as the [`Issuer`] does; the step of the request that waited.
    fn live(&mut self) -> Option<Step> {
        self.gateway.on_tick(PLUGIN, &self.host);
        let mut ready = self.gateway.next_ready(PLUGIN, &self.host);
        for (id, call) in self.host.take_sent() {
            self.host.hold_answer(&published(call.uri.path()));
            self.gateway.on_answer(PLUGIN, id, true, &self.host);
            ready = ready.or(self.gateway.next_ready(PLUGIN, &self.host));
        }
        ready.map(|(_, step)| step)
    }
}

impl Driver for Core {
    fn name(&self) -> &'static str {
        "core"
    }

    fn answer(&mut self, request: &Prepared) -> Result<Outcome, u16> {
        self.host.set_clock(now());
        let (gateway, host) = (&mut self.gateway, &self.host);
        host.hold_body(&request.body);
        let mut pairs = pairs(request);
        let head = Head {
            headers: CoreHeaders::new(pairs.clone()),
            source_ip: Some("127.0.0.1".to_owned()),
            has_body: has_body(&pairs, &request.body),
        };
        // What was asked for a request that was refused after all.
        host.edit(&mut Vec::new());
        gateway.begin(STREAM, PLUGIN, host);
        let mut step = gateway.on_head(STREAM, head, host);
        if step == Step::Hold {
            // What it waits for is answered, as the module's is.
            gateway.on_tick(PLUGIN, host);
            for (id, call) in host.take_sent() {
                host.hold_answer(&published(call.uri.path()));
                gateway.on_answer(PLUGIN, id, true, host);
            }
            if let Some((STREAM, ready)) = gateway.next_ready(PLUGIN, host) {
                step = ready;
            }
        }
        if step == Step::Forward {
            step = gateway.on_body(STREAM, request.body.len(), true, host);
        }
        if step == Step::Hold {
            step = self.live().unwrap_or(Step::Hold);
        }
        let host = &self.host;
        self.gateway.end(STREAM, host);
        let mut records = self.records.take().into_iter();
        self.line = records.next().unwrap_or_default();
        let audit = log::record(&self.line);
        assert_eq!(records.next(), None, "one record for each decision");
        Ok(match step {
            Step::Forward => {
                host.edit(&mut pairs);
                Outcome::forwarded(Upstream::sent(&pairs), audit)
            }
            Step::Reply(answer) => replied(*answer, audit),
            Step::Hold | Step::HoldBody => panic!("the request waits for ever: {audit:?}"),
        })
    }

    fn said(&self) -> String {
        self.line.clone()
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

/// The one plugin, and the one request at a time.
const PLUGIN: PluginId = PluginId(1);
const STREAM: StreamId = StreamId(2);

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
#[cfg(feature = "host")]
pub struct InProcess {
    host: Host,
    lines: Vec<(u32, String)>,
}

#[cfg(feature = "host")]
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

#[cfg(feature = "host")]
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
