//! DER, as far as keys and signatures need it: X.690 §8 and §10.

/// One element: its tag, its length, and its parts one after the other.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut element = Vec::with_capacity(MAX_HEADER_BYTES.saturating_add(length));
    element.push(tag);
    match u8::try_from(length) {
        Ok(length) if length < 0x80 => element.push(length),
        Ok(length) => element.extend([0x81, length]),
        Err(_) => {
            // No key has 64 KiB.
            let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
            element.extend([0x82, high, low]);
        }
    }
    for part in parts {
        element.extend_from_slice(part);
    }
    element
}

/// An INTEGER of at least 0, from its big-endian bytes.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let digits = bytes.get(zeros..).unwrap_or_default();
    // Without it a number whose first bit is set would be one below 0; and 0 itself has a byte.
    let padded = digits.first().is_none_or(|&byte| byte >= 0x80);
    let padding: &[u8] = if padded { &[0] } else { &[] };
    element(INTEGER, &[padding, digits])
}

pub(super) const SEQUENCE: u8 = 0x30;

pub(super) const BIT_STRING: u8 = 0x03;

const INTEGER: u8 = 0x02;

const MAX_HEADER_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_not_negative() {
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &[u8]); 7] = [
            // name                     bytes                want
            ("small",                   &[5],                &[2, 1, 5]),
            ("two bytes",               &[1, 0],             &[2, 2, 1, 0]),
            ("the first bit set",       &[0x80],             &[2, 2, 0, 0x80]),
            ("leading zeros",           &[0, 0, 7],          &[2, 1, 7]),
            ("a leading zero needed",   &[0, 0, 0xff],       &[2, 2, 0, 0xff]),
            ("zero",                    &[0, 0],             &[2, 1, 0]),
            ("nothing",                 &[],                 &[2, 1, 0]),
        ];
        for (name, bytes, want) in cases {
            assert_eq!(integer(bytes), want, "{name}");
        }
    }

    #[test]
    fn lengths_have_three_forms() {
        #[rustfmt::skip]
        let cases: [(usize, &[u8]); 6] = [
            (0,     &[4, 0]),
            (0x7f,  &[4, 0x7f]),
            (0x80,  &[4, 0x81, 0x80]),
            (0xff,  &[4, 0x81, 0xff]),
            (0x100, &[4, 0x82, 1, 0]),
            (0x234, &[4, 0x82, 2, 0x34]),
        ];
        for (length, want) in cases {
            let content = vec![9; length];
            assert_eq!(
                element(4, &[&content]),
                [want, &content].concat(),
                "{length}"
            );
        }
    }
}
