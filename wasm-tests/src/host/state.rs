//! What the host keeps for the module.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::reply::{Headers, Reply};

/// A request that the module makes of a cluster.
#[derive(Clone, Debug)]
pub struct Callout {
    /// Its number.
    pub token: u32,
    /// The context that made it.
    pub context: u32,
    /// The cluster it goes to.
    pub cluster: String,
    /// Its headers, `:method` and the like among them.
    pub headers: Headers,
    /// Its body.
    pub body: Vec<u8>,
    /// Its time limit in milliseconds.
    pub timeout: u32,
}

impl Callout {
    /// The path asked for.
    pub fn path(&self) -> String {
        self.headers
            .iter()
            .find(|(name, _)| name == ":path")
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            .unwrap_or_default()
    }
}

/// The answer to a callout.
#[derive(Clone, Debug)]
pub enum CalloutAnswer {
    /// An answer.
    Answer {
        /// Its status.
        status: u16,
        /// Its headers.
        headers: Headers,
        /// Its body.
        body: Vec<u8>,
    },
    /// A time-out or a reset: no headers at all.
    Failed,
    /// Nothing, not even a failure.
    Never,
}

#[derive(Default)]
pub(super) struct Stream {
    pub(super) request: Headers,
    pub(super) body: Vec<u8>,
    pub(super) reply: Option<Reply>,
    pub(super) stopped: bool,
    pub(super) resumed: bool,
}

impl Stream {
    /// The reply in the form in which it leaves the host: to a gRPC caller as headers alone.
    pub(super) fn settle_reply(&mut self) -> Option<Reply> {
        let of_grpc = |(name, value): &(String, Vec<u8>)| {
            name == "content-type" && value.starts_with(b"application/grpc")
        };
        let grpc = self.request.iter().any(of_grpc);
        let reply = self.reply.take()?.settled(grpc);
        self.reply = Some(reply.clone());
        Some(reply)
    }
}

/// The answer that is just being handed over.
#[derive(Default)]
pub(super) struct Delivery {
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a host may do"
)]
pub(super) struct State {
    pub(super) configuration: Vec<u8>,
    pub(super) clusters: BTreeSet<String>,
    pub(super) clock_nanos: Option<u64>,
    pub(super) effective: u32,
    pub(super) log: Vec<(u32, String)>,
    pub(super) metrics: Vec<(String, i64)>,
    pub(super) shared: BTreeMap<Vec<u8>, (Vec<u8>, u32)>,
    pub(super) properties: BTreeMap<String, Vec<u8>>,
    pub(super) streams: BTreeMap<u32, Stream>,
    pub(super) tick_period: u32,
    pub(super) made: Vec<Callout>,
    pub(super) waiting: VecDeque<Callout>,
    pub(super) delivery: Option<Delivery>,
    pub(super) crossings: Crossings,
    /// Whether header maps stay as they are.
    pub(super) keeps_headers: bool,
    /// Whether it has no clock.
    pub(super) tells_no_time: bool,
    /// Whether it takes no lines for its log.
    pub(super) logs_nothing: bool,
    /// The least level of the lines that its log keeps; absent where it does not tell.
    pub(super) log_level: Option<u32>,
    /// Whether it hands over less than it says has come.
    pub(super) withholds: bool,
    /// A context that goes while the module writes to the log.
    pub(super) goes: Option<u32>,
}

/// How often the border between host and module was crossed: each time costs, whatever is on the
/// other side.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Crossings {
    /// Calls of the host's into the module: callbacks, and memory asked for.
    pub into_module: u32,
    /// Calls of the module's to the host.
    pub to_host: u32,
}

impl State {
    /// The value of a metric.
    pub(super) fn metric(&mut self, id: u32) -> Option<&mut i64> {
        let metric = self.metrics.get_mut(usize::try_from(id).ok()?);
        metric.map(|(_, value)| value)
    }

    pub(super) fn new(configuration: &str, clusters: &[&str]) -> Self {
        let properties = [
            ("source.address", "127.0.0.1:40000"),
            ("plugin_name", "host"),
            ("plugin_root_id", "host"),
        ];
        Self {
            configuration: configuration.as_bytes().to_vec(),
            clusters: clusters.iter().map(|name| (*name).to_owned()).collect(),
            clock_nanos: None,
            effective: 1,
            log: Vec::new(),
            metrics: Vec::new(),
            shared: BTreeMap::new(),
            properties: properties
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .into(),
            streams: BTreeMap::new(),
            tick_period: 0,
            made: Vec::new(),
            waiting: VecDeque::new(),
            delivery: None,
            crossings: Crossings::default(),
            keeps_headers: false,
            tells_no_time: false,
            logs_nothing: false,
            log_level: Some(INFO),
            withholds: false,
            goes: None,
        }
    }

    pub(super) fn stream(&self, context: u32) -> Option<&Stream> {
        self.streams.get(&context)
    }

    /// The request that host calls are about just now.
    pub(super) fn current(&mut self) -> Option<&mut Stream> {
        self.streams.get_mut(&self.effective)
    }

    /// Nanoseconds since the epoch.
    pub(super) fn now_nanos(&self) -> u64 {
        self.clock_nanos.unwrap_or_else(|| {
            let since = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .expect("a clock after 1970");
            u64::try_from(since.as_nanos()).expect("a clock before 2554")
        })
    }

    /// The header map of a type; see `MapType` of the ABI.
    pub(super) fn map(&mut self, kind: u32) -> Option<&mut Headers> {
        match kind {
            0 => self.current().map(|stream| &mut stream.request),
            2 => self
                .current()
                .and_then(|stream| stream.reply.as_mut())
                .map(|reply| &mut reply.headers),
            6 => self.delivery.as_mut().map(|delivery| &mut delivery.headers),
            _ => None,
        }
    }

    /// The buffer of a type; see `BufferType` of the ABI.
    pub(super) fn buffer(&mut self, kind: u32) -> Option<Vec<u8>> {
        match kind {
            0 => {
                let withheld = usize::from(self.withholds);
                self.current().map(|stream| {
                    let end = stream.body.len().saturating_sub(withheld);
                    stream.body[..end].to_vec()
                })
            }
            4 => self.delivery.as_ref().map(|delivery| delivery.body.clone()),
            6 => Some(Vec::new()),
            7 => Some(self.configuration.clone()),
            _ => None,
        }
    }
}

/// `LogLevel::Info`.
const INFO: u32 = 2;
