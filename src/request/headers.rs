//! The headers of a request as a host hands them over, and which of them no permitted request keeps.

/// The head of a request as the host gives it: lower-case names, repeats in order, values as bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// Takes every pair of the head, pseudo-headers (`:method`, `:path`, `:authority`) included.
    pub fn new(pairs: Vec<(String, Vec<u8>)>) -> Self {
        Self(pairs)
    }

    /// The values of a name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The first value of a name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The names that a permitted request loses before it goes upstream, each once.
    ///
    /// Ours (`x-oam-*`), so that nobody but the filter speaks through them; other gateways' statements of identity; and headers by which
    /// an upstream could read another method, path, host or caller than the one judged. Names are compared with `_` and `.` as `-`: some
    /// servers take one for the other.
    pub fn to_remove(&self, kept: Kept) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.0 {
            let removed = is_ours(name)
                || REMOVED_PREFIXES
                    .iter()
                    .any(|prefix| has_prefix(name, prefix))
                || REMOVED.iter().any(|removed| same_name(name, removed))
                || (kept == Kept::Token && same_name(name, "cookie"))
                || (kept == Kept::Cookies && same_name(name, "authorization"));
            if removed && !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The names of ours among these headers or trailers.
    pub fn ours(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| is_ours(name))
    }

    /// How many bytes these headers hold.
    pub fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len().saturating_add(value.len()))
            .fold(0, usize::saturating_add)
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

/// Which of the caller's own credentials go upstream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// All: the call is how clients sign in, by Basic or by cookie.
    All,
    /// Cookies, which a sign-in page needs, and no `Authorization`: nobody judged it, so a public path must not be a way in for it.
    Cookies,
    /// The access token that was judged. A browser's session would be a second credential beside it, which no policy judged.
    Token,
}

/// Whether a header name is the lower-case `known` one, whichever case it has and with `_` as `-`.
pub(super) fn same_name(name: &str, known: &str) -> bool {
    name.len() == known.len() && has_prefix(name, known)
}

fn has_prefix(name: &str, known: &str) -> bool {
    name.len() >= known.len()
        && name.bytes().zip(known.bytes()).all(|(byte, known)| {
            let byte = byte.to_ascii_lowercase();
            byte == known || (matches!(byte, b'_' | b'.') && known == b'-')
        })
}

/// Whether a name is one that only the filter sets.
fn is_ours(name: &str) -> bool {
    has_prefix(name, "x-oam-")
}

/// Statements that no caller may make: another gateway's identity headers, method, path and host overrides that frameworks honour,
/// Databricks' internal routing, a proxy's own credential, and Azure's way of picking a workspace by its resource, which goes with a
/// credential that is refused.
const REMOVED: [&str; 23] = [
    "forwarded",
    "proxy-authorization",
    "remote-user",
    "x-api-key",
    "x-databricks-azure-workspace-resource-id",
    "x-databricks-traffic-id",
    "x-forwarded-access-token",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-host",
    "x-forwarded-prefix",
    "x-forwarded-preferred-username",
    "x-forwarded-uri",
    "x-forwarded-user",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-host",
    "x-original-uri",
    "x-original-url",
    "x-remote-user",
    "x-rewrite-url",
];

/// What other gateways' sign-in proxies set.
const REMOVED_PREFIXES: [&str; 1] = ["x-auth-request-"];
