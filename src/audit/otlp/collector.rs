//! Where records are sent.

use std::fmt;
use std::time::Duration;

use crate::callout::uri::HttpsUri;

/// Where records go, and how many may wait.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Collector {
    /// The gateway's cluster that it is in.
    pub cluster: Box<str>,
    /// Where it takes logs, `…/v1/logs`.
    pub uri: HttpsUri,
    /// Headers that it requires, perhaps with a credential.
    pub headers: Vec<CollectorHeader>,
    /// The bytes of records that may wait, on each worker.
    pub queue_bytes: usize,
    /// How long a batch may take.
    pub timeout: Duration,
}

/// A header for the collector. Its value may be a credential, so `Debug` does not show it.
#[derive(Clone, Eq, PartialEq)]
pub struct CollectorHeader {
    /// Its name, in lower case.
    pub name: Box<str>,
    /// Its value.
    pub value: Box<str>,
}

impl fmt::Debug for CollectorHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: …", self.name)
    }
}
