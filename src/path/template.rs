//! Path templates: a path in which some segments stand for any text.
//!
//! `{id}` is one segment, `{name}:verb` one segment with a suffix, `{path=**}` the rest, which is
//! one segment at least; everything else is literal text, matched byte for byte. What a template
//! stands for, and which of several wins, is [`index`](super::index)'s business.

use std::cmp::Ordering;
use std::fmt;

/// A path template, e.g. `/api/2.0/clusters/{id}`.
///
/// Invariant: it starts with a slash; its literals hold only bytes that a [`Path`](super::Path)
/// holds unescaped; `{path=**}` is last.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Template {
    text: Box<str>,
    segments: Vec<Segment>,
}

/// One segment of a template.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Segment<S = Box<str>> {
    /// This text; empty only at the end, where it is a trailing slash.
    Literal(S),
    /// `{id}`: any one segment that is not empty.
    Name,
    /// `{path=**}`: one or more segments.
    Rest,
    /// `{name}:verb`: one segment that ends in this suffix (its colon included) and holds something
    /// before it.
    Verb(S),
}

impl<S> Segment<S> {
    const fn rank(&self) -> u8 {
        match self {
            Self::Literal(_) => 0,
            Self::Verb(_) => 1,
            Self::Name => 2,
            Self::Rest => 3,
        }
    }
}

impl Segment {
    /// The segment, its text borrowed.
    pub(crate) fn as_ref(&self) -> Segment<&str> {
        match self {
            Self::Literal(text) => Segment::Literal(text),
            Self::Name => Segment::Name,
            Self::Rest => Segment::Rest,
            Self::Verb(suffix) => Segment::Verb(suffix),
        }
    }
}

/// Which of two templates is the more specific one, `Less` coming first: at the first segment that
/// differs a literal before a verb, that before a name, and the rest last. `None` where they fit
/// different paths.
pub(crate) fn specificity<'s>(
    one: impl Iterator<Item = Segment<&'s str>>,
    other: impl Iterator<Item = Segment<&'s str>>,
    ignores_case: bool,
) -> Option<Ordering> {
    let mut others = other;
    for segment in one {
        let other = others.next()?;
        let ((Segment::Literal(text), Segment::Literal(known))
        | (Segment::Verb(text), Segment::Verb(known))) = (segment, other)
        else {
            let order = segment.rank().cmp(&other.rank());
            if order.is_ne() {
                return Some(order);
            }
            continue;
        };
        if text != known && !(ignores_case && text.eq_ignore_ascii_case(known)) {
            return None;
        }
    }
    others.next().is_none().then_some(Ordering::Equal)
}

/// The segments of a text that is known to be a template.
pub(crate) fn segments(template: &str) -> impl Iterator<Item = Segment<&str>> {
    let path = template.strip_prefix('/').unwrap_or(template);
    path.split('/').map(|text| match text.split_once('}') {
        Some((name, "")) if name.ends_with("=**") => Segment::Rest,
        Some((_, "")) => Segment::Name,
        Some((_, suffix)) => Segment::Verb(suffix),
        None => Segment::Literal(text),
    })
}

impl Template {
    /// The longest template.
    pub const MAX_LEN: usize = 2048;

    /// The most segments of a template, which also bounds how deep a walk goes.
    pub const MAX_SEGMENTS: usize = 64;

    /// Parses a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > Self::MAX_LEN {
            return Err(TemplateError::TooLong(text.len()));
        }
        let Some(path) = text.strip_prefix('/') else {
            return Err(TemplateError::NotAbsolute);
        };
        let mut segments = Vec::new();
        let mut offset = 1_usize;
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            segments.push(parse_segment(part, offset, is_last)?);
            offset = offset.saturating_add(part.len()).saturating_add(1);
        }
        if segments.len() > Self::MAX_SEGMENTS {
            return Err(TemplateError::TooManySegments(segments.len()));
        }
        Ok(Self {
            text: text.into(),
            segments,
        })
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The segments, in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a text is not a template. `at` is an offset in bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TemplateError {
    /// A name in braces that is not one.
    BadName {
        /// Where the braces open.
        at: usize,
        /// What stands between them.
        name: Box<str>,
    },
    /// Something other than `:verb` behind the closing brace.
    BadSuffix {
        /// Where the braces open.
        at: usize,
        /// What stands behind them.
        suffix: Box<str>,
    },
    /// `.` or `..`, here.
    DotSegment(usize),
    /// An empty segment that is not the last, here.
    EmptySegment(usize),
    /// A percent-escape, here.
    Escape(usize),
    /// A character that no path holds plainly.
    IllegalCharacter {
        /// Where.
        at: usize,
        /// Which.
        character: char,
    },
    /// No leading slash.
    NotAbsolute,
    /// A query or fragment, here.
    Query(usize),
    /// `{path=**}` that is not the last segment, here.
    RestNotLast(usize),
    /// A star outside `{path=**}`, here.
    Star(usize),
    /// A brace that does not begin or end a whole segment's name, here.
    StrayBrace(usize),
    /// More than [`Template::MAX_LEN`] bytes, this many.
    TooLong(usize),
    /// More than [`Template::MAX_SEGMENTS`] segments, this many.
    TooManySegments(usize),
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName { at, name } => write!(
                f,
                "`{name}` at byte {at} is no name: write letters, digits, `_`, `-` or `.`, as in `{{job_id}}`, or `{{path=**}}`"
            ),
            Self::BadSuffix { at, suffix } => write!(
                f,
                "`{suffix}` behind the name at byte {at}: only one `:verb` may follow a name, as in `{{name}}:query`"
            ),
            Self::DotSegment(at) => write!(
                f,
                "a dot segment at byte {at}, which no request can hold: write the path it leads to"
            ),
            Self::EmptySegment(at) => write!(
                f,
                "an empty segment at byte {at}, which no request can hold: write one slash"
            ),
            Self::Escape(at) => write!(
                f,
                "a percent-escape at byte {at}: literals match unescaped text only, take the segment with `{{path=**}}`"
            ),
            Self::IllegalCharacter { at, character } => write!(
                f,
                "`{}` at byte {at}, which no request holds unescaped: take the segment with `{{path=**}}`",
                character.escape_default()
            ),
            Self::NotAbsolute => f.write_str("no leading slash: a path starts with `/`"),
            Self::Query(at) => write!(f, "a query or fragment at byte {at}: write the path alone"),
            Self::RestNotLast(at) => write!(
                f,
                "`{{…=**}}` at byte {at} is not the last segment: write `{{name}}` for one segment"
            ),
            Self::Star(at) => write!(
                f,
                "`*` at byte {at}: write `{{path=**}}` as the last segment for the rest of the path, `{{name}}` for one segment"
            ),
            Self::StrayBrace(at) => write!(
                f,
                "a brace at byte {at}: a name takes a whole segment, as in `/jobs/{{id}}`"
            ),
            Self::TooLong(len) => write!(f, "{len} bytes, more than {}", Template::MAX_LEN),
            Self::TooManySegments(count) => {
                write!(f, "{count} segments, more than {}", Template::MAX_SEGMENTS)
            }
        }
    }
}

fn parse_segment(part: &str, at: usize, is_last: bool) -> Result<Segment, TemplateError> {
    let Some(braced) = part.strip_prefix('{') else {
        return parse_literal(part, at, is_last);
    };
    let Some((name, suffix)) = braced.split_once('}') else {
        return Err(TemplateError::StrayBrace(at));
    };
    let (name, is_rest) = match name.split_once('=') {
        None => (name, false),
        Some((name, "**")) => (name, true),
        Some((_, _)) => return Err(TemplateError::Star(at)),
    };
    if name == "*" || name == "**" {
        return Err(TemplateError::Star(at));
    }
    if name.is_empty() || !name.bytes().all(is_name_byte) {
        return Err(TemplateError::BadName {
            at,
            name: name.into(),
        });
    }
    match (is_rest, suffix) {
        (false, "") => Ok(Segment::Name),
        (false, suffix) if is_verb(suffix) => Ok(Segment::Verb(suffix.into())),
        (true, "") if is_last => Ok(Segment::Rest),
        (true, "") => Err(TemplateError::RestNotLast(at)),
        (_, suffix) => Err(TemplateError::BadSuffix {
            at,
            suffix: suffix.into(),
        }),
    }
}

fn parse_literal(part: &str, at: usize, is_last: bool) -> Result<Segment, TemplateError> {
    if part.is_empty() && !is_last {
        return Err(TemplateError::EmptySegment(at));
    }
    if part == "." || part == ".." {
        return Err(TemplateError::DotSegment(at));
    }
    for (index, character) in part.char_indices() {
        let at = at.saturating_add(index);
        match character {
            '%' => return Err(TemplateError::Escape(at)),
            '*' => return Err(TemplateError::Star(at)),
            '{' | '}' => return Err(TemplateError::StrayBrace(at)),
            '?' | '#' => return Err(TemplateError::Query(at)),
            character if !u8::try_from(character).is_ok_and(super::is_plain) => {
                return Err(TemplateError::IllegalCharacter { at, character });
            }
            _ => {}
        }
    }
    Ok(Segment::Literal(part.into()))
}

/// One colon alone, so that a segment can end in one suffix at most, and finding it needs no
/// search.
fn is_verb(suffix: &str) -> bool {
    suffix.strip_prefix(':').is_some_and(|verb| {
        !verb.is_empty()
            && verb
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

#[cfg(test)]
mod tests;
