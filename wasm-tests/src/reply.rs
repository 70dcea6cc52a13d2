//! What the module answers by itself, and as what it leaves the host.

/// Headers in order, values as bytes.
pub type Headers = Vec<(String, Vec<u8>)>;

/// An answer of the module's own.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// The gRPC status; -1 for none.
    pub grpc_status: i32,
}

impl Reply {
    /// As Envoy sends it: to a gRPC caller as headers alone.
    #[must_use]
    pub fn settled(mut self, grpc: bool) -> Self {
        if !grpc {
            return self;
        }
        let status = if self.grpc_status >= 0 {
            self.grpc_status
        } else {
            grpc_status(self.status)
        };
        self.headers
            .retain(|(name, _)| name != "content-type" && name != "content-length");
        let message = percent_encoded(&std::mem::take(&mut self.body));
        let own = [
            ("content-type", "application/grpc".to_owned()),
            ("grpc-status", status.to_string()),
            ("grpc-message", message),
        ];
        self.headers
            .extend(own.map(|(name, value)| (name.to_owned(), value.into_bytes())));
        self.status = 200;
        self
    }
}

/// What Envoy makes of an HTTP status for a gRPC caller.
fn grpc_status(status: u16) -> i32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502..=504 => 14,
        _ => 2,
    }
}

/// `grpc-message`: everything but printable ASCII, and the percent sign itself, is escaped.
fn percent_encoded(text: &[u8]) -> String {
    use std::fmt::Write as _;
    text.iter().fold(String::new(), |mut encoded, byte| {
        match byte {
            b' '..=b'~' if *byte != b'%' => encoded.push(char::from(*byte)),
            _ => write!(encoded, "%{byte:02X}").expect("a String takes everything"),
        }
        encoded
    })
}
