//! Header maps as hosts and modules hand them to each other: a count, the lengths, then names and
//! values, each ended by a zero.

use crate::reply::Headers;

/// Pairs as they are handed over.
pub fn serialize(pairs: &[(impl AsRef<[u8]>, impl AsRef<[u8]>)]) -> Vec<u8> {
    let number = |length: usize| {
        u32::try_from(length)
            .expect("a map below 4 GiB")
            .to_le_bytes()
    };
    let texts = || {
        pairs
            .iter()
            .flat_map(|(name, value)| [name.as_ref(), value.as_ref()])
    };
    let mut map = number(pairs.len()).to_vec();
    map.extend(texts().flat_map(|text| number(text.len())));
    map.extend(texts().flat_map(|text| [text, b"\0"]).flatten());
    map
}

/// The pairs of a map.
pub fn parse(bytes: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let number = |at: usize| {
        let four = bytes.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(four)).ok()
    };
    let count = number(0)?;
    let mut at = 4 + 8 * count;
    let mut headers = Vec::with_capacity(count);
    for i in 0..count {
        let (name, value) = (number(4 + 8 * i)?, number(8 + 8 * i)?);
        let text = String::from_utf8_lossy(bytes.get(at..at + name)?).into_owned();
        at += name + 1;
        headers.push((text, bytes.get(at..at + value)?.to_vec()));
        at += value + 1;
    }
    Some(headers)
}

/// Whether a body follows a head.
pub fn has_body(headers: &Headers, body: &[u8]) -> bool {
    let announced = headers
        .iter()
        .any(|(name, _)| name == "content-length" || name == "transfer-encoding");
    announced || !body.is_empty()
}
