//! What was read, and whether it is all.

use super::super::super::super::records::Broken;
use super::super::super::sequence::{Beginning, Duplicate, Gap, SequenceReport};
use super::super::super::tally::{ConfigUse, Input, Report};
use super::super::Column::{Key, Number, Text};
use super::super::words::{count, first, last, moment, number};
use super::super::{Grid, Section};

pub(in super::super) fn input(report: &Report, most: usize) -> Section {
    let mut section = Section::new("records", "Records");
    let (input, outcomes) = (&report.input, &report.outcomes);
    section.say(format!(
        "{} allowed, {} let through unverified because their class of credentials is observed, {} refused, {} let through in shadow mode that enforcement refuses.",
        number(outcomes.allowed),
        number(outcomes.observed),
        number(outcomes.refused),
        number(outcomes.shadowed),
    ));
    say_input(&mut section, input);
    section.show(Grid::of(
        "Cannot be read",
        BROKEN,
        &input.first_broken,
        most,
        |broken: &Broken| {
            vec![
                format!("{}:{}", broken.file, broken.line),
                broken.why.clone(),
            ]
        },
    ));
    section.show(Grid::of(
        "Configurations that decided",
        CONFIGURATIONS,
        &report.configurations,
        most,
        |config: &ConfigUse| {
            vec![
                config.config.clone(),
                number(config.occurrences.records),
                first(&config.occurrences),
                last(&config.occurrences),
            ]
        },
    ));
    if report.names_left_out > 0 {
        section.note(format!(
            "There was no room for more names: {} stand as (others).",
            count(report.names_left_out, "occurrence")
        ));
    }
    section
}

/// What was read besides the records that are counted.
fn say_input(section: &mut Section, input: &Input) {
    if input.since.is_some() || input.until.is_some() {
        let since = input
            .since
            .map_or_else(|| "the beginning".to_owned(), |since| since.to_string());
        let until = input
            .until
            .map_or_else(|| "the end".to_owned(), |until| until.to_string());
        section.say(format!(
            "Counted from {since} to {until}; {} of other times are not.",
            count(input.outside, "record")
        ));
    }
    let lines = [
        (input.broken, "that cannot be read"),
        (
            input.other_lines,
            "without a record, as a gateway's log has them",
        ),
    ];
    for (lines, what) in lines.into_iter().filter(|(lines, _)| *lines > 0) {
        section.say(format!("{} {what}.", count(lines, "line")));
    }
    if input.drop_notices > 0 {
        section.say(format!(
            "{} of the module that the gateway's log drops records: for that time this report is not whole.",
            count(input.drop_notices, "warning")
        ));
    }
    if input.lost > 0 {
        section.say(format!(
            "{} never arrived at a collector, as the module says itself.",
            count(input.lost, "record")
        ));
    }
    if input.without_time > 0 {
        section.say(format!(
            "{} tell no time, and are counted whatever the time.",
            count(input.without_time, "record")
        ));
    }
}

pub(in super::super) fn sequence(sequence: &SequenceReport, input: &Input, most: usize) -> Section {
    let mut section = Section::new("missing", "Missing records");
    let workers = count(
        u64::try_from(sequence.workers).unwrap_or(u64::MAX),
        "worker",
    );
    let numbered = count(sequence.numbered, "numbered record");
    if sequence.missing > 0 {
        section.say(format!(
            "{} missing among {numbered} of {workers}: deleted, lost on the way, or in files that were not given.",
            are(sequence.missing)
        ));
    } else {
        section.say(format!(
            "No number is missing among {numbered} of {workers}."
        ));
    }
    if sequence.duplicates > 0 {
        section.say(format!(
            "{} a number that was there before, which is not counted again: a file given twice, a batch that a collector got twice, or a record that another program wrote.",
            have(sequence.duplicates)
        ));
    }
    for (number, what) in [
        (
            sequence.unnumbered,
            "have no number, from versions that wrote none: nothing tells whether others are missing",
        ),
        (
            sequence.unchecked,
            "were not checked: there was no room for so many workers or gaps",
        ),
    ] {
        if number > 0 {
            section.say(format!("{} {what}.", count(number, "record")));
        }
    }
    show_sequence(&mut section, sequence, most);
    section.note("A worker is one thread of a gateway under one configuration; a restart makes a new one. Nothing tells whether records are missing behind a worker's last one, or a whole worker.");
    if input.since.is_some() || input.until.is_some() {
        section.note("This section is about all records that were read, whatever the time.");
    }
    section
}

fn show_sequence(section: &mut Section, sequence: &SequenceReport, most: usize) {
    section.show(Grid::of("Gaps", GAPS, &sequence.gaps, most, |gap: &Gap| {
        vec![
            format!("{}\n{}", gap.worker, gap.config),
            numbers(gap),
            number(gap.records()),
            format!("{}\n{}", moment(gap.after), moment(gap.before)),
        ]
    }));
    section.show(Grid::of(
        "Duplicates",
        DUPLICATES,
        &sequence.first_duplicates,
        most,
        |twice: &Duplicate| {
            vec![
                format!("{}\n{}", twice.worker, twice.config),
                twice.sequence.to_string(),
                format!("{}:{}", twice.file, twice.line),
            ]
        },
    ));
    section.show(Grid::of(
        "Workers that do not begin with 1",
        BEGINNINGS,
        &sequence.late_beginnings,
        most,
        |late: &Beginning| {
            vec![
                format!("{}\n{}", late.worker, late.config),
                late.sequence.to_string(),
                moment(late.time),
            ]
        },
    ));
}

fn are(records: u64) -> String {
    let verb = if records == 1 { "is" } else { "are" };
    format!("{} {verb}", count(records, "record"))
}

fn have(records: u64) -> String {
    let verb = if records == 1 { "has" } else { "have" };
    format!("{} {verb}", count(records, "record"))
}

fn numbers(gap: &Gap) -> String {
    if gap.first == gap.last {
        gap.first.to_string()
    } else {
        format!("{} to {}", gap.first, gap.last)
    }
}

const BROKEN: &[super::super::Column] = &[Text("line"), Text("why")];
const CONFIGURATIONS: &[super::super::Column] = &[
    Text("configuration"),
    Number("records"),
    Key("first"),
    Key("last"),
];
const GAPS: &[super::super::Column] = &[
    Text("worker and configuration"),
    Text("missing numbers"),
    Number("records"),
    Key("between"),
];
const DUPLICATES: &[super::super::Column] = &[
    Text("worker and configuration"),
    Number("number"),
    Text("the second one"),
];
const BEGINNINGS: &[super::super::Column] = &[
    Text("worker and configuration"),
    Number("first number"),
    Key("time"),
];
