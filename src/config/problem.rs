//! What is wrong with a configuration: where, what, and what to do.

use std::fmt;

/// A place in the configuration, as `issuers[1].jwks.uri`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place(String);

impl Place {
    pub(super) fn at(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn key(&self, key: &str) -> Self {
        Self(format!("{}.{key}", self.0))
    }

    pub(super) fn item(&self, position: usize) -> Self {
        Self(format!("{}[{position}]", self.0))
    }

    /// Whether this is `other`, or lies in it.
    fn is_within(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(&*other.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }

    fn is_item(&self) -> bool {
        self.0.ends_with(']')
    }

    /// The object that a key belongs to.
    fn object(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(object, _)| object)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Problems found so far.
#[derive(Default)]
pub(super) struct Problems {
    noted: Vec<String>,
    /// Where something stands in for what could not be read.
    mended: Vec<Place>,
}

impl Problems {
    /// Notes a problem at a place. What a stand-in leads to there is none.
    pub(super) fn add(&mut self, place: &Place, text: impl fmt::Display) {
        self.note(place, &text);
    }

    /// Once for all kinds of text, of which there are twenty.
    fn note(&mut self, place: &Place, text: &dyn fmt::Display) {
        if !self.mended.iter().any(|mended| place.is_within(mended)) {
            self.noted.push(format!("{place}: {text}"));
        }
    }

    /// Notes that something is not there. Beside or below it may be a key that could not be read,
    /// and was meant for it.
    pub(super) fn absent(&mut self, place: &Place, text: impl fmt::Display) {
        let object = if place.is_item() {
            &place.0
        } else {
            place.object()
        };
        let doubtful = |mended: &Place| {
            !mended.is_item() && (mended.object() == object || mended.object() == place.0)
        };
        if !self.mended.iter().any(doubtful) {
            self.add(place, text);
        }
    }

    /// Notes what does not fit the shape of a configuration at `fault`, for which `place` answers:
    /// maybe all of it. Neither a stand-in that does not fit nor what one lacks is a problem.
    pub(super) fn shape(&mut self, place: &Place, fault: &Place, text: &str) {
        if self.mended.iter().any(|mended| fault.is_within(mended)) {
            return;
        }
        self.noted.push(match place.0.as_str() {
            "" => text.to_owned(),
            place => format!("{place}: {text}"),
        });
    }

    /// Says that something stands in for what could not be read here, and for which time.
    pub(super) fn mended(&mut self, place: &Place) -> usize {
        let before = self.mended.iter().filter(|mended| *mended == place).count();
        self.mended.push(place.clone());
        before
    }

    /// The value, or a note that `text` at this place was not one.
    pub(super) fn take<T, E: fmt::Display>(
        &mut self,
        place: &Place,
        text: &str,
        result: Result<T, E>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.quote(place, &error, text);
                None
            }
        }
    }

    fn quote(&mut self, place: &Place, error: &dyn fmt::Display, text: &str) {
        self.note(place, &format_args!("{error}: `{}`", shorten(text)));
    }

    pub(super) fn into_error(self) -> Option<ConfigError> {
        (!self.noted.is_empty()).then_some(ConfigError(self.noted))
    }
}

/// Why a configuration is refused: one line for each problem.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    pub(super) fn not_json(error: &str) -> Self {
        Self(vec![format!("the configuration is not JSON: {error}")])
    }

    pub(super) fn repeats(error: crate::token::json::JsonError) -> Self {
        Self(vec![format!("the configuration: {error}")])
    }

    /// Never seen: something was refused and nothing was noted.
    pub(super) fn unexplained() -> Self {
        Self(vec!["the configuration cannot be used".to_owned()])
    }

    /// The problems, each on its line.
    pub fn problems(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// The beginning of a text, on one line.
fn shorten(text: &str) -> String {
    let mut chars = text.chars().filter(|character| !character.is_control());
    let mut shortened: String = chars.by_ref().take(MAX_QUOTED_CHARS).collect();
    if chars.next().is_some() {
        shortened.push('…');
    }
    shortened
}

/// Enough to find the text again.
const MAX_QUOTED_CHARS: usize = 120;
