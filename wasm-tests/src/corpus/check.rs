//! What is asserted of every outcome: what the case expects, and what the contract promises of all.

use serde_json::{Map, Value, json};

use super::outcome::Outcome;
use super::{Case, Expect, Prepared};

/// Everything that is not as it should be, in words.
pub fn faults(case: &Case, prepared: &Prepared, outcome: &Outcome) -> Vec<String> {
    let mut faults = Faults(Vec::new());
    faults.expected(&case.expect, outcome);
    faults.promised(outcome, prepared);
    faults.0
}

struct Faults(Vec<String>);

impl Faults {
    fn same(&mut self, what: &str, want: &Value, got: &Value) {
        if want != got {
            self.0.push(format!("{what}: want {want}, got {got}"));
        }
    }

    fn expected(&mut self, expect: &Expect, outcome: &Outcome) {
        if !expect.status.contains(&outcome.status) {
            self.same("status", &json!(expect.status), &json!(outcome.status));
        }
        let audit = &outcome.audit;
        if let Some(decision) = &expect.decision {
            self.same("decision", &json!(decision), &audit["decision"]);
        } else {
            let deny = outcome.status != 200
                || expect
                    .headers
                    .get("grpc-status")
                    .is_some_and(Value::is_string);
            self.same(
                "decision is deny",
                &json!(deny),
                &json!(audit["decision"] == "deny"),
            );
        }
        if let Some(reason) = &expect.reason {
            self.same("reason", &json!(reason), &audit["reason"]);
        }
        if let Some(operation) = &expect.operation {
            self.same("operation", operation, &audit["operation"]);
        }
        for (name, want) in &expect.audit {
            self.same(&format!("audit.{name}"), want, &audit[name]);
        }
        if let Some(challenge) = &expect.www_authenticate {
            self.same(
                "www-authenticate",
                challenge,
                &header(outcome, "www-authenticate"),
            );
        }
        if expect.www_authenticate.is_none() && audit["reason"] == "insufficient_scope" {
            self.names_scopes(outcome);
        }
        if let Some(code) = &expect.error_code {
            self.same("error_code", &json!(code), &outcome.body["error_code"]);
        }
        if let Some(body) = &expect.body {
            self.same("body", body, &outcome.body);
        }
        self.same("error", &json!(expect.error), &outcome.body["error"]);
        let returned = outcome.body.get("access_token").is_some();
        self.same("a token back", &json!(expect.returned), &json!(returned));
        for (name, want) in &expect.headers {
            self.same(name, want, &header(outcome, name));
        }
        self.upstream(&expect.upstream, outcome);
    }

    /// A challenge names all that is required; in the policy's spelling, unless a case says how its
    /// issuer spells it.
    fn names_scopes(&mut self, outcome: &Outcome) {
        let challenge = header(outcome, "www-authenticate");
        let text = challenge.as_str().unwrap_or_default();
        let scopes = outcome.audit["required_scopes"].as_array();
        let scopes: Vec<&str> = scopes
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let scope = scopes.join(" ");
        // On trial nobody is refused.
        if outcome.upstream.is_none() && !text.contains(&format!("scope=\"{scope}\"")) {
            self.0.push(format!("want scope=\"{scope}\" in {text}"));
        }
    }

    fn upstream(&mut self, wanted: &Map<String, Value>, outcome: &Outcome) {
        let Some(upstream) = &outcome.upstream else {
            if !wanted.is_empty() {
                self.0.push("nothing reached the upstream".to_owned());
            }
            return;
        };
        for (name, want) in wanted {
            let got = upstream.headers.get(name).and_then(|values| values.first());
            self.same(&format!("upstream {name}"), want, &json!(got));
        }
    }

    /// Contract §3 and §4.
    fn promised(&mut self, outcome: &Outcome, prepared: &Prepared) {
        let (decision, mode) = (&outcome.audit["decision"], &outcome.audit["mode"]);
        let forwarded = outcome.upstream.is_some();
        // On trial, an authorization refusal is let through and an authentication refusal is not:
        // the case's status says which.
        let denied = decision == "deny";
        let contradiction = if forwarded {
            denied && mode == "enforce"
        } else {
            // Metadata, who they are and their own token are all that callers get here.
            let returned = outcome.body.get("access_token").is_some();
            let answers = ["metadata", "self_service"].map(|reason| json!(reason));
            !denied && !answers.contains(&outcome.audit["reason"]) && !returned
        };
        if contradiction {
            self.0.push(format!(
                "reached the upstream: {forwarded}, decision: {decision}, mode: {mode}"
            ));
        }
        for name in RECORD {
            if outcome.audit.get(name).is_none() {
                self.0
                    .push(format!("the record has no `{name}`: {}", outcome.audit));
            }
        }
        if outcome.audit["path"]
            .as_str()
            .is_some_and(|path| path.contains('?'))
        {
            self.0.push("a query in the record".to_owned());
        }
        if outcome.body.get("access_token").is_some() {
            self.returned(outcome, prepared);
        } else {
            self.keeps_secrets(outcome, prepared);
        }
        if outcome.upstream.is_none() && outcome.status != 200 && prepared.method != "HEAD" {
            self.refusal(outcome);
        }
    }

    /// RFC 8693 §2.2.1: a token that the caller has shown, for no longer than it lives.
    fn returned(&mut self, outcome: &Outcome, prepared: &Prepared) {
        let body = &outcome.body;
        let token = body["access_token"].as_str().unwrap_or_default();
        if !prepared.secrets.iter().any(|own| own == token) {
            self.0
                .push("a token that the caller has not sent".to_owned());
        }
        let want = json!({
            "access_token": token, "expires_in": "masked", "token_type": "Bearer",
            "issued_token_type": "urn:ietf:params:oauth:token-type:jwt",
        });
        self.same("the token's answer", &want, body);
        self.same(
            "forwarded",
            &json!(false),
            &json!(outcome.upstream.is_some()),
        );
    }

    fn refusal(&mut self, outcome: &Outcome) {
        if outcome.body.get("error").is_some() {
            return self.oauth_refusal(outcome);
        }
        let Some((_, code, challenge)) = ANSWERS
            .iter()
            .find(|(status, _, _)| *status == outcome.status)
        else {
            return self
                .0
                .push(format!("status {} is not in the contract", outcome.status));
        };
        if !outcome.headers.contains_key("x-thriftserver-error-message") {
            let (body, detail) = (&outcome.body, &outcome.body["details"][0]);
            let keys: Vec<&String> = body.as_object().into_iter().flat_map(Map::keys).collect();
            self.same("error_code", &json!(code), &body["error_code"]);
            self.same(
                "the body's members",
                &json!(["details", "error_code", "message"]),
                &json!(keys),
            );
            self.same(
                "details domain",
                &json!("databricks-oam-filter"),
                &detail["domain"],
            );
            let message = body["message"].as_str().unwrap_or_default();
            if !message.ends_with("(decision masked)") {
                self.0.push(format!("no decision in {message}"));
            }
            self.same(
                "details decision_id",
                &json!("masked"),
                &detail["metadata"]["decision_id"],
            );
        }
        let got = header(outcome, "www-authenticate");
        let challenged = got.as_str().is_some_and(|got| got.starts_with("Bearer"));
        match challenge {
            Some(true) if !challenged => self.0.push("no challenge".to_owned()),
            Some(false) if !got.is_null() => self.0.push(format!("a challenge: {got}")),
            _ => self.challenge(outcome, got.as_str().unwrap_or_default()),
        }
    }

    /// RFC 6749 §5.2.
    fn oauth_refusal(&mut self, outcome: &Outcome) {
        let members: Vec<&String> = outcome
            .body
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .collect();
        self.same(
            "the body's members",
            &json!(["error", "error_description"]),
            &json!(members),
        );
        self.same("status", &json!(400), &json!(outcome.status));
        let described = outcome.body["error_description"]
            .as_str()
            .unwrap_or_default();
        let is_plain = |byte: u8| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
        if !described.ends_with("(decision masked)") || !described.bytes().all(is_plain) {
            self.0.push(format!("the description: {described}"));
        }
        self.same(
            "a challenge",
            &Value::Null,
            &header(outcome, "www-authenticate"),
        );
    }

    /// RFC 6750 §3.1.
    fn challenge(&mut self, outcome: &Outcome, text: &str) {
        let reason = outcome.audit["reason"].as_str().unwrap_or_default();
        let error = match (outcome.status, reason) {
            (400, _) => Some("invalid_request"),
            // Another way of authenticating counts as no credentials.
            (401, "basic_refused" | "missing_credentials") => None,
            // Of an unknown scheme, or a bearer token that is no JWT.
            (401, "credential_refused") => return,
            (401, _) => Some("invalid_token"),
            (403, "insufficient_scope") => Some("insufficient_scope"),
            _ => None,
        };
        match error {
            Some(error) if !text.contains(&format!("error=\"{error}\"")) => {
                self.0.push(format!("no {error} in {text}"));
            }
            None if text.contains("error=") => self.0.push(format!("an error in {text}")),
            _ => {}
        }
    }

    fn keeps_secrets(&mut self, outcome: &Outcome, prepared: &Prepared) {
        let said = format!("{} {:?} {}", outcome.body, outcome.headers, outcome.audit);
        let leaks = leaks(&said, prepared);
        self.0
            .extend(leaks.map(|leak| format!("{leak} in the answer or the record")));
    }
}

/// Which secrets of a request stand in a text, in words.
pub fn leaks(said: &str, prepared: &Prepared) -> impl Iterator<Item = &'static str> {
    let pieces = prepared.secrets.iter().flat_map(|token| token.split('.'));
    let token = pieces
        .filter(|piece| piece.len() > 20)
        .any(|piece| said.contains(piece));
    let leaks = [
        said.contains(STATIC_TOKEN).then_some("a static token"),
        token.then_some("a piece of the token"),
    ];
    leaks.into_iter().flatten()
}

fn header(outcome: &Outcome, name: &str) -> Value {
    json!(outcome.headers.get(name).and_then(|values| values.first()))
}

/// The digits of every static token in the corpus.
const STATIC_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Status, `error_code`, and whether a challenge stands beside it (403 has one or none).
const ANSWERS: [(u16, &str, Option<bool>); 4] = [
    (400, "BAD_REQUEST", Some(true)),
    (401, "UNAUTHENTICATED", Some(true)),
    (403, "PERMISSION_DENIED", None),
    (503, "TEMPORARILY_UNAVAILABLE", Some(false)),
];

/// The members of the record, contract §4.
const RECORD: [&str; 26] = [
    "time",
    "decision",
    "mode",
    "reason",
    "decision_id",
    "request_id",
    "method",
    "host",
    "path",
    "operation",
    "required_scopes",
    "effective_scopes",
    "rule",
    "roles",
    "issuer",
    "subject",
    "client",
    "token_id",
    "token_expires_at",
    "credential",
    "workspace",
    "source_ip",
    "user_agent",
    "worker",
    "sequence",
    "config",
];
