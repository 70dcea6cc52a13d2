//! Reads the shape of a document to its end, so that one mistake does not hide the next.
//!
//! `serde` stops at the first thing that does not fit. Here that is noted, something harmless is
//! put in its place, and the document is read again. What the stand-ins lead to later is no mistake
//! of the author's: [`Problems`] keeps it back.

use crate::token::json::{Json, Object};

use super::document::Document;
use super::located::{self, DocumentStep};
use super::null;
use super::problem::{Place, Problems};

/// The document, mended where it had to be; `None` where nothing can be read of it.
#[inline(never)]
pub(super) fn read(mut value: Json, problems: &mut Problems) -> Option<Document> {
    null::refuse(&value, problems);
    for _ in 0..MOST_REPAIRS {
        let (error, mut way) = match located::read(&value) {
            Ok(document) => return Some(document),
            Err(failure) => failure,
        };
        let text = in_words(&error.to_string());
        let missing = missing_field(&text);
        let object = Place::at(&display(&way));
        way.extend(missing.map(|key| DocumentStep::Key(key.into())));
        let place = Place::at(&display(&way));
        problems.shape(
            if missing.is_some() { &object } else { &place },
            &place,
            error.code(),
            &text,
        );
        let times = problems.mended(&place).max(usize::from(missing.is_some()));
        put(&mut value, &way, stand_in(times)?)?;
    }
    None
}

/// What stands in for something that could not be read.
enum StandIn {
    Nothing,
    Value(Json),
}

/// What to put into a place that was mended so many times: nothing at first, then one value of each
/// kind.
fn stand_in(times: usize) -> Option<StandIn> {
    Some(match times {
        0 => StandIn::Nothing,
        1 => StandIn::Value(Json::String("deny".into())),
        2 => StandIn::Value(Json::Array(Vec::new())),
        3 => StandIn::Value(Json::Object(Object::default())),
        _ => return None,
    })
}

/// A way as people write it.
pub(super) fn display(way: &[DocumentStep]) -> String {
    let mut text = String::new();
    for step in way {
        match step {
            DocumentStep::Item(position) => {
                text.push('[');
                text.push_str(&position.to_string());
                text.push(']');
            }
            DocumentStep::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
        }
    }
    text
}

/// `serde` speaks of types; whoever writes a configuration does not.
fn in_words(text: &str) -> String {
    match text.split_once("expected struct ") {
        Some((before, _)) => format!("{before}expected an object"),
        None => text.replace("expected a sequence", "expected a list"),
    }
}

/// The key that `serde` found missing. It says so in words only.
fn missing_field(text: &str) -> Option<&str> {
    text.strip_prefix("missing field `")?.split('`').next()
}

/// Puts a value at the end of a path, or takes away what is there; `None` where the path leads
/// nowhere.
fn put(value: &mut Json, way: &[DocumentStep], stand_in: StandIn) -> Option<()> {
    let (last, path) = way.split_last()?;
    let at = path.iter().try_fold(value, |at, step| match (step, at) {
        (DocumentStep::Item(position), Json::Array(items)) => items.get_mut(*position),
        (DocumentStep::Key(key), Json::Object(members)) => members.get_mut(key),
        _ => None,
    })?;
    match (last, at, stand_in) {
        (DocumentStep::Key(key), Json::Object(members), StandIn::Nothing) => {
            drop(members.remove(key)?);
        }
        (DocumentStep::Key(key), Json::Object(members), StandIn::Value(stand_in)) => {
            members.insert(key, stand_in);
        }
        // An item that went would give the ones behind it another place.
        (DocumentStep::Item(position), Json::Array(items), StandIn::Nothing) => {
            *items.get_mut(*position)? = Json::Null;
        }
        (DocumentStep::Item(position), Json::Array(items), StandIn::Value(stand_in)) => {
            *items.get_mut(*position)? = stand_in;
        }
        _ => return None,
    }
    Some(())
}

/// Each takes one reading of the document. More problems than this, and it is another document.
const MOST_REPAIRS: usize = 200;
