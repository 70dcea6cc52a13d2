//! IDs of decisions, by which a person finds the record of an answer.

/// The ID of one decision: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct DecisionId([[[u8; 2]; 8]; 2]);

impl DecisionId {
    /// The digits.
    pub(super) fn as_str(&self) -> &str {
        // Digits of ASCII, so there is always a text.
        str::from_utf8(self.0.as_flattened().as_flattened()).unwrap_or_default()
    }

    /// The worker that decided: the first half of the digits.
    pub(super) fn worker(&self) -> &str {
        let [worker, _] = &self.0;
        str::from_utf8(worker.as_flattened()).unwrap_or_default()
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
        DecisionId([self.seed, self.count].map(hexadecimal))
    }
}

/// A number in sixteen digits. The formatter of the standard library takes ten times as long.
fn hexadecimal(number: u64) -> [[u8; 2]; 8] {
    number
        .to_be_bytes()
        .map(|byte| [byte >> 4, byte & 0xf].map(digit))
}

fn digit(value: u8) -> u8 {
    let letter = u8::from(value > 9).wrapping_mul(b'a' - b'9' - 1);
    value.wrapping_add(b'0').wrapping_add(letter)
}
