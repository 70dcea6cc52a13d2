//! Names of headers, compared as the most careless server would: in any case, and with `_` and `.` as `-`.

/// Whether a header name is the lower-case `known` one, whichever case it has and with `_` as `-`.
pub(super) fn same_name(name: &[u8], known: &str) -> bool {
    name.len() == known.len() && has_prefix(name, known)
}

/// Whether a header name begins so.
pub(super) fn has_prefix(name: &[u8], known: &str) -> bool {
    name.len() >= known.len()
        && name.iter().zip(known.bytes()).all(|(&byte, known)| {
            byte == known
                || byte.to_ascii_lowercase() == known
                || (matches!(byte, b'_' | b'.') && known == b'-')
        })
}

/// What any two spellings of a name have in common, and few other names share: a number is compared faster than a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Key(u32);

impl Key {
    /// The key of a name: its length and three of its bytes.
    pub(super) const fn of(name: &[u8]) -> Self {
        let [length, ..] = name.len().to_le_bytes();
        let first = match name {
            [first, ..] => *first,
            [] => 0,
        };
        let last = match name {
            [.., last] => *last,
            [] => 0,
        };
        let middle = match name.split_at_checked(name.len() / 2) {
            Some((_, [middle, ..])) => *middle,
            Some((_, [])) | None => 0,
        };
        Self(u32::from_le_bytes([
            length,
            folded(first),
            folded(middle),
            folded(last),
        ]))
    }

    /// The first letter, in lower case.
    pub(super) const fn first(self) -> u8 {
        let [_, first, ..] = self.0.to_le_bytes();
        first
    }

    /// One of the bits of a [`Filter`].
    const fn bit(self) -> Filter {
        let spread = self.0.wrapping_mul(ODD);
        1_u64.wrapping_shl(spread >> (u32::BITS - 6))
    }

    /// Whether this may be the key of a name that a filter was made of.
    pub(super) const fn may_be_in(self, filter: Filter) -> bool {
        filter & self.bit() != 0
    }
}

/// A set of keys that is asked at once, and sometimes has a key too many.
pub(super) type Filter = u64;

/// The filter of these names.
pub(super) const fn filter(names: &[(Key, &str)]) -> Filter {
    let mut filter = 0;
    let mut rest = names;
    while let [(key, _), others @ ..] = rest {
        filter |= key.bit();
        rest = others;
    }
    filter
}

/// 2³² over the golden ratio, as Fibonacci hashing has it.
const ODD: u32 = 0x9e37_79b9;

/// One byte for all that a server might take it for.
const fn folded(byte: u8) -> u8 {
    match byte {
        b'_' | b'.' => b'-',
        byte => byte.to_ascii_lowercase(),
    }
}

/// The names that every head is asked for. They are found once, while the map is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Known {
    Authority,
    Authorization,
    AzureManagementToken,
    GcpAccessToken,
    Host,
    Method,
    OrgId,
    Path,
    RequestId,
    UserAgent,
    WorkspaceId,
}

impl Known {
    /// The name of which this is a spelling.
    pub(super) fn of(key: Key, name: &[u8]) -> Option<Self> {
        let known = match key {
            AUTHORITY => Self::Authority,
            AUTHORIZATION => Self::Authorization,
            AZURE_MANAGEMENT_TOKEN => Self::AzureManagementToken,
            GCP_ACCESS_TOKEN => Self::GcpAccessToken,
            HOST => Self::Host,
            METHOD => Self::Method,
            ORG_ID => Self::OrgId,
            PATH => Self::Path,
            REQUEST_ID => Self::RequestId,
            USER_AGENT => Self::UserAgent,
            WORKSPACE_ID => Self::WorkspaceId,
            _ => return None,
        };
        same_name(name, known.name()).then_some(known)
    }

    /// The name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Authority => ":authority",
            Self::Authorization => "authorization",
            Self::AzureManagementToken => "x-databricks-azure-sp-management-token",
            Self::GcpAccessToken => "x-databricks-gcp-sa-access-token",
            Self::Host => "host",
            Self::Method => ":method",
            Self::OrgId => "x-databricks-org-id",
            Self::Path => ":path",
            Self::RequestId => "x-request-id",
            Self::UserAgent => "user-agent",
            Self::WorkspaceId => "x-databricks-workspace-id",
        }
    }

    const fn key(self) -> Key {
        Key::of(self.name().as_bytes())
    }
}

const AUTHORITY: Key = Known::Authority.key();
const AUTHORIZATION: Key = Known::Authorization.key();
const AZURE_MANAGEMENT_TOKEN: Key = Known::AzureManagementToken.key();
const GCP_ACCESS_TOKEN: Key = Known::GcpAccessToken.key();
const HOST: Key = Known::Host.key();
const METHOD: Key = Known::Method.key();
const ORG_ID: Key = Known::OrgId.key();
const PATH: Key = Known::Path.key();
const REQUEST_ID: Key = Known::RequestId.key();
const USER_AGENT: Key = Known::UserAgent.key();
const WORKSPACE_ID: Key = Known::WorkspaceId.key();

/// For each name that is known, where it stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Places {
    authority: Place,
    authorization: Place,
    azure_management_token: Place,
    gcp_access_token: Place,
    host: Place,
    method: Place,
    org_id: Place,
    path: Place,
    request_id: Place,
    user_agent: Place,
    workspace_id: Place,
}

/// Where a name stands, in whichever spelling.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Place {
    /// The first pair of that name.
    pub(super) first: Option<usize>,
    /// Whether there is another.
    pub(super) is_repeated: bool,
}

impl Places {
    /// Notes that a pair has a name.
    pub(super) fn note(&mut self, known: Known, pair: usize) {
        let place = self.of_mut(known);
        match place.first {
            None => place.first = Some(pair),
            Some(_) => place.is_repeated = true,
        }
    }

    /// Where a name stands.
    pub(super) const fn of(&self, known: Known) -> Place {
        match known {
            Known::Authority => self.authority,
            Known::Authorization => self.authorization,
            Known::AzureManagementToken => self.azure_management_token,
            Known::GcpAccessToken => self.gcp_access_token,
            Known::Host => self.host,
            Known::Method => self.method,
            Known::OrgId => self.org_id,
            Known::Path => self.path,
            Known::RequestId => self.request_id,
            Known::UserAgent => self.user_agent,
            Known::WorkspaceId => self.workspace_id,
        }
    }

    const fn of_mut(&mut self, known: Known) -> &mut Place {
        match known {
            Known::Authority => &mut self.authority,
            Known::Authorization => &mut self.authorization,
            Known::AzureManagementToken => &mut self.azure_management_token,
            Known::GcpAccessToken => &mut self.gcp_access_token,
            Known::Host => &mut self.host,
            Known::Method => &mut self.method,
            Known::OrgId => &mut self.org_id,
            Known::Path => &mut self.path,
            Known::RequestId => &mut self.request_id,
            Known::UserAgent => &mut self.user_agent,
            Known::WorkspaceId => &mut self.workspace_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spellings_of_a_name_are_one() {
        #[rustfmt::skip]
        let cases = [
            // name       known       want
            ("x-host",    "x-host",   true),
            ("X-Host",    "x-host",   true),
            ("x_host",    "x-host",   true),
            ("x.host",    "x-host",   true),
            ("x-hosts",   "x-host",   false),
            ("x-hos",     "x-host",   false),
            ("x+host",    "x-host",   false),
            ("",          "",         true),
        ];
        for (name, known, want) in cases {
            assert_eq!(same_name(name.as_bytes(), known), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn spellings_of_a_name_have_one_key(name in "[a-zA-Z_.-]{0,6}", known in "[a-c-]{0,6}") {
            if same_name(name.as_bytes(), &known) {
                prop_assert_eq!(Key::of(name.as_bytes()), Key::of(known.as_bytes()));
            }
            let twin = name.to_ascii_lowercase().replace(['_', '.'], "-");
            prop_assert!(same_name(name.as_bytes(), &twin));
            prop_assert_eq!(Key::of(name.as_bytes()), Key::of(twin.as_bytes()));
        }

        #[test]
        fn filters_leave_no_name_out(names in proptest::collection::vec("[a-z-]{0,12}", 0..40)) {
            let keyed: Vec<_> = names.iter().map(|name| (Key::of(name.as_bytes()), name.as_str())).collect();
            let filter = filter(&keyed);
            for (key, name) in keyed {
                prop_assert!(key.may_be_in(filter), "{name}");
            }
        }
    }
}
