//! What carries a configuration to the gateway: an Envoy bootstrap, Istio's and Envoy Gateway's
//! manifests, or nothing but itself.

use std::path::{Path, PathBuf};

use super::surroundings::{self, Document, Subject};
use super::{Unreadable, file};

/// Files, and every configuration of this filter in them.
pub(super) struct Files {
    pub(super) documents: Vec<Document>,
    /// One at least.
    pub(super) subjects: Vec<Subject>,
}

/// Reads files, which together describe what they describe.
pub(super) fn read(paths: &[PathBuf]) -> Result<Files, Unreadable> {
    let mut documents = Vec::new();
    for path in paths {
        documents.extend(file::laid_out(path)?);
    }
    let subjects = surroundings::subjects(&documents);
    if subjects.is_empty() {
        let names: Vec<String> = paths
            .iter()
            .map(|path| format!("`{}`", path.display()))
            .collect();
        let (names, hold) = (
            names.join(", "),
            if paths.len() == 1 { "holds" } else { "hold" },
        );
        return Err(Unreadable(format!(
            "{names} {hold} no configuration of this filter"
        )));
    }
    Ok(Files {
        documents,
        subjects,
    })
}

/// The one configuration in a file, or the one that `FILE#2` picks of several.
pub(super) fn only(path: &Path) -> Result<String, Unreadable> {
    let (path, number) = numbered(path);
    let mut subjects = read(std::slice::from_ref(&path))?.subjects;
    let name = path.display();
    let count = subjects.len();
    let position = match (number, count) {
        (Some(number), _) => number.checked_sub(1).filter(|position| *position < count),
        (None, 1) => Some(0),
        (None, _) => None,
    };
    if let Some(position) = position {
        return Ok(subjects.swap_remove(position).text);
    }
    let known: Vec<String> = (1..)
        .zip(&subjects)
        .map(|(number, subject)| format!("`{name}#{number}` ({})", subject.found_at))
        .collect();
    Err(Unreadable(format!(
        "`{name}` holds {count} configurations: name the one that is meant, {}",
        known.join(" or ")
    )))
}

/// The file of a path that may have the number of a configuration behind it.
pub(super) fn file_of(path: &Path) -> PathBuf {
    numbered(path).0
}

/// A path without the number behind its `#`, unless a file is called so.
fn numbered(path: &Path) -> (PathBuf, Option<usize>) {
    let text = path.to_str().unwrap_or_default();
    let picked = text
        .rsplit_once('#')
        .and_then(|(file, number)| Some((file, number.parse().ok()?)));
    match picked {
        Some((file, number)) if !path.exists() => (PathBuf::from(file), Some(number)),
        _ => (path.to_owned(), None),
    }
}
