//! Bytes of texts: whether a grammar lets them stand, and what stands among them.
//!
//! Every byte of a token, of a path and of a record is looked at with every request. A predicate
//! given here should not branch (`|` and `&`, not `||` and `&&`): the compiler then puts its
//! question to sixteen bytes at once.

/// Whether a byte is a letter or a digit of ASCII.
pub(crate) const fn is_alphanumeric(byte: u8) -> bool {
    is_letter(byte) | is_within(byte, b'0', b'9')
}

/// Whether a byte is a letter of ASCII.
pub(crate) const fn is_letter(byte: u8) -> bool {
    is_within(byte | LOWER_CASE, b'a', b'z')
}

/// Whether a byte is one of these two, or between them.
pub(crate) const fn is_within(byte: u8, first: u8, last: u8) -> bool {
    byte.wrapping_sub(first) <= last.wrapping_sub(first)
}

/// Whether a byte is one of these.
pub(crate) fn is_one_of<const N: usize>(byte: u8, set: &[u8; N]) -> bool {
    set.iter()
        .fold(false, |found, other| found | (byte == *other))
}

/// Whether every byte of a text belongs.
pub(crate) fn has_only(text: &[u8], belongs: impl Fn(u8) -> bool) -> bool {
    length_of_run(text, belongs) == text.len()
}

/// How many bytes of a text come before the first that does not belong.
pub(crate) fn length_of_run(text: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    let all_belong =
        |chunk: &Chunk| u128::from_ne_bytes(chunk.map(|byte| u8::from(!belongs(byte)))) == 0;
    let mut place = 0;
    if let Some(last) = text.len().checked_sub(CHUNK) {
        let chunk = |place: usize| text.get(place..).and_then(<[u8]>::first_chunk);
        while chunk(place).is_some_and(all_belong) {
            if place == last {
                return text.len();
            }
            // The last chunk has some bytes for the second time, which costs less than the rest one
            // by one.
            place = place.saturating_add(CHUNK).min(last);
        }
    }
    let rest = text.get(place..).unwrap_or_default();
    let run = rest.iter().position(|byte| !belongs(*byte));
    run.map_or(text.len(), |run| place.saturating_add(run))
}

/// Whether two bytes that follow each other in a text are sought.
pub(crate) fn has_pair(text: &[u8], is_sought: impl Fn(u8, u8) -> bool) -> bool {
    let after = text.get(1..).unwrap_or_default();
    let pairs = text.iter().zip(after);
    pairs.fold(false, |found, (one, other)| found | is_sought(*one, *other))
}

/// Whether three bytes that follow one another in a text are sought.
#[inline]
pub(crate) fn has_triple(text: &[u8], is_sought: impl Fn(u8, u8, u8) -> bool) -> bool {
    let Some(last) = text.len().checked_sub(CHUNK + 2) else {
        let mut triples = text.array_windows();
        return triples.any(|[first, second, third]| is_sought(*first, *second, *third));
    };
    let chunk = |place: usize| text.get(place..).and_then(<[u8]>::first_chunk::<CHUNK>);
    let mut place = 0;
    loop {
        let chunks = (
            chunk(place),
            chunk(place.saturating_add(1)),
            chunk(place.saturating_add(2)),
        );
        let (Some(first), Some(second), Some(third)) = chunks else {
            return false;
        };
        let mut found = [0; CHUNK];
        let triples = first.iter().zip(second).zip(third);
        for (found, ((first, second), third)) in found.iter_mut().zip(triples) {
            *found = u8::from(is_sought(*first, *second, *third));
        }
        if u128::from_ne_bytes(found) != 0 {
            return true;
        }
        if place == last {
            return false;
        }
        place = place.saturating_add(CHUNK).min(last);
    }
}

/// How often a byte stands in a text.
#[inline]
pub(crate) fn count(text: &[u8], byte: u8) -> usize {
    text.chunks(COUNTED)
        .map(|part| {
            let found = part.iter().map(|other| u8::from(*other == byte));
            usize::from(found.fold(0, u8::wrapping_add))
        })
        .fold(0, usize::saturating_add)
}

type Chunk = [u8; CHUNK];

/// What a processor compares at once.
const CHUNK: usize = 16;

/// Of so many bytes the count fits into one, and they are whole chunks.
const COUNTED: usize = 240;

/// What tells a small letter of ASCII from its capital.
const LOWER_CASE: u8 = 0x20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn belongs(byte: u8) -> bool {
        is_alphanumeric(byte) | is_one_of(byte, b"-.")
    }

    #[test]
    fn letters_digits_and_what_is_named_belong() {
        for byte in 0..=u8::MAX {
            let want = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            assert_eq!(belongs(byte), want, "{byte:#x}");
        }
    }

    #[test]
    fn ranges_have_both_their_ends() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_within(byte, b'!', b'~'), byte.is_ascii_graphic());
            assert_eq!(is_within(byte, 0x80, u8::MAX), !byte.is_ascii());
        }
    }

    proptest! {
        #[test]
        fn many_bytes_at_once_are_found_as_one_by_one_are(text in "[a-c./\\x00\u{ae}]{0,600}") {
            let bytes = text.as_bytes();
            prop_assert_eq!(count(bytes, b'.'), text.matches('.').count());
            let run = bytes.iter().take_while(|byte| belongs(**byte)).count();
            prop_assert_eq!(length_of_run(bytes, belongs), run);
            prop_assert_eq!(has_only(bytes, belongs), run == bytes.len());
        }

        #[test]
        fn sequences_are_found_wherever_they_stand(text in "[a-c]{0,40}") {
            let bytes = text.as_bytes();
            let pair = |one, other| (one == b'a') & (other == b'b');
            prop_assert_eq!(has_pair(bytes, pair), text.contains("ab"));
            let triple = |first, second, third| (first == b'a') & (second == b'b') & (third == b'c');
            prop_assert_eq!(has_triple(bytes, triple), text.contains("abc"));
        }
    }

    #[test]
    fn a_run_ends_at_the_first_byte_that_does_not_belong() {
        #[rustfmt::skip]
        let cases: [(&[u8], usize); 8] = [
            // text                want
            (b"",                  0),
            (b"abc",               3),
            (b"a/c",               1),
            (b"/abcdefgh",         0),
            (b"abcdefghabcdefgh",  16),
            (b"abcdefghabcdefg/",  15),
            (b"abcdefghabcdefghi/klmnopq", 17),
            (b"abcdefghijklmno\xff", 15),
        ];
        for (text, want) in cases {
            assert_eq!(length_of_run(text, belongs), want, "{text:?}");
            assert_eq!(has_only(text, belongs), want == text.len(), "{text:?}");
        }
    }
}
