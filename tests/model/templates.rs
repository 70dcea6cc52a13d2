//! Which templates take which paths, and which of two is the more specific.

use std::cmp::Ordering;

pub(super) fn folded(text: &str, ignores_case: bool) -> String {
    if ignores_case {
        text.to_ascii_lowercase()
    } else {
        text.to_owned()
    }
}

/// Which of two templates is the more specific; `None` where they fit different paths.
pub(super) fn compare(one: &str, other: &str, ignores_case: bool) -> Option<Ordering> {
    let folded = |text: &str| folded(text, ignores_case);
    let (one, other) = (ranks(&folded(one)), ranks(&folded(other)));
    let kind = |rank: &str| rank.chars().next();
    match one.iter().zip(&other).find(|(one, other)| one != other) {
        Some((one, other)) if kind(one) == kind(other) => None,
        Some((one, other)) => Some(kind(one).cmp(&kind(other))),
        None => (one.len() == other.len()).then_some(Ordering::Equal),
    }
}

/// The template with the version of the path, where both have one.
pub(super) fn same_version(template: &str, path: &str) -> String {
    match (version(template), version(path)) {
        (Some(old), Some(new)) => template.replacen(old, new, 1),
        _ => template.to_owned(),
    }
}

/// The version of the API that a path names.
pub(super) fn version(text: &str) -> Option<&str> {
    let word = text.strip_prefix("/api/")?.split('/').next()?;
    let is_digit = |byte: u8| byte == b'.' || byte.is_ascii_digit();
    (word.contains('.') && word.bytes().all(is_digit)).then_some(word)
}

/// "`{id}` is one segment, `{name}:verb` a segment with a suffix, `{path=**}` the rest."
pub(super) fn takes(template: &str, path: &str) -> bool {
    let mut segments = path.split('/').skip(1).peekable();
    for part in template.split('/').skip(1) {
        if part.ends_with("=**}") {
            return segments.peek().is_some();
        }
        let Some(segment) = segments.next() else {
            return false;
        };
        let fits = match part.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((_, suffix)) => segment.len() > suffix.len() && segment.ends_with(suffix),
            None => segment == part,
        };
        if !fits {
            return false;
        }
    }
    segments.next().is_none()
}

/// The same of a path that may leave names open: each may be what the template says.
pub(super) fn takes_open(template: &str, path: &str) -> bool {
    let parts: Vec<&str> = template.split('/').collect();
    let segments = path.split('/').enumerate();
    let filled = segments.map(|(place, segment)| match parts.get(place) {
        Some(part) if segment == "{}" && !part.contains('{') => part,
        _ => segment,
    });
    takes(template, &filled.collect::<Vec<_>>().join("/"))
}

/// How specific a template is, segment by segment: a literal before a name with a verb, that before
/// a name, and the rest last. Names do not matter, texts do.
pub(super) fn ranks(template: &str) -> Vec<String> {
    let rank = |part: &str| match part.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        _ if part.ends_with("=**}") => "4".to_owned(),
        Some((_, "")) => "3".to_owned(),
        Some((_, verb)) => format!("2{verb}"),
        None => format!("1{part}"),
    };
    template.split('/').skip(1).map(rank).collect()
}
