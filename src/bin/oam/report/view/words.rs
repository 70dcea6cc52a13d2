//! Figures, times and lists as people read them.

use databricks_oam_filter::time::UnixTime;
use indicatif::HumanCount;

use super::super::counts::{Frequent, Occurrences, Outcomes};
use super::super::table::LeftOut;

/// A number with commas between its thousands.
pub(in super::super) fn number(number: u64) -> String {
    HumanCount(number).to_string()
}

/// So many of something.
pub(super) fn count(count: u64, one: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{} {one}s", number(count))
    }
}

/// `2026-11-23 12:00`.
pub(super) fn minute(moment: UnixTime) -> String {
    let text = moment.to_string().replace('T', " ");
    text.chars().take("2026-11-23 12:00".len()).collect()
}

/// A moment, where there is one.
pub(super) fn moment(moment: Option<UnixTime>) -> String {
    moment.map_or_else(|| "no time".to_owned(), |moment| moment.to_string())
}

/// The day of the first time.
pub(super) fn first(occurrences: &Occurrences) -> String {
    occurrences.first.map(day).unwrap_or_default()
}

/// The day of the last time.
pub(super) fn last(occurrences: &Occurrences) -> String {
    occurrences.last.map(day).unwrap_or_default()
}

fn day(moment: UnixTime) -> String {
    moment
        .to_string()
        .chars()
        .take("2026-11-23".len())
        .collect()
}

/// Texts with their numbers of records, each on a line.
pub(super) fn frequent(texts: &[Frequent]) -> String {
    let line = |text: &Frequent| format!("{} ({})", or_none(&text.text), number(text.records));
    texts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The outcomes that occur.
pub(super) fn outcomes(outcomes: &Outcomes) -> String {
    let all = [
        (outcomes.allowed, "allowed"),
        (outcomes.observed, "observed"),
        (outcomes.refused, "refused"),
        (outcomes.shadowed, "shadowed"),
    ];
    let shown = all.iter().filter(|(count, _)| *count > 0);
    let shown = shown.map(|(count, word)| format!("{} {word}", number(*count)));
    shown.collect::<Vec<_>>().join("\n")
}

/// A text, or that there is none.
pub(super) fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

/// The same.
pub(super) fn named(text: Option<&String>) -> String {
    text.map_or("none", |text| or_none(text)).to_owned()
}

/// That a table was full, if it was.
pub(super) fn left_out(left_out: &LeftOut) -> Option<String> {
    (left_out.rows > 0).then(|| {
        format!(
            "The table was full: {} with the fewest records were left out, with {} among them. Sums by caller are too low by as much.",
            count(left_out.rows, "row"),
            count(left_out.records, "record"),
        )
    })
}
