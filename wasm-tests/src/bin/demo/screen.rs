//! What the demonstration looks like: aligned, and coloured on a terminal alone.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

/// Standard output, 80 columns wide.
pub(crate) struct Screen {
    coloured: bool,
    /// Whether records are shown whole; otherwise each is one line.
    whole_records: bool,
    /// Whether nobody reads any more.
    closed: Cell<bool>,
}

impl Screen {
    pub(crate) fn new(whole_records: bool) -> Self {
        Self {
            coloured: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
            whole_records,
            closed: Cell::new(false),
        }
    }

    /// Whether nobody reads any more, as behind `| head`.
    pub(crate) fn is_closed(&self) -> bool {
        let out = std::io::stdout();
        let mut ends = [PollFd::new(&out, PollFlags::empty())];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let broken =
            poll(&mut ends, Some(&at_once)).is_ok() && ends[0].revents().contains(PollFlags::ERR);
        self.closed.get() || broken
    }

    fn say(&self, line: &str) {
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{line}").and_then(|()| out.flush());
        self.closed.set(self.closed.get() || written.is_err());
    }

    pub(crate) fn title(&self, text: &str) {
        self.say(&self.paint(BOLD, text));
    }

    pub(crate) fn note(&self, text: &str) {
        self.say(&format!("  {}", self.paint(DIM, text)));
    }

    pub(crate) fn row(&self, name: &str, value: &str, note: &str) {
        self.say(&format!(
            "  {name:<10} {value:<23} {}",
            self.paint(DIM, note)
        ));
    }

    pub(crate) fn verdict(&self, valid: bool, number: impl std::fmt::Display, title: &str) {
        let mark = if valid {
            self.paint(GREEN, "✓")
        } else {
            self.paint(RED, "✗")
        };
        let number = self.paint(BOLD, &format!("{number:>3}"));
        self.say(&format!("{mark} {number} {title}"));
    }

    pub(crate) fn detail(&self, name: &str, text: &str) {
        let name = self.paint(DIM, &format!("{name:<9}"));
        self.say(&format!("      {name} {text}"));
    }

    pub(crate) fn fault(&self, text: &str) {
        self.say(&format!("      {}", self.paint(RED, text)));
    }

    /// A text, broken where a line would grow too long: of JSON between members, of anything else
    /// between words.
    pub(crate) fn folded(&self, name: &str, text: &str) {
        let mut name = name;
        for line in fold(text, WIDTH - DETAIL) {
            self.detail(name, &line);
            name = "";
        }
    }

    /// The record that goes with a shown answer.
    pub(crate) fn record_of(&self, text: &str) {
        if self.whole_records {
            self.folded("audit", text);
        } else {
            self.detail("audit", &self.summary(text));
        }
    }

    /// One audit record: a line, or all of it.
    pub(crate) fn record(&self, text: &str) {
        self.say(&format!("  {}", self.summary(text)));
        if self.whole_records {
            for line in fold(text, WIDTH - 4) {
                self.say(&format!("    {}", self.paint(DIM, &line)));
            }
            self.blank();
        }
    }

    /// What was decided, why, and on what.
    fn summary(&self, text: &str) -> String {
        let record: Value = serde_json::from_str(text).unwrap_or_default();
        let member = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
        let colour = if record["decision"] == "deny" {
            RED
        } else {
            GREEN
        };
        let who = member("subject");
        let decision = self.paint(colour, &member("decision"));
        let reason = self.paint(BOLD, &member("reason"));
        format!("{decision} {reason} {} {who}", member("operation"))
    }

    /// Lines to be copied: no colour in them.
    pub(crate) fn lines(&self, text: &str) {
        for line in text.lines() {
            self.say(&format!("  {line}"));
        }
    }

    pub(crate) fn blank(&self) {
        self.say("");
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.coloured {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Breaks a text behind commas that part members of JSON, and behind spaces.
fn fold(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let pieces = text.split_inclusive(' ').flat_map(|word| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let end = rest.find(",\"").map_or(rest.len(), |comma| comma + 1);
            // What has no such place, a URL for example, is broken anywhere.
            let limit = rest
                .char_indices()
                .nth(width)
                .map_or(rest.len(), |(place, _)| place);
            let (piece, after) = rest.split_at(end.min(limit));
            rest = after;
            (!piece.is_empty()).then_some(piece)
        })
    });
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.chars().count() + piece.chars().count() <= width => {
                line.push_str(piece);
            }
            _ => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Columns before a detail.
const DETAIL: usize = 16;

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";
