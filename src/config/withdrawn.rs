//! The `withdrawn` section: valid tokens that are refused all the same.

use std::time::Duration;

use crate::callout::uri::HttpsUri;
use crate::time::parse_duration;
use crate::token::json::Json;
use crate::withdrawn::Withdrawn;
use crate::withdrawn::document::{self, WithdrawalFault};
use crate::withdrawn::list::{ListSource, WhenStale};

use super::code::ProblemCode;
use super::problem::{Place, Problems};
use super::value::{Bounded as _, Span};

/// What the configuration withdraws, `issuers` being those that it takes tokens of.
///
/// The section is read as the lists are that gateways fetch, and not by `serde`: so whoever moves
/// an entry from one to the other gets the same.
#[inline(never)]
pub(super) fn build(
    section: Option<Json>,
    issuers: &[Box<str>],
    problems: &mut Problems,
) -> (Withdrawn, Option<ListSource>) {
    let place = Place::at("withdrawn");
    let mut object = match section {
        None => return (Withdrawn::default(), None),
        Some(Json::Object(object)) => object,
        Some(_) => {
            problems.add(&place, ProblemCode::TypeWrong, "not an object");
            return (Withdrawn::default(), None);
        }
    };
    let list = object
        .remove("list")
        .and_then(|list| source(&list, &place.key("list"), problems));
    let withdrawn = document::read(&object, &mut |key, fault| {
        problems.add(&place.key(key), code_of(fault), fault);
    });
    for issuer in withdrawn.issuers() {
        if !issuers.iter().any(|known| **known == *issuer) {
            problems.add(
                &place.key("issued_before"),
                ProblemCode::IssuerUnknown,
                format_args!(
                    "not a configured issuer; write its `issuer`, byte for byte: `{issuer}`"
                ),
            );
        }
    }
    (withdrawn, list)
}

const fn code_of(fault: WithdrawalFault) -> ProblemCode {
    match fault {
        WithdrawalFault::Entry(_) | WithdrawalFault::NotMoment => ProblemCode::ValueMalformed,
        WithdrawalFault::NotLimit | WithdrawalFault::NotList | WithdrawalFault::NotText => {
            ProblemCode::TypeWrong
        }
        WithdrawalFault::UnknownKey => ProblemCode::KeyUnknown,
    }
}

#[inline(never)]
fn source(list: &Json, place: &Place, problems: &mut Problems) -> Option<ListSource> {
    let Some(list) = list.as_object() else {
        problems.add(place, ProblemCode::TypeWrong, "not an object");
        return None;
    };
    let keys = list.iter().map(|(key, _)| key);
    for key in keys.filter(|key| !LIST_KEYS.contains(key)) {
        let known = LIST_KEYS.join("`, `");
        problems.add(
            &place.key(key),
            ProblemCode::KeyUnknown,
            format_args!("unknown field `{key}`, expected one of `{known}`"),
        );
    }
    let mut text = |key: &str| match list.get(key) {
        None => Some(None),
        Some(value) => {
            let text = value.as_str();
            if text.is_none() {
                problems.add(&place.key(key), ProblemCode::TypeWrong, "not a text");
            }
            text.map(Some)
        }
    };
    let (cluster, uri) = (text("cluster")?, text("uri")?);
    let (poll, max_stale, when_stale) = (text("poll")?, text("max_stale")?, text("when_stale")?);
    let Some(cluster) = cluster.filter(|cluster| !cluster.is_empty()) else {
        problems.add(
            &place.key("cluster"),
            ProblemCode::KeyMissing,
            "missing: name the cluster that leads to the list's server",
        );
        return None;
    };
    let uri = uri.unwrap_or_default();
    let uri = problems.take(&place.key("uri"), uri, HttpsUri::parse(uri))?;
    let mut span = |key: &str, text: Option<&str>, default, least| {
        let place = place.key(key);
        let span = match text {
            Some(text) => Span(problems.take(&place, text, parse_duration(text))?),
            None => default,
        };
        span.within(least..=LONGEST, &place, problems)
    };
    let poll = span("poll", poll, DEFAULT_POLL, SHORTEST_POLL)?;
    // Nearer, one answer that comes late would refuse everything.
    let least = poll.saturating_mul(2);
    let max_stale = span("max_stale", max_stale, DEFAULT_MAX_STALE, least)?;
    let when_stale = behaviour(when_stale, &place.key("when_stale"), problems)?;
    Some(ListSource {
        cluster: cluster.into(),
        uri,
        poll,
        max_stale,
        when_stale,
    })
}

fn behaviour(text: Option<&str>, place: &Place, problems: &mut Problems) -> Option<WhenStale> {
    match text {
        None | Some("refuse") => Some(WhenStale::Refuse),
        Some("ignore") => Some(WhenStale::Ignore),
        Some(other) => {
            problems.add(
                place,
                ProblemCode::ValueUnknown,
                format_args!("neither `refuse` nor `ignore`: `{other}`"),
            );
            None
        }
    }
}

const LIST_KEYS: [&str; 5] = ["cluster", "max_stale", "poll", "uri", "when_stale"];

const DEFAULT_POLL: Span = Span::seconds(10);

const DEFAULT_MAX_STALE: Span = Span::seconds(3600);

/// Each worker polls by itself, so even this is many requests a second.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

/// A day of not knowing what is withdrawn is not what anybody means.
const LONGEST: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests;
