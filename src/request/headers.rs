//! The headers of a request as a host hands them over, and which of them no permitted request
//! keeps.

use super::cookies::COOKIE;
use super::credential;
use super::known::{Known, Places};
use super::name::{Key, has_prefix, same_name};

/// The head of a request as the host gives it: lower-case names, repeats in order, values as bytes.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Headers {
    /// Every name and value, each with a NUL behind it, as hosts write them.
    text: Vec<u8>,
    pairs: Vec<Pair>,
    known: Places,
}

/// A header that some servers read otherwise than others.
pub(super) struct NotPlain;

/// Where a name and its value stand: a name, a NUL, a value.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Pair {
    key: Key,
    start: usize,
    name_bytes: usize,
    value_bytes: usize,
}

impl Headers {
    /// Takes every pair of the head, pseudo-headers (`:method`, `:path`, `:authority`) included.
    pub fn new(pairs: Vec<(String, Vec<u8>)>) -> Self {
        let mut headers = Self::default();
        for (name, value) in pairs {
            headers.push(name.as_bytes(), &value);
        }
        headers
    }

    /// Takes a header map as proxy-wasm hosts write it: the number of pairs, the lengths of each
    /// name and value, then these, each with a NUL behind it; numbers are 32 bits, the lowest
    /// first.
    ///
    /// `None` where these lengths lead beyond the bytes, or a name is not ASCII, which no codec
    /// lets through. Bytes behind the last pair belong to none.
    pub fn from_map(map: Vec<u8>) -> Option<Self> {
        let mut headers = Self::default();
        headers.read(&map)?;
        headers.text = map;
        Some(headers)
    }

    /// The values of a name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.with_key(Key::of(name.as_bytes()))
            .filter(move |(candidate, _)| *candidate == name.as_bytes())
            .map(|(_, value)| value)
    }

    /// The values of a name in whichever spelling, in order.
    pub(super) fn all_spelled<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.with_key(Key::of(name.as_bytes()))
            .filter(move |(candidate, _)| same_name(candidate, name))
            .map(|(_, value)| value)
    }

    /// The first value of a name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.with_key(Key::of(name.as_bytes()))
            .find(|(candidate, _)| *candidate == name.as_bytes())
            .map(|(_, value)| value)
    }

    /// The first value of a name in whichever spelling, and whether there is another.
    #[inline]
    pub(super) fn spelled(&self, known: Known) -> (Option<&[u8]>, bool) {
        let place = self.known.of(known);
        let value = place.first.and_then(|pair| self.pairs.get(pair));
        (value.map(|pair| self.texts(pair).1), place.is_repeated)
    }

    /// The first value of a name that is spelled as it should be.
    pub(super) fn first_known(&self, known: Known) -> Option<&[u8]> {
        let pair = self.pairs.get(self.known.of(known).first?)?;
        let (name, value) = self.texts(pair);
        if name == known.name().as_bytes() {
            return Some(value);
        }
        self.first(known.name())
    }

    /// The value of a name, if it is there; an error where it comes twice, or in another spelling
    /// alone, which some servers take for the name and some do not.
    pub(super) fn plainly(&self, known: Known) -> Result<Option<&[u8]>, NotPlain> {
        match self.spelled(known) {
            (None, _) => Ok(None),
            (Some(_), true) => Err(NotPlain),
            (Some(_), false) => self.first_known(known).ok_or(NotPlain).map(Some),
        }
    }

    /// The names that a permitted request loses before it goes upstream, each once.
    ///
    /// Ours (`x-oam-*`), so that nobody but the filter speaks through them; other gateways'
    /// statements of identity; and headers by which an upstream could read another method, path,
    /// host or caller than the one judged. Names are compared with `_` and `.` as `-`: some servers
    /// take one for the other.
    pub fn to_remove(&self, kept: Kept) -> Vec<&str> {
        let keeps_authorization = match kept {
            Kept::All => credential::bearer_token(self).is_none(),
            Kept::Cookies => false,
            Kept::Token => true,
        };
        let mut names = Vec::new();
        for (pair, (name, _)) in self.pairs.iter().zip(self.pairs()) {
            let removed = is_removed(pair.key, name)
                || (kept == Kept::Token && same_name(name, COOKIE))
                // It was for the gateway, except where clients sign in.
                || (kept != Kept::All && same_name(name, "dpop"))
                || (!keeps_authorization && same_name(name, "authorization"));
            if removed
                && let Ok(name) = str::from_utf8(name)
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    }

    /// Whether no caller's header of this name goes upstream, whatever the request.
    pub(super) fn is_removed(name: &[u8]) -> bool {
        is_removed(Key::of(name), name)
    }

    /// The names that trailers lose before they go upstream, each once.
    ///
    /// RFC 9110 §6.5.1: nothing stands behind a body that authenticates, routes or changes a
    /// request. So besides what a head loses no name stays by which a head is judged: an upstream
    /// that merges the two would go by something that nobody looked at.
    pub(super) fn to_remove_from_trailers(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for (pair, (name, _)) in self.pairs.iter().zip(self.pairs()) {
            let removed = is_removed(pair.key, name)
                || Known::has(pair.key, name)
                || OF_HEADS.iter().any(|of_heads| same_name(name, of_heads));
            if removed
                && let Ok(name) = str::from_utf8(name)
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    }

    /// As much of a head as records and answers quote.
    #[must_use]
    pub fn quoted(&self) -> Self {
        let mut quoted = Self::default();
        for name in QUOTED {
            if let Some(value) = self.first(name) {
                quoted.push(name.as_bytes(), value);
            }
        }
        quoted
    }

    /// How many bytes these headers hold.
    pub const fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().map(|pair| self.texts(pair))
    }

    fn with_key(&self, key: Key) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs
            .iter()
            .filter(move |pair| pair.key == key)
            .map(|pair| self.texts(pair))
    }

    fn push(&mut self, name: &[u8], value: &[u8]) {
        self.add(self.text.len(), name, value.len());
        for text in [name, value] {
            self.text.extend_from_slice(text);
            self.text.push(0);
        }
    }

    /// Adds a pair whose name stands here in the text.
    fn add(&mut self, start: usize, name: &[u8], value_bytes: usize) {
        let key = Key::of(name);
        self.known.note(key, name, self.pairs.len());
        self.pairs.push(Pair {
            key,
            start,
            name_bytes: name.len(),
            value_bytes,
        });
    }

    /// Adds the pairs of a header map, which is to be the text; `None` where it is none.
    fn read(&mut self, map: &[u8]) -> Option<()> {
        let (count, lengths) = number(map)?;
        let table = count.checked_mul(LENGTHS_BYTES)?;
        let (mut lengths, _) = lengths.split_at_checked(table)?;
        let mut end = NUMBER_BYTES.checked_add(table)?;
        self.pairs.reserve_exact(count);
        while !lengths.is_empty() {
            let (name_bytes, rest) = number(lengths)?;
            let (value_bytes, rest) = number(rest)?;
            lengths = rest;
            let start = end;
            let name = map.get(start..start.checked_add(name_bytes)?)?;
            // Each has its NUL.
            end = [name_bytes, 1, value_bytes, 1]
                .into_iter()
                .try_fold(start, usize::checked_add)?;
            if end > map.len() || !name.is_ascii() {
                return None;
            }
            self.add(start, name, value_bytes);
        }
        Some(())
    }

    /// The name and the value of a pair.
    fn texts(&self, pair: &Pair) -> (&[u8], &[u8]) {
        let pair_texts = || {
            let (name, rest) = self
                .text
                .get(pair.start..)?
                .split_at_checked(pair.name_bytes)?;
            let (_, rest) = rest.split_first()?;
            Some((name, rest.get(..pair.value_bytes)?))
        };
        pair_texts().unwrap_or_default()
    }
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<NUMBER_BYTES>()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

/// Which of the caller's own credentials go upstream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// All but a JWT in `Authorization`, which nobody verified: the call is how clients sign in, by
    /// Basic or by cookie.
    All,
    /// Cookies, which a sign-in page needs, and no `Authorization`: nobody judged it, so a public
    /// path must not be a way in for it.
    Cookies,
    /// The access token that was judged. A browser's session would be a second credential beside
    /// it, which no policy judged.
    Token,
}

/// Whether no caller's header of this name goes upstream.
fn is_removed(key: Key, name: &[u8]) -> bool {
    // Nearly all names are sorted out by their first letter, and those with an `x` by that behind
    // the hyphen.
    let third = name.get(2).map(u8::to_ascii_lowercase);
    matches!(key.first(), b'f' | b'p' | b'r' | b'x')
        && ((third == Some(b'o') && is_ours(name))
            || (third == Some(b'a') && has_prefix(name, REMOVED_PREFIX))
            || REMOVED
                .iter()
                .any(|(removed, known)| *removed == key && same_name(name, known)))
}

/// Whether a name is one that only the filter sets.
fn is_ours(name: &[u8]) -> bool {
    has_prefix(name, "x-oam-")
}

/// Statements that no caller may make: another gateway's identity headers, method, path and host
/// overrides that frameworks honour, Databricks' internal routing, a proxy's own credential, and
/// Azure's way of picking a workspace by its resource, which goes with a credential that is
/// refused.
const REMOVED: [(Key, &str); 26] = [
    keyed("forwarded"),
    keyed("proxy-authorization"),
    keyed("remote-user"),
    keyed("x-amzn-oidc-accesstoken"),
    keyed("x-api-key"),
    keyed("x-databricks-azure-workspace-resource-id"),
    keyed("x-databricks-traffic-id"),
    keyed("x-forwarded-access-token"),
    keyed("x-forwarded-email"),
    keyed("x-forwarded-groups"),
    keyed("x-forwarded-host"),
    keyed("x-forwarded-prefix"),
    keyed("x-forwarded-preferred-username"),
    keyed("x-forwarded-uri"),
    keyed("x-forwarded-user"),
    keyed("x-host"),
    keyed("x-http-method"),
    keyed("x-http-method-override"),
    keyed("x-method-override"),
    keyed("x-ms-token-aad-access-token"),
    keyed("x-ms-token-aad-id-token"),
    keyed("x-original-host"),
    keyed("x-original-uri"),
    keyed("x-original-url"),
    keyed("x-remote-user"),
    keyed("x-rewrite-url"),
];

/// What [`Envelope`](super::envelope::Envelope) and
/// [`Recipient`](super::envelope::Recipient) read.
const QUOTED: [&str; 10] = [
    ":authority",
    ":method",
    ":path",
    "content-type",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "traceparent",
    "user-agent",
    "x-request-id",
];

/// What a head is read for besides the names that are known: credentials of browsers, and how a
/// form is written.
const OF_HEADS: [&str; 5] = [
    "content-encoding",
    "content-type",
    COOKIE,
    "sec-websocket-protocol",
    "set-cookie",
];

/// What other gateways' sign-in proxies set.
const REMOVED_PREFIX: &str = "x-auth-request-";

const fn keyed(name: &str) -> (Key, &str) {
    (Key::of(name.as_bytes()), name)
}

/// A number of a header map.
const NUMBER_BYTES: usize = 4;

/// The two lengths of a pair.
const LENGTHS_BYTES: usize = 2 * NUMBER_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_read_as_hosts_write_it() {
        let one: &[u8] = b"\x01\0\0\0\x05\0\0\0\x02\0\0\0:path\0/a\0";
        let two: &[u8] = b"\x02\0\0\0\x01\0\0\0\x00\0\0\0\x01\0\0\0\x02\0\0\0a\0\0b\0\xff\0\0";
        let (huge, long) = (
            b"\xff\xff\xff\xff",
            b"\x01\0\0\0\xff\xff\xff\xff\x01\0\0\0a\0b\0",
        );
        #[rustfmt::skip]
        let cases: [(&str, &[u8], &[(&[u8], &[u8])]); 9] = [
            // name                      map                                                want
            ("one pair",                 one,                                               &[(b":path", b"/a")]),
            ("an empty value, a NUL",    two,                                               &[(b"a", b""), (b"b", b"\xff\0")]),
            ("none",                     b"\0\0\0\0",                                       &[]),
            ("nothing",                  b"",                                               &[]),
            ("cut",                      one.split_last().unwrap().1,                       &[]),
            ("cut in the lengths",       one.get(..9).unwrap(),                             &[]),
            ("too many to be there",     huge,                                              &[]),
            ("too long to be there",     long,                                              &[]),
            ("a name past ASCII",        b"\x01\0\0\0\x01\0\0\0\x01\0\0\0\xff\0b\0",     &[]),
        ];
        for (name, map, want) in cases {
            let headers = Headers::from_map(map.to_vec()).unwrap_or_default();
            assert_eq!(headers.pairs().collect::<Vec<_>>(), want, "{name}");
        }
    }

    #[test]
    fn every_name_that_is_removed_begins_as_is_removed_expects() {
        let removes = |name: &str| is_removed(Key::of(name.as_bytes()), name.as_bytes());
        for (_, name) in REMOVED {
            assert!(removes(name), "{name}");
            assert!(
                removes(&name.to_ascii_uppercase().replace('-', "_")),
                "{name}"
            );
        }
        for prefix in [REMOVED_PREFIX, "x-oam-"] {
            assert!(removes(&format!("{prefix}a")), "{prefix}");
        }
    }
}
