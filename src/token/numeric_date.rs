//! `NumericDate`, as tokens write moments.

use std::time::Duration;

use crate::time::UnixTime;

use super::json::Json;

/// RFC 7519 §2, to the millisecond below: what has a fraction ends, and was issued, no later than
/// it says. Not with an exponent, as nobody writes dates, and none that is milliseconds taken for
/// seconds.
pub(super) fn numeric_date(value: &Json) -> Option<UnixTime> {
    match value {
        Json::Unsigned(seconds) => UnixTime::from_seconds(*seconds),
        Json::Decimal(seconds) => {
            let since = Duration::try_from_secs_f64(*seconds).ok()?;
            UnixTime::from_millis(u64::try_from(since.as_millis()).ok()?)
        }
        Json::Null
        | Json::Bool(_)
        | Json::Negative(_)
        | Json::Float(_)
        | Json::String(_)
        | Json::Array(_)
        | Json::Object(_) => None,
    }
}
