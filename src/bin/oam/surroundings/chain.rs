//! The HTTP filters that a request goes through, in their order, and what each may do to what was
//! judged.

use super::code::Code;
use super::finding::Findings;
use super::header;
use super::node::{Node, is_type};
use super::place::Place;
use super::plugin::WasmFilter;

/// One of the filters.
pub(super) struct ChainEntry<'a> {
    node: Node<'a>,
    name: &'a str,
    what: What<'a>,
}

enum What<'a> {
    /// This product's, under a condition that somebody wrote.
    Conditional,
    /// Found at run time.
    Discovered,
    /// Of another type.
    Other(&'a str, Node<'a>),
    /// This product's.
    Ours,
    Unknown,
}

/// What becomes of requests on a way through a chain.
pub(super) enum Judgement {
    /// The filter judges them; it stands at this position.
    Judged(usize),
    /// They were judged at an earlier listener of the same gateway.
    JudgedBefore,
    Disabled(Place),
    Conditional(Place),
    /// Nobody can see whether it does.
    Hidden(Place),
    Missing,
    /// A filter of this name comes first.
    Unreached(String),
}

impl<'a> ChainEntry<'a> {
    /// Reads filters; `ours` are the places of this product's.
    pub(super) fn list(filters: Vec<Node<'a>>, ours: &[Place]) -> Vec<Self> {
        filters
            .into_iter()
            .map(|node| Self::read(node, ours))
            .collect()
    }

    fn read(node: Node<'a>, ours: &[Place]) -> Self {
        let is_ours = |filter: &WasmFilter| ours.contains(filter.place());
        let typed = node.get("typed_config");
        let message = typed.as_ref().and_then(Node::message);
        let direct = typed.as_ref().and_then(WasmFilter::read);
        let what = if direct.as_ref().is_some_and(is_ours) {
            What::Ours
        } else if WasmFilter::all(&node).iter().any(is_ours) {
            What::Conditional
        } else if node.has("config_discovery") {
            What::Discovered
        } else {
            message.map_or(What::Unknown, |(name, message)| What::Other(name, message))
        };
        Self {
            name: node.text("name").unwrap_or_default(),
            node,
            what,
        }
    }

    const fn is_ours(&self) -> bool {
        matches!(self.what, What::Conditional | What::Ours)
    }

    /// Where it is switched off on a way, of whose configurations the most specific comes first.
    fn disabled_at(&self, levels: &[Node]) -> Option<Place> {
        for level in levels {
            let own = level.get("typed_per_filter_config");
            let own = own.map(|node| node.members()).unwrap_or_default();
            let Some((_, config)) = own.into_iter().find(|(name, _)| *name == self.name) else {
                continue;
            };
            let is_wrapped = config.is_message("route.v3.FilterConfig");
            let (_, message) = config.message().unwrap_or(("", config.clone()));
            return (is_wrapped && message.is_true("disabled")).then_some(config.place);
        }
        self.node
            .is_true("disabled")
            .then(|| self.node.place_of("disabled"))
    }

    /// What is wrong with a filter that stands behind this product's.
    fn check_behind(&self, findings: &mut Findings) {
        let place = self.node.place.clone();
        match self.effect() {
            Effect::Credentials => findings.add(Code::CredentialAdded, place, self.name),
            Effect::Changes => findings.add(Code::ChangedBehind, place, self.name),
            Effect::Unknown => findings.add(Code::ExtensionNotSeen, place, self.name),
            Effect::Answers | Effect::None => {}
        }
    }

    fn check_before(&self, findings: &mut Findings) {
        let place = self.node.place.clone();
        match self.effect() {
            Effect::Credentials => findings.add(Code::CredentialAdded, place, self.name),
            Effect::Answers => findings.add(Code::AnsweredBefore, place, self.name),
            Effect::Changes | Effect::None | Effect::Unknown => {}
        }
        if let What::Other(name, message) = &self.what
            && is_type(name, "header_mutation.v3.HeaderMutation")
        {
            let mutations = message.at(&["mutations", "request_mutations"]);
            let mutations = mutations.map(|node| node.elements());
            header::check_credentials(&mutations.unwrap_or_default(), findings);
        }
    }

    fn effect(&self) -> Effect {
        let (name, message) = match &self.what {
            What::Ours | What::Conditional => return Effect::None,
            What::Discovered | What::Unknown => return Effect::Unknown,
            What::Other(name, message) => (*name, message),
        };
        let has = |names: &[&str]| names.iter().any(|known| is_type(name, known));
        match () {
            () if has(&CREDENTIALS) => Effect::Credentials,
            () if has(&ANSWERS) => Effect::Answers,
            () if has(&CHANGES) && !is_harmless(name, message) => Effect::Changes,
            () if has(&CHANGES) || has(&HARMLESS) => Effect::None,
            () => Effect::Unknown,
        }
    }

    /// Those that a router runs behind all others.
    fn upstream_filters(&self) -> Vec<Self> {
        match &self.what {
            What::Other(_, message) => Self::list(message.items("upstream_http_filters"), &[]),
            What::Conditional | What::Discovered | What::Ours | What::Unknown => Vec::new(),
        }
    }

    fn is_router(&self) -> bool {
        matches!(&self.what, What::Other(name, _) if is_type(name, "router.v3.Router"))
    }
}

/// What a filter may do.
enum Effect {
    /// Answers out of a store.
    Answers,
    /// Changes path, host, method or what else was judged.
    Changes,
    /// Adds credentials.
    Credentials,
    None,
    Unknown,
}

/// Whether requests on a way through these filters are judged.
pub(super) fn judge(chain: &[ChainEntry], levels: &[Node]) -> Judgement {
    let mut other = Judgement::Missing;
    for (position, entry) in chain.iter().enumerate() {
        match &entry.what {
            What::Discovered if matches!(other, Judgement::Missing) => {
                other = Judgement::Hidden(entry.node.place.clone());
            }
            What::Discovered | What::Other(..) | What::Unknown => {}
            What::Conditional => other = Judgement::Conditional(entry.node.place.clone()),
            What::Ours => {
                let Some(place) = entry.disabled_at(levels) else {
                    let first = chain.iter().take(position).find(|entry| entry.is_router());
                    return first.map_or(Judgement::Judged(position), |router| {
                        Judgement::Unreached(format!("`{}`", router.name))
                    });
                };
                other = Judgement::Disabled(place);
            }
        }
    }
    other
}

/// What is wrong with the filters around this product's on a way. It stands at this position, or
/// before them all.
pub(super) fn check_order(
    chain: &[ChainEntry],
    ours: Option<usize>,
    levels: &[Node],
    findings: &mut Findings,
) {
    for (position, entry) in chain.iter().enumerate() {
        if entry.disabled_at(levels).is_some() {
            continue;
        }
        if ours.is_some_and(|ours| position < ours) {
            entry.check_before(findings);
        } else if ours != Some(position) {
            entry.check_behind(findings);
            for inner in entry.upstream_filters() {
                inner.check_behind(findings);
            }
        }
    }
}

/// What is wrong with filters that stand behind all others, with a cluster.
pub(super) fn check_upstream(filters: Vec<Node>, findings: &mut Findings) {
    for entry in ChainEntry::list(filters, &[]) {
        entry.check_behind(findings);
    }
}

/// What is wrong with the filters of a chain by themselves.
pub(super) fn check_entries(chain: &[ChainEntry], findings: &mut Findings) {
    for entry in chain.iter().filter(|entry| entry.is_ours()) {
        if entry.node.is_true("is_optional") {
            findings.note(Code::FilterOptional, entry.node.place_of("is_optional"));
        }
    }
}

/// Whether the head of a token request is kept back behind this product's filter.
pub(super) fn has_buffer(chain: &[ChainEntry]) -> bool {
    let behind = chain.iter().skip_while(|entry| !entry.is_ours());
    behind.into_iter().any(
        |entry| matches!(&entry.what, What::Other(name, _) if is_type(name, "buffer.v3.Buffer")),
    )
}

/// Whether a filter that can change requests is configured not to.
fn is_harmless(name: &str, message: &Node) -> bool {
    if is_type(name, "lua.v3.Lua") {
        let code = message
            .at(&["default_source_code", "inline_string"])
            .or_else(|| message.get("inline_code"));
        let inline = code.and_then(|code| code.value.as_str());
        return inline.is_some_and(|code| !code.contains("envoy_on_request"))
            && !message.has("source_codes");
    }
    if is_type(name, "header_mutation.v3.HeaderMutation") {
        let mutations = message.at(&["mutations", "request_mutations"]);
        let mutations = mutations.map(|node| node.elements()).unwrap_or_default();
        return !mutations
            .iter()
            .any(|mutation| header::mutated(mutation).is_some());
    }
    let rules = ["mutation_rules", "decoder_header_mutation_rules"];
    let forbids = |name: &&str| {
        let rules = message.get(name);
        rules.is_some_and(|rules| rules.is_true("disallow_all"))
    };
    let skipped = message.get("processing_mode").is_some_and(|mode| {
        mode.choice("request_header_mode", &["DEFAULT", "SEND", "SKIP"]) == Some("SKIP")
    });
    skipped || rules.iter().any(forbids)
}

/// Filters that add credentials of the gateway's own.
const CREDENTIALS: [&str; 3] = [
    "aws_request_signing.v3.AwsRequestSigning",
    "credential_injector.v3.CredentialInjector",
    "gcp_authn.v3.GcpAuthnFilterConfig",
];

/// Filters that answer out of a store.
const ANSWERS: [&str; 2] = ["cache.v3.CacheConfig", "cache_v2.v3.CacheV2Config"];

/// Filters that may change path, host, method or credentials.
const CHANGES: [&str; 15] = [
    "aws_lambda.v3.Config",
    "cache.v3.CacheConfig",
    "connect_grpc_bridge.v3.FilterConfig",
    "dynamic_modules.v3.DynamicModuleFilter",
    "ext_authz.v3.ExtAuthz",
    "ext_proc.v3.ExternalProcessor",
    "golang.v3alpha.Config",
    "grpc_http1_reverse_bridge.v3.FilterConfig",
    "grpc_json_reverse_transcoder.v3.GrpcJsonReverseTranscoder",
    "grpc_json_transcoder.v3.GrpcJsonTranscoder",
    "header_mutation.v3.HeaderMutation",
    "lua.v3.Lua",
    "oauth2.v3.OAuth2",
    "transform.v3.TransformConfig",
    "wasm.v3.Wasm",
];

/// Filters that change nothing of that.
const HARMLESS: [&str; 40] = [
    "adaptive_concurrency.v3.AdaptiveConcurrency",
    "admission_control.v3.AdmissionControl",
    "alpn.v2alpha1.FilterConfig",
    "api_key_auth.v3.ApiKeyAuth",
    "bandwidth_limit.v3.BandwidthLimit",
    "basic_auth.v3.BasicAuth",
    "buffer.v3.Buffer",
    "cdn_loop.v3.CdnLoopConfig",
    "compressor.v3.Compressor",
    "cors.v3.Cors",
    "csrf.v3.CsrfPolicy",
    "custom_response.v3.CustomResponse",
    "decompressor.v3.Decompressor",
    "dynamic_forward_proxy.v3.FilterConfig",
    "fault.v3.HTTPFault",
    "file_system_buffer.v3.FileSystemBufferFilterConfig",
    "geoip.v3.Geoip",
    "grpc_field_extraction.v3.GrpcFieldExtractionConfig",
    "grpc_http1_bridge.v3.Config",
    "grpc_stats.v3.FilterConfig",
    "grpc_web.v3.GrpcWeb",
    "header_to_metadata.v3.Config",
    "health_check.v3.HealthCheck",
    "ip_tagging.v3.IPTagging",
    "json_to_metadata.v3.JsonToMetadata",
    "jwt_authn.v3.JwtAuthentication",
    "local_ratelimit.v3.LocalRateLimit",
    "on_demand.v3.OnDemand",
    "original_src.v3.OriginalSrc",
    "payload_to_metadata.v3.PayloadToMetadata",
    "peer_metadata.Config",
    "rate_limit_quota.v3.RateLimitQuotaFilterConfig",
    "ratelimit.v3.RateLimit",
    "rbac.v3.RBAC",
    "router.v3.Router",
    "set_filter_state.v3.Config",
    "set_metadata.v3.Config",
    "stateful_session.v3.StatefulSession",
    "stats.PluginConfig",
    "upstream_codec.v3.UpstreamCodec",
];
