//! What carries a configuration to the gateway: an Envoy bootstrap, Istio's and Envoy Gateway's manifests, or nothing but itself.

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

/// The one configuration in a file.
pub(super) fn only(path: &Path) -> Result<String, Unreadable> {
    let mut subjects = read(&[path.to_owned()])?.subjects;
    let name = path.display();
    match (subjects.pop(), subjects.is_empty()) {
        (Some(subject), true) => Ok(subject.text),
        _ => Err(Unreadable(format!(
            "`{name}` holds several configurations: put the one that is meant into a file of its own"
        ))),
    }
}
