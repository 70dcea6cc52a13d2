//! Names of headers, compared as the most careless server would: in any case, and with `_` and `.`
//! as `-`.

/// Whether a header name is the lower-case `known` one, whichever case it has and with `_` as `-`.
pub(super) fn same_name(name: &[u8], known: &str) -> bool {
    name.len() == known.len() && has_prefix(name, known)
}

/// Whether a header name begins so.
#[inline]
pub(super) fn has_prefix(name: &[u8], known: &str) -> bool {
    name.len() >= known.len()
        && name.iter().zip(known.bytes()).all(|(&byte, known)| {
            byte == known
                || byte.to_ascii_lowercase() == known
                || (matches!(byte, b'_' | b'.') && known == b'-')
        })
}

/// What any two spellings of a name have in common, and few other names share: a number is compared
/// faster than a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Key(u32);

impl Key {
    /// The key of a name: its length and three of its bytes.
    #[inline]
    pub(super) const fn of(name: &[u8]) -> Self {
        let [length, ..] = name.len().to_le_bytes();
        let first = match name {
            [first, ..] => *first,
            [] => 0,
        };
        let last = match name {
            [.., last] => *last,
            [] => 0,
        };
        let middle = match name.split_at_checked(name.len() / 2) {
            Some((_, [middle, ..])) => *middle,
            Some((_, [])) | None => 0,
        };
        Self(u32::from_le_bytes([
            length,
            folded(first),
            folded(middle),
            folded(last),
        ]))
    }

    /// A number of so many bits, which few names share.
    pub(super) fn spread(self, bits: u32) -> usize {
        let number = self.0.wrapping_mul(SPREADING) >> u32::BITS.saturating_sub(bits);
        usize::try_from(number).unwrap_or_default()
    }

    /// The first letter, in lower case.
    pub(super) const fn first(self) -> u8 {
        let [_, first, ..] = self.0.to_le_bytes();
        first
    }
}

/// By which no two of the names that are [known](super::known) come to one number of five bits. It
/// was found by trying.
const SPREADING: u32 = 0x2a57_86c1;

/// One byte for all that a server might take it for.
const fn folded(byte: u8) -> u8 {
    match byte {
        b'_' | b'.' => b'-',
        byte => byte.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_a_name_are_one() {
        #[rustfmt::skip]
        let cases = [
            // name       known       want
            ("x-host",    "x-host",   true),
            ("X-Host",    "x-host",   true),
            ("x_host",    "x-host",   true),
            ("x.host",    "x-host",   true),
            ("x-hosts",   "x-host",   false),
            ("x-hos",     "x-host",   false),
            ("x+host",    "x-host",   false),
            ("",          "",         true),
        ];
        for (name, known, want) in cases {
            assert_eq!(same_name(name.as_bytes(), known), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn spellings_of_a_name_have_one_key(name in "[a-zA-Z_.-]{0,6}", known in "[a-c-]{0,6}") {
            if same_name(name.as_bytes(), &known) {
                prop_assert_eq!(Key::of(name.as_bytes()), Key::of(known.as_bytes()));
            }
            let twin = name.to_ascii_lowercase().replace(['_', '.'], "-");
            prop_assert!(same_name(name.as_bytes(), &twin));
            prop_assert_eq!(Key::of(name.as_bytes()), Key::of(twin.as_bytes()));
        }
    }
}
