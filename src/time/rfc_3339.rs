//! How a moment is written for people and records: RFC 3339.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{MILLIS_PER_DAY, UnixTime};

/// A moment as RFC 3339 writes it.
pub struct Rfc3339([u8; "2026-11-23T12:00:00.123Z".len()]);

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Rfc3339 {
    /// The text.
    pub fn as_str(&self) -> &str {
        // Digits and marks of ASCII, so there is always one.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl UnixTime {
    /// RFC 3339 in UTC with milliseconds: `2026-11-23T12:00:00.123Z`.
    #[expect(
        clippy::many_single_char_names,
        reason = "each is a letter of the text, and they stand in its order"
    )]
    pub fn rfc_3339(self) -> Rfc3339 {
        let millis = self.millis();
        let days = u32::try_from(millis / MILLIS_PER_DAY).unwrap_or_default();
        let in_day = u32::try_from(millis % MILLIS_PER_DAY).unwrap_or_default();
        let (year, month, day) = civil_date(days);
        let [[c, e], [y, r]] = [year / 100, year].map(two_digits);
        let [[m, o], [d, a]] = [month, day].map(two_digits);
        let [[h, u], [i, n]] = [in_day / 3_600_000, in_day / 60_000 % 60].map(two_digits);
        let [[s, t], [f, g]] = [in_day / 1000 % 60, in_day % 1000 / 10].map(two_digits);
        let [_, k] = two_digits(in_day);
        #[rustfmt::skip]
        let text = [c, e, y, r, b'-', m, o, b'-', d, a, b'T', h, u, b':', i, n, b':', s, t, b'.', f, g, k, b'Z'];
        Rfc3339(text)
    }
}

/// [`UnixTime::rfc_3339`].
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rfc_3339().as_str())
    }
}

/// The last two digits of a number.
fn two_digits(number: u32) -> [u8; 2] {
    [number / 10, number]
        .map(|number| u8::try_from(number % 10).map_or(b'0', |digit| b'0'.saturating_add(digit)))
}

/// The date in the proleptic Gregorian calendar, so many days after 1970-01-01.
///
/// Counts from 0000-03-01, so that a leap day is the last of its year, in eras of 400 years, each
/// of 146,097 days.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "`days` is below 2,932,897 (year 9999), so no term here passes 2^32 or goes below zero"
)]
pub(super) fn civil_date(days: u32) -> (u32, u32, u32) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = era * 400 + year_of_era + u32::from(month <= 2);
    (year, month, day)
}
