//! `oam explain`: the decision on one request, and the way to it.

mod facts;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use databricks_oam_filter::answer::{Answer, Resource};
use databricks_oam_filter::audit::compact::{claim_fault, words};
use databricks_oam_filter::authorize::evidence::Evidence;
use databricks_oam_filter::authorize::{Decision, Verdict};
use databricks_oam_filter::databricks::scope_set::ScopeSet;
use databricks_oam_filter::databricks::{Mark, Operation};
use databricks_oam_filter::issuer::access_token::{AccessToken, Groups};
use databricks_oam_filter::policy::rule::Mode;
use databricks_oam_filter::request::credential::{CredentialKind, Scheme};
use databricks_oam_filter::request::envelope::{Asker, Envelope};
use databricks_oam_filter::token::scope::Scope;
use serde::Serialize;
use serde_json::Value;

use super::gateway::{self, Gateway, Request, Shown};
use super::recorded::Recorded;
use super::{Said, Unreadable, file, reason, style};

pub(super) fn run(arguments: &super::Explain) -> Result<Said, Unreadable> {
    let gateway = Gateway::open(&arguments.config, &arguments.jwks)?;
    let recorded = arguments.proof.record.as_ref();
    let recorded = recorded.map(|path| Recorded::read(path, &gateway.authorizer.issuers));
    let recorded = recorded.transpose()?;
    let at = arguments.at.as_deref();
    let now = gateway::moment(
        at.or(recorded
            .as_ref()
            .and_then(|recorded| recorded.at.as_deref())),
    )?;
    let headers: Vec<_> = arguments
        .headers
        .iter()
        .map(|text| gateway::header(text))
        .collect::<Result<_, _>>()?;
    let (method, url, shown, untold) = match recorded {
        Some(recorded) => (
            recorded.method,
            recorded.url,
            recorded.shown,
            recorded.untold,
        ),
        None => (
            String::new(),
            String::new(),
            shown(&arguments.proof)?,
            Vec::new(),
        ),
    };
    let method = arguments.method.as_ref().unwrap_or(&method);
    let url = arguments.url.as_ref().unwrap_or(&url);
    let mut request = gateway.request(method, url, &headers, &shown, now)?;
    request.data.clone_from(&arguments.data);
    let decision = gateway.decide(&request);
    let mut explanation = Explanation::of(&gateway, &decision, &request);
    explanation.not_recorded = untold;
    // Not by the status: callers of gRPC are refused with 200, and told in trailers.
    let passes = !matches!(decision.verdict, Verdict::Deny(_));
    if arguments.json {
        if request.filled.is_some() {
            let _ = std::io::Write::write_all(&mut anstream::stderr(), UNCHECKED.as_bytes());
        }
        let text = serde_json::to_string_pretty(&explanation).unwrap_or_default();
        return Ok(Said::new(format!("{text}\n"), passes));
    }
    let trace = Trace {
        gateway: &gateway,
        request: &request,
        decision: &decision,
        explanation: &explanation,
    };
    Ok(Said::new(trace.text(), passes))
}

pub(super) fn shown(proof: &super::Proof) -> Result<Shown, Unreadable> {
    if let Some(path) = &proof.claims {
        let bytes = file::read(path)?;
        return match serde_json::from_slice(&bytes) {
            Ok(Value::Object(claims)) => Ok(Shown::Claims(claims)),
            Ok(_) => Err(Unreadable("the claims are not a JSON object".to_owned())),
            Err(error) => Err(Unreadable(format!("the claims are not JSON: {error}"))),
        };
    }
    let Some(token) = &proof.token else {
        return Ok(Shown::Nothing);
    };
    let file = if token == "-" {
        Some("-")
    } else {
        token.strip_prefix('@')
    };
    let token = match file {
        Some(path) => String::from_utf8(file::read(path.as_ref())?)
            .map_err(|_| Unreadable("the token is not text".to_owned()))?,
        None => token.clone(),
    };
    Ok(Shown::Token(token.trim().to_owned()))
}

/// A decision in the words of the audit record, and what else of it machines ask for.
#[derive(Serialize)]
pub(super) struct Explanation {
    pub(super) decision: &'static str,
    pub(super) status: u16,
    pub(super) reason: &'static str,
    /// The claim that is not as it has to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) claim: Option<String>,
    /// What is wrong with it, or with the claims as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) claim_fault: Option<&'static str>,
    pub(super) operation: Option<OperationFacts>,
    pub(super) required_scopes: Vec<String>,
    pub(super) token_scopes: Vec<String>,
    pub(super) role_grants: Vec<String>,
    pub(super) effective_scopes: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) rule: Option<String>,
    /// The rules that apply, each with the reading of the path under which it does.
    pub(super) readings: Vec<Reading>,
    pub(super) mode: &'static str,
    /// Absent where nothing is exchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exchanged_scope: Option<&'static str>,
    /// What the caller of a refused request is told, but for the decision's ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// What would make it allowed.
    pub(super) advice: Vec<String>,
    /// The rest of what people are told.
    pub(super) facts: BTreeMap<&'static str, String>,
    /// Those roles that the caller does not hold, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) roles_not_held: BTreeMap<String, String>,
    /// What the record does not tell of its request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) not_recorded: Vec<&'static str>,
}

/// A rule that applies, and how the path is read for that.
#[derive(Serialize)]
pub(super) struct Reading {
    rule: String,
    path: String,
}

/// An operation of the catalogue.
#[derive(Serialize)]
pub(super) struct OperationFacts {
    pub(super) name: &'static str,
    area: &'static str,
    access: &'static str,
    method: &'static str,
    template: &'static str,
}

impl Explanation {
    pub(super) fn of(gateway: &Gateway, decision: &Decision<'_>, request: &Request) -> Self {
        let evidence = &decision.evidence;
        let readings = reason::readings(&gateway.authorizer, request, evidence);
        let readings = readings
            .into_iter()
            .map(|(rule, path)| Reading { rule, path });
        let readings = readings.collect();
        let (word, reason) = words(&decision.verdict);
        let (claim, claim_fault) = claim_fault(&decision.verdict);
        let standing = evidence.standing.as_ref();
        let token_scopes = evidence
            .token
            .as_ref()
            .and_then(|token| token.scopes.as_ref());
        Self {
            decision: word,
            status: status(decision, request),
            reason,
            claim: claim.map(ToOwned::to_owned),
            claim_fault,
            operation: evidence.operation.map(OperationFacts::of),
            required_scopes: evidence.required_scopes().map(ToOwned::to_owned).collect(),
            token_scopes: texts(token_scopes.into_iter().flat_map(ScopeSet::iter)),
            role_grants: texts(
                standing
                    .into_iter()
                    .flat_map(|standing| standing.role_grants.iter()),
            ),
            effective_scopes: texts(
                standing
                    .into_iter()
                    .flat_map(|standing| standing.scopes.iter()),
            ),
            roles: standing
                .map(|standing| standing.roles.iter().map(ToString::to_string).collect())
                .unwrap_or_default(),
            rule: evidence.rule.map(|rule| rule.name.to_string()),
            readings,
            mode: match evidence.mode {
                Mode::Enforce => "enforce",
                Mode::Shadow => "shadow",
            },
            exchanged_scope: evidence.exchanged_scope,
            message: match &decision.verdict {
                Verdict::Deny(denial) | Verdict::Shadow(denial, _) => {
                    Some(gateway.resource.message(denial, evidence, ""))
                }
                Verdict::Allow(_) | Verdict::Describe(_) | Verdict::Return(_) => None,
            },
            advice: reason::remedies(&gateway.authorizer, request, decision),
            facts: facts::of(gateway, decision, request),
            roles_not_held: reason::roles_not_held(&gateway.authorizer.policy, evidence)
                .into_iter()
                .collect(),
            not_recorded: Vec::new(),
        }
    }
}

impl OperationFacts {
    fn of(operation: &Operation) -> Self {
        Self {
            name: operation.name,
            area: operation.area(),
            access: operation.access.as_str(),
            method: operation.method,
            template: operation.template,
        }
    }
}

/// What the gateway answers; for what goes upstream, the success that it is here.
fn status(decision: &Decision<'_>, request: &Request) -> u16 {
    match &decision.verdict {
        Verdict::Allow(_) | Verdict::Describe(_) | Verdict::Return(_) | Verdict::Shadow(..) => {
            SUCCESS
        }
        Verdict::Deny(denial) => {
            let asker = Asker::of(&request.headers);
            Answer::new(denial, &decision.evidence, &asker, "", &Resource::default()).status
        }
    }
}

fn texts<'a>(scopes: impl Iterator<Item = &'a Scope>) -> Vec<String> {
    scopes.map(|scope| scope.as_str().to_owned()).collect()
}

/// The explanation for people.
struct Trace<'a> {
    gateway: &'a Gateway,
    request: &'a Request,
    decision: &'a Decision<'a>,
    explanation: &'a Explanation,
}

impl Trace<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        let Explanation {
            status,
            reason,
            mode,
            ..
        } = self.explanation;
        let envelope = Envelope::of(&self.request.headers, None);
        let verdict = match &self.decision.verdict {
            Verdict::Allow(_) => style::good("ALLOW"),
            Verdict::Describe(_) => style::good("ANSWERED HERE"),
            Verdict::Return(_) => style::good("ANSWERED HERE (with the caller's own token)"),
            Verdict::Deny(_) => style::bad(format!("DENY {status}")),
            Verdict::Shadow(..) => style::warning("DENY (on trial: it goes upstream)"),
        };
        let _ = writeln!(
            text,
            "{verdict} {reason}: {} {}",
            envelope.method(),
            envelope.path()
        );
        if let Some(message) = &self.explanation.message {
            let _ = writeln!(text, "{message}");
        }
        if let Verdict::Describe(metadata) = &self.decision.verdict {
            let _ = writeln!(text, "{}", Answer::describing(metadata).body);
        }
        text.push('\n');
        self.caller(&mut text);
        self.requirement(&mut text);
        if let Some(scope) = self.explanation.exchanged_scope {
            let exchange =
                format!("for a token of Databricks' with `{scope}`, if Databricks agrees");
            line(&mut text, "exchanged", &exchange);
        }
        line(&mut text, "mode", mode);
        line(&mut text, "at", &self.request.now.to_string());
        for remedy in &self.explanation.advice {
            line(&mut text, "allowed by", remedy);
        }
        for untold in &self.explanation.not_recorded {
            line(&mut text, "not recorded", untold);
        }
        text
    }

    fn credential(&self, text: &mut String) {
        let evidence = &self.decision.evidence;
        let kind = evidence
            .credential
            .map_or("not read", CredentialKind::as_str);
        match &self.request.filled {
            Some(filled) if filled.is_empty() => line(
                text,
                "credential",
                &format!("{kind}: claims alone, no signature was checked"),
            ),
            Some(filled) => line(
                text,
                "credential",
                &format!(
                    "{kind}: claims alone, no signature was checked; filled in: {}",
                    filled.join(", ")
                ),
            ),
            None => line(text, "credential", kind),
        }
        if let (Scheme::Dpop, Some(_)) = (evidence.scheme, &evidence.token) {
            let unseen = "taken for new: a gateway refuses one that it has seen";
            line(text, "DPoP proof", unseen);
        }
        if let Some(fingerprint) = &evidence.fingerprint {
            line(text, "fingerprint", fingerprint);
        }
        if evidence.leaked {
            line(
                text,
                "leaked",
                "revoke it: it was shown where it has no business",
            );
        }
    }

    fn caller(&self, text: &mut String) {
        let evidence = &self.decision.evidence;
        self.credential(text);
        if let Some(unverified) = &evidence.unverified {
            let claimed = format!(
                "by its own word, which nobody verified: {}",
                facts::claimed(unverified)
            );
            line(text, "token", &claimed);
        }
        if let Some(token) = &evidence.token {
            claims(token, text);
            self.withdrawal_list(text);
        }
        if let Some(workspace) = evidence.workspace {
            line(text, "workspace", &workspace.to_string());
        }
        let Explanation {
            roles,
            token_scopes,
            role_grants,
            effective_scopes,
            ..
        } = self.explanation;
        if evidence.standing.is_none() {
            return;
        }
        let policy = &self.gateway.authorizer.policy;
        if !policy.roles.is_empty() {
            line(text, "roles", &list(roles));
            for (role, why) in &self.explanation.roles_not_held {
                line(text, "", &style::dim(format!("not {role}: {why}")));
            }
        }
        match evidence.token.as_ref().map(|token| &token.scopes) {
            Some(None) => line(
                text,
                "token scopes",
                "not read: this issuer's callers get what their roles grant",
            ),
            _ => line(text, "token scopes", &list(token_scopes)),
        }
        if !policy.roles.is_empty() {
            line(text, "role grants", &list(role_grants));
        }
        line(text, "effective", &list(effective_scopes));
    }

    fn withdrawal_list(&self, text: &mut String) {
        if let Some(list) = &self.gateway.withdrawal_list {
            let unknown = format!(
                "looked up in the configuration alone: {} was not asked",
                list.uri
            );
            line(text, "withdrawn", &unknown);
        }
    }

    fn requirement(&self, text: &mut String) {
        let evidence: &Evidence<'_> = &self.decision.evidence;
        if let Some(rule) = &self.explanation.rule {
            line(text, "rule", rule);
        }
        let sent = Envelope::of(&self.request.headers, None).path();
        for (number, Reading { rule, path }) in self.explanation.readings.iter().enumerate() {
            let how = if **path == *sent {
                "as it was sent".to_owned()
            } else {
                format!("read as {path}")
            };
            let decides = self.explanation.rule.as_ref() == Some(rule);
            let decides = if decides { ", decides" } else { "" };
            let name = if number == 0 { "applies" } else { "" };
            line(text, name, &format!("{rule}: {how}{decides}"));
        }
        if let Some(operation) = evidence.operation {
            let Operation {
                name,
                method,
                template,
                access,
                level,
                marks,
                ..
            } = operation;
            let marks: Vec<&str> = marks.iter().map(Mark::as_str).collect();
            let marks = if marks.is_empty() {
                String::new()
            } else {
                format!(", {}", marks.join(", "))
            };
            line(
                text,
                "operation",
                &format!("{name} ({}, {}{marks})", access.as_str(), level.as_str()),
            );
            line(text, "", &style::dim(format!("{method} {template}")));
        } else if self.explanation.rule.is_none() {
            line(text, "operation", "none that is known");
        }
        line(text, "needs", &list(&self.explanation.required_scopes));
    }
}

fn claims(token: &AccessToken, text: &mut String) {
    line(text, "issuer", &token.issuer);
    let groups = match &token.groups {
        Groups::Known(groups) => groups.join(" "),
        Groups::Unknown => {
            "too many for the token, so none count: assign roles in the issuer instead".to_owned()
        }
    };
    for (name, value) in [
        ("subject", token.subject.as_deref().unwrap_or_default()),
        ("client", token.client.as_deref().unwrap_or_default()),
        ("actor", token.actor.as_deref().unwrap_or_default()),
        ("earlier actors", &token.earlier_actors.join(" ")),
        ("groups", &groups),
        ("issuer's roles", &token.roles.join(" ")),
    ] {
        if !value.is_empty() {
            line(text, name, value);
        }
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "{name:<15} {value}");
}

fn list(texts: &[String]) -> String {
    if texts.is_empty() {
        "nothing".to_owned()
    } else {
        texts.join(" ")
    }
}

const SUCCESS: u16 = 200;

const UNCHECKED: &str = "oam: claims alone were given, so no signature was checked\n";
