//! What holds where a configuration says nothing.

use crate::config::value::{Count, Span};

use super::Limits;
use super::audit::{Audit, FormatName, LevelName};

impl Default for Limits {
    fn default() -> Self {
        Self {
            token_bytes: token_bytes(),
            waiting_requests: waiting_requests(),
            waiting_time: waiting_time(),
            cached_tokens: cached_tokens(),
            cached_bytes: cached_bytes(),
        }
    }
}

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

/// Entra's and Keycloak's largest tokens have 8 to 12 KiB.
pub(super) const fn token_bytes() -> Count {
    Count(16_384)
}

pub(super) const fn cached_tokens() -> Count {
    Count(10_000)
}

/// What 10,000 tokens of a common length take.
pub(super) const fn cached_bytes() -> Count {
    Count(16_777_216)
}

pub(super) const fn waiting_requests() -> Count {
    Count(1024)
}

pub(super) const fn waiting_time() -> Span {
    Span::seconds(5)
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
