//! The `withdrawn` section: sound tokens that are refused all the same.

use serde_json::Value;

use crate::token::json::Json;
use crate::withdrawn::{Withdrawn, document};

use super::problem::{Place, Problems};

/// What the configuration withdraws, `issuers` being those that it takes tokens of.
///
/// The section is read as the lists are that gateways fetch, and not by `serde`: so whoever moves an entry from one to the other gets the same.
pub(super) fn build(
    section: Option<&Value>,
    issuers: &[Box<str>],
    problems: &mut Problems,
) -> Withdrawn {
    let place = Place::at("withdrawn");
    let text = section.map(ToString::to_string);
    let json = text.and_then(|text| Json::parse(text.as_bytes()).ok());
    let mut object = match json {
        None => return Withdrawn::default(),
        Some(Json::Object(object)) => object,
        Some(_) => {
            problems.add(&place, "not an object");
            return Withdrawn::default();
        }
    };
    if object.remove("list").is_some() {
        problems.add(
            &place.key("list"),
            "not carried out by this release: remove it",
        );
    }
    let withdrawn = document::read(&object, &mut |key, fault| {
        problems.add(&place.key(key), fault);
    });
    for issuer in withdrawn.issuers() {
        if !issuers.iter().any(|known| **known == *issuer) {
            problems.add(
                &place.key("issued_before"),
                format_args!(
                    "not a configured issuer; write its `issuer`, byte for byte: `{issuer}`"
                ),
            );
        }
    }
    withdrawn
}
