//! `oam test`: a policy's own test cases.

mod known;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::coverage::{Coverage, Figure};
use super::explain::Explanation;
use super::gateway::{self, Gateway, Shown};
use super::{Said, Unreadable, file, junit, style};

pub(super) fn run(arguments: &super::Test) -> Result<Said, Unreadable> {
    let mut suites = Vec::new();
    let mut coverage: BTreeMap<PathBuf, Coverage> = BTreeMap::new();
    for path in &arguments.files {
        let documents = file::documents(path)?;
        if documents.is_empty() {
            return Err(Unreadable(format!("`{}` holds no cases", path.display())));
        }
        for document in &documents {
            let (suite, config, covered) = run_file(path, document)?;
            suites.push(suite);
            coverage.entry(config).or_default().merge(covered);
        }
    }
    let failed = suites
        .iter()
        .flat_map(|suite| &suite.cases)
        .filter(|case| !case.passed())
        .count();
    if let Some(path) = &arguments.junit {
        let text = junit::report(&suites)?;
        std::fs::write(path, text)
            .map_err(|error| Unreadable(format!("cannot write `{}`: {error}", path.display())))?;
    }
    let summary = Summary {
        coverage: coverage
            .iter()
            .map(|(config, coverage)| (config.display().to_string(), coverage.figure()))
            .collect(),
        suites,
        failed,
    };
    let text = if arguments.json {
        format!(
            "{}\n",
            serde_json::to_string_pretty(&summary).unwrap_or_default()
        )
    } else {
        summary.text()
    };
    Ok(Said::new(text, failed == 0))
}

/// A file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    /// The configuration, from the file's own folder.
    config: PathBuf,
    /// Key sets by issuer, for cases with tokens.
    #[serde(default)]
    jwks: BTreeMap<String, PathBuf>,
    /// The moment of every case that names none of its own.
    at: Option<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    request: RequestSection,
    claims: Option<Map<String, Value>>,
    token: Option<String>,
    at: Option<String>,
    expect: Expected,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestSection {
    #[serde(default = "get")]
    method: String,
    url: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    data: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    decision: Word,
    mode: Option<String>,
    status: Option<u16>,
    reason: Option<String>,
    operation: Option<String>,
    rule: Option<String>,
    roles: Option<Vec<String>>,
    effective_scopes: Option<Vec<String>>,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Word {
    Allow,
    Deny,
}

/// The outcome of one file.
#[derive(Serialize)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) cases: Vec<CaseOutcome>,
}

/// The outcome of one case: how it differs from what was expected.
#[derive(Serialize)]
pub(super) struct CaseOutcome {
    pub(super) name: String,
    pub(super) differences: Vec<String>,
}

impl CaseOutcome {
    pub(super) const fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

fn run_file(path: &Path, document: &Value) -> Result<(Suite, PathBuf, Coverage), Unreadable> {
    let name = path.display().to_string();
    let cases: CaseFile = serde_path_to_error::deserialize(document)
        .map_err(|error| Unreadable(format!("`{name}`: {}: {}", error.path(), error.inner())))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let config = folder.join(&cases.config);
    let jwks: Vec<String> = cases
        .jwks
        .iter()
        .map(|(issuer, file)| format!("{issuer}={}", folder.join(file).display()))
        .collect();
    let gateway = Gateway::open(&config, &jwks)?;
    for case in &cases.cases {
        known::check(&case.expect, &gateway.authorizer.policy)
            .map_err(|error| Unreadable(format!("`{name}`: {}: {}", case.name, error.0)))?;
    }
    let mut coverage = Coverage::of(&gateway.authorizer.policy);
    let mut outcomes = Vec::new();
    for case in &cases.cases {
        let outcome = case.run(&gateway, cases.at.as_deref(), &mut coverage);
        outcomes.push(
            outcome.map_err(|error| Unreadable(format!("`{name}`: {}: {}", case.name, error.0)))?,
        );
    }
    let suite = Suite {
        name,
        cases: outcomes,
    };
    Ok((suite, config, coverage))
}

impl Case {
    fn run(
        &self,
        gateway: &Gateway,
        at: Option<&str>,
        coverage: &mut Coverage,
    ) -> Result<CaseOutcome, Unreadable> {
        let ((Some(url), None) | (None, Some(url))) = (&self.request.url, &self.request.path)
        else {
            return Err(Unreadable(
                "a request has either `url` or `path`".to_owned(),
            ));
        };
        let shown = match (&self.claims, &self.token) {
            (Some(claims), None) => Shown::Claims(claims.clone()),
            (None, Some(token)) => Shown::Token(token.clone()),
            (None, None) => Shown::Nothing,
            (Some(_), Some(_)) => {
                return Err(Unreadable(
                    "a case has either `claims` or `token`".to_owned(),
                ));
            }
        };
        let headers: Vec<(String, String)> = self.request.headers.clone().into_iter().collect();
        let now = gateway::moment(self.at.as_deref().or(at))?;
        let mut request = gateway.request(&self.request.method, url, &headers, &shown, now)?;
        request.data.clone_from(&self.request.data);
        gateway.decide(&request, |decision| {
            coverage.count(&gateway.authorizer.policy, decision);
            let explanation = Explanation::of(gateway, decision, &request);
            CaseOutcome {
                name: self.name.clone(),
                differences: self.expect.differences(explanation),
            }
        })
    }
}

impl Expected {
    fn differences(&self, found: Explanation) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, wanted: Option<String>, found: String| {
            if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
                differences.push(format!(
                    "{what}: expected {}, got {}",
                    named(&wanted),
                    named(&found)
                ));
            }
        };
        let sorted = |list: &Vec<String>| {
            let mut list = list.clone();
            list.sort();
            list.join(" ")
        };
        let decision = match self.decision {
            Word::Allow => "allow".to_owned(),
            Word::Deny => "deny".to_owned(),
        };
        // Whoever wanted a yes wants to know why not.
        let because = match (self.decision, found.decision) {
            (Word::Allow, "deny") => format!("deny ({})", found.reason),
            _ => found.decision.to_owned(),
        };
        compare("decision", Some(decision), because);
        compare("reason", self.reason.clone(), found.reason.to_owned());
        compare("mode", self.mode.clone(), found.mode.to_owned());
        compare(
            "status",
            self.status.map(|status| status.to_string()),
            found.status.to_string(),
        );
        let operation = found.operation.map(|operation| operation.name.to_owned());
        compare(
            "operation",
            self.operation.clone(),
            operation.unwrap_or_default(),
        );
        compare("rule", self.rule.clone(), found.rule.unwrap_or_default());
        compare(
            "roles",
            self.roles.as_ref().map(sorted),
            sorted(&found.roles),
        );
        compare(
            "effective_scopes",
            self.effective_scopes.as_ref().map(sorted),
            sorted(&found.effective_scopes),
        );
        differences
    }
}

/// Everything that was found.
#[derive(Serialize)]
struct Summary {
    suites: Vec<Suite>,
    failed: usize,
    coverage: BTreeMap<String, Figure>,
}

impl Summary {
    fn text(&self) -> String {
        let mut text = String::new();
        for suite in &self.suites {
            let _ = writeln!(text, "{}", suite.name);
            for case in &suite.cases {
                let mark = if case.passed() {
                    style::good("ok")
                } else {
                    style::bad("FAILED")
                };
                let _ = writeln!(text, "  {mark} {}", case.name);
                for difference in &case.differences {
                    let _ = writeln!(text, "       {difference}");
                }
            }
        }
        for (config, figure) in &self.coverage {
            let Figure {
                reached,
                all,
                percent,
                not_reached,
            } = figure;
            let _ = writeln!(
                text,
                "{config}: {percent} % of roles, grants and rules reached ({reached} of {all})"
            );
            for label in not_reached {
                let _ = writeln!(text, "  {} {label}", style::warning("no case reached"));
            }
        }
        let all: usize = self.suites.iter().map(|suite| suite.cases.len()).sum();
        let passed = all.saturating_sub(self.failed);
        let _ = match self.failed {
            0 => writeln!(text, "{}", style::good(format!("{passed} passed"))),
            failed => writeln!(
                text,
                "{}, {passed} passed",
                style::bad(format!("{failed} failed"))
            ),
        };
        text
    }
}

fn named(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

fn get() -> String {
    "GET".to_owned()
}
