//! The operations that a path is, and the other spellings of names whose case does not matter.

use crate::databricks::{Catalogue, Lookup, Operation};
use crate::path::Path;
use crate::path::template::{self, Segment};

use super::pattern::Pattern;

/// The operations that a path is, by any method, and the path.
pub(super) fn found(path: &str) -> Vec<(&'static Operation, Path<'_>)> {
    let Ok(path) = Path::parse(path.as_bytes()) else {
        return Vec::new();
    };
    let mut found: Vec<(&'static Operation, Path<'_>)> = Vec::new();
    for method in METHODS {
        if let Lookup::Found(operation) = Catalogue::shared().operation(method, &path)
            && !found.iter().any(|(known, _)| known.name == operation.name)
        {
            found.push((operation, path));
        }
    }
    found
}

/// The methods by which a path is an operation.
pub(super) fn operating(path: &str) -> Vec<&'static str> {
    let Ok(path) = Path::parse(path.as_bytes()) else {
        return Vec::new();
    };
    let is_found = |method: &&str| {
        let found = Catalogue::shared().operation(method, &path);
        matches!(found, Lookup::Found(_))
    };
    METHODS.into_iter().filter(is_found).collect()
}

/// A path with the literals of rules in the other case, each and all together, where an operation
/// has names there whose case does not matter.
pub(super) fn other_cases(pattern: &Pattern, path: &str) -> Vec<String> {
    let is_caseless = |(operation, _): &(&'static Operation, _)| operation.ignores_case();
    let mut places: Vec<usize> = Vec::new();
    for (operation, _) in found(path).into_iter().filter(is_caseless) {
        let own: Vec<Segment<&str>> = template::segments(operation.template).collect();
        for (place, segment) in pattern.segments().iter().enumerate() {
            let is_free = !matches!(
                own.get(place).or(own.last()),
                Some(Segment::Literal(_)) | None
            );
            let has_text = matches!(segment, Segment::Literal(_) | Segment::Verb(_));
            if is_free && has_text && !places.contains(&place) {
                places.push(place);
            }
        }
    }
    let all = (1_u32..1_u32.checked_shl(MOST_CASES).unwrap_or(1)).filter(|set| {
        let highest = u32::BITS.saturating_sub(set.leading_zeros());
        usize::try_from(highest).is_ok_and(|highest| highest <= places.len())
    });
    all.map(|set| {
        let is_swapped = |place: usize| {
            let number = places.iter().position(|known| *known == place);
            let number = number.and_then(|number| u32::try_from(number).ok());
            number.is_some_and(|number| set.checked_shr(number).unwrap_or(0) & 1 == 1)
        };
        let segments = path.strip_prefix('/').unwrap_or(path).split('/');
        let mut swapped = String::new();
        for (place, segment) in segments.enumerate() {
            swapped.push('/');
            if is_swapped(place) {
                swapped.extend(segment.chars().map(other_case));
            } else {
                swapped.push_str(segment);
            }
        }
        swapped
    })
    .collect()
}

fn other_case(letter: char) -> char {
    if letter.is_ascii_lowercase() {
        letter.to_ascii_uppercase()
    } else {
        letter.to_ascii_lowercase()
    }
}

/// The methods of the catalogue's operations, and `HEAD`.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// Literals of one path whose case is tried out one by one.
const MOST_CASES: u32 = 3;
