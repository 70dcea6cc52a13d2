//! The path of a request target, in one reading only.
//!
//! Proxies, frameworks and servers disagree on what `/a/..;/b`, `/a%2fb` or `/a//b` name. A
//! decision about a path that two parsers read differently protects neither, so such a path is
//! refused here and never repaired: what was judged is what is forwarded. This module knows bytes
//! and segments (RFC 3986 §3.3); what a path stands for is [`template`]'s and [`index`]'s business,
//! and whether an escape that passes here is tolerable depends on what takes it
//! ([`index::Escapes`]).

pub mod index;
pub mod template;

pub(crate) mod case;
pub(crate) mod escape;

use std::fmt;

use crate::bytes::{self, is_one_of, is_within};

use escape::EscapeFault;

/// A path that has one reading.
///
/// Invariant: it starts with `/`; every byte is printable ASCII other than `#`, `;`, `?` and `\`;
/// no segment but the last is empty, so that a trailing slash is one more, empty, segment; no
/// segment is a dot segment; every escape is well-formed; and however often a server decodes it, no
/// segment becomes a dot segment, an empty one before a `;` or invalid UTF-8, nor gains a
/// separator, a control character or an unreserved character other than `~` that could have been
/// written plainly.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Path<'a> {
    text: &'a str,
    has_escapes: bool,
    /// Whether a slash is read behind the text.
    adds_slash: bool,
}

impl<'a> Path<'a> {
    /// The longest path that is looked at. Unity Catalog volumes allow about a thousand characters
    /// of path; each may take nine bytes.
    pub const MAX_LEN: usize = 12_288;

    /// Parses the part of `:path` before the first `?`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PathError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(PathError::TooLong(bytes.len()));
        }
        if bytes.first() != Some(&b'/') {
            return Err(PathError::NotAbsolute);
        }
        let plain = bytes::length_of_run(bytes, is_plain);
        if plain < bytes.len() {
            return Err(PathError::IllegalByte(plain));
        }
        let text =
            str::from_utf8(bytes).map_err(|error| PathError::IllegalByte(error.valid_up_to()))?;
        let path = Self {
            text,
            has_escapes: bytes.contains(&b'%'),
            adds_slash: false,
        };
        path.check_segments()?;
        Ok(path)
    }

    /// The path as it was sent, and as it is forwarded.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// The segments, as they were sent; a trailing slash yields an empty last one.
    pub fn segments(&self) -> Segments<'a> {
        Segments {
            sent: Some(self.text.strip_prefix('/').unwrap_or_default()),
            adds_slash: self.adds_slash,
        }
    }

    /// The path with a trailing slash where it has none, and without where it has one; `None` for
    /// `/`.
    #[must_use]
    pub(crate) fn with_other_slash(mut self) -> Option<Self> {
        match self.text.strip_suffix('/') {
            Some("") => return None,
            Some(text) => self.text = text,
            None => self.adds_slash = true,
        }
        Some(self)
    }

    /// Whether the path ends in a slash.
    pub(crate) fn ends_in_slash(&self) -> bool {
        self.adds_slash || self.text.ends_with('/')
    }

    /// Whether any segment holds a percent-escape.
    pub const fn has_escapes(&self) -> bool {
        self.has_escapes
    }

    fn check_segments(&self) -> Result<(), PathError> {
        // Nearly every path is cleared by what it does not hold anywhere.
        if !self.has_escapes
            && !bytes::has_pair(self.text.as_bytes(), |one, other| {
                (one == b'/') & is_one_of(other, b"/.")
            })
        {
            return Ok(());
        }
        let mut segments = self.segments().peekable();
        let mut offset = 1_usize;
        while let Some(segment) = segments.next() {
            if segment.is_empty() && segments.peek().is_some() {
                return Err(PathError::EmptySegment(offset));
            }
            if is_dot_segment(segment) {
                return Err(PathError::DotSegment(offset));
            }
            if segment.contains('%') {
                escape::check(segment).map_err(|fault| PathError::from_fault(fault, offset))?;
            }
            offset = offset.saturating_add(segment.len()).saturating_add(1);
        }
        Ok(())
    }
}

/// The segments of a path, in order.
#[derive(Clone)]
pub struct Segments<'a> {
    /// What is still to come of what was sent.
    sent: Option<&'a str>,
    /// Whether an empty segment follows.
    adds_slash: bool,
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let Some(sent) = self.sent else {
            return std::mem::take(&mut self.adds_slash).then_some("");
        };
        let slash = sent.bytes().position(|byte| byte == b'/');
        let (segment, rest) = match slash.and_then(|slash| sent.split_at_checked(slash)) {
            Some((segment, rest)) => (segment, rest.strip_prefix('/')),
            None => (sent, None),
        };
        self.sent = rest;
        Some(segment)
    }
}

/// Why bytes are not a path with one reading. A number is the offset of the byte, or of the segment
/// that holds the escape.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PathError {
    /// A `%` without two hexadecimal digits.
    BadEscape(usize),
    /// `.` or `..`, alone or before a `;`, plain or after decoding.
    DotSegment(usize),
    /// Two slashes in a row.
    EmptySegment(usize),
    /// An escape that hides a control character.
    EscapedControl(usize),
    /// An escape that hides `/` or `\`.
    EscapedSeparator(usize),
    /// An escape of a character that needs none (RFC 3986 §2.3): a second spelling of one path.
    EscapedUnreserved(usize),
    /// A byte outside 0x21–0x7E, or `#`, `;`, `?` or `\`.
    IllegalByte(usize),
    /// No leading slash.
    NotAbsolute,
    /// Escapes that decode to something else than UTF-8.
    NotUtf8(usize),
    /// Escapes of escapes, more than any client writes.
    TooDeep(usize),
    /// More than [`Path::MAX_LEN`] bytes, this many.
    TooLong(usize),
}

impl PathError {
    const fn from_fault(fault: EscapeFault, segment: usize) -> Self {
        match fault {
            EscapeFault::BadEscape => Self::BadEscape(segment),
            EscapeFault::Control => Self::EscapedControl(segment),
            EscapeFault::DotSegment => Self::DotSegment(segment),
            EscapeFault::EmptySegment => Self::EmptySegment(segment),
            EscapeFault::NotUtf8 => Self::NotUtf8(segment),
            EscapeFault::Separator => Self::EscapedSeparator(segment),
            EscapeFault::TooDeep => Self::TooDeep(segment),
            EscapeFault::Unreserved => Self::EscapedUnreserved(segment),
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadEscape(at) => write!(
                f,
                "a `%` without two hexadecimal digits in the segment at byte {at}"
            ),
            Self::DotSegment(at) => write!(f, "a dot segment at byte {at}"),
            Self::EmptySegment(at) => write!(f, "an empty segment at byte {at}"),
            Self::EscapedControl(at) => write!(
                f,
                "an escaped control character in the segment at byte {at}"
            ),
            Self::EscapedSeparator(at) => write!(
                f,
                "an escaped slash or backslash in the segment at byte {at}"
            ),
            Self::EscapedUnreserved(at) => write!(
                f,
                "an escape of a character that needs none in the segment at byte {at}"
            ),
            Self::IllegalByte(at) => {
                write!(f, "a character that no path holds plainly at byte {at}")
            }
            Self::NotAbsolute => f.write_str("no leading slash"),
            Self::NotUtf8(at) => {
                write!(f, "escapes that are not UTF-8 in the segment at byte {at}")
            }
            Self::TooDeep(at) => write!(
                f,
                "escapes of escapes of escapes in the segment at byte {at}"
            ),
            Self::TooLong(len) => write!(f, "{len} bytes, more than {}", Path::MAX_LEN),
        }
    }
}

/// What a path may hold outside an escape, and an escape's `%`: all printable ASCII but `#`, `;`,
/// `?` and `\`.
fn is_plain(byte: u8) -> bool {
    is_within(byte, b'!', b'~') & !is_one_of(byte, b"#;?\\")
}

/// `.` and `..`, also with path parameters behind: servers that drop `;…` first see a dot segment.
#[inline]
fn is_dot_segment(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or(segment);
    name == "." || name == ".."
}

#[cfg(test)]
mod tests;
