//! Bytes of texts: which of them a grammar lets stand, and how many of one there are.
//!
//! Every byte of a token and of a path is looked at with every request, so this is done by tables and by words.

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

/// Whether two bytes of a text follow each other so, or so.
pub(crate) fn has_either(text: &[u8], one: [u8; 2], other: [u8; 2]) -> bool {
    text.array_windows()
        .any(|pair| *pair == one || *pair == other)
}

/// How often an ASCII character stands in a text.
pub(crate) fn count(text: &[u8], byte: u8) -> usize {
    let (words, rest) = text.as_chunks::<8>();
    let wanted = u64::from_le_bytes([byte; 8]);
    let in_words = words.iter().map(|word| {
        let differences = u64::from_le_bytes(*word) ^ wanted;
        // Adding what is below the highest bit sets that bit in every byte that is not zero, and carries nowhere.
        let others = (differences & LOW_BITS).wrapping_add(LOW_BITS) | differences | LOW_BITS;
        usize::try_from(others.count_zeros()).unwrap_or_default()
    });
    let in_rest = rest.iter().map(|other| usize::from(*other == byte));
    in_words.chain(in_rest).fold(0, usize::saturating_add)
}

/// Each byte without its highest bit.
const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn characters_are_counted_word_by_word(text in "[./\\x00a\u{ae}\u{80}]{0,40}") {
            prop_assert_eq!(count(text.as_bytes(), b'.'), text.matches('.').count());
        }
    }

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
