//! What holds where a configuration says nothing.

use crate::config::value::{Count, Span};

use super::audit::{Audit, FormatName, LevelName};

impl Default for Audit {
    fn default() -> Self {
        Self {
            format: FormatName::Compact,
            log: yes(),
            level: LevelName::Info,
            required: None,
            inputs: false,
            access_log: false,
            otlp: None,
            fingerprint_key: None,
        }
    }
}

pub(super) fn generic() -> String {
    "generic".to_owned()
}

/// Two machines with working clocks are seconds apart; RFC 7519 §4.1.4 speaks of "no more than a
/// few minutes".
pub(super) const fn clock_skew() -> Span {
    Span::seconds(30)
}

pub(super) const fn timeout() -> Span {
    Span::seconds(5)
}

pub(super) const fn refresh() -> Span {
    Span::seconds(600)
}

pub(super) const fn max_stale() -> Span {
    Span::seconds(86_400)
}

pub(super) const fn yes() -> bool {
    true
}

/// About 4,000 records.
pub(super) const fn otlp_queue_bytes() -> Count {
    Count(4_194_304)
}

pub(super) const fn otlp_timeout() -> Span {
    Span::seconds(5)
}
