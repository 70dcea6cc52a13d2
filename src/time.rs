//! Points in time and spans of time, as values.
//!
//! The core never looks at a clock: `now` is an argument; what has passed between two of them
//! is [`clock`]'s business. This module knows `NumericDate` (RFC 7519 §2), the duration texts of
//! the configuration (`500ms`, `30s`, `10m`, `24h`), and how a moment is written for people (RFC
//! 3339).

pub mod clock;
mod rfc_3339;

use std::fmt;
use std::time::Duration;

pub use rfc_3339::Rfc3339;
use rfc_3339::civil_date;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Invariant: at most [`UnixTime::MAX`], so that a moment always has a four-digit year.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UnixTime(u64);

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The last second of the year 9999. A `NumericDate` past it is a mistake, most often
    /// milliseconds taken for seconds.
    pub const MAX: Self = Self(253_402_300_799_000);

    /// The moment so many seconds after the epoch, or `None` past the year 9999.
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        seconds.checked_mul(1000).and_then(Self::from_millis)
    }

    /// The moment so many milliseconds after the epoch, or `None` past the year 9999.
    pub fn from_millis(millis: u64) -> Option<Self> {
        (millis <= Self::MAX.0).then_some(Self(millis))
    }

    /// Whole seconds since the epoch: a `NumericDate`.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// This much later, and no later than [`UnixTime::MAX`].
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)).min(Self::MAX.0))
    }

    /// This much earlier, and no earlier than the epoch.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis(span)))
    }

    /// The span from `earlier` to this moment; nothing when `earlier` is the later one, as after a
    /// clock was set back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Parses a duration text: digits and a unit, `ms`, `s`, `m` or `h`.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text
        .split_at_checked(digits)
        .ok_or(DurationError::NoNumber)?;
    if number.is_empty() {
        return Err(DurationError::NoNumber);
    }
    let unit_millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" => return Err(DurationError::NoUnit),
        _ => return Err(DurationError::UnknownUnit),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit_millis))
        .filter(|&millis| millis <= MAX_DURATION_MILLIS)
        .map(Duration::from_millis)
        .ok_or(DurationError::TooLong)
}

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DurationError {
    /// It does not start with a digit.
    NoNumber,
    /// A number alone; whether it means seconds is anybody's guess.
    NoUnit,
    /// More than ten years.
    TooLong,
    /// A unit other than `ms`, `s`, `m` and `h`.
    UnknownUnit,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoNumber => "not a duration: write a number with a unit, as in `30s`",
            Self::NoUnit => "a duration without a unit: write `ms`, `s`, `m` or `h` behind the number, as in `30s`",
            Self::TooLong => "longer than ten years",
            Self::UnknownUnit => "an unknown unit of time: the units are `ms`, `s`, `m` and `h`",
        })
    }
}

/// Parses a moment as RFC 3339 §5.6 writes it, `2026-11-23T12:00:00Z`, or a date alone, which is
/// its first moment in UTC.
pub fn parse_moment(text: &str) -> Result<UnixTime, MomentError> {
    moment(text).ok_or(MomentError)
}

/// The first moment in UTC of a date as `2027-01-31`; `None` for a date that no calendar has.
pub fn parse_date(text: &str) -> Option<UnixTime> {
    days_until(text)?
        .checked_mul(MILLIS_PER_DAY)
        .and_then(UnixTime::from_millis)
}

/// A text that is no moment, or one before 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MomentError;

impl fmt::Display for MomentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a moment: write it as `2026-11-23T12:00:00Z`, or a date as `2026-11-23`")
    }
}

fn moment(text: &str) -> Option<UnixTime> {
    let (date, rest) = text.split_at_checked("2026-11-23".len())?;
    let midnight = UnixTime(days_until(date)?.checked_mul(MILLIS_PER_DAY)?);
    let Some(rest) = rest.strip_prefix('T') else {
        return rest.is_empty().then_some(midnight);
    };
    let (clock, zone) = rest.split_at_checked(rest.find(['Z', '+', '-'])?)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let millis = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let [hours, minutes, seconds] = numbers(clock, ':', [2, 2, 2])?;
    let local = midnight
        .after(clock_time(hours, minutes, seconds)?)
        .after(Duration::from_millis(millis));
    if zone == "Z" {
        return Some(local);
    }
    let (sign, offset) = zone.split_at_checked(1)?;
    let [hours, minutes] = numbers(offset, ':', [2, 2])?;
    let offset = clock_time(hours, minutes, 0)?;
    Some(if sign == "+" {
        local.before(offset)
    } else {
        local.after(offset)
    })
}

/// Numbers of so many digits each, joined by a character.
fn numbers<const N: usize>(text: &str, joint: char, digits: [usize; N]) -> Option<[u64; N]> {
    let mut parts = text.split(joint);
    let mut found = [0; N];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// No leap seconds: a moment has none.
fn clock_time(hours: u64, minutes: u64, seconds: u64) -> Option<Duration> {
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    Duration::from_hours(hours)
        .checked_add(Duration::from_mins(minutes))?
        .checked_add(Duration::from_secs(seconds))
}

/// Days from 1970-01-01 to a date as `2026-11-23`: the inverse of [`civil_date`], and held to it,
/// so that a date which no calendar has is none.
fn days_until(date: &str) -> Option<u64> {
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_from_civil(year, month, day);
    let found = civil_date(u32::try_from(days).ok()?);
    let found = (found.0.into(), found.1.into(), found.2.into());
    (found == (year, month, day)).then_some(days)
}

/// Counts as [`civil_date`] does.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years from 1970 to 9999, months to 12 and days to 31: no term passes 2^32 or goes below zero"
)]
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let year_of_era = year % 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    year / 400 * 146_097 + day_of_era - 719_468
}

/// Whole milliseconds of a span, at most `u64::MAX`.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

const MILLIS_PER_DAY: u64 = 86_400_000;

/// Ten years: longer than any key, token or list should live, and far from any overflow.
const MAX_DURATION_MILLIS: u64 = 10 * 366 * MILLIS_PER_DAY;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339() {
        #[rustfmt::skip]
        let cases = [
            // name                     milliseconds          want
            ("the epoch",               0,                    "1970-01-01T00:00:00.000Z"),
            ("a leap day",              1_709_210_096_007,    "2024-02-29T12:34:56.007Z"),
            ("a century, no leap year", 4_107_542_400_000,    "2100-03-01T00:00:00.000Z"),
            ("the last second",         253_402_300_799_000,  "9999-12-31T23:59:59.000Z"),
        ];
        for (name, millis, want) in cases {
            assert_eq!(
                UnixTime::from_millis(millis)
                    .map(|time| time.to_string())
                    .as_deref(),
                Some(want),
                "{name}"
            );
        }
    }

    #[test]
    fn moments_are_read_from_rfc_3339() {
        #[rustfmt::skip]
        let cases = [
            // name                     text                             want
            ("the epoch",               "1970-01-01T00:00:00Z",          Some(0)),
            ("a date alone",            "2024-02-29",                    Some(1_709_164_800_000)),
            ("a leap day",              "2024-02-29T12:34:56.007Z",      Some(1_709_210_096_007)),
            ("tenths",                  "2024-02-29T12:34:56.1Z",        Some(1_709_210_096_100)),
            ("microseconds",            "2024-02-29T12:34:56.007999Z",   Some(1_709_210_096_007)),
            ("east of Greenwich",       "2024-02-29T14:34:56.007+02:00", Some(1_709_210_096_007)),
            ("west of it",              "2024-02-29T07:04:56.007-05:30", Some(1_709_210_096_007)),
            ("the last second",         "9999-12-31T23:59:59Z",          Some(253_402_300_799_000)),
            ("no zone",                 "2024-02-29T12:34:56",           None),
            ("no such day",             "2023-02-29",                    None),
            ("no such month",           "2023-13-01",                    None),
            ("no such hour",            "2024-02-29T24:00:00Z",          None),
            ("a leap second",           "2016-12-31T23:59:60Z",          None),
            ("before 1970",             "1969-12-31",                    None),
            ("a space for the T",       "2024-02-29 12:34:56Z",          None),
            ("an empty fraction",       "2024-02-29T12:34:56.Z",         None),
            ("a sign in a number",      "2024-02-29T+1:34:56Z",          None),
            ("more behind it",          "2024-02-29T12:34:56Z ",         None),
            ("one digit",               "2024-2-29",                     None),
            ("beyond ASCII",            "2024-02-2é",                    None),
            ("empty",                   "",                              None),
        ];
        for (name, text, want) in cases {
            let want = want.map(UnixTime).ok_or(MomentError);
            assert_eq!(parse_moment(text), want, "{name}");
        }
    }

    #[test]
    fn a_moment_past_the_year_9999_is_none() {
        assert_eq!(UnixTime::from_seconds(253_402_300_799), Some(UnixTime::MAX));
        assert_eq!(UnixTime::from_seconds(253_402_300_800), None);
        assert_eq!(UnixTime::from_seconds(u64::MAX), None);
    }

    #[test]
    fn spans_never_wrap() {
        let day = Duration::from_hours(24);
        assert_eq!(UnixTime::EPOCH.before(day), UnixTime::EPOCH);
        assert_eq!(UnixTime::MAX.after(Duration::MAX), UnixTime::MAX);
        assert_eq!(UnixTime::EPOCH.since(UnixTime::MAX), Duration::ZERO);
        assert_eq!(UnixTime::EPOCH.after(day).since(UnixTime::EPOCH), day);
    }

    #[test]
    fn a_date_is_a_date_alone() {
        let date = |text: &str| parse_date(text).map(|time| time.to_string());
        assert_eq!(
            date("2027-01-31").as_deref(),
            Some("2027-01-31T00:00:00.000Z")
        );
        for text in ["2027-02-29", "2027-01-31T00:00:00Z", "2027-1-31", "soon"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn durations_need_a_number_and_a_unit() {
        use DurationError::{NoNumber, NoUnit, TooLong, UnknownUnit};
        #[rustfmt::skip]
        let cases = [
            // name               text                      want
            ("milliseconds",      "500ms",                  Ok(500)),
            ("seconds",           "30s",                    Ok(30_000)),
            ("minutes",           "10m",                    Ok(600_000)),
            ("hours",             "24h",                    Ok(86_400_000)),
            ("nothing",           "0s",                     Ok(0)),
            ("empty",             "",                       Err(NoNumber)),
            ("no unit",           "30",                     Err(NoUnit)),
            ("a fraction",        "1.5s",                   Err(UnknownUnit)),
            ("a space",           "30 s",                   Err(UnknownUnit)),
            ("another case",      "30S",                    Err(UnknownUnit)),
            ("negative",          "-1s",                    Err(NoNumber)),
            ("two of them",       "1h30m",                  Err(UnknownUnit)),
            ("past every number", "99999999999999999999h",  Err(TooLong)),
            ("eleven years",      "96360h",                 Err(TooLong)),
        ];
        for (name, text, want) in cases {
            assert_eq!(
                parse_duration(text),
                want.map(Duration::from_millis),
                "{name}"
            );
        }
    }
}
