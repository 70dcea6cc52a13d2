//! What can be said about a gateway: how bad it is, where, what, and what to do.

use std::fmt;

use serde::Serialize;

use super::code::Code;
use super::place::Place;
use crate::cli::suggestion;

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::cli) enum Severity {
    Error,
    /// Nothing is known to be wrong, and nothing shows that it is right. With `--strict` it is an
    /// error.
    NotChecked,
    Warning,
}

/// One thing that is wrong, better otherwise, or out of sight.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::cli) struct Finding {
    pub(in crate::cli) severity: Severity,
    pub(in crate::cli) code: &'static str,
    pub(in crate::cli) place: Place,
    pub(in crate::cli) message: String,
    pub(in crate::cli) remedy: String,
}

impl Finding {
    /// What the table says of this code, here; `about` fills in what the sentence leaves open.
    pub(super) fn new(code: Code, place: Place, about: &str) -> Self {
        let entry = code.entry();
        Self {
            severity: entry.severity,
            code: entry.name,
            place,
            message: entry.message.replace("{}", about),
            remedy: entry.remedy.replace("{}", about),
        }
    }

    /// What the library says of a configuration, `text` beginning with the place in it where it has
    /// one.
    pub(in crate::cli) fn of_configuration(
        code: &'static str,
        severity: Severity,
        configuration: &Place,
        text: &str,
    ) -> Self {
        let is_place = |text: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || "_.[]".contains(c);
            text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(known)
        };
        let (place, message) = match text.split_once(": ") {
            Some((place, message)) if is_place(place) => (configuration.below(place), message),
            _ => (configuration.clone(), text),
        };
        let (message, remedy) = message.split_once("; ").unwrap_or((message, ""));
        let remedy = match remedy {
            "" => suggestion::for_message(message).unwrap_or_default(),
            remedy => suggestion::for_remedy(remedy).unwrap_or_else(|| remedy.to_owned()),
        };
        Self {
            severity,
            code,
            place,
            message: message.to_owned(),
            remedy,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.to_string();
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        if !self.remedy.is_empty() {
            write!(f, "; {}", self.remedy)?;
        }
        Ok(())
    }
}

/// The findings so far, each once.
#[derive(Default)]
pub(in crate::cli) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, code: Code, place: Place, about: &str) {
        self.push(Finding::new(code, place, about));
    }

    /// The same, for what the table has nothing to fill in of.
    pub(super) fn note(&mut self, code: Code, place: Place) {
        self.add(code, place, "");
    }

    /// The same, with a name at its end.
    pub(super) fn add_naming(&mut self, code: Code, place: Place, about: &str, named: &str) {
        let mut finding = Finding::new(code, place, about);
        finding.remedy = format!("{}: {named}", finding.remedy);
        self.push(finding);
    }

    fn push(&mut self, finding: Finding) {
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(in crate::cli) fn into_list(self) -> Vec<Finding> {
        self.0
    }
}
