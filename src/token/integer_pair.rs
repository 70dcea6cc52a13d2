//! Two numbers as DER writes them: RSA keys (RFC 8017 §A.1.1) and ECDSA signatures (RFC 3279
//! §2.2.3).

use der::Encode as _;
use der::asn1::UintRef;

/// A SEQUENCE of two INTEGERs of at least 0, from their big-endian bytes.
pub(super) fn encode(one: &[u8], other: &[u8]) -> der::Result<Vec<u8>> {
    [UintRef::new(one)?, UintRef::new(other)?].to_der()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_not_negative() {
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &[u8]); 6] = [
            // name                     bytes                want
            ("small",                   &[5],                &[2, 1, 5]),
            ("two bytes",               &[1, 0],             &[2, 2, 1, 0]),
            ("the first bit set",       &[0x80],             &[2, 2, 0, 0x80]),
            ("leading zeros",           &[0, 0, 7],          &[2, 1, 7]),
            ("a leading zero needed",   &[0, 0, 0xff],       &[2, 2, 0, 0xff]),
            ("zero",                    &[0, 0],             &[2, 1, 0]),
        ];
        for (name, bytes, want) in cases {
            let length = u8::try_from(want.len() + 3).unwrap();
            let pair = [&[0x30, length], want, &[2, 1, 9]].concat();
            assert_eq!(encode(bytes, &[9]), Ok(pair), "{name}");
        }
    }
}
