//! The names of headers that are looked up in a head: each is found once, while the map is read.

use super::name::{Key, same_name};

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct Known {
    name: &'static str,
    key: Key,
    /// Its place among [`Known::ALL`].
    place: usize,
}

impl Known {
    pub(super) const AUTHORITY: Self = Self::new(0, ":authority");
    pub(super) const AUTHORIZATION: Self = Self::new(1, "authorization");
    pub(super) const AZURE_MANAGEMENT_TOKEN: Self =
        Self::new(2, "x-databricks-azure-sp-management-token");
    pub(super) const CONNECTION: Self = Self::new(3, "connection");
    pub(super) const DPOP: Self = Self::new(4, "dpop");
    pub(super) const GCP_ACCESS_TOKEN: Self = Self::new(5, "x-databricks-gcp-sa-access-token");
    pub(super) const HOST: Self = Self::new(6, "host");
    pub(super) const HTTP2_SETTINGS: Self = Self::new(7, "http2-settings");
    pub(super) const MCP_METHOD: Self = Self::new(8, "mcp-method");
    pub(super) const MCP_NAME: Self = Self::new(9, "mcp-name");
    pub(super) const MCP_PROTOCOL_VERSION: Self = Self::new(10, "mcp-protocol-version");
    pub(super) const METHOD: Self = Self::new(11, ":method");
    pub(super) const ORG_ID: Self = Self::new(12, "x-databricks-org-id");
    pub(super) const PATH: Self = Self::new(13, ":path");
    pub(super) const PROTOCOL: Self = Self::new(14, ":protocol");
    pub(super) const REQUEST_ID: Self = Self::new(15, "x-request-id");
    pub(super) const TRACE_PARENT: Self = Self::new(16, "traceparent");
    pub(super) const UPGRADE: Self = Self::new(17, "upgrade");
    pub(super) const USER_AGENT: Self = Self::new(18, "user-agent");
    pub(super) const WORKSPACE_ID: Self = Self::new(19, "x-databricks-workspace-id");

    const ALL: [Self; 20] = [
        Self::AUTHORITY,
        Self::AUTHORIZATION,
        Self::AZURE_MANAGEMENT_TOKEN,
        Self::CONNECTION,
        Self::DPOP,
        Self::GCP_ACCESS_TOKEN,
        Self::HOST,
        Self::HTTP2_SETTINGS,
        Self::MCP_METHOD,
        Self::MCP_NAME,
        Self::MCP_PROTOCOL_VERSION,
        Self::METHOD,
        Self::ORG_ID,
        Self::PATH,
        Self::PROTOCOL,
        Self::REQUEST_ID,
        Self::TRACE_PARENT,
        Self::UPGRADE,
        Self::USER_AGENT,
        Self::WORKSPACE_ID,
    ];

    const fn new(place: usize, name: &'static str) -> Self {
        let key = Key::of(name.as_bytes());
        Self { name, key, place }
    }

    /// Whether a name is one of them, in whichever spelling.
    pub(super) fn has(key: Key, name: &[u8]) -> bool {
        Self::find(key, name).is_some()
    }

    /// The one that a name spells.
    #[inline]
    fn find(key: Key, name: &[u8]) -> Option<&'static Self> {
        let place = TABLE.get(key.spread(TABLE_BITS))?;
        let known = Self::ALL.get(usize::from(*place))?;
        (known.key == key && same_name(name, known.name)).then_some(known)
    }

    /// The name.
    pub(super) const fn name(self) -> &'static str {
        self.name
    }
}

/// For each name that is known, where it stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Places([HeaderPlace; Known::ALL.len()]);

/// Where a name stands, in whichever spelling.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct HeaderPlace {
    /// The first pair of that name.
    pub(super) first: Option<usize>,
    /// Whether there is another.
    pub(super) is_repeated: bool,
}

impl Places {
    /// Notes where a name stands, if it is one of those that are known.
    pub(super) fn note(&mut self, key: Key, name: &[u8], pair: usize) {
        if let Some(known) = Known::find(key, name)
            && let Some(place) = self.0.get_mut(known.place)
        {
            place.is_repeated = place.first.is_some();
            place.first = place.first.or(Some(pair));
        }
    }

    /// Where a name stands.
    pub(super) fn of(&self, known: Known) -> HeaderPlace {
        self.0.get(known.place).copied().unwrap_or_default()
    }
}

/// For each number to which keys are [spread](Key::spread), the place of the name whose key comes
/// to it: there is no more than one.
#[rustfmt::skip]
const TABLE: [u8; 1 << TABLE_BITS] = [
    NO, NO, NO, 13,  0, 18,  6, 19, NO, 17, NO, NO, NO, NO, 11,  8,
     1,  3, 15, NO,  9, 12,  4,  7,  2, 14, NO, NO, 16, 10,  5, NO,
];

const TABLE_BITS: u32 = 5;

/// No name's place.
const NO: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_a_place_of_its_own() {
        for (place, known) in Known::ALL.into_iter().enumerate() {
            assert_eq!(known.place, place, "{}", known.name);
            let mut places = Places::default();
            for (pair, spelling) in [known.name, &known.name.to_ascii_uppercase()]
                .into_iter()
                .enumerate()
            {
                places.note(Key::of(spelling.as_bytes()), spelling.as_bytes(), pair);
            }
            let want = HeaderPlace {
                first: Some(0),
                is_repeated: true,
            };
            assert_eq!(places.of(known), want, "{}", known.name);
        }
    }
}
