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
}

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
    /// Each with its name.
    const ALL: [(Self, Key, &str); 11] = [
        keyed(Self::Authority, ":authority"),
        keyed(Self::Authorization, "authorization"),
        keyed(
            Self::AzureManagementToken,
            "x-databricks-azure-sp-management-token",
        ),
        keyed(Self::GcpAccessToken, "x-databricks-gcp-sa-access-token"),
        keyed(Self::Host, "host"),
        keyed(Self::Method, ":method"),
        keyed(Self::OrgId, "x-databricks-org-id"),
        keyed(Self::Path, ":path"),
        keyed(Self::RequestId, "x-request-id"),
        keyed(Self::UserAgent, "user-agent"),
        keyed(Self::WorkspaceId, "x-databricks-workspace-id"),
    ];

    /// The name of which this is a spelling.
    pub(super) fn of(key: Key, name: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known, text)| *known == key && same_name(name, text))
            .map(|(known, ..)| *known)
    }

    /// The name.
    pub(super) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(known, ..)| *known == self)
            .map_or("", |(_, _, name)| *name)
    }
}

const fn keyed(known: Known, name: &'static str) -> (Known, Key, &'static str) {
    (known, Key::of(name.as_bytes()), name)
}

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
    }
}
