//! Sets of bytes: what a grammar lets stand in a text.
//!
//! Every byte of a token and of a path is looked at with every request, so the answer comes from a table.

/// A set of ASCII characters.
#[derive(Clone, Copy)]
pub(crate) struct ByteSet([bool; 256]);

impl ByteSet {
    /// Letters and digits, and these.
    #[expect(
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::arithmetic_side_effects,
        reason = "only the compiler calls it, and refuses what would panic"
    )]
    pub(crate) const fn alphanumeric_and(others: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut byte = 0_u8;
        while byte < 0x80 {
            set[byte as usize] = byte.is_ascii_alphanumeric();
            byte += 1;
        }
        let mut place = 0;
        while place < others.len() {
            set[others[place] as usize] = true;
            place += 1;
        }
        Self(set)
    }

    /// Whether a byte is one of them.
    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0
            .get(usize::from(byte))
            .is_some_and(|&contains| contains)
    }

    /// How many bytes of a text come before the first that is none of them.
    pub(crate) fn length_of_run(&self, text: &[u8]) -> usize {
        // Eight at a time, without asking after each whether that was it.
        let (words, _) = text.as_chunks::<8>();
        let whole = words
            .iter()
            .take_while(|word| {
                word.iter()
                    .fold(true, |all, byte| all & self.contains(*byte))
            })
            .count()
            .saturating_mul(8);
        let rest = text.get(whole..).unwrap_or_default();
        let more = rest.iter().take_while(|byte| self.contains(**byte)).count();
        whole.saturating_add(more)
    }

    /// Whether a text has no others.
    pub(crate) fn has_all_of(&self, text: &[u8]) -> bool {
        self.length_of_run(text) == text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: ByteSet = ByteSet::alphanumeric_and(b"-.");

    #[test]
    fn letters_digits_and_what_is_named_are_in_the_set() {
        for byte in 0..=u8::MAX {
            let want = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            assert_eq!(SET.contains(byte), want, "{byte:#x}");
        }
    }

    #[test]
    fn a_run_ends_at_the_first_byte_outside() {
        #[rustfmt::skip]
        let cases: [(&[u8], usize); 8] = [
            // text                want
            (b"",                  0),
            (b"abc",               3),
            (b"a/c",               1),
            (b"/abcdefgh",         0),
            (b"abcdefgh",          8),
            (b"abcdefg/",          7),
            (b"abcdefghi/klmnopq", 9),
            (b"abcdefghijklmno\xff", 15),
        ];
        for (text, want) in cases {
            assert_eq!(SET.length_of_run(text), want, "{text:?}");
            assert_eq!(SET.has_all_of(text), want == text.len(), "{text:?}");
        }
    }
}
