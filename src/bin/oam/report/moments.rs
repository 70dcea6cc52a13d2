//! The times of records, which nearly all are of the same minute as the one before.

use databricks_oam_filter::time::{UnixTime, parse_moment};

/// Reads times.
#[derive(Default)]
pub(super) struct Moments {
    /// The last minute that was read, as far as its colon.
    minute: String,
    /// Its beginning.
    start: u64,
}

impl Moments {
    /// The moment that a text writes, if it writes one.
    pub(super) fn read(&mut self, text: &str) -> Option<UnixTime> {
        let (minute, rest) = text.split_at_checked(MINUTE)?;
        let Some(millis) = millis(rest) else {
            return parse_moment(text).ok();
        };
        if minute != self.minute {
            let start = parse_moment(&format!("{minute}00Z")).ok()?;
            self.start = start.millis();
            minute.clone_into(&mut self.minute);
        }
        UnixTime::from_millis(self.start.saturating_add(millis))
    }
}

/// Milliseconds in `07.123Z`, the form in which the module writes them.
fn millis(text: &str) -> Option<u64> {
    let [tens, ones, b'.', fraction @ .., b'Z'] = text.as_bytes() else {
        return None;
    };
    let [hundredths, tenths, thousandths] = fraction else {
        return None;
    };
    let digits = [tens, ones, hundredths, tenths, thousandths];
    let number = digits.into_iter().try_fold(0_u64, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        Some(number.saturating_mul(10).saturating_add(digit.into()))
    })?;
    (number < 60_000).then_some(number)
}

/// `2026-11-23T12:00:`.
const MINUTE: usize = 17;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_what_the_product_s_own_reader_makes_of_it() {
        let mut moments = Moments::default();
        for text in [
            "2026-11-23T12:00:00.123Z",
            "2026-11-23T12:00:59.999Z",
            "2026-11-23T12:01:07.050Z",
            "2026-11-23T12:00:00.123Z",
            "2026-11-23T12:00:60.000Z",
            "2026-11-23T12:00:07Z",
            "2026-11-23T12:00:07.1+01:00",
            "2026-13-23T12:00:07.100Z",
            "2026-11-23",
            "2026-11-23T12:00:é",
            "",
        ] {
            assert_eq!(
                moments.read(text),
                parse_moment(text).ok().filter(|_| text.len() > MINUTE),
                "{text}"
            );
        }
    }
}
