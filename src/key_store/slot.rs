//! What the workers of one process share of one document: who fetches it, when it is due, and what
//! it was.
//!
//! Workers keep it in the host's shared data, which has no expiry and cannot be removed from: one
//! value for each document, always overwritten, and named by what is fetched, so that
//! configurations with different sources never meet. Whoever can write there is believed as the
//! issuer is, and no further: the document goes through the same parser, and implausible timestamps
//! are ignored.

use std::time::Duration;

use crate::time::UnixTime;
use crate::token::{fingerprint, jwk_set};

use super::source::{Addresses, Remote};

/// What the slot holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Slot<'a> {
    /// Who fetches.
    pub(super) lease: Option<Lease>,
    /// When the next fetch is due, or may be tried after a failure.
    pub(super) due: Option<UnixTime>,
    /// Failures since the last success.
    pub(super) failures: u32,
    /// Which of the two metadata addresses is tried next.
    pub(super) second_address: bool,
    /// When a refresh was last requested before its time.
    pub(super) last_early: Option<UnixTime>,
    /// The last good answer.
    pub(super) document: Option<FetchedDocument<'a>>,
}

/// The right to fetch, for some time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Lease {
    /// A worker's own number.
    pub(super) holder: u64,
    /// When others may take it, whatever has become of the holder.
    pub(super) until: UnixTime,
}

/// An answer of the issuer's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FetchedDocument<'a> {
    /// When it came.
    pub(super) fetched_at: UnixTime,
    /// How long it is fresh by its own word.
    pub(super) granted: Option<Duration>,
    /// The JWK Set, byte for byte.
    pub(super) body: &'a [u8],
}

impl<'a> Slot<'a> {
    /// Reads a value; `None` where it is not one of ours.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, body) = bytes.split_first_chunk::<HEAD>()?;
        if body.len() > jwk_set::MAX_BYTES {
            return None;
        }
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(head.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let [
            holder,
            until,
            due,
            failures,
            second_address,
            early,
            fetched,
            granted,
        ] = words;
        let moment = UnixTime::from_millis;
        Some(Self {
            lease: moment(until).map(|until| Lease { holder, until }),
            due: moment(due),
            failures: u32::try_from(failures).ok()?,
            second_address: second_address == 1,
            last_early: moment(early),
            document: moment(fetched).map(|fetched_at| FetchedDocument {
                fetched_at,
                granted: (granted != NONE).then_some(Duration::from_millis(granted)),
                body,
            }),
        })
    }

    /// Writes a value.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let millis = |time: Option<UnixTime>| time.map_or(NONE, UnixTime::millis);
        let granted = self.document.and_then(|document| document.granted);
        let granted = granted.and_then(|granted| u64::try_from(granted.as_millis()).ok());
        let words = [
            self.lease.map_or(0, |lease| lease.holder),
            millis(self.lease.map(|lease| lease.until)),
            millis(self.due),
            u64::from(self.failures),
            u64::from(self.second_address),
            millis(self.last_early),
            millis(self.document.map(|document| document.fetched_at)),
            granted.unwrap_or(NONE),
        ];
        let body = self.document.map_or(&[][..], |document| document.body);
        let mut bytes = Vec::with_capacity(HEAD.saturating_add(body.len()));
        for word in words {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(body);
        bytes
    }

    /// Whether its times can be: nothing has happened after `now`, and nothing is put off for
    /// longer than any worker would.
    pub(super) fn is_believable(&self, now: UnixTime, longest_wait: Duration) -> bool {
        let soon = now.after(CLOCK_SLACK);
        let has_been = |time: Option<UnixTime>| time.is_none_or(|time| time <= soon);
        let leased = self.lease.map(|lease| lease.until);
        has_been(self.last_early)
            && has_been(self.document.map(|document| document.fetched_at))
            && leased.is_none_or(|until| until <= soon.after(LONGEST_LEASE))
            && (self.failures == 0 || self.due.is_none_or(|due| due <= soon.after(longest_wait)))
    }
}

/// What came of a look at what the workers share.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Consulted {
    /// To be written there, if nobody has meanwhile.
    pub write: Option<Vec<u8>>,
    /// Whether newer keys were there, and are used from now on.
    pub took: bool,
}

/// The name of a document's slot: the same for all that request the same document from the same
/// cluster.
pub(super) fn name(remote: &Remote) -> String {
    let uri = match &remote.addresses {
        Addresses::Known(uri) => uri.to_string(),
        // No URI is empty.
        Addresses::Discovered(_) => String::new(),
    };
    let mut input = Vec::new();
    for part in [&*remote.issuer, &*remote.cluster, &uri] {
        // Its length first, or else two texts could be cut in two ways.
        input.extend_from_slice(&part.len().to_le_bytes());
        input.extend_from_slice(part.as_bytes());
    }
    let mut name = String::from(PREFIX);
    fingerprint::digest_onto(&mut name, &input, NAMED_BYTES);
    name
}

/// The second part is the version of the encoding.
const PREFIX: &str = "oam_filter.1.keys.";

/// 128 bits of the digest.
const NAMED_BYTES: usize = 16;

/// So many numbers go before the body.
const WORDS: usize = 8;

const HEAD: usize = WORDS * size_of::<u64>();

/// No time of ours.
const NONE: u64 = u64::MAX;

/// Two requests of at most a minute each, and what may pass before their answers are reported.
pub(super) const LONGEST_LEASE: Duration = Duration::from_secs(150);

/// A worker read the clock, and then read what another wrote meanwhile.
const CLOCK_SLACK: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callout::uri::HttpsUri;
    use crate::key_store::source::Schedule;
    use proptest::prelude::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    const FULL: Slot<'_> = Slot {
        lease: Some(Lease {
            holder: 7,
            until: UnixTime::EPOCH,
        }),
        due: Some(UnixTime::MAX),
        failures: 3,
        second_address: true,
        last_early: Some(UnixTime::EPOCH),
        document: Some(FetchedDocument {
            fetched_at: UnixTime::MAX,
            granted: Some(Duration::from_mins(10)),
            body: b"{}",
        }),
    };

    #[test]
    fn what_was_written_is_read() {
        let silent = FetchedDocument {
            granted: None,
            body: b"",
            ..FULL.document.unwrap()
        };
        #[rustfmt::skip]
        let cases = [
            // name                    slot
            ("nothing",                Slot::default()),
            ("everything",             FULL),
            ("a lease alone",          Slot { lease: FULL.lease, ..Slot::default() }),
            ("keys of no said age",    Slot { document: Some(silent), ..FULL }),
        ];
        for (name, slot) in cases {
            assert_eq!(Slot::parse(&slot.to_bytes()), Some(slot), "{name}");
        }
        let mut bytes = Slot::default().to_bytes();
        bytes.resize(HEAD + jwk_set::MAX_BYTES, 0);
        assert!(Slot::parse(&bytes).is_some());
        bytes.push(0);
        assert_eq!(Slot::parse(&bytes), None, "larger than a document may be");
        assert_eq!(Slot::parse(&bytes[..HEAD - 1]), None, "cut short");
    }

    #[test]
    fn times_that_cannot_be_are_not_believed() {
        let now = at(1000);
        let wait = Duration::from_mins(5);
        let lease = |until| Slot {
            lease: Some(Lease { holder: 7, until }),
            ..Slot::default()
        };
        let early = |time| Slot {
            last_early: Some(time),
            ..Slot::default()
        };
        let fetched = |fetched_at| Slot {
            document: Some(FetchedDocument {
                fetched_at,
                granted: None,
                body: b"",
            }),
            ..Slot::default()
        };
        let due = |failures, due| Slot {
            failures,
            due: Some(due),
            ..Slot::default()
        };
        #[rustfmt::skip]
        let cases = [
            // name                                slot                       want
            ("nothing",                            Slot::default(),           true),
            ("fetched just now, by another clock", fetched(at(1005)),         true),
            ("fetched in time to come",            fetched(at(1006)),         false),
            ("asked early just now",               early(at(1005)),           true),
            ("asked early in time to come",        early(at(1006)),           false),
            ("the longest lease",                  lease(at(1155)),           true),
            ("a longer one",                       lease(at(1156)),           false),
            ("the longest back-off",               due(1, at(1305)),          true),
            ("a longer one",                       due(1, at(1306)),          false),
            ("a refresh tomorrow",                 due(0, at(87_400)),        true),
        ];
        for (name, slot, want) in cases {
            assert_eq!(slot.is_believable(now, wait), want, "{name}");
        }
    }

    #[test]
    fn whoever_asks_something_else_has_another_slot() {
        let name_of = |cluster, issuer, uri: Option<&str>, minutes| {
            let schedule = Schedule {
                timeout: Duration::from_secs(minutes),
                refresh: Duration::from_mins(minutes),
                max_stale: Duration::from_hours(1),
            };
            let uri = uri.map(|uri| HttpsUri::parse(uri).unwrap());
            name(&Remote::new(cluster, issuer, uri, &schedule).unwrap())
        };
        let keys = Some("https://a.example/keys");
        let base = name_of("idp", "https://a.example", keys, 1);
        assert_eq!(base.len(), PREFIX.len() + 32);
        assert_eq!(base, name_of("idp", "https://a.example", keys, 2));
        let others = [
            name_of("idp2", "https://a.example", keys, 1),
            name_of("idp", "https://b.example", keys, 1),
            name_of(
                "idp",
                "https://a.example",
                Some("https://a.example/other"),
                1,
            ),
            name_of("idp", "https://a.example", None, 1),
        ];
        for (place, other) in others.iter().enumerate() {
            assert_ne!(base, *other, "{place}");
            assert!(!others[..place].contains(other), "{place}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_there_is_read_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(slot) = Slot::parse(&bytes) {
                let (again, now) = (slot.to_bytes(), at(1000));
                prop_assert_eq!(Slot::parse(&again), Some(slot));
                slot.is_believable(now, Duration::ZERO);
            }
        }
    }
}
