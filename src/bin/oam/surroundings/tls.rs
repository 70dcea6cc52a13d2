//! Whether a cluster's connections are encrypted to the host that is meant, and to nobody else.

use super::code::Code;
use super::finding::Findings;
use super::node::{Node, is_type};

/// One transport socket of a cluster, and all that says how certificates are verified.
pub(super) struct Tls<'a> {
    /// The `UpstreamTlsContext`.
    context: Node<'a>,
    /// What certificates must be like, wherever it is written.
    validation: Vec<Node<'a>>,
    /// Whether more of that comes from elsewhere.
    is_hidden: bool,
}

/// What a transport socket is.
pub(super) enum Socket<'a> {
    Plain,
    Tls(Tls<'a>),
    /// Of this type, which is not known.
    Unknown(&'a str),
}

impl<'a> Socket<'a> {
    /// Reads a `transport_socket`; `secrets` are those that the bootstrap itself holds.
    pub(super) fn read(socket: &Node<'a>, secrets: &[Node<'a>]) -> Self {
        let Some((name, message)) = socket.get("typed_config").and_then(|node| node.message())
        else {
            return Self::Unknown(socket.text("name").unwrap_or_default());
        };
        if is_type(name, "tls.v3.UpstreamTlsContext") {
            return Self::Tls(Tls::read(message, secrets));
        }
        if is_type(name, "RawBuffer") {
            return Self::Plain;
        }
        let quic = message.get("upstream_tls_context");
        match (quic, message.get("transport_socket")) {
            (Some(context), _) => Self::Tls(Tls::read(context, secrets)),
            // Those that wrap another one: PROXY headers, taps, proxies.
            (None, Some(inner)) => Self::read(&inner, secrets),
            (None, None) => Self::Unknown(name),
        }
    }
}

impl<'a> Tls<'a> {
    fn read(context: Node<'a>, secrets: &[Node<'a>]) -> Self {
        let mut tls = Self {
            validation: Vec::new(),
            is_hidden: false,
            context,
        };
        let Some(common) = tls.context.get("common_tls_context") else {
            return tls;
        };
        tls.validation.extend(common.get("validation_context"));
        let combined = common.get("combined_validation_context");
        if let Some(combined) = &combined {
            let written = combined.get("default_validation_context");
            tls.validation.extend(written);
        }
        for owner in [Some(common), combined].into_iter().flatten() {
            if let Some(secret) = owner.get("validation_context_sds_secret_config") {
                let name = secret.text("name");
                let known = secrets
                    .iter()
                    .filter(|_| !secret.has("sds_config"))
                    .find(|known| known.text("name") == name);
                match known.and_then(|known| known.get("validation_context")) {
                    Some(context) => tls.validation.push(context),
                    None => tls.is_hidden = true,
                }
            }
            tls.is_hidden |= owner.has("validation_context_certificate_provider_instance");
        }
        let custom = |context: &Node| context.has("custom_validator_config");
        tls.is_hidden |= tls.validation.iter().any(custom);
        tls
    }

    pub(super) fn sni(&self) -> Option<&'a str> {
        self.context.text("sni")
    }

    /// Whether connections go to one of these `hosts` and to nobody else; `about` names the cluster
    /// and its use.
    pub(super) fn check(
        &self,
        hosts: &[String],
        options: &Options,
        about: &str,
        findings: &mut Findings,
    ) {
        let place = &self.context.place;
        if self.sni().is_none() && !options.auto_sni && !self.context.is_true("auto_host_sni") {
            findings.add(Code::TlsNoSni, place.clone(), about);
        }
        if self.validation.iter().any(is_pinned) {
            return;
        }
        if self.check_trust(about, findings) {
            self.check_names(hosts, options, about, findings);
        }
    }

    /// Whether it matters which names certificates have: where none is verified, it does not.
    fn check_trust(&self, about: &str, findings: &mut Findings) -> bool {
        let untrusted = self.validation.iter().find(|context| {
            let trust = context.choice("trust_chain_verification", &TRUST);
            trust == Some("ACCEPT_UNTRUSTED") || context.is_true("allow_expired_certificate")
        });
        if let Some(context) = untrusted {
            findings.add(Code::TlsUntrusted, context.place.clone(), about);
            return false;
        }
        // Envoy takes `system_root_certs` and `ca_certificate_provider_instance` too, and verifies
        // nothing by them (1.40).
        let trusts = |context: &Node| context.has("trusted_ca");
        if self.validation.iter().any(trusts) {
            return true;
        }
        let code = if self.is_hidden {
            Code::TlsNotSeen
        } else {
            Code::TlsUntrusted
        };
        findings.add(code, self.context.place.clone(), about);
        self.is_hidden
    }

    fn check_names(
        &self,
        hosts: &[String],
        options: &Options,
        about: &str,
        findings: &mut Findings,
    ) {
        let names: Vec<CertificateName> = self
            .validation
            .iter()
            .flat_map(CertificateName::all)
            .collect();
        let as_sni = self.context.is_true("auto_sni_san_validation");
        if let (true, Some(sni)) = (as_sni, self.sni()) {
            let other = |host: &&String| !host.eq_ignore_ascii_case(sni);
            if names.is_empty() && hosts.iter().any(|host| other(&host)) {
                findings.add(Code::TlsOtherName, self.context.place_of("sni"), about);
            }
        }
        if names.is_empty() {
            if as_sni || options.auto_san_validation {
                return;
            }
            let code = if self.is_hidden {
                Code::TlsNotSeen
            } else {
                Code::TlsAnyName
            };
            findings.add(code, self.context.place.clone(), about);
            return;
        }
        if let Some(wide) = names.iter().find(|name| name.takes_strangers()) {
            findings.add(Code::TlsAnyName, wide.place().clone(), about);
            return;
        }
        if names
            .iter()
            .any(|name| matches!(name, CertificateName::Regex(_)))
        {
            return;
        }
        let sni: Vec<String> = self.sni().map(ToOwned::to_owned).into_iter().collect();
        let hosts = if hosts.is_empty() { &sni } else { hosts };
        for host in hosts {
            if !names.iter().any(|name| name.takes(host)) {
                let place = self.context.place.clone();
                let about = format!("{about}, which is asked for `{host}`");
                findings.add(Code::TlsOtherName, place, &about);
            }
        }
    }
}

/// What the cluster's options for HTTP say of TLS.
#[derive(Default)]
pub(super) struct Options {
    pub(super) auto_sni: bool,
    pub(super) auto_san_validation: bool,
}

/// A name that certificates may have.
enum CertificateName<'a> {
    Exact(Node<'a>),
    /// A part of it, or one that ends with a host of at least two labels.
    Suffix(Node<'a>),
    /// Any beginning, middle or end.
    Part(Node<'a>),
    Regex(Node<'a>),
}

impl<'a> CertificateName<'a> {
    /// Those that a validation context takes.
    fn all(context: &Node<'a>) -> Vec<Self> {
        let typed = context.items("match_typed_subject_alt_names");
        let mut matchers: Vec<Node> = typed
            .into_iter()
            .filter_map(|typed| typed.get("matcher"))
            .collect();
        matchers.extend(context.items("match_subject_alt_names"));
        let mut names: Vec<Self> = matchers.iter().filter_map(Self::read).collect();
        let plain = context.items("verify_subject_alt_name");
        names.extend(plain.into_iter().map(Self::Exact));
        names
    }

    fn read(matcher: &Node<'a>) -> Option<Self> {
        let exact = matcher.get("exact").map(Self::Exact);
        let suffix = || matcher.get("suffix").map(Self::Suffix);
        let part = || {
            let part = matcher.get("prefix").or_else(|| matcher.get("contains"));
            part.map(Self::Part)
        };
        let regex = || matcher.at(&["safe_regex", "regex"]).map(Self::Regex);
        exact.or_else(suffix).or_else(part).or_else(regex)
    }

    const fn place(&self) -> &super::place::Place {
        match self {
            Self::Exact(node) | Self::Suffix(node) | Self::Part(node) | Self::Regex(node) => {
                &node.place
            }
        }
    }

    fn text(&self) -> &'a str {
        match self {
            Self::Exact(node) | Self::Suffix(node) | Self::Part(node) | Self::Regex(node) => {
                node.value.as_str().unwrap_or_default()
            }
        }
    }

    /// Whether somebody who may have certificates for a domain of their own may have one for this.
    fn takes_strangers(&self) -> bool {
        let text = self.text();
        match self {
            Self::Exact(_) => false,
            Self::Part(_) => true,
            Self::Regex(_) => text
                .trim_matches(['^', '$', '(', ')', '.', '*', '+'])
                .is_empty(),
            Self::Suffix(_) => {
                let labels = text.strip_prefix('.').map(|host| host.split('.').count());
                labels.is_none_or(|labels| labels < 2)
            }
        }
    }

    fn takes(&self, host: &str) -> bool {
        let (text, host) = (self.text().to_ascii_lowercase(), host.to_ascii_lowercase());
        match self {
            Self::Exact(_) => {
                let parent = host.split_once('.').map(|(_, parent)| parent);
                text == host || (parent.is_some() && text.strip_prefix("*.") == parent)
            }
            Self::Suffix(_) => host.ends_with(&text),
            Self::Part(_) | Self::Regex(_) => true,
        }
    }
}

/// Whether one certificate or key alone is taken, whoever signed it.
fn is_pinned(context: &Node) -> bool {
    let pins = ["verify_certificate_spki", "verify_certificate_hash"];
    pins.iter().any(|name| !context.items(name).is_empty())
}

/// In the order of their numbers.
const TRUST: [&str; 2] = ["VERIFY_TRUST_CHAIN", "ACCEPT_UNTRUSTED"];
