//! What is wrong with a configuration: where, what, and what to do.

use std::fmt;

use crate::token::json::JsonError;

use super::code::ProblemCode;

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
    noted: Vec<Problem>,
    /// Where something stands in for what could not be read.
    mended: Vec<Place>,
}

impl Problems {
    /// Notes a problem at a place. What a stand-in leads to there is none.
    pub(super) fn add(&mut self, place: &Place, code: ProblemCode, text: impl fmt::Display) {
        self.note(place, code, &text);
    }

    /// Once for all kinds of text, of which there are twenty.
    fn note(&mut self, place: &Place, code: ProblemCode, text: &dyn fmt::Display) {
        if !self.mended.iter().any(|mended| place.is_within(mended)) {
            let text = format!("{place}: {text}");
            self.noted.push(Problem { code, text });
        }
    }

    /// Notes that something is not there. Beside or below it may be a key that could not be read,
    /// and was meant for it.
    pub(super) fn absent(&mut self, place: &Place, code: ProblemCode, text: impl fmt::Display) {
        let object = if place.is_item() {
            &place.0
        } else {
            place.object()
        };
        let doubtful = |mended: &Place| {
            !mended.is_item() && (mended.object() == object || mended.object() == place.0)
        };
        if !self.mended.iter().any(doubtful) {
            self.add(place, code, text);
        }
    }

    /// Notes what does not fit the shape of a configuration at `fault`, for which `place` answers:
    /// maybe all of it. Neither a stand-in that does not fit nor what one lacks is a problem.
    pub(super) fn shape(&mut self, place: &Place, fault: &Place, code: ProblemCode, text: &str) {
        if self.mended.iter().any(|mended| fault.is_within(mended)) {
            return;
        }
        let text = match place.0.as_str() {
            "" => text.to_owned(),
            place => format!("{place}: {text}"),
        };
        self.noted.push(Problem { code, text });
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
        let text = format_args!("{error}: `{}`", shorten(text));
        self.note(place, ProblemCode::ValueMalformed, &text);
    }

    pub(super) fn into_error(self) -> Option<ConfigError> {
        (!self.noted.is_empty()).then_some(ConfigError(self.noted))
    }
}

/// One thing that is wrong: its place, what it is, and what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    code: ProblemCode,
    text: String,
}

impl Problem {
    /// What kind of problem it is.
    pub const fn code(&self) -> ProblemCode {
        self.code
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a configuration is refused: one line for each problem.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError(Vec<Problem>);

impl ConfigError {
    pub(super) fn not_json(error: &str) -> Self {
        Self::one(
            ProblemCode::NotJson,
            format!("the configuration is not JSON: {error}"),
        )
    }

    pub(super) fn repeats(error: JsonError) -> Self {
        let code = match error {
            JsonError::DuplicateMember => ProblemCode::KeyRepeated,
            JsonError::Malformed | JsonError::NotUtf8 | JsonError::TooDeep => ProblemCode::NotJson,
        };
        Self::one(code, format!("the configuration: {error}"))
    }

    /// Never seen: something was refused and nothing was noted.
    pub(super) fn unexplained() -> Self {
        Self::one(
            ProblemCode::Unusable,
            "the configuration cannot be used".to_owned(),
        )
    }

    fn one(code: ProblemCode, text: String) -> Self {
        Self(vec![Problem { code, text }])
    }

    /// The problems, in the order in which they were found.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&problem.text)?;
        }
        Ok(())
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
