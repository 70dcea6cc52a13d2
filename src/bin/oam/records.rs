//! Audit records as commands read them: from files or standard input, compressed or not, bare on
//! lines, behind the prefix of a gateway's log, in another log's JSON, OpenTelemetry's or OCSF's.
//!
//! What cannot be read is counted and the first of it named; it stops nothing. Records are handed
//! over one at a time, so that memory does not grow with the input.

mod compact;
mod line;
mod lines;
mod ocsf;
mod otlp;
mod record;

use std::collections::HashSet;
use std::io::{self, IsTerminal as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use schemars::JsonSchema;
use serde::Serialize;

use super::Unreadable;
use line::{Fault, FoundInLine, Held, LossNotice};
use lines::{Lines, LogLine};
pub(super) use record::{Decided, Enforcement, PolicyInputs, Record, Text, beginning, shown};

/// Where records are.
#[derive(Args, Clone, Debug)]
pub(super) struct Sources {
    /// Files of audit records: JSON lines, a gateway's log, OTLP JSON, OCSF, each also compressed
    /// by gzip; `-`, or no file, is standard input
    #[arg(value_name = "RECORDS")]
    files: Vec<PathBuf>,
}

/// Where one record is.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordPlace<'a> {
    /// As it was named on the command line.
    pub(super) file: &'a Path,
    /// From 1.
    pub(super) line: u64,
}

/// What was read besides records.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Reading {
    /// Records that were handed over.
    pub(super) records: u64,
    /// Lines that hold nothing that looks like a record, as a gateway's log has them.
    pub(super) other_lines: u64,
    /// Lines, or records within lines, that cannot be read.
    pub(super) broken: u64,
    /// The first of those.
    pub(super) first_broken: Vec<Broken>,
    /// Lines in which the module says that records are dropped.
    pub(super) drop_notices: u64,
    /// Records that never arrived at a collector, by the module's own count.
    pub(super) lost: u64,
    /// The notices that this count is of, by their IDs.
    notices: HashSet<Box<str>>,
}

/// A line that cannot be read.
#[derive(Clone, Debug, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct Broken {
    pub(super) file: String,
    /// From 1; of a document over several lines, its first.
    pub(super) line: u64,
    pub(super) why: String,
}

/// What takes records; breaking off ends the reading.
pub(super) type Taker<'t> = dyn FnMut(&Record<'_>, RecordPlace<'_>) -> ControlFlow<()> + 't;

impl Sources {
    /// These files.
    pub(super) const fn of(files: Vec<PathBuf>) -> Self {
        Self { files }
    }

    /// Reads all records, with a progress bar where standard error is a terminal.
    pub(super) fn each(&self, taker: &mut Taker<'_>) -> Result<Reading, Unreadable> {
        let standard_input = [PathBuf::from("-")];
        let files = if self.files.is_empty() {
            &standard_input
        } else {
            &*self.files
        };
        if files.iter().any(|file| file.as_os_str() == "-") && io::stdin().is_terminal() {
            let text = "standard input is a terminal: name files of records, or pipe records in";
            return Err(Unreadable(text.to_owned()));
        }
        let progress = bar(total_bytes(files)?);
        let mut reading = Reading::default();
        for file in files {
            let source = lines::open(file).map_err(|error| unreadable(file, &error))?;
            if reading
                .file(file, progress.wrap_read(source), taker)
                .is_break()
            {
                break;
            }
        }
        progress.finish_and_clear();
        Ok(reading)
    }
}

impl Reading {
    /// Reads one file to its end, or to where it cannot be read.
    fn file(
        &mut self,
        file: &Path,
        source: impl io::Read + 'static,
        taker: &mut Taker<'_>,
    ) -> ControlFlow<()> {
        let mut place = RecordPlace { file, line: 0 };
        let failed =
            |error: io::Error| Fault(format!("{error}: the rest of the file was not read"));
        let mut lines = match Lines::of(source) {
            Ok(lines) => lines,
            Err(error) => {
                self.fault(place, &failed(error));
                return ControlFlow::Continue(());
            }
        };
        let mut is_first = true;
        loop {
            let next = match lines.next() {
                Ok(Some(next)) => next,
                Ok(None) => return ControlFlow::Continue(()),
                Err(error) => {
                    place.line = place.line.saturating_add(1);
                    self.fault(place, &failed(error));
                    return ControlFlow::Continue(());
                }
            };
            place.line = next.number;
            // How programs begin that write one document over several lines.
            if is_first && next.bytes.is_some_and(|bytes| bytes.trim_ascii() == b"{") {
                return self.document(lines, place, taker);
            }
            is_first &= next
                .bytes
                .is_some_and(|bytes| bytes.trim_ascii().is_empty());
            self.line(&next, place, taker)?;
        }
    }

    fn line(
        &mut self,
        line: &LogLine<'_>,
        place: RecordPlace<'_>,
        taker: &mut Taker<'_>,
    ) -> ControlFlow<()> {
        let Some(bytes) = line.bytes else {
            self.fault(place, &Fault::new("a line of more than 32 MiB"));
            return ControlFlow::Continue(());
        };
        self.text(bytes, place, taker)
    }

    /// Documents that are written over several lines.
    fn document(
        &mut self,
        mut lines: Lines,
        place: RecordPlace<'_>,
        taker: &mut Taker<'_>,
    ) -> ControlFlow<()> {
        let document = lines.document();
        let bytes = match document {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                self.fault(place, &Fault::new("a document of more than 32 MiB over several lines: write it on one line for each export"));
                return ControlFlow::Continue(());
            }
            Err(error) => {
                self.fault(place, &Fault(error.to_string()));
                return ControlFlow::Continue(());
            }
        };
        let documents = serde_json::Deserializer::from_slice(bytes);
        for document in documents.into_iter::<&serde_json::value::RawValue>() {
            match document {
                Ok(document) => self.text(document.get().as_bytes(), place, taker)?,
                Err(error) => {
                    self.fault(place, &Fault(error.to_string()));
                    break;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn text(
        &mut self,
        bytes: &[u8],
        place: RecordPlace<'_>,
        taker: &mut Taker<'_>,
    ) -> ControlFlow<()> {
        let held = line::read(bytes, &mut |found| {
            match found {
                FoundInLine::Record(record) => {
                    self.records = self.records.saturating_add(1);
                    return taker(record, place);
                }
                FoundInLine::Broken(fault) => self.fault(place, &fault),
                FoundInLine::Lost(notice) => self.lose(notice),
            }
            ControlFlow::Continue(())
        });
        match held {
            Held::Enough => ControlFlow::Break(()),
            Held::Records => ControlFlow::Continue(()),
            Held::Other => {
                self.other(bytes);
                ControlFlow::Continue(())
            }
        }
    }

    /// Counts what a notice reports, once: it is sent again until the collector confirms it.
    fn lose(&mut self, notice: &LossNotice) {
        if self.notices.contains(&*notice.id) {
            return;
        }
        self.lost = self.lost.saturating_add(notice.records);
        if !notice.id.is_empty() && self.notices.len() < MOST_NOTICES {
            self.notices.insert(notice.id.as_str().into());
        }
    }

    /// Counts a line without a record.
    fn other(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        self.other_lines = self.other_lines.saturating_add(1);
        let is_notice = |notice: &[u8]| line.windows(notice.len()).any(|part| part == notice);
        if DROP_NOTICES
            .into_iter()
            .any(|notice| is_notice(notice.as_bytes()))
        {
            self.drop_notices = self.drop_notices.saturating_add(1);
        }
    }

    fn fault(&mut self, place: RecordPlace<'_>, fault: &Fault) {
        self.broken = self.broken.saturating_add(1);
        if self.first_broken.len() < MOST_NAMED {
            self.first_broken.push(Broken {
                file: shown(&place.file.display().to_string()).into(),
                line: place.line,
                why: shown(&fault.0).into(),
            });
        }
    }
}

/// How much there is to read; `None` where nobody knows. Tells early of files that cannot be read.
fn total_bytes(files: &[PathBuf]) -> Result<Option<u64>, Unreadable> {
    let mut total = Some(0_u64);
    for file in files {
        if file.as_os_str() == "-" {
            total = None;
            continue;
        }
        let facts = std::fs::metadata(file).map_err(|error| unreadable(file, &error))?;
        if facts.is_dir() {
            let name = file.display();
            return Err(Unreadable(format!(
                "`{name}` is a folder: name the files in it"
            )));
        }
        // A pipe has no length.
        total = total
            .filter(|_| facts.is_file())
            .map(|sum| sum.saturating_add(facts.len()));
    }
    Ok(total)
}

/// Shown on standard error, and only where that is a terminal.
fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), BAR),
        None => (ProgressBar::new_spinner(), SPINNER),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn unreadable(file: &Path, error: &io::Error) -> Unreadable {
    Unreadable(format!("cannot read `{}`: {error}", file.display()))
}

const BAR: &str = "reading records {wide_bar} {bytes} of {total_bytes}, {eta} left";
const SPINNER: &str = "{spinner} reading records, {bytes}";

/// Lines that cannot be read and are named one by one. The rest is counted.
const MOST_NAMED: usize = 20;

/// IDs of notices that are remembered: 10 MiB. A gateway of a hundred workers whose collector fails
/// each hour sends as many in a month.
const MOST_NOTICES: usize = 100_000;

/// What the module writes into the gateway's log when that does not take records.
const DROP_NOTICES: [&str; 2] = [
    "audit: decisions leave no record",
    "audit: every request is refused, because its decision would leave no record",
];

#[cfg(test)]
mod tests;
#[cfg(test)]
mod written;
