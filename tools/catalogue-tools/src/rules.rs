//! What is decided by hand: the tables in `rules/`, each of which says at its head what it decides.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use wildmatch::WildMatch;

/// The tables. A line that decides nothing is an error in the making: the tables remember which
/// lines were used.
pub struct Rules {
    areas: Vec<AreaRule>,
    access: BTreeMap<&'static str, &'static str>,
    marks: Vec<(WildMatch, &'static str)>,
    harmless: Vec<(WildMatch, &'static str)>,
    names: Vec<(WildMatch, &'static str, Vec<String>)>,
    used: RefCell<BTreeSet<String>>,
}

/// An area, and the beginning of a path that belongs to it.
pub struct AreaRule {
    beginning: &'static str,
    /// The area's name.
    pub area: &'static str,
    /// Whether Databricks documents a scope of this name for the path.
    pub is_documented: bool,
}

impl Rules {
    /// The tables as they are kept.
    pub fn new() -> Self {
        let globs = |table: &'static str| {
            let pair = |line: &'static str| {
                let (glob, value) = line.split_once('\t')?;
                Some((WildMatch::new(glob), value))
            };
            lines(table).filter_map(pair).collect::<Vec<_>>()
        };
        Self {
            areas: lines(include_str!("../rules/areas.tsv"))
                .filter_map(AreaRule::parse)
                .collect(),
            access: lines(include_str!("../rules/access.tsv"))
                .filter_map(|line| line.split_once('\t'))
                .collect(),
            marks: globs(include_str!("../rules/marks.tsv")),
            harmless: globs(include_str!("../rules/harmless.tsv")),
            names: lines(include_str!("../rules/names.tsv"))
                .filter_map(name_rule)
                .collect(),
            used: RefCell::default(),
        }
    }

    /// The operations that the newest packages do not list, one a line: name, method, template,
    /// area, access, level, marks.
    pub fn by_hand() -> impl Iterator<Item = &'static str> {
        lines(include_str!("../rules/operations.tsv"))
            .chain(lines(include_str!("../rules/former.tsv")))
    }

    /// The area of a path from which the version was taken: the longest beginning wins.
    pub fn area(&self, path: &str) -> Option<&AreaRule> {
        let rule = self
            .areas
            .iter()
            .filter(|rule| begins_with(path, rule.beginning))
            .max_by_key(|rule| rule.beginning.len())?;
        self.mark_used("areas", rule.beginning);
        Some(rule)
    }

    /// `read` or `write`, where the method does not tell.
    pub fn access(&self, operation: &str) -> Option<&'static str> {
        let access = self.access.get(operation)?;
        self.mark_used("access", operation);
        Some(access)
    }

    /// Whether a member of an answer, as in `RunTask.run_page_url`, is neither a credential nor a
    /// link that works by itself.
    pub fn is_harmless(&self, member: &str) -> bool {
        let rule = self.harmless.iter().find(|(glob, _)| glob.matches(member));
        if let Some((glob, _)) = rule {
            self.mark_used("harmless", &glob.to_string());
        }
        rule.is_some()
    }

    /// The marks of an operation, in alphabetical order.
    pub fn marks(&self, operation: &str) -> BTreeSet<&'static str> {
        let matching = self
            .marks
            .iter()
            .filter(|(glob, _)| glob.matches(operation));
        matching
            .map(|(glob, mark)| {
                self.mark_used("marks", &glob.to_string());
                *mark
            })
            .collect()
    }

    /// The forms of a call's parameter.
    pub fn forms(&self, source: &str, parameter: &str) -> Option<&[String]> {
        let fits =
            |rule: &&(WildMatch, &str, Vec<String>)| rule.0.matches(source) && rule.1 == parameter;
        let (glob, _, forms) = self.names.iter().find(fits)?;
        self.mark_used("names", &format!("{glob} {parameter}"));
        Some(forms)
    }

    /// The lines that nothing has asked for, so that a table does not outlive what it speaks of.
    pub fn unused(&self) -> Vec<String> {
        let areas = self
            .areas
            .iter()
            .map(|rule| format!("areas: {}", rule.beginning));
        let access = self
            .access
            .keys()
            .map(|operation| format!("access: {operation}"));
        let harmless = self
            .harmless
            .iter()
            .map(|(glob, _)| format!("harmless: {glob}"));
        let marks = self.marks.iter().map(|(glob, _)| format!("marks: {glob}"));
        let names = self
            .names
            .iter()
            .map(|(glob, parameter, _)| format!("names: {glob} {parameter}"));
        let used = self.used.borrow();
        let all = areas
            .chain(access)
            .chain(marks)
            .chain(harmless)
            .chain(names);
        all.filter(|line| !used.contains(line)).collect()
    }

    /// Every area, and whether it is documented.
    pub fn areas(&self) -> impl Iterator<Item = (&'static str, bool)> {
        self.areas
            .iter()
            .map(|rule| (rule.area, rule.is_documented))
    }

    fn mark_used(&self, table: &str, line: &str) {
        self.used.borrow_mut().insert(format!("{table}: {line}"));
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new()
    }
}

impl AreaRule {
    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        Some(Self {
            beginning: fields.next()?,
            area: fields.next()?,
            is_documented: fields.next()? == "documented",
        })
    }
}

fn name_rule(line: &'static str) -> Option<(WildMatch, &'static str, Vec<String>)> {
    let mut fields = line.split('\t');
    let glob = WildMatch::new(fields.next()?);
    let parameter = fields.next()?;
    let forms = fields.next()?.split(',').map(str::to_owned).collect();
    Some((glob, parameter, forms))
}

/// Whether a path begins with these segments, of which `{}` is any name and the last may be
/// followed by a verb.
fn begins_with(path: &str, beginning: &str) -> bool {
    let mut segments = path.split('/');
    beginning.split('/').all(|wanted| {
        let Some(segment) = segments.next() else {
            return false;
        };
        if wanted == "{}" {
            segment.starts_with('{')
        } else {
            segment.split(':').next() == Some(wanted)
        }
    })
}

/// The lines of a table that are no comments.
fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
}
