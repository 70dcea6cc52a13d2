//! When a callout that failed is tried again: later and later, and never all workers at once.

use std::time::Duration;

/// The wait after so many failures in a row: twice as long each time, up to the longest.
pub(crate) fn doubled(first: Duration, failures: u32, longest: Duration) -> Duration {
    let times = 1_u32.checked_shl(failures.min(MAX_DOUBLINGS)).unwrap_or(1);
    first.saturating_mul(times).min(longest)
}

/// Pseudo-random fractions (splitmix64), so that workers and gateways that started together do not
/// fetch together.
///
/// Not for secrets: whoever guesses it learns when a public document is fetched.
pub(crate) struct Jitter(pub(crate) u64);

impl Jitter {
    /// A part of `span`, from three quarters to the whole.
    pub(crate) fn shorten(&mut self, span: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let permille = u32::try_from((mixed ^ (mixed >> 31)) % 251).unwrap_or(0);
        let thousandth = span.checked_div(1000).unwrap_or_default();
        span.saturating_sub(thousandth.saturating_mul(permille))
    }
}

/// 2^12 s is past the longest wait of any callout.
const MAX_DOUBLINGS: u32 = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        #[rustfmt::skip]
        let cases = [
            // failures  want, in seconds
            (0,          1),
            (1,          2),
            (8,          256),
            (9,          300),
            (u32::MAX,   300),
        ];
        for (failures, want) in cases {
            let wait = doubled(Duration::from_secs(1), failures, Duration::from_mins(5));
            assert_eq!(wait, Duration::from_secs(want), "{failures}");
        }
    }

    #[test]
    fn jitter_shortens_by_a_quarter_at_most() {
        let mut jitter = Jitter(7);
        let span = Duration::from_secs(1000);
        for _ in 0..1000 {
            let short = jitter.shorten(span);
            assert!(
                (Duration::from_secs(749)..=span).contains(&short),
                "{short:?}"
            );
        }
    }
}
