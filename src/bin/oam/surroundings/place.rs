//! Where something stands: in which document, and on which way down from its root.

use std::fmt;

/// One step down: into an object, or into a list.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::cli) enum Step {
    Item(usize),
    Key(String),
}

/// A place in one of the documents that were read.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::cli) struct Place {
    /// The document's position among all that were read.
    pub(in crate::cli) document: usize,
    steps: Vec<Step>,
    /// How many of the steps are not shown, as they lead to the configuration that the rest is in.
    hidden: usize,
}

impl Place {
    pub(in crate::cli) const fn root(document: usize) -> Self {
        Self {
            document,
            steps: Vec::new(),
            hidden: 0,
        }
    }

    pub(in crate::cli) fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.to_owned()))
    }

    pub(in crate::cli) fn item(&self, position: usize) -> Self {
        self.step(Step::Item(position))
    }

    /// This place as the root of a configuration: what is below is shown without the steps to it.
    pub(in crate::cli) fn as_root(&self) -> Self {
        Self {
            hidden: self.steps.len(),
            ..self.clone()
        }
    }

    /// The place below this one that a configuration calls `text`, as `issuers[1].jwks.uri`; this
    /// one where it is no such text.
    pub(in crate::cli) fn below(&self, text: &str) -> Self {
        let mut place = self.clone();
        for part in text.split('.').filter(|part| !part.is_empty()) {
            let mut pieces = part.split('[');
            place = place.key(pieces.next().unwrap_or_default());
            for piece in pieces {
                match piece.trim_end_matches(']').parse() {
                    Ok(position) => place = place.item(position),
                    Err(_) => return self.clone(),
                }
            }
        }
        place
    }

    pub(in crate::cli) fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn step(&self, step: Step) -> Self {
        let mut place = self.clone();
        place.steps.push(step);
        place
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().skip(self.hidden).enumerate() {
            match step {
                Step::Item(item) => write!(f, "[{item}]")?,
                Step::Key(key) if key.contains(['.', '[', '/']) => write!(f, "[{key:?}]")?,
                Step::Key(key) if position == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}
