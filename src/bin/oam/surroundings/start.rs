//! How an Envoy is started: its runtime layers, and the command line in a container's manifest.
//!
//! Two defaults of Envoy are wrong for a gateway that people depend on. One client may have every
//! request of a read handled before anybody else's, so that a burst of HTTP/2 resets keeps the
//! others out. And a listener that changes keeps its old connections, with the old policy, for up
//! to ten minutes. The first is in the bootstrap; the second is on the command line alone.

use super::code::Code;
use super::finding::Findings;
use super::node::Node;
use super::place::Place;

/// Says what is wrong with the runtime, and with the command lines that start this bootstrap.
pub(super) fn check(bootstrap: &Node, starts: &[Start], findings: &mut Findings) {
    check_runtime(bootstrap, findings);
    let dynamic = bootstrap.get("dynamic_resources");
    let source = dynamic.and_then(|dynamic| {
        let source = dynamic.get("lds_config");
        source.or_else(|| dynamic.get("ads_config"))
    });
    // A listener that never changes never drains.
    let Some(source) = source else {
        return;
    };
    if starts.is_empty() {
        findings.note(Code::DrainNotSeen, source.place);
    }
    for start in starts.iter().filter(|start| !start.drains_at_once()) {
        findings.note(Code::DrainSlow, start.place.clone());
    }
}

fn check_runtime(bootstrap: &Node, findings: &mut Findings) {
    let runtime = bootstrap.get("layered_runtime");
    let layers = runtime.map(|runtime| runtime.items("layers"));
    let layers = layers.unwrap_or_default();
    // What such a layer holds is on a disk or a server.
    let is_elsewhere = |layer: &Node| layer.has("disk_layer") || layer.has("rtds_layer");
    let says = |layer: &Node| {
        let written = layer.get("static_layer");
        written.is_some_and(|written| {
            let nested = written.get("http");
            let whole = written.number(REQUESTS_PER_CYCLE);
            let nested = || nested?.number("max_requests_per_io_cycle");
            whole.or_else(nested).is_some_and(|limit| limit > 0)
        })
    };
    if !layers
        .iter()
        .any(|layer| is_elsewhere(layer) || says(layer))
    {
        findings.note(Code::RapidReset, bootstrap.place_of("layered_runtime"));
    }
}

/// A command line of an Envoy.
pub(super) struct Start {
    place: Place,
    words: Vec<String>,
}

impl Start {
    /// Every Envoy that these documents start: services of Docker compose, and containers of
    /// Kubernetes.
    pub(super) fn all(units: &[Node]) -> Vec<Self> {
        let mut starts = Vec::new();
        for unit in units {
            if is_compose(unit) {
                let services = unit.get("services");
                let services = services.map(|services| services.members());
                for (_, service) in services.unwrap_or_default() {
                    starts.extend(Self::read(&service, &["entrypoint", "command"]));
                }
            } else if unit.has("kind") {
                let found = |node: &Node<'_>| Self::read(node, &["command", "args"]);
                unit.find(&found, &mut starts);
            }
        }
        starts
    }

    fn read(container: &Node, parts: &[&str]) -> Option<Self> {
        let mut words = Vec::new();
        for part in parts {
            let texts = container.items(part).into_iter();
            words.extend(texts.filter_map(|word| word.value.as_str().map(str::to_owned)));
            let line = container.text(part).unwrap_or_default();
            words.extend(line.split_whitespace().map(str::to_owned));
        }
        let last = parts.last().copied().unwrap_or_default();
        let start = Self {
            place: container.place_of(last),
            words,
        };
        // A shell has a `-c` too.
        let is_file = |path: &str| {
            [".yaml", ".yml", ".json"]
                .iter()
                .any(|end| path.ends_with(end))
        };
        let long = ["--config-path", "--config-yaml"];
        let is_envoy = start.option("-c").is_some_and(is_file)
            || long.iter().any(|option| start.option(option).is_some());
        is_envoy.then_some(start)
    }

    /// Whether connections close with their next answer, and closed soon.
    fn drains_at_once(&self) -> bool {
        let time = self.option("--drain-time-s");
        let seconds = time.and_then(|time| time.parse::<u32>().ok());
        self.option("--drain-strategy") == Some("immediate")
            && seconds.is_some_and(|seconds| seconds <= SOON)
    }

    /// What stands behind an option, in the next word or behind `=`.
    fn option(&self, name: &str) -> Option<&str> {
        let mut words = self.words.iter();
        while let Some(word) = words.next() {
            if word == name {
                return words.next().map(String::as_str);
            }
            if let Some(value) = word
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('='))
            {
                return Some(value);
            }
        }
        None
    }
}

/// Whether a document is Docker compose's.
pub(super) fn is_compose(unit: &Node) -> bool {
    !unit.has("kind") && unit.has("services") && !unit.has("issuers")
}

/// Envoy's runtime key: how many requests of one connection are handled before the others'.
const REQUESTS_PER_CYCLE: &str = "http.max_requests_per_io_cycle";

/// Seconds that a connection may stay under the old policy.
const SOON: u32 = 10;
