//! What attackers and broken software do to a token.

use jsonwebtoken::EncodingKey;
use serde_json::json;

use super::{Parts, encode, sign};
use crate::keys::{der, der_integer};

/// The token, mangled in the way of this name.
pub(crate) fn mangle(parts: &Parts<'_>, how: &str) -> String {
    shape(parts, how)
        .or_else(|| encoding(parts, how))
        .or_else(|| signature(parts, how).map(|bytes| parts.with_signature(&bytes)))
        .unwrap_or_else(|| panic!("no way to mangle a token is called `{how}`"))
}

/// Segments too many, too few, empty, or no compact serialization at all.
fn shape(parts: &Parts<'_>, how: &str) -> Option<String> {
    let token = parts.signed();
    let (input, signature) = token.rsplit_once('.')?;
    let (header, payload) = input.split_once('.')?;
    Some(match how {
        "one-segment" => payload.to_owned(),
        "two-segments" => input.to_owned(),
        "four-segments" => format!("{token}.{signature}"),
        "five-segments" => format!("{token}.{payload}.{signature}"),
        "empty-header" => format!(".{payload}.{signature}"),
        "empty-payload" => format!("{header}..{signature}"),
        "empty-signature" | "unsigned" => format!("{input}."),
        "leading-dot" => format!(".{token}"),
        "trailing-dot" => format!("{token}."),
        "half" => token[..token.len() / 2].to_owned(),
        // One character that carries six bits of nothing: no encoding ends so, whatever the
        // signature is.
        "cut-within-a-byte" => token[..token.len() - 5].to_owned(),
        "json" => json!({ "protected": header, "payload": payload, "signature": signature }).to_string(),
        "json-general" => {
            json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] }).to_string()
        }
        "nested" => {
            let outer = json!({ "alg": parts.algorithm, "typ": "JWT", "cty": "JWT", "kid": parts.key.jwk["kid"] });
            let signing_input = format!("{}.{}", encode(outer.to_string().as_bytes()), encode(token.as_bytes()));
            Parts { signing_input, ..*parts }.signed()
        }
        "swap-header-and-payload" => format!("{payload}.{header}.{signature}"),
        "upper-case" => token.to_ascii_uppercase(),
        _ => return None,
    })
}

/// The same bytes, encoded as RFC 7515 §2 does not.
fn encoding(parts: &Parts<'_>, how: &str) -> Option<String> {
    let token = parts.signed();
    let (input, signature) = token.rsplit_once('.')?;
    let (header, payload) = input.split_once('.')?;
    Some(match how {
        "padded-header" => format!("{header}=.{payload}.{signature}"),
        "padded-payload" => format!("{header}.{payload}=.{signature}"),
        "padded-signature" => format!("{token}=="),
        "standard-alphabet" => format!("{input}.{}", signature.replace('-', "+").replace('_', "/")),
        "space-inside" => format!("{header}. {payload}.{signature}"),
        "tab-inside" => format!("{header}.\t{payload}.{signature}"),
        "percent-inside" => format!("{header}%2E{payload}.{signature}"),
        "trailing-bits-signature" => format!("{input}.{}", other_last_letter(signature)),
        "one-letter-more" => format!("{token}A"),
        "four-letters-more" => format!("{token}AAAA"),
        "flipped-header" => format!("{}.{payload}.{signature}", flip_letter(header)),
        "flipped-payload" => format!("{header}.{}.{signature}", flip_letter(payload)),
        _ => return None,
    })
}

/// A signature that must not verify; but for ECDSA's `negated-s`, which holds as well as the one
/// that it is made of.
fn signature(parts: &Parts<'_>, how: &str) -> Option<Vec<u8>> {
    let mut bytes = parts.signature();
    let half = bytes.len() / 2;
    let hmac = |secret: &[u8]| {
        Some(sign(
            &parts.signing_input,
            &EncodingKey::from_secret(secret),
            "HS256",
        ))
    };
    match how {
        "hs256-public-der" => return hmac(&parts.key.rsa_public_der()),
        "hs256-public-pem" => return hmac(parts.key.rsa_public_pem().as_bytes()),
        "hs256-public-jwk" => return hmac(parts.key.jwk.to_string().as_bytes()),
        "hs256-modulus" => return hmac(&parts.key.member("n")),
        "hs256-empty" => return hmac(b""),
        "flipped-first-bit" => *bytes.first_mut()? ^= 0x80,
        "flipped-last-bit" => *bytes.last_mut()? ^= 1,
        "all-zero" => bytes.fill(0),
        "all-ones" => bytes.fill(0xff),
        "zero-r" => bytes[..half].fill(0),
        "zero-s" => bytes[half..].fill(0),
        "order-r" => bytes[..half].copy_from_slice(order(half)),
        "order-s" => bytes[half..].copy_from_slice(order(half)),
        "negated-s" => {
            let other = subtract(order(half), &bytes[half..]);
            bytes[half..].copy_from_slice(&other);
        }
        "swapped-halves" => bytes.rotate_left(half),
        "der" => {
            bytes = der(
                0x30,
                &[der_integer(&bytes[..half]), der_integer(&bytes[half..])].concat(),
            );
        }
        "one-byte-less" => drop(bytes.pop()),
        "one-byte-more" => bytes.push(0),
        "leading-zero" => bytes.insert(0, 0),
        "plus-modulus" => bytes = plus_modulus(parts),
        "plus-group-order" => {
            bytes.reverse();
            let sum = add(&bytes[..half], &ED25519_ORDER);
            let point = bytes[half..].to_vec();
            bytes = [&sum[sum.len() - half..], &point].concat();
            bytes.reverse();
        }
        "modulus" => bytes = parts.key.member("n"),
        _ => return None,
    }
    Some(bytes)
}

/// A valid signature with the modulus added: congruent, and out of range (RFC 8017 §5.2.2).
///
/// With a salt every signature is another one, so one is looked for whose sum is no byte longer.
fn plus_modulus(parts: &Parts<'_>) -> Vec<u8> {
    let modulus = parts.key.member("n");
    let sums = (0..64).map(|_| add(&parts.signature(), &modulus));
    let mut longest = Vec::new();
    for sum in sums {
        if sum.len() == modulus.len() {
            return sum;
        }
        longest = sum;
    }
    longest
}

/// The sum of two big-endian numbers, one byte longer where it carries over.
fn add(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut carry = 0u16;
    let mut sum: Vec<u8> = left
        .iter()
        .rev()
        .zip(right.iter().rev())
        .map(|(left, right)| {
            let [high, low] = (u16::from(*left) + u16::from(*right) + carry).to_be_bytes();
            carry = u16::from(high);
            low
        })
        .collect();
    if carry > 0 {
        sum.push(1);
    }
    sum.reverse();
    sum
}

/// The difference of two big-endian numbers of one length, the first being the larger.
fn subtract(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut borrowed = 0;
    let mut difference: Vec<u8> = left
        .iter()
        .rev()
        .zip(right.iter().rev())
        .map(|(left, right)| {
            let digit = i16::from(*left) - i16::from(*right) - borrowed;
            borrowed = i16::from(digit < 0);
            digit.to_le_bytes()[0]
        })
        .collect();
    difference.reverse();
    difference
}

/// The group order of the curve whose scalars are so many bytes long.
fn order(length: usize) -> &'static [u8] {
    if length == P256_ORDER.len() {
        &P256_ORDER
    } else {
        &P384_ORDER
    }
}

/// Sets a bit of the last letter that encodes no byte: the decoded bytes stay the same.
///
/// A 256-byte signature leaves four such bits, a 64-byte one four, a 96-byte one none.
fn other_last_letter(text: &str) -> String {
    let (head, last) = text.split_at(text.len() - 1);
    let last = ALPHABET.find(last).expect("a letter of base64url");
    let other = ALPHABET
        .get(last + 1..last + 2)
        .expect("a last letter with spare bits is never the last of the alphabet");
    format!("{head}{other}")
}

/// Another letter in the middle.
fn flip_letter(text: &str) -> String {
    let middle = text.len() / 2;
    let other = if &text[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &text[..middle], &text[middle + 1..])
}

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// SEC 2 §2.4.2, §2.5.1.
const P256_ORDER: [u8; 32] =
    hex(b"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const P384_ORDER: [u8; 48] =
    hex(b"ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973");
// RFC 8032 §5.1, big-endian here.
const ED25519_ORDER: [u8; 32] =
    hex(b"1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");

const fn hex<const N: usize>(text: &[u8]) -> [u8; N] {
    const fn nibble(digit: u8) -> u8 {
        if digit.is_ascii_digit() {
            digit - b'0'
        } else {
            digit - b'a' + 10
        }
    }
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]);
        i += 1;
    }
    bytes
}
