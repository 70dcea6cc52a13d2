//! `oam check`: everything that is wrong, at once.

use std::fmt::Write as _;

use databricks_oam_filter::config::Configuration;
use serde::Serialize;

use super::carrier::{self, Files};
use super::surroundings::{Code, Document, Finding, Severity, Subject};
use super::{Said, Unreadable, doubtful, log_level, style};

pub(super) fn run(arguments: &super::Check) -> Result<Said, Unreadable> {
    let Files {
        documents,
        subjects,
    } = carrier::read(&arguments.files)?;
    let verdicts: Vec<Verdict> = subjects
        .into_iter()
        .map(|subject| Verdict::of(subject, &documents, arguments.strict))
        .collect();
    let is_valid = verdicts
        .iter()
        .all(|verdict| verdict.count(Severity::Error) == 0);
    let mut text = String::new();
    if arguments.json {
        let findings = verdicts.iter().flat_map(|verdict| &verdict.findings);
        let findings: Vec<JsonFinding> = findings
            .map(|finding| JsonFinding::of(finding, &documents))
            .collect();
        text = serde_json::to_string_pretty(&findings).unwrap_or_default() + "\n";
    } else {
        for verdict in &verdicts {
            verdict.write_text(&documents, &mut text);
        }
    }
    Ok(Said::new(text, is_valid))
}

/// What is to be said about one configuration and its surroundings.
struct Verdict {
    subject: Subject,
    findings: Vec<Finding>,
    digest: Option<String>,
}

/// A finding for machines.
#[derive(Serialize)]
struct JsonFinding<'a> {
    severity: Severity,
    code: &'static str,
    file: Option<String>,
    line: Option<u64>,
    place: String,
    message: &'a str,
    remedy: &'a str,
}

impl<'a> JsonFinding<'a> {
    fn of(finding: &'a Finding, documents: &[Document]) -> Self {
        let document = documents.get(finding.place.document);
        Self {
            severity: finding.severity,
            code: finding.code,
            file: document.map(|document| document.file.display().to_string()),
            line: document.and_then(|document| document.line(&finding.place)),
            place: finding.place.to_string(),
            message: &finding.message,
            remedy: &finding.remedy,
        }
    }
}

impl Verdict {
    fn of(mut subject: Subject, documents: &[Document], is_strict: bool) -> Self {
        let mut findings = Vec::new();
        let mut add = |code, severity, text: &str| {
            findings.push(Finding::of_configuration(
                code,
                severity,
                &subject.place,
                text,
            ));
        };
        let digest = match Configuration::parse(subject.text.as_bytes()) {
            Ok(configuration) => {
                let kind = log_level::kind(documents, &subject.found_at);
                if let Some(problem) = log_level::check(kind, &configuration) {
                    add(Code::RecordsDropped.entry().name, Severity::Error, &problem);
                }
                for warning in &configuration.warnings {
                    add(
                        warning.code().as_str(),
                        Severity::Warning,
                        &warning.to_string(),
                    );
                }
                for (code, warning) in doubtful::all(&subject.text) {
                    add(code.entry().name, Severity::Warning, &warning);
                }
                Some(configuration.digest)
            }
            Err(error) => {
                for problem in error.problems() {
                    add(
                        problem.code().as_str(),
                        Severity::Error,
                        &problem.to_string(),
                    );
                }
                None
            }
        };
        findings.append(&mut subject.findings);
        for finding in &mut findings {
            if is_strict && finding.severity == Severity::NotChecked {
                finding.severity = Severity::Error;
            }
        }
        findings.sort_by_key(|finding| finding.severity);
        Self {
            subject,
            findings,
            digest,
        }
    }

    fn count(&self, severity: Severity) -> usize {
        let of_severity = |finding: &&Finding| finding.severity == severity;
        self.findings.iter().filter(of_severity).count()
    }

    fn write_text(&self, documents: &[Document], text: &mut String) {
        let place = self.subject.found_at.to_string();
        let document = documents.get(self.subject.found_at.document);
        let file = document.map(|document| document.file.display().to_string());
        let file = file.unwrap_or_default();
        let _ = match place.as_str() {
            "" => writeln!(text, "{file}"),
            place => writeln!(text, "{file}: {place}"),
        };
        for finding in &self.findings {
            let severity = match finding.severity {
                Severity::Error => style::bad("error"),
                Severity::NotChecked => style::warning("unseen"),
                Severity::Warning => style::warning("warning"),
            };
            // Padded by hand: what colours a word counts as width.
            let width = match finding.severity {
                Severity::Error => "  ",
                Severity::NotChecked => " ",
                Severity::Warning => "",
            };
            let _ = writeln!(text, "  {severity}{width}  {finding}");
        }
        self.sum_up(text);
    }

    fn sum_up(&self, text: &mut String) {
        let warnings = style::count(self.count(Severity::Warning), "warning");
        let unseen = match self.count(Severity::NotChecked) {
            0 => String::new(),
            count => format!(", {count} not checked"),
        };
        let _ = match (self.count(Severity::Error), &self.digest) {
            (0, Some(digest)) => writeln!(
                text,
                "{}, {warnings}{unseen}, digest {digest}",
                style::good("valid")
            ),
            (errors, _) => writeln!(
                text,
                "{}, {warnings}{unseen}",
                style::bad(style::count(errors, "error"))
            ),
        };
    }
}
