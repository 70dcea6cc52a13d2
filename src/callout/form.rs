//! `application/x-www-form-urlencoded`, as OAuth's token endpoints read it (RFC 6749 appendix B).

use std::fmt::Write as _;

/// The form of these fields, in order.
pub fn encode(fields: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (position, (name, value)) in fields.iter().enumerate() {
        if position > 0 {
            form.push('&');
        }
        escape(name, &mut form);
        form.push('=');
        escape(value, &mut form);
    }
    form
}

/// Percent-encodes all but RFC 3986's unreserved characters.
pub fn escape(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_value_holds_it_stays_one_value() {
        #[rustfmt::skip]
        let cases: [(&str, &[(&str, &str)], &str); 5] = [
            // name                  fields                           want
            ("nothing",              &[],                             ""),
            ("two fields",           &[("a", "b"), ("c", "d")],       "a=b&c=d"),
            ("a token",              &[("t", "aB0-_.~")],             "t=aB0-_.~"),
            ("what ends a value",    &[("a", "b&c=d;e f+g%")],        "a=b%26c%3Dd%3Be%20f%2Bg%25"),
            ("beyond ASCII",         &[("a", "é\r\n")],               "a=%C3%A9%0D%0A"),
        ];
        for (name, fields, want) in cases {
            assert_eq!(encode(fields), want, "{name}");
        }
    }
}
