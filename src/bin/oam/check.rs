//! `oam check`: everything that is wrong, at once.

use std::fmt::Write as _;

use databricks_oam_filter::config::Configuration;
use serde::Serialize;

use super::carrier::{self, Found};
use super::{Said, Unreadable, style};

pub(super) fn run(arguments: &super::Check) -> Result<Said, Unreadable> {
    let verdicts: Vec<Verdict> = carrier::find(&arguments.config)?
        .into_iter()
        .map(Verdict::of)
        .collect();
    let sound = verdicts.iter().all(|verdict| verdict.errors.is_empty());
    if arguments.json {
        let text = serde_json::to_string_pretty(&verdicts).unwrap_or_default();
        return Ok(Said::new(format!("{text}\n"), sound));
    }
    let mut text = String::new();
    for verdict in &verdicts {
        verdict.tell(&arguments.config.display().to_string(), &mut text);
    }
    Ok(Said::new(text, sound))
}

/// What is to be said about one configuration.
#[derive(Serialize)]
struct Verdict {
    place: String,
    errors: Vec<String>,
    warnings: Vec<String>,
    digest: Option<String>,
}

impl Verdict {
    fn of(found: Found) -> Self {
        let Found {
            place,
            text,
            mut errors,
            mut warnings,
        } = found;
        let digest = match Configuration::parse(text.as_bytes()) {
            Ok(configuration) => {
                warnings.extend(configuration.warnings.iter().map(ToString::to_string));
                Some(configuration.digest)
            }
            Err(error) => {
                errors.splice(0..0, error.problems().iter().cloned());
                None
            }
        };
        Self {
            place,
            errors,
            warnings,
            digest,
        }
    }

    fn tell(&self, file: &str, text: &mut String) {
        let place = if self.place.is_empty() {
            file.to_owned()
        } else {
            format!("{file}: {}", self.place)
        };
        let _ = writeln!(text, "{place}");
        for error in &self.errors {
            let _ = writeln!(text, "  {}    {error}", style::bad("error"));
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "  {}  {warning}", style::warning("warning"));
        }
        let warnings = style::count(self.warnings.len(), "warning");
        let _ = match (self.errors.len(), &self.digest) {
            (0, Some(digest)) => writeln!(
                text,
                "{}, {warnings}, digest {digest}",
                style::good("sound")
            ),
            (errors, _) => writeln!(
                text,
                "{}, {warnings}",
                style::bad(style::count(errors, "error"))
            ),
        };
    }
}
