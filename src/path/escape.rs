//! Percent-escapes of one segment, decoded as often as any server might (RFC 3986 §2.1).

/// What makes an escaped segment unacceptable wherever it stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum EscapeFault {
    /// A `%` without two hexadecimal digits.
    BadEscape,
    /// A control character.
    Control,
    /// A dot segment.
    DotSegment,
    /// Nothing before a `;`, which some servers take for the end of the segment.
    EmptySegment,
    /// Not UTF-8.
    NotUtf8,
    /// `/` or `\`.
    Separator,
    /// Still escaped after [`MAX_LEVELS`] decodings.
    TooDeep,
    /// An unreserved character.
    Unreserved,
}

/// Checks every reading that repeated decoding gives a segment.
pub(super) fn check(segment: &str) -> Result<(), EscapeFault> {
    let (mut text, malformed) = decode(segment)?;
    if malformed {
        return Err(EscapeFault::BadEscape);
    }
    for _ in 1..MAX_LEVELS {
        check_name(&text)?;
        if !has_escape(&text) {
            return Ok(());
        }
        // A `%` that stands for itself by now is malformed, and is no fault: `%25zz` names `%zz`.
        (text, _) = decode(&text)?;
    }
    check_name(&text)?;
    if has_escape(&text) {
        Err(EscapeFault::TooDeep)
    } else {
        Ok(())
    }
}

/// Checks what a server that decodes a segment, and takes a `;` for its end, makes of it.
fn check_name(decoded: &str) -> Result<(), EscapeFault> {
    if super::is_dot_segment(decoded) {
        Err(EscapeFault::DotSegment)
    } else if decoded.starts_with(';') {
        Err(EscapeFault::EmptySegment)
    } else {
        Ok(())
    }
}

/// Whether some decoding of a checked segment satisfies a predicate. The segment as it stands is
/// not asked about.
pub(super) fn any_reading(segment: &str, mut predicate: impl FnMut(&str) -> bool) -> bool {
    let mut text = segment.to_owned();
    for _ in 0..MAX_LEVELS {
        if !has_escape(&text) {
            return false;
        }
        let Ok((decoded, _)) = decode(&text) else {
            return true;
        };
        // A server that decodes first may then take `;`, `?` or `#` for the end of the segment or
        // of the path.
        if predicate(&decoded)
            || decoded
                .split_once([';', '?', '#'])
                .is_some_and(|(name, _)| predicate(name))
        {
            return true;
        }
        text = decoded;
    }
    false
}

/// Decodes every escape once; says also whether a `%` was left that begins none.
fn decode(text: &str) -> Result<(String, bool), EscapeFault> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut malformed = false;
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let Some((byte, tail)) = octet(tail) else {
            malformed = true;
            decoded.push(b'%');
            continue;
        };
        match byte {
            b'/' | b'\\' => return Err(EscapeFault::Separator),
            // Many a client escapes `~`, which stood in RFC 2396 alone.
            b'-' | b'.' | b'_' => return Err(EscapeFault::Unreserved),
            byte if byte.is_ascii_alphanumeric() => return Err(EscapeFault::Unreserved),
            byte => decoded.push(byte),
        }
        rest = tail;
    }
    let decoded = String::from_utf8(decoded).map_err(|_| EscapeFault::NotUtf8)?;
    // On characters, not bytes: U+0080 to U+009F are controls too, and their bytes also occur
    // inside letters.
    if decoded.chars().any(char::is_control) {
        return Err(EscapeFault::Control);
    }
    Ok((decoded, malformed))
}

#[inline]
fn has_escape(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .any(|tail| octet(tail.as_bytes()).is_some())
}

/// The octet that two hexadecimal digits write, and what stands behind them.
pub(crate) fn octet(digits: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, tail) = digits.split_first_chunk::<2>()?;
    let mut octet = [0];
    base16ct::mixed::decode(digits, &mut octet).ok()?;
    let [octet] = octet;
    Some((octet, tail))
}

/// Decodings that are followed. An honest client escapes once, a name that was escaped before it
/// was handed over makes two, and a proxy that escapes again three; each level costs one pass, so
/// there has to be an end.
const MAX_LEVELS: usize = 4;
