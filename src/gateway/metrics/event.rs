//! What happens, and is counted under a name that no configuration changes.

use super::name;

/// What happens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::gateway) enum Event {
    /// The collector did not take a batch of records, and may take it later.
    BatchFailed,
    /// It refused a batch, or a part of one.
    BatchRejected,
    /// It took a batch.
    BatchSent,
    /// Entries of verified tokens made room for others.
    CacheEviction,
    /// Tokens were known.
    CacheHit,
    /// Tokens were not.
    CacheMiss,
    /// A token was exchanged.
    Exchanged,
    /// The token endpoint did not answer as one.
    ExchangeFailed,
    /// The token endpoint refused.
    ExchangeRefused,
    /// A poll of the list of revoked tokens brought nothing.
    ListFailed,
    /// A poll brought another list.
    ListNew,
    /// The list is as it was.
    ListUnchanged,
    /// The collector has a record.
    RecordArrived,
    /// A decision left no record.
    RecordDropped,
    /// The collector's queue had no room for a record.
    RecordQueueFull,
    /// The collector refused a record.
    RecordRejected,
    /// The host's log took a record.
    RecordWritten,
    /// A request was held until its token was exchanged.
    WaitedForExchange,
    /// A request was held until keys came.
    WaitedForKeys,
    /// Milliseconds of that.
    MillisForExchange,
    /// Milliseconds of that.
    MillisForKeys,
}

impl Event {
    /// Its place in [`NAMES`].
    pub(super) const fn place(self) -> usize {
        match self {
            Self::CacheEviction => 0,
            Self::CacheHit => 1,
            Self::CacheMiss => 2,
            Self::Exchanged => 3,
            Self::ExchangeFailed => 4,
            Self::ExchangeRefused => 5,
            Self::ListFailed => 6,
            Self::ListNew => 7,
            Self::ListUnchanged => 8,
            Self::RecordDropped => 9,
            Self::RecordWritten => 10,
            Self::WaitedForExchange => 11,
            Self::WaitedForKeys => 12,
            Self::MillisForExchange => 13,
            Self::MillisForKeys => 14,
            Self::BatchFailed => 15,
            Self::BatchRejected => 16,
            Self::BatchSent => 17,
            Self::RecordArrived => 18,
            Self::RecordQueueFull => 19,
            Self::RecordRejected => 20,
        }
    }
}

/// The names of events: the metric, its label, and the label's value.
pub(super) const NAMES: [(&str, Option<(&str, &str)>); 21] = [
    (name::EVICTIONS, None),
    (name::LOOKUPS, Some(("outcome", "hit"))),
    (name::LOOKUPS, Some(("outcome", "miss"))),
    (name::EXCHANGES, Some(("outcome", "success"))),
    (name::EXCHANGES, Some(("outcome", "failure"))),
    (name::EXCHANGES, Some(("outcome", "refused"))),
    (name::LIST_POLLS, Some(("outcome", "failure"))),
    (name::LIST_POLLS, Some(("outcome", "new"))),
    (name::LIST_POLLS, Some(("outcome", "unchanged"))),
    (name::RECORDS, Some(("outcome", "dropped"))),
    (name::RECORDS, Some(("outcome", "written"))),
    (name::WAITS, Some(("awaited", "exchange"))),
    (name::WAITS, Some(("awaited", "keys"))),
    (name::WAIT_TIME, Some(("awaited", "exchange"))),
    (name::WAIT_TIME, Some(("awaited", "keys"))),
    (name::BATCHES, Some(("outcome", "failure"))),
    (name::BATCHES, Some(("outcome", "rejected"))),
    (name::BATCHES, Some(("outcome", "success"))),
    (name::COLLECTOR_RECORDS, Some(("outcome", "arrived"))),
    (name::COLLECTOR_RECORDS, Some(("outcome", "dropped"))),
    (name::COLLECTOR_RECORDS, Some(("outcome", "rejected"))),
];
