//! All that a server might read in one request's path.
//!
//! Databricks serves an operation in several versions of its API, under several paths, with a
//! trailing slash and without, and Unity Catalog ignores the case of names. What restricts a
//! request restricts it under each of these readings.

use crate::databricks::{self, Catalogue, Lookup, Operation};
use crate::few::Few;
use crate::path::Path;
use crate::path::case;
use crate::path::template::{Segment, Template};
use crate::request::mcp::Call;
use crate::request::workspace;

/// A request, and how its path may be read.
#[derive(Clone, Copy)]
pub struct Readings<'r> {
    /// The call.
    pub call: Call<'r>,
    /// The path, as it was sent.
    pub path: Path<'r>,
    /// What the catalogue says of it.
    pub lookup: Lookup,
    catalogue: &'static Catalogue,
    any_version: bool,
}

impl<'r> Readings<'r> {
    /// Looks a request up in the catalogue.
    pub fn of(catalogue: &'static Catalogue, call: Call<'r>, path: Path<'r>) -> Self {
        let lookup = catalogue.operation(call.method, &path);
        Self::found(catalogue, call, path, lookup)
    }

    /// A request that was looked up before.
    pub(super) const fn found(
        catalogue: &'static Catalogue,
        call: Call<'r>,
        path: Path<'r>,
        lookup: Lookup,
    ) -> Self {
        Self {
            call,
            path,
            lookup,
            catalogue,
            any_version: false,
        }
    }

    /// The same request, read in every version of the API although the catalogue does not know it.
    #[must_use]
    pub const fn in_any_version(mut self) -> Self {
        self.any_version = true;
        self
    }

    /// The operation that the request is, where the catalogue knows it.
    pub const fn operation(&self) -> Option<&'static Operation> {
        match self.lookup {
            Lookup::Found(operation) => Some(operation),
            Lookup::Ambiguous | Lookup::Unknown => None,
        }
    }

    /// The operations whose versions, other paths and names a server may read in this path. Where
    /// the catalogue does not know the method, these are the ones of the path: a server may answer
    /// a `HEAD` as it does `GET`, or go by the path alone.
    pub(super) fn read_as(&self) -> Few<&'static Operation> {
        match self.lookup {
            Lookup::Found(operation) => Few::One(operation),
            Lookup::Unknown => self.catalogue.at(&self.path),
            Lookup::Ambiguous => Few::None,
        }
    }

    /// The paths beside the one sent under which the catalogue knows the operation, or by which
    /// others name the same workspace.
    pub fn other_paths(&self) -> Vec<String> {
        self.others().into_iter().map(|(path, _)| path).collect()
    }

    /// The same, each with how it comes to be read.
    pub(super) fn others(&self) -> Vec<(String, Origin)> {
        let read_as = self.read_as();
        let paths =
            |operation: &&'static Operation| self.catalogue.other_paths(operation, &self.path);
        let known = read_as.iter().flat_map(paths);
        let guess = workspace::other_spelling(&self.path);
        let mut others: Vec<(String, Origin)> = known
            .map(|path| (path, Origin::Other))
            .chain(guess.map(|path| (path, Origin::Guess)))
            .collect();
        others.sort_unstable();
        // Of one path what is known goes before what is guessed.
        others.dedup_by(|(path, _), (kept, _)| path == kept);
        others
    }

    /// The reading that a template takes, written as the template has it.
    pub fn under(&self, template: &Template) -> Option<String> {
        let written = |path: &Path<'_>| {
            Fit::of_other(template, path)?;
            let mut sent = path.segments();
            let mut text = String::new();
            for segment in template.segments() {
                let own = sent.next().unwrap_or_default();
                text.push('/');
                text.push_str(match segment {
                    Segment::Literal(literal) => literal,
                    Segment::Name | Segment::Rest | Segment::Verb(_) => own,
                });
            }
            for segment in sent.filter(|segment| !segment.is_empty()) {
                text.push('/');
                text.push_str(segment);
            }
            Some(text)
        };
        let of_text = |text: String| written(&Path::parse(text.as_bytes()).ok()?);
        written(&self.path).or_else(|| self.other_paths().into_iter().find_map(of_text))
    }

    /// Whether the case of the names in the path does not matter.
    #[inline]
    pub fn ignores_case(&self) -> bool {
        self.read_as()
            .iter()
            .any(|operation| operation.ignores_case())
    }

    /// Whether a server would answer the request as it answers `GET` (RFC 9110 §9.3.2): it is a
    /// `HEAD`, and the catalogue gives that no meaning of its own.
    pub(super) fn head_is_get(&self) -> bool {
        self.call.method == "HEAD" && self.lookup == Lookup::Unknown
    }

    /// Whether a template that fits so fits a reading of this request.
    pub fn allows(&self, fit: Fit) -> bool {
        let any_version = || self.any_version || !self.read_as().is_empty();
        (fit.same_version || any_version()) && (fit.same_case || self.ignores_case())
    }
}

/// How a path comes to be read in a request.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Origin {
    /// It is what was sent.
    Sent,
    /// The catalogue knows the operation under it.
    Other,
    /// It may be meant, and something else may: what it names the request leaves open.
    Guess,
}

/// How a template fits a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact, and no two go together"
)]
pub struct Fit {
    /// In the same upper and lower case.
    pub same_case: bool,
    /// Both have a trailing slash, or neither has.
    pub same_slash: bool,
    /// It names nothing that the path leaves open.
    pub same_names: bool,
    /// In the same version of the API.
    pub same_version: bool,
}

impl Fit {
    /// How a template fits a path as it was sent, whatever version of the API, case and trailing
    /// slash either has; `None` where it does not fit all the same.
    pub fn of(template: &Template, path: &Path<'_>) -> Option<Self> {
        Self::read(template, path, false)
    }

    /// The same of [another path](Readings::other_paths) of the operation. What that leaves open
    /// may be what the template says.
    pub(super) fn of_other(template: &Template, path: &Path<'_>) -> Option<Self> {
        Self::read(template, path, true)
    }

    fn read(template: &Template, path: &Path<'_>, is_open: bool) -> Option<Self> {
        let mut fit = Self {
            same_case: true,
            same_slash: true,
            same_names: true,
            same_version: true,
        };
        let (wanted, wants_slash) = match template.segments() {
            [wanted @ .., Segment::Literal(last)] if last.is_empty() => (wanted, true),
            wanted => (wanted, false),
        };
        let ends_in_slash = path.ends_in_slash();
        let mut sent = path.segments().filter(|segment| !segment.is_empty());
        let is_api_path = sent.clone().next() == Some("api");
        for (position, segment) in wanted.iter().enumerate() {
            let text = sent.next();
            match (segment, text) {
                (Segment::Rest, text) => {
                    fit.same_slash = text.is_some() || ends_in_slash;
                    return Some(fit);
                }
                (Segment::Name, Some(_)) => {}
                (Segment::Literal(_), Some(databricks::UNKNOWN)) if is_open => {
                    fit.same_names = false;
                }
                (Segment::Verb(verb), Some(text)) => fit.take_verb(verb, text)?,
                (Segment::Literal(literal), Some(text)) => {
                    let is_api = wanted.first().is_some_and(may_be_api);
                    let is_version = position == 1
                        && is_api
                        && is_api_path
                        && databricks::is_version(literal)
                        && databricks::is_version(text);
                    fit.take_literal(literal, text, is_version)?;
                }
                (_, None) => return None,
            }
        }
        fit.same_slash = wants_slash == ends_in_slash;
        sent.next().is_none().then_some(fit)
    }

    /// Whether the template takes the path as it is written.
    pub const fn is_as_written(self) -> bool {
        self.same_case && self.same_slash && self.same_version
    }

    fn take_literal(&mut self, literal: &str, text: &str, is_version: bool) -> Option<()> {
        if literal == text {
            return Some(());
        }
        if is_version {
            self.same_version = false;
            return Some(());
        }
        self.same_case = false;
        (case::folded(literal) == case::folded(text)).then_some(())
    }

    fn take_verb(&mut self, verb: &str, text: &str) -> Option<()> {
        let start = text
            .len()
            .checked_sub(verb.len())
            .filter(|&start| start > 0)?;
        self.take_literal(verb, text.get(start..)?, false)
    }
}

/// Whether a segment takes the first one of the paths that have a version for their second.
pub(super) fn may_be_api(segment: &Segment) -> bool {
    match segment {
        Segment::Literal(text) => &**text == "api",
        Segment::Name => true,
        Segment::Rest | Segment::Verb(_) => false,
    }
}

/// Whether a template may be for what a path of an operation names and another one leaves open, or
/// for the workspace that a path calls the host's own.
pub(super) fn may_be_left_open(template: &Template) -> bool {
    let names_workspace = |text: String| {
        let path = Path::parse(text.as_bytes());
        path.is_ok_and(|path| workspace::other_spelling(&path).is_some())
    };
    names_workspace(template.to_string())
        || Catalogue::shared().incomplete().iter().any(|path| {
            let path = Path::parse(path.as_bytes());
            path.is_ok_and(|path| Fit::of_other(template, &path).is_some())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_fits_every_reading_of_its_paths() {
        let as_written = (true, true, true);
        #[rustfmt::skip]
        let cases = [
            // name                    template                     path
            // case, slash, version
            ("as written",             "/a/{id}",                   "/a/b",                     Some(as_written)),
            ("a slash more",           "/a/{id}",                   "/a/b/",                    Some((true, false, true))),
            ("a slash less",           "/a/b/",                     "/a/b",                     Some((true, false, true))),
            ("both with a slash",      "/a/b/",                     "/a/b/",                    Some(as_written)),
            ("the rest",               "/a/{path=**}",              "/a/b/c/",                  Some(as_written)),
            ("the rest, empty",        "/a/{path=**}",              "/a/",                      Some(as_written)),
            ("no rest",                "/a/{path=**}",              "/a",                       Some((true, false, true))),
            ("the root",               "/",                         "/",                        Some(as_written)),
            ("all below the root",     "/{path=**}",                "/",                        Some(as_written)),
            ("no name",                "/a/{id}",                   "/a/",                      None),
            ("too long",               "/a",                        "/a/b",                     None),
            ("too short",              "/a/b",                      "/a",                       None),
            ("another case",           "/a/Secret/{id}",            "/a/sECRET/b",              Some((false, true, true))),
            ("a verb",                 "/a/{id}:go",                "/a/b:go",                  Some(as_written)),
            ("a verb, another case",   "/a/{id}:go",                "/a/b:GO/",                 Some((false, false, true))),
            ("a verb alone",           "/a/{id}:go",                "/a/:go",                   None),
            ("another version",        "/api/2.0/a",                "/api/2.1/a/",              Some((true, false, false))),
            ("no version",             "/api/2.0/a",                "/api/x/a",                 None),
            ("any version",            "/api/{version}/a",          "/api/2.1/a",               Some(as_written)),
            ("behind a name",          "/{x}/2.0/a",                "/api/2.1/a",               Some((true, true, false))),
            ("a version elsewhere",    "/sql/1.0/a",                "/sql/1.1/a",               None),
            ("under any name",         "/{x}/1.0/a",                "/sql/1.1/a",               None),
            ("the rest of a version",  "/api/2.0/{path=**}",        "/api/2.1/a",               Some((true, true, false))),
        ];
        for (name, template, path, want) in cases {
            let template = Template::parse(template).unwrap();
            let path = Path::parse(path.as_bytes()).unwrap();
            let fit = Fit::of(&template, &path);
            let found = fit.map(|fit| (fit.same_case, fit.same_slash, fit.same_version));
            assert_eq!(found, want, "{name}");
        }
    }
}
