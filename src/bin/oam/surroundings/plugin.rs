//! The wasm filter that this product is: how it is loaded, what it is granted, and what its
//! configuration is.

use databricks_oam_filter::gateway::border;
use serde_json::Value;

use super::code::Code;
use super::finding::Findings;
use super::node::{Node, is_type};
use super::place::Place;

/// A configuration where it was found.
#[derive(Clone)]
pub(super) struct Carried {
    /// Its JSON text.
    pub(super) text: String,
    /// Where to say that it was found.
    pub(super) found_at: Place,
    /// Where its keys stand.
    pub(super) place: Place,
}

/// A wasm filter: its `typed_config`.
#[derive(Clone)]
pub(super) struct WasmFilter<'a> {
    /// The `PluginConfig`.
    config: Node<'a>,
}

impl<'a> WasmFilter<'a> {
    /// The filter in a `typed_config`, if it is one of wasm.
    pub(super) fn read(typed_config: &Node<'a>) -> Option<Self> {
        let (name, message) = typed_config.message()?;
        let config = is_type(name, WASM).then(|| message.get("config"))?;
        let empty = Node {
            place: message.place_of("config"),
            value: &Value::Null,
        };
        Some(Self {
            config: config.unwrap_or(empty),
        })
    }

    /// Every one in a document, wherever it stands.
    pub(super) fn all(document: &Node<'a>) -> Vec<Self> {
        let mut found = Vec::new();
        document.find(&Self::read, &mut found);
        found
    }

    pub(super) const fn place(&self) -> &Place {
        &self.config.place
    }

    /// Its configuration, whosever it is.
    pub(super) fn carried(&self) -> Option<Carried> {
        let configuration = self.config.get("configuration")?;
        let found_at = configuration.place.clone();
        // A `Struct` or a `StringValue`, which Envoy hands over as it is.
        let inner = configuration.get("value").unwrap_or(configuration);
        let text = inner.value.as_str().map(ToOwned::to_owned);
        let text = text.unwrap_or_else(|| inner.value.to_string());
        Some(Carried {
            text,
            found_at,
            place: inner.place.as_root(),
        })
    }

    /// Whether its configuration is one of this filter: a rule of thumb for where other modules
    /// stand beside it.
    pub(super) fn has_issuers(&self) -> bool {
        self.carried()
            .is_some_and(|carried| carried.text.contains("\"issuers\""))
    }

    fn vm_id(&self) -> Option<&'a str> {
        self.config.get("vm_config")?.text("vm_id")
    }

    /// What is wrong with how it is loaded. `others` are the other wasm filters around.
    pub(super) fn check(&self, others: &[Self], findings: &mut Findings) {
        self.check_failure(findings);
        self.check_machine(others, findings);
        let machine = self.config.get("vm_config");
        for owner in [Some(&self.config), machine.as_ref()].into_iter().flatten() {
            check_capabilities(owner, findings);
        }
    }

    fn check_failure(&self, findings: &mut Findings) {
        if self.config.is_true("fail_open") {
            findings.note(Code::FailsOpen, self.config.place_of("fail_open"));
            return;
        }
        let place = self.config.place_of("failure_policy");
        match self.config.choice("failure_policy", &FAILURE_POLICIES) {
            Some("FAIL_RELOAD") => {}
            Some("FAIL_OPEN") => findings.note(Code::FailsOpen, place),
            _ => findings.note(Code::FailsClosed, place),
        }
    }

    /// What other modules of one `vm_id` put where workers share keys would be taken for an
    /// issuer's.
    fn check_machine(&self, others: &[Self], findings: &mut Findings) {
        let place = match self.config.get("vm_config") {
            Some(machine) => machine.place_of("vm_id"),
            None => self.config.place.key("vm_config").key("vm_id"),
        };
        let sharing = others.iter().find(|other| {
            other.place() != self.place() && other.vm_id() == self.vm_id() && !other.has_issuers()
        });
        match (sharing, self.vm_id()) {
            (Some(other), _) => {
                findings.add(Code::VmIdShared, place, &format!("`{}`", other.place()));
            }
            (None, None) => findings.note(Code::VmIdMissing, place),
            (None, Some(_)) => {}
        }
    }
}

/// What Envoy is configured to grant a module is all that it grants. Nothing is configured where
/// the list is empty.
fn check_capabilities(owner: &Node, findings: &mut Findings) {
    let list = owner.at(&["capability_restriction_config", "allowed_capabilities"]);
    let Some(list) = list else {
        return;
    };
    let Some(granted) = list.value.as_object() else {
        findings.add(Code::CapabilitiesNoObject, list.place, "{}");
        return;
    };
    if granted.is_empty() {
        return;
    }
    let mut check = |kind: &str, code: Code| {
        let missing = border::names(kind).filter(|name| !granted.contains_key(*name));
        let missing: Vec<_> = missing.collect();
        if !missing.is_empty() {
            findings.add(code, list.place.clone(), &missing.join("`, `"));
        }
    };
    check("gate", Code::CapabilitiesGates);
    check("callback", Code::CapabilitiesCallbacks);
    // Without what is shared each worker fetches keys for itself.
    check("call", Code::CapabilitiesCalls);
}

const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

/// In the order of their numbers.
const FAILURE_POLICIES: [&str; 4] = ["UNSPECIFIED", "FAIL_RELOAD", "FAIL_CLOSED", "FAIL_OPEN"];
