//! What came of a case, in the form in which drivers are compared.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::Answer;
use crate::reply::{Headers, Reply};
use crate::workspace::{Seen, escaped};

/// What came of a case. Whatever differs from run to run is masked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// The status.
    pub status: u16,
    /// Those headers of the answer that are the product's.
    pub headers: BTreeMap<String, Vec<String>>,
    /// The body of a refusal.
    pub body: Value,
    /// The audit record.
    pub audit: Value,
    /// What reached the upstream.
    pub upstream: Option<Upstream>,
}

/// A request at the upstream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upstream {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// Its headers by name; without those that every proxy writes.
    pub headers: BTreeMap<String, Vec<String>>,
}

impl Outcome {
    /// Of a request that was refused with this answer.
    pub fn refused(status: u16, headers: &Headers, body: &[u8], audit: Option<Value>) -> Self {
        Self {
            status,
            headers: ours(headers),
            body: serde_json::from_slice(body).unwrap_or_else(|_| json!(escaped(body))),
            audit: audit.unwrap_or_default(),
            upstream: None,
        }
        .masked()
    }

    /// Of a request that was let through.
    pub fn forwarded(upstream: Upstream, audit: Option<Value>) -> Self {
        let audit = audit.unwrap_or_default();
        Self {
            status: 200,
            headers: BTreeMap::new(),
            body: Value::Null,
            audit,
            upstream: Some(upstream),
        }
        .masked()
    }

    /// Of a local reply. A gRPC status goes into the headers, where Envoy puts it when no body is
    /// left to say it.
    pub fn replied(reply: &Reply, audit: Option<Value>) -> Self {
        Self::refused(reply.status, &reply.headers, &reply.body, audit)
    }

    /// Of Envoy's answer and of what its workspace saw.
    pub fn answered(answer: &Answer, seen: Option<&Seen>, audit: Option<Value>) -> Self {
        match seen {
            Some(seen) => Self::forwarded(Upstream::seen(seen), audit),
            None => Self::refused(answer.status, &answer.headers, &answer.body, audit),
        }
    }

    fn masked(mut self) -> Self {
        for name in [
            "decision_id",
            "request_id",
            "time",
            "source_ip",
            "config",
            "worker",
        ] {
            if let Some(value) = self.audit.get_mut(name)
                && !value.is_null()
            {
                *value = json!("masked");
            }
        }
        if let Some(sequence) = self.audit.get_mut("sequence") {
            *sequence = json!(1);
        }
        for detail in self
            .body
            .get_mut("details")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(id) = detail.pointer_mut("/metadata/decision_id") {
                *id = json!("masked");
            }
        }
        for name in ["error_description", "message"] {
            if let Some(text) = self.body.get_mut(name) {
                *text = json!(without_decision(text.as_str().unwrap_or_default()));
            }
        }
        for name in ["grpc-message", "x-thriftserver-error-message"] {
            for text in self.headers.get_mut(name).into_iter().flatten() {
                *text = without_decision(text);
            }
        }
        if let Some(id) = self.body.get_mut("decision_id") {
            *id = json!("masked");
        }
        if let Value::String(page) = &mut self.body
            && let Some((before, rest)) = page.split_once("<footer>Decision ")
        {
            let after = rest.trim_start_matches(|letter: char| letter.is_ascii_hexdigit());
            *page = format!("{before}{after}");
        }
        // One driver after the other: the time that is left differs.
        if let Some(left) = self.body.get_mut("expires_in")
            && left.as_u64().is_some_and(|left| (1..=3600).contains(&left))
        {
            *left = json!("masked");
        }
        if let Some(id) = self
            .upstream
            .as_mut()
            .and_then(|upstream| upstream.headers.get_mut("x-oam-decision-id"))
        {
            *id = vec!["masked".to_owned()];
        }
        self
    }
}

/// A message with the decision masked that stands at its end.
fn without_decision(text: &str) -> String {
    let text = text.rsplit_once("(decision ").map(|(text, _)| text);
    text.map_or_else(String::new, |text| format!("{text}(decision masked)"))
}

impl Upstream {
    /// What the workspace saw.
    pub fn seen(seen: &Seen) -> Self {
        let query = seen
            .query
            .as_ref()
            .map_or_else(String::new, |query| format!("?{query}"));
        Self {
            method: seen.method.clone(),
            target: format!("{}{query}", seen.path),
            headers: collect(
                seen.headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.clone())),
            ),
        }
    }

    /// What the module let through.
    pub fn sent(headers: &Headers) -> Self {
        let pseudo = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| escaped(value)).unwrap_or_default()
        };
        let plain = headers.iter().filter(|(name, _)| !name.starts_with(':'));
        Self {
            method: pseudo(":method"),
            target: pseudo(":path"),
            headers: collect(plain.map(|(name, value)| (name.as_str(), escaped(value)))),
        }
    }
}

/// The headers of an answer that the product sets. Envoy answers in its own name with `server`,
/// `date` and the like.
fn ours(headers: &Headers) -> BTreeMap<String, Vec<String>> {
    const OURS: [&str; 11] = [
        "access-control-allow-origin",
        "cache-control",
        "content-type",
        "grpc-message",
        "grpc-status",
        "retry-after",
        "vary",
        "www-authenticate",
        "x-databricks-error-or-redirect-message",
        "x-databricks-reason-phrase",
        "x-thriftserver-error-message",
    ];
    let of_ours = headers
        .iter()
        .filter(|(name, _)| OURS.contains(&name.as_str()));
    collect(of_ours.map(|(name, value)| (name.as_str(), escaped(value))))
}

fn collect<'a>(headers: impl Iterator<Item = (&'a str, String)>) -> BTreeMap<String, Vec<String>> {
    const EVERY_PROXY: [&str; 9] = [
        "connection",
        "content-length",
        "host",
        "te",
        "transfer-encoding",
        "x-envoy-expected-rq-timeout-ms",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-request-id",
    ];
    let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in
        headers.filter(|(name, _)| !EVERY_PROXY.contains(name) && !name.starts_with("x-envoy-"))
    {
        map.entry(name.to_owned()).or_default().push(value);
    }
    // Some header names Envoy keeps as one comma-joined value, some as several: the same to any
    // reader.
    map.into_iter()
        .map(|(name, values)| (name, vec![values.join(",")]))
        .collect()
}
