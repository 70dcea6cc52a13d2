//! `oam explain`: the decision on one request, and the way to it.

mod facts;
mod trace;

use std::collections::BTreeMap;

use databricks_oam_filter::answer::{Answer, Resource};
use databricks_oam_filter::audit::record::{claim_fault, words};
use databricks_oam_filter::authorize::{Decision, Verdict};
use databricks_oam_filter::databricks::Operation;
use databricks_oam_filter::databricks::scope_set::ScopeSet;
use databricks_oam_filter::policy::rule::Mode;
use databricks_oam_filter::request::envelope::Recipient;
use databricks_oam_filter::token::scope::Scope;
use serde::Serialize;
use serde_json::Value;

use super::gateway::{self, Gateway, Request, Shown};
use super::recorded::Recorded;
use super::{Said, Unreadable, file, reason};
use trace::Trace;

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
    let (method, url, shown, decided, unknown) = match recorded {
        Some(recorded) => (
            recorded.method,
            recorded.url,
            recorded.shown,
            Some(recorded.decided),
            recorded.unknown,
        ),
        None => (
            String::new(),
            String::new(),
            shown(&arguments.proof)?,
            None,
            Vec::new(),
        ),
    };
    let method = arguments.method.as_ref().unwrap_or(&method);
    let url = arguments.url.as_ref().unwrap_or(&url);
    let mut request = gateway.request(method, url, &headers, &shown, now)?;
    request.data.clone_from(&arguments.data);
    gateway.decide(&request, |decision| {
        let mut explanation = Explanation::of(&gateway, decision, &request);
        explanation.not_recorded = unknown;
        let decided = decided.map(|decided| ("recorded", decided));
        explanation.facts.extend(decided);
        // Not by the status: callers of gRPC are refused with 200 and trailers.
        let passes = !matches!(decision.verdict, Verdict::Deny(_));
        if arguments.json {
            if request.filled.is_some() {
                let _ = std::io::Write::write_all(&mut anstream::stderr(), UNCHECKED.as_bytes());
            }
            let text = serde_json::to_string_pretty(&explanation).unwrap_or_default();
            return Said::new(format!("{text}\n"), passes);
        }
        let trace = Trace {
            gateway: &gateway,
            request: &request,
            decision,
            explanation: &explanation,
        };
        Said::new(trace.text(), passes)
    })
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

/// A decision in the words of the audit record, and what else of it scripts need.
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
    pub(super) readings: Vec<RuleReading>,
    pub(super) mode: &'static str,
    /// Absent where nothing is exchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exchanged_scope: Option<&'static str>,
    /// The message to the caller of a refused request, but for the decision's ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// What would make it allowed.
    pub(super) advice: Vec<String>,
    /// The rest of what people read.
    pub(super) facts: BTreeMap<&'static str, String>,
    /// Those roles that the caller does not hold, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) roles_not_held: BTreeMap<String, String>,
    /// What the record does not say of its request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) not_recorded: Vec<&'static str>,
}

/// A rule that applies, and how the path is read for that.
#[derive(Serialize)]
pub(super) struct RuleReading {
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
            .map(|(rule, path)| RuleReading { rule, path });
        let readings = readings.collect();
        let (word, reason) = words(&decision.verdict);
        let (claim, claim_fault) = claim_fault(&decision.verdict);
        let access = evidence.effective_access.as_ref();
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
                access
                    .into_iter()
                    .flat_map(|access| access.role_grants.iter()),
            ),
            effective_scopes: texts(access.into_iter().flat_map(|access| access.scopes.iter())),
            roles: access
                .map(|access| access.roles.iter().map(ToString::to_string).collect())
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
                Verdict::Allow(_)
                | Verdict::Describe(_)
                | Verdict::Introduce(_)
                | Verdict::Return(_) => None,
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
        Verdict::Allow(_)
        | Verdict::Describe(_)
        | Verdict::Introduce(_)
        | Verdict::Return(_)
        | Verdict::Shadow(..) => SUCCESS,
        Verdict::Deny(denial) => {
            let recipient = Recipient::of(&request.headers);
            Answer::new(
                denial,
                &decision.evidence,
                &recipient,
                "",
                &Resource::default(),
            )
            .status
        }
    }
}

fn texts<'a>(scopes: impl Iterator<Item = &'a Scope>) -> Vec<String> {
    scopes.map(|scope| scope.as_str().to_owned()).collect()
}

const SUCCESS: u16 = 200;

const UNCHECKED: &str = "oam: claims alone were given, so no signature was checked\n";
