//! What the demonstration looks like: aligned, and coloured on a terminal alone.

use std::io::IsTerminal as _;

use serde_json::Value;

/// Standard output.
pub(crate) struct Screen {
    coloured: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self {
            coloured: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    pub(crate) fn title(&self, text: &str) {
        println!("{}", self.paint(BOLD, text));
    }

    pub(crate) fn note(&self, text: &str) {
        println!("  {}", self.paint(DIM, text));
    }

    pub(crate) fn row(&self, name: &str, value: &str, note: &str) {
        println!("  {name:<10} {value:<24} {}", self.paint(DIM, note));
    }

    pub(crate) fn verdict(&self, sound: bool, number: impl std::fmt::Display, title: &str) {
        let mark = if sound {
            self.paint(GREEN, "✓")
        } else {
            self.paint(RED, "✗")
        };
        println!(
            "{mark} {} {title}",
            self.paint(BOLD, &format!("{number:>3}"))
        );
    }

    pub(crate) fn detail(&self, name: &str, text: &str) {
        println!("      {} {text}", self.paint(DIM, &format!("{name:<10}")));
    }

    pub(crate) fn fault(&self, text: &str) {
        println!("      {}", self.paint(RED, text));
    }

    /// A JSON text, broken between its members where a line would grow too long.
    pub(crate) fn json(&self, name: &str, text: &str) {
        let mut name = name;
        for line in fold(text) {
            self.detail(name, &line);
            name = "";
        }
    }

    /// One audit record, its decision in colour.
    pub(crate) fn record(&self, text: &str) {
        let record: Value = serde_json::from_str(text).unwrap_or_default();
        let member = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
        let colour = if record["decision"] == "deny" {
            RED
        } else {
            GREEN
        };
        let (decision, reason) = (format!("{:<5}", member("decision")), member("reason"));
        println!();
        println!(
            "  {} {} {} {}",
            self.paint(colour, &decision),
            member("method"),
            member("path"),
            self.paint(BOLD, &reason)
        );
        for line in fold(text) {
            println!("    {}", self.paint(DIM, &line));
        }
    }

    /// A line to be copied: no colour in it.
    pub(crate) fn line(&self, text: &str) {
        println!("  {}", self.paint(PLAIN, text));
    }

    pub(crate) fn blank(&self) {
        println!("{}", self.paint(PLAIN, ""));
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.coloured && !colour.is_empty() {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Breaks JSON text behind commas that part members.
fn fold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in text
        .split_inclusive(",\"")
        .enumerate()
        .map(|(number, piece)| {
            let piece = piece
                .strip_suffix('"')
                .filter(|_| piece.ends_with(",\""))
                .unwrap_or(piece);
            if number == 0 {
                piece.to_owned()
            } else {
                format!("\"{piece}")
            }
        })
    {
        match lines.last_mut() {
            Some(line) if line.len() + piece.len() <= WIDTH => line.push_str(&piece),
            _ => lines.push(piece),
        }
    }
    lines
}

const WIDTH: usize = 110;

const PLAIN: &str = "";
const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";
