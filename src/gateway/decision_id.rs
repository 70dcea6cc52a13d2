//! IDs of decisions, by which a person finds the record of an answer.

/// The ID of one decision: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DecisionId([[u8; WORKER_DIGITS]; 2]);

impl DecisionId {
    /// The digits.
    pub(super) fn as_str(&self) -> &str {
        // Digits of ASCII, so there is always a text.
        str::from_utf8(self.0.as_flattened()).unwrap_or_default()
    }

    /// The worker that decided: the first half of the digits.
    pub(super) fn worker(&self) -> &str {
        let [worker, _] = &self.0;
        str::from_utf8(worker).unwrap_or_default()
    }
}

/// Gives IDs that no two decisions share: the worker's random number, and a count.
pub(super) struct DecisionIds {
    seed: u64,
    count: u64,
}

impl DecisionIds {
    /// `seed` is a number that no other worker has.
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// The next ID.
    pub(super) fn next(&mut self) -> DecisionId {
        self.count = self.count.wrapping_add(1);
        DecisionId([self.seed, self.count].map(digits))
    }
}

/// A number in sixteen digits. The formatter of the standard library takes ten times as long.
fn digits(number: u64) -> [u8; WORKER_DIGITS] {
    let mut digits = [b'0'; WORKER_DIGITS];
    // There is room for all of them.
    let _ = base16ct::lower::encode(&number.to_be_bytes(), &mut digits);
    digits
}

const WORKER_DIGITS: usize = 16;
