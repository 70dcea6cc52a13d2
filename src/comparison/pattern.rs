//! Paths of one shape, and what two shapes have in common.
//!
//! A pattern is a template whatever version of the API and trailing slash it has: those are read
//! alike, and [`samples`](super::samples) writes each of them.

use crate::databricks;
use crate::path::template::Segment;

/// A shape of paths.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Pattern(Vec<Segment>);

/// Texts for the names in a path, which no template has.
pub(super) struct FreshNames {
    before: String,
}

/// How one path of a pattern is written.
#[derive(Clone, Copy)]
pub(super) struct Spelling<'v> {
    /// What stands where paths of the API have their version, unless a literal does.
    pub(super) version: Option<&'v str>,
    /// How many segments stand for the rest.
    pub(super) tail: usize,
    pub(super) slash: bool,
}

impl Pattern {
    /// The pattern of a template.
    pub(super) fn of<'s>(segments: impl Iterator<Item = Segment<&'s str>>) -> Self {
        let mut segments: Vec<Segment> = segments.map(owned).collect();
        if matches!(segments.last(), Some(Segment::Literal(text)) if text.is_empty()) {
            segments.pop();
        }
        let is_api = segments.first().is_some_and(may_be_api);
        if let Some(second) = segments.get_mut(1)
            && is_api
            && matches!(second, Segment::Literal(text) if databricks::is_version(text))
        {
            *second = Segment::Name;
        }
        Self(segments)
    }

    /// The pattern of a path that was written for another one.
    pub(super) fn read(path: &str, names: &FreshNames) -> Self {
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        Self::of(path.split('/').map(|text| names.read(text)))
    }

    /// The segments.
    pub(super) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The pattern of the paths that are of both; literals are spelled as in this one.
    pub(super) fn meet(&self, other: &Self) -> Option<Self> {
        let mut met = Vec::with_capacity(self.0.len().max(other.0.len()));
        let (mut ours, mut theirs) = (self.0.iter(), other.0.iter());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None | Some(Segment::Rest)) | (Some(Segment::Rest), None) => break,
                (Some(Segment::Rest), Some(segment)) => {
                    met.push(segment.clone());
                    met.extend(theirs.cloned());
                    break;
                }
                (Some(segment), Some(Segment::Rest)) => {
                    met.push(segment.clone());
                    met.extend(ours.cloned());
                    break;
                }
                (Some(one), Some(other)) => met.push(common(one, other)?),
                (Some(_), None) | (None, Some(_)) => return None,
            }
        }
        Some(Self(met))
    }

    /// The pattern without the rest at its end, which may be empty.
    pub(super) fn without_rest(&self) -> Option<Self> {
        let (last, before) = self.0.split_last()?;
        (*last == Segment::Rest).then(|| Self(before.to_vec()))
    }

    /// One path.
    pub(super) fn path(&self, names: &FreshNames, spelling: Spelling<'_>) -> String {
        let mut path = String::new();
        let has_version = self.0.first().is_some_and(may_be_api);
        let version = spelling.version.filter(|_| has_version);
        for (place, segment) in self.0.iter().enumerate() {
            if *segment == Segment::Rest {
                for number in 0..spelling.tail {
                    path.push('/');
                    path.push_str(&names.name(if number == 0 { REST } else { number }));
                }
                continue;
            }
            path.push('/');
            match (segment, version) {
                (Segment::Name, Some(version)) if place == 1 => path.push_str(version),
                (Segment::Literal(text), _) => path.push_str(text),
                (Segment::Verb(verb), _) => {
                    path.push_str(&names.name(place.saturating_add(1)));
                    path.push_str(verb);
                }
                (Segment::Name | Segment::Rest, _) => {
                    path.push_str(&names.name(place.saturating_add(1)));
                }
            }
        }
        if spelling.slash || path.is_empty() {
            path.push('/');
        }
        path
    }
}

/// Whether a version may stand behind a first segment.
fn may_be_api(segment: &Segment) -> bool {
    match segment {
        Segment::Literal(text) => &**text == "api",
        Segment::Name => true,
        Segment::Rest | Segment::Verb(_) => false,
    }
}

/// What two segments have in common.
fn common(one: &Segment, other: &Segment) -> Option<Segment> {
    let ends_in = |text: &str, verb: &str| {
        let start = text.len().checked_sub(verb.len());
        let start = start.filter(|start| *start > 0);
        let end = start.and_then(|start| text.get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(verb))
    };
    let is_common = match (one, other) {
        (Segment::Name, _) => return Some(other.clone()),
        (_, Segment::Name) => true,
        (Segment::Literal(one), Segment::Literal(other))
        | (Segment::Verb(one), Segment::Verb(other)) => one.eq_ignore_ascii_case(other),
        (Segment::Literal(text), Segment::Verb(verb)) => ends_in(text, verb),
        (Segment::Verb(verb), Segment::Literal(text)) => {
            return ends_in(text, verb).then(|| other.clone());
        }
        (Segment::Rest, _) | (_, Segment::Rest) => false,
    };
    is_common.then(|| one.clone())
}

impl FreshNames {
    /// Names that are none of these literals.
    pub(super) fn apart_from(literals: &[&str]) -> Self {
        let mut before = String::new();
        let is_ours = |before: &str, text: &str| {
            let rest = text.strip_prefix(before);
            rest.is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        while literals.iter().any(|text| is_ours(&before, text)) {
            before.push('x');
        }
        Self { before }
    }

    fn name(&self, number: usize) -> String {
        format!("{}{number}", self.before)
    }

    /// The segment that a text was written for.
    fn read<'s>(&self, text: &'s str) -> Segment<&'s str> {
        let (name, verb) = text.split_at(text.find(':').unwrap_or(text.len()));
        let number = name.strip_prefix(self.before.as_str());
        let is_name = number.is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        match (is_name || name == UNKNOWN, verb) {
            (true, "") => {
                if self.name(REST) == *name {
                    Segment::Rest
                } else {
                    Segment::Name
                }
            }
            (true, verb) => Segment::Verb(verb),
            (false, _) => Segment::Literal(text),
        }
    }
}

fn owned(segment: Segment<&str>) -> Segment {
    match segment {
        Segment::Literal(text) => Segment::Literal(text.into()),
        Segment::Name => Segment::Name,
        Segment::Rest => Segment::Rest,
        Segment::Verb(text) => Segment::Verb(text.into()),
    }
}

/// The number of the first name in a rest.
const REST: usize = 0;

/// What stands for a name that another path of an operation does not hold.
const UNKNOWN: &str = "{}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::template;

    fn pattern(text: &str) -> Pattern {
        Pattern::of(template::segments(text))
    }

    #[test]
    fn what_two_patterns_have_in_common_is_a_pattern() {
        #[rustfmt::skip]
        let cases = [
            // name                   one                     other                want
            ("the same",              "/a/b",                 "/a/b",              Some("/a/b")),
            ("a name",                "/a/{id}",              "/{x}/b",            Some("/a/b")),
            ("another literal",       "/a/b",                 "/a/c",              None),
            ("another length",        "/a/{id}",              "/a/b/c",            None),
            ("the rest",              "/a/{path=**}",         "/{x}/b/c",          Some("/a/b/c")),
            ("no rest",               "/a/{path=**}",         "/a",                Some("/a")),
            ("a verb",                "/a/{id}:go",           "/a/{path=**}",      Some("/a/{id}:go")),
            ("a literal with a verb", "/a/b:go",              "/a/{id}:go",        Some("/a/b:go")),
            ("a verb alone",          "/a/:go",               "/a/{id}:go",        None),
            ("versions",              "/api/2.0/a",           "/api/2.1/{path=**}", Some("/api/{v}/a")),
            ("case",                  "/a/Secret/{id}",       "/a/SECRET/b",       Some("/a/Secret/b")),
            ("a slash",               "/a/b/",                "/a/b",              Some("/a/b")),
        ];
        for (name, one, other, want) in cases {
            let met = pattern(one).meet(&pattern(other));
            assert_eq!(met, want.map(pattern), "{name}");
        }
    }

    #[test]
    fn paths_are_read_back_as_the_patterns_that_they_were_written_for() {
        let names = FreshNames::apart_from(&["5", "x7"]);
        for text in [
            "/a/{id}/c",
            "/a/{id}:go",
            "/a/b/{path=**}",
            "/api/{v}/a",
            "/",
        ] {
            let spelling = Spelling {
                version: Some("2.0"),
                tail: 1,
                slash: false,
            };
            let path = pattern(text).path(&names, spelling);
            assert_eq!(
                Pattern::read(&path, &names),
                pattern(text),
                "{text}: {path}"
            );
        }
    }
}
