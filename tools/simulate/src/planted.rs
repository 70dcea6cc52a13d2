//! Faults that are planted between gateway and process, each of which the checks have to find.

/// A planted fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Planted {
    /// A request that was answered goes upstream as well.
    AnsweredTwice,
    /// A refused request goes upstream in place of its answer.
    AnyoneForwarded,
    /// What was counted is lost when a plugin ends.
    CountsLost,
    /// A request goes upstream with its own token where that was to be exchanged.
    ExchangeSkipped,
    /// What workers write for one another is lost, and with it the lease.
    LeaseForgotten,
    /// A client that left leaves no record.
    LeaverForgotten,
    /// A list of revoked tokens that came is taken for an older one.
    ListIgnored,
    /// The list of revoked tokens goes with the configuration that it came under.
    ListLost,
    /// A record is not written.
    RecordDropped,
    /// A worker keeps keys that its issuer has long taken back.
    StaleKeys,
    /// A request that has waited long enough goes on waiting.
    WaiterForgotten,
}

impl Planted {
    /// All of them, by the names on the command line.
    pub(crate) const ALL: [(&'static str, Self); 11] = [
        ("answered-twice", Self::AnsweredTwice),
        ("anyone-forwarded", Self::AnyoneForwarded),
        ("counts-lost", Self::CountsLost),
        ("exchange-skipped", Self::ExchangeSkipped),
        ("lease-forgotten", Self::LeaseForgotten),
        ("leaver-forgotten", Self::LeaverForgotten),
        ("list-ignored", Self::ListIgnored),
        ("list-lost", Self::ListLost),
        ("record-dropped", Self::RecordDropped),
        ("stale-keys", Self::StaleKeys),
        ("waiter-forgotten", Self::WaiterForgotten),
    ];
}
