//! Colours, for terminals; `anstream` takes them out everywhere else.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

pub(super) fn good(text: impl Display) -> String {
    paint(
        Style::new().bold().fg_color(Some(AnsiColor::Green.into())),
        text,
    )
}

pub(super) fn bad(text: impl Display) -> String {
    paint(
        Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
        text,
    )
}

pub(super) fn warning(text: impl Display) -> String {
    paint(
        Style::new().bold().fg_color(Some(AnsiColor::Yellow.into())),
        text,
    )
}

pub(super) fn dim(text: impl Display) -> String {
    paint(Style::new().dimmed(), text)
}

fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// A number of things, in words.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {one}s")
    }
}
